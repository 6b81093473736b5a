"""Keeps what is known of every option watched, one row each.

What was said stands beside what is believed: `sound` prices are the last that were
quoted on both sides, uncrossed and not after an unexplained jump. Nothing is averaged into them.
NaN is unknown; the broker's -1 comes as it was said and is judged as a negative price.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.pricing.arrays import BoolArray, FloatArray


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
    into = np.array([row for row, conid in enumerate(new.conid.tolist()) if conid in places], int)
    out_of = np.array([places[conid] for conid in new.conid[into].tolist()], int)
    for name in QuoteTable.__struct_fields__:
        if name not in _IDENTITY:
            getattr(new, name)[into] = getattr(old, name)[out_of]


def cut_link(table: QuoteTable) -> None:
    """No quote counts any more until its option is quoted on both sides anew."""
    table.linked[:] = False
    for name in ("sound_bid_usd", "sound_ask_usd", "pending_usd"):
        getattr(table, name)[:] = np.nan
    table.confirmations[:] = 0
    table.crossed_ns[:] = 0


def _blank(name: str, size: int) -> NDArray[np.generic]:
    dtype = _DTYPES.get(name, np.float64)
    if dtype is not np.float64:
        blank: NDArray[np.generic] = np.zeros(size, dtype=dtype)
        if name == "halted":
            blank[:] = -1
        return blank
    early = name.startswith("early_")
    return np.zeros(size) if early else np.full(size, np.nan)
