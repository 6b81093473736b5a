"""Moves the governor's books: orders by stages, fills into trades, counts from the account."""

from __future__ import annotations

import msgspec

from thetawarden.actors import risk_watch
from thetawarden.actors.governing import LAPSED_MAX, GovernorSettings, GovernorState
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.governing import orders as following
from thetawarden.domain.governing.orders import KnownOrder, Noted, noted
from thetawarden.domain.governing.trades import filled, held_rows, trades_still_held
from thetawarden.domain.instants import NS_PER_DAY, UnixNs, new_york_date
from thetawarden.domain.orders.life import EXIT_ROLES
from thetawarden.domain.orders.stages import ENDS, Stage
from thetawarden.domain.risk.equity import explain_flow, record_trade
from thetawarden.domain.risk.flow import record_cancel
from thetawarden.domain.risk.instrument import ConId
from thetawarden.domain.risk.ledger import (
    Ledger,
    LedgerRefusal,
    OrderState,
    Reservation,
    expire_unused,
    use,
)
from thetawarden.domain.units import to_float
from thetawarden.messages.books import FillBooked, PositionExplained, PositionsValued
from thetawarden.messages.orders import OrderStageChanged

OPEN_ORDERS = "open orders"
FLOWS = (Cause.ACCEPTED, Cause.TRANSFER)


def expire(state: GovernorState, settings: GovernorSettings, now: UnixNs) -> None:
    """Release what was not used in time, a moment late: its use may still be on its way here."""
    _take(state, expire_unused(state.ledger, now_ns=now - settings.grace_ns))


def _take(state: GovernorState, left: Ledger) -> None:
    """Keep the ledger; what it forgets is remembered for a while, as an end may prove to be none.

    Word of an order may come after its approval lapsed, and life after its end.
    """
    before = state.ledger.reservations
    gone = {key: one for key, one in before.items() if key not in left.reservations}
    if gone:
        state.lapsed = dict(list((state.lapsed | gone).items())[-LAPSED_MAX:])
    state.ledger = left


def staged(state: GovernorState, told: OrderStageChanged, now: UnixNs) -> str:
    """Follow an order to its stage; return what is wrong with it that should halt the desk."""
    before = state.orders.get(told.order_ref)
    order = KnownOrder(
        order_ref=told.order_ref,
        trade=told.trade,
        strategy=told.strategy,
        role=told.role,
        approval_key=told.approval_key,
        stage=told.stage,
        units_filled=max(told.units_filled, 0 if before is None else before.units_filled),
        fills={} if before is None else before.fills,
        ended_ns=now if told.stage in ENDS else UnixNs(0),
        filled_ns=UnixNs(0) if before is None else before.filled_ns,
    )
    uses = before is None and told.approval_key and told.stage is not Stage.WITHHELD
    wrong = _intended(state, order, now) if uses else ""
    state.orders[told.order_ref] = order
    if told.stage is Stage.CANCELLED and (before is None or before.stage is not told.stage):
        state.flow = record_cancel(state.flow, at_ns=now)
    if told.approval_key:
        if before is not None and _lives_after_all(before, order):
            _restore(state, told.approval_key)
        _take(state, following.staged(state.ledger, order))
    return wrong


def _lives_after_all(before: KnownOrder, after: KnownOrder) -> bool:
    """Whether an order that had ended is open again, or has filled more."""
    return before.is_over and (not after.is_over or after.units_filled > before.units_filled)


def _restore(state: GovernorState, key: str) -> None:
    """Count an order again that had ended, as one on its way."""
    kept = state.ledger.reservations.get(key) or state.lapsed.pop(key, None)
    if kept is not None:
        counted = msgspec.structs.replace(kept, state=OrderState.IN_FLIGHT)
        reservations = state.ledger.reservations | {key: counted}
        state.ledger = msgspec.structs.replace(state.ledger, reservations=reservations)


def booked(state: GovernorState, told: FillBooked, now: UnixNs) -> None:
    """Note a fill of an order of ours with its trade; the account's count is told elsewhere."""
    one = told.execution
    order = state.orders.get(one.order_ref)
    if order is None or one.instrument.kind is InstrumentKind.COMBO:
        return
    con_id = ConId(one.instrument.conid)
    fill = Noted(con_id, to_float(told.quantity), to_float(told.cash_usd))
    order, news = noted(order, told.fill, fill)
    order = msgspec.structs.replace(order, filled_ns=now) if news.contracts else order
    state.orders[order.order_ref] = order
    if order.trade not in state.trades and not news.contracts:
        return  # the late cost of a trade that is closed: it was counted by what it had brought
    held = state.ledger.reservations.get(order.approval_key)
    trade = filled(
        state.trades.get(order.trade),
        con_id=con_id,
        contracts=news.contracts,
        cash_usd=news.cash_usd,
        margin_usd=_margin_usd(held, news.contracts),
        auto_selected=held is not None and held.auto_selected,
    )
    if trade.contracts or trade.cash_usd:
        state.trades[order.trade] = trade
    if not trade.contracts:
        _closed(state, order.trade, now)
    if held is not None:
        _take(state, following.staged(state.ledger, order))


