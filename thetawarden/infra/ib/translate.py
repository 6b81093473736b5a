"""The border: ib_async's objects on the one side, our values on the other, in both directions.

What the broker left unset, or wrote as one of its signs for "nothing" (-1 for a price or volatility
not computed, -2 for a Greek, 1.797e308 anywhere), becomes None. Money and quantities become exact
as they were written. An option's expiry is read from its symbol, because the broker's own date of
an AM-settled class is the last day of trading, one before.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType

import ib_async
import msgspec
from ib_async.util import UNSET_DOUBLE

from thetawarden.domain.broker.account import AccountValues, BrokerPosition
from thetawarden.domain.broker.bars import DailyBar
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.orders import BrokerLeg, BrokerOrder, Commission, Execution
from thetawarden.domain.broker.quote import BrokerGreeks, DataType
from thetawarden.domain.broker.wording import account_values, figure, order_state
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.market.contracts import OptionContract, Right
from thetawarden.domain.market.occ import parse_occ
from thetawarden.domain.units import as_written
from thetawarden.infra.ib.answers import plain

UNSET = UNSET_DOUBLE
NO_VALUE, NO_GREEK = -1.0, -2.0
SMART = "SMART"
BOUGHT = frozenset({"BUY", "BOT"})
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)

_KINDS = MappingProxyType(
    {
        "STK": InstrumentKind.STOCK,
        "IND": InstrumentKind.INDEX,
        "OPT": InstrumentKind.OPTION,
        "FUT": InstrumentKind.FUTURE,
        "BAG": InstrumentKind.COMBO,
    }
)
_TYPES = MappingProxyType({kind: text for text, kind in _KINDS.items()})

_DATA_TYPES = MappingProxyType(
    {1: DataType.LIVE, 2: DataType.FROZEN, 3: DataType.DELAYED, 4: DataType.DELAYED_FROZEN}
)


def said(value: float | None, *, nothing: float = NO_VALUE) -> float | None:
    """Return a number the broker really said, else None."""
    if value is None or not math.isfinite(value) or value in (UNSET, nothing):
        return None
    return value


def money(value: float | Decimal | None) -> Decimal | None:
    """Return an amount as it was written, None when it was not; amounts may be negative."""
    known = said(None if value is None else float(value), nothing=UNSET)
    return None if known is None else as_written(known)


def instrument_of(contract: ib_async.Contract) -> Instrument:
    """Say which thing a contract of the broker is."""
    kind = _KINDS.get(contract.secType, InstrumentKind.OTHER)
    option = kind is InstrumentKind.OPTION
    right = contract.right[:1]
    return Instrument(
        conid=contract.conId,
        kind=kind,
        symbol=contract.symbol,
        exchange=contract.exchange or SMART,
        currency=contract.currency or "USD",
        multiplier=_multiplier(contract.multiplier),
        trading_class=contract.tradingClass or (_class_in_symbol(contract) if option else ""),
        local_symbol=contract.localSymbol,
        expiry=_expiry(contract) if option or kind is InstrumentKind.FUTURE else None,
        strike=as_written(contract.strike) if option else None,
        right=Right(right) if option and right in tuple(Right) else None,
    )


def contract_of(instrument: Instrument) -> ib_async.Contract:
    """Name an instrument to the broker: by its number, with nothing that could contradict it."""
    return ib_async.Contract.create(
        secType=_TYPES.get(instrument.kind, ""),
        conId=instrument.conid,
        symbol=instrument.symbol,
        exchange=instrument.exchange,
        currency=instrument.currency,
    )


def order_of(trade: ib_async.Trade, *, parent_perm_id: int = 0) -> BrokerOrder:
    """Say of an order what the broker last said of it."""
    order, status = trade.order, trade.orderStatus
    sign = 1 if order.action in BOUGHT else -1
    kind = order.orderType
    return BrokerOrder(
        perm_id=order.permId or status.permId,
        order_id=order.orderId,
        client_id=order.clientId,
        order_ref=order.orderRef,
        instrument=_routed(instrument_of(trade.contract)),
        state=order_state(status.status),
        quantity=_signed(sign, order.totalQuantity),
        filled=_signed(sign, max(status.filled, said(float(order.filledQuantity)) or 0.0)),
        order_type=kind,
        limit_usd=money(order.lmtPrice) if "LMT" in kind else None,
        stop_usd=money(order.auxPrice) if kind.startswith(("STP", "TRAIL")) else None,
        time_in_force=order.tif or "DAY",
        parent_perm_id=parent_perm_id or _perm_id(order.parentPermId),
        oca_group=order.ocaGroup,
        words=plain(status.whyHeld),
        account=order.account,
        average_usd=money(status.avgFillPrice) if status.filled else None,
        legs=tuple(
            BrokerLeg(conid=leg.conId, ratio=leg.ratio if leg.action in BOUGHT else -leg.ratio)
            for leg in trade.contract.comboLegs or ()
        ),
    )


def execution_of(contract: ib_async.Contract, execution: ib_async.Execution) -> Execution:
    """Say what was bought (above zero) or sold, and for how much."""
    sign = 1 if execution.side in BOUGHT else -1
    return Execution(
        execution_id=execution.execId,
        instrument=_routed(instrument_of(contract)),
        quantity=_signed(sign, execution.shares),
        price_usd=money(execution.price) or Decimal(),
        at_ns=_instant(execution.time),
        perm_id=execution.permId,
        order_id=execution.orderId,
        client_id=execution.clientId,
        order_ref=execution.orderRef,
        account=execution.acctNumber,
        liquidation=bool(execution.liquidation),
    )


def commission_of(report: ib_async.CommissionReport) -> Commission | None:
    """Say what a fill cost, None when the broker has not said yet."""
    cost = money(report.commission)
    if not report.execId or cost is None:
        return None
    realised = money(report.realizedPNL)
    return Commission(execution_id=report.execId, commission_usd=cost, realised_usd=realised)


def position_of(position: ib_async.Position) -> BrokerPosition:
    """Say what is held."""
    return BrokerPosition(
        account=position.account,
        instrument=_routed(instrument_of(position.contract)),
        quantity=_signed(1, position.position),
        average_cost_usd=money(position.avgCost) or Decimal(),
    )


def mark_of(item: ib_async.PortfolioItem) -> Decimal | None:
    """Say what a held contract is worth a share; None for one that is held no more."""
    if not item.position:
        return None
    return money(said(item.marketPrice))


def values_of(
    values: Iterable[ib_async.AccountValue], *, account: str, at_ns: UnixNs
) -> AccountValues:
    """Gather the account's figures; whatever was not said in USD is None."""
    rows = ((one.account, one.tag, one.value, one.currency) for one in values)
    return account_values(rows, account=account, at_ns=at_ns)


