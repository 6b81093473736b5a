"""Which messages become rows of which tables, and how: pure functions of the message alone.

What is written for the first time and what is written anew after a loss are therefore the same
rows. A message may become rows of several tables, or none. Unknown is null, never zero.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import repeat
from typing import Any

import msgspec

from thetawarden.domain.broker.account import AccountValues
from thetawarden.domain.broker.bars import BarsOf
from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.chains.doubts import doubt_of
from thetawarden.domain.chains.view import read_rows
from thetawarden.domain.instants import trading_day
from thetawarden.infra.lake.entries import entry_rows, prediction_rows
from thetawarden.infra.lake.frames import Row, instant_of
from thetawarden.infra.lake.stress import stress_rows
from thetawarden.infra.lake.trades import outcome_rows, snapshot_rows, trade_rows
from thetawarden.messages import (
    books,
    chains,
    context,
    market,
    operations,
    risk,
    steward,
    strategy,
)
from thetawarden.messages.base import Envelope, Message

Build = Callable[[Any, Envelope[Message]], list[Row]]


def project(
    envelope: Envelope[Message], *, log: str, turns_at: dt.time, views_per_kept: int = 1
) -> tuple[tuple[str, list[Row]], ...]:
    """The rows a message becomes, by table; of so many chain views one becomes rows."""
    body = envelope.body
    if type(body) is chains.ChainViewed and body.view.number % views_per_kept:
        return ()
    builders = PROJECTIONS.get(type(envelope.body), ())
    common = (_day(envelope.at_ns, turns_at), instant_of(envelope.at_ns), log, envelope.seq)
    return tuple(
        (table, [(*common, *row) for row in build(envelope.body, envelope)])
        for table, build in builders
    )


def _day(at_ns: int, turns_at: dt.time) -> dt.date:
    return _day_of_second(at_ns // 1_000_000_000, turns_at)


@lru_cache(maxsize=64)
def _day_of_second(second: int, turns_at: dt.time) -> dt.date:
    return trading_day(second * 1_000_000_000, turns_at)


def _chain(body: chains.ChainViewed, _: Envelope[Message]) -> list[Row]:
    view = body.view
    rows = read_rows(view)
    of = [view.series[at] for at in rows.series.tolist()]
    return [
        *zip(
            repeat(body.underlying),
            rows.conid.tolist(),
            (series.trading_class for series in of),
            (series.expiry for series in of),
            rows.strike_usd.tolist(),
            ("C" if call else "P" for call in rows.is_call.tolist()),
            rows.bid_usd.tolist(),
            rows.ask_usd.tolist(),
            rows.bid_size.tolist(),
            rows.ask_size.tolist(),
            rows.volume.tolist(),
            rows.open_interest.tolist(),
            map(instant_of, rows.at_ns.tolist()),
            (_doubt(code) for code in rows.doubt.tolist()),
            repeat(view.spot_usd),
            (series.forward_usd for series in of),
            rows.iv_annual.tolist(),
            rows.smile_iv_annual.tolist(),
            rows.delta_per_share.tolist(),
            rows.gamma_per_usd.tolist(),
            rows.vega_usd_per_vol_point.tolist(),
            rows.theta_usd_per_day.tolist(),
            rows.broker_iv_annual.tolist(),
            rows.broker_delta.tolist(),
            strict=False,
        )
    ]


def _doubt(code: int) -> str | None:
    doubt = doubt_of(code)
    return None if doubt is None else str(doubt)


def _leads(body: context.LeadsViewed, _: Envelope[Message]) -> list[Row]:
    return [
        (
            lead.future,
            lead.contract,
            lead.follower,
            instant_of(lead.at_ns),
            lead.changes.price,
            lead.follower_price,
            lead.changes.hour_fraction,
            lead.changes.four_hours_fraction,
            lead.changes.overnight_fraction,
            lead.changes.day_fraction,
            lead.strength.days,
            lead.strength.correlation,
            lead.strength.foreseen_fraction,
        )
        for lead in body.leads
    ]


def _bars(body: market.HistoryFetched, _: Envelope[Message]) -> list[Row]:
    of = body.instrument
    if body.what is not BarsOf.TRADES:
        return []
    return [
        (
            of.symbol,
            of.conid,
            str(of.kind),
            of.expiry,
            bar.day,
            bar.open_usd,
            bar.high_usd,
            bar.low_usd,
            bar.close_usd,
            bar.volume,
        )
        for bar in body.bars
    ]


def _regime(body: market.RegimeAssessed, _: Envelope[Message]) -> list[Row]:
    regime = body.regime
    band = regime.vix.band
    return [
        (
            None if regime.derived is None else str(regime.derived),
            str(regime.entries),
            regime.size_fraction,
            regime.delta_fraction,
            regime.close_naked,
            None if band is None else str(band),
            regime.vix.points,
            "; ".join(f"{fault.name}: {fault.fault}" for fault in regime.faults),
            _json(regime),
        )
    ]


def _series(body: market.SeriesQualified, _: Envelope[Message]) -> list[Row]:
    return [_contract(body.underlying, option, body.day) for option in body.options]


def _listing(body: market.ChainDiscovered, _: Envelope[Message]) -> list[Row]:
    return [_contract(body.underlying, body.instrument, None)]


def _found(body: market.InstrumentsFound, _: Envelope[Message]) -> list[Row]:
    return [_contract(each.symbol, each, None) for each in body.instruments]


def _contract(underlying: str, of: Instrument, asked: dt.date | None) -> Row:
    return (underlying, *_instrument(of), of.exchange, of.currency, of.local_symbol, asked)


def _valued(body: books.PositionsValued, _: Envelope[Message]) -> list[Row]:
    return [
        (
            row.instrument.symbol,
            "valued",
            row.account,
            *_instrument(row.instrument),
            row.quantity,
            None,
            row.average_cost_usd,
            row.mark_usd,
            row.value_usd,
            row.unrealised_usd,
            row.realised_usd,
            row.realised_today_usd,
            row.fees_usd,
            row.delta_shares,
            None,
            None,
            None,
        )
        for row in body.positions
    ]


def _explained(body: books.PositionExplained, _: Envelope[Message]) -> list[Row]:
    instrument = (body.conid, None, body.contract, None, None, None, None, None)
    symbol = body.contract.partition(" ")[0]
    unknown = (None,) * 8
    change = (body.after, body.before, *unknown, body.cause, body.cash_usd, body.words)
    return [(symbol, "explained", body.account, *instrument, *change)]


def _reported_values(body: books.AccountReported, _: Envelope[Message]) -> list[Row]:
    return [_account(body.values)]


def _account(of: AccountValues) -> Row:
    return (
        of.account,
        of.ready,
        of.cash_usd,
        of.net_liquidation_usd,
        of.equity_with_loan_usd,
        of.initial_margin_usd,
        of.maintenance_margin_usd,
        of.available_usd,
        of.excess_liquidity_usd,
        of.buying_power_usd,
        of.realised_usd,
        of.unrealised_usd,
        of.cushion_fraction,
    )


def _booked(body: books.FillBooked, _: Envelope[Message]) -> list[Row]:
    of = body.execution
    return [
        (
            of.instrument.symbol,
            body.fill,
            of.execution_id,
            of.account,
            *_instrument(of.instrument),
            body.quantity,
            of.price_usd,
            instant_of(of.at_ns),
            of.order_ref,
            of.perm_id,
            of.liquidation,
            str(body.cause),
            body.commission_usd,
            str(body.commission_kind),
            body.cash_usd,
            body.position_after,
            body.average_cost_usd,
            body.realised_usd,
        )
    ]


def _notification(body: operations.NotifyPerson, envelope: Envelope[Message]) -> list[Row]:
    return [(str(body.urgency), body.topic, body.text, envelope.sender)]


def _instrument(of: Instrument) -> tuple[Any, ...]:
    return (
        of.conid,
        str(of.kind),
        _in_words(of),
        of.trading_class,
        of.expiry,
        of.strike,
        None if of.right is None else str(of.right),
        of.multiplier,
    )


def _in_words(of: Instrument) -> str:
    parts = (of.symbol, of.trading_class if of.trading_class != of.symbol else "", of.expiry)
    terms = "" if of.strike is None else f"{of.strike:f}{of.right or ''}"
    return " ".join(str(part) for part in (*parts, terms) if part)


def _json(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()


PROJECTIONS: Mapping[type[Message], tuple[tuple[str, Build], ...]] = {
    chains.ChainViewed: (("option_snapshots", _chain),),
    context.LeadsViewed: (("futures_snapshots", _leads),),
    market.HistoryFetched: (("underlying_bars", _bars),),
    market.RegimeAssessed: (("regimes", _regime),),
    market.SeriesQualified: (("contracts", _series),),
    market.ChainDiscovered: (("contracts", _listing),),
    market.InstrumentsFound: (("contracts", _found),),
    books.PositionsValued: (("position_updates", _valued),),
    books.PositionExplained: (("position_updates", _explained),),
    books.AccountReported: (("account_updates", _reported_values),),
    books.FillBooked: (("fills", _booked),),
    steward.TradeChanged: (("trades", trade_rows),),
    steward.TradeSnapshotTaken: (("exit_snapshots", snapshot_rows),),
    steward.PredictionJudged: (("prediction_outcomes", outcome_rows),),
    strategy.EntrySnapshotTaken: (("entry_snapshots", entry_rows),),
    strategy.PredictionMade: (("strategy_predictions", prediction_rows),),
    risk.StressTaken: (("stress_results", stress_rows),),
    operations.NotifyPerson: (("notifications", _notification),),
}

FEEDS: Mapping[str, frozenset[str]] = {
    table: frozenset(
        kind.__name__
        for kind, builders in PROJECTIONS.items()
        if table in {name for name, _ in builders}
    )
    for table in {name for builders in PROJECTIONS.values() for name, _ in builders}
}
"""Which kinds of messages each table is fed by."""
