"""Builds short puts and put spreads of every expiry; strategies say by which rule and terms."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from thetawarden.domain.strategy.building import build, leg_of
from thetawarden.domain.strategy.candidate import Candidate, Nothing, Reason
from thetawarden.domain.strategy.criteria import (
    judge_delta,
    judge_distance,
    judge_held,
    judge_liquidity,
    judge_long,
    judge_premium,
    judge_regime,
    judge_skew,
    judge_time,
    passes,
    refuses,
)
from thetawarden.domain.strategy.scene import Scene
from thetawarden.domain.strategy.scoring import scored
from thetawarden.domain.strategy.selling import find_short
from thetawarden.domain.strategy.settings import StrategySettings, Terms
from thetawarden.domain.strategy.strikes import pick_long

More = Callable[[Scene, Candidate], tuple[Reason, ...]]


def every_expiry(
    scene: Scene,
    terms: Terms,
    *,
    strategy: str,
    look: Callable[[int], Candidate | Nothing],
) -> tuple[Candidate | Nothing, ...]:
    """Return what is found in each expiry the terms allow; without one, that."""
    places = scene.series_within(terms.dte_min, terms.dte_max)
    if not places:
        words = f"no expiry of {terms.dte_min} to {terms.dte_max} days is watched"
        nothing = Nothing(underlying=scene.underlying, strategy=strategy, expiry=None, why=words)
        return (nothing,)
    return tuple(look(place) for place in places)


def short_put(
    scene: Scene,
    series: int,
    *,
    strategy: str,
    rule: str,
    terms: Terms,
    settings: StrategySettings,
    more: More | None = None,
) -> Candidate | Nothing:
    """Return the naked put of one expiry with every reason."""
    short = find_short(scene, series, is_call=False, terms=terms, settings=settings)
    if short.row is None:
        return nothing(scene, series, strategy, short.why)
    leg = leg_of(scene, short.row, -1)
    reasons = (
        judge_delta(rule, leg, short.band),
        judge_liquidity(leg, settings.liquidity),
        judge_premium(rule, leg.mid_usd, terms, scene.spot_usd),
    )
    found = build(scene, strategy=strategy, shorts=(short.row,), skew=short.skew, reasons=reasons)
    return finished(found, scene, rule=rule, terms=terms, settings=settings, more=more)


def put_spread(
    scene: Scene,
    series: int,
    *,
    strategy: str,
    rule: str,
    terms: Terms,
    settings: StrategySettings,
    more: More | None = None,
) -> Candidate | Nothing:
    """Return the put spread of one expiry with every reason."""
    short = find_short(scene, series, is_call=False, terms=terms, settings=settings)
    if short.row is None:
        return nothing(scene, series, strategy, short.why)
    long_row = pick_long(scene, short.row, terms)
    if long_row is None:
        return nothing(scene, series, strategy, "no usable put to buy at the width wanted")
    legs = leg_of(scene, short.row, -1), leg_of(scene, long_row, 1)
    credit = legs[0].mid_usd - legs[1].mid_usd
    reasons = (
        judge_delta(rule, legs[0], short.band),
        judge_liquidity(legs[0], settings.liquidity),
        judge_long(legs[1], settings.liquidity),
        judge_premium(rule, credit, terms, scene.spot_usd),
    )
    found = build(
        scene,
        strategy=strategy,
        shorts=(short.row,),
        longs=(long_row,),
        skew=short.skew,
        reasons=reasons,
    )
    return finished(found, scene, rule=rule, terms=terms, settings=settings, more=more)


def finished(
    found: Candidate,
    scene: Scene,
    *,
    rule: str,
    terms: Terms,
    settings: StrategySettings,
    more: More | None = None,
) -> Candidate:
    """Add what is asked of every candidate, and its scores."""
    reasons = (
        *found.reasons,
        _loss(found),
        judge_distance(rule, found.otm_fraction, terms),
        judge_skew(found.skew),
        judge_regime(scene, naked=found.naked),
        judge_time(rule, scene, terms.latest_entry),
        judge_held(scene, found),
        *(() if more is None else more(scene, found)),
    )
    complete = msgspec.structs.replace(found, reasons=reasons)
    return scored(complete, scene, weights=settings.weights, selector=settings.selector)


def nothing(scene: Scene, series: int, strategy: str, why: str) -> Nothing:
    """Return that one expiry has nothing to judge."""
    expiry = scene.view.series[series].expiry
    return Nothing(underlying=scene.underlying, strategy=strategy, expiry=expiry, why=why)


def _loss(found: Candidate) -> Reason:
    """What it can lose; a spread that pays its whole width or more is no quote to believe."""
    if found.loss_usd_max is None:
        return passes("S5", "loss", "its loss has no bound of its own")
    words = f"loses at most {found.loss_usd_max:.2f} a share of {found.width_usd:.2f} wide"
    if found.loss_usd_max <= 0.0:
        return refuses("S5", "loss", f"{words}: too good to be true", used=found.loss_usd_max)
    return passes("S5", "loss", words, used=found.loss_usd_max, limit=found.width_usd)
