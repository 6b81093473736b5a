"""Reads a whole chain at once: from quotes to smiles, Greeks and skew.

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
from thetawarden.domain.pricing.black import Greeks, black_vega
from thetawarden.domain.pricing.implied import Implied
from thetawarden.domain.pricing.quotes import QuoteLimits, judge_quotes
from thetawarden.domain.pricing.reasons import Codes, NoVolatility, reason_of
from thetawarden.domain.surface.arbitrage import (
    ButterflyBreach,
    CalendarBreach,
    find_butterflies,
    find_calendars,
)
from thetawarden.domain.surface.chain import ChainQuotes
from thetawarden.domain.surface.fit import FitSettings, SmileFit, SmilePoints, fit_smiles
from thetawarden.domain.surface.odds import ImpliedMoves, implied_moves
from thetawarden.domain.surface.parity import (
    ForwardGap,
    Forwards,
    RatePrior,
)
from thetawarden.domain.surface.reading import read_mids, row_greeks
from thetawarden.domain.surface.skew import Skews, SkewSettings, measure_skews
from thetawarden.domain.surface.smile import smile_iv


class AnalysisSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits and habits of every step."""

    limits: QuoteLimits
    rate_prior: RatePrior
    fit: FitSettings = FitSettings()
    skew: SkewSettings = SkewSettings()


class ChainAnalysis(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """All there is to know of a chain: rows first, then expiries.

    `quote_codes` and the codes of `implied` say, in this order, why a row has no volatility of its
    own; `from_smile` marks the rows whose Greeks rest on the smile instead. What no fit needs is
    computed when it is asked for.
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

    @property
    def moves(self) -> ImpliedMoves:
        """How far each expiry lets the underlying go."""
        with np.errstate(all="ignore"):
            return implied_moves(self.fit.smiles)

    @property
    def butterflies(self) -> tuple[ButterflyBreach, ...]:
        """Where a smile gives a probability below zero."""
        with np.errstate(all="ignore"):
            return find_butterflies(self.fit.smiles)

    def calendars(self, *, tolerance_vol_points: float = 0.0) -> tuple[CalendarBreach, ...]:
        """Where a later expiry has less variance than an earlier one."""
        with np.errstate(all="ignore"):
            return find_calendars(self.fit.smiles, tolerance_vol_points=tolerance_vol_points)


def analyse_chain(quotes: ChainQuotes, *, settings: AnalysisSettings) -> ChainAnalysis:
    """Analyse a chain; all its options are exercised in the same style."""
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
    reading = read_mids(quotes, usable=quote_codes == 0, prior=settings.rate_prior)
    forwards, implied = reading.forwards, reading.implied
    fit = fit_smiles(
        _points(quotes, forwards, implied=implied),
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
        greeks=row_greeks(
            quotes, forwards, iv_annual=np.where(from_smile, on_smile, implied.iv_annual)
        ),
        from_smile=from_smile & ~np.isnan(on_smile),
        forwards=forwards,
        fit=fit,
        skews=measure_skews(smiles, settings=settings.skew),
    )


def _points(quotes: ChainQuotes, forwards: Forwards, *, implied: Implied) -> SmilePoints:
    """Out-of-the-money rows with a volatility, and how well their spread lets us know it.

    Early exercise hardly changes what an out-of-the-money option gains by volatility.
    """
    forward = forwards.forward_usd[quotes.expiry_index]
    rows = np.flatnonzero(
        ~np.isnan(implied.iv_annual) & (quotes.is_call == (quotes.strike_usd >= forward))
    )
    expiry, strike, forward = quotes.expiry_index[rows], quotes.strike_usd[rows], forward[rows]
    iv = implied.iv_annual[rows]
    vega_usd = black_vega(
        forward=forward,
        strike=strike,
        discount=forwards.discount[expiry],
        tau_years=quotes.tau_years[expiry],
        iv_annual=iv,
    )
    return SmilePoints(
        expiry=expiry,
        log_moneyness=np.log(strike / forward),
        iv_annual=iv,
        iv_error_annual=quotes.width_usd[rows] / 2.0 / vega_usd,
    )
