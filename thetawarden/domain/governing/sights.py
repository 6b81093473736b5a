"""Keeps of a chain's view what a decision needs: quotes, volatilities, deltas, and how it carries.

Pure. The columns are those of the view itself, so that taking a sight copies nothing; everything
else of the view is let go. What is not there is NaN or None, never a guess.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.chains.view import ROW_TYPES, ChainView
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.risk.instrument import UNMARKED, ConId, LegQuote, Marks
from thetawarden.domain.risk.intake import carry_of
from thetawarden.domain.units import to_decimal

KEPT = (
    "conid",
    "series",
    "bid_usd",
    "ask_usd",
    "iv_annual",
    "smile_iv_annual",
    "delta_per_share",
    "at_ns",
    "doubt",
)
"""The columns of a view that a sight keeps."""
_PLACES = {name: list(ROW_TYPES).index(name) for name in KEPT}
_PRICE_PLACES = 4


class Carry(msgspec.Struct, frozen=True, array_like=True):
    """How a series carries: years left, rate, yield; NaN where the view could not tell.

    `read_ns` is when its smile was read, if that was not at the last fit, else 0.
    """

    tau_years: float
    rate_annual: float
    yield_annual: float
    read_ns: UnixNs = UnixNs(0)


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """One chain as it was last seen; `spot_usd` is NaN while it is doubted."""

    underlying: str
    number: int
    at_ns: UnixNs
    epoch: int
    spot_usd: float
    spot_at_ns: UnixNs
    carries: tuple[Carry, ...]
    columns: dict[str, bytes]


class SeenLeg(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one option: model inputs, its quote, its delta."""

    marks: Marks
    quote: LegQuote | None
    delta_per_share: float


UNSEEN = SeenLeg(marks=UNMARKED, quote=None, delta_per_share=math.nan)


def sight_of(view: ChainView) -> Sight:
    """Return what is kept of a view."""
    spot = view.spot_usd
    trusted = spot is not None and not view.spot_doubt and spot > 0.0
    return Sight(
        underlying=view.underlying,
        number=view.number,
        at_ns=view.at_ns,
        epoch=view.epoch,
        spot_usd=spot if trusted and spot is not None else math.nan,
        spot_at_ns=view.spot_at_ns,
        carries=tuple(
            Carry(*carry_of(one, spot_usd=spot), one.read_ns if one.unread else UnixNs(0))
            for one in view.series
        ),
        columns={name: view.columns[place] for name, place in _PLACES.items()},
    )


def seen_legs(sight: Sight, con_ids: Iterable[ConId]) -> dict[ConId, SeenLeg]:
    """Return what a sight shows of some options; what it does not show is left out."""
    columns, rows = _found(sight, con_ids)
    return {con_id: _seen(sight, columns, row) for con_id, row in rows.items()}


def marks_in_sight(sight: Sight, con_ids: Iterable[ConId]) -> dict[ConId, Marks]:
    """Return the model inputs of some options."""
    columns, rows = _found(sight, con_ids)
    return {con_id: _marks(sight, columns, row) for con_id, row in rows.items()}


def marks_since(sight: Sight, con_ids: Iterable[ConId]) -> dict[ConId, UnixNs]:
    """Return when those were read whose volatility is that of a smile that stands unread."""
    if not any(one.read_ns for one in sight.carries):
        return {}
    columns, rows = _found(sight, con_ids)
    since = {con_id: _carry(sight, columns, row).read_ns for con_id, row in rows.items()}
    return {
        con_id: read_ns
        for con_id, read_ns in since.items()
        if read_ns and not _is_believed(columns, rows[con_id])
    }


def _found(
    sight: Sight, con_ids: Iterable[ConId]
) -> tuple[Mapping[str, NDArray[Any]], dict[ConId, int]]:
    """The columns, and the rows of those options that the sight shows."""
    conid = _column(sight, "conid")
    wanted = np.array(list(con_ids), dtype=np.int64)
    rows = np.flatnonzero(np.isin(conid, wanted)).tolist() if wanted.size else []
    columns = {name: _column(sight, name) for name in KEPT} if rows else {}
    return columns, {ConId(int(conid[row])): row for row in rows}


def _marks(sight: Sight, columns: Mapping[str, NDArray[Any]], row: int) -> Marks:
    volatility = "iv_annual" if _is_believed(columns, row) else "smile_iv_annual"
    carry = _carry(sight, columns, row)
    return Marks(
        tau_years=carry.tau_years,
        iv_annual=float(columns[volatility][row]),
        rate_annual=carry.rate_annual,
        yield_annual=carry.yield_annual,
    )


def _is_believed(columns: Mapping[str, NDArray[Any]], row: int) -> bool:
    """Whether an option's own quote tells its volatility."""
    return int(columns["doubt"][row]) == 0 and math.isfinite(columns["iv_annual"][row])


def _carry(sight: Sight, columns: Mapping[str, NDArray[Any]], row: int) -> Carry:
    return sight.carries[int(columns["series"][row])]


def _seen(sight: Sight, columns: Mapping[str, NDArray[Any]], row: int) -> SeenLeg:
    quote = LegQuote(
        seq=sight.number,
        bid_usd=_price(float(columns["bid_usd"][row])),
        ask_usd=_price(float(columns["ask_usd"][row])),
        at_ns=UnixNs(int(columns["at_ns"][row])),
        epoch=sight.epoch,
        live=int(columns["doubt"][row]) == 0,
    )
    return SeenLeg(
        marks=_marks(sight, columns, row),
        quote=quote,
        delta_per_share=float(columns["delta_per_share"][row]),
    )


def _price(value: float) -> Any:
    return to_decimal(value, places=_PRICE_PLACES) if math.isfinite(value) else None


def _column(sight: Sight, name: str) -> NDArray[Any]:
    return np.frombuffer(sight.columns[name], dtype=ROW_TYPES[name])
