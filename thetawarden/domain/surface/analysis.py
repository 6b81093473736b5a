"""Reads a whole chain of European options at once: from quotes to smiles, Greeks and skew.

Pure; wires the other modules of this folder together and decides only which numbers feed which.
One row per option, grouped by `expiry_index` into the expiries that `tau_years` lists. Nothing is
invented: a quote, volatility, forward, smile or skew that cannot be had has a named reason.
A row's Greeks use its own mid's volatility; a row without one takes its smile's, and says so.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.pricing.arrays import BoolArray, FloatArray
from thetawarden.domain.pricing.black import POINTS_PER_UNIT, Greeks, spot_greeks
from thetawarden.domain.pricing.implied import Implied, implied_volatility
from thetawarden.domain.pricing.quotes import QuoteLimits, judge_quotes
from thetawarden.domain.pricing.reasons import Codes, NoVolatility, reason_of
from thetawarden.domain.surface.arbitrage import (
    ButterflyBreach,
    CalendarBreach,
    find_butterflies,
    find_calendars,
)
from thetawarden.domain.surface.fit import FitSettings, SmileFit, SmilePoints, fit_smiles
from thetawarden.domain.surface.odds import ImpliedMoves, implied_moves
from thetawarden.domain.surface.parity import (
    ForwardGap,
    Forwards,
    RatePrior,
    StrikePairs,
    fit_forwards,
)
from thetawarden.domain.surface.skew import Skews, SkewSettings, measure_skews
from thetawarden.domain.surface.smile import smile_iv


class ChainQuotes(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A chain as it was quoted; the age is one for all rows or one per row."""

    spot_usd: float
    tau_years: FloatArray
    expiry_index: NDArray[np.intp]
    strike_usd: FloatArray
    is_call: BoolArray
    bid_usd: FloatArray
    ask_usd: FloatArray
    quote_age_ns: NDArray[np.int64] | int


class AnalysisSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits and habits of every step."""

    limits: QuoteLimits
    rate_prior: RatePrior | None = None
    fit: FitSettings = FitSettings()
    skew: SkewSettings = SkewSettings()
    calendar_tolerance_vol_points: float = 0.0


class ChainAnalysis(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """All there is to know of a chain: rows first, then expiries.

    `quote_codes` and the codes of `implied` say, in this order, why a row has no volatility of its
    own; `from_smile` marks the rows whose Greeks rest on the smile instead.
    """

    expiry_index: NDArray[np.intp]
    quote_codes: Codes
    implied: Implied
    smile_iv_annual: FloatArray
    greeks: Greeks
    from_smile: BoolArray
    forwards: Forwards
    fit: SmileFit
    skews: Skews
    moves: ImpliedMoves
    butterflies: tuple[ButterflyBreach, ...]
    calendars: tuple[CalendarBreach, ...]


def analyse_chain(quotes: ChainQuotes, *, settings: AnalysisSettings) -> ChainAnalysis:
    """Analyse a chain of European options."""
    with np.errstate(all="ignore"):
        return _analyse(quotes, settings)


def row_reason(analysis: ChainAnalysis, row: int) -> NoVolatility | ForwardGap | None:
    """Why a row has no volatility of its own: its quote, its expiry's forward, or its price."""
    quote = reason_of(int(analysis.quote_codes[row]))
    forward = analysis.forwards.gaps[int(analysis.expiry_index[row])]
    return quote or forward or reason_of(int(analysis.implied.reason_code[row]))


def _analyse(quotes: ChainQuotes, settings: AnalysisSettings) -> ChainAnalysis:
    quote_codes = judge_quotes(
        bid_usd=quotes.bid_usd,
        ask_usd=quotes.ask_usd,
        quote_age_ns=np.asarray(quotes.quote_age_ns, dtype=np.float64),
        limits=settings.limits,
    )
    usable: BoolArray = quote_codes == 0
    forwards = fit_forwards(
        _pairs(quotes, usable), tau_years=quotes.tau_years, prior=settings.rate_prior
    )
    implied = _implied(quotes, forwards, usable=usable)
    own = _greeks(quotes, forwards, iv_annual=implied.iv_annual)
    fit = fit_smiles(
        _points(quotes, forwards, implied=implied, greeks=own),
        tau_years=quotes.tau_years,
        forward_usd=forwards.forward_usd,
        discount=forwards.discount,
        settings=settings.fit,
    )
    smiles = fit.smiles
    from_smile = np.isnan(implied.iv_annual)
    on_smile = smile_iv(smiles, expiry=quotes.expiry_index, strike_usd=quotes.strike_usd)
    return ChainAnalysis(
        expiry_index=quotes.expiry_index,
        quote_codes=quote_codes,
        implied=implied,
        smile_iv_annual=on_smile,
        greeks=_completed(own, quotes, forwards, rows=np.flatnonzero(from_smile), iv=on_smile),
        from_smile=from_smile & ~np.isnan(on_smile),
        forwards=forwards,
        fit=fit,
        skews=measure_skews(smiles, settings=settings.skew),
        moves=implied_moves(smiles),
        butterflies=find_butterflies(smiles),
        calendars=find_calendars(
            smiles, tolerance_vol_points=settings.calendar_tolerance_vol_points
        ),
    )


