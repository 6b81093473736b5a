"""The governor's brakes: the latch and the cautions, as people and the desk itself work them."""

from __future__ import annotations

from typing import assert_never

from thetawarden.actors import risk_watch
from thetawarden.actors.governing import LIMITS, GovernorState
from thetawarden.domain.halt import (
    HaltRecord,
    Latch,
    ResumeRefusal,
    adopt_flag,
    close_latch,
    open_latch,
)
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.risk.flow import unlock_strategy
from thetawarden.domain.risk.interlock import Readiness
from thetawarden.domain.risk.loosening import (
    StatedLimit,
    fingerprint_of,
    loosened,
    question_of,
)
from thetawarden.domain.risk.posture import Caution, Posture, add_caution, lift_caution
from thetawarden.messages.operations import NotifyPerson, Urgency
from thetawarden.messages.risk import (
    AcceptLimits,
    BeCautious,
    FreezeExits,
    LiftCaution,
    LimitsStated,
    OverrideReadiness,
    ReviewDrawdown,
    UnlockStrategy,
)
from thetawarden.messages.trading import (
    AdoptHaltFlag,
    Halt,
    Resume,
    ResumeRefused,
    TradingHalted,
    TradingResumed,
)

Brakes = (
    Halt
    | AdoptHaltFlag
    | Resume
    | BeCautious
    | LiftCaution
    | FreezeExits
    | UnlockStrategy
    | ReviewDrawdown
    | OverrideReadiness
    | LimitsStated
    | AcceptLimits
)
Said = TradingHalted | TradingResumed | ResumeRefused | NotifyPerson | FreezeExits

ME = "governor"
WORDS_MAX = 500


def heed(state: GovernorState, message: Brakes, now: UnixNs) -> tuple[Said, ...]:
    """Do what a person, or anything that fears for the account, says."""
    match message:
        case Halt(reason=reason, by=by):
            return halt(state, reason=reason, by=by, now=now)
        case AdoptHaltFlag(halt=flag):
            return _adopt(state, flag)
        case Resume():
            return _resume(state, message)
        case BeCautious(reason=reason, by=by):
            caution = Caution(reason=reason[:WORDS_MAX], by=by, at_ns=now)
            state.cautions = add_caution(Posture(cautions=state.cautions), caution).cautions
        case LiftCaution(by=by):
            state.cautions = lift_caution(Posture(cautions=state.cautions), by=by).cautions
        case FreezeExits(frozen=frozen):
            state.exits_frozen = frozen
        case UnlockStrategy(strategy=strategy):
            state.flow = unlock_strategy(state.flow, strategy)
        case ReviewDrawdown():
            risk_watch.review(state)
        case OverrideReadiness(reason=reason, by=by):
            state.readiness = Readiness(
                points=state.readiness.points, override_reason=reason, override_by=by
            )
        case LimitsStated(limits=limits):
            return _stated(state, limits)
        case AcceptLimits():
            return _accepted(state, message)
        case _:
            assert_never(message)
    return ()


def standing(state: GovernorState) -> tuple[Said, ...]:
    """Say again what stands: whoever forgot it with the process, as the last gate, hears it."""
    record, said = state.latch.halt, []
    if record is not None:
        said.append(TradingHalted(halt=record))
    frozen = FreezeExits(frozen=True, reason="it was so when the desk ended", by=ME)
    return (*said, frozen) if state.exits_frozen else tuple(said)


def halt(state: GovernorState, *, reason: str, by: str, now: UnixNs) -> tuple[Said, ...]:
    """Close the latch and say so; a halt while halted is none."""
    return _move(state, close_latch(state.latch, reason=reason, by=by, at_ns=now))


def _move(state: GovernorState, latch: Latch) -> tuple[Said, ...]:
    if latch == state.latch or latch.halt is None:
        return ()
    state.latch = latch
    record = latch.halt
    text = f"Trading halted by {record.by}: {record.reason} (epoch {record.epoch})"
    return (
        TradingHalted(halt=record),
        NotifyPerson(urgency=Urgency.CRITICAL, topic="halt", text=text),
    )


def _adopt(state: GovernorState, flag: HaltRecord) -> tuple[Said, ...]:
    latch = adopt_flag(state.latch, flag)
    if latch.halt is None:
        leftover = "the flag was left over from a halt already lifted"
        return (TradingResumed(epoch=latch.epoch, reason=leftover, by=ME),)
    return _move(state, latch)


def _resume(state: GovernorState, asked: Resume) -> tuple[Said, ...]:
    current = state.latch
    latch = open_latch(current, epoch=asked.epoch, reason=asked.reason)
    if isinstance(latch, ResumeRefusal):
        refused = ResumeRefused(
            refusal=latch, asked_epoch=asked.epoch, current_epoch=current.epoch, by=asked.by
        )
        return (refused,)
    state.latch = latch
    resumed = TradingResumed(epoch=asked.epoch, reason=asked.reason, by=asked.by)
    text = f"Trading resumed by {asked.by}: {asked.reason}"
    return (resumed, NotifyPerson(urgency=Urgency.HIGH, topic="halt", text=text))


def _stated(state: GovernorState, limits: tuple[StatedLimit, ...]) -> tuple[Said, ...]:
    """Limits that allow more than a person has acknowledged open nothing until one does."""
    changes = loosened(state.limits_kept, limits)
    question = question_of(changes, fingerprint=fingerprint_of(limits))
    state.limits_stated = limits
    state.frozen.pop(LIMITS, None)
    if not changes:
        state.limits_kept = limits
        return ()
    state.frozen[LIMITS] = question[:WORDS_MAX]
    return (NotifyPerson(urgency=Urgency.HIGH, topic="limits", text=question),)


def _accepted(state: GovernorState, asked: AcceptLimits) -> tuple[Said, ...]:
    if LIMITS not in state.frozen or asked.fingerprint != fingerprint_of(state.limits_stated):
        return ()
    state.limits_kept = state.limits_stated
    del state.frozen[LIMITS]
    text = f"Looser limits accepted by {asked.by}: {asked.reason}"
    return (NotifyPerson(urgency=Urgency.HIGH, topic="limits", text=text),)
