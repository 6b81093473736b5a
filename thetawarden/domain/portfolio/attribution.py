"""Splits a position's profit between two snapshots into what moved it.

Pure. Money is whole cents (int64), so that the parts add up to the profit exactly: the four
explained parts are rounded half to even, the residual is the rest by definition. Greeks are those
at the start, so that an interval is explained by what was known when it began; profits of dense
snapshots add up. Contracts must not change within an interval: a trade ends one.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.pricing.arrays import BoolArray, FloatArray

Cents = NDArray[np.int64]

_NS_PER_DAY = 86_400_000_000_000
_CENTS_MAX = 2**52


class PositionSnapshot(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Positions at one instant; Greeks are signed and per position, as in `greeks`.

    `value_cents` is the position's worth in its books' own marks.
    """

    at_ns: int
    value_cents: Cents
    spot_usd: FloatArray
    iv_annual: FloatArray
    delta_shares: FloatArray
    gamma_shares_per_usd: FloatArray
    theta_usd_per_day: FloatArray
    vega_usd_per_vol_point: FloatArray


class Attribution(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Per position; the five parts sum to `profit_cents` exactly.

    `incomplete` marks positions a part of which could not be computed (a Greek or an input was
    not finite): that part is 0, and its profit in the residual.
    """

    profit_cents: Cents
    delta_cents: Cents
    gamma_cents: Cents
    theta_cents: Cents
    vega_cents: Cents
    residual_cents: Cents
    incomplete: BoolArray


def attribute(
    start: PositionSnapshot, end: PositionSnapshot, *, flow_cents: Cents | int = 0
) -> Attribution:
    """Explain each position's profit; `flow_cents` is cash it paid out (> 0) in the meantime."""
    days = (end.at_ns - start.at_ns) / _NS_PER_DAY
    with np.errstate(all="ignore"):
        move = end.spot_usd - start.spot_usd
        points = 100.0 * (end.iv_annual - start.iv_annual)
        explained = np.stack(
            [
                start.delta_shares * move,
                start.gamma_shares_per_usd * move**2 / 2.0,
                start.theta_usd_per_day * days,
                start.vega_usd_per_vol_point * points,
            ]
        )
        (delta, gamma, theta, vega), missing = _cents(explained)
    profit = end.value_cents - start.value_cents + flow_cents
    return Attribution(
        profit_cents=profit,
        delta_cents=delta,
        gamma_cents=gamma,
        theta_cents=theta,
        vega_cents=vega,
        residual_cents=profit - delta - gamma - theta - vega,
        incomplete=np.asarray(missing.any(axis=0)),
    )


def added(first: Attribution, second: Attribution) -> Attribution:
    """The attribution of two intervals that follow each other, position by position."""
    sums = {
        name: getattr(first, name) + getattr(second, name)
        for name in Attribution.__struct_fields__
        if name.endswith("_cents")
    }
    return Attribution(**sums, incomplete=first.incomplete | second.incomplete)


def _cents(usd: FloatArray) -> tuple[Cents, BoolArray]:
    """Whole cents, and where there are none because the number is not finite or absurd."""
    cents = np.rint(100.0 * usd)
    missing = ~(np.abs(cents) < _CENTS_MAX)
    return np.where(missing, 0.0, cents).astype(np.int64), missing
