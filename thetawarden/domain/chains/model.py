"""Gives every row a volatility and Greeks of our own: all at once now and then, few at any time.

Pure but for the table, whose model columns it fills. The full fit reads forwards, smiles and skew
off all usable quotes. Between two fits a row that is quoted anew gets its volatility and Greeks
against the forwards of the last fit, carried along with the underlying: forward over spot stays.
What early exercise adds to an American option is held from fit to fit as well, so that a tick
costs the same in both styles; for a European one it is nothing. Rows without a price of their own
take their smile's volatility for Greeks, and have no `iv_annual`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.chains.table import QuoteTable
from thetawarden.domain.market.contracts import ExerciseStyle
from thetawarden.domain.market.expiry import CALENDAR_YEAR_NS, tau_calendar_years
from thetawarden.domain.pricing.arrays import BoolArray, FloatArray, Rows
from thetawarden.domain.pricing.black import Greeks, spot_greeks
from thetawarden.domain.pricing.implied import implied_volatility
from thetawarden.domain.pricing.quotes import QuoteLimits
from thetawarden.domain.remembering import remembered
from thetawarden.domain.surface.analysis import AnalysisSettings, ChainAnalysis, analyse_chain
from thetawarden.domain.surface.chain import ChainQuotes
from thetawarden.domain.surface.fit import FitSettings
from thetawarden.domain.surface.parity import RatePrior
from thetawarden.domain.surface.reading import IV_ERROR_MAX
from thetawarden.domain.surface.skew import SkewSettings
from thetawarden.domain.surface.smile import Smiles, smile_values

_ANY_QUOTE = QuoteLimits(
    quote_age_ns_max=np.inf, spread_fraction_max=np.inf, spread_usd_always_fine=np.inf
)
_AGED_BY_MOVE = 0.001
_AGED_BY_TIME = 0.05  # of what an expiry had left
MODELS_KEPT = 64
NOT_FITTED = "not_fitted"
"""The gap of a series that came after the last fit."""
_NAMES = ("delta_per_share", "gamma_per_usd", "vega_usd_per_vol_point", "theta_usd_per_day")
_EARLY = ("early_delta", "early_gamma", "early_vega", "early_theta")


class FitHabits(msgspec.Struct, frozen=True, kw_only=True):
    """What is believed of the rate beforehand, and how smiles and skew are read."""

    rate_prior: RatePrior = RatePrior(rate_annual=0.04)
    fit: FitSettings = FitSettings()
    skew: SkewSettings = SkewSettings()

    def analysis(self) -> AnalysisSettings:
        """The settings of the analysis, which gets only quotes that were judged already."""
        return AnalysisSettings(
            limits=_ANY_QUOTE, rate_prior=self.rate_prior, fit=self.fit, skew=self.skew
        )


class SeriesModel(msgspec.Struct, kw_only=True, eq=False):
    """What the last fit found, one entry per series; NaN where it found nothing."""

    tau_years: FloatArray
    spot_usd: FloatArray
    forward_usd: FloatArray
    forward_error_usd: FloatArray
    discount: FloatArray
    atm_iv_annual: FloatArray
    smile_error_vol_points: FloatArray
    put_iv_annual: FloatArray
    call_iv_annual: FloatArray
    skew_log_ratio: FloatArray
    skew_normalised: FloatArray
    scale_variance: FloatArray
    low: FloatArray
    high: FloatArray
    low_slope: FloatArray
    high_slope: FloatArray
    knot_ratio: FloatArray
    knot_curvature: FloatArray


class Gaps(msgspec.Struct, frozen=True, kw_only=True):
    """Why a series has no forward, no smile, no skew; empty words where it has."""

    forward: tuple[str, ...]
    smile: tuple[str, ...]
    skew: tuple[str, ...]


def fit_model(
    table: QuoteTable,
    *,
    usable: BoolArray,
    spot_usd: float,
    settlement_ns: NDArray[np.int64],
    now_ns: int,
    exercise: ExerciseStyle,
    habits: FitHabits,
) -> tuple[SeriesModel, Gaps]:
    """Fit everything to the usable rows and fill every row's model columns from it."""
    quotes = ChainQuotes(
        spot_usd=spot_usd,
        tau_years=tau_calendar_years(now_ns=now_ns, settlement_ns=settlement_ns),
        expiry_index=table.series.astype(np.intp),
        strike_usd=table.strike_usd,
        is_call=table.is_call,
        bid_usd=np.where(usable, table.sound_bid_usd, np.nan),
        ask_usd=np.where(usable, table.sound_ask_usd, np.nan),
        quote_age_ns=0,
        exercise=exercise,
    )
    found = analyse_chain(quotes, settings=habits.analysis())
    _fill(table, quotes, found)
    return _series_model(quotes, found), Gaps(
        forward=_words(found.forwards.gaps),
        smile=_words(found.fit.smiles.gaps),
        skew=_words(found.skews.gaps),
    )


def has_aged(model: SeriesModel, *, spot_usd: float, since_ns: int) -> bool:
    """Whether the underlying or time has left a model behind."""
    moved = np.abs(spot_usd / model.spot_usd - 1.0)
    passed = since_ns / CALENDAR_YEAR_NS / model.tau_years[model.tau_years > 0.0]
    fresh = (moved < _AGED_BY_MOVE).all() and (passed < _AGED_BY_TIME).all()
    return not fresh  # what cannot be compared is not fresh


def carried_forwards(model: SeriesModel, *, spot_usd: float) -> FloatArray:
    """Return each series' forward as the underlying is now: forward over spot stays."""
    return model.forward_usd * (spot_usd / model.spot_usd)


