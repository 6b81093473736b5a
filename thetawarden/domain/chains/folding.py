"""Decides which quotes are believed, and writes them and what was said beside them into the table.

Pure but for the table it is given, which is changed in place. Many quotes are taken in at once:
those of an option follow each other, those of another do not matter to it. Hardly any jumps, and
where none does, each is judged beside the one before it; an option that jumps is taken quote by
quote, as what is believed of one depends on what became of the last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.broker.quote_rows import QuoteRows, quote_rows
from thetawarden.domain.chains.doubts import DoubtLimits
from thetawarden.domain.chains.moving import expected_move_usd
from thetawarden.domain.chains.table import QuoteTable
from thetawarden.domain.pricing.arrays import BoolArray, FloatArray, Rows

_LASTING = (
    *("bid_size", "ask_size", "last_usd", "volume", "open_interest"),
    *("data_type", "halted", "at_ns"),
)
_NONE = NO_ROW = -1


class Arrival(msgspec.Struct, frozen=True):
    """Quotes that came together, as written, with the instant and the underlying's price there.

    `rows` are the rows of the table they are of, each once, `NO_ROW` for what is of none.
    """

    now_ns: int
    spot_usd: float
    rows: list[int]
    written: bytes


class Run(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Quotes by row, those of a row in the order they came, each with what held as it came."""

    row: Rows
    bid: FloatArray
    ask: FloatArray
    two_sided_ns: NDArray[np.int64]
    now_ns: NDArray[np.int64]
    spot_usd: FloatArray

    def where(self, chosen: BoolArray) -> Run:
        """Only these."""
        return Run(**{name: getattr(self, name)[chosen] for name in self.__struct_fields__})

    @property
    def starts(self) -> Rows:
        """Where the row of each quote begins."""
        first = np.append(True, self.row[1:] != self.row[:-1])
        return _latest(first)


