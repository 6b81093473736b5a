"""Lists the products the desk knows, with the terms their exchanges publish. Data, no decisions.

The broker's contract details are the truth for an order; this is what the practice exchange lists
and what the desk compares the broker's answer with. Extended hours are taken narrowly: a phase
that an exchange only sometimes holds (the curb on half days, overnight on holidays) is not held.
"""

from __future__ import annotations

import datetime as dt

from thetawarden.domain.market.contracts import (
    ALL_MONTHS,
    QUARTER_MONTHS,
    Delivery,
    ExerciseStyle,
    ExpiryCycle,
    FutureProduct,
    ListedCycle,
    OptionClass,
    Settlement,
    UnderlyingKind,
)
from thetawarden.domain.market.hours import HoursRule, Phase, TradingHours
from thetawarden.domain.market.sessions import Exchange
from thetawarden.domain.market.ticks import TickRule, tick_rule

CENT = tick_rule(("0", "0.01"))
CENT_THEN_NICKEL = tick_rule(("0", "0.01"), ("3", "0.05"))
NICKEL = tick_rule(("0", "0.05"))
NICKEL_THEN_DIME = tick_rule(("0", "0.05"), ("3", "0.10"))
SHARE = tick_rule(("0", "0.0001"), ("1", "0.01"))

_REGULAR_TO_1600 = HoursRule(phase=Phase.REGULAR, opens=dt.time(9, 30), closes=dt.time(16))
_REGULAR_TO_1615 = HoursRule(phase=Phase.REGULAR, opens=dt.time(9, 30), closes=dt.time(16, 15))
_OVERNIGHT = HoursRule(
    phase=Phase.OVERNIGHT, opens=dt.time(20, 15), closes=dt.time(9, 25), opens_evening_before=True
)
_CURB = HoursRule(phase=Phase.CURB, opens=dt.time(16, 15), closes=dt.time(17))
_ROUND_THE_CLOCK = HoursRule(
    phase=Phase.REGULAR, opens=dt.time(18), closes=dt.time(17), opens_evening_before=True
)

SHARE_HOURS = TradingHours(exchange=Exchange.NYSE, phases=(_REGULAR_TO_1600,))
INDEX_OPTION_HOURS = TradingHours(
    exchange=Exchange.NYSE, phases=(_REGULAR_TO_1615,), half_day_lag_minutes=15
)
GLOBAL_OPTION_HOURS = TradingHours(
    exchange=Exchange.NYSE,
    phases=(_OVERNIGHT, _REGULAR_TO_1615, _CURB),
    half_day_lag_minutes=15,
)
CME_HOURS = TradingHours(exchange=Exchange.CME, phases=(_ROUND_THE_CLOCK,))
CFE_HOURS = TradingHours(
    exchange=Exchange.NYSE, phases=(_ROUND_THE_CLOCK,), half_day_lag_minutes=15
)

_NEXT_FRIDAYS = ListedCycle(cycle=ExpiryCycle.FRIDAY, ahead=8)
_NEXT_MONTHS = ListedCycle(cycle=ExpiryCycle.THIRD_FRIDAY, ahead=13)
_NEXT_QUARTERS = ListedCycle(cycle=ExpiryCycle.THIRD_FRIDAY, ahead=6, months=QUARTER_MONTHS)
_QUARTER_ENDS = ListedCycle(cycle=ExpiryCycle.MONTH_END, ahead=4, months=QUARTER_MONTHS)
_MONTH_ENDS = ListedCycle(cycle=ExpiryCycle.MONTH_END, ahead=6)
_DECEMBERS = ListedCycle(cycle=ExpiryCycle.THIRD_FRIDAY, ahead=5, months=(12,))
_JANUARIES = ListedCycle(cycle=ExpiryCycle.THIRD_FRIDAY, ahead=3, months=(1,))

MONTHLY_LISTING = (_NEXT_MONTHS, _NEXT_QUARTERS, _DECEMBERS)
WEEKLY_INDEX_LISTING = (
    ListedCycle(cycle=ExpiryCycle.DAILY, ahead=24),
    _NEXT_FRIDAYS,
    ListedCycle(cycle=ExpiryCycle.THIRD_FRIDAY, ahead=5),
    _MONTH_ENDS,
    _QUARTER_ENDS,
)
ETF_LISTING = (
    ListedCycle(cycle=ExpiryCycle.DAILY, ahead=10),
    _NEXT_FRIDAYS,
    ListedCycle(cycle=ExpiryCycle.THIRD_FRIDAY, ahead=8),
    _NEXT_QUARTERS,
    _QUARTER_ENDS,
    _JANUARIES,
)
STOCK_LISTING = (
    ListedCycle(cycle=ExpiryCycle.FRIDAY, ahead=6),
    ListedCycle(cycle=ExpiryCycle.THIRD_FRIDAY, ahead=4),
    ListedCycle(cycle=ExpiryCycle.THIRD_FRIDAY, ahead=4, months=QUARTER_MONTHS),
    ListedCycle(cycle=ExpiryCycle.THIRD_FRIDAY, ahead=2, months=(1,)),
)


