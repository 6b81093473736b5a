"""Scores candidates: one number that picks a strike, one that picks between strategies.

Every part lies between 0 and 1 and is better when it is larger; a part that cannot be known is 0.
Weights are proportions. The judgement is a stated rule: a market with a name, calm enough for full
sizes, in contango, skew that pays the side we sell, and no short in the same expiry already.
"""

from __future__ import annotations

import functools
import math

import msgspec

from thetawarden.domain.regime.factors import EntryPolicy
from thetawarden.domain.regime.term_structure import TermStructure
from thetawarden.domain.strategy.candidate import SELECTOR, Candidate
from thetawarden.domain.strategy.scene import Scene
from thetawarden.domain.strategy.settings import ScoreWeights, SelectorWeights

SAFE_DEVIATIONS = 3.0
RISK_FREE_DELTA = 0.5
GOOD_YEARLY_RETURN = 1.0
GOOD_RETURN = 0.10
DAYS_PER_YEAR = 365.0


def scored(
    candidate: Candidate, scene: Scene, *, weights: ScoreWeights, selector: SelectorWeights
) -> Candidate:
    """Return the candidate with its scores, as far as they can be known without the broker."""
    parts = {
        "safety": _safety(candidate),
        "liquidity": _liquidity(candidate),
        "judgement": _judgement(candidate, scene),
        "efficiency": _efficiency(candidate, None),
        "return_on_risk": _return_on_risk(candidate, None),
        "profit_probability": _part(candidate.odds.profit_probability),
        "skew": _skew(candidate),
        "regime": _regime(candidate, scene),
        "portfolio_fit": _fit(candidate, scene),
    }
    return _with_parts(candidate, parts, weights=weights, selector=selector)


def with_margin(
    candidate: Candidate, margin_usd: float, *, weights: ScoreWeights, selector: SelectorWeights
) -> Candidate:
    """Return a scored candidate anew, its return on the margin the broker says a unit needs."""
    parts = dict(candidate.scores) | {
        "efficiency": _efficiency(candidate, margin_usd),
        "return_on_risk": _return_on_risk(candidate, margin_usd),
    }
    return _with_parts(candidate, parts, weights=weights, selector=selector)


def _with_parts(
    candidate: Candidate,
    parts: dict[str, float],
    *,
    weights: ScoreWeights,
    selector: SelectorWeights,
) -> Candidate:
    parts.pop(SELECTOR, None)
    score, select = _weighted(parts, weights), _weighted(parts, selector)
    told = (*parts.items(), (SELECTOR, select))
    return msgspec.structs.replace(candidate, score=score, scores=told)


def _weighted(parts: dict[str, float], weights: ScoreWeights | SelectorWeights) -> float:
    named, total = _named(weights)
    if total <= 0.0:
        return 0.0
    return math.fsum([parts[name] * weight for name, weight in named]) / total


@functools.lru_cache(maxsize=16)
def _named(
    weights: ScoreWeights | SelectorWeights,
) -> tuple[tuple[tuple[str, float], ...], float]:
    """Weights by name, and their sum."""
    named = tuple((name, getattr(weights, name)) for name in weights.__struct_fields__)
    return named, math.fsum(weight for _, weight in named)


def _safety(candidate: Candidate) -> float:
    """Distance in deviations, and how small the nearest short's delta is, half each."""
    nearest = max(abs(leg.delta_per_share) for leg in candidate.shorts)
    distance = _part(candidate.odds.deviations / SAFE_DEVIATIONS)
    return 0.5 * distance + 0.5 * _part(1.0 - nearest / RISK_FREE_DELTA)


def _liquidity(candidate: Candidate) -> float:
    """The worst short leg's: that is what must be bought back."""
    return min(_part(leg.liquidity) for leg in candidate.shorts)


def _judgement(candidate: Candidate, scene: Scene) -> float:
    regime = scene.regime
    if regime is None:
        return 0.0
    contango = regime.term_structure.structure is TermStructure.CONTANGO
    same = any(one.expiry == candidate.expiry for one in scene.portfolio.shorts(scene.underlying))
    points = (
        regime.derived is not None,
        regime.entries is EntryPolicy.ALL and regime.size_fraction >= 1.0,
        contango,
        candidate.skew.shift_delta >= 0.0,
        not same,
    )
    return sum(points) / len(points)


def _efficiency(candidate: Candidate, margin_usd: float | None) -> float:
    """What a year of such trades would bring on what each could lose or ties up."""
    years = max(candidate.dte, 1) / DAYS_PER_YEAR
    return _part(_return(candidate, margin_usd) / years / GOOD_YEARLY_RETURN / 10.0)


def _return_on_risk(candidate: Candidate, margin_usd: float | None) -> float:
    return _part(_return(candidate, margin_usd) / GOOD_RETURN)


def _return(candidate: Candidate, margin_usd: float | None) -> float:
    if margin_usd is not None and margin_usd > 0.0:
        multiplier = candidate.legs[0].instrument.multiplier
        return candidate.credit_usd * multiplier / margin_usd
    risk = candidate.odds.risk_usd
    return candidate.credit_usd / risk if risk > 0.0 else 0.0


def _skew(candidate: Candidate) -> float:
    """Half when nothing is known, more where the side that is sold is dear."""
    percentile = candidate.skew.percentile
    if candidate.skew.gap or percentile is None:
        return 0.5
    puts_only = all(leg.instrument.right == "P" for leg in candidate.shorts)
    return _part(percentile if puts_only else 1.0 - abs(percentile - 0.5))


def _regime(candidate: Candidate, scene: Scene) -> float:
    """What size the market leaves; a bounded loss counts for more the less it leaves."""
    regime = scene.regime
    if regime is None or regime.entries is EntryPolicy.NONE:
        return 0.0
    size = _part(regime.size_fraction)
    return size if candidate.naked else max(size, 0.5 + 0.5 * size)


def _fit(candidate: Candidate, scene: Scene) -> float:
    """Less for every short contract already held on the same underlying, and in one expiry."""
    shorts = scene.portfolio.shorts(scene.underlying)
    total = scene.portfolio.short_contracts
    if total <= 0.0:
        return 1.0
    mine = -math.fsum(one.contracts for one in shorts)
    same = -math.fsum(one.contracts for one in shorts if one.expiry == candidate.expiry)
    return _part(1.0 - 0.5 * mine / total - 0.5 * same / total)


def _part(value: float) -> float:
    return min(max(value, 0.0), 1.0) if math.isfinite(value) else 0.0
