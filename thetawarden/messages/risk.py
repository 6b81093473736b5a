"""What the state of market, book and losses demands, and how much of every limit is used."""

from __future__ import annotations

from thetawarden.domain.halt import TradingState
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.risk.brakes import Brake
from thetawarden.domain.risk.demands import Demand
from thetawarden.domain.risk.loosening import StatedLimit
from thetawarden.domain.risk.recovery import RecoveryPhase
from thetawarden.domain.risk.stress import StressGrid, StressJob, StressResult
from thetawarden.domain.risk.usage import LimitUse
from thetawarden.messages.base import Command, Event


class RiskDemanded(Event, frozen=True, kw_only=True):
    """What must be done now, the most urgent first; takes the place of what was demanded before."""

    demands: tuple[Demand, ...]


class RiskTaken(Event, frozen=True, kw_only=True):
    """How much of every limit is used, and where every brake stands."""

    at_ns: UnixNs
    trading: TradingState
    uses: tuple[LimitUse, ...]
    brakes: tuple[Brake, ...]
    recovery: RecoveryPhase
    why: tuple[str, ...]


class TakeStress(Command, frozen=True, kw_only=True):
    """Revalue the book in every scenario and say what came of it; nightly, or for a person."""

    run: str


class ComputeStress(Command, frozen=True, kw_only=True):
    """Revalue a large book outside the desk's interpreter, within a deadline."""

    run: str
    job: StressJob


class StressTaken(Event, frozen=True, kw_only=True):
    """What every scenario would cost, by position and in all, and over a grid of shocks.

    The grid is None while something cannot be valued.
    """

    run: str
    result: StressResult
    grid: StressGrid | None = None


class BeCautious(Command, frozen=True, kw_only=True):
    """Open nothing until its author takes this back; what reduces risk goes on."""

    reason: str
    by: str


class LiftCaution(Command, frozen=True, kw_only=True):
    """Take back every caution of its author."""

    by: str


class FreezeExits(Command, frozen=True, kw_only=True):
    """While halted, send not even what reduces risk, or do so again. Only a person decides it.

    The governor says again what stands when the desk begins.
    """

    frozen: bool
    reason: str
    by: str


class UnlockStrategy(Command, frozen=True, kw_only=True):
    """A person has looked at a strategy that entered too often: it may go on."""

    strategy: str
    reason: str
    by: str


class ReviewDrawdown(Command, frozen=True, kw_only=True):
    """A person has reviewed the drawdown that halted trading."""

    reason: str
    by: str


class LimitsStated(Event, frozen=True, kw_only=True):
    """The limits this process was started with, as the configuration has them."""

    limits: tuple[StatedLimit, ...]


class AcceptLimits(Command, frozen=True, kw_only=True):
    """A person has read which limits allow more than before, and means it.

    The fingerprint is the one that was shown: limits that changed since are not meant.
    """

    fingerprint: str
    reason: str
    by: str


class OverrideReadiness(Command, frozen=True, kw_only=True):
    """A person lets real money be traded below the readiness score, on the record."""

    reason: str
    by: str
