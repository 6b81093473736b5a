"""Says whose turn it is when less risk is demanded: the naked at once, of the others the weakest.

Weakest is who has lost most of its premium. Of what is only to be made smaller as many go at once
as the demand says are enough together, else one; nothing more before they are over, so that the
next look can see whether it was enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from thetawarden.domain.managing.ordering import closing_legs
from thetawarden.domain.managing.sight import TradeSight
from thetawarden.domain.risk.demands import Demand, DemandKind
from thetawarden.domain.risk.exposure import is_defined_risk
from thetawarden.domain.risk.intake import instrument_of
from thetawarden.domain.trades.trade import HEDGE, TradeStage


def demanded_of(
    demands: Sequence[Demand],
    sights: Sequence[TradeSight],
    *,
    closing: bool,
    now_ns: int,
    view_age_ns_max: int,
) -> dict[str, str]:
    """Return why each trade is to be closed now, by its name; `closing` is whether one is already.

    Trades by hand are nobody's to close, hedges are kept, and what cannot be closed now, unseen or
    bid for by nobody, gives its turn to the next.
    """
    ours = [one for one in sights if _can_go(one) and 0 <= now_ns - one.at_ns <= view_age_ns_max]
    found: dict[str, str] = {}
    for demand in demands:
        if demand.kind is DemandKind.CLOSE_NAKED:
            found |= {one.trade.name: demand.why for one in ours if is_naked(one)}
        elif demand.kind in {DemandKind.REDUCE, DemandKind.CLOSE_WEAKEST} and not (
            closing or found
        ):
            found |= {one.trade.name: demand.why for one in _next(demand, ours)}
    return found


def part_of(demands: Sequence[Demand], sight: TradeSight) -> float:
    """Return which part of a trade whose turn has come is to go: all, where less is not enough."""
    for demand in demands:
        if demand.kind is DemandKind.CLOSE_NAKED and is_naked(sight):
            return 1.0
        if demand.kind is DemandKind.CLOSE_WEAKEST:
            return 1.0
        if demand.kind is DemandKind.REDUCE:
            parts = dict(zip(demand.positions, demand.parts, strict=False))
            parts |= zip(demand.positions, demand.together, strict=False)
            return parts.get(sight.trade.name, 1.0)
    return 1.0


def _can_go(sight: TradeSight) -> bool:
    ours = not sight.trade.manual and sight.trade.strategy != HEDGE
    return ours and not sight.doubts and sight.units > 0 and bool(closing_legs(sight))


def is_naked(sight: TradeSight) -> bool:
    """Whether a trade sells something that nothing in it bounds."""
    lots = [
        (plain, float(one.ratio * sight.units))
        for one in sight.legs
        if (plain := instrument_of(one.instrument)) is not None
    ]
    return not is_defined_risk(lots)


def by_weakness(sights: Sequence[TradeSight]) -> list[TradeSight]:
    """Return trades, the weakest first; those nobody can value come last."""
    return sorted(sights, key=_strength)


def _strength(sight: TradeSight) -> tuple[float, str]:
    earned = sight.profit_fraction
    return (math.inf if math.isnan(earned) else earned, sight.trade.name)


def _next(demand: Demand, sights: list[TradeSight]) -> list[TradeSight]:
    """The demand's own order where it names positions, else the weakest that sells premium."""
    by_name = {one.trade.name: one for one in sights}
    named = [by_name[name] for name in demand.positions if name in by_name]
    if named:
        enough = frozenset(demand.positions[: len(demand.together)])
        return [one for one in named if one.trade.name in enough] or named[:1]
    selling = [one for one in sights if one.shorts and one.trade.stage is TradeStage.OPTIONS]
    return by_weakness(selling)[:1]
