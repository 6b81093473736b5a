"""Groups of order fields that openOrder and completedOrder have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.model import OrderType, SecType
from thetawarden.practice.wire.encode.contract import legs_description, legs_fields
from thetawarden.practice.wire.text import UNSET_DOUBLE, UNSET_INT, ascii_text, double

if TYPE_CHECKING:
    from thetawarden.practice.model import OrderRequest, OrderView, Passthrough

UNSET_INT_TEXT = str(UNSET_INT)
NO_TYPE = "None"
_PEG_BENCH = frozenset({"PEG BENCH", "PEGBENCH"})


def flag(value: bool) -> str:  # noqa: FBT001 - the value itself is what is written
    """`1` or `0`."""
    return "1" if value else "0"


def price(value: float | None) -> str:
    """A price, or 0.0 where an order has none, as genuine gateways echo it."""
    return "0.0" if value is None else double(value)


def unset_int(value: str) -> str:
    """A whole number kept as text; empty becomes the unset one."""
    return value or UNSET_INT_TEXT


def combo(view: OrderView) -> list[str]:
    """The description of the legs, the legs, their prices and routing parameters."""
    request = view.request
    legs = view.contract.legs
    fields = [legs_description(legs), *legs_fields(legs)]
    fields += [str(len(request.combo_prices)), *map(double, request.combo_prices)]
    fields += [str(len(request.smart_routing))]
    fields += [ascii_text(part) for pair in request.smart_routing for part in pair]
    return fields


def scale(rest: Passthrough) -> list[str]:
    """Scale sizes and increment, and the seven fields that follow a real increment."""
    increment = rest.scale_price_increment or UNSET_DOUBLE
    return [
        unset_int(rest.scale_init_level_size),
        unset_int(rest.scale_subs_level_size),
        increment,
        *rest.scale_rest,
    ]


def hedge(rest: Passthrough) -> list[str]:
    """The hedge type, with its parameter when there is one."""
    if not rest.hedge_type:
        return [""]
    return [ascii_text(rest.hedge_type), ascii_text(rest.hedge_param)]


def delta_neutral(rest: Passthrough) -> list[str]:
    """The delta-neutral contract, usually absent."""
    if rest.delta_neutral_contract is None:
        return ["0"]
    return ["1", *map(ascii_text, rest.delta_neutral_contract)]


def algo(request: OrderRequest) -> list[str]:
    """The algorithm and its parameters."""
    if not request.algo_strategy:
        return [""]
    fields = [ascii_text(request.algo_strategy), str(len(request.algo_params))]
    fields += [ascii_text(part) for pair in request.algo_params for part in pair]
    return fields


def pegs_and_conditions(request: OrderRequest) -> list[str]:
    """Fields of a pegged benchmark, then all conditions."""
    rest = request.passthrough
    fields: list[str] = []
    if request.order_type in _PEG_BENCH:
        fields += [ascii_text(text) for text in rest.pegged_benchmark]
    fields.append(str(len(request.conditions)))
    for condition in request.conditions:
        fields += [str(condition.kind), *map(ascii_text, condition.fields)]
    if request.conditions:
        fields += [
            flag(rest.conditions_ignore_rth == "1"),
            flag(rest.conditions_cancel_order == "1"),
        ]
    return fields


def peg_best(rest: Passthrough) -> list[str]:
    """The five fields of version 170."""
    return [
        unset_int(rest.min_trade_qty),
        unset_int(rest.min_compete_size),
        rest.compete_against_best_offset or UNSET_DOUBLE,
        rest.mid_offset_at_whole or UNSET_DOUBLE,
        rest.mid_offset_at_half or UNSET_DOUBLE,
    ]


def trail_stop(request: OrderRequest) -> str:
    """What gateways write as trail stop price: the stop, or one above a limit."""
    if request.trail_stop_price is not None:
        return double(request.trail_stop_price)
    if request.order_type in (OrderType.STOP, OrderType.STOP_LIMIT):
        return price(request.aux_price)
    if request.limit_price is not None:
        return double(request.limit_price + 1)
    return UNSET_DOUBLE


def right_text(view: OrderView) -> str:
    """What stands for the right of something that is no option."""
    return "0" if view.contract.sec_type is SecType.COMBO else "?"


def is_plain_limit(request: OrderRequest) -> bool:
    """Whether price management applies by default."""
    return request.order_type == OrderType.LIMIT and not request.contract.legs
