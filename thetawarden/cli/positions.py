"""`thetawarden positions`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import click
import msgspec

from thetawarden.cli.place import (
    Place,
    Shows,
    SilentActorError,
    as_json,
    on_place,
    print_json,
    state_of,
)
from thetawarden.domain.units import to_float


class BracketView(msgspec.Struct, frozen=True, kw_only=True):
    """The working orders that end a position: at a profit, or at a loss."""

    take_profit: float | None
    stop: float | None


class PositionView(msgspec.Struct, frozen=True, kw_only=True):
    """One position; null means not known, never zero. `book_quantity` is our own count.

    `decision` is what the steward last decided about the trades that hold it, with its reason.
    """

    account: str
    underlying: str
    contract: str
    conid: int
    quantity: float
    book_quantity: float
    average_cost_usd: float
    mark_usd: float | None
    unrealised_usd: float | None
    realised_today_usd: float
    day_usd: float | None
    delta_shares: float | None
    dte: int | None
    bracket: BracketView | None
    strategy: str | None
    trades: tuple[str, ...] = ()
    decision: str | None = None


@click.command()
@click.option("--accept", metavar="REASON", help="Take the broker's word for all differences.")
@as_json
@on_place
def positions(*, place: Place, accept: str | None, as_json: bool) -> None:
    """Show what is held, as the broker counts it, with marks and results."""
    if accept is not None:
        done = place.desk().accept_book(accept)
        click.echo(done.what, err=as_json)
    state = state_of(place.desk(), "keeper")
    views = views_of(state, _steward(place.desk()))
    if as_json:
        print_json(views)
        return
    from thetawarden.cli.tables import plain_table, print_table  # noqa: PLC0415  # rich is slow

    names = ", ".join(dict.fromkeys(one.account for one in views))
    title = f"{names}: {words_of(state)}" if names else words_of(state)
    rows = [cells_of(one)[:-1] for one in views]
    print_table(plain_table(title, COLUMNS[:-1], rows, whole=WHOLE, spare=SPARE))
    for one in views:
        if one.decision:
            click.echo(f"{one.contract} {', '.join(one.trades)}: {one.decision}")


def views_of(state: Any, steward: Any = None) -> list[PositionView]:
    """Return what the states of keeper and steward say of every position."""
    if state is None:
        return []
    tended = tended_of(steward)
    from thetawarden.actors.keeping import KeeperState, rows_of  # noqa: PLC0415  # slow to import
    from thetawarden.domain.books.book import strategy_of  # noqa: PLC0415
    from thetawarden.domain.books.rows import PositionRow  # noqa: PLC0415
    from thetawarden.domain.books.working import Bracket, bracket_of  # noqa: PLC0415

    known = msgspec.convert(state, KeeperState, strict=False)

    def view(row: PositionRow) -> PositionView:
        bracket: Bracket | None = bracket_of(known.orders, row.instrument, row.quantity)
        trades = tended.get(row.instrument.conid, ())
        return PositionView(
            account=row.account,
            underlying=row.instrument.symbol,
            contract=row.contract,
            conid=row.instrument.conid,
            quantity=to_float(row.quantity),
            book_quantity=to_float(row.book_quantity),
            average_cost_usd=to_float(row.average_cost_usd),
            mark_usd=_float(row.mark_usd),
            unrealised_usd=_float(row.unrealised_usd),
            realised_today_usd=to_float(row.realised_today_usd),
            day_usd=_float(row.day_usd),
            delta_shares=row.delta_shares,
            dte=_days(known.day, row.instrument.expiry),
            bracket=None
            if bracket is None
            else BracketView(
                take_profit=_float(bracket.take_profit_usd), stop=_float(bracket.stop_usd)
            ),
            strategy=_first(one.strategy for one in trades)
            or strategy_of(known.book, row.account, row.instrument),
            trades=tuple(one.trade for one in trades),
            decision="; ".join(one.decision for one in trades if one.decision) or None,
        )

    return [view(row) for row in rows_of(known)]


def _steward(desk: Shows) -> Any:
    """Positions are shown without it too: it says which trade holds them, not whether any do."""
    try:
        return state_of(desk, "steward")
    except SilentActorError as error:
        click.echo(f"thetawarden: {error}", err=True)
        return None


class Tended(msgspec.Struct, frozen=True, kw_only=True):
    """One trade that holds a contract, and what was last decided about it, in words."""

    trade: str
    strategy: str
    decision: str


def tended_of(steward: Any) -> dict[int, tuple[Tended, ...]]:
    """Return the trades of every contract, as the steward's state has them."""
    if steward is None:
        return {}
    from thetawarden.domain.trades.ledger import Ledger  # noqa: PLC0415  # slow to import

    ledger = msgspec.convert(steward["ledger"], Ledger, strict=False)
    found: dict[int, tuple[Tended, ...]] = {}
    for name, trade in ledger.trades.items():
        told = steward["decisions"].get(name)
        words = "" if told is None else _decided(told["decision"], told["words"])
        own = Tended(trade=name, strategy=trade.strategy, decision=words)
        for one in trade.held:
            conid = one.instrument.conid
            found[conid] = (*found.get(conid, ()), own)
    return found


def _decided(decision: dict[str, Any], words: str) -> str:
    reason = (
        f"{decision['action']} ({decision['rule'].replace('_', ' ')}): {decision['reasons'][0]}"
    )
    return f"{reason}; {words}" if words else reason


def _first(names: Iterable[str]) -> str | None:
    return next(iter(names), None)


def words_of(state: Any) -> str:
    """Return in one line how far the book can be relied on."""
    if state is None:
        return "the keeper does not answer: nothing is known of any position"
    if not state["unexplained"]:
        return "the book agrees with the broker's"
    return "NOT RECONCILED: " + "; ".join(state["unexplained"])


COLUMNS = (
    "contract",
    "held",
    "cost",
    "mark",
    "open",
    "today",
    "delta",
    "DTE",
    "bracket",
    "strategy",
    "decision",
)
WHOLE = ("contract", "held")
SPARE = ("cost", "strategy", "today")


def cells_of(one: PositionView) -> tuple[str, ...]:
    """Return a position's row."""
    bracket = one.bracket
    count = f"{one.quantity:g}"
    differs = "" if one.quantity == one.book_quantity else f" (our book: {one.book_quantity:g})"
    return (
        one.contract,
        count + differs,
        f"{one.average_cost_usd:,.2f}",
        _number(one.mark_usd, ",.2f"),
        _number(one.unrealised_usd, "+,.2f"),
        _number(one.day_usd, "+,.2f"),
        _number(one.delta_shares, "+,.0f"),
        _number(one.dte, "d"),
        "none" if bracket is None else f"{bracket.take_profit or '-'} / {bracket.stop or '-'}",
        one.strategy or "-",
        one.decision or "-",
    )


def _number(value: float | None, form: str) -> str:
    return "?" if value is None else format(value, form)


def _float(value: Decimal | None) -> float | None:
    return None if value is None else to_float(value)


def _days(today: dt.date | None, expiry: dt.date | None) -> int | None:
    return None if today is None or expiry is None else (expiry - today).days
