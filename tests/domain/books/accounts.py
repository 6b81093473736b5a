"""Instruments, fills and commissions for the books' tests; money in strings, never floats."""

import datetime as dt
from decimal import Decimal

from thetawarden.domain.broker.account import BrokerPosition
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.orders import Commission, Execution
from thetawarden.domain.market.contracts import Right

ACCOUNT = "DU1"
CLIENT = 17
T0 = 1_790_000_000_000_000_000
SECOND = 10**9
FRIDAY = dt.date(2026, 3, 20)


def stock(conid=1, symbol="SPY"):
    return Instrument(conid=conid, kind=InstrumentKind.STOCK, symbol=symbol, local_symbol=symbol)


def option(conid=2, strike="500", right=Right.PUT, **changes):
    fields = {
        "kind": InstrumentKind.OPTION,
        "symbol": "SPY",
        "multiplier": 100,
        "trading_class": "SPY",
        "expiry": FRIDAY,
        "strike": Decimal(strike),
        "right": right,
        "local_symbol": f"SPY {right}{strike}",
    } | changes
    return Instrument(conid=conid, **fields)


def index_option(conid=3, strike="5000", right=Right.PUT, **changes):
    names = {"symbol": "SPX", "trading_class": "SPXW", "local_symbol": f"SPXW {right}{strike}"}
    return option(conid, strike, right, **(names | changes))


def bought(instrument, quantity, price, *, number=1, revision=1, at_s=0, **changes):
    """A fill of ours; a quantity below zero sells."""
    fields = {
        "execution_id": f"0001.{number:04d}.01.{revision:02d}",
        "instrument": instrument,
        "quantity": Decimal(quantity),
        "price_usd": Decimal(price),
        "at_ns": T0 + at_s * SECOND,
        "perm_id": 1000 + number,
        "order_id": number,
        "client_id": CLIENT,
        "order_ref": f"t.{number}",
        "account": ACCOUNT,
    } | changes
    return Execution(**fields)


def cost(number, commission, *, revision=1):
    return Commission(
        execution_id=f"0001.{number:04d}.01.{revision:02d}", commission_usd=Decimal(commission)
    )


def position(instrument, quantity, average="0"):
    return BrokerPosition(
        account=ACCOUNT,
        instrument=instrument,
        quantity=Decimal(quantity),
        average_cost_usd=Decimal(average),
    )