def refresh_rows(table: QuoteTable, model: SeriesModel, rows: Rows, *, spot_usd: float) -> None:
    """Give some rows volatility and Greeks of their sound price and the spot as it is now."""
    if not rows.size:
        return
    series = table.series[rows]
    with np.errstate(all="ignore"):
        forward = carried_forwards(model, spot_usd=spot_usd)[series]
        strike, is_call = table.strike_usd[rows], table.is_call[rows]
        discount, tau_years = model.discount[series], model.tau_years[series]
        implied = implied_volatility(
            price_usd=table.sound_mid_usd[rows] - table.early_usd[rows],
            forward=forward,
            strike=strike,
            discount=discount,
            tau_years=tau_years,
            is_call=is_call,
            error_max=IV_ERROR_MAX,
        )
        known = ~np.isnan(implied.iv_annual)
        greeks = spot_greeks(
            spot=spot_usd,
            forward=forward,
            strike=strike,
            discount=discount,
            tau_years=tau_years,
            iv_annual=np.where(known, implied.iv_annual, table.smile_iv_annual[rows]),
            is_call=is_call,
        )
        table.iv_annual[rows], table.iv_code[rows] = implied.iv_annual, implied.reason_code
        for name, early in zip(_NAMES, _EARLY, strict=True):
            getattr(table, name)[rows] = getattr(greeks, name) + getattr(table, early)[rows]


@remembered(MODELS_KEPT)
def smiles_of(model: SeriesModel, gaps: Gaps) -> Smiles:
    """Return the fitted smiles, for strikes by delta and volatilities anywhere."""
    names = {name for name in Smiles.__struct_fields__ if name != "gaps"}
    return Smiles(
        gaps=tuple(gap or None for gap in gaps.smile),  # type: ignore[misc]  # its words will do
        **{name: getattr(model, name) for name in names},
    )


def reordered(model: SeriesModel, gaps: Gaps, order: Sequence[int]) -> tuple[SeriesModel, Gaps]:
    """Return the model for another list of series; -1 stands for one that is new to it."""
    at = np.array(order, dtype=np.intp)
    new = at < 0
    columns = {}
    for name in SeriesModel.__struct_fields__:
        column = getattr(model, name)[at] if len(model.tau_years) else _nothing(model, name, at)
        column[new] = np.nan
        columns[name] = column
    words = {
        name: tuple(getattr(gaps, name)[one] if one >= 0 else NOT_FITTED for one in order)
        for name in Gaps.__struct_fields__
    }
    return SeriesModel(**columns), Gaps(**words)


def _nothing(model: SeriesModel, name: str, at: Rows) -> FloatArray:
    return np.full((len(at), *getattr(model, name).shape[1:]), np.nan)


def _fill(table: QuoteTable, quotes: ChainQuotes, found: ChainAnalysis) -> None:
    table.iv_annual[:] = found.implied.iv_annual
    table.iv_code[:] = found.implied.reason_code
    table.smile_iv_annual[:] = found.smile_iv_annual
    for name in _NAMES:
        getattr(table, name)[:] = getattr(found.greeks, name)
    if quotes.exercise is ExerciseStyle.EUROPEAN:
        return
    plain = _european(quotes, found)
    table.early_usd[:] = np.nan_to_num(found.greeks.price_usd - plain.price_usd)
    for name, early in zip(_NAMES, _EARLY, strict=True):
        extra = getattr(found.greeks, name) - getattr(plain, name)
        getattr(table, early)[:] = np.nan_to_num(extra)


def _european(quotes: ChainQuotes, found: ChainAnalysis) -> Greeks:
    """What the rows would be without early exercise, at the volatility their Greeks rest on."""
    series = quotes.expiry_index
    with np.errstate(all="ignore"):
        return spot_greeks(
            spot=quotes.spot_usd,
            forward=found.forwards.forward_usd[series],
            strike=quotes.strike_usd,
            discount=found.forwards.discount[series],
            tau_years=quotes.tau_years[series],
            iv_annual=np.where(found.from_smile, found.smile_iv_annual, found.implied.iv_annual),
            is_call=quotes.is_call,
        )


def _series_model(quotes: ChainQuotes, found: ChainAnalysis) -> SeriesModel:
    smiles, forwards, skews = found.fit.smiles, found.forwards, found.skews
    size = len(quotes.tau_years)
    with np.errstate(all="ignore"):
        at_money = smile_values(smiles, expiry=np.arange(size), log_moneyness=np.zeros(size))
        atm_iv = np.sqrt(at_money.total_variance / quotes.tau_years)
    kept = ("scale_variance", "low", "high", "low_slope", "high_slope")
    return SeriesModel(
        tau_years=quotes.tau_years,
        spot_usd=np.full(size, quotes.spot_usd),
        forward_usd=forwards.forward_usd,
        forward_error_usd=forwards.forward_error_usd,
        discount=forwards.discount,
        atm_iv_annual=atm_iv,
        smile_error_vol_points=found.fit.error_vol_points,
        put_iv_annual=skews.put_iv_annual,
        call_iv_annual=skews.call_iv_annual,
        skew_log_ratio=skews.log_ratio,
        skew_normalised=skews.normalised,
        knot_ratio=smiles.knot_ratio,
        knot_curvature=smiles.knot_curvature,
        **{name: getattr(smiles, name) for name in kept},
    )


def _words(gaps: tuple[str | None, ...]) -> tuple[str, ...]:
    return tuple(str(gap) if gap else "" for gap in gaps)
