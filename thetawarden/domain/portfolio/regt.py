"""Estimates the margin a strategy-based (Reg-T style) account needs for a book.

Pure. The published rules: a naked short option needs its worth plus the larger of a share of the
underlying less what it is out of the money and a minimum; a short hedged by a long of the same
type that lives as long needs the difference of strikes; of a short put and a short call only the
dearer is charged, plus the other's worth; of a put spread and a call spread of one expiry that
cannot both lose only the wider; a short call over shares needs nothing of its own; a lone long
option is paid in full. Hedges are assigned greedily, the dearest short first: never less than a
broker's best pairing would need. A broker's own what-if answer comes first wherever there is one:
this projects what no broker is asked. Futures are their exchange's to margin; pass them as a
requirement of their own.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.portfolio.book import Book, PositionKind, Underlyings
from thetawarden.domain.pricing.arrays import BoolArray, FloatArray


class RegTRates(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of the underlying's worth (of a put's strike for its minimum)."""

    broad_index: float = 0.15
    other: float = 0.20
    minimum: float = 0.10
    long_shares: float = 0.25
    short_shares: float = 0.30


class _Leg(msgspec.Struct, kw_only=True):
    """Short or long contracts of one position that no hedge has taken yet; USD per contract."""

    contracts: float
    is_call: bool
    strike_usd: float
    tau_years: float
    multiplier: float
    worth_usd: float
    naked_usd: float


class _Spread(msgspec.Struct, kw_only=True):
    contracts: float
    is_call: bool
    short_strike_usd: float
    tau_years: float
    width_usd: float


def regt_requirement(
    book: Book,
    underlyings: Underlyings,
    *,
    worth_usd: FloatArray,
    broad_index: BoolArray,
    rates: RegTRates,
) -> FloatArray:
    """Requirement in USD per underlying.

    `worth_usd` is each position's signed worth, `broad_index` has one entry per underlying.
    """
    requirement = np.zeros(len(underlyings.spot_usd))
    for underlying in np.unique(book.underlying):
        rows = np.flatnonzero(book.underlying == underlying)
        share = rates.broad_index if broad_index[underlying] else rates.other
        requirement[underlying] = _of_underlying(
            book.take(rows),
            worth_usd=worth_usd[rows],
            spot_usd=float(underlyings.spot_usd[underlying]),
            share=share,
            rates=rates,
        )
    return requirement


def _of_underlying(
    book: Book, *, worth_usd: FloatArray, spot_usd: float, share: float, rates: RegTRates
) -> float:
    if not (math.isfinite(spot_usd) and np.isfinite(worth_usd).all()):
        return math.nan
    linear = book.rows(PositionKind.LINEAR)
    held = book.contracts[linear] * book.multiplier[linear]
    total = spot_usd * (
        rates.long_shares * held[held > 0.0].sum() - rates.short_shares * held[held < 0.0].sum()
    )
    options = np.setdiff1d(np.arange(book.size), linear)
    legs = _legs(book, options, worth_usd=worth_usd, spot_usd=spot_usd, share=share, rates=rates)
    shorts = sorted((leg for leg in legs if leg.contracts < 0.0), key=lambda leg: -leg.naked_usd)
    for leg in shorts:
        leg.contracts = -leg.contracts
    longs = [leg for leg in legs if leg.naked_usd == 0.0]
    _cover(shorts, shares=float(held.sum()))
    spreads = [spread for short in shorts for spread in _hedge(short, longs)]
    total += sum(long.contracts * long.worth_usd for long in longs)
    return float(total) + _spreads_usd(spreads) + _naked_usd(shorts)


def _legs(
    book: Book,
    rows: NDArray[np.intp],
    *,
    worth_usd: FloatArray,
    spot_usd: float,
    share: float,
    rates: RegTRates,
) -> list[_Leg]:
    legs = []
    for row in rows[book.contracts[rows] != 0.0]:
        strike, is_call = float(book.strike_usd[row]), bool(book.is_call[row])
        contracts, multiplier = float(book.contracts[row]), float(book.multiplier[row])
        worth = abs(float(worth_usd[row]) / contracts)
        away = max(0.0, strike - spot_usd if is_call else spot_usd - strike)
        least = rates.minimum * (spot_usd if is_call else strike)
        charge = max(share * spot_usd - away, least) * multiplier
        legs.append(
            _Leg(
                contracts=contracts,
                is_call=is_call,
                strike_usd=strike,
                tau_years=float(book.tau_years[row]),
                multiplier=multiplier,
                worth_usd=worth,
                naked_usd=worth + charge if contracts < 0.0 else 0.0,
            )
        )
    return legs


def _cover(shorts: list[_Leg], *, shares: float) -> None:
    """Long shares cover short calls, short shares short puts, whole contracts only."""
    left = abs(shares)
    for short in shorts:
        if short.is_call == (shares > 0.0):
            covered = min(short.contracts, math.floor(left / short.multiplier))
            short.contracts -= covered
            left -= covered * short.multiplier


def _hedge(short: _Leg, longs: list[_Leg]) -> list[_Spread]:
    """Take longs that make a spread cheaper than the naked short, cheapest spread first."""
    spreads = []
    for long in sorted(longs, key=lambda leg: _width(short, leg)):
        matched = min(short.contracts, long.contracts)
        fits = long.is_call == short.is_call and long.tau_years >= short.tau_years
        if not fits or matched <= 0.0 or _width(short, long) >= short.naked_usd:
            continue
        short.contracts -= matched
        long.contracts -= matched
        spreads.append(
            _Spread(
                contracts=matched,
                is_call=short.is_call,
                short_strike_usd=short.strike_usd,
                tau_years=short.tau_years,
                width_usd=_width(short, long),
            )
        )
    return spreads


def _width(short: _Leg, long: _Leg) -> float:
    sign = 1.0 if short.is_call else -1.0
    return max(0.0, sign * (long.strike_usd - short.strike_usd)) * short.multiplier


def _spreads_usd(spreads: list[_Spread]) -> float:
    """All widths, less the narrower side of every iron condor among them."""
    total = sum(spread.contracts * spread.width_usd for spread in spreads)
    puts, calls = (
        sorted(
            (spread for spread in spreads if spread.is_call == side),
            key=lambda spread: -spread.width_usd,
        )
        for side in (False, True)
    )
    for put in puts:
        for call in calls:
            apart = put.short_strike_usd <= call.short_strike_usd
            if apart and put.tau_years == call.tau_years:
                matched = min(put.contracts, call.contracts)
                put.contracts -= matched
                call.contracts -= matched
                total -= matched * min(put.width_usd, call.width_usd)
    return total


def _naked_usd(shorts: list[_Leg]) -> float:
    """Naked requirements, strangles paying the dearer side and the other's worth only."""
    total = sum(short.contracts * short.naked_usd for short in shorts)
    puts = [short for short in shorts if not short.is_call]
    calls = [short for short in shorts if short.is_call]
    for put in puts:
        for call in calls:
            matched = min(put.contracts, call.contracts)
            cheaper = min((put, call), key=lambda leg: leg.naked_usd)
            put.contracts -= matched
            call.contracts -= matched
            total -= matched * (cheaper.naked_usd - cheaper.worth_usd)
    return total
