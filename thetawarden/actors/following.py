"""Follows orders by what the broker tells: reports, fills, troubles, whole books, and silence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

import msgspec

from thetawarden.actors import counting
from thetawarden.actors.executing import (
    CANCEL_TRIES,
    ME,
    NAMES_MAX,
    ExecutorState,
    Says,
    cancel_said,
    cancelled,
    heard,
    in_doubt,
    page,
    query,
)
from thetawarden.domain.broker.orders import BrokerOrder, BrokerOrderState, Execution
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.link.agreement import fingerprint
from thetawarden.domain.orders.codes import Meaning, meaning_of
from thetawarden.domain.orders.intent import Withheld
from thetawarden.domain.orders.life import (
    OPEN_STATES,
    OrderLife,
    evidence_of_fills,
    evidence_of_report,
    leg_fills,
    with_execution,
    with_listing,
    with_report,
)
from thetawarden.domain.orders.machine import Evidence
from thetawarden.domain.orders.reconcile import (
    Finding,
    WholeBook,
    conclude,
    is_settled,
    looked_for,
    units_accepted,
)
from thetawarden.domain.orders.settings import ExecutorSettings
from thetawarden.domain.orders.stages import Stage
from thetawarden.messages.books import BookFetched, BookJudged
from thetawarden.messages.orders import (
    OrderSent,
    OrdersReconciled,
    OrderTroubled,
    OrderWithheld,
)
from thetawarden.messages.trading import Halt

UNSURE = frozenset({Stage.INTENDED, Stage.SENT})
WORDS_MAX = 500


def sent(state: ExecutorState, told: OrderSent, now: UnixNs) -> tuple[Says, ...]:
    """An order, or a change of one, has left."""
    life = state.orders.get(told.order_ref)
    if life is None:
        return ()
    life = msgspec.structs.replace(life, order_id=told.order_id or life.order_id)
    if told.number:
        if life.change is not None and told.number == life.changes:
            life = msgspec.structs.replace(life, intent=life.change, change=None)
        state.orders[life.order_ref] = life
        return ()
    return heard(state, life, Evidence.LEFT, now=now, words=f"sent as {told.order_id}")


def withheld(
    state: ExecutorState, told: OrderWithheld, now: UnixNs, settings: ExecutorSettings
) -> tuple[Says, ...]:
    """The gate kept an order back, or a change of one; one that had left before is in doubt."""
    life = state.orders.get(told.order_ref)
    if life is None:
        return ()
    if told.number:
        return _not_changed(state, life, told, now, settings)
    left = told.why is Withheld.SENT_ALREADY or life.order_id or life.is_acknowledged
    evidence = Evidence.SILENT if left else Evidence.HELD_BACK
    return heard(state, life, evidence, now=now, words=f"not sent: {told.words}"[:WORDS_MAX])


def _not_changed(
    state: ExecutorState,
    life: OrderLife,
    told: OrderWithheld,
    now: UnixNs,
    settings: ExecutorSettings,
) -> tuple[Says, ...]:
    """What cannot be changed where it is may have ended there: the broker is asked for it."""
    if told.number != life.changes:
        return ()
    state.orders[life.order_ref] = _rested(life, now, settings)
    if told.why is not Withheld.NOT_SENDABLE:
        return ()
    words = f"a change was not sent: {told.words}"[:WORDS_MAX]
    return query(state, words, now=now, every_ns=settings.query_ns)


def _rested(life: OrderLife, now: UnixNs, settings: ExecutorSettings) -> OrderLife:
    """A change that came to nothing is not asked for again at once, to be answered the same.

    One that was thought to be made is none: the broker's next list says what the order is.
    """
    again_ns = UnixNs(0 if life.change is None else now + settings.pace_ns)
    return msgspec.structs.replace(life, change_due_ns=again_ns)


def troubled(
    state: ExecutorState, told: OrderTroubled, now: UnixNs, settings: ExecutorSettings
) -> tuple[Says, ...]:
    """A code about an order: alone it ends nothing but a confirmed cancel."""
    life = state.orders.get(told.order_ref)
    if life is None:
        return ()
    words = f"{told.code}: {told.words}"[:WORDS_MAX]
    match meaning_of(told.code):
        case Meaning.WARNING:
            return ()
        case Meaning.CANCELLED:
            return heard(state, life, Evidence.CANCELLED, now=now, words=words)
        case Meaning.CHANGE_REFUSED:
            state.orders[life.order_ref] = _rested(life, now, settings)
            return query(state, words, now=now, every_ns=settings.query_ns)
        case Meaning.CANNOT_CANCEL:
            return query(state, words, now=now, every_ns=settings.query_ns)
        case Meaning.REFUSED:
            life = msgspec.structs.replace(life, refusal=words, change=None)
            evidence = Evidence.REFUSED if life.inactive else Evidence.DOUBTED
        case Meaning.NOT_FOUND | Meaning.DOUBT:
            evidence = Evidence.DOUBTED
    said = heard(state, life, evidence, now=now, words=words)
    return (*said, *query(state, words, now=now, every_ns=settings.query_ns))


def reported(state: ExecutorState, order: BrokerOrder, now: UnixNs) -> tuple[Says, ...]:
    """The broker spoke of an order; one that is not ours is not touched."""
    life = find(state, order.order_ref, order.perm_id)
    if life is None:
        return ()
    after = with_report(life, order, now=now)
    words = f"reported as {order.state}" + (f": {order.words}" if order.words else "")
    said = heard(state, after, evidence_of_report(after, order), now=now, words=words)
    return (*said, *_filled(state, life, now, words))


def executed(state: ExecutorState, execution: Execution, now: UnixNs) -> tuple[Says, ...]:
    """A fill, once; whatever stage its order was thought to be at."""
    life = find(state, execution.order_ref, execution.perm_id)
    if life is None:
        counting.noted(state, execution, now)
        return ()
    after = with_execution(life, execution)
    if after == life:
        return ()
    _count(state, life, after)
    words = f"fill {execution.execution_id}: {execution.quantity} at {execution.price_usd}"
    return heard(state, after, evidence_of_fills(after, life), now=now, words=words)


def _count(state: ExecutorState, before: OrderLife, after: OrderLife) -> None:
    """A fill moves the broker's count of its leg, until a whole book tells it anew."""
    was = leg_fills(before)
    for conid, filled in leg_fills(after).items():
        if filled != was[conid]:
            count = state.positions.get(conid, Decimal()) + filled - was[conid]
            state.positions = {**state.positions, conid: count}