def explained(state: GovernorState, told: PositionExplained) -> None:
    """Money that was paid in or out moves what losses are measured from: it is no profit."""
    if not told.conid and told.cause in FLOWS and told.cash_usd:
        state.equity = explain_flow(
            state.equity, before=state.agreed_equity, amount_usd=to_float(told.cash_usd)
        )


def valued(
    state: GovernorState, settings: GovernorSettings, told: PositionsValued, now: UnixNs
) -> bool:
    """Take in the account's count of everything; return whether what is held has changed."""
    before = state.rows
    state.rows, state.rows_ns = held_rows(told.positions), now
    state.agreed_ns = max(state.agreed_ns, told.agreed_ns)
    state.reconciled = told.reconciled
    for values in told.values:
        risk_watch.account(state, settings, values, now)
    if told.reconciled:
        kept = trades_still_held(state.trades, state.rows)
        for name in [name for name in state.trades if name not in kept]:
            if not _is_awaited(state, name):
                _closed(state, name, now)
        state.trades = {name: kept.get(name, trade) for name, trade in state.trades.items()}
    booked_up(state, settings, now)
    return [_count(one) for one in before] != [_count(one) for one in state.rows]


def booked_up(state: GovernorState, settings: GovernorSettings, now: UnixNs) -> None:
    """Let go of what the account shows by now, and forget orders that are long over."""
    left, ahead = following.booked_up(
        state.ledger,
        state.orders.values(),
        agreed={row.instrument.con_id: row.agreed for row in state.rows},
        now_ns=now,
        settle_ns=settings.settle_ns,
    )
    _take(state, left)
    if state.values is not None:
        ahead = following.still_ahead(ahead, account_ns=state.values.at_ns, now=now)
    state.ahead += ahead
    state.orders = {
        ref: one
        for ref, one in state.orders.items()
        if not one.ended_ns
        or now - one.ended_ns < NS_PER_DAY
        or one.approval_key in state.ledger.reservations
    }


def _count(row: object) -> tuple[object, ...]:
    return (
        getattr(row, "instrument").con_id,  # noqa: B009
        getattr(row, "contracts"),  # noqa: B009
        getattr(row, "agreed"),  # noqa: B009
    )


def _intended(state: GovernorState, order: KnownOrder, now: UnixNs) -> str:
    """Use the approval of a new order; whatever is wrong with it, what it may fill counts."""
    key = order.approval_key
    found = use(
        state.ledger, key, now_ns=now, halt_epoch=state.latch.epoch, state=state.latch.state
    )
    kept = state.ledger.reservations.get(key) or state.lapsed.get(key)
    if found is LedgerRefusal.USED:
        return f"order {order.order_ref} was sent by approval {key}, which was used already"
    if kept is None:
        return f"order {order.order_ref} was sent without an approval ({key})"
    counted = msgspec.structs.replace(kept, state=OrderState.IN_FLIGHT)
    reservations = state.ledger.reservations | {key: counted}
    if order.role in EXIT_ROLES:  # a standing exit reserves nothing: any close takes it back first
        del reservations[key]
    state.ledger = msgspec.structs.replace(state.ledger, reservations=reservations)
    if isinstance(found, Ledger):
        return ""
    late = found is LedgerRefusal.NO_SUCH_APPROVAL
    return f"order {order.order_ref} was sent by approval {key}, which had lapsed" if late else ""


def _is_awaited(state: GovernorState, trade: str) -> bool:
    """Whether an order of a trade may still bring something."""
    return any(one.trade == trade and not one.is_over for one in state.orders.values())


def _closed(state: GovernorState, name: str, now: UnixNs) -> None:
    trade = state.trades.pop(name, None)
    if trade is not None:
        day = new_york_date(now)
        state.equity = record_trade(state.equity, profit_usd=trade.cash_usd, day=day)


def _margin_usd(held: Reservation | None, contracts: float) -> float:
    """What these contracts of an entry need of the margin that was reserved for it."""
    if held is None or held.approval.reducing:
        return 0.0
    a_unit = sum(abs(leg.ratio) for leg in held.legs)
    return held.margin_usd_per_unit * abs(contracts) / a_unit
