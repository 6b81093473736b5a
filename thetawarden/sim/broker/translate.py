"""The practice exchange's values on the one side, ours on the other: what the wire would bring."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType

import msgspec

from thetawarden.domain.broker.account import AccountValues, BrokerPosition
from thetawarden.domain.broker.bars import DailyBar
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.orders import BrokerLeg, BrokerOrder, Commission, Execution
from thetawarden.domain.broker.quote import BrokerGreeks, DataType, Quote
from thetawarden.domain.broker.wording import account_values, order_state
from thetawarden.domain.instants import UnixNs, new_york_date
from thetawarden.domain.market.contracts import OptionContract, Right
from thetawarden.domain.market.occ import parse_occ
from thetawarden.domain.units import as_written
from thetawarden.practice import model

SMART = "SMART"
_KINDS = MappingProxyType(
    {
        model.SecType.STOCK: InstrumentKind.STOCK,
        model.SecType.INDEX: InstrumentKind.INDEX,
        model.SecType.OPTION: InstrumentKind.OPTION,
        model.SecType.FUTURE: InstrumentKind.FUTURE,
        model.SecType.COMBO: InstrumentKind.COMBO,
    }
)
_STOPS = ("STP", "TRAIL")


def instrument_of(contract: model.Contract) -> Instrument:
    """Say which thing a listed contract is; an option's expiry is read from its symbol."""
    kind = _KINDS.get(contract.sec_type, InstrumentKind.OTHER)
    option = kind is InstrumentKind.OPTION
    dated = option or kind is InstrumentKind.FUTURE
    named = parse_occ(contract.local_symbol) if option else None
    expiry, trading_class = contract.expiry, contract.trading_class
    if isinstance(named, OptionContract):
        expiry, trading_class = named.expiry, trading_class or named.trading_class
    return Instrument(
        conid=contract.con_id,
        kind=kind,
        symbol=contract.symbol,
        exchange=contract.exchange or SMART,
        currency=contract.currency,
        multiplier=contract.multiplier,
        trading_class=trading_class,
        local_symbol=contract.local_symbol,
        expiry=expiry if dated else None,
        strike=_amount(contract.strike) if option else None,
        right=Right(contract.right) if option else None,
    )


def quote_of(
    shown: model.Quote, *, at_ns: UnixNs, two_sided_ns: UnixNs, data_type: DataType
) -> Quote:
    """Say what a line shows; a side nobody quotes has no price."""
    bid = shown.bid if shown.bid_size > 0 else None
    ask = shown.ask if shown.ask_size > 0 else None
    greeks = shown.model
    return Quote(
        conid=shown.con_id,
        at_ns=at_ns,
        two_sided_ns=two_sided_ns if bid is None or ask is None else at_ns,
        data_type=data_type,
        bid_usd=bid,
        ask_usd=ask,
        bid_size=float(shown.bid_size),
        ask_size=float(shown.ask_size),
        last_usd=shown.last,
        close_usd=shown.close,
        volume=None if shown.volume is None else float(shown.volume),
        open_interest=None if shown.open_interest is None else float(shown.open_interest),
        halted=shown.halted,
        greeks=None if greeks is None else _greeks(greeks),
    )


def order_of(view: model.OrderView) -> BrokerOrder:
    """Say of an order what the exchange says of it."""
    asked = view.request
    sign = 1 if asked.action is model.Action.BUY else -1
    kind = asked.order_type
    return BrokerOrder(
        perm_id=view.perm_id,
        order_id=asked.key.order_id,
        client_id=asked.key.client_id,
        order_ref=asked.order_ref,
        instrument=_routed(instrument_of(view.contract)),
        state=order_state(view.status),
        quantity=sign * Decimal(asked.quantity),
        filled=sign * Decimal(view.filled) or Decimal(),
        order_type=kind,
        limit_usd=_amount(asked.limit_price) if "LMT" in kind else None,
        stop_usd=_amount(asked.aux_price) if kind.startswith(_STOPS) else None,
        time_in_force=asked.tif or "DAY",
        parent_perm_id=view.parent_perm_id or 0,
        oca_group=asked.oca_group,
        words=view.why_held or view.completed_status,
        account=asked.account,
        average_usd=_amount(view.average_price) if view.filled else None,
        legs=tuple(
            BrokerLeg(conid=leg.con_id, ratio=leg.ratio if leg.action == "BUY" else -leg.ratio)
            for leg in view.contract.legs
        ),
    )


def execution_of(fill: model.Execution) -> Execution:
    """Say what was bought (above zero) or sold, and for how much."""
    sign = 1 if fill.side is model.Action.BUY else -1
    return Execution(
        execution_id=fill.exec_id,
        instrument=_routed(instrument_of(fill.contract)),
        quantity=sign * Decimal(fill.quantity) or Decimal(),
        price_usd=_amount(fill.price) or Decimal(),
        at_ns=UnixNs(fill.at_ns // 1_000_000_000 * 1_000_000_000),
        perm_id=fill.perm_id,
        order_id=fill.key.order_id,
        client_id=fill.key.client_id,
        order_ref=fill.order_ref,
        account=fill.account,
        liquidation=fill.liquidation,
    )


def commission_of(report: model.CommissionReport) -> Commission:
    """Say what a fill cost."""
    return Commission(
        execution_id=report.exec_id,
        commission_usd=report.commission_usd,
        realised_usd=report.realized_pnl_usd,
    )


def position_of(position: model.Position) -> BrokerPosition:
    """Say what is held."""
    return BrokerPosition(
        account=position.account,
        instrument=_routed(instrument_of(position.contract)),
        quantity=Decimal(position.quantity),
        average_cost_usd=position.average_cost_usd,
    )


def values_of(rows: tuple[model.AccountRow, ...], *, account: str, at_ns: UnixNs) -> AccountValues:
    """Gather the account's figures."""
    texts = ((one.account, one.key, one.value, one.currency) for one in rows)
    return account_values(texts, account=account, at_ns=at_ns)


def daily_bar_of(bar: model.Bar) -> DailyBar:
    """Say what a session's bar says."""
    return DailyBar(
        day=new_york_date(bar.start_ns),
        open_usd=bar.open,
        high_usd=bar.high,
        low_usd=bar.low,
        close_usd=bar.close,
        volume=bar.volume if bar.volume >= 0 else None,
    )


def _greeks(shown: model.Greeks) -> BrokerGreeks:
    return BrokerGreeks(
        iv_annual=shown.iv_annual,
        delta_per_share=shown.delta,
        gamma_shares_per_usd=shown.gamma,
        vega_usd_per_vol_point=shown.vega,
        theta_usd_per_day=shown.theta,
        underlying_usd=shown.under_price,
    )


def _amount(value: float | None) -> Decimal | None:
    return None if value is None else as_written(value)


def _routed(instrument: Instrument) -> Instrument:
    """Where shares and options were dealt is not where an order should go."""
    if instrument.kind not in (InstrumentKind.STOCK, InstrumentKind.OPTION):
        return instrument
    return msgspec.structs.replace(instrument, exchange=SMART)