def find(state: ExecutorState, order_ref: str, perm_id: int) -> OrderLife | None:
    """Return the order of ours that is meant: by our name, else by the broker's number."""
    if order_ref:
        return state.orders.get(order_ref)
    if not perm_id:
        return None
    return next((one for one in state.orders.values() if one.perm_id == perm_id), None)


def fetched(
    state: ExecutorState, book: BookFetched, now: UnixNs, settings: ExecutorSettings
) -> tuple[Says, ...]:
    """Compare every order with the broker's whole book; a part of one proves no absence."""
    said: list[Says] = []
    for execution in book.executions:
        said += executed(state, execution, now)
    listed: set[str] = set()
    for order in (*book.completed, *book.orders):
        life = find(state, order.order_ref, order.perm_id)
        if life is not None:
            listed.add(life.order_ref)
            completed = order not in book.orders
            said += _listed(state, life, order, now, settings, completed=completed)
    if book.missing or book.epoch != state.epoch:
        return tuple(said)
    whole = WholeBook(
        fingerprint=fingerprint(
            orders=book.orders, executions=book.executions, positions=book.positions
        ),
        at_ns=now,
        positions={one.instrument.conid: one.quantity for one in book.positions},
    )
    state.positions = whole.positions
    state.checked = True
    for life in list(state.orders.values()):
        if not life.is_over and life.order_ref not in listed:
            said += _unlisted(state, life, whole, settings)
    return tuple(said)


def judged(
    state: ExecutorState, verdict: BookJudged, now: UnixNs, settings: ExecutorSettings
) -> tuple[Says, ...]:
    """Conclude what a book that was compared with the keeper's lets be concluded."""
    if verdict.epoch != state.epoch:
        return ()
    said = list(_accepted(state, dict(verdict.accepted), now))
    settled: list[str] = []
    for life in list(state.orders.values()):
        finding = conclude(
            life,
            now=now,
            positions=state.positions,
            agreed=verdict.agreed,
            apart_ns=settings.apart_ns,
        )
        if finding is Finding.ABSENT:
            settled.append(life.order_ref)
            said += _absent(state, life, now)
        if finding is Finding.MOVED and life.order_ref not in state.moved:
            state.moved = (*state.moved, life.order_ref)[-NAMES_MAX:]
            text = f"{life.order_ref} is on no list, yet a position of it moved: look at it"
            said += [Halt(reason=text, by=ME), page(life.order_ref, text)]
    return (*said, *reconciled(state, tuple(settled), agreed=verdict.agreed))


def _accepted(state: ExecutorState, left: dict[int, Decimal], now: UnixNs) -> Iterator[Says]:
    """What a person accepts as held, and an order in doubt would have brought, it has brought.

    Else that order would be proved absent by books that agree, and the exits of what is held with
    it taken for left over.
    """
    for life in list(state.orders.values()):
        units = units_accepted(life, left) if left else 0
        if not units:
            continue
        for leg in life.intent.legs:
            left[leg.instrument.conid] -= units * leg.ratio
        after = msgspec.structs.replace(life, told_units=life.units_filled + units)
        words = f"{units} filled, by the broker's book as a person accepted it"
        yield from heard(state, after, evidence_of_fills(after, life), now=now, words=words)


def reconciled(state: ExecutorState, settled: tuple[str, ...], *, agreed: bool) -> tuple[Says, ...]:
    """Say how far our orders are known to be the broker's, when that has changed."""
    unknown = in_doubt(state)
    before = state.reconciled
    state.reconciled = (before or (state.checked and agreed)) and not unknown
    if not settled and state.reconciled == before:
        return ()
    return (OrdersReconciled(epoch=state.epoch, settled=settled, unknown=unknown),)


