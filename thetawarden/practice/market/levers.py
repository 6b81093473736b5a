"""Holds what was forced upon the market: jumps, halts, wider spreads; each from its instant.

The list is all the memory the market has; what comes before an intervention never changes because
of it. A jump moves an underlying and everything that hangs together with it, and raises or lowers
volatility by the leverage of an ordinary day; the volatility part fades, the price part stays.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.instants import NS_PER_DAY
from thetawarden.practice.market.days import SPOT_VOL_ANNUAL, leverage_slopes
from thetawarden.practice.market.roster import UNDERLYINGS
from thetawarden.practice.market.surface import DECAY_PER_YEAR

Floats: TypeAlias = NDArray[np.float64]
Instants: TypeAlias = NDArray[np.int64]

_YEAR_NS = 365 * NS_PER_DAY


class Jump(msgspec.Struct, frozen=True, kw_only=True, tag="jump"):
    """An underlying moved at once."""

    at_ns: int
    symbol: str
    log_return: float


class Halt(msgspec.Struct, frozen=True, kw_only=True, tag="halt"):
    """Trading of an underlying and its options stopped or resumed."""

    at_ns: int
    symbol: str
    halted: bool


class Widening(msgspec.Struct, frozen=True, kw_only=True, tag="widening"):
    """Spreads of a contract or an underlying's chain are multiplied from now on."""

    at_ns: int
    con_id: int
    factor: float


class Split(msgspec.Struct, frozen=True, kw_only=True, tag="split"):
    """A share was divided; its past is told in new shares from then on."""

    at_ns: int
    symbol: str
    new_shares: int
    old_shares: int


Intervention: TypeAlias = Jump | Halt | Widening | Split


class Levers:
    """All interventions, oldest first, and what they do to prices and volatility."""

    def __init__(self) -> None:
        self.pulled: list[Intervention] = []
        self._jumps: list[Jump] = []

    def pull(self, intervention: Intervention) -> None:
        """Add an intervention."""
        self.pulled.append(intervention)
        self._jumps = [one for one in self.pulled if isinstance(one, Jump)]

    def replace(self, pulled: list[Intervention]) -> None:
        """Go on from a saved list."""
        self.pulled = list(pulled)
        self._jumps = [one for one in self.pulled if isinstance(one, Jump)]

    def splits(self, symbol: str) -> tuple[Split, ...]:
        """Return a share's splits, oldest first."""
        return tuple(one for one in self.pulled if isinstance(one, Split) and one.symbol == symbol)

    def unit(self, symbol: str) -> float:
        """Return how much of a share of the start one share is now."""
        unit = 1.0
        for one in self.splits(symbol):
            unit *= one.old_shares / one.new_shares
        return unit

    def offset(self, symbol: str, instant_ns: int) -> float:
        """Return the log amount by which jumps have moved a price."""
        if not self._jumps:
            return 0.0
        return float(self.offsets(symbol, np.array([instant_ns]))[0])

    def offsets(self, symbol: str, instants_ns: Instants) -> Floats:
        """Return the log amount by which jumps have moved a price at many instants."""
        moved = np.zeros(len(instants_ns))
        for jump in self._jumps:
            moved[instants_ns >= jump.at_ns] += jump.log_return * _share(symbol, jump.symbol)
        return moved

    def vol_offset(self, instant_ns: int) -> Floats:
        """Return what jumps have added to the volatility factors."""
        if not self._jumps:
            return np.zeros(3)
        return np.asarray(self.vol_offsets(np.array([instant_ns]))[0], dtype=np.float64)

    def vol_offsets(self, instants_ns: Instants) -> Floats:
        """Return what jumps have added to the volatility factors at many instants."""
        added = np.zeros((len(instants_ns), 3))
        for jump in self._jumps:
            impulse = leverage_slopes(1.5 * SPOT_VOL_ANNUAL) * jump.log_return * _reach(jump.symbol)
            years = np.maximum(instants_ns - jump.at_ns, 0)[:, None] / _YEAR_NS
            live = (instants_ns >= jump.at_ns)[:, None]
            added += live * np.clip(impulse, -0.6, 0.9) * np.exp(-DECAY_PER_YEAR * years)
        return added

    def halted(self, symbol: str, instant_ns: int) -> bool:
        """Whether an underlying is halted."""
        state = False
        for one in self.pulled:
            if isinstance(one, Halt) and one.symbol == symbol and one.at_ns <= instant_ns:
                state = one.halted
        return state

    def widening(self, con_id: int, instant_ns: int) -> float:
        """Return the factor in force for one conId itself."""
        factor = 1.0
        for one in self.pulled:
            if isinstance(one, Widening) and one.con_id == con_id and one.at_ns <= instant_ns:
                factor = one.factor
        return factor


def _reach(symbol: str) -> float:
    """How much of a jump is the whole market's: all of an index's, none of a company's."""
    one = UNDERLYINGS[symbol]
    leader = UNDERLYINGS[one.follows or symbol]
    return 0.0 if leader.sector else 1.0 / leader.beta


def _share(symbol: str, jumped: str) -> float:
    """How much of a jump of `jumped` a price takes over."""
    one, source = UNDERLYINGS[symbol], UNDERLYINGS[jumped]
    leader = UNDERLYINGS[one.follows or symbol]
    if (source.follows or jumped) == leader.symbol:
        return 1.0
    return leader.beta * _reach(jumped)
