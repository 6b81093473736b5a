"""Defines what a chain looks like to whoever decides on it, in columns small enough to be logged.

A row's bid and ask are those that are believed; where `doubt` is not 0 they are what was said, to
be looked at and never traded on. Greeks are our own, per share and by the spot; the broker's stand
beside them. None is unknown. `read_rows` gives the columns back as arrays, NaN for unknown.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.chains.doubts import CODES, Doubt, doubt_of
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.market.contracts import Settlement
from thetawarden.domain.pricing.arrays import BoolArray
from thetawarden.domain.remembering import remembered
from thetawarden.domain.surface.liquidity import (
    GRADES,
    Liquidity,
    LiquidityGrade,
    LiquidityScale,
    score_liquidity,
)

T = TypeVar("T", bound=np.generic)
VIEWS_KEPT = 64
ROW_TYPES: dict[str, str] = {
    "conid": "<i8",
    "series": "<i2",
    "strike_usd": "<f8",
    "is_call": "|b1",
    "bid_usd": "<f8",
    "ask_usd": "<f8",
    "bid_size": "<f4",
    "ask_size": "<f4",
    "volume": "<f4",
    "open_interest": "<f4",
    "iv_annual": "<f4",
    "smile_iv_annual": "<f4",
    "delta_per_share": "<f4",
    "gamma_per_usd": "<f4",
    "vega_usd_per_vol_point": "<f4",
    "theta_usd_per_day": "<f4",
    "broker_iv_annual": "<f4",
    "broker_delta": "<f4",
    "at_ns": "<i8",
    "doubt": "|i1",
}
"""Every column of a row and how its numbers are written."""
_ALIKE = {
    kind: {name: at for at, (name, other) in enumerate(ROW_TYPES.items()) if other == kind}
    for kind in dict.fromkeys(ROW_TYPES.values())
}
WORTHLESS_ASK_USD = 0.10
"""An option offered for no more, and bid for by nobody, is worth next to nothing."""


class SeriesView(msgspec.Struct, frozen=True, kw_only=True):
    """One class on one expiry day; gaps name why something is missing, else they are empty.

    Skew is ln(put IV / call IV) at equal delta; normalised, it is brought to the reference tenor.
    The percentile is that of the normalised skew in this underlying's own history, 0 to 1.
    What there is is carried to the view's instant. It was read off the quotes at `read_ns`, before
    the last fit where `unread` says why that could not; a forward alone may be of the last fit.
    """

    trading_class: str
    expiry: dt.date
    settlement: Settlement
    settles_ns: UnixNs
    last_trade_ns: UnixNs
    rows: int
    usable: int
    tau_years: float | None = None
    forward_usd: float | None = None
    forward_error_usd: float | None = None
    discount: float | None = None
    atm_iv_annual: float | None = None
    smile_error_vol_points: float | None = None
    put_iv_annual: float | None = None
    call_iv_annual: float | None = None
    skew_log_ratio: float | None = None
    skew_normalised: float | None = None
    skew_percentile: float | None = None
    forward_gap: str = ""
    smile_gap: str = ""
    skew_gap: str = ""
    percentile_gap: str = ""
    read_ns: UnixNs = UnixNs(0)
    unread: str = ""


class ChainSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A chain in one look; spreads and ages are those of usable quotes, doubts counted by name."""

    rows: int
    usable: int
    doubts: tuple[tuple[Doubt, int], ...]
    widest_fraction: float | None = None
    oldest_ns: int | None = None


