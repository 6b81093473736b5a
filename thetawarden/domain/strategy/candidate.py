"""Defines a candidate: what could be opened, its numbers, and every reason for and against it.

Prices are USD per share of one unit; a credit is positive here, because everything is sold. Deltas
of legs are signed as the option's, the unit's as of holding it. None is unknown.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.risk.finding import Verdict


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at, what it says, and in which words."""

    rule: str
    check: str
    verdict: Verdict
    words: str
    used: float | None = None
    limit: float | None = None


class CandidateLeg(msgspec.Struct, frozen=True, kw_only=True):
    """One leg as it was quoted; ratio > 0 is bought, < 0 sold."""

    instrument: Instrument
    ratio: int
    bid_usd: float
    ask_usd: float
    bid_size: float
    ask_size: float
    volume: float
    open_interest: float
    liquidity: float
    iv_annual: float
    delta_per_share: float
    gamma_per_usd: float
    vega_usd_per_vol_point: float
    theta_usd_per_day: float
    quoted_ns: UnixNs

    @property
    def mid_usd(self) -> float:
        """Half-way between the sides."""
        return (self.bid_usd + self.ask_usd) / 2.0


class SkewSeen(msgspec.Struct, frozen=True, kw_only=True):
    """The skew a strike was chosen by; the shift is 0 where it could not be used."""

    log_ratio: float | None
    normalised: float | None
    percentile: float | None
    gap: str
    shift_delta: float


class Odds(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be expected; the risk is the loss at three deviations against us, or the most."""

    profit_probability: float
    touch_probability: float
    risk_usd: float
    expected_usd: float
    deviations: float


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One unit that could be opened; `loss_usd_max` and `width_usd` are None where it is naked."""

    underlying: str
    strategy: str
    expiry: dt.date
    dte: int
    legs: tuple[CandidateLeg, ...]
    spot_usd: float
    credit_usd: float
    width_usd: float | None
    loss_usd_max: float | None
    otm_fraction: float
    skew: SkewSeen
    odds: Odds
    reasons: tuple[Reason, ...]
    score: float = 0.0
    scores: tuple[tuple[str, float], ...] = ()

    @property
    def passes(self) -> bool:
        """Whether nothing stands against it."""
        return all(reason.verdict is not Verdict.REFUSE for reason in self.reasons)

    @property
    def may_become_liquid(self) -> bool:
        """Whether nothing but the liquidity of its legs stands against it."""
        against = [one.check for one in self.reasons if one.verdict is Verdict.REFUSE]
        return bool(against) and set(against) <= {"liquidity", "long_leg"}

    @property
    def naked(self) -> bool:
        """Whether its loss has no bound of its own."""
        return self.loss_usd_max is None

    @property
    def shorts(self) -> tuple[CandidateLeg, ...]:
        """The legs that are sold."""
        return tuple(leg for leg in self.legs if leg.ratio < 0)

    @property
    def delta_per_share(self) -> float:
        """The unit's delta as of holding it."""
        return sum(leg.ratio * leg.delta_per_share for leg in self.legs)

    @property
    def conids(self) -> tuple[int, ...]:
        """The contracts of all legs."""
        return tuple(leg.instrument.conid for leg in self.legs)

    @property
    def selector(self) -> float:
        """What decides between strategies."""
        return dict(self.scores).get(SELECTOR, 0.0)


SELECTOR = "selector"


class Nothing(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy that found nothing to judge in a chain, and why."""

    underlying: str
    strategy: str
    expiry: dt.date | None
    why: str
