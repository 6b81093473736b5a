"""Makes a candidate of picked rows: its legs as quoted, credit, width and odds.

The odds are those of a lognormal walk from the forward with each short leg's own volatility: good
enough to rank by, and said so. What is expected rests on the volatility of the last month instead:
what is sold dearer than that is the edge.
"""

from __future__ import annotations

import math

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.strategy.candidate import Candidate, CandidateLeg, Odds, Reason, SkewSeen
from thetawarden.domain.strategy.scene import Scene

RISK_DEVIATIONS = 3.0


def leg_of(scene: Scene, row: int, ratio: int) -> CandidateLeg:
    """Return a row as a leg."""
    found = scene.legs.get((row, ratio))
    if found is None:
        found = scene.legs[row, ratio] = _leg(scene, row, ratio)
    return found


def _leg(scene: Scene, row: int, ratio: int) -> CandidateLeg:
    rows = scene.rows
    own = float(rows.iv_annual[row])
    return CandidateLeg(
        instrument=scene.instrument(row),
        ratio=ratio,
        bid_usd=float(rows.bid_usd[row]),
        ask_usd=float(rows.ask_usd[row]),
        bid_size=float(rows.bid_size[row]),
        ask_size=float(rows.ask_size[row]),
        volume=float(rows.volume[row]),
        open_interest=float(rows.open_interest[row]),
        liquidity=float(scene.liquidity.score[row]),
        iv_annual=own if math.isfinite(own) else float(rows.smile_iv_annual[row]),
        delta_per_share=float(rows.delta_per_share[row]),
        gamma_per_usd=float(rows.gamma_per_usd[row]),
        vega_usd_per_vol_point=float(rows.vega_usd_per_vol_point[row]),
        theta_usd_per_day=float(rows.theta_usd_per_day[row]),
        quoted_ns=UnixNs(int(rows.at_ns[row])),
    )


def build(
    scene: Scene,
    *,
    strategy: str,
    shorts: tuple[int, ...],
    longs: tuple[int, ...] = (),
    skew: SkewSeen,
    reasons: tuple[Reason, ...],
) -> Candidate:
    """Return the candidate that sells some rows of one series and buys others, one of each."""
    legs = (*(leg_of(scene, row, -1) for row in shorts), *(leg_of(scene, row, 1) for row in longs))
    series = int(scene.rows.series[shorts[0]])
    credit = -math.fsum(leg.ratio * leg.mid_usd for leg in legs)
    width = _width(legs) if len(longs) == len(shorts) else None
    return Candidate(
        underlying=scene.underlying,
        strategy=strategy,
        expiry=scene.view.series[series].expiry,
        dte=scene.dte(series),
        legs=legs,
        spot_usd=scene.spot_usd,
        credit_usd=credit,
        width_usd=width,
        loss_usd_max=None if width is None else max(width - credit, 0.0),
        otm_fraction=min(float(scene.otm_fraction[row]) for row in shorts),
        skew=skew,
        odds=odds_of(scene, series, legs=legs, credit_usd=credit),
        reasons=reasons,
    )


def strike_of(leg: CandidateLeg) -> float:
    """The strike of a leg; every leg here is an option."""
    return float(leg.instrument.strike or 0)


def is_call(leg: CandidateLeg) -> bool:
    """Whether a leg is a call."""
    return leg.instrument.right == "C"


def _width(legs: tuple[CandidateLeg, ...]) -> float:
    """The wider side's distance between its two strikes: only one side can lose."""
    sides: dict[bool, list[float]] = {}
    for leg in legs:
        sides.setdefault(is_call(leg), []).append(strike_of(leg))
    return max(max(strikes) - min(strikes) for strikes in sides.values())


def odds_of(
    scene: Scene, series: int, *, legs: tuple[CandidateLeg, ...], credit_usd: float
) -> Odds:
    """Return what is to be expected of a unit held to expiry; NaN where the series is unknown."""
    terms = scene.view.series[series]
    tau, forward = terms.tau_years, terms.forward_usd
    if tau is None or forward is None or tau <= 0.0 or forward <= 0.0:
        nan = math.nan
        return Odds(
            profit_probability=nan,
            touch_probability=nan,
            risk_usd=nan,
            expected_usd=nan,
            deviations=nan,
        )
    root = math.sqrt(tau)
    atm = terms.atm_iv_annual or max(leg.iv_annual for leg in legs)
    lost = touched = 0.0
    deviations = math.inf
    for leg in legs:
        if leg.ratio > 0:
            continue
        strike, spread = strike_of(leg), leg.iv_annual * root
        sign = 1.0 if is_call(leg) else -1.0
        edge = max(strike + sign * credit_usd, 1e-9)
        lost += _beyond(forward, edge, spread, sign)
        touched += min(1.0, 2.0 * _beyond(forward, strike, spread, sign))
        deviations = min(deviations, abs(math.log(strike / forward)) / spread)
    moves = (math.exp(sign * RISK_DEVIATIONS * atm * root) for sign in (-1.0, 1.0))
    risk = max(-_worth(legs, forward * move) - credit_usd for move in moves)
    realised = None if scene.figures is None else scene.figures.realised21_annual
    return Odds(
        profit_probability=max(0.0, 1.0 - lost),
        touch_probability=min(1.0, touched),
        risk_usd=max(risk, credit_usd, 1e-9),
        expected_usd=credit_usd + _expected(legs, forward, root, (realised or atm) / atm),
        deviations=deviations,
    )


def _beyond(forward: float, level: float, deviation: float, sign: float) -> float:
    """Chance of ending beyond a level on one side, of a lognormal walk."""
    d2 = math.log(forward / level) / deviation - deviation / 2.0
    return _normal(sign * d2)


def _worth(legs: tuple[CandidateLeg, ...], level: float) -> float:
    return math.fsum(
        leg.ratio * max((level - strike_of(leg)) * (1.0 if is_call(leg) else -1.0), 0.0)
        for leg in legs
    )


def _expected(
    legs: tuple[CandidateLeg, ...], forward: float, root: float, vol_ratio: float
) -> float:
    """Mean payoff of the legs, their volatilities scaled to what has been realised."""
    total = 0.0
    for leg in legs:
        strike, deviation = strike_of(leg), leg.iv_annual * vol_ratio * root
        sign = 1.0 if is_call(leg) else -1.0
        d1 = math.log(forward / strike) / deviation + deviation / 2.0
        mean = sign * (forward * _normal(sign * d1) - strike * _normal(sign * (d1 - deviation)))
        total += leg.ratio * mean
    return total


def _normal(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))