class ChainView(msgspec.Struct, frozen=True, kw_only=True):
    """One underlying's chain at an instant; `columns` are the rows, see `ROW_TYPES`.

    `series` numbers in the rows are positions in `series` here. `number` counts this watcher's
    views. The model is as of `fitted_ns`, 0 for never; `spot_doubt` is empty when there is none.
    """

    underlying: str
    number: int
    at_ns: UnixNs
    epoch: int
    spot_usd: float | None
    spot_at_ns: UnixNs
    spot_doubt: str
    fitted_ns: UnixNs
    series: tuple[SeriesView, ...]
    summary: ChainSummary
    columns: tuple[bytes, ...]

    def differs(self, other: ChainView) -> bool:
        """Whether more than the clock has moved on since the other view."""
        return self.columns != other.columns or self._said() != other._said()

    def _said(self) -> tuple[object, ...]:
        """What is in no column and does not follow from it being later."""
        series = tuple(
            msgspec.structs.replace(one, tau_years=None, forward_usd=None, discount=None)
            for one in self.series
        )
        of_rows = (self.summary.doubts, self.summary.usable)
        return (series, *of_rows, self.epoch, self.spot_usd, self.spot_doubt)


class ChainRows(msgspec.Struct, frozen=True, kw_only=True, eq=False, dict=True):
    """The rows of a view as arrays, one entry an option; what is asked of them is judged once."""

    conid: NDArray[np.int64]
    series: NDArray[np.int64]
    strike_usd: NDArray[np.float64]
    is_call: BoolArray
    bid_usd: NDArray[np.float64]
    ask_usd: NDArray[np.float64]
    bid_size: NDArray[np.float64]
    ask_size: NDArray[np.float64]
    volume: NDArray[np.float64]
    open_interest: NDArray[np.float64]
    iv_annual: NDArray[np.float64]
    smile_iv_annual: NDArray[np.float64]
    delta_per_share: NDArray[np.float64]
    gamma_per_usd: NDArray[np.float64]
    vega_usd_per_vol_point: NDArray[np.float64]
    theta_usd_per_day: NDArray[np.float64]
    broker_iv_annual: NDArray[np.float64]
    broker_delta: NDArray[np.float64]
    at_ns: NDArray[np.int64]
    doubt: NDArray[np.int64]

    @cached_property
    def usable(self) -> BoolArray:
        """The rows that may be traded on."""
        return _shared(self.doubt == 0)

    @cached_property
    def leavable(self) -> BoolArray:
        """The rows that may be left at their quote.

        Usable ones, those so cheap that nobody bids, and those whose series has no forward and that
        nothing else speaks against: the market is honest there, only the model is not to be had.
        Nothing is entered on either; to leave something else they say enough.
        """
        cheap = (self.ask_usd > 0.0) & (self.ask_usd <= WORTHLESS_ASK_USD)
        sided = (self.bid_usd > 0.0) & (self.bid_usd < self.ask_usd)
        unmodelled = (self.doubt == CODES[Doubt.NO_FORWARD]) & sided
        return _shared(self.usable | (self._nobody_bids & cheap) | unmodelled)

    @cached_property
    def leaving_bid_usd(self) -> NDArray[np.float64]:
        """The bids as they are to be left at: nothing where nobody bids."""
        return _shared(np.where(self._nobody_bids, 0.0, self.bid_usd))

    @cached_property
    def _nobody_bids(self) -> BoolArray:
        """The rows whose bid is known to be nothing: a price of 0, or none and a size of 0."""
        told = (self.doubt == CODES[Doubt.ONE_SIDED]) & (self.bid_size == 0.0)
        return _shared((self.doubt == CODES[Doubt.ZERO_BID]) | (told & np.isnan(self.bid_usd)))

    @cached_property
    def mid_usd(self) -> NDArray[np.float64]:
        """Half-way between the sides of usable rows; NaN for all others."""
        return _shared(np.where(self.usable, (self.bid_usd + self.ask_usd) / 2.0, np.nan))


def _shared(values: NDArray[T]) -> NDArray[T]:
    """Whoever asks is handed the same: nobody may write to it."""
    values.flags.writeable = False
    return values


