"""Keeps what is known of every option watched, one row each, and folds quotes into it.

Pure but for the table it is given, which is changed in place: few rows change at a time, and many
times a second. What was said stands beside what is believed: `sound` prices are the last that were
quoted on both sides, uncrossed and not after an unexplained jump. Nothing is averaged into them.
NaN is unknown; the broker's -1 comes as it was said and is judged as a negative price.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.broker.quote import DataType, Quote
from thetawarden.domain.chains.doubts import DoubtLimits
from thetawarden.domain.pricing.arrays import BoolArray, FloatArray, Rows

DATA_TYPES = tuple(DataType)
_LIVE = DATA_TYPES.index(DataType.LIVE)
_HALTED = {None: -1, False: 0, True: 1}
_LASTING = ("bid_size", "ask_size", "last_usd", "volume", "open_interest")
_lasting_of = attrgetter(*_LASTING)


class Arrival(msgspec.Struct, frozen=True):
    """Quotes that came together, by row, with the instant and the underlying's price there."""

    now_ns: int
    spot_usd: float
    quotes: Mapping[int, Quote]


class QuoteTable(msgspec.Struct, kw_only=True, eq=False):
    """One row per option; `series` points into the list of series that are watched."""

    conid: NDArray[np.int64]
    series: NDArray[np.int64]
    strike_usd: FloatArray
    is_call: BoolArray
    refresh_ns: NDArray[np.int64]
    bid_usd: FloatArray
    ask_usd: FloatArray
    bid_size: FloatArray
    ask_size: FloatArray
    last_usd: FloatArray
    volume: FloatArray
    open_interest: FloatArray
    broker_iv_annual: FloatArray
    broker_delta: FloatArray
    data_type: NDArray[np.int8]
    halted: NDArray[np.int8]
    at_ns: NDArray[np.int64]
    two_sided_ns: NDArray[np.int64]
    linked: BoolArray
    sound_bid_usd: FloatArray
    sound_ask_usd: FloatArray
    sound_ns: NDArray[np.int64]
    crossed_ns: NDArray[np.int64]
    pending_usd: FloatArray
    pending_ns: NDArray[np.int64]
    confirmations: NDArray[np.int8]
    moved_ns: NDArray[np.int64]
    moved_spot_usd: FloatArray
    iv_annual: FloatArray
    iv_code: NDArray[np.int8]
    delta_per_share: FloatArray
    gamma_per_usd: FloatArray
    vega_usd_per_vol_point: FloatArray
    theta_usd_per_day: FloatArray
    early_usd: FloatArray
    early_delta: FloatArray
    early_gamma: FloatArray
    early_vega: FloatArray
    early_theta: FloatArray
    smile_iv_annual: FloatArray
    dirty: BoolArray

    @property
    def sound_mid_usd(self) -> FloatArray:
        """Half-way between the sound prices; NaN for an option that has none."""
        return (self.sound_bid_usd + self.sound_ask_usd) / 2.0


_IDENTITY = ("conid", "series", "strike_usd", "is_call", "refresh_ns")
_DTYPES: dict[str, type] = {
    **dict.fromkeys(("data_type", "halted", "confirmations", "iv_code"), np.int8),
    **dict.fromkeys(
        ("at_ns", "two_sided_ns", "sound_ns", "crossed_ns", "pending_ns", "moved_ns"), np.int64
    ),
    **dict.fromkeys(("linked", "dirty"), np.bool_),
}


def blank_table(
    *,
    conid: NDArray[np.int64],
    series: NDArray[np.int64],
    strike_usd: FloatArray,
    is_call: BoolArray,
    refresh_ns: NDArray[np.int64],
) -> QuoteTable:
    """Return a table in which nothing is quoted yet."""
    size = len(conid)
    columns: dict[str, NDArray[np.generic]] = {
        name: _blank(name, size) for name in QuoteTable.__struct_fields__ if name not in _IDENTITY
    }
    return QuoteTable(
        conid=conid,
        series=series,
        strike_usd=strike_usd,
        is_call=is_call,
        refresh_ns=refresh_ns,
        **columns,  # type: ignore[arg-type]  # by name, each of its own type
    )


