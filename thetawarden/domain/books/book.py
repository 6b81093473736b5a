"""Keeps the book: fills folded once, everything else that moved a holding, and the cash.

A book is a value: what it says follows from the set of reports it was given, not from their order
nor from how often each came. Holdings are folded over their moves in order of execution time, so a
late report changes the past as if it had been on time. Old moves are folded into a balance carried
forward; a report older than that is not taken again.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from thetawarden.domain.books.amounts import ZERO
from thetawarden.domain.books.fills import Fill, better, origin_of, revised
from thetawarden.domain.books.fills import Origin as FillOrigin
from thetawarden.domain.books.holding import Cause, Holding, Move, moved
from thetawarden.domain.broker.account import BrokerPosition
from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.broker.orders import Commission, Execution, execution_stem
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.remembering import remembered

BOOKS_KEPT, FILLS_KEPT = 16, 4096
WAITING_MAX = 1_000
"""How many costs are kept that no fill was told for; older ones are forgotten."""

_CAUSES = {
    FillOrigin.OURS: Cause.TRADE,
    FillOrigin.MANUAL: Cause.MANUAL_TRADE,
    FillOrigin.LIQUIDATION: Cause.LIQUIDATION,
    FillOrigin.DELIVERY: Cause.ASSIGNMENT,
}


class CashMove(msgspec.Struct, frozen=True, kw_only=True):
    """Cash that came or went without a trade, and why."""

    key: str
    account: str
    at_ns: UnixNs
    cash_usd: Decimal
    cause: Cause


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """All there is to know of what is held; `client_id` tells our fills from other people's.

    `fills` by the base of their execution id, `moves` by holding; `carried`, `carried_usd` (cash)
    and `closed_usd` (results of what is held no more, by account and symbol) are what is older
    than `since_ns`. `waiting` are costs told before their fill.
    """

    client_id: int = 0
    since_ns: UnixNs = UnixNs(0)
    fills: dict[str, Fill] = {}
    moves: dict[str, tuple[Move, ...]] = {}
    cash_moves: tuple[CashMove, ...] = ()
    waiting: dict[str, Commission] = {}
    carried: dict[str, Holding] = {}
    carried_usd: dict[str, Decimal] = {}
    closed_usd: dict[str, Decimal] = {}


def holding_key(account: str, conid: int) -> str:
    """Return the name under which a holding is kept."""
    return f"{account}/{conid}"


def opened_book(
    *,
    client_id: int,
    positions: tuple[BrokerPosition, ...],
    cash_usd: dict[str, Decimal],
    executions: tuple[Execution, ...],
    at_ns: UnixNs,
) -> Book:
    """Return a book that begins with what the broker holds; its executions are in there already."""
    book = Book(client_id=client_id, carried_usd=dict(cash_usd))
    for one in positions:
        if one.quantity:
            book = with_move(book, one.account, opening_move(one, at_ns=at_ns))
    absorbed: dict[str, Fill] = {}
    for told in executions:
        base = execution_stem(told.execution_id)
        known = absorbed[base].execution if base in absorbed else told
        latest = revised(known, told)
        absorbed[base] = Fill(execution=latest, absorbed=latest)
    return msgspec.structs.replace(book, fills=absorbed)


def opening_move(position: BrokerPosition, *, at_ns: UnixNs, cause: Cause = Cause.OPENING) -> Move:
    """Return the move that brings a holding in at the broker's own cost, without cash."""
    return Move(
        key=f"{cause}:{at_ns}",
        at_ns=UnixNs(0) if cause is Cause.OPENING else at_ns,
        instrument=position.instrument,
        quantity=position.quantity,
        gross_usd=position.quantity * position.average_cost_usd,
        cause=cause,
    )


def with_execution(book: Book, told: Execution) -> Book:
    """Fold a fill, a repetition or a correction in; one from before the book began is not."""
    if told.at_ns < book.since_ns:
        return book
    base = execution_stem(told.execution_id)
    known = book.fills.get(base)
    if known is not None:
        latest = revised(known.execution, told)
        if latest == known.execution:
            return book
        fill = msgspec.structs.replace(known, execution=latest)
        return msgspec.structs.replace(book, fills=book.fills | {base: fill})
    waiting = dict(book.waiting)
    fill = Fill(execution=told, commission=waiting.pop(base, None))
    book = _without_delivered(book, told)
    return msgspec.structs.replace(book, fills=book.fills | {base: fill}, waiting=waiting)


