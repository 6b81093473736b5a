"""Order messages that come twice, late, in the wrong order, changed or not at all (O04 to O10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from thetawarden.errors import RefusedError
from thetawarden.practice.faults.registry import fault
from thetawarden.practice.faults.stage import added
from thetawarden.practice.model import (
    Commissioned,
    Executed,
    ExecutionFilter,
    OrderChanged,
    OrderNoticed,
)
from thetawarden.practice.wire.framing import LENGTH_BYTES
from thetawarden.practice.wire.incoming import Incoming
from thetawarden.practice.wire.outgoing import Outgoing

if TYPE_CHECKING:
    from typing import Any

    from thetawarden.practice.faults.registry import Undo
    from thetawarden.practice.faults.stage import Stage
    from thetawarden.practice.gateway.session import Session
    from thetawarden.practice.model import ExchangeEvent

STATUS, OPEN_ORDER = Outgoing.ORDER_STATUS, Outgoing.OPEN_ORDER
EXECUTION, COMMISSION = Outgoing.EXECUTION, Outgoing.COMMISSION_REPORT
_REPORTS = frozenset({STATUS, OPEN_ORDER, EXECUTION, COMMISSION})


def message_id(data: bytes) -> int:
    """The id of the first message in some output."""
    head = data[LENGTH_BYTES : data.find(b"\0", LENGTH_BYTES)]
    return int(head) if head.isdigit() else -1


@fault("O04", "duplicates", "every order message comes several times")
def duplicates(stage: Stage, *, times: int = 2) -> Undo:
    """Repeat openOrder, orderStatus, execDetails and commissionReport."""

    def repeat(_session: Session, data: bytes) -> tuple[bytes, ...]:
        return (data,) * times if message_id(data) in _REPORTS else (data,)

    return added(stage.seams.frames, repeat)


@fault("O05", "no-status", "fills arrive as executions only: orderStatus and openOrder are lost")
def no_status(stage: Stage) -> Undo:
    """Drop the pairs, keep executions and commissions."""

    def drop(_session: Session, data: bytes) -> tuple[bytes, ...]:
        return () if message_id(data) in (STATUS, OPEN_ORDER) else (data,)

    return added(stage.seams.frames, drop)


@fault("O06", "out-of-order", "each orderStatus arrives behind the next one")
def out_of_order(stage: Stage) -> Undo:
    """Swap neighbouring states of orders."""
    held: dict[Session, bytes] = {}

    def swap(session: Session, data: bytes) -> tuple[bytes, ...]:
        if message_id(data) != STATUS:
            return (data,)
        earlier = held.pop(session, None)
        if earlier is None:
            held[session] = data
            return ()
        return (data, earlier)

    remove = added(stage.seams.frames, swap)

    def undo() -> None:
        remove()
        for session, data in held.items():
            session.send_raw(data)

    return undo


@fault("T03", "late-status", "each orderStatus comes late")
def late_status(stage: Stage, *, delay_s: float = 3.0) -> Undo:
    """Delay the status, not the open order."""
    return _delayed(stage, STATUS, delay_s)


@fault("O07", "late-commission", "commission reports come late, or never with delay_s=0")
def late_commission(stage: Stage, *, delay_s: float = 0.0) -> Undo:
    """Delay or drop commission reports."""
    return _delayed(stage, COMMISSION, delay_s)


def _delayed(stage: Stage, kind: Outgoing, delay_s: float) -> Undo:
    def delay(session: Session, data: bytes) -> tuple[bytes, ...]:
        if message_id(data) != kind:
            return (data,)
        if delay_s > 0:
            stage.after_s(delay_s, lambda: session.send_raw(data))
        return ()

    return added(stage.seams.frames, delay)


@fault("O07", "early-commission", "the commission report comes before its execution")
def early_commission(stage: Stage) -> Undo:
    """Hold executions until their commission has been told."""
    held: dict[str, Executed] = {}

    def swap(event: ExchangeEvent) -> tuple[ExchangeEvent, ...]:
        if isinstance(event, Executed) and not event.execution.contract.legs:
            held[event.execution.exec_id] = event
            return ()
        if isinstance(event, Commissioned) and event.report.exec_id in held:
            return (event, held.pop(event.report.exec_id))
        return (event,)

    return added(stage.seams.events, swap)


@fault("O08", "correction", "the last execution is corrected to a price; price=0 busts it")
def correction(stage: Stage, *, exec_id: str = "", price: float = 0.0) -> None:
    """Repeat an execution with the last part of its id raised."""
    done = stage.gateway.exchange.executions(ExecutionFilter())
    ids = [fill.exec_id for fill, _ in done if exec_id in ("", fill.exec_id)]
    if not ids or not stage.exchange_levers().correct(exec_id=ids[-1], price=price):
        raise RefusedError(f"no execution {exec_id or 'today'} to correct")


@fault("O09", "perm-id", "perm ids are 0 at first (zero) or change later (changed)")
def perm_id(stage: Stage, *, kind: str = "zero") -> Undo:
    """Tell wrong perm ids about orders and fills."""
    offset = 1_000_000
    told: set[int] = set()

    def alter(event: ExchangeEvent) -> tuple[ExchangeEvent, ...]:
        if isinstance(event, Executed) and kind == "changed":
            fill = event.execution
            moved_fill = msgspec.structs.replace(fill, perm_id=fill.perm_id + offset)
            return (Executed(execution=moved_fill),)
        if not isinstance(event, OrderChanged):
            return (event,)
        view = event.view
        first = view.perm_id not in told
        told.add(view.perm_id)
        if kind == "zero" and first:
            return (OrderChanged(view=msgspec.structs.replace(view, perm_id=0)),)
        if kind == "changed" and not first:
            moved = msgspec.structs.replace(view, perm_id=view.perm_id + offset)
            return (OrderChanged(view=moved),)
        return (event,)

    return added(stage.seams.events, alter)


@fault("O10", "lost-order", "the next orders vanish without an answer")
def lost_order(stage: Stage, *, count: int = 1) -> Undo:
    """Swallow orders on their way to the exchange."""
    left = count

    def swallow(_session: Session, incoming: Incoming, _request: Any) -> bool:
        nonlocal left
        if incoming is not Incoming.PLACE_ORDER or left <= 0:
            return False
        left -= 1
        return True

    return added(stage.seams.requests, swallow)


@fault("O10", "lost-ack", "orders are placed, but nothing is told about them")
def lost_ack(stage: Stage) -> Undo:
    """Swallow everything the exchange says about orders; listings still tell the truth."""
    about_orders = (OrderChanged, OrderNoticed, Executed, Commissioned)

    def swallow(event: ExchangeEvent) -> tuple[ExchangeEvent, ...]:
        return () if isinstance(event, about_orders) else (event,)

    return added(stage.seams.events, swallow)