class _Sound(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What was believed before each quote, and the underlying's price then."""

    bid: FloatArray
    ask: FloatArray
    at_ns: NDArray[np.int64]
    spot_usd: FloatArray


def rows_of(conids: Sequence[int], places: Mapping[int, int]) -> list[int]:
    """In which row each quote belongs; of those of one option the last alone has any."""
    rows = [places.get(conid, NO_ROW) for conid in conids]
    if len(set(conids)) < len(conids):
        last = {conid: at for at, conid in enumerate(conids)}
        rows = [
            row if last[conid] == at else NO_ROW
            for at, (conid, row) in enumerate(zip(conids, rows, strict=True))
        ]
    return rows


def fold_quotes(
    table: QuoteTable, arrivals: Sequence[Arrival], *, cut_ns: int, limits: DoubtLimits
) -> None:
    """Take quotes into their rows, those of one row in the order they came in.

    A quote whose sides are not younger than `cut_ns` belongs to a link that is gone.
    """
    row = np.array([row for one in arrivals for row in one.rows], dtype=np.intp)
    order = np.argsort(row, kind="stable")
    order = order[np.count_nonzero(row == NO_ROW) :]  # these come first
    row = row[order]
    if not row.size:
        return
    quotes = np.take(quote_rows(b"".join([one.written for one in arrivals])), order)
    run = _run(row, quotes, arrivals, order)
    with np.errstate(all="ignore"):
        restless = _take_quiet(table, run, cut_ns=cut_ns, limits=limits)
        for each in _one_by_one(run.where(restless)):
            moved = _note_prices(table, each, cut_ns=cut_ns)
            repriced = _note_sound(table, each, moved, limits=limits)
            table.dirty[repriced] = True
    ends = _ends(row)
    _note_rest(table, row[ends], np.take(quotes, ends))


def _run(row: Rows, quotes: QuoteRows, arrivals: Sequence[Arrival], order: Rows) -> Run:
    counts = [len(one.rows) for one in arrivals]
    return Run(
        row=row,
        bid=np.ascontiguousarray(quotes["bid_usd"]),
        ask=np.ascontiguousarray(quotes["ask_usd"]),
        two_sided_ns=np.ascontiguousarray(quotes["two_sided_ns"]),
        now_ns=np.repeat(np.array([one.now_ns for one in arrivals]), counts)[order],
        spot_usd=np.repeat(np.array([one.spot_usd for one in arrivals]), counts)[order],
    )


def _one_by_one(run: Run) -> Iterator[Run]:
    """The first quotes of all rows, then the second ones, and so on."""
    turn = np.arange(run.row.size) - run.starts if run.row.size else run.row
    for number in range(int(turn.max(initial=_NONE)) + 1):
        yield run.where(turn == number)


def _take_quiet(table: QuoteTable, run: Run, *, cut_ns: int, limits: DoubtLimits) -> BoolArray:
    """Take in the rows in which no quote jumps; return which quotes are of other rows.

    All are where a price of the underlying is not known: it then depends on the quotes before where
    the underlying stood at an option's last move.
    """
    if not run.row.size or np.isnan(run.spot_usd).any():
        return np.ones(run.row.size, dtype=np.bool_)
    at, starts, whole = run.row, run.starts, np.isfinite(run.bid + run.ask)
    fine = (run.two_sided_ns > cut_ns) & whole
    was_linked = table.linked[at] | (_before(_latest(fine)) >= starts)
    moved = _is_moved(table, run, starts, was_linked, cut_ns=cut_ns)
    two_sided = (run.bid > 0.0) & (run.ask > 0.0) & whole & (was_linked | fine)
    crossed = two_sided & (run.bid >= run.ask)
    honest = two_sided & ~crossed
    touched = _before(_latest(moved | honest)) >= starts
    standing = moved | (honest & ~touched & np.isnan(table.moved_spot_usd[at]))
    stood, heard = _latest(standing), _latest(honest)
    sound = _sound_before(table, run, starts, heard=_before(heard), stood=_before(stood))
    away, slack = _away(table, run, sound, limits)
    jumped = honest & (away > slack)
    if jumped.any():
        restless = np.isin(at, at[jumped])
        _take_quiet(table, run.where(~restless), cut_ns=cut_ns, limits=limits)
        return restless
    repriced = honest & ((run.bid != sound.bid) | (run.ask != sound.ask))
    table.dirty[at[repriced]] = True
    ends = _ends(at)
    _settle_prices(table, run, starts, ends, linked=was_linked | fine, crossed=crossed)
    _settle_sound(table, run, starts, ends, heard=heard, stood=stood)
    return jumped


def _is_moved(
    table: QuoteTable, run: Run, starts: Rows, was_linked: BoolArray, *, cut_ns: int
) -> BoolArray:
    """Which quotes say another price than the one before them."""
    begins = np.flatnonzero(starts == np.arange(starts.size))
    bid, ask = _before(run.bid), _before(run.ask)
    bid[begins], ask[begins] = table.bid_usd[run.row[begins]], table.ask_usd[run.row[begins]]
    moved: BoolArray = (run.bid != bid) | (run.ask != ask)
    moved |= ~was_linked & (run.two_sided_ns > cut_ns)
    moved &= ~(np.isnan(run.bid) & np.isnan(run.ask))
    return moved


def _sound_before(table: QuoteTable, run: Run, starts: Rows, *, heard: Rows, stood: Rows) -> _Sound:
    """What would be believed before each quote if none before it had jumped."""
    at, known, placed = run.row, heard >= starts, stood >= starts
    return _Sound(
        bid=np.where(known, run.bid[heard], table.sound_bid_usd[at]),
        ask=np.where(known, run.ask[heard], table.sound_ask_usd[at]),
        at_ns=np.where(known, run.now_ns[heard], table.sound_ns[at]),
        spot_usd=np.where(placed, run.spot_usd[stood], table.moved_spot_usd[at]),
    )


def _settle_prices(
    table: QuoteTable, run: Run, starts: Rows, ends: Rows, *, linked: BoolArray, crossed: BoolArray
) -> None:
    """Write down what each row was quoted last, and since when it is crossed."""
    at = run.row[ends]
    table.bid_usd[at], table.ask_usd[at] = run.bid[ends], run.ask[ends]
    table.two_sided_ns[at], table.linked[at] = run.two_sided_ns[ends], linked[ends]
    straight = _latest(~crossed)[ends]
    all_along = straight < starts[ends]
    begun = np.minimum(np.where(all_along, starts[ends], straight + 1), run.row.size - 1)
    since = np.where(all_along, table.crossed_ns[at], 0)
    since_ns = np.where(since > 0, since, run.now_ns[begun])
    table.crossed_ns[at] = np.where(crossed[ends], since_ns, 0)


def _settle_sound(
    table: QuoteTable, run: Run, starts: Rows, ends: Rows, *, heard: Rows, stood: Rows
) -> None:
    """Write down what is believed of each row now, and where the underlying stood."""
    table.confirmations[run.row[ends]] = 0
    last = heard[ends][heard[ends] >= starts[ends]]
    sure = run.row[last]
    table.sound_bid_usd[sure], table.sound_ask_usd[sure] = run.bid[last], run.ask[last]
    table.sound_ns[sure], table.pending_usd[sure] = run.now_ns[last], np.nan
    last = stood[ends][stood[ends] >= starts[ends]]
    table.moved_ns[run.row[last]] = run.now_ns[last]
    table.moved_spot_usd[run.row[last]] = run.spot_usd[last]


def _note_prices(table: QuoteTable, each: Run, *, cut_ns: int) -> BoolArray:
    """Write down what was bid and asked; return which rows' price was said anew."""
    at, bid, ask = each.row, each.bid, each.ask
    linked = each.two_sided_ns > cut_ns
    was_linked = table.linked[at]
    moved: BoolArray = (bid != table.bid_usd[at]) | (ask != table.ask_usd[at])
    moved |= ~was_linked & linked
    moved &= ~(np.isnan(bid) & np.isnan(ask))
    table.bid_usd[at], table.ask_usd[at] = bid, ask
    table.two_sided_ns[at] = each.two_sided_ns
    table.linked[at] = was_linked | (linked & np.isfinite(bid + ask))
    return moved


def _note_sound(table: QuoteTable, each: Run, moved: BoolArray, *, limits: DoubtLimits) -> Rows:
    """Decide which prices are believed; return the rows that have a new one."""
    at, now_ns, spot_usd = each.row, each.now_ns, each.spot_usd
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
    table: QuoteTable, each: Run, honest: BoolArray, *, limits: DoubtLimits
) -> BoolArray:
    """Which honest quotes did not jump, or have been confirmed since they did."""
    at, now_ns, bid, ask = each.row, each.now_ns, each.bid, each.ask
    middle = (bid + ask) / 2.0
    sound = _Sound(
        bid=table.sound_bid_usd[at],
        ask=table.sound_ask_usd[at],
        at_ns=table.sound_ns[at],
        spot_usd=table.moved_spot_usd[at],
    )
    away, slack = _away(table, each, sound, limits)
    jumped = honest & (away > slack)
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


