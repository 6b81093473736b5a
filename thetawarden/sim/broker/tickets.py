"""Our intents as the practice exchange's tickets, and its what-ifs as ours."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.orders.intent import Intent, Lifetime, OrderRole, OrderStyle
from thetawarden.domain.orders.proposal import OrderLeg
from thetawarden.domain.orders.wording import word_order
from thetawarden.domain.risk.candidate import WhatIf
from thetawarden.domain.units import to_float
from thetawarden.messages.orders import PreviewMargin
from thetawarden.practice import model

SMART = "SMART"
REDUCE_WITH_BLOCK = 2
_TYPES = MappingProxyType(
    {
        OrderStyle.LIMIT: "LMT",
        OrderStyle.ADAPTIVE: "LMT",
        OrderStyle.STOP: "STP",
        OrderStyle.STOP_LIMIT: "STP LMT",
    }
)
_LIVES = MappingProxyType({Lifetime.DAY: "DAY", Lifetime.GOOD_TILL_CANCELLED: "GTC"})


def ticket_of(
    intent: Intent,
    *,
    key: model.OrderKey,
    account: str,
    parent_id: int = 0,
    transmit: bool = True,
    oca: tuple[str, int] = ("", 0),
) -> model.OrderRequest:
    """The ticket of an order; a change of one keeps the group it is in."""
    worded = word_order(intent)
    adaptive = intent.style is OrderStyle.ADAPTIVE
    own = (intent.oca_group, REDUCE_WITH_BLOCK) if intent.oca_group else oca
    combination = len(intent.legs) > 1
    return model.OrderRequest(
        key=key,
        contract=_contract_of(intent.legs),
        action=model.Action.BUY if worded.buys else model.Action.SELL,
        quantity=worded.quantity,
        order_type=_TYPES[intent.style],
        limit_price=_number(worded.limit_usd),
        aux_price=_number(worded.stop_usd),
        tif=_LIVES[intent.lifetime],
        account=account,
        order_ref=intent.order_ref,
        transmit=transmit,
        parent_id=parent_id,
        oca_group=own[0],
        oca_type=own[1],
        algo_strategy="Adaptive" if adaptive else "",
        algo_params=(("adaptivePriority", "Normal"),) if adaptive else (),
        smart_routing=(("NonGuaranteed", "0"),) if combination else (),
        passthrough=model.Passthrough(open_close="C" if intent.reducing else "O"),
    )


def preview_intent(asked: PreviewMargin) -> Intent:
    """The order that a preview asks about."""
    return Intent(
        order_ref="what-if",
        trade="",
        strategy="",
        role=OrderRole.ENTRY,
        legs=asked.legs,
        units=asked.units,
        style=OrderStyle.LIMIT,
        lifetime=Lifetime.DAY,
        limit_usd=asked.limit_usd,
    )


def what_if_of(found: model.WhatIf, *, units: int, at_ns: UnixNs) -> WhatIf | str:
    """What the exchange says an order would do; words when it gives no answer that can be used."""
    if found.refusal is not None:
        return f"{found.refusal.code}: {found.refusal.text}"
    initial, maintenance = found.initial_change_usd, found.maintenance_change_usd
    if initial is None or maintenance is None:
        return "the broker named no margin"
    return WhatIf(
        units=units,
        initial_change_usd=to_float(initial),
        maintenance_change_usd=to_float(maintenance),
        at_ns=at_ns,
    )


def _contract_of(legs: tuple[OrderLeg, ...]) -> model.ContractQuery:
    first = legs[0].instrument
    if len(legs) == 1:
        return model.ContractQuery(con_id=first.conid, exchange=first.exchange)
    return model.ContractQuery(
        symbol=first.symbol,
        sec_type="BAG",
        exchange=SMART,
        currency=first.currency,
        legs=tuple(
            model.Leg(
                con_id=leg.instrument.conid,
                ratio=abs(leg.ratio),
                action="BUY" if leg.ratio > 0 else "SELL",
                exchange=SMART,
            )
            for leg in legs
        ),
    )


def _number(price: Decimal | None) -> float | None:
    return None if price is None else to_float(price)
