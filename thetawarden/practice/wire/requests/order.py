"""Reads placeOrder, the one long message: about 110 fields whose presence depends on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from thetawarden.practice.model import (
    Action,
    Condition,
    ContractQuery,
    Leg,
    OrderKey,
    OrderRequest,
    Passthrough,
    SecType,
)
from thetawarden.practice.wire.reader import MalformedError
from thetawarden.practice.wire.requests.contracts import contract12, full_legs
from thetawarden.practice.wire.requests.order_fields import (
    CONDITION_KINDS,
    DELTA_NEUTRAL_KINDS,
    PEG_BENCH_KINDS,
    SCALE_REST_KINDS,
    read_kinds,
    read_named,
)

if TYPE_CHECKING:
    from typing import Any

    from thetawarden.practice.wire.reader import FieldReader

_FA_PROFILE_GONE = 177
_PEG_BENCH = frozenset({"PEG BENCH", "PEGBENCH"})
_PEG_BEST = frozenset({"PEG BEST", "PEGBEST"})
_PEG_MID = frozenset({"PEG MID", "PEGMID"})


class PlaceOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A new order, a changed one, or the question what it would do.

    `quantity` is as sent: a fraction is refused later with the right code, not rounded here.
    """

    order_id: int
    ticket: OrderRequest
    quantity: float
    action: str
    what_if: bool


def place_order(reader: FieldReader, *, client_id: int, version: int) -> PlaceOrder:
    """Read message 3 as `version` lays it out."""
    core: dict[str, Any] = {}
    echo: dict[str, Any] = {}
    order_id = reader.integer()
    contract = msgspec.structs.replace(
        contract12(reader), sec_id_type=reader.text(), sec_id=reader.text()
    )
    action = reader.text()
    quantity = reader.optional_float() or 0.0
    _main(reader, core, echo)
    if contract.sec_type == SecType.COMBO:
        contract = _combo(reader, core, contract)
    _allocation(reader, core, echo, version)
    _attributes(reader, core, echo)
    _scale_and_hedge(reader, core, echo)
    what_if = _algo(reader, core, echo)
    _pegs_and_conditions(reader, core, echo)
    _adjusted(reader, core, echo)
    _tail(reader, core, echo, contract)
    ticket = OrderRequest(
        key=OrderKey(client_id=client_id, order_id=order_id),
        contract=contract,
        action=Action.SELL if action in ("SELL", "SSHORT") else Action.BUY,
        quantity=int(quantity) if abs(quantity) < 1e15 else 0,
        passthrough=Passthrough(**echo),
        **core,
    )
    return PlaceOrder(
        order_id=order_id, ticket=ticket, quantity=quantity, action=action, what_if=what_if
    )


def _main(reader: FieldReader, core: dict[str, Any], echo: dict[str, Any]) -> None:
    core["order_type"] = reader.text()
    core["limit_price"] = reader.optional_float()
    core["aux_price"] = reader.optional_float()
    core["tif"], core["oca_group"], core["account"] = reader.texts(3)
    _into(echo, reader, "open_close origin")
    core["order_ref"] = reader.text()
    core["transmit"] = reader.flag()
    core["parent_id"] = reader.integer()
    _into(echo, reader, "block_order sweep_to_fill display_size")
    core["trigger_method"] = reader.integer()
    core["outside_rth"] = reader.flag()
    _into(echo, reader, "hidden")


def _combo(reader: FieldReader, core: dict[str, Any], contract: ContractQuery) -> ContractQuery:
    legs: tuple[Leg, ...] = full_legs(reader)
    core["combo_prices"] = tuple(reader.optional_float() for _ in range(reader.count()))
    core["smart_routing"] = reader.pairs()
    return msgspec.structs.replace(contract, legs=legs)


def _allocation(
    reader: FieldReader, core: dict[str, Any], echo: dict[str, Any], version: int
) -> None:
    reader.skip()
    _into(echo, reader, "discretionary_amt")
    core["good_after_time"], core["good_till_date"] = reader.texts(2)
    _into(echo, reader, "fa_group fa_method fa_percentage")
    if version < _FA_PROFILE_GONE:
        reader.skip()


