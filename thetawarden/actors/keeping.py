"""What the keeper remembers, and how it words what it finds; decides nothing of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from thetawarden.domain.books.amounts import plain, signed
from thetawarden.domain.books.book import Book, cash_usd, cause_of, holding_of, holdings
from thetawarden.domain.books.gaps import contract_words
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.books.judge import LAG_NS, Doubt, Judgement
from thetawarden.domain.books.marks import viewed_marks, viewed_spot
from thetawarden.domain.books.profit import DayStart, results_by_underlying
from thetawarden.domain.books.rows import Mark, PositionRow, position_rows
from thetawarden.domain.books.working import WorkingOrders
from thetawarden.domain.broker.account import AccountValues, BrokerPosition
from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.broker.lines import LinePriority
from thetawarden.domain.broker.orders import BrokerOrder, Execution, execution_stem
from thetawarden.domain.chains.view import ChainView
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs
from thetawarden.domain.link.states import LinkState
from thetawarden.messages.books import FillBooked, PositionExplained, PositionsValued
from thetawarden.messages.chains import InterestChanged
from thetawarden.messages.operations import NotifyPerson, Urgency

NEVER = ("the book has not been compared with the broker's yet",)
WORDS_MAX = 1_000
OWNER = "keeper"
_FOREIGN = {
    Cause.MANUAL_TRADE: "traded by hand",
    Cause.LIQUIDATION: "closed by the broker",
    Cause.ASSIGNMENT: "delivered",
}


class KeeperSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Our number at the broker, and how often things are done, in market time."""

    client_id: int
    refresh_ns: int = 300 * NS_PER_SECOND
    confirm_ns: int = 10 * NS_PER_SECOND
    settle_ns: int = NS_PER_SECOND
    value_ns: int = 60 * NS_PER_SECOND


class KeeperState(msgspec.Struct, kw_only=True):
    """The book, what the broker was last heard to say, and how the comparison stands.

    `agreed_ns` says when the two last agreed: the age of everything here. `broker` holds the
    broker's own counts, zeros included; `worried` is whether the person knows of a difference.
    `heard_ns` says when the latest fills were first told.
    """

    epoch: int = 0
    link: LinkState | None = None
    opened: bool = False
    book: Book
    heard_ns: dict[str, UnixNs] = {}
    broker: dict[str, BrokerPosition] = {}
    values: AccountValues | None = None
    agreed_values: AccountValues | None = None
    agreed_ns: UnixNs = UnixNs(0)
    unexplained: tuple[str, ...] = NEVER
    doubt: Doubt | None = None
    worried: tuple[str, ...] = ()
    accepting: str = ""
    soon: str = ""
    orders: WorkingOrders = WorkingOrders()
    strangers: tuple[str, ...] = ()
    overfills: tuple[int, ...] = ()
    marks: dict[int, Mark] = {}
    spots_usd: dict[str, Decimal] = {}
    underlyings: tuple[str, ...] = ()
    interests: dict[str, tuple[int, ...]] = {}
    day: dt.date | None = None
    starts: dict[str, DayStart] = {}


def rows_of(state: KeeperState) -> tuple[PositionRow, ...]:
    """Return every position as it stands."""
    return position_rows(
        holdings(state.book), broker=state.broker, starts=state.starts, marks=state.marks
    )


def look(state: KeeperState, view: ChainView) -> None:
    """Take from a chain's view what concerns the holdings on it."""
    spot = viewed_spot(view)
    if spot is not None:
        state.spots_usd[view.underlying] = spot
    if view.underlying in state.underlyings:
        held = [one.instrument for one in state.broker.values() if one.quantity]
        conids = [one.conid for one in held if one.symbol == view.underlying]
        state.marks |= viewed_marks(view, conids, state.marks)


def valued(state: KeeperState) -> PositionsValued:
    """State all positions and the account."""
    held = holdings(state.book)
    accounts = sorted({one.account for one in held.values()} | set(state.book.carried_usd))
    marks = {conid: one.mark_usd for conid, one in state.marks.items()}
    rows = position_rows(
        held, broker=state.broker, starts=state.starts, marks=state.marks, closed=True
    )
    return PositionsValued(
        agreed_ns=state.agreed_ns,
        reconciled=not state.unexplained,
        positions=rows,
        results=results_by_underlying(held, starts=state.starts, marks_usd=marks),
        cash_usd={account: cash_usd(state.book, account) for account in accounts},
        values=() if state.values is None else (state.values,),
        working_orders=len(state.orders.orders),
    )


