"""Which kind of value each echoed order field holds, so that garbage is refused on arrival.

An echo reaches other clients too (all open orders, a master client): what one client wrote must
never break another's decoder. Kinds are one letter each: `t` text, `i` whole number or flag,
`f` number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from thetawarden.practice.wire.reader import FieldReader

CONDITION_KINDS = {1: "tifiti", 3: "tit", 4: "tii", 5: "tttt", 6: "tiiit", 7: "tifit"}
"""Fields after each type of condition: price, time, margin, execution, volume, percent change."""

PEG_BENCH_KINDS = "iffft"
SCALE_REST_KINDS = "fifiiii"
DELTA_NEUTRAL_KINDS = "iff"

TEXTS = frozenset(
    [
        "open_close",
        "fa_group",
        "fa_method",
        "fa_percentage",
        "model_code",
        "designated_location",
        "rule_80a",
        "settling_firm",
        "delta_neutral_order_type",
        "delta_neutral_settling_firm",
        "delta_neutral_clearing_account",
        "delta_neutral_clearing_intent",
        "delta_neutral_open_close",
        "delta_neutral_designated_location",
        "scale_table",
        "active_start_time",
        "active_stop_time",
        "hedge_type",
        "hedge_param",
        "clearing_account",
        "clearing_intent",
        "algo_id",
        "misc_options",
        "adjusted_order_type",
        "ext_operator",
        "soft_dollar_name",
        "soft_dollar_value",
        "mifid2_decision_maker",
        "mifid2_decision_algo",
        "mifid2_execution_trader",
        "mifid2_execution_algo",
        "advanced_error_override",
        "manual_order_time",
        "compete_against_best_offset",
    ]
)
NUMBERS = frozenset(
    [
        "discretionary_amt",
        "percent_offset",
        "nbbo_price_cap",
        "starting_price",
        "stock_ref_price",
        "delta",
        "stock_range_lower",
        "stock_range_upper",
        "volatility",
        "delta_neutral_aux_price",
        "trigger_price",
        "limit_price_offset",
        "adjusted_stop_price",
        "adjusted_stop_limit_price",
        "adjusted_trailing_amount",
        "mid_offset_at_whole",
        "mid_offset_at_half",
    ]
)


def read_named(reader: FieldReader, name: str) -> str:
    """Read one echoed field; "unset" in any form becomes empty. Raises MalformedError."""
    if name in TEXTS:
        return reader.text()
    return read_kind(reader, "f" if name in NUMBERS else "i")


def read_kinds(reader: FieldReader, kinds: str) -> tuple[str, ...]:
    """Read as many fields as there are kinds."""
    return tuple(read_kind(reader, kind) for kind in kinds)


def read_kind(reader: FieldReader, kind: str) -> str:
    """Read one field of a kind, as the text to echo."""
    if kind == "t":
        return reader.text()
    if kind == "f":
        number = reader.optional_float()
        return "" if number is None else repr(number)
    if reader.peek(0) in ("true", "false"):
        return "1" if reader.flag() else "0"
    whole = reader.optional_int()
    return "" if whole is None else str(whole)
