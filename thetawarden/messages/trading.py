"""The brakes: who may stop trading, and who alone may start it again."""

from __future__ import annotations

from thetawarden.domain.halt import HaltRecord, ResumeRefusal
from thetawarden.messages.base import Command, Event


class Halt(Command, frozen=True, kw_only=True):
    """Stop taking risk now. Anybody may say it; it cannot be refused."""

    reason: str
    by: str


class AdoptHaltFlag(Command, frozen=True, kw_only=True):
    """A halt flag file stood in the data folder at start: be halted, whatever you remember."""

    halt: HaltRecord


class Resume(Command, frozen=True, kw_only=True):
    """Lift the halt of this epoch. Only a person says it."""

    reason: str
    by: str
    epoch: int


class TradingHalted(Event, frozen=True, kw_only=True):
    """Trading is halted and stays so over restarts until a person resumes it."""

    halt: HaltRecord


class TradingResumed(Event, frozen=True, kw_only=True):
    """A person lifted the halt of this epoch."""

    epoch: int
    reason: str
    by: str


class ResumeRefused(Event, frozen=True, kw_only=True):
    """A resume was not taken; trading stays as it was."""

    refusal: ResumeRefusal
    asked_epoch: int
    current_epoch: int
    by: str


class CancelAll(Command, frozen=True, kw_only=True):
    """Take back every order of ours that may open something; exits that guard a position stay."""

    reason: str
    by: str


class Flatten(Command, frozen=True, kw_only=True):
    """Cancel all and close what the desk holds: everything, or one underlying. A person says it."""

    reason: str
    by: str
    underlying: str = ""
