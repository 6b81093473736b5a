"""Decides whether an order's conditions hold: price, time, margin, execution, volume, change.

Fields come as the client wrote them, in the protocol's order, the conjunction first. Conditions are
read from left to right; a field that cannot be read makes its condition false. Once they have held
the order works, whatever happens next.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from thetawarden.practice.exchange.instants import parse_instant

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.exchange.state import LiveOrder
    from thetawarden.practice.model import Condition

_OR = "o"


def conditions_hold(floor: Floor, order: LiveOrder) -> bool:
    """Whether the order may work; remembers a yes."""
    conditions = order.request.conditions
    if order.conditions_met or not conditions:
        return True
    held = _holds(floor, conditions[0])
    for before, one in itertools.pairwise(conditions):
        either = before.fields[:1] == (_OR,)
        held = (held or _holds(floor, one)) if either else (held and _holds(floor, one))
    order.conditions_met = held
    return held


def _holds(floor: Floor, condition: Condition) -> bool:
    fields = condition.fields
    try:
        match condition.kind:
            case 1:
                return _beyond(fields[1], _last(floor, int(fields[3])), float(fields[2]))
            case 3:
                instant = parse_instant(fields[2])
                return instant is not None and _beyond(fields[1], floor.now_ns, instant)
            case 5:
                return _executed(floor, fields[3])
            case 6:
                quote = floor.market.quote(int(fields[3]))
                volume = quote.volume if quote else None
                return _beyond(fields[1], volume, float(fields[2]))
            case 7:
                return _beyond(fields[1], _change(floor, int(fields[3])), float(fields[2]))
            case _:
                return True
    except (ValueError, IndexError):
        return False


def _beyond(is_more: str, value: float | None, level: float) -> bool:
    if value is None:
        return False
    return value >= level if is_more in {"1", "true", "True"} else value <= level


def _last(floor: Floor, con_id: int) -> float | None:
    quote = floor.market.quote(con_id)
    return None if quote is None else quote.last


def _change(floor: Floor, con_id: int) -> float | None:
    quote = floor.market.quote(con_id)
    if quote is None or quote.last is None or not quote.close:
        return None
    return (quote.last / quote.close - 1.0) * 100.0


def _executed(floor: Floor, symbol: str) -> bool:
    return any(one.execution.contract.symbol == symbol for one in floor.state.executions)