def with_commission(book: Book, told: Commission) -> Book:
    """Attach what a fill cost, or keep it until the fill is told."""
    base = execution_stem(told.execution_id)
    fill = book.fills.get(base)
    if fill is None:
        waiting = book.waiting | {base: better(book.waiting.get(base), told)}
        latest = dict(list(waiting.items())[-WAITING_MAX:])
        return msgspec.structs.replace(book, waiting=latest)
    commission = better(fill.commission, told)
    if commission == fill.commission:
        return book
    known = msgspec.structs.replace(fill, commission=commission)
    return msgspec.structs.replace(book, fills=book.fills | {base: known})


def with_inferred(book: Book, base: str, cost_usd: Decimal) -> Book:
    """Put what the cash shows a fill to have cost in the place of the estimate."""
    fill = msgspec.structs.replace(book.fills[base], inferred_usd=cost_usd)
    return msgspec.structs.replace(book, fills=book.fills | {base: fill})


def with_move(book: Book, account: str, move: Move) -> Book:
    """Change a holding for another reason than a fill; the same move is taken once."""
    key = holding_key(account, move.instrument.conid)
    known = book.moves.get(key, ())
    if any(one.key == move.key for one in known):
        return book
    return msgspec.structs.replace(book, moves=book.moves | {key: (*known, move)})


def with_cash(book: Book, move: CashMove) -> Book:
    """Move cash for a reason that concerns no holding; the same move is taken once."""
    if any(one.key == move.key and one.account == move.account for one in book.cash_moves):
        return book
    return msgspec.structs.replace(book, cash_moves=(*book.cash_moves, move))


def holding_of(book: Book, account: str, instrument: Instrument) -> Holding:
    """Return what is held of a contract, an empty holding when nothing ever was."""
    empty = Holding(account=account, instrument=instrument)
    start = book.carried.get(holding_key(account, instrument.conid), empty)
    return _folded(start, *moves_of(book, account, instrument))


def moves_of(book: Book, account: str, instrument: Instrument) -> tuple[Move, ...]:
    """Return all that moved a holding since the balance was carried forward, in order of time."""
    key = holding_key(account, instrument.conid)
    fills = [one for one in book.fills.values() if _concerns(one, account, instrument.conid)]
    return tuple(_moves(book, key, fills))


@remembered(BOOKS_KEPT)
def holdings(book: Book) -> Mapping[str, Holding]:
    """Return every holding that was ever touched, those closed since with a quantity of 0."""
    fills: dict[str, list[Fill]] = {}
    starts = dict(book.carried)
    for fill in book.fills.values():
        one = fill.execution
        key = holding_key(one.account, one.instrument.conid)
        if not fill.is_combination:
            fills.setdefault(key, []).append(fill)
            starts.setdefault(key, _empty(one))
    for key, moves in book.moves.items():
        account = key.rpartition("/")[0]
        for move in moves[:1]:
            starts.setdefault(key, Holding(account=account, instrument=move.instrument))
    return {
        key: _folded(starts[key], *_moves(book, key, fills.get(key, []))) for key in sorted(starts)
    }


def cash_usd(book: Book, account: str) -> Decimal:
    """Return the account's cash, to the last decimal that is known."""
    return _cash_usd(book, account=account)


@remembered(BOOKS_KEPT)
def _cash_usd(book: Book, *, account: str) -> Decimal:
    fills = (one.cash_usd for one in book.fills.values() if one.execution.account == account)
    moves = (
        move.cash_usd
        for key, many in book.moves.items()
        if key.rpartition("/")[0] == account
        for move in many
    )
    others = (one.cash_usd for one in book.cash_moves if one.account == account)
    carried = book.carried_usd.get(account, ZERO)
    return carried + sum(fills, ZERO) + sum(moves, ZERO) + sum(others, ZERO)


