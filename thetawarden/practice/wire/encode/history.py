"""Bars and ticks of the past, and those that continue them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.wire import times
from thetawarden.practice.wire.outgoing import Outgoing
from thetawarden.practice.wire.text import double, lines, message, size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from thetawarden.practice.model import (
        Bar,
        HistogramBin,
        MidTick,
        QuoteTick,
        Session,
        TradeTick,
    )


def historical_data(
    req_id: int,
    *,
    start_ns: int,
    end_ns: int,
    bars: Sequence[Bar],
    date: Callable[[int], str],
) -> bytes:
    """All bars of a request in one message, which also ends it; `date` writes a bar's time."""
    fields = [
        str(Outgoing.HISTORICAL_DATA.value),
        str(req_id),
        times.stamp(start_ns),
        times.stamp(end_ns),
        str(len(bars)),
    ]
    for bar in bars:
        fields += [
            date(bar.start_ns),
            double(bar.open),
            double(bar.high),
            double(bar.low),
            double(bar.close),
            size(bar.volume),
            double(bar.wap),
            str(bar.count),
        ]
    return lines(fields)


def historical_update(req_id: int, bar: Bar, *, date: str) -> bytes:
    """The live bar of a kept-up request; note the order: open, close, high, low."""
    return message(
        Outgoing.HISTORICAL_DATA_UPDATE,
        req_id,
        bar.count,
        date,
        double(bar.open),
        double(bar.close),
        double(bar.high),
        double(bar.low),
        double(bar.wap),
        size(bar.volume),
    )


def realtime_bar(req_id: int, bar: Bar) -> bytes:
    """One five-second bar, stamped with its start."""
    return message(
        Outgoing.REALTIME_BAR,
        3,
        req_id,
        times.epoch(bar.start_ns),
        double(bar.open),
        double(bar.high),
        double(bar.low),
        double(bar.close),
        size(bar.volume),
        double(bar.wap),
        bar.count,
    )


def head_timestamp(req_id: int, text: str) -> bytes:
    """The instant from which data exists."""
    return message(Outgoing.HEAD_TIMESTAMP, req_id, text)


def histogram(req_id: int, bins: Sequence[HistogramBin]) -> bytes:
    """Volume by price."""
    values = [part for b in bins for part in (double(b.price), b.size)]
    return message(Outgoing.HISTOGRAM_DATA, req_id, len(bins), *values)


def schedule(req_id: int, *, start_ns: int, end_ns: int, sessions: Sequence[Session]) -> bytes:
    """Trading sessions instead of bars."""
    values: list[str] = []
    for one in sessions:
        values += [_dashed(one.open_ns), _dashed(one.close_ns), times.day(one.day)]
    return message(
        Outgoing.HISTORICAL_SCHEDULE,
        req_id,
        _dashed(start_ns),
        _dashed(end_ns),
        times.EXCHANGE_ZONE,
        len(sessions),
        *values,
    )


def ticks_mid(req_id: int, ticks: Sequence[MidTick]) -> bytes:
    """Midpoints of the past, complete."""
    values = [part for t in ticks for part in (times.epoch(t.at_ns), 0, double(t.price), 0)]
    return message(Outgoing.HISTORICAL_TICKS, req_id, len(ticks), *values, 1)


def ticks_quote(req_id: int, ticks: Sequence[QuoteTick]) -> bytes:
    """Best prices of the past, complete."""
    values: list[str | int] = []
    for t in ticks:
        values += [times.epoch(t.at_ns), 0, double(t.bid), double(t.ask), t.bid_size, t.ask_size]
    return message(Outgoing.HISTORICAL_TICKS_BID_ASK, req_id, len(ticks), *values, 1)


def ticks_trade(req_id: int, ticks: Sequence[TradeTick]) -> bytes:
    """Prints of the past, complete."""
    values: list[str | int] = []
    for t in ticks:
        mask = 2 * t.unreported
        values += [times.epoch(t.at_ns), mask, double(t.price), t.size, t.exchange, t.conditions]
    return message(Outgoing.HISTORICAL_TICKS_LAST, req_id, len(ticks), *values, 1)


def _dashed(at_ns: int) -> str:
    return f"{times.new_york(at_ns):%Y%m%d-%H:%M:%S}"