def greeks_of(computed: ib_async.OptionComputation | None) -> BrokerGreeks | None:
    """Say what the broker's model says; None when it says nothing at all."""
    if computed is None:
        return None
    greeks = BrokerGreeks(
        iv_annual=said(computed.impliedVol),
        delta_per_share=said(computed.delta, nothing=NO_GREEK),
        gamma_shares_per_usd=said(computed.gamma, nothing=NO_GREEK),
        vega_usd_per_vol_point=said(computed.vega, nothing=NO_GREEK),
        theta_usd_per_day=said(computed.theta, nothing=NO_GREEK),
        underlying_usd=said(computed.undPrice),
    )
    return None if greeks == BrokerGreeks() else greeks


def daily_bar_of(bar: ib_async.BarData) -> DailyBar | None:
    """Say what a session's bar says; None when it is no session's or no bar."""
    if type(bar.date) is not dt.date:
        return None
    first, high, low, close = bar.open, bar.high, bar.low, bar.close
    if any(said(price) is None for price in (first, high, low, close)):
        return None
    return DailyBar(
        day=bar.date,
        open_usd=first,
        high_usd=high,
        low_usd=low,
        close_usd=close,
        volume=said(bar.volume),
    )


def data_type_of(number: int) -> DataType:
    """Say what kind of data a line carries; one we do not know is not live."""
    return _DATA_TYPES.get(number, DataType.DELAYED_FROZEN)


def initial_margin_of(state: object) -> Decimal | None:
    """Return by how much an order would raise the initial margin, None for every kind of unknown.

    The library answers a refused what-if with an empty list, and passes the broker's sign for
    "unset" on as a number.
    """
    if not isinstance(state, ib_async.OrderState):
        return None
    return figure(str(state.initMarginChange))


def perm_ids(trades: Iterable[ib_async.Trade]) -> Mapping[tuple[int, int], int]:
    """Return the lasting number of each order by its client's number and its own."""
    return {
        (trade.order.clientId, trade.order.orderId): trade.order.permId
        for trade in trades
        if trade.order.orderId
    }


def _routed(instrument: Instrument) -> Instrument:
    """Where shares and options are listed or were dealt is not where an order should go."""
    if instrument.kind not in (InstrumentKind.STOCK, InstrumentKind.OPTION):
        return instrument
    return msgspec.structs.replace(instrument, exchange=SMART)


def _multiplier(text: str) -> int:
    try:
        return int(float(text)) if text else 1
    except ValueError:
        return 1


def _class_in_symbol(contract: ib_async.Contract) -> str:
    """The broker leaves the class of a combination's leg out where it tells of a fill."""
    named = parse_occ(contract.localSymbol)
    return named.trading_class if isinstance(named, OptionContract) else ""


def _expiry(contract: ib_async.Contract) -> dt.date | None:
    named = parse_occ(contract.localSymbol)
    if isinstance(named, OptionContract):
        return named.expiry
    try:
        return dt.datetime.strptime(contract.lastTradeDateOrContractMonth[:8], "%Y%m%d").date()  # noqa: DTZ007  # a date has no zone
    except ValueError:
        return None


def _signed(sign: int, quantity: float) -> Decimal:
    """Return a quantity that is never minus zero; one that is unknown must not pass for none."""
    known = money(quantity)
    if known is None:
        raise ValueError(f"the broker told a quantity of {quantity}")
    return sign * known or Decimal()


def _instant(at: dt.datetime) -> UnixNs:
    return UnixNs((at - _EPOCH) // _MICROSECOND * 1_000)


def _perm_id(number: int) -> int:
    return 0 if number >= 2**63 - 1 else number
