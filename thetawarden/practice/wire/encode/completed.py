"""Completed orders: a shorter relative of openOrder, without order and client ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.wire import times
from thetawarden.practice.wire.encode import order_parts as parts
from thetawarden.practice.wire.encode.contract import contract_fields
from thetawarden.practice.wire.outgoing import Outgoing
from thetawarden.practice.wire.text import (
    UNSET_DOUBLE,
    UNSET_LONG,
    ascii_text,
    double,
    lines,
    message,
)

if TYPE_CHECKING:
    from thetawarden.practice.model import OrderView

_FA_PROFILE_GONE = 177


def completed_order(view: OrderView, *, version: int) -> bytes:
    """An order that ended, however it ended."""
    rest = view.request.passthrough
    return lines(
        [
            str(Outgoing.COMPLETED_ORDER.value),
            *contract_fields(view.contract, no_right=parts.right_text(view)),
            *_ticket(view, version),
            *_attributes(view),
            rest.delta_neutral_con_id or "0",
            rest.delta_neutral_short_sale or "0",
            rest.delta_neutral_short_sale_slot or "0",
            ascii_text(rest.delta_neutral_designated_location),
            parts.flag(rest.continuous_update == "1"),
            rest.reference_price_type or "0",
            parts.trail_stop(view.request),
            double(view.request.trailing_percent),
            *parts.combo(view),
            *parts.scale(rest),
            *parts.hedge(rest),
            ascii_text(rest.clearing_account),
            ascii_text(rest.clearing_intent) or "IB",
            parts.flag(rest.not_held == "1"),
            *parts.delta_neutral(rest),
            *parts.algo(view.request),
            parts.flag(rest.solicited == "1"),
            view.status.value,
            parts.flag(rest.randomize_size == "1"),
            parts.flag(rest.randomize_price == "1"),
            *parts.pegs_and_conditions(view.request),
            *_ending(view),
            *parts.peg_best(rest),
        ]
    )


def completed_orders_end() -> bytes:
    """All completed orders have been sent."""
    return message(Outgoing.COMPLETED_ORDERS_END)


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
        str(view.perm_id),
        parts.flag(request.outside_rth),
        parts.flag(rest.hidden == "1"),
        rest.discretionary_amt or "0",
        ascii_text(request.good_after_time),
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
        rest.starting_price or UNSET_DOUBLE,
        rest.stock_ref_price or UNSET_DOUBLE,
        rest.delta or UNSET_DOUBLE,
        rest.stock_range_lower or UNSET_DOUBLE,
        rest.stock_range_upper or UNSET_DOUBLE,
        parts.unset_int(rest.display_size),
        parts.flag(rest.sweep_to_fill == "1"),
        parts.flag(rest.all_or_none == "1"),
        parts.UNSET_INT_TEXT if request.min_quantity is None else str(request.min_quantity),
        str(request.oca_type or 3),
        str(request.trigger_method),
        rest.volatility or UNSET_DOUBLE,
        rest.volatility_type or "0",
        ascii_text(rest.delta_neutral_order_type) or parts.NO_TYPE,
        rest.delta_neutral_aux_price or UNSET_DOUBLE,
    ]


def _ending(view: OrderView) -> list[str]:
    request, rest = view.request, view.request.passthrough
    at_ns = view.completed_at_ns
    return [
        parts.trail_stop(request),
        rest.limit_price_offset or UNSET_DOUBLE,
        double(request.cash_quantity),
        "1",
        parts.flag(rest.is_oms_container == "1"),
        ascii_text(view.auto_cancel_date),
        str(view.filled),
        "0",
        parts.flag(rest.auto_cancel_parent == "1"),
        "",
        "0",
        "0",
        str(UNSET_LONG if view.parent_perm_id is None else view.parent_perm_id),
        "" if at_ns is None else times.stamp(at_ns),
        ascii_text(view.completed_status),
    ]