def doubted(state: ExecutorState, evidence: Evidence, now: UnixNs, words: str) -> tuple[Says, ...]:
    """The link or our memory broke: whatever was sent without an answer is in doubt."""
    return tuple(
        said
        for life in list(state.orders.values())
        if life.stage in UNSURE
        for said in heard(state, life, evidence, now=now, words=words)
    )


def overdue(
    state: ExecutorState, life: OrderLife, now: UnixNs, settings: ExecutorSettings
) -> tuple[Says, ...]:
    """No word of an order in time: it may be there or not."""
    words = "no word of it in time"
    said = heard(state, life, Evidence.SILENT, now=now, words=words)
    return (*said, *query(state, f"{life.order_ref}: {words}", now=now, every_ns=settings.query_ns))


def still_there(
    state: ExecutorState, life: OrderLife, now: UnixNs, settings: ExecutorSettings
) -> tuple[Says, ...]:
    """A cancel was not answered in time: ask again, a few times, then tell a person."""
    cancel = life.cancel
    if cancel is None or life.is_over:
        return ()
    asked = query(state, f"{life.order_ref}: no end of it", now=now, every_ns=settings.query_ns)
    if cancel.tries >= CANCEL_TRIES:
        state.orders[life.order_ref] = msgspec.structs.replace(
            life, cancel=msgspec.structs.replace(cancel, due_ns=UnixNs(0))
        )
        text = f"{life.order_ref} cannot be cancelled ({cancel.tries} tries): {cancel.reason}"
        return (*asked, page(life.order_ref, text))
    again = msgspec.structs.replace(
        cancel, tries=cancel.tries + 1, due_ns=UnixNs(now + settings.cancel_ns)
    )
    state.orders[life.order_ref] = msgspec.structs.replace(life, cancel=again)
    return (cancel_said(state, life, cancel.reason), *asked)


def take_back(
    state: ExecutorState,
    lives: Iterable[OrderLife],
    reason: str,
    *,
    now: UnixNs,
    settings: ExecutorSettings,
) -> tuple[Says, ...]:
    """Ask for the end of every one of these orders."""
    return tuple(
        said
        for life in lives
        for said in cancelled(state, life, reason=reason, now=now, settings=settings)
    )


def cancel_anew(state: ExecutorState, now: UnixNs) -> None:
    """The link is back: what was to end and did not is asked for again, as if never before."""
    for ref, life in state.orders.items():
        if life.cancel is not None:
            again = msgspec.structs.replace(life.cancel, tries=0, due_ns=now)
            state.orders[ref] = msgspec.structs.replace(life, cancel=again)


def _filled(state: ExecutorState, before: OrderLife, now: UnixNs, words: str) -> tuple[Says, ...]:
    life = state.orders[before.order_ref]
    return heard(state, life, evidence_of_fills(life, before), now=now, words=words)


def _listed(
    state: ExecutorState,
    life: OrderLife,
    order: BrokerOrder,
    now: UnixNs,
    settings: ExecutorSettings,
    *,
    completed: bool,
) -> tuple[Says, ...]:
    """A list is stronger than a report; what ended a moment ago may still have been on it."""
    if completed and order.state is not BrokerOrderState.FILLED:
        order = msgspec.structs.replace(order, filled=order.filled * 0)
    take = with_report if completed else with_listing
    after = take(life, order, now=now)
    evidence = evidence_of_report(after, order)
    if order.state in OPEN_STATES:
        late = life.is_over and now - life.since_ns < settings.settle_ns
        evidence = None if late or completed else Evidence.LISTED
    elif completed and order.state is BrokerOrderState.INACTIVE:
        evidence = Evidence.REFUSED
    where = "completed" if completed else "open"
    said = heard(state, after, evidence, now=now, words=f"on the broker's list of {where} orders")
    said = (*said, *_filled(state, life, now, "by the broker's whole book"))
    if order.state is BrokerOrderState.INACTIVE and not completed:
        current = state.orders[life.order_ref]
        reason = "the broker keeps it inactive"
        said = (*said, *cancelled(state, current, reason=reason, now=now, settings=settings))
    return said


def _unlisted(
    state: ExecutorState, life: OrderLife, book: WholeBook, settings: ExecutorSettings
) -> tuple[Says, ...]:
    if not is_settled(life, book, settle_ns=settings.settle_ns):
        return ()
    if life.stage is Stage.UNKNOWN:
        state.orders[life.order_ref] = looked_for(life, book)
        return ()
    words = "not in the broker's whole book"
    return heard(state, life, Evidence.MISSING, now=book.at_ns, words=words)


def _absent(state: ExecutorState, life: OrderLife, now: UnixNs) -> tuple[Says, ...]:
    if life.refusal:
        return heard(state, life, Evidence.REFUSED, now=now, words=life.refusal)
    gone = life.is_acknowledged
    evidence = Evidence.GONE if gone else Evidence.ABSENT
    words = "it is on no list of the broker's any more" if gone else "it never arrived"
    return heard(state, life, evidence, now=now, words=f"{words}, by two whole books")