def interests(
    rows: tuple[PositionRow, ...], before: Mapping[str, tuple[int, ...]]
) -> tuple[InterestChanged, ...]:
    """Say of every underlying which of its options are held, also where none is any more."""
    held = [
        one.instrument
        for one in rows
        if one.quantity and one.instrument.kind is InstrumentKind.OPTION
    ]
    symbols = sorted({one.symbol for one in held} | set(before))
    return tuple(
        InterestChanged(
            underlying=symbol,
            owner=OWNER,
            priority=LinePriority.POSITION,
            instruments=tuple(one for one in held if one.symbol == symbol),
        )
        for symbol in symbols
    )


def heard(state: KeeperState, told: tuple[Execution, ...], now: UnixNs) -> dict[str, UnixNs]:
    """Return when each of the latest fills was first told, before these are folded in.

    The broker's own times may be hours off: how fresh a fill is, is counted from our receipt.
    """
    stems = (execution_stem(one.execution_id) for one in told)
    new = {one: now for one in stems if one not in state.book.fills}
    return {one: at for one, at in (new | state.heard_ns).items() if now - at <= LAG_NS}


def booked(book: Book, stem: str) -> FillBooked:
    """State how a fill stands in the book."""
    fill = book.fills[stem]
    one = fill.execution
    held = holding_of(book, one.account, one.instrument)
    return FillBooked(
        fill=stem,
        execution=one,
        cause=cause_of(book, one),
        quantity=fill.quantity,
        commission_usd=fill.fees_usd,
        commission_kind=fill.commission_kind,
        cash_usd=fill.cash_usd,
        position_after=held.quantity,
        average_cost_usd=held.average_cost_usd,
        realised_usd=held.realised_usd,
    )


def revised_fills(before: Book, after: Book, told: tuple[Execution, ...]) -> tuple[str, ...]:
    """Return which of the executions told are new or corrected, each fill once."""
    stems = dict.fromkeys(execution_stem(one.execution_id) for one in told)
    return tuple(
        stem
        for stem in stems
        if stem in after.fills
        and (
            stem not in before.fills
            or _timeless(before.fills[stem].execution) != _timeless(after.fills[stem].execution)
        )
    )


def _timeless(one: Execution) -> Execution:
    """The broker dates a fill hours off when it tells it live: another time is no correction."""
    return msgspec.structs.replace(one, at_ns=UnixNs(0))


def foreign(before: Book, after: Book, stem: str) -> PositionExplained | None:
    """Say of a fill that is not ours, or was corrected, what it did; None of an ordinary one."""
    fill = after.fills[stem]
    one = fill.execution
    corrected = stem in before.fills
    cause = Cause.CORRECTION if corrected else cause_of(after, one)
    if fill.is_combination or cause is Cause.TRADE:
        return None
    was = holding_of(before, one.account, one.instrument)
    held = holding_of(after, one.account, one.instrument)
    paid = fill.cash_usd - (before.fills[stem].cash_usd if corrected else 0)
    what = "corrected" if corrected else _FOREIGN[cause]
    name = contract_words(one.instrument)
    return PositionExplained(
        account=one.account,
        conid=one.instrument.conid,
        contract=name,
        before=was.quantity,
        after=held.quantity,
        cause=cause,
        cash_usd=paid,
        words=f"{name}: {signed(one.quantity)} at {plain(one.price_usd)} {what}",
        instrument=one.instrument,
        fill=stem,
    )


def explained(judgement: Judgement, account: str) -> tuple[PositionExplained, ...]:
    """Say every explanation of a judgement."""
    return tuple(
        PositionExplained(
            account=account,
            conid=0 if one.instrument is None else one.instrument.conid,
            contract="" if one.instrument is None else contract_words(one.instrument),
            before=one.before,
            after=one.after,
            cause=one.cause,
            cash_usd=one.cash_usd,
            words=one.words,
            instrument=one.instrument,
            because_of=one.because_of,
        )
        for one in judgement.changes
        if one.cause is not Cause.COMMISSION
    )


def worry(unexplained: tuple[str, ...]) -> NotifyPerson:
    """Tell the person that the books differ, or that they do not any more."""
    if not unexplained:
        text = "Our book and the broker's agree again; entries may go on"
        return NotifyPerson(urgency=Urgency.NORMAL, topic="book", text=text)
    found = "; ".join(unexplained)[:WORDS_MAX]
    text = (
        f"Our book and the broker's differ, and nothing explains it: {found}. No new risk is taken"
        " until a later book or you explain it"
    )
    return NotifyPerson(urgency=Urgency.CRITICAL, topic="book", text=text)


def stranger(order: BrokerOrder) -> NotifyPerson:
    """Tell the person of an order that is not ours."""
    name = contract_words(order.instrument)
    text = f"An order that is not ours works: {signed(order.quantity)} {name}. It is left alone"
    return NotifyPerson(urgency=Urgency.NORMAL, topic="stranger", text=text)