def _index(
    trading_class: str,
    underlying: str,
    settlement: Settlement,
    listing: tuple[ListedCycle, ...],
    *,
    ticks: TickRule = NICKEL_THEN_DIME,
    combo_ticks: TickRule = NICKEL,
    hours: TradingHours = INDEX_OPTION_HOURS,
) -> OptionClass:
    return OptionClass(
        trading_class=trading_class,
        underlying=underlying,
        underlying_kind=UnderlyingKind.INDEX,
        multiplier=100,
        ticks=ticks,
        combo_ticks=combo_ticks,
        settlement=settlement,
        delivery=Delivery.CASH,
        style=ExerciseStyle.EUROPEAN,
        hours=hours,
        expiring_lag_minutes=0,
        listing=listing,
    )


def _mini(trading_class: str, listing: tuple[ListedCycle, ...]) -> OptionClass:
    return _index(
        trading_class,
        "XSP",
        Settlement.PM,
        listing,
        ticks=CENT,
        combo_ticks=CENT,
        hours=GLOBAL_OPTION_HOURS,
    )


def _vix(trading_class: str, listing: tuple[ListedCycle, ...]) -> OptionClass:
    return _index(
        trading_class,
        "VIX",
        Settlement.AM,
        listing,
        ticks=CENT_THEN_NICKEL,
        combo_ticks=CENT,
        hours=GLOBAL_OPTION_HOURS,
    )


def _etf(symbol: str) -> OptionClass:
    return OptionClass(
        trading_class=symbol,
        underlying=symbol,
        underlying_kind=UnderlyingKind.ETF,
        multiplier=100,
        ticks=CENT,
        combo_ticks=CENT,
        settlement=Settlement.PM,
        delivery=Delivery.PHYSICAL,
        style=ExerciseStyle.AMERICAN,
        hours=INDEX_OPTION_HOURS,
        expiring_lag_minutes=15,
        listing=ETF_LISTING,
    )


def stock_option_class(symbol: str, *, ticks: TickRule) -> OptionClass:
    """Return the terms of a single stock's options; `ticks` says whether it is a penny class."""
    return OptionClass(
        trading_class=symbol,
        underlying=symbol,
        underlying_kind=UnderlyingKind.STOCK,
        multiplier=100,
        ticks=ticks,
        combo_ticks=CENT,
        settlement=Settlement.PM,
        delivery=Delivery.PHYSICAL,
        style=ExerciseStyle.AMERICAN,
        hours=SHARE_HOURS,
        expiring_lag_minutes=0,
        listing=STOCK_LISTING,
    )


_AM, _PM = Settlement.AM, Settlement.PM
_XSPW_LISTING = (
    ListedCycle(cycle=ExpiryCycle.OTHER_DAY, ahead=24),
    _MONTH_ENDS,
)
_VIX_LISTING = (ListedCycle(cycle=ExpiryCycle.VIX_MONTHLY, ahead=9),)
_VIXW_LISTING = (ListedCycle(cycle=ExpiryCycle.VIX_WEEKLY, ahead=4),)

OPTION_CLASSES: dict[str, OptionClass] = {
    terms.trading_class: terms
    for terms in (
        _index("SPX", "SPX", _AM, MONTHLY_LISTING, hours=GLOBAL_OPTION_HOURS),
        _index("SPXW", "SPX", _PM, WEEKLY_INDEX_LISTING, hours=GLOBAL_OPTION_HOURS),
        _mini("XSP", MONTHLY_LISTING),
        _mini("XSPW", _XSPW_LISTING),
        _index("NDX", "NDX", _AM, MONTHLY_LISTING),
        _index("NDXP", "NDX", _PM, WEEKLY_INDEX_LISTING),
        _index("RUT", "RUT", _AM, MONTHLY_LISTING),
        _index("RUTW", "RUT", _PM, WEEKLY_INDEX_LISTING),
        _vix("VIX", _VIX_LISTING),
        _vix("VIXW", _VIXW_LISTING),
        _etf("SPY"),
        _etf("QQQ"),
        _etf("IWM"),
    )
}
"""Every class with terms of its own, by trading class; single stocks come from the function."""


def _quarterly(symbol: str, underlying: str, *, multiplier: int, step: str) -> FutureProduct:
    return FutureProduct(
        symbol=symbol,
        trading_class=symbol,
        underlying=underlying,
        listing_exchange="CME",
        multiplier=multiplier,
        ticks=tick_rule(("0", step)),
        spread_ticks=tick_rule(("0", "0.05")),
        hours=CME_HOURS,
        cycle=ExpiryCycle.THIRD_FRIDAY,
        months=QUARTER_MONTHS,
        last_trade_at=dt.time(9, 30),
    )


FUTURES: dict[str, FutureProduct] = {
    terms.symbol: terms
    for terms in (
        _quarterly("ES", "SPX", multiplier=50, step="0.25"),
        _quarterly("NQ", "NDX", multiplier=20, step="0.25"),
        _quarterly("RTY", "RUT", multiplier=50, step="0.10"),
        FutureProduct(
            symbol="VIX",
            trading_class="VX",
            underlying="VIX",
            listing_exchange="CFE",
            multiplier=1000,
            ticks=NICKEL,
            spread_ticks=CENT,
            hours=CFE_HOURS,
            cycle=ExpiryCycle.VIX_MONTHLY,
            months=ALL_MONTHS,
            last_trade_at=dt.time(9),
        ),
    )
}
"""Every future the desk watches, by symbol; the VIX future's symbol is VIX, its class VX."""


def classes_of(underlying: str) -> tuple[OptionClass, ...]:
    """Return the classes written on an underlying, in the order of the table."""
    return tuple(terms for terms in OPTION_CLASSES.values() if terms.underlying == underlying)
