"""Puts together what the models need of the market, from all that was seen of it.

Pure. A whole is no fresher than its oldest part that matters: the index, the VIX, and the price of
everything that is held or may yet be.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import msgspec

from thetawarden.domain.context.beta import Beta
from thetawarden.domain.governing.sights import Sight, marks_in_sight, marks_since
from thetawarden.domain.governing.terms import Terms, beta_of, is_broad, sector_named
from thetawarden.domain.governing.trades import HeldRow
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.regime.readings import Reading
from thetawarden.domain.risk.holdings import MarketView, PendingOrder
from thetawarden.domain.risk.instrument import ConId, Instrument, Marks, UnderlyingView


class KeptMarks(msgspec.Struct, frozen=True, kw_only=True):
    """What was last known of an option that is held, and when it was seen."""

    at_ns: UnixNs
    marks: Marks


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at hand at an instant."""

    index: Reading | None
    vix: Reading | None
    sights: Mapping[str, Sight]
    betas: dict[str, Beta]
    rows: tuple[HeldRow, ...]
    rows_ns: UnixNs
    pending: tuple[PendingOrder, ...]
    kept: Mapping[ConId, KeptMarks] = {}


def market_of(seen: Seen, *, terms: Terms, also: Iterable[Instrument] = ()) -> MarketView:
    """Return the market for what is held, what may yet be, and some instruments more.

    What its chain does not tell of a held option just now is what was last known of it, or what a
    smile tells that could not be read since: a book that cannot be valued demands nothing. The
    whole is as old as that, so no entry rests on it for long.
    """
    instruments = _instruments(seen)
    matter = dict.fromkeys(one.underlying for one in instruments)
    wanted = _by_underlying([*instruments, *also])
    marks: dict[ConId, Marks] = {}
    for symbol, con_ids in wanted.items():
        sight = seen.sights.get(symbol)
        if sight is not None:
            marks |= marks_in_sight(sight, con_ids)
    missing = dict.fromkeys(
        one.con_id for one in instruments if not _is_told(marks.get(one.con_id))
    )
    kept = {con_id: seen.kept[con_id] for con_id in missing if con_id in seen.kept}
    marks |= {con_id: one.marks for con_id, one in kept.items()}
    symbols = sorted({*matter, *wanted, *seen.sights})
    views = tuple(_view(symbol, seen, terms) for symbol in symbols)
    parts = [one.spot_at_ns for one in views if one.symbol in matter]
    parts += [one.at_ns for one in kept.values()]
    parts += _read_ns(seen, instruments).values()
    parts += [UnixNs(0) if one is None else one.at_ns for one in (seen.index, seen.vix)]
    return MarketView(
        at_ns=min(parts),
        index_usd=_value(seen.index),
        vix_points=_value(seen.vix),
        underlyings=views,
        marks=marks,
    )


def kept_of(market: MarketView, seen: Seen) -> dict[ConId, KeptMarks]:
    """Return what is to be kept of everything that is held or may yet be."""
    found: dict[ConId, KeptMarks] = {}
    instruments = _instruments(seen)
    read_ns = _read_ns(seen, instruments)
    for one in instruments:
        marks, before = market.marks.get(one.con_id), seen.kept.get(one.con_id)
        if before is not None and marks is before.marks:
            found[one.con_id] = before
        elif marks is not None and _is_told(marks):
            at_ns = read_ns.get(one.con_id, seen.sights[one.underlying].at_ns)
            found[one.con_id] = KeptMarks(at_ns=at_ns, marks=marks)
    return found


def _instruments(seen: Seen) -> list[Instrument]:
    return [
        *(row.instrument for row in seen.rows),
        *(leg.instrument for order in seen.pending for leg in order.legs),
    ]


def _read_ns(seen: Seen, instruments: Iterable[Instrument]) -> dict[ConId, UnixNs]:
    """When that was read which a chain tells of some instruments by a smile it could not renew."""
    found: dict[ConId, UnixNs] = {}
    for symbol, con_ids in _by_underlying(instruments).items():
        sight = seen.sights.get(symbol)
        if sight is not None:
            found |= marks_since(sight, con_ids)
    return found


def _is_told(marks: Marks | None) -> bool:
    return marks is not None and all(
        map(
            math.isfinite,
            (marks.tau_years, marks.iv_annual, marks.rate_annual, marks.yield_annual),
        )
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
