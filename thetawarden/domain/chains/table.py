"""Keeps what is known of every option watched, one row each, and folds quotes into it.

Pure but for the table it is given, which is changed in place: few rows change at a time, and many
times a second. What was said stands beside what is believed: `sound` prices are the last that were
quoted on both sides, uncrossed and not after an unexplained jump. Nothing is averaged into them.
NaN is unknown; the broker's -1 comes as it was said and is judged as a negative price.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.broker.quote import DataType, Quote
from thetawarden.domain.chains.doubts import DoubtLimits
from thetawarden.domain.pricing.arrays import BoolArray, FloatArray, Rows

DATA_TYPES = tuple(DataType)
_LIVE = DATA_TYPES.index(DataType.LIVE)
_HALTED = {None: -1, False: 0, True: 1}


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
    table: QuoteTable,
    rows: Sequence[int],
    quotes: Sequence[Quote],
    *,
    cut_ns: int,
    spot_usd: float,
    now_ns: int,
    limits: DoubtLimits,
) -> Rows:
    """Take each quote into its row; no row may occur twice. Return the rows with another price.

    A quote whose sides are not younger than `cut_ns` belongs to a link that is gone.
    """
    at = np.array(rows, dtype=np.intp)
    with np.errstate(all="ignore"):
        moved = _note_words(table, at, quotes, cut_ns=cut_ns)
        repriced = _note_sound(table, at, moved, spot_usd=spot_usd, now_ns=now_ns, limits=limits)
    table.dirty[repriced] = True
    return repriced


def cut_link(table: QuoteTable) -> None:
    """No quote counts any more until its option is quoted on both sides anew."""
    table.linked[:] = False
    for name in ("sound_bid_usd", "sound_ask_usd", "pending_usd"):
        getattr(table, name)[:] = np.nan
    table.confirmations[:] = 0
    table.crossed_ns[:] = 0


def _note_words(table: QuoteTable, at: Rows, quotes: Sequence[Quote], *, cut_ns: int) -> BoolArray:
    """Write down what was said; return which rows' price was said anew."""
    bid = _floats([quote.bid_usd for quote in quotes])
    ask = _floats([quote.ask_usd for quote in quotes])
    sizes = _floats([quote.bid_size for quote in quotes]), _floats([q.ask_size for q in quotes])
    two_sided_ns = np.array([quote.two_sided_ns for quote in quotes], dtype=np.int64)
    at_ns = np.array([quote.at_ns for quote in quotes], dtype=np.int64)
    linked = two_sided_ns > cut_ns
    moved: BoolArray = (bid != table.bid_usd[at]) | (ask != table.ask_usd[at])
    moved |= ~table.linked[at] & linked
    moved &= ~(np.isnan(bid) & np.isnan(ask))
    table.bid_usd[at], table.ask_usd[at] = bid, ask
    table.bid_size[at], table.ask_size[at] = sizes
    table.last_usd[at] = _floats([quote.last_usd for quote in quotes])
    table.volume[at] = _floats([quote.volume for quote in quotes])
    table.open_interest[at] = _floats([quote.open_interest for quote in quotes])
    greeks = [quote.greeks for quote in quotes]
    table.broker_iv_annual[at] = _floats([one.iv_annual if one else None for one in greeks])
    table.broker_delta[at] = _floats([one.delta_per_share if one else None for one in greeks])
    table.data_type[at] = [DATA_TYPES.index(quote.data_type) for quote in quotes]
    table.halted[at] = [_HALTED[quote.halted] for quote in quotes]
    table.at_ns[at], table.two_sided_ns[at] = at_ns, two_sided_ns
    table.linked[at] |= linked & np.isfinite(bid + ask)
    return moved


