"""Says what speaks for and against a candidate before anybody else is asked.

Each function looks at one thing and answers with a reason; a refusal keeps the candidate from being
proposed, and it is shown all the same.
"""

from __future__ import annotations

import datetime as dt
import functools
import math

from thetawarden.domain.instants import new_york_clock
from thetawarden.domain.regime.factors import EntryPolicy
from thetawarden.domain.risk.finding import Verdict
from thetawarden.domain.strategy.building import is_call, strike_of
from thetawarden.domain.strategy.candidate import Candidate, CandidateLeg, Reason, SkewSeen
from thetawarden.domain.strategy.scene import Scene
from thetawarden.domain.strategy.settings import Terms
from thetawarden.domain.strategy.strikes import DeltaBand
from thetawarden.domain.surface.liquidity import LiquidityGrade, LiquidityScale

_NEARLY = 1e-6


def passes(rule: str, check: str, words: str, **told: float | None) -> Reason:
    """Something that speaks for a candidate, or at least not against it."""
    return Reason(rule=rule, check=check, verdict=Verdict.PASS, words=words, **told)


def warns(rule: str, check: str, words: str, **told: float | None) -> Reason:
    """Something a person should know."""
    return Reason(rule=rule, check=check, verdict=Verdict.WARN, words=words, **told)


def refuses(rule: str, check: str, words: str, **told: float | None) -> Reason:
    """Something that keeps a candidate from being proposed."""
    return Reason(rule=rule, check=check, verdict=Verdict.REFUSE, words=words, **told)


def judge_delta(rule: str, leg: CandidateLeg, band: DeltaBand) -> Reason:
    """Whether a short leg's delta lies in its band, in its widened band, or beyond."""
    delta = abs(leg.delta_per_share)
    side = "call" if is_call(leg) else "put"
    aimed = f"{side} delta {delta * 100:.1f}, aimed at {band.target * 100:.1f}"
    if band.low - _NEARLY <= delta <= band.high + _NEARLY:
        return passes(rule, "delta", f"{aimed}, within its band", used=delta, limit=band.high)
    bounds = f"{band.floor * 100:.1f} to {band.ceiling * 100:.1f}"
    if band.floor - _NEARLY <= delta <= band.ceiling + _NEARLY:
        words = f"{aimed}, in the band widened to {bounds}"
        return warns(rule, "delta", words, used=delta, limit=band.ceiling)
    return refuses(rule, "delta", f"{aimed}, beyond {bounds}", used=delta, limit=band.ceiling)


def judge_liquidity(leg: CandidateLeg, scale: LiquidityScale) -> Reason:
    """How easily a short leg could be bought back."""
    mid = leg.mid_usd
    spread = (leg.ask_usd - leg.bid_usd) / mid if mid > 0.0 else math.inf
    name = f"{strike_of(leg):g}{leg.instrument.right or ''}"
    words = f"{name} spread {spread:.0%} of the mid, {_count(leg.open_interest)} open"
    told = {"used": spread, "limit": scale.spread_fraction_max}
    grade = _grade(spread, leg.open_interest, scale)
    if grade is LiquidityGrade.SKIP:
        return refuses("S4", "liquidity", f"{words}: not liquid enough", **told)
    if grade is LiquidityGrade.ACCEPTABLE:
        return warns("S4", "liquidity", f"{words}: acceptable", **told)
    return passes("S4", "liquidity", f"{words}: good", **told)


def judge_long(leg: CandidateLeg, scale: LiquidityScale) -> Reason:
    """Whether a bought leg is offered at a fair price; a few cents of spread always are."""
    width = leg.ask_usd - leg.bid_usd
    name = f"{strike_of(leg):g}{leg.instrument.right or ''}"
    fine = max(scale.spread_fraction_max * leg.mid_usd, LONG_SPREAD_USD_FINE)
    words = f"long {name} is {width:.2f} wide at {leg.mid_usd:.2f}"
    if not width <= fine + _NEARLY:
        return refuses("S4", "long_leg", f"{words}: too dear to buy", used=width, limit=fine)
    return passes("S4", "long_leg", words, used=width, limit=fine)


LONG_SPREAD_USD_FINE = 0.10


