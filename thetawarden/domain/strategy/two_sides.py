"""Builds what sells puts and calls of one expiry at once, with or without wings."""

from __future__ import annotations

from thetawarden.domain.market.contracts import UnderlyingKind
from thetawarden.domain.strategy.building import build, leg_of
from thetawarden.domain.strategy.candidate import Candidate, Nothing
from thetawarden.domain.strategy.criteria import (
    judge_delta,
    judge_liquidity,
    judge_long,
    judge_premium,
)
from thetawarden.domain.strategy.puts import finished, nothing
from thetawarden.domain.strategy.scene import Scene
from thetawarden.domain.strategy.selling import find_short
from thetawarden.domain.strategy.settings import StrategySettings, Terms
from thetawarden.domain.strategy.stock_puts import company_reasons
from thetawarden.domain.strategy.strikes import pick_long

RULE = "S6"


def both_sides(
    scene: Scene,
    series: int,
    *,
    strategy: str,
    winged: bool,
    terms: Terms,
    settings: StrategySettings,
) -> Candidate | Nothing:
    """Return the strangle, or with wings the condor, of one expiry with every reason."""
    sides = [
        find_short(scene, series, is_call=is_call, terms=terms, settings=settings)
        for is_call in (False, True)
    ]
    shorts = []
    for side in sides:
        if side.row is None:
            return nothing(scene, series, strategy, side.why)
        shorts.append(side.row)
    longs = []
    for row in shorts if winged else ():
        found = pick_long(scene, row, terms)
        if found is None:
            return nothing(scene, series, strategy, "no usable option to buy at the width wanted")
        longs.append(found)
    sold = [leg_of(scene, row, -1) for row in shorts]
    bought = [leg_of(scene, row, 1) for row in longs]
    credit = sum(leg.mid_usd for leg in sold) - sum(leg.mid_usd for leg in bought)
    reasons = (
        *(judge_delta(RULE, leg, side.band) for leg, side in zip(sold, sides, strict=True)),
        *(judge_liquidity(leg, settings.liquidity) for leg in sold),
        *(judge_long(leg, settings.liquidity) for leg in bought),
        judge_premium(RULE, credit, terms, scene.spot_usd),
    )
    candidate = build(
        scene,
        strategy=strategy,
        shorts=tuple(shorts),
        longs=tuple(longs),
        skew=sides[0].skew,
        reasons=reasons,
    )
    more = company_reasons if scene.kind is UnderlyingKind.STOCK else None
    return finished(candidate, scene, rule=RULE, terms=terms, settings=settings, more=more)
