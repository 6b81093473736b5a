"""The border for orders that leave: our intents become the broker's contracts and orders.

Every field that a preset of TWS could fill in is set here, so that nobody's habits change an order
on its way. What a leg or a price means is decided in `domain.orders.wording`.
"""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType

import ib_async

from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.orders.intent import Intent, Lifetime, OrderStyle
from thetawarden.domain.orders.proposal import OrderLeg
from thetawarden.domain.orders.wording import word_order
from thetawarden.domain.risk.candidate import WhatIf
from thetawarden.infra.ib.translate import SMART, UNSET, contract_of, initial_margin_of, money

_TYPES = MappingProxyType(
    {
        OrderStyle.LIMIT: "LMT",
        OrderStyle.ADAPTIVE: "LMT",
        OrderStyle.STOP: "STP",
        OrderStyle.STOP_LIMIT: "STP LMT",
    }
)
_LIVES = MappingProxyType({Lifetime.DAY: "DAY", Lifetime.GOOD_TILL_CANCELLED: "GTC"})
ADAPTIVE, PRIORITY, PATIENCE = "Adaptive", "adaptivePriority", "Normal"
NON_GUARANTEED, NEVER = "NonGuaranteed", "0"
REDUCE_WITH_BLOCK = 2
"""Of a group one order at a time is at the exchange, and what fills of it comes off the others."""


def contract_for(legs: tuple[OrderLeg, ...]) -> ib_async.Contract:
    """Name what is ordered: one contract, or a combination that is bought as a unit."""
    first = legs[0].instrument
    if len(legs) == 1:
        return contract_of(first)
    return ib_async.Contract.create(
        secType="BAG",
        symbol=first.symbol,
        exchange=SMART,
        currency=first.currency,
        comboLegs=[_combo_leg(leg.instrument, leg.ratio) for leg in legs],
    )


def order_for(intent: Intent, *, account: str) -> ib_async.Order:
    """Say all of an order but what belongs to its place in a bracket: number, parent, transmit."""
    worded = word_order(intent)
    adaptive = intent.style is OrderStyle.ADAPTIVE
    combination = len(intent.legs) > 1
    return ib_async.Order(
        action="BUY" if worded.buys else "SELL",
        totalQuantity=worded.quantity,
        orderType=_TYPES[intent.style],
        lmtPrice=_number(worded.limit_usd),
        auxPrice=_number(worded.stop_usd),
        tif=_LIVES[intent.lifetime],
        orderRef=intent.order_ref,
        account=account,
        ocaGroup=intent.oca_group,
        ocaType=REDUCE_WITH_BLOCK if intent.oca_group else 0,
        openClose="C" if intent.reducing else "O",
        outsideRth=False,
        hidden=False,
        displaySize=0,
        triggerMethod=0,
        allOrNone=False,
        overridePercentageConstraints=False,
        usePriceMgmtAlgo=False,
        algoStrategy=ADAPTIVE if adaptive else "",
        algoParams=[ib_async.TagValue(PRIORITY, PATIENCE)] if adaptive else [],
        smartComboRoutingParams=([ib_async.TagValue(NON_GUARANTEED, NEVER)] if combination else []),
        whatIf=False,
        transmit=True,
    )


def what_if_of(state: object, *, units: int, at_ns: UnixNs) -> WhatIf | None:
    """Return the broker's answer to a what-if, None for every kind of unknown."""
    initial = initial_margin_of(state)
    if initial is None or not isinstance(state, ib_async.OrderState):
        return None
    maintenance = money(_float(str(state.maintMarginChange)))
    if maintenance is None:
        return None
    return WhatIf(
        units=units,
        initial_change_usd=float(initial),
        maintenance_change_usd=float(maintenance),
        at_ns=at_ns,
    )


def _combo_leg(instrument: Instrument, ratio: int) -> ib_async.ComboLeg:
    return ib_async.ComboLeg(
        conId=instrument.conid,
        ratio=abs(ratio),
        action="BUY" if ratio > 0 else "SELL",
        exchange=SMART,
        openClose=0,
    )


def _number(price: Decimal | None) -> float:
    return UNSET if price is None else float(price)


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
