"""Numbers contracts so that the same terms have the same conId in every run.

An option's conId is its terms written in mixed radix: class, strike step, expiry, right. Expiries
repeat after fourteen years; the one nearest to the market's day is meant. Futures have a range of
their own, underlyings the numbers the roster gives them.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from thetawarden.domain.market.products import FUTURES
from thetawarden.practice.market.roster import CLASSES

OPTIONS_FROM = 700_000_000
FUTURES_FROM = 600_000_000
_PRODUCT_SPAN = 100_000
_WEEKDAYS = 14 * 261
_YEARS_AHEAD = dt.timedelta(days=7 * 365)


class StrikeGrid(msgspec.Struct, frozen=True, kw_only=True):
    """The finest step strikes of a class come in, and how many steps there are."""

    unit: float
    steps: int


_GRIDS = {
    "SPX": StrikeGrid(unit=5.0, steps=6000),
    "SPXW": StrikeGrid(unit=5.0, steps=6000),
    "XSP": StrikeGrid(unit=1.0, steps=3000),
    "XSPW": StrikeGrid(unit=1.0, steps=3000),
    "NDX": StrikeGrid(unit=10.0, steps=8000),
    "NDXP": StrikeGrid(unit=10.0, steps=8000),
    "RUT": StrikeGrid(unit=5.0, steps=3000),
    "RUTW": StrikeGrid(unit=5.0, steps=3000),
    "VIX": StrikeGrid(unit=0.5, steps=600),
    "VIXW": StrikeGrid(unit=0.5, steps=600),
    "SPY": StrikeGrid(unit=1.0, steps=3000),
    "QQQ": StrikeGrid(unit=1.0, steps=3000),
    "IWM": StrikeGrid(unit=1.0, steps=3000),
}
_STOCK_GRID = StrikeGrid(unit=0.5, steps=6000)


def strike_grid(trading_class: str) -> StrikeGrid:
    """Return the strikes a class may have at all."""
    return _GRIDS.get(trading_class, _STOCK_GRID)


def _offsets() -> dict[str, int]:
    offsets, total = {}, 0
    for name in CLASSES:
        offsets[name] = total
        total += strike_grid(name).steps
    return offsets


_OFFSETS = _offsets()
_FUTURE_PRODUCTS = tuple(FUTURES)


class OptionTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What an option's conId says."""

    trading_class: str
    expiry: dt.date
    strike: float
    is_put: bool


def option_con_id(terms: OptionTerms) -> int:
    """Return an option's conId."""
    grid = strike_grid(terms.trading_class)
    step = _OFFSETS[terms.trading_class] + round(terms.strike / grid.unit)
    return OPTIONS_FROM + (step * _WEEKDAYS + _weekday_number(terms.expiry)) * 2 + terms.is_put


def option_terms(con_id: int, *, today: dt.date) -> OptionTerms | None:
    """Return the terms a conId says, or None when it is no option's."""
    rest, is_put = divmod(con_id - OPTIONS_FROM, 2)
    step, weekday = divmod(rest, _WEEKDAYS)
    if con_id < OPTIONS_FROM:
        return None
    for name, offset in _OFFSETS.items():
        grid = strike_grid(name)
        if offset <= step < offset + grid.steps:
            return OptionTerms(
                trading_class=name,
                expiry=_date_of(weekday, today),
                strike=(step - offset) * grid.unit,
                is_put=bool(is_put),
            )
    return None


def future_con_id(symbol: str, *, year: int, month: int) -> int:
    """Return a future's conId."""
    return FUTURES_FROM + _FUTURE_PRODUCTS.index(symbol) * _PRODUCT_SPAN + year * 12 + month - 1


def future_terms(con_id: int) -> tuple[str, int, int] | None:
    """Return symbol, year and month a conId says, or None when it is no future's."""
    product, months = divmod(con_id - FUTURES_FROM, _PRODUCT_SPAN)
    if not 0 <= product < len(_FUTURE_PRODUCTS):
        return None
    return _FUTURE_PRODUCTS[product], months // 12, months % 12 + 1


def _weekday_number(day: dt.date) -> int:
    week, weekday = divmod(day.toordinal() - 1, 7)
    return (week * 5 + min(weekday, 4)) % _WEEKDAYS


def _date_of(number: int, today: dt.date) -> dt.date:
    """The weekday with this number in the fourteen years that end seven years from today."""
    latest = today + _YEARS_AHEAD
    week, weekday = divmod(latest.toordinal() - 1, 7)
    top = week * 5 + min(weekday, 4)
    week, weekday = divmod(top - (top - number) % _WEEKDAYS, 5)
    return dt.date.fromordinal(week * 7 + weekday + 1)
