"""Makes a candidate of the legs a strategy sells, with wings or without, and every reason."""

from __future__ import annotations

import msgspec

from thetawarden.domain.market.contracts import UnderlyingKind
from thetawarden.domain.strategy.building import build, leg_of
from thetawarden.domain.strategy.candidate import Candidate, Nothing, Reason
from thetawarden.domain.strategy.company import company_reasons
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
from thetawarden.domain.strategy.selling import Short, find_short
from thetawarden.domain.strategy.settings import StrategySettings, Terms
from thetawarden.domain.strategy.strikes import pick_long


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy's unit looks like: puts or both sides, with wings or without; its rule."""

    strategy: str
    rule: str
    calls: bool = False
    wings: bool = False

    @property
    def sides(self) -> tuple[bool, ...]:
        """Whether each short leg is a call."""
        return (False, True) if self.calls else (False,)


def every_expiry(
    scene: Scene, shape: Shape, *, terms: Terms, settings: StrategySettings
) -> tuple[Candidate | Nothing, ...]:
    """Return what there is on each expiry the terms allow; without one, that."""
    places = scene.series_within(terms.dte_min, terms.dte_max)
    if not places:
        words = f"no expiry of {terms.dte_min} to {terms.dte_max} days is watched"
        return (
            Nothing(underlying=scene.underlying, strategy=shape.strategy, expiry=None, why=words),
        )

    def shorts(place: int) -> tuple[Short, ...]:
        return tuple(
            find_short(scene, place, is_call=is_call, terms=terms, settings=settings)
            for is_call in shape.sides
        )

    return tuple(
        assemble(scene, place, shape=shape, shorts=shorts(place), terms=terms, settings=settings)
        for place in places
    )


def assemble(
    scene: Scene,
    series: int,
    *,
    shape: Shape,
    shorts: tuple[Short, ...],
    terms: Terms,
    settings: StrategySettings,
) -> Candidate | Nothing:
    """Return the unit that sells these legs of one expiry, with every reason and its scores."""
    rows = []
    for short in shorts:
        if short.row is None:
            return _nothing(scene, series, shape, short.why)
        rows.append(short.row)
    wings = []
    for row in rows if shape.wings else ():
        wing = pick_long(scene, row, terms)
        if wing is None:
            return _nothing(scene, series, shape, "nothing usable to buy at the width wanted")
        wings.append(wing)
    sold, bought = [leg_of(scene, one, -1) for one in rows], [leg_of(scene, o, 1) for o in wings]
    credit = sum(leg.mid_usd for leg in sold) - sum(leg.mid_usd for leg in bought)
    reasons = (
        *(judge_delta(shape.rule, leg, one.band) for leg, one in zip(sold, shorts, strict=True)),
        *(judge_liquidity(leg, settings.liquidity) for leg in sold),
        *(judge_long(leg, settings.liquidity) for leg in bought),
        judge_premium(shape.rule, credit, terms, scene.spot_usd),
    )
    found = build(
        scene,
        strategy=shape.strategy,
        shorts=tuple(rows),
        longs=tuple(wings),
        skew=shorts[0].skew,
        reasons=reasons,
    )
    complete = msgspec.structs.replace(
        found, reasons=(*reasons, *_more(found, scene, shape.rule, terms))
    )
    return scored(complete, scene, weights=settings.weights, selector=settings.selector)


def _more(found: Candidate, scene: Scene, rule: str, terms: Terms) -> tuple[Reason, ...]:
    """What is asked of every candidate, and of a company's besides."""
    company = scene.kind is UnderlyingKind.STOCK
    return (
        _loss(found),
        judge_distance(rule, found.otm_fraction, terms),
        judge_skew(found.skew),
        judge_regime(scene, naked=found.naked),
        judge_time(rule, scene, terms.latest_entry),
        judge_held(scene, found),
        *(company_reasons(scene, found) if company else ()),
    )


def _loss(found: Candidate) -> Reason:
    """What it can lose; a spread that pays its whole width or more is no quote to believe."""
    if found.loss_usd_max is None:
        return passes("S5", "loss", "its loss has no bound of its own")
    words = f"loses at most {found.loss_usd_max:.2f} a share of {found.width_usd:.2f} wide"
    if not found.loss_usd_max > 0.0:
        return refuses("S5", "loss", f"{words}: too good to be true", used=found.loss_usd_max)
    return passes("S5", "loss", words, used=found.loss_usd_max, limit=found.width_usd)


def _nothing(scene: Scene, series: int, shape: Shape, why: str) -> Nothing:
    expiry = scene.view.series[series].expiry
    return Nothing(underlying=scene.underlying, strategy=shape.strategy, expiry=expiry, why=why)