def _attributes(reader: FieldReader, core: dict[str, Any], echo: dict[str, Any]) -> None:
    _into(echo, reader, "model_code short_sale_slot designated_location exempt_code")
    core["oca_type"] = reader.integer()
    _into(echo, reader, "rule_80a settling_firm all_or_none")
    core["min_quantity"] = reader.optional_int()
    _into(
        echo,
        reader,
        "percent_offset e_trade_only firm_quote_only nbbo_price_cap auction_strategy "
        "starting_price stock_ref_price delta stock_range_lower stock_range_upper "
        "override_percentage_constraints volatility volatility_type delta_neutral_order_type "
        "delta_neutral_aux_price",
    )
    if echo["delta_neutral_order_type"]:
        _into(
            echo,
            reader,
            "delta_neutral_con_id delta_neutral_settling_firm delta_neutral_clearing_account "
            "delta_neutral_clearing_intent delta_neutral_open_close delta_neutral_short_sale "
            "delta_neutral_short_sale_slot delta_neutral_designated_location",
        )


def _scale_and_hedge(reader: FieldReader, core: dict[str, Any], echo: dict[str, Any]) -> None:
    _into(echo, reader, "continuous_update reference_price_type")
    core["trail_stop_price"] = reader.optional_float()
    core["trailing_percent"] = reader.optional_float()
    _into(echo, reader, "scale_init_level_size scale_subs_level_size")
    increment = reader.optional_float()
    echo["scale_price_increment"] = "" if increment is None else repr(increment)
    if increment is not None and increment > 0:
        echo["scale_rest"] = read_kinds(reader, SCALE_REST_KINDS)
    _into(echo, reader, "scale_table active_start_time active_stop_time hedge_type")
    if echo["hedge_type"]:
        _into(echo, reader, "hedge_param")
    _into(echo, reader, "opt_out_smart_routing clearing_account clearing_intent not_held")
    if reader.flag():
        echo["delta_neutral_contract"] = read_kinds(reader, DELTA_NEUTRAL_KINDS)


def _algo(reader: FieldReader, core: dict[str, Any], echo: dict[str, Any]) -> bool:
    core["algo_strategy"] = reader.text()
    if core["algo_strategy"]:
        core["algo_params"] = reader.pairs()
    _into(echo, reader, "algo_id")
    what_if = reader.flag()
    _into(echo, reader, "misc_options solicited randomize_size randomize_price")
    return what_if


def _pegs_and_conditions(reader: FieldReader, core: dict[str, Any], echo: dict[str, Any]) -> None:
    if core["order_type"] in _PEG_BENCH:
        echo["pegged_benchmark"] = read_kinds(reader, PEG_BENCH_KINDS)
    count = reader.count()
    core["conditions"] = tuple(_condition(reader) for _ in range(count))
    if count:
        _into(echo, reader, "conditions_ignore_rth conditions_cancel_order")


def _condition(reader: FieldReader) -> Condition:
    kind = reader.integer()
    if kind not in CONDITION_KINDS:
        raise MalformedError(field=-1, found=str(kind), wanted="a type of condition")
    return Condition(kind=kind, fields=read_kinds(reader, CONDITION_KINDS[kind]))


def _adjusted(reader: FieldReader, core: dict[str, Any], echo: dict[str, Any]) -> None:
    _into(
        echo,
        reader,
        "adjusted_order_type trigger_price limit_price_offset adjusted_stop_price "
        "adjusted_stop_limit_price adjusted_trailing_amount adjustable_trailing_unit ext_operator "
        "soft_dollar_name soft_dollar_value",
    )
    core["cash_quantity"] = reader.optional_float()
    _into(
        echo,
        reader,
        "mifid2_decision_maker mifid2_decision_algo mifid2_execution_trader mifid2_execution_algo "
        "dont_use_auto_price_for_hedge is_oms_container discretionary_up_to_limit_price "
        "use_price_mgmt_algo duration post_to_ats auto_cancel_parent advanced_error_override "
        "manual_order_time",
    )


def _tail(
    reader: FieldReader, core: dict[str, Any], echo: dict[str, Any], contract: ContractQuery
) -> None:
    if contract.exchange == "IBKRATS":
        _into(echo, reader, "min_trade_qty")
    if core["order_type"] in _PEG_BEST:
        _into(echo, reader, "min_compete_size compete_against_best_offset")
        if echo["compete_against_best_offset"] == "Infinite":
            _into(echo, reader, "mid_offset_at_whole mid_offset_at_half")
    elif core["order_type"] in _PEG_MID:
        _into(echo, reader, "mid_offset_at_whole mid_offset_at_half")


def _into(echo: dict[str, Any], reader: FieldReader, names: str) -> None:
    for name in names.split():
        echo[name] = read_named(reader, name)
