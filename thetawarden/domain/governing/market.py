"""Puts together what the models need of the market, from all that was seen of it.

Pure. A whole is no fresher than its oldest part that matters: the index, the VIX, and the price of
everything that is held or may yet be.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import msgspec

from thetawarden.domain.context.beta import Beta
from thetawarden.domain.governing.sights import Sight, marks_in_sight
from thetawarden.domain.governing.terms import Terms, beta_of, is_broad, sector_named
from thetawarden.domain.governing.trades import HeldRow
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.regime.readings import Reading
from thetawarden.domain.risk.holdings import MarketView, PendingOrder
from thetawarden.domain.risk.instrument import ConId, Instrument, Marks, UnderlyingView


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at hand at an instant."""

    index: Reading | None
    vix: Reading | None
    sights: Mapping[str, Sight]
    betas: dict[str, Beta]
    rows: tuple[HeldRow, ...]
    rows_ns: UnixNs
    pending: tuple[PendingOrder, ...]


def market_of(seen: Seen, *, terms: Terms, also: Iterable[Instrument] = ()) -> MarketView:
    """Return the market for what is held, what may yet be, and some instruments more."""
    instruments = [
        *(row.instrument for row in seen.rows),
        *(leg.instrument for order in seen.pending for leg in order.legs),
    ]
    matter = dict.fromkeys(one.underlying for one in instruments)
    wanted = _by_underlying([*instruments, *also])
    marks: dict[ConId, Marks] = {}
    for symbol, con_ids in wanted.items():
        sight = seen.sights.get(symbol)
        if sight is not None:
            marks |= marks_in_sight(sight, con_ids)
    symbols = sorted({*matter, *wanted, *seen.sights})
    views = tuple(_view(symbol, seen, terms) for symbol in symbols)
    parts = [one.spot_at_ns for one in views if one.symbol in matter]
    parts += [UnixNs(0) if one is None else one.at_ns for one in (seen.index, seen.vix)]
    return MarketView(
        at_ns=min(parts),
        index_usd=_value(seen.index),
        vix_points=_value(seen.vix),
        underlyings=views,
        marks=marks,
    )


def _view(symbol: str, seen: Seen, terms: Terms) -> UnderlyingView:
    follows = beta_of(symbol, terms=terms, measured=seen.betas)
    spot, at_ns = _spot(symbol, seen)
    return UnderlyingView(
        symbol=symbol,
        spot_usd=spot,
        spot_at_ns=at_ns,
        beta=follows.beta,
        iv_beta=follows.iv_beta,
        sector=sector_named(symbol, terms=terms),
        broad_index=is_broad(symbol),
    )


def _spot(symbol: str, seen: Seen) -> tuple[float, UnixNs]:
    """The price of its chain; of shares without a chain what the account values them at."""
    sight = seen.sights.get(symbol)
    if sight is not None:
        return sight.spot_usd, sight.spot_at_ns
    for row in seen.rows:
        one = row.instrument
        if one.underlying == symbol and not one.is_option and math.isfinite(row.mark_usd):
            return row.mark_usd, seen.rows_ns
    return math.nan, UnixNs(0)


def _by_underlying(instruments: Iterable[Instrument]) -> dict[str, list[ConId]]:
    found: dict[str, list[ConId]] = {}
    for one in instruments:
        if one.is_option:
            found.setdefault(one.underlying, []).append(one.con_id)
    return found


def _value(reading: Reading | None) -> float:
    return math.nan if reading is None else reading.value