def carried_forward(book: Book, before_ns: UnixNs) -> Book:
    """Fold whatever is older into the balance; nothing of what the book says changes."""
    if before_ns <= book.since_ns:
        return book
    recent = {base: one for base, one in book.fills.items() if one.execution.at_ns >= before_ns}
    kept = {
        key: tuple(one for one in many if one.at_ns >= before_ns)
        for key, many in book.moves.items()
    }
    later = msgspec.structs.replace(
        book,
        since_ns=before_ns,
        fills=recent,
        moves={key: many for key, many in kept.items() if many},
        cash_moves=tuple(one for one in book.cash_moves if one.at_ns >= before_ns),
    )
    older = _difference(book, later, before_ns)
    folded = holdings(older)
    accounts = dict.fromkeys((*book.carried_usd, *(one.account for one in folded.values())))
    return msgspec.structs.replace(
        later,
        carried={key: one for key, one in folded.items() if one.quantity},
        carried_usd={account: cash_usd(older, account) for account in accounts},
        closed_usd=_with_closed(book, folded),
    )


def realised_usd(book: Book) -> dict[str, Decimal]:
    """Return what closing has brought, by account and underlying, since the book began."""
    return _with_closed(book, holdings(book), closed_only=False)


def cause_of(book: Book, execution: Execution) -> Cause:
    """Return why an execution changed a holding."""
    return _CAUSES[origin_of(execution, client_id=book.client_id)]


def strategy_of(book: Book, account: str, instrument: Instrument) -> str | None:
    """Return what our latest order in a contract was for: the first part of its reference."""
    ours = [
        one.execution
        for one in book.fills.values()
        if _concerns(one, account, instrument.conid)
        and cause_of(book, one.execution) is Cause.TRADE
    ]
    latest = max(ours, key=lambda one: (one.at_ns, one.execution_id), default=None)
    return None if latest is None else latest.order_ref.partition(".")[0]


def _with_closed(
    book: Book, folded: Mapping[str, Holding], *, closed_only: bool = True
) -> dict[str, Decimal]:
    sums = dict(book.closed_usd)
    for one in folded.values():
        if one.realised_usd and not (closed_only and one.quantity):
            key = f"{one.account}/{one.instrument.symbol}"
            sums[key] = sums.get(key, ZERO) + one.realised_usd
    return sums


def _difference(book: Book, later: Book, before_ns: UnixNs) -> Book:
    """What a book says without what is kept of it."""
    return msgspec.structs.replace(
        book,
        fills={base: one for base, one in book.fills.items() if base not in later.fills},
        moves={
            key: tuple(one for one in many if one.at_ns < before_ns)
            for key, many in book.moves.items()
        },
        cash_moves=tuple(one for one in book.cash_moves if one.at_ns < before_ns),
    )


def _concerns(fill: Fill, account: str, conid: int) -> bool:
    one = fill.execution
    same = one.instrument.conid == conid and one.account == account
    return same and not fill.is_combination


def _moves(book: Book, key: str, fills: list[Fill]) -> list[Move]:
    client_id = book.client_id
    moves = [*book.moves.get(key, ()), *(_move(one, client_id=client_id) for one in fills)]
    return sorted(moves, key=lambda one: (one.at_ns, one.key))


@remembered(FILLS_KEPT)
def _move(fill: Fill, *, client_id: int) -> Move:
    one = fill.execution
    return Move(
        key=fill.base,
        at_ns=one.at_ns,
        instrument=one.instrument,
        quantity=fill.quantity,
        gross_usd=fill.gross_usd,
        fees_usd=fill.fees_usd,
        cash_usd=fill.cash_usd,
        cause=_CAUSES[origin_of(one, client_id=client_id)],
    )


@remembered(FILLS_KEPT)
def _empty(first: Execution) -> Holding:
    return Holding(account=first.account, instrument=first.instrument)


@remembered(FILLS_KEPT)
def _folded(start: Holding, *moves: Move) -> Holding:
    for move in moves:
        start = moved(start, move)
    return start


def _without_delivered(book: Book, told: Execution) -> Book:
    """A delivery told as an execution after all takes the place of what we made of it before."""
    if cause_of(book, told) is not Cause.ASSIGNMENT:
        return book
    key = holding_key(told.account, told.instrument.conid)
    deliveries = (Cause.ASSIGNMENT, Cause.EXERCISE, Cause.EXPIRY, Cause.SETTLEMENT)
    many = book.moves.get(key, ())
    made = next(
        (one for one in many if one.cause in deliveries and one.quantity == told.quantity), None
    )
    if made is None:
        return book
    kept = tuple(one for one in many if one is not made)
    return msgspec.structs.replace(book, moves=book.moves | {key: kept})