def judge_premium(rule: str, credit_usd: float, terms: Terms, spot_usd: float) -> Reason:
    """Whether the credit is worth the trouble."""
    least = max(terms.premium_usd_min, terms.premium_spot_fraction_min * spot_usd)
    words = f"credit {credit_usd:.2f} a share, at least {least:.2f}"
    if not credit_usd >= least - _NEARLY:
        return refuses(rule, "premium", words, used=credit_usd, limit=least)
    return passes(rule, "premium", words, used=credit_usd, limit=least)


def judge_distance(rule: str, otm_fraction: float, terms: Terms) -> Reason:
    """Whether the nearest short strike is far enough out of the money."""
    least = max(terms.otm_fraction_min, 0.0)
    words = f"{otm_fraction:.1%} out of the money, at least {least:.1%}"
    if not (otm_fraction > 0.0 and otm_fraction >= least - _NEARLY):
        return refuses(rule, "distance", words, used=otm_fraction, limit=least)
    return passes(rule, "distance", words, used=otm_fraction, limit=least)


def judge_regime(scene: Scene, *, naked: bool) -> Reason:
    """Whether the market's state allows such an entry at all."""
    regime = scene.regime
    if regime is None:
        return refuses("G4", "regime", "the market's state is not known: no new risk")
    name = str(regime.derived or "unknown").replace("_", " ")
    if regime.entries is EntryPolicy.NONE:
        return refuses("G4", "regime", f"regime {name}: no entries")
    if naked and (regime.entries is EntryPolicy.DEFINED_RISK_ONLY or regime.close_naked):
        return refuses("R15", "regime", f"regime {name}: only what has defined risk")
    words = f"regime {name}: entries {regime.entries}, deltas x {scene.delta_scale:.2f}"
    return passes("G4", "regime", words.replace("_", " "), used=scene.delta_scale)


def judge_skew(skew: SkewSeen) -> Reason:
    """What skew did to the delta aimed at."""
    if skew.gap:
        return passes("S11", "skew", f"skew is neutral ({skew.gap.replace('_', ' ')})", used=0.0)
    where = f"skew at the {100 * (skew.percentile or 0.0):.0f}th percentile of its history"
    words = f"{where}: {100 * skew.shift_delta:+.2f} delta"
    return passes("S11", "skew", words, used=skew.percentile, limit=1.0)


def judge_time(rule: str, scene: Scene, latest: dt.time) -> Reason:
    """Whether it is too late in the day."""
    clock = _clock(scene.now_ns)
    words = f"{clock:%H:%M} in New York, entered until {latest:%H:%M}"
    if clock > latest:
        return refuses(rule, "time", f"{words}: too late")
    return passes(rule, "time", words)


@functools.lru_cache(maxsize=8)
def _clock(now_ns: int) -> dt.time:
    """The time of day in New York; every candidate of a view asks for the same."""
    return new_york_clock(now_ns).time()


def judge_held(scene: Scene, candidate: Candidate) -> Reason:
    """Whether the same contract is sold already, or its other side would undo another trade."""
    held = {one.conid for one in scene.portfolio.shorts(scene.underlying)}
    bought = {one.conid for one in scene.portfolio.longs(scene.underlying)}
    for leg in candidate.legs:
        if leg.instrument.conid in (bought if leg.ratio < 0 else held):
            words = f"another trade holds the other side of {strike_of(leg):g}"
            return refuses("R10", "held", words)
    again = [leg for leg in candidate.shorts if leg.instrument.conid in held]
    if again:
        return warns("R10", "held", f"{strike_of(again[0]):g} is sold already")
    return passes("R10", "held", "nothing of it is sold yet")


def _grade(spread: float, interest: float, scale: LiquidityScale) -> LiquidityGrade:
    held = interest if math.isfinite(interest) else 0.0
    if not spread <= scale.spread_fraction_max or held < scale.open_interest_min:
        return LiquidityGrade.SKIP
    good = spread < scale.spread_fraction_good and held > scale.open_interest_good
    return LiquidityGrade.GOOD if good else LiquidityGrade.ACCEPTABLE


def _count(value: float) -> str:
    return f"{value:,.0f}" if math.isfinite(value) else "unknown"
