"""Writes a strip's columns out as quotes, Greeks of bid, ask and model included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.pricing.black import Greeks as ModelGreeks
from thetawarden.domain.pricing.implied import implied_volatility
from thetawarden.practice.market.early_exercise import Early
from thetawarden.practice.market.option_tape import Day
from thetawarden.practice.market.options import Strip, Valued, greeks
from thetawarden.practice.market.quoting import Sides
from thetawarden.practice.model import Greeks, Quote

Floats: TypeAlias = NDArray[np.float64]


class Sheet(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Everything known about a strip at an instant, one entry per option."""

    at_ns: int
    codes: NDArray[np.int64]
    strip: Strip
    valued: Valued
    model: ModelGreeks
    sides: Sides
    shown: NDArray[np.bool_]
    """Where there is a market to show: open, alive, not halted."""
    halted: bool
    day: Day
    volume: NDArray[np.int64]


def quotes_of(sheet: Sheet) -> list[Quote | None]:
    """Return a quote per option; what is not shown has no bid and no ask."""
    valued, day, sides = sheet.valued, sheet.day, sheet.sides
    computed = _computed(valued, valued.value, valued.iv_annual, sheet.model)
    on_bid, on_ask = _of_sides(sheet)
    rows = _rows(
        sheet.codes, sides.bid, sides.ask, sides.bid_size, sides.ask_size, sheet.shown,
        day.open, day.high, day.low, day.last, day.last_at_ns, day.close,
        sheet.volume, day.interest,
    )  # fmt: skip
    at_ns, halted = sheet.at_ns, sheet.halted
    return [
        Quote(
            con_id=row[0],
            at_ns=at_ns,
            bid=row[1] if row[5] else None,
            ask=row[2] if row[5] else None,
            bid_size=row[3] if row[5] else 0,
            ask_size=row[4] if row[5] else 0,
            last=_known(row[9]),
            last_size=1 if row[10] else 0,
            last_at_ns=row[10] or None,
            volume=row[12],
            open=_known(row[6]),
            high=_known(row[7]),
            low=_known(row[8]),
            close=row[11],
            mark=model.price,
            open_interest=row[13],
            halted=halted,
            bid_exchanges="C" if row[5] else "",
            ask_exchanges="C" if row[5] else "",
            model=model,
            bid_greeks=of_bid,
            ask_greeks=of_ask,
        )
        for row, model, of_bid, of_ask in zip(rows, computed, on_bid, on_ask, strict=True)
    ]


def _of_sides(sheet: Sheet) -> tuple[list[Greeks | None], list[Greeks | None]]:
    """Greeks at the volatilities that explain bids and asks, in one pass; None where none does."""
    strip, valued = _twice(sheet.strip, sheet.valued)
    sides = np.concatenate([sheet.sides.bid, sheet.sides.ask])
    price = np.where(np.tile(sheet.shown, 2), sides, 0.0)
    european = price if valued.early is None else price - valued.early.worth
    iv = implied_volatility(
        price_usd=european,
        forward=valued.forward,
        strike=strip.strike,
        discount=valued.discount,
        tau_years=valued.years,
        is_call=strip.is_call,
        guess_annual=valued.iv_annual,
    ).iv_annual
    found = np.isfinite(iv) & (price > 0.0)
    filled = np.where(found, iv, valued.iv_annual)
    computed = _computed(valued, price, filled, greeks(strip, valued, filled))
    every = [one if good else None for one, good in zip(computed, found.tolist(), strict=True)]
    count = len(sheet.codes)
    return every[:count], every[count:]


def _twice(strip: Strip, valued: Valued) -> tuple[Strip, Valued]:
    """A strip and its values, one after the other again."""
    early = valued.early
    return (
        msgspec.structs.replace(
            strip,
            expiry_at=np.tile(strip.expiry_at, 2),
            strike=np.tile(strip.strike, 2),
            is_call=np.tile(strip.is_call, 2),
        ),
        Valued(
            spot=valued.spot,
            value=np.tile(valued.value, 2),
            iv_annual=np.tile(valued.iv_annual, 2),
            forward=np.tile(valued.forward, 2),
            discount=np.tile(valued.discount, 2),
            years=np.tile(valued.years, 2),
            pv_dividend=np.tile(valued.pv_dividend, 2),
            early=None
            if early is None
            else Early(
                worth=np.tile(early.worth, 2),
                slope=np.tile(early.slope, 2),
                curvature=np.tile(early.curvature, 2),
                by_vol_point=np.tile(early.by_vol_point, 2),
                surely=np.tile(early.surely, 2),
            ),
        ),
    )


def _computed(valued: Valued, price: Floats, iv_annual: Floats, model: ModelGreeks) -> list[Greeks]:
    spot = float(valued.spot)
    return [
        Greeks(
            iv_annual=iv,
            price=value,
            delta=delta,
            gamma=gamma,
            vega=vega,
            theta=theta,
            pv_dividend=dividend,
            under_price=spot,
        )
        for value, iv, delta, gamma, vega, theta, dividend in _rows(
            price,
            iv_annual,
            model.delta_per_share,
            model.gamma_per_usd,
            model.vega_usd_per_vol_point,
            model.theta_usd_per_day,
            valued.pv_dividend,
        )
    ]


def _rows(*columns: NDArray[Any]) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.tolist() for column in columns), strict=True)


def _known(price: float) -> float | None:
    return None if price != price else price  # noqa: PLR0124 - NaN alone differs from itself
