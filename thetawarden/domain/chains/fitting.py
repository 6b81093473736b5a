"""Gives every row a volatility and Greeks of our own: all at once now and then, few at any time.

Pure but for the table, whose model columns it fills. The full fit reads forwards, smiles and skew
off all usable quotes; a series that cannot be read keeps what is known of it still. Between two
fits a row that is quoted anew gets its volatility and Greeks against the forwards of the last fit,
carried along with the underlying, and a row that is new what its neighbours tell of it.
What early exercise adds to an American option is held from fit to fit as well, so that a tick
costs the same in both styles; for a European one it is nothing. Rows without a price of their own
take their smile's volatility for Greeks, and have no `iv_annual`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.chains.model import (
    Fitted,
    Gaps,
    Read,
    SeriesModel,
    smiles_of,
    with_known,
)
from thetawarden.domain.chains.table import QuoteTable
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.market.contracts import ExerciseStyle
from thetawarden.domain.market.expiry import tau_calendar_years
from thetawarden.domain.pricing.arrays import BoolArray, FloatArray, Rows
from thetawarden.domain.pricing.black import Greeks, spot_greeks
from thetawarden.domain.pricing.implied import implied_volatility
from thetawarden.domain.pricing.quotes import QuoteLimits
from thetawarden.domain.surface.analysis import AnalysisSettings, ChainAnalysis, analyse_chain
from thetawarden.domain.surface.chain import ChainQuotes
from thetawarden.domain.surface.fit import FitSettings
from thetawarden.domain.surface.parity import PAIRS_MIN, ForwardGap, RatePrior
from thetawarden.domain.surface.reading import IV_ERROR_MAX
from thetawarden.domain.surface.skew import SkewSettings
from thetawarden.domain.surface.smile import smile_iv, smile_values

_ANY_QUOTE = QuoteLimits(
    quote_age_ns_max=np.inf, spread_fraction_max=np.inf, spread_usd_always_fine=np.inf
)
_NAMES = ("delta_per_share", "gamma_per_usd", "vega_usd_per_vol_point", "theta_usd_per_day")
_MOVING = frozenset({"delta_per_share", "gamma_per_usd"})
_ALL = slice(None)
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


def fit_model(
    table: QuoteTable,
    *,
    usable: BoolArray,
    spot_usd: float,
    settlement_ns: NDArray[np.int64],
    now_ns: UnixNs,
    exercise: ExerciseStyle,
    habits: FitHabits,
    before: Fitted | None = None,
    kept_ns_max: int = 0,
) -> Fitted:
    """Fit everything to the usable rows and fill every row's model columns from it.

    What `before` knows of a series that cannot be read now stands for so long.
    """
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
    fitted = Fitted(_series_model(quotes, found), _gaps(found, now_ns=now_ns, spot_usd=spot_usd))
    if before is None:
        _fill(table, quotes, found)
        return fitted
    fitted, kept = with_known(fitted, before, now_ns=now_ns, kept_ns_max=kept_ns_max)
    if not kept.any():
        _fill(table, quotes, found)
        return fitted
    apart = kept[table.series]
    _fill(table, quotes, found, rows=np.flatnonzero(~apart))
    _fill_known(table, fitted, np.flatnonzero(apart), usable=usable, spot_usd=spot_usd)
    return fitted


def refresh_rows(
    table: QuoteTable,
    model: SeriesModel,
    rows: Rows,
    *,
    spot_usd: float,
    usable: BoolArray | None = None,
) -> None:
    """Give some rows volatility and Greeks of their sound price under a model carried to now.

    A row that is not `usable`, if that is told, has no volatility but its smile's; what has no
    forward is left as it is.
    """
    rows = rows[np.isfinite(model.forward_usd)[table.series[rows]]]
    if not rows.size:
        return
    series = table.series[rows]
    mid_usd = table.sound_mid_usd[rows]
    if usable is not None:
        mid_usd[~usable[rows]] = np.nan
    with np.errstate(all="ignore"):
        forward, discount = model.forward_usd[series], model.discount[series]
        strike, is_call = table.strike_usd[rows], table.is_call[rows]
        tau_years = model.tau_years[series]
        implied = implied_volatility(
            price_usd=mid_usd - table.early_usd[rows],
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
        asked = np.isfinite(mid_usd)  # where there was nothing to ask of there is no reason
        table.iv_annual[rows] = implied.iv_annual
        table.iv_code[rows] = np.where(asked, implied.reason_code, 0)
        for name, early in zip(_NAMES, _EARLY, strict=True):
            _write(table, name, rows, getattr(greeks, name) + getattr(table, early)[rows])


def model_new_rows(table: QuoteTable, fitted: Fitted, *, exercise: ExerciseStyle) -> Rows:
    """Give rows that came since the fit what is known of their series; return which.

    A European one has its smile's volatility. So has an American one between strikes of its right
    that were fitted, and what early exercise adds there; beyond them only a fit can tell that.
    """
    new = fitted.has_smile[table.series] & np.isnan(table.smile_iv_annual)
    rows = np.flatnonzero(new)
    if rows.size and exercise is ExerciseStyle.AMERICAN:
        series, calls = table.series, table.is_call
        groups = [(at, call) for at in np.unique(series[rows]).tolist() for call in (False, True)]
        alike = [(series == at) & (calls == call) for at, call in groups]
        placed = [_place_early(table, each & new, each & ~new) for each in alike]
        rows = np.sort(np.concatenate(placed))
    if rows.size:
        _read_off_smiles(table, fitted, rows)
    return rows


def can_read_again(table: QuoteTable, unread: Sequence[str], *, usable: BoolArray) -> bool:
    """Whether a series that the last fit told no forward of has enough pairs for one by now."""
    return any(
        gap == ForwardGap.TOO_FEW_PAIRS
        and _pairs(table, usable & (table.series == at)) >= PAIRS_MIN
        for at, gap in enumerate(unread)
    )


def _pairs(table: QuoteTable, rows: BoolArray) -> int:
    calls, puts = (table.strike_usd[rows & (table.is_call == right)] for right in (True, False))
    return len(np.intersect1d(calls, puts))


def _place_early(table: QuoteTable, new: BoolArray, fitted: BoolArray) -> Rows:
    """Place what early exercise adds to rows between that of others; return which these are."""
    known = np.flatnonzero(fitted)
    known = known[np.argsort(table.strike_usd[known])]
    strikes, rows = table.strike_usd[known], np.flatnonzero(new)
    if not known.size:
        return known
    at = table.strike_usd[rows]
    rows = np.asarray(rows[(at >= strikes[0]) & (at <= strikes[-1])], dtype=np.intp)
    for name in ("early_usd", *_EARLY):
        column = getattr(table, name)
        column[rows] = np.interp(table.strike_usd[rows], strikes, column[known])
    return rows


def _read_off_smiles(table: QuoteTable, fitted: Fitted, rows: Rows) -> None:
    smiles, strike_usd = smiles_of(fitted), table.strike_usd[rows]
    with np.errstate(all="ignore"):
        table.smile_iv_annual[rows] = smile_iv(
            smiles, expiry=table.series[rows].astype(np.intp), strike_usd=strike_usd
        )


def _fill_known(
    table: QuoteTable, fitted: Fitted, rows: Rows, *, usable: BoolArray, spot_usd: float
) -> None:
    """Fill the rows of series that were not read now; one that no fit has seen waits for one.

    Where a series has no smile none of its rows was seen by one.
    """
    alone = ~fitted.has_smile[table.series[rows]]
    rows = rows[alone | np.isfinite(table.smile_iv_annual[rows])]
    _read_off_smiles(table, fitted, rows)
    refresh_rows(table, fitted.model, rows, spot_usd=spot_usd, usable=usable)


def _fill(
    table: QuoteTable, quotes: ChainQuotes, found: ChainAnalysis, rows: Rows | slice = _ALL
) -> None:
    """Write down what a fit found."""
    table.iv_annual[rows] = found.implied.iv_annual[rows]
    table.iv_code[rows] = found.implied.reason_code[rows]
    table.smile_iv_annual[rows] = found.smile_iv_annual[rows]
    for name in _NAMES:
        _write(table, name, rows, getattr(found.greeks, name)[rows])
    if quotes.exercise is ExerciseStyle.EUROPEAN:
        return
    plain = _european(quotes, found)
    early_usd = found.greeks.price_usd - plain.price_usd
    table.early_usd[rows] = np.nan_to_num(early_usd[rows])
    for name, early in zip(_NAMES, _EARLY, strict=True):
        extra = getattr(found.greeks, name) - getattr(plain, name)
        getattr(table, early)[rows] = np.nan_to_num(extra[rows])


def _write(table: QuoteTable, name: str, rows: Rows | slice, values: FloatArray) -> None:
    """Write Greeks down; where there are none now, how an option moved is known still.

    Otherwise what stood still all along would count as alive from then on.
    """
    column = getattr(table, name)
    column[rows] = np.where(np.isnan(values), column[rows], values) if name in _MOVING else values


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


def _gaps(found: ChainAnalysis, *, now_ns: UnixNs, spot_usd: float) -> Gaps:
    was_read = Read(at_ns=now_ns, spot_usd=spot_usd)
    forward, smile = _words(found.forwards.gaps), _words(found.fit.smiles.gaps)
    return Gaps(
        forward=forward,
        smile=smile,
        skew=_words(found.skews.gaps),
        reads=tuple(Read() if gap else was_read for gap in forward),
    )


def _words(gaps: tuple[str | None, ...]) -> tuple[str, ...]:
    return tuple(str(gap) if gap else "" for gap in gaps)
