"""Adds up a book's sensitivities in the units in which limits are stated.

Pure. Per-share Greeks come in, signed position and book Greeks go out; long options have positive
gamma and vega, short ones earn theta. Beta weighting turns every underlying into shares of the
index: what its shares would lose if the index moved and the underlying followed by its beta.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from thetawarden.domain.portfolio.book import PositionKind
from thetawarden.domain.pricing.american import american_greeks
from thetawarden.domain.pricing.arrays import BoolArray, FloatArray
from thetawarden.domain.pricing.black import Greeks, bsm_greeks

if TYPE_CHECKING:
    from thetawarden.domain.portfolio.book import Book, Underlyings

_MODELS: Final = {
    PositionKind.EUROPEAN: bsm_greeks,
    PositionKind.AMERICAN: american_greeks,
}


class PositionGreeks(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Per position, contracts and multiplier included.

    `index_delta_shares` and `index_gamma_shares_per_usd` are beta-weighted. Notional is what the
    position controls: strikes of options, prices of the others, without sign.
    """

    delta_shares: FloatArray
    delta_usd: FloatArray
    index_delta_shares: FloatArray
    index_gamma_shares_per_usd: FloatArray
    vega_usd_per_vol_point: FloatArray
    theta_usd_per_day: FloatArray
    notional_usd: FloatArray


class BookGreeks(msgspec.Struct, frozen=True, kw_only=True):
    """Totals; `theta_per_index_delta` is USD a day earned per index share of exposure."""

    index_delta_shares: float
    index_gamma_shares_per_usd: float
    vega_usd_per_vol_point: float
    theta_usd_per_day: float
    notional_usd: float
    theta_per_index_delta: float | None


def per_share_greeks(book: Book, underlyings: Underlyings) -> Greeks:
    """Each position's Greeks per share: the model's of options, delta 1 of everything else."""
    columns = {name: np.zeros(book.size) for name in Greeks.__struct_fields__}
    columns["price_usd"] += underlyings.spot_usd[book.underlying]
    columns["delta_per_share"] += 1.0
    for kind, model in _MODELS.items():
        rows = book.rows(kind)
        if rows.size:
            found = model(
                spot=underlyings.spot_usd[book.underlying[rows]],
                strike=book.strike_usd[rows],
                tau_years=book.tau_years[rows],
                iv_annual=book.iv_annual[rows],
                rate_annual=book.rate_annual[rows],
                yield_annual=book.yield_annual[rows],
                is_call=book.is_call[rows],
            )
            for name, column in columns.items():
                column[rows] = getattr(found, name)
    return Greeks(**columns)


def position_greeks(
    book: Book, underlyings: Underlyings, *, per_share: Greeks, index_usd: float
) -> PositionGreeks:
    """Scale per-share Greeks (delta 1 and no others for linear positions) to positions."""
    shares = book.contracts * book.multiplier
    spot = underlyings.spot_usd[book.underlying]
    follow = underlyings.beta[book.underlying] * spot / index_usd
    delta = shares * per_share.delta_per_share
    return PositionGreeks(
        delta_shares=delta,
        delta_usd=delta * spot,
        index_delta_shares=delta * follow,
        index_gamma_shares_per_usd=shares * per_share.gamma_per_usd * follow**2,
        vega_usd_per_vol_point=shares * per_share.vega_usd_per_vol_point,
        theta_usd_per_day=shares * per_share.theta_usd_per_day,
        notional_usd=np.abs(shares) * np.where(_is_option(book), book.strike_usd, spot),
    )


def _is_option(book: Book) -> BoolArray:
    is_option = np.ones(book.size, dtype=np.bool_)
    is_option[book.rows(PositionKind.LINEAR)] = False
    return is_option


def book_greeks(positions: PositionGreeks) -> BookGreeks:
    """Sum over positions; the ratio is None for a book without index delta."""
    delta = float(positions.index_delta_shares.sum())
    theta = float(positions.theta_usd_per_day.sum())
    return BookGreeks(
        index_delta_shares=delta,
        index_gamma_shares_per_usd=float(positions.index_gamma_shares_per_usd.sum()),
        vega_usd_per_vol_point=float(positions.vega_usd_per_vol_point.sum()),
        theta_usd_per_day=theta,
        notional_usd=float(positions.notional_usd.sum()),
        theta_per_index_delta=theta / abs(delta) if delta else None,
    )


def profit_of_index_move(greeks: BookGreeks, *, index_usd: float, index_return: float) -> float:
    """Profit in USD when the index moves by a small fraction: delta and gamma, nothing else."""
    move = index_usd * index_return
    return greeks.index_delta_shares * move + greeks.index_gamma_shares_per_usd * move**2 / 2.0
