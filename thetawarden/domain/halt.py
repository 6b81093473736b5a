"""The halt latch: who stopped trading, when and why, and who may start it again.

Pure. Halting always works and is idempotent; only a resume that names the current epoch lifts it.
Every halt raises the epoch, so an old or mistaken resume can never lift a newer halt.
"""

from __future__ import annotations

import enum

import msgspec

from thetawarden.domain.instants import UnixNs


class TradingState(enum.StrEnum):
    """What the desk may do: everything, only reduce risk, or nothing but cancel."""

    RUNNING = "running"
    CAUTIOUS = "cautious"
    HALTED = "halted"


class HaltRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One halt, as shown to people and kept in the halt flag file."""

    epoch: int
    reason: str
    by: str
    at_ns: UnixNs


class Latch(msgspec.Struct, frozen=True, kw_only=True):
    """The whole state of the brake; `halt` is None while running."""

    epoch: int = 0
    halt: HaltRecord | None = None

    @property
    def state(self) -> TradingState:
        """The trading state this latch stands for."""
        return TradingState.RUNNING if self.halt is None else TradingState.HALTED


class ResumeRefusal(enum.StrEnum):
    """Why a resume was not taken."""

    NOT_HALTED = "not_halted"
    WRONG_EPOCH = "wrong_epoch"
    NO_REASON = "no_reason"


def close_latch(latch: Latch, *, reason: str, by: str, at_ns: UnixNs) -> Latch:
    """Halt. A second halt while halted keeps the first record: its cause is the one to mend."""
    if latch.halt is not None:
        return latch
    epoch = latch.epoch + 1
    return Latch(epoch=epoch, halt=HaltRecord(epoch=epoch, reason=reason, by=by, at_ns=at_ns))


def open_latch(latch: Latch, *, epoch: int, reason: str) -> Latch | ResumeRefusal:
    """Lift the halt of exactly this epoch, or say why not."""
    if latch.halt is None:
        return ResumeRefusal.NOT_HALTED
    if epoch != latch.epoch:
        return ResumeRefusal.WRONG_EPOCH
    if not reason.strip():
        return ResumeRefusal.NO_REASON
    return Latch(epoch=latch.epoch, halt=None)


def adopt_flag(latch: Latch, flag: HaltRecord | None) -> Latch:
    """A flag file that the latch does not know of halts; nothing un-halts.

    A flag with an epoch was written by a governor: once that epoch has been lifted it is only a
    leftover. One of epoch 0 was put there by a person or in an emergency, and always counts.
    """
    if flag is None:
        return latch
    if latch.halt is not None and latch.epoch >= flag.epoch:
        return latch
    if 0 < flag.epoch <= latch.epoch:
        return latch
    epoch = max(latch.epoch + 1, flag.epoch)
    return Latch(epoch=epoch, halt=msgspec.structs.replace(flag, epoch=epoch))