def _note_sound(
    table: QuoteTable,
    at: Rows,
    moved: BoolArray,
    *,
    spot_usd: float,
    now_ns: int,
    limits: DoubtLimits,
) -> Rows:
    """Decide which prices are believed; return the rows that have a new one."""
    bid, ask = table.bid_usd[at], table.ask_usd[at]
    two_sided = (bid > 0.0) & (ask > 0.0) & np.isfinite(bid + ask) & table.linked[at]
    crossed = two_sided & (bid >= ask)
    since = table.crossed_ns[at]
    table.crossed_ns[at] = np.where(crossed, np.where(since > 0, since, now_ns), 0)
    believed = _past_quarantine(
        table, at, two_sided & ~crossed, spot_usd=spot_usd, now_ns=now_ns, limits=limits
    )
    repriced = believed & ((bid != table.sound_bid_usd[at]) | (ask != table.sound_ask_usd[at]))
    standing = moved | (believed & np.isnan(table.moved_spot_usd[at]))
    table.moved_ns[at[standing]] = now_ns
    table.moved_spot_usd[at[standing]] = spot_usd
    sure = at[believed]
    table.sound_bid_usd[sure], table.sound_ask_usd[sure] = bid[believed], ask[believed]
    table.sound_ns[sure] = now_ns
    changed: Rows = at[repriced]
    return changed


def _past_quarantine(
    table: QuoteTable,
    at: Rows,
    honest: BoolArray,
    *,
    spot_usd: float,
    now_ns: int,
    limits: DoubtLimits,
) -> BoolArray:
    """Which honest quotes did not jump, or have been confirmed since they did."""
    bid, ask = table.bid_usd[at], table.ask_usd[at]
    middle, width = (bid + ask) / 2.0, ask - bid
    sound_bid, sound_ask = table.sound_bid_usd[at], table.sound_ask_usd[at]
    before = (sound_bid + sound_ask) / 2.0
    fresh = now_ns - table.sound_ns[at] <= limits.age_ns_max + table.refresh_ns[at]
    slack = np.maximum(
        np.maximum(limits.jump_widths * np.maximum(width, sound_ask - sound_bid), 0.0),
        np.maximum(limits.jump_fraction * before, limits.jump_usd_min),
    )
    expected = before + _explained(table, at, spot_usd)
    jumped = honest & fresh & (np.abs(middle - expected) > slack)  # false without a price before
    pending = table.pending_usd[at]
    again = jumped & (np.abs(middle - pending) <= slack)
    newer = again & (
        (table.two_sided_ns[at] > table.pending_ns[at])
        | (now_ns - table.pending_ns[at] >= limits.confirm_after_ns)
    )
    count = np.where(again, table.confirmations[at] + newer, 0)
    confirmed = jumped & (count >= limits.confirmations)
    waits = jumped & ~confirmed
    table.confirmations[at] = np.where(waits, count, 0)
    seen_ns = np.maximum(table.two_sided_ns[at], 0)
    table.pending_ns[at] = np.where(waits & ~(again & ~newer), seen_ns, table.pending_ns[at])
    table.pending_usd[at] = np.where(waits, middle, np.where(honest, np.nan, pending))
    return honest & ~waits


def _explained(table: QuoteTable, at: Rows, spot_usd: float) -> FloatArray:
    """How far the underlying's move since the last price should have carried the option."""
    away = spot_usd - table.moved_spot_usd[at]
    carried = table.delta_per_share[at] * away + 0.5 * table.gamma_per_usd[at] * away**2
    return np.nan_to_num(carried, nan=0.0)


def _floats(values: Sequence[float | None]) -> FloatArray:
    return np.array(values, dtype=np.float64)


def _blank(name: str, size: int) -> NDArray[np.generic]:
    dtype = _DTYPES.get(name, np.float64)
    if dtype is not np.float64:
        blank: NDArray[np.generic] = np.zeros(size, dtype=dtype)
        if name == "halted":
            blank[:] = -1
        return blank
    early = name.startswith("early_")
    return np.zeros(size) if early else np.full(size, np.nan)
