"""Books fills: executions, fees, positions, cash; and says so in the order a gateway does.

A fill is Executed, the order without its commission, the order with it, Commissioned; then
positions and account. A combination reports itself first and then every leg; only legs cost.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.practice.account import tariff
from thetawarden.practice.account.book import Trade, settle
from thetawarden.practice.account.holdings import average_cost_usd
from thetawarden.practice.account.ledger import EntryKind
from thetawarden.practice.account.money import ZERO, price_usd
from thetawarden.practice.exchange.legs import LegFill, leg_buys, leg_fills
from thetawarden.practice.exchange.matching import REMOVED_LIQUIDITY, Match
from thetawarden.practice.exchange.state import ExecutionRecord, LiveOrder
from thetawarden.practice.exchange.views import view_of
from thetawarden.practice.model import (
    AccountChanged,
    Action,
    Commissioned,
    CommissionReport,
    Contract,
    ExchangeEvent,
    Executed,
    Execution,
    OrderChanged,
    OrderStatus,
    Position,
    PositionChanged,
    SecType,
)

if TYPE_CHECKING:
    from thetawarden.practice.account.book import Book
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.model import Leg

_EXECUTION_BLOCK = 0x10000000


def fill(floor: Floor, order: LiveOrder, match: Match) -> None:
    """Book one fill of an order, `match.price` being the order's own price, and tell it."""
    _count(order, match)
    execution = _execution(floor, order, match)
    if order.contract.legs:
        _fill_combination(floor, order, execution)
    else:
        _fill_single(floor, order, execution)


def fill_whole(floor: Floor, order: LiveOrder, match: Match) -> None:
    """Count combinations whose legs have traded one by one, and say so."""
    _count(order, match)
    execution = _execution(floor, order, match)
    floor.state.executions.append(
        ExecutionRecord(execution=execution, fees_usd=ZERO, report=None, report_due_ns=None)
    )
    floor.emit([Executed(execution=execution), OrderChanged(view=view_of(order))])


def fill_leg(floor: Floor, order: LiveOrder, leg: Leg, *, quantity: int, price: float) -> None:
    """Book one leg of a combination alone; the order itself does not count it as filled."""
    details = floor.details(leg.con_id)
    if details is None:
        return
    bought = leg_buys(order, leg)
    whole = _execution(
        floor, order, Match(quantity=quantity, price=price, liquidity=REMOVED_LIQUIDITY)
    )
    one = msgspec.structs.replace(
        whole,
        contract=msgspec.structs.replace(details.contract, trading_class=""),
        side=Action.BUY if bought else Action.SELL,
        cumulative_quantity=quantity,
        average_price=price,
    )
    kept = _book(floor, order, one)
    floor.emit(
        [
            Executed(execution=one),
            OrderChanged(view=view_of(order)),
            *reports(floor, [kept]),
            position_changed(floor.book(one.account), leg.con_id),
            AccountChanged(account=one.account),
        ]
    )


def position_changed(book: Book, con_id: int) -> PositionChanged:
    """Say what is held of a contract now."""
    return PositionChanged(position=position_of(book, con_id))


def position_of(book: Book, con_id: int) -> Position:
    """Return what is held of a contract."""
    holding = book.holdings[con_id]
    return Position(
        account=book.terms.account,
        contract=holding.contract,
        quantity=holding.quantity,
        average_cost_usd=average_cost_usd(holding),
    )


def held_contract(floor: Floor, contract: Contract) -> Contract:
    """Return a contract as positions name it: shares on their listing exchange, others on none."""
    details = floor.details(contract.con_id)
    own = details.contract if details else contract
    exchange = own.primary_exchange if own.sec_type is SecType.STOCK else ""
    return msgspec.structs.replace(own, exchange=exchange)


def next_execution_id(floor: Floor) -> str:
    """Return the next execution id, of the first revision."""
    number = floor.state.next_execution
    floor.state.next_execution += 1
    return f"{0x20000 + floor.state.seed % 0xFFFF:08x}.{_EXECUTION_BLOCK + number:08x}.01.01"


def record(
    floor: Floor, execution: Execution, *, fees_usd: Decimal, realized_usd: Decimal | None
) -> ExecutionRecord:
    """Keep a fill of the day, and when its cost will be told."""
    report = CommissionReport(
        exec_id=execution.exec_id, commission_usd=fees_usd, realized_pnl_usd=realized_usd
    )
    due: int | None = floor.now_ns
    delay_s = floor.faults.commission_delay_s
    if delay_s is not None:
        due = floor.now_ns + int(delay_s * NS_PER_SECOND) if delay_s else None
    if due is not None and due > floor.now_ns:
        floor.state.next_report_ns = min(due, floor.state.next_report_ns or due)
    kept = ExecutionRecord(execution=execution, fees_usd=fees_usd, report=report, report_due_ns=due)
    floor.state.executions.append(kept)
    return kept


def reports(floor: Floor, records: list[ExecutionRecord]) -> list[ExchangeEvent]:
    """Tell the cost of those fills whose time has come."""
    events: list[ExchangeEvent] = []
    for one in records:
        due = one.report_due_ns
        if one.report is not None and not one.reported and due is not None and due <= floor.now_ns:
            one.reported = True
            events.append(Commissioned(key=one.execution.key, report=one.report))
    return events


