"""What a contract is: details, chains, ladders, symbols."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.wire import times
from thetawarden.practice.wire.encode.contract import multiplier_text, strike_text
from thetawarden.practice.wire.outgoing import Outgoing
from thetawarden.practice.wire.text import double, message, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from thetawarden.practice.model import Chain, ContractDetails, PriceBand


def contract_details(req_id: int, details: ContractDetails) -> bytes:
    """Everything about one contract, as versions 164 and later lay it out."""
    c = details.contract
    last_times = times.day(c.expiry)
    if last_times and details.last_trade_time:
        last_times = f"{last_times} {details.last_trade_time} {details.time_zone_id}"
    identities = [part for pair in details.sec_ids for part in pair]
    return message(
        Outgoing.CONTRACT_DETAILS,
        req_id,
        c.symbol,
        c.sec_type,
        last_times,
        strike_text(c),
        c.right,
        c.exchange,
        c.currency,
        c.local_symbol,
        details.market_name,
        c.trading_class,
        c.con_id,
        double(details.min_tick),
        multiplier_text(c),
        ",".join(details.order_types),
        ",".join(details.valid_exchanges),
        details.price_magnifier,
        details.under_con_id,
        details.long_name,
        c.primary_exchange,
        details.contract_month,
        details.industry,
        details.category,
        details.subcategory,
        details.time_zone_id,
        details.trading_hours,
        details.liquid_hours,
        "",
        0,
        len(details.sec_ids),
        *identities,
        details.agg_group,
        details.under_symbol,
        details.under_sec_type,
        ",".join(map(str, details.market_rule_ids)),
        times.day(details.real_expiry),
        details.stock_type,
        size(details.min_size),
        size(details.size_increment),
        size(details.suggested_size_increment),
    )


def contract_details_end(req_id: int) -> bytes:
    """All matches have been sent."""
    return message(Outgoing.CONTRACT_DETAILS_END, 1, req_id)


def option_parameters(req_id: int, chain: Chain) -> bytes:
    """One exchange and class: unions of expiries and strikes."""
    return message(
        Outgoing.OPTION_PARAMETERS,
        req_id,
        chain.exchange,
        chain.under_con_id,
        chain.trading_class,
        chain.multiplier,
        len(chain.expiries),
        *map(times.day, chain.expiries),
        len(chain.strikes),
        *map(double, chain.strikes),
    )


def option_parameters_end(req_id: int) -> bytes:
    """All rows have been sent."""
    return message(Outgoing.OPTION_PARAMETERS_END, req_id)


def symbol_samples(req_id: int, samples: Sequence[tuple[ContractDetails, Sequence[str]]]) -> bytes:
    """Contracts whose symbol or name looks like the pattern, with their derivatives."""
    values: list[str | int] = [req_id, len(samples)]
    for details, derivatives in samples:
        c = details.contract
        values += [c.con_id, c.symbol, c.sec_type.value, c.primary_exchange, c.currency]
        values += [len(derivatives), *derivatives, details.long_name, ""]
    return message(Outgoing.SYMBOL_SAMPLES, *values)


def market_rule(rule_id: int, bands: Sequence[PriceBand]) -> bytes:
    """A price ladder."""
    values = [part for band in bands for part in (double(band.low_edge), double(band.increment))]
    return message(Outgoing.MARKET_RULE, rule_id, len(bands), *values)


def depth_exchanges(rows: Sequence[tuple[str, str, str, str, int]]) -> bytes:
    """Exchanges with books: exchange, security type, listing exchange, service, group."""
    values = [part for row in rows for part in row]
    return message(Outgoing.DEPTH_EXCHANGES, len(rows), *values)


def smart_components(req_id: int, rows: Sequence[tuple[int, str, str]]) -> bytes:
    """What each bit of an exchange map means: bit, exchange, letter."""
    values = [part for row in rows for part in row]
    return message(Outgoing.SMART_COMPONENTS, req_id, len(rows), *values)