def _pairs(quotes: ChainQuotes, usable: BoolArray) -> StrikePairs:
    """Match calls and puts of the same strike and expiry, both usable."""
    rows = np.flatnonzero(usable & np.isfinite(quotes.strike_usd))
    rows = rows[
        np.lexsort((quotes.is_call[rows], quotes.strike_usd[rows], quotes.expiry_index[rows]))
    ]
    put, call = rows[:-1], rows[1:]
    match = (
        (quotes.expiry_index[put] == quotes.expiry_index[call])
        & (quotes.strike_usd[put] == quotes.strike_usd[call])
        & quotes.is_call[call]
        & ~quotes.is_call[put]
    )
    put, call = put[match], call[match]
    width = quotes.ask_usd - quotes.bid_usd
    mid = (quotes.ask_usd + quotes.bid_usd) / 2.0
    return StrikePairs(
        expiry_index=quotes.expiry_index[put],
        strike_usd=quotes.strike_usd[put],
        call_minus_put_usd=mid[call] - mid[put],
        error_usd=np.maximum(np.hypot(width[call], width[put]) / 2.0, _error_floor(quotes)),
    )


def _error_floor(quotes: ChainQuotes) -> float:
    """Locked markets are not known exactly: a millionth of the spot is below any tick."""
    return 1e-6 * quotes.spot_usd


def _implied(quotes: ChainQuotes, forwards: Forwards, *, usable: BoolArray) -> Implied:
    expiry = quotes.expiry_index
    return implied_volatility(
        price_usd=np.where(usable, (quotes.bid_usd + quotes.ask_usd) / 2.0, np.nan),
        forward=forwards.forward_usd[expiry],
        strike=quotes.strike_usd,
        discount=forwards.discount[expiry],
        tau_years=quotes.tau_years[expiry],
        is_call=quotes.is_call,
    )


def _greeks(
    quotes: ChainQuotes,
    forwards: Forwards,
    *,
    iv_annual: FloatArray,
    rows: NDArray[np.intp] | slice = slice(None),
) -> Greeks:
    expiry = quotes.expiry_index[rows]
    return spot_greeks(
        spot=quotes.spot_usd,
        forward=forwards.forward_usd[expiry],
        strike=quotes.strike_usd[rows],
        discount=forwards.discount[expiry],
        tau_years=quotes.tau_years[expiry],
        iv_annual=iv_annual[rows],
        is_call=quotes.is_call[rows],
    )


def _completed(
    own: Greeks,
    quotes: ChainQuotes,
    forwards: Forwards,
    *,
    rows: NDArray[np.intp],
    iv: FloatArray,
) -> Greeks:
    """The rows' own Greeks, and for the rows listed those of the smile."""
    theirs = _greeks(quotes, forwards, iv_annual=iv, rows=rows)
    columns = {}
    for name in Greeks.__struct_fields__:
        column = getattr(own, name).copy()
        column[rows] = getattr(theirs, name)
        columns[name] = column
    return Greeks(**columns)


def _points(
    quotes: ChainQuotes, forwards: Forwards, *, implied: Implied, greeks: Greeks
) -> SmilePoints:
    """Out-of-the-money rows with a volatility, and how well their spread lets us know it."""
    forward = forwards.forward_usd[quotes.expiry_index]
    rows = np.flatnonzero(
        ~np.isnan(implied.iv_annual) & (quotes.is_call == (quotes.strike_usd >= forward))
    )
    half_spread = (quotes.ask_usd[rows] - quotes.bid_usd[rows]) / 2.0
    with np.errstate(divide="ignore", invalid="ignore"):
        error = half_spread / (greeks.vega_usd_per_vol_point[rows] * POINTS_PER_UNIT)
    return SmilePoints(
        expiry=quotes.expiry_index[rows],
        log_moneyness=np.log(quotes.strike_usd[rows] / forward[rows]),
        iv_annual=implied.iv_annual[rows],
        iv_error_annual=error,
    )