def late_reports(floor: Floor) -> None:
    """Tell the costs that were held back until now."""
    state = floor.state
    if state.next_report_ns is None or state.next_report_ns > floor.now_ns:
        return
    floor.emit(reports(floor, [*state.uncosted, *state.executions]))
    state.uncosted = awaiting_cost(state.uncosted)
    waiting = [*state.uncosted, *awaiting_cost(state.executions)]
    dues = [one.report_due_ns for one in waiting if one.report_due_ns is not None]
    state.next_report_ns = min(dues, default=None)


def awaiting_cost(records: list[ExecutionRecord]) -> list[ExecutionRecord]:
    """Return the fills whose cost is still to be told, be it on another day."""
    return [
        one
        for one in records
        if not one.reported and one.report is not None and one.report_due_ns is not None
    ]


def _count(order: LiveOrder, match: Match) -> None:
    order.filled += match.quantity
    order.filled_amount += match.quantity * match.price
    order.last_fill_price = match.price
    order.resting = True
    if order.remaining == 0:
        order.status = OrderStatus.FILLED
    elif order.status is not OrderStatus.PENDING_CANCEL:
        order.status = OrderStatus.SUBMITTED


def _execution(floor: Floor, order: LiveOrder, match: Match) -> Execution:
    request = order.request
    return Execution(
        exec_id=next_execution_id(floor),
        key=request.key,
        perm_id=order.perm_id,
        account=request.account,
        contract=order.contract,
        exchange=_venue(floor, order.contract),
        at_ns=floor.now_ns,
        side=request.action,
        quantity=match.quantity,
        price=match.price,
        cumulative_quantity=order.filled,
        average_price=order.average_price,
        order_ref=request.order_ref,
        last_liquidity=match.liquidity,
    )


def _venue(floor: Floor, contract: Contract) -> str:
    if contract.exchange not in {"SMART", ""} or contract.legs:
        return contract.exchange
    details = floor.details(contract.con_id)
    venues = [one for one in (details.valid_exchanges if details else ()) if one != "SMART"]
    return venues[floor.state.next_execution % len(venues)] if venues else "SMART"


def _fill_single(floor: Floor, order: LiveOrder, execution: Execution) -> None:
    kept = _book(floor, order, execution)
    before = view_of(order)
    order.commission_usd = (order.commission_usd or ZERO) + kept.fees_usd
    known = kept.report_due_ns == floor.now_ns
    events: list[ExchangeEvent] = [
        Executed(execution=execution),
        OrderChanged(view=msgspec.structs.replace(before, commission_usd=None)),
    ]
    if known:
        events.append(OrderChanged(view=view_of(order)))
    events += reports(floor, [kept])
    events.append(position_changed(floor.book(execution.account), execution.contract.con_id))
    floor.emit([*events, AccountChanged(account=execution.account)])


def _fill_combination(floor: Floor, order: LiveOrder, execution: Execution) -> None:
    floor.state.executions.append(
        ExecutionRecord(execution=execution, fees_usd=ZERO, report=None, report_due_ns=None)
    )
    events: list[ExchangeEvent] = [
        Executed(execution=execution),
        OrderChanged(view=view_of(order)),
    ]
    kept = []
    for index, leg in enumerate(leg_fills(floor, order, execution)):
        one = _leg_execution(floor, execution, leg, index)
        kept.append(_book(floor, order, one))
        order.commission_usd = (order.commission_usd or ZERO) + kept[-1].fees_usd
        events += [Executed(execution=one), OrderChanged(view=view_of(order))]
    events += reports(floor, kept)
    book = floor.book(execution.account)
    events += [position_changed(book, one.execution.contract.con_id) for one in kept]
    floor.emit([*events, AccountChanged(account=execution.account)])


def _leg_execution(floor: Floor, whole: Execution, leg: LegFill, index: int) -> Execution:
    stem = whole.exec_id.rsplit(".", 2)[0]
    return msgspec.structs.replace(
        whole,
        exec_id=f"{stem}.{index + 2:02d}.01.01",
        contract=msgspec.structs.replace(leg.contract, trading_class=""),
        exchange=_venue(floor, leg.contract),
        side=leg.side,
        quantity=leg.quantity,
        price=leg.price,
        cumulative_quantity=leg.quantity * whole.cumulative_quantity // whole.quantity,
        average_price=leg.price,
    )


def _book(floor: Floor, order: LiveOrder, execution: Execution) -> ExecutionRecord:
    contract = held_contract(floor, execution.contract)
    price = price_usd(execution.price)
    book = floor.book(execution.account)
    fees = tariff.fees_usd(
        contract=contract,
        side=execution.side,
        quantity=execution.quantity,
        price_usd=price,
        plan=book.terms.plan,
        charged=order.charged.setdefault(contract.sec_type.value, tariff.Charged()),
    )
    realized = trade(floor, book, execution, contract=contract, fees_usd=fees)
    return record(floor, execution, fees_usd=fees, realized_usd=realized)


def trade(
    floor: Floor,
    book: Book,
    execution: Execution,
    *,
    contract: Contract,
    fees_usd: Decimal,
    kind: EntryKind = EntryKind.TRADE,
) -> Decimal | None:
    """Carry an execution out in the account's book."""
    sign = 1 if execution.side is Action.BUY else -1
    return settle(
        book,
        Trade(
            contract=contract,
            quantity=sign * execution.quantity,
            price_usd=price_usd(execution.price),
            fees_usd=fees_usd,
            at_ns=floor.now_ns,
            kind=kind,
            reference=execution.exec_id,
        ),
    )
