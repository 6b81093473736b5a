"""Open orders and their status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.model import OrderStatus
from thetawarden.practice.wire.encode import order_parts as parts
from thetawarden.practice.wire.encode.contract import contract_fields
from thetawarden.practice.wire.outgoing import Outgoing
from thetawarden.practice.wire.text import UNSET_DOUBLE, ascii_text, double, lines, message

if TYPE_CHECKING:
    from decimal import Decimal

    from thetawarden.practice.model import OrderView, WhatIf

_FA_PROFILE_GONE = 177


def order_status(view: OrderView) -> bytes:
    """Where an order stands."""
    request = view.request
    return message(
        Outgoing.ORDER_STATUS,
        request.key.order_id,
        view.status,
        view.filled,
        view.remaining,
        double(view.average_price),
        view.perm_id,
        request.parent_id,
        double(view.last_fill_price),
        request.key.client_id,
        view.why_held,
        double(view.market_cap_price),
    )


def open_order(view: OrderView, *, version: int, what_if: WhatIf | None = None) -> bytes:
    """An order with its state; with `what_if` the margins it would cause."""
    return lines(
        [
            str(Outgoing.OPEN_ORDER.value),
            str(view.request.key.order_id),
            *contract_fields(view.contract, no_right=parts.right_text(view)),
            *_ticket(view, version),
            *_attributes(view),
            *_neutral(view),
            *_trail(view),
            *parts.combo(view),
            *parts.scale(view.request.passthrough),
            *parts.hedge(view.request.passthrough),
            *_clearing(view),
            *parts.delta_neutral(view.request.passthrough),
            *parts.algo(view.request),
            *_state(view, what_if),
            *parts.pegs_and_conditions(view.request),
            *_adjusted(view),
            *parts.peg_best(view.request.passthrough),
        ]
    )


def open_order_end() -> bytes:
    """All open orders have been sent."""
    return message(Outgoing.OPEN_ORDER_END, 1)


def _ticket(view: OrderView, version: int) -> list[str]:
    request, rest = view.request, view.request.passthrough
    fields = [
        request.action.value,
        str(request.quantity),
        ascii_text(request.order_type),
        parts.price(request.limit_price),
        parts.price(request.aux_price),
        ascii_text(request.tif or "DAY"),
        ascii_text(request.oca_group),
        ascii_text(request.account),
        ascii_text(rest.open_close),
        ascii_text(rest.origin),
        ascii_text(request.order_ref),
        str(request.key.client_id),
        str(view.perm_id),
        parts.flag(request.outside_rth),
        parts.flag(rest.hidden == "1"),
        rest.discretionary_amt or "0",
        ascii_text(request.good_after_time),
        f"{view.perm_id}.0/{ascii_text(request.account)}/{request.quantity}",
        ascii_text(rest.fa_group),
        ascii_text(rest.fa_method),
        ascii_text(rest.fa_percentage),
    ]
    if version < _FA_PROFILE_GONE:
        fields.append("")
    return fields


def _attributes(view: OrderView) -> list[str]:
    request, rest = view.request, view.request.passthrough
    return [
        ascii_text(rest.model_code),
        ascii_text(request.good_till_date),
        ascii_text(rest.rule_80a) or "0",
        rest.percent_offset or UNSET_DOUBLE,
        ascii_text(rest.settling_firm),
        rest.short_sale_slot or "0",
        ascii_text(rest.designated_location),
        rest.exempt_code or "-1",
        rest.auction_strategy or "0",
        rest.starting_price or UNSET_DOUBLE,
        rest.stock_ref_price or UNSET_DOUBLE,
        rest.delta or UNSET_DOUBLE,
        rest.stock_range_lower or UNSET_DOUBLE,
        rest.stock_range_upper or UNSET_DOUBLE,
        parts.unset_int(rest.display_size),
        parts.flag(rest.block_order == "1"),
        parts.flag(rest.sweep_to_fill == "1"),
        parts.flag(rest.all_or_none == "1"),
        parts.UNSET_INT_TEXT if request.min_quantity is None else str(request.min_quantity),
        str(request.oca_type or 3),
        "0",
        "0",
        rest.nbbo_price_cap or UNSET_DOUBLE,
        str(request.parent_id),
        str(request.trigger_method),
        rest.volatility or UNSET_DOUBLE,
        rest.volatility_type or "0",
        ascii_text(rest.delta_neutral_order_type) or parts.NO_TYPE,
        rest.delta_neutral_aux_price or UNSET_DOUBLE,
    ]


def _neutral(view: OrderView) -> list[str]:
    rest = view.request.passthrough
    return [
        rest.delta_neutral_con_id or "0",
        ascii_text(rest.delta_neutral_settling_firm),
        ascii_text(rest.delta_neutral_clearing_account),
        ascii_text(rest.delta_neutral_clearing_intent),
        ascii_text(rest.delta_neutral_open_close) or "?",
        rest.delta_neutral_short_sale or "0",
        rest.delta_neutral_short_sale_slot or "0",
        ascii_text(rest.delta_neutral_designated_location),
    ]


def _trail(view: OrderView) -> list[str]:
    request, rest = view.request, view.request.passthrough
    return [
        parts.flag(rest.continuous_update == "1"),
        rest.reference_price_type or "0",
        parts.trail_stop(request),
        double(request.trailing_percent),
        UNSET_DOUBLE,
        parts.UNSET_INT_TEXT,
    ]


def _clearing(view: OrderView) -> list[str]:
    rest = view.request.passthrough
    return [
        parts.flag(rest.opt_out_smart_routing == "1"),
        ascii_text(rest.clearing_account),
        ascii_text(rest.clearing_intent) or "IB",
        parts.flag(rest.not_held == "1"),
    ]


def _state(view: OrderView, what_if: WhatIf | None) -> list[str]:
    rest = view.request.passthrough
    status = view.status if what_if is None else OrderStatus.PRE_SUBMITTED
    return [
        parts.flag(rest.solicited == "1"),
        parts.flag(what_if is not None),
        status.value,
        *_margins(what_if),
        *_commission(view, what_if),
        parts.flag(rest.randomize_size == "1"),
        parts.flag(rest.randomize_price == "1"),
    ]


def _margins(what_if: WhatIf | None) -> list[str]:
    if what_if is None:
        return [UNSET_DOUBLE] * 9
    return [
        double(value)
        for value in (
            what_if.initial_before_usd,
            what_if.maintenance_before_usd,
            what_if.equity_before_usd,
            what_if.initial_change_usd,
            what_if.maintenance_change_usd,
            what_if.equity_change_usd,
            what_if.initial_after_usd,
            what_if.maintenance_after_usd,
            what_if.equity_after_usd,
        )
    ]


def _commission(view: OrderView, what_if: WhatIf | None) -> list[str]:
    if what_if is None:
        known = view.commission_usd is not None
        return [_money(view.commission_usd), "", "", "USD" if known else "", view.warning_text]
    return [
        _money(what_if.commission_usd),
        _money(what_if.minimum_commission_usd),
        _money(what_if.maximum_commission_usd),
        what_if.commission_currency,
        ascii_text(what_if.warning_text),
    ]


def _money(value: Decimal | None) -> str:
    return "" if value is None else double(value)


def _adjusted(view: OrderView) -> list[str]:
    request, rest = view.request, view.request.passthrough
    managed = rest.use_price_mgmt_algo or parts.flag(parts.is_plain_limit(request))
    return [
        ascii_text(rest.adjusted_order_type) or parts.NO_TYPE,
        rest.trigger_price or UNSET_DOUBLE,
        parts.trail_stop(request),
        rest.limit_price_offset or UNSET_DOUBLE,
        rest.adjusted_stop_price or UNSET_DOUBLE,
        rest.adjusted_stop_limit_price or UNSET_DOUBLE,
        rest.adjusted_trailing_amount or UNSET_DOUBLE,
        rest.adjustable_trailing_unit or "0",
        ascii_text(rest.soft_dollar_name),
        ascii_text(rest.soft_dollar_value),
        "",
        double(request.cash_quantity),
        "1",
        parts.flag(rest.is_oms_container == "1"),
        parts.flag(rest.discretionary_up_to_limit_price == "1"),
        parts.flag(managed == "1"),
        parts.unset_int(rest.duration),
        parts.unset_int(rest.post_to_ats),
        parts.flag(rest.auto_cancel_parent == "1"),
    ]