def pack_rows(columns: dict[str, NDArray[Any]]) -> tuple[bytes, ...]:
    """Write the rows; every column must be there."""
    with np.errstate(over="ignore"):  # a size beyond all measure becomes infinity
        return tuple(
            np.ascontiguousarray(columns[name], dtype=kind).tobytes()
            for name, kind in ROW_TYPES.items()
        )


@remembered(VIEWS_KEPT)
def read_rows(view: ChainView) -> ChainRows:
    """Return the rows of a view; nobody may write to them."""
    found: dict[str, NDArray[Any]] = {}
    for kind, columns in _ALIKE.items():
        data = b"".join([view.columns[at] for at in columns.values()])
        together = _widened(np.frombuffer(data, dtype=kind)).reshape(len(columns), -1)
        found.update(zip(columns, together, strict=True))
    return ChainRows(**found)


def without(rows: ChainRows, conids: Collection[int]) -> ChainRows:
    """Return the rows of all other contracts."""
    kept = ~np.isin(rows.conid, list(conids))
    if kept.all():
        return rows
    return ChainRows(
        **{name: column[kept] for name, column in msgspec.structs.asdict(rows).items()}
    )


def row_places(view: ChainView) -> Mapping[int, int]:
    """Return in which row each contract of a view is."""
    return places_of(read_rows(view))


@remembered(VIEWS_KEPT)
def places_of(rows: ChainRows) -> Mapping[int, int]:
    """Return in which row each contract is."""
    return {conid: row for row, conid in enumerate(rows.conid.tolist())}


def find_series(view: ChainView, *, trading_class: str, expiry: dt.date) -> SeriesView | None:
    """Return the series of a class on a day; one day may have several, settled hours apart."""
    found = (
        one for one in view.series if (one.trading_class, one.expiry) == (trading_class, expiry)
    )
    return next(found, None)


def row_doubt(rows: ChainRows, row: int) -> Doubt | None:
    """Why a row may not be traded on; None when it may."""
    return doubt_of(int(rows.doubt[row]))


def row_liquidity(rows: ChainRows, scale: LiquidityScale | None = None) -> Liquidity:
    """Grade how easily each row could be traded; a doubtful one is to be skipped."""
    usable = rows.usable
    return score_liquidity(
        bid_usd=np.where(usable, rows.bid_usd, np.nan),
        ask_usd=np.where(usable, rows.ask_usd, np.nan),
        open_interest=rows.open_interest,
        volume=rows.volume,
        scale=scale or LiquidityScale(),
    )


def grade_name(code: int) -> LiquidityGrade:
    """Return the grade that a number of `Liquidity.grade` stands for."""
    return GRADES[code]


class LegsFit(msgspec.Struct, frozen=True, kw_only=True):
    """Whether all legs of a combination may be traded on; `age_ns` is that of the oldest.

    An unknown leg has no age and is as bad as a doubtful one.
    """

    usable: bool
    age_ns: int | None
    doubts: tuple[tuple[int, str], ...]


def judge_legs(view: ChainView, conids: tuple[int, ...]) -> LegsFit:
    """A combination is as good as its worst leg and as old as its oldest."""
    rows = read_rows(view)
    places = row_places(view)
    known = [places[conid] for conid in conids if conid in places]
    doubts = tuple((conid, _leg_doubt(rows, places.get(conid))) for conid in conids)
    age = max((view.at_ns - int(rows.at_ns[row]) for row in known), default=None)
    bad = tuple((conid, words) for conid, words in doubts if words)
    return LegsFit(
        usable=bool(conids) and not bad,
        age_ns=age if len(known) == len(conids) else None,
        doubts=bad,
    )


def _leg_doubt(rows: ChainRows, row: int | None) -> str:
    return "not_watched" if row is None else str(row_doubt(rows, row) or "")


def _widened(column: NDArray[Any]) -> NDArray[Any]:
    wide = column
    if column.dtype.kind == "f":
        wide = column.astype(np.float64)
    elif column.dtype.kind == "i":
        wide = column.astype(np.int64)
    wide.flags.writeable = False
    return wide
