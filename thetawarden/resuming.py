"""What a person can lift besides the halt, and the words when that is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from thetawarden.actors.governing import LIMITS
from thetawarden.domain.halt import Latch, ResumeRefusal, TradingState
from thetawarden.domain.risk.loosening import StatedLimit, fingerprint_of
from thetawarden.errors import RefusedError
from thetawarden.messages.base import Message
from thetawarden.messages.control import ResumeRequest
from thetawarden.messages.risk import (
    AcceptLimits,
    LiftCaution,
    OverrideReadiness,
    ReviewDrawdown,
    UnlockStrategy,
)


def lifting_of(request: ResumeRequest, *, by: str) -> list[tuple[Message, str]]:
    """What must be said for all that a person named, each with what it comes to."""
    reason = request.reason
    wanted: list[tuple[Message, str]] = []
    if request.cautious:
        wanted.append((LiftCaution(by=by), "your caution is lifted"))
    if request.review_drawdown:
        wanted.append((ReviewDrawdown(reason=reason, by=by), "the drawdown is reviewed"))
    if request.override_readiness:
        readiness = OverrideReadiness(reason=reason, by=by)
        wanted.append((readiness, "the readiness score is overridden"))
    if request.unlock:
        unlock = UnlockStrategy(strategy=request.unlock, reason=reason, by=by)
        wanted.append((unlock, f"strategy {request.unlock} may enter again"))
    if request.limits:
        limits = AcceptLimits(fingerprint=request.limits, reason=reason, by=by)
        wanted.append((limits, "the looser limits are accepted"))
    return wanted


def require_fingerprint(fingerprint: str, *, governor: Mapping[str, Any] | None) -> None:
    """Refuse limits other than those that were shown, before anything else is done."""
    if governor is None:
        raise RefusedError("limits refused: the governor does not answer; look at `inspect`")
    if LIMITS not in governor["frozen"]:
        raise RefusedError("limits refused: none allows more than was accepted already")
    stated = fingerprint_of(msgspec.convert(governor["limits_stated"], tuple[StatedLimit, ...]))
    if fingerprint != stated:
        raise RefusedError(
            f"limits refused: {fingerprint} was asked, {stated} is in force."
            " Look at `thetawarden status`, then accept those"
        )


def refusal_words(refusal: ResumeRefusal, *, asked: int, latch: Latch) -> str:
    """Why a resume was refused, and what to do."""
    match refusal:
        case ResumeRefusal.NOT_HALTED:
            return f"resume refused: trading is {TradingState.RUNNING}; there is no halt to lift"
        case ResumeRefusal.WRONG_EPOCH:
            return (
                f"resume refused: epoch {asked} was asked, {latch.epoch} is in force."
                " Look at the halt with `thetawarden status`, then resume that one"
            )
        case ResumeRefusal.NO_REASON:
            return "resume refused: a reason is needed. Say why with --reason"