def carry_over(old: QuoteTable, new: QuoteTable) -> None:
    """Copy what is known of the options that both tables have into the new one."""
    places = {conid: row for row, conid in enumerate(old.conid.tolist())}
    into = [row for row, conid in enumerate(new.conid.tolist()) if conid in places]
    out_of = [places[conid] for conid in new.conid[into].tolist()]
    for name in QuoteTable.__struct_fields__:
        if name not in _IDENTITY:
            getattr(new, name)[into] = getattr(old, name)[out_of]


def fold_quotes(
    table: QuoteTable, arrivals: Sequence[Arrival], *, cut_ns: int, limits: DoubtLimits
) -> None:
    """Take quotes into their rows, those of one row in the order they came in.

    A quote whose sides are not younger than `cut_ns` belongs to a link that is gone.
    """
    last: dict[int, Quote] = {}
    for arrival in arrivals:
        last.update(arrival.quotes)
    with np.errstate(all="ignore"):
        for each in _rounds(arrivals):
            moved = _note_prices(table, each, cut_ns=cut_ns)
            repriced = _note_sound(table, each, moved, limits=limits)
            table.dirty[repriced] = True
    if last:
        _note_rest(table, last)


class _Round(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """At most one quote for a row, so that none depends on another; with what held as it came."""

    at: Rows
    bid: FloatArray
    ask: FloatArray
    two_sided_ns: NDArray[np.int64]
    now_ns: NDArray[np.int64]
    spot_usd: FloatArray


def _rounds(arrivals: Iterable[Arrival]) -> Iterator[_Round]:
    """Return the first quotes of all rows, then the second ones, and so on."""
    rounds: list[list[tuple[int, Quote, Arrival]]] = []
    turns: dict[int, int] = {}
    for arrival in arrivals:
        for row, quote in arrival.quotes.items():
            turn = turns.get(row, 0)
            turns[row] = turn + 1
            if turn == len(rounds):
                rounds.append([])
            rounds[turn].append((row, quote, arrival))
    for each in rounds:
        rows, quotes, when = zip(*each, strict=True)
        yield _Round(
            at=np.array(rows, dtype=np.intp),
            bid=_floats([quote.bid_usd for quote in quotes]),
            ask=_floats([quote.ask_usd for quote in quotes]),
            two_sided_ns=_integers([quote.two_sided_ns for quote in quotes]),
            now_ns=_integers([arrival.now_ns for arrival in when]),
            spot_usd=_floats([arrival.spot_usd for arrival in when]),
        )


def cut_link(table: QuoteTable) -> None:
    """No quote counts any more until its option is quoted on both sides anew."""
    table.linked[:] = False
    for name in ("sound_bid_usd", "sound_ask_usd", "pending_usd"):
        getattr(table, name)[:] = np.nan
    table.confirmations[:] = 0
    table.crossed_ns[:] = 0


def _note_prices(table: QuoteTable, each: _Round, *, cut_ns: int) -> BoolArray:
    """Write down what was bid and asked; return which rows' price was said anew."""
    at, bid, ask = each.at, each.bid, each.ask
    linked = each.two_sided_ns > cut_ns
    was_linked = table.linked[at]
    moved: BoolArray = (bid != table.bid_usd[at]) | (ask != table.ask_usd[at])
    moved |= ~was_linked & linked
    moved &= ~(np.isnan(bid) & np.isnan(ask))
    table.bid_usd[at], table.ask_usd[at] = bid, ask
    table.two_sided_ns[at] = each.two_sided_ns
    table.linked[at] = was_linked | (linked & np.isfinite(bid + ask))
    return moved


def _note_rest(table: QuoteTable, last: Mapping[int, Quote]) -> None:
    """Write down what else was said last; nothing that is believed depends on it."""
    at, quotes = np.array(tuple(last), dtype=np.intp), last.values()
    lasting = np.array([_lasting_of(quote) for quote in quotes], dtype=np.float64)
    for name, column in zip(_LASTING, lasting.T, strict=True):
        getattr(table, name)[at] = column
    greeks = [quote.greeks for quote in quotes]
    table.broker_iv_annual[at] = _floats([one.iv_annual if one else None for one in greeks])
    table.broker_delta[at] = _floats([one.delta_per_share if one else None for one in greeks])
    table.data_type[at] = [DATA_TYPES.index(quote.data_type) for quote in quotes]
    table.halted[at] = [_HALTED[quote.halted] for quote in quotes]
    table.at_ns[at] = _integers([quote.at_ns for quote in quotes])


def _note_sound(table: QuoteTable, each: _Round, moved: BoolArray, *, limits: DoubtLimits) -> Rows:
    """Decide which prices are believed; return the rows that have a new one."""
    at, now_ns, spot_usd = each.at, each.now_ns, each.spot_usd
    bid, ask = each.bid, each.ask
    two_sided = (bid > 0.0) & (ask > 0.0) & np.isfinite(bid + ask) & table.linked[at]
    crossed = two_sided & (bid >= ask)
    since = table.crossed_ns[at]
    table.crossed_ns[at] = np.where(crossed, np.where(since > 0, since, now_ns), 0)
    believed = _past_quarantine(table, each, two_sided & ~crossed, limits=limits)
    repriced = believed & ((bid != table.sound_bid_usd[at]) | (ask != table.sound_ask_usd[at]))
    standing = moved | (believed & np.isnan(table.moved_spot_usd[at]))
    table.moved_ns[at[standing]] = now_ns[standing]
    table.moved_spot_usd[at[standing]] = spot_usd[standing]
    sure = at[believed]
    table.sound_bid_usd[sure], table.sound_ask_usd[sure] = bid[believed], ask[believed]
    table.sound_ns[sure] = now_ns[believed]
    changed: Rows = at[repriced]
    return changed


def _past_quarantine(
    table: QuoteTable, each: _Round, honest: BoolArray, *, limits: DoubtLimits
) -> BoolArray:
    """Which honest quotes did not jump, or have been confirmed since they did."""
    at, now_ns, bid, ask = each.at, each.now_ns, each.bid, each.ask
    middle, width = (bid + ask) / 2.0, ask - bid
    sound_bid, sound_ask = table.sound_bid_usd[at], table.sound_ask_usd[at]
    before = (sound_bid + sound_ask) / 2.0
    fresh = now_ns - table.sound_ns[at] <= limits.age_ns_max + table.refresh_ns[at]
    slack = np.maximum(
        np.maximum(limits.jump_widths * np.maximum(width, sound_ask - sound_bid), 0.0),
        np.maximum(limits.jump_fraction * before, limits.jump_usd_min),
    )
    expected = before + _explained(table, at, each.spot_usd)
    jumped = honest & fresh & (np.abs(middle - expected) > slack)  # false without a price before
    if not jumped.any():
        table.confirmations[at] = 0
        table.pending_usd[at[honest]] = np.nan
        return honest
    pending, pending_ns = table.pending_usd[at], table.pending_ns[at]
    again = jumped & (np.abs(middle - pending) <= slack)
    newer = again & (
        (each.two_sided_ns > pending_ns) | (now_ns - pending_ns >= limits.confirm_after_ns)
    )
    count = np.where(again, table.confirmations[at] + newer, 0)
    confirmed = jumped & (count >= limits.confirmations)
    waits = jumped & ~confirmed
    table.confirmations[at] = np.where(waits, count, 0)
    seen_ns = np.maximum(each.two_sided_ns, 0)
    table.pending_ns[at] = np.where(waits & ~(again & ~newer), seen_ns, pending_ns)
    table.pending_usd[at] = np.where(waits, middle, np.where(honest, np.nan, pending))
    return honest & ~waits


def _explained(table: QuoteTable, at: Rows, spot_usd: FloatArray) -> FloatArray:
    """How far the underlying's move since the last price should have carried the option."""
    away = spot_usd - table.moved_spot_usd[at]
    carried: FloatArray = table.delta_per_share[at] * away
    carried += 0.5 * table.gamma_per_usd[at] * away**2
    carried[np.isnan(carried)] = 0.0
    return carried


def _floats(values: Sequence[float | None]) -> FloatArray:
    return np.array(values, dtype=np.float64)


def _integers(values: Sequence[int]) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def _blank(name: str, size: int) -> NDArray[np.generic]:
    dtype = _DTYPES.get(name, np.float64)
    if dtype is not np.float64:
        blank: NDArray[np.generic] = np.zeros(size, dtype=dtype)
        if name == "halted":
            blank[:] = -1
        return blank
    early = name.startswith("early_")
    return np.zeros(size) if early else np.full(size, np.nan)