def _away(
    table: QuoteTable, run: Run, sound: _Sound, limits: DoubtLimits
) -> tuple[FloatArray, FloatArray]:
    """How far each quote is from where it was to be, and how far it may be; NaN for nowhere."""
    before = (sound.bid + sound.ask) / 2.0
    spread = np.maximum(run.ask - run.bid, sound.ask - sound.bid)
    slack: FloatArray = np.maximum(
        np.maximum(limits.jump_widths * spread, 0.0),
        np.maximum(limits.jump_fraction * before, limits.jump_usd_min),
    )
    carried = expected_move_usd(
        delta_per_share=table.delta_per_share[run.row],
        gamma_per_usd=table.gamma_per_usd[run.row],
        way_usd=run.spot_usd - sound.spot_usd,
        worth_usd=before,
        greeks_at_end=False,
    )
    carried[np.isnan(carried)] = 0.0
    away: FloatArray = np.abs((run.bid + run.ask) / 2.0 - (before + carried))
    stale = run.now_ns - sound.at_ns > limits.age_ns_max + table.refresh_ns[run.row]
    away[stale] = np.nan
    return away, slack


def _note_rest(table: QuoteTable, at: Rows, last: QuoteRows) -> None:
    """Write down what else was said last; nothing that is believed depends on it."""
    for name in _LASTING:
        getattr(table, name)[at] = last[name]
    table.broker_iv_annual[at] = last["iv_annual"]
    table.broker_delta[at] = last["delta_per_share"]


def _ends(row: Rows) -> Rows:
    """Where the last quote of each row is."""
    return np.flatnonzero(np.append(row[1:] != row[:-1], True))


def _latest(flags: BoolArray) -> Rows:
    """The place of the last flag that was set up to each place; -1 for none."""
    latest: Rows = np.maximum.accumulate(np.where(flags, np.arange(flags.size), _NONE))
    return latest


def _before(values: NDArray[np.generic]) -> NDArray[Any]:
    """Each place's predecessor; of places -1 for the first, of prices anything."""
    shifted = np.empty_like(values)
    shifted[1:], shifted[:1] = values[:-1], _NONE
    return shifted
