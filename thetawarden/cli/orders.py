"""`thetawarden orders`."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click
import msgspec

from thetawarden.cli.place import Place, as_json, on_place, print_json, state_of
from thetawarden.domain.units import to_float

if TYPE_CHECKING:
    from thetawarden.domain.broker.orders import BrokerOrder
    from thetawarden.domain.orders.life import OrderLife
    from thetawarden.domain.orders.proposal import OrderLeg

MANUAL = "manual"


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """One order; quantities in contracts, or in units of a combination, whose credit is below 0."""

    order_ref: str
    perm_id: int
    state: str
    action: str
    quantity: int
    filled: int
    limit_usd: float | None
    stop_usd: float | None
    contract: str
    strategy: str
    trade: str
    role: str
    submitted_at: str | None
    words: str


@click.command()
@click.option("--live", is_flag=True, help="Only orders that may still fill.")
@as_json
@on_place
def orders(*, place: Place, live: bool, as_json: bool) -> None:
    """Show every order that lives or ended lately, and those of others in the account."""
    desk = place.desk()
    views = views_of(state_of(desk, "executor"), state_of(desk, "keeper"))
    if live:
        views = [one for one in views if one.state not in _ended()]
    if as_json:
        print_json(views)
        return
    from thetawarden.cli.tables import plain_table, print_table  # noqa: PLC0415  # rich is slow

    title = f"{len(views)} orders" if views else "no orders"
    rows = [cells_of(one) for one in views]
    print_table(plain_table(title, COLUMNS, rows, whole=WHOLE, spare=SPARE))


def views_of(executor: Any, keeper: Any) -> list[OrderView]:
    """Return our orders, the latest first, then those that are not ours: shown, never touched."""
    from thetawarden.actors.executing import ExecutorState  # noqa: PLC0415  # slow to import
    from thetawarden.actors.keeping import KeeperState  # noqa: PLC0415

    views: list[OrderView] = []
    ours: set[str] = set()
    if executor is not None:
        known = msgspec.convert(executor, ExecutorState, strict=False)
        lives = sorted(known.orders.values(), key=lambda life: -life.made_ns)
        views += [_ours(life) for life in lives]
        ours = set(known.orders)
    if keeper is not None:
        book = msgspec.convert(keeper, KeeperState, strict=False)
        others = (one for one in book.orders.orders.values() if one.order_ref not in ours)
        views += [_manual(one) for one in others]
    return views


def _ours(life: OrderLife) -> OrderView:
    from thetawarden.domain.instants import iso  # noqa: PLC0415
    from thetawarden.domain.orders.wording import word_order  # noqa: PLC0415

    intent = life.intent
    worded = word_order(intent)
    each = abs(intent.legs[0].ratio) if len(intent.legs) == 1 else 1
    return OrderView(
        order_ref=life.order_ref,
        perm_id=life.perm_id,
        state="cancelling" if life.cancel is not None else life.stage.value,
        action="BUY" if worded.buys else "SELL",
        quantity=worded.quantity,
        filled=life.units_filled * each,
        limit_usd=_float(worded.limit_usd),
        stop_usd=_float(worded.stop_usd),
        contract=_legs_words(intent.legs),
        strategy=intent.strategy,
        trade=intent.trade,
        role=intent.role.value,
        submitted_at=iso(life.made_ns),
        words=life.refusal or (life.cancel.reason if life.cancel is not None else ""),
    )


def _manual(order: BrokerOrder) -> OrderView:
    from thetawarden.domain.books.gaps import contract_words  # noqa: PLC0415

    return OrderView(
        order_ref=order.order_ref,
        perm_id=order.perm_id,
        state=order.state.value,
        action="BUY" if order.quantity > 0 else "SELL",
        quantity=int(abs(order.quantity)),
        filled=int(abs(order.filled)),
        limit_usd=_float(order.limit_usd),
        stop_usd=_float(order.stop_usd),
        contract=contract_words(order.instrument),
        strategy=MANUAL,
        trade="",
        role=MANUAL,
        submitted_at=None,
        words=order.words,
    )


def _legs_words(legs: tuple[OrderLeg, ...]) -> str:
    from thetawarden.domain.books.gaps import contract_words  # noqa: PLC0415

    if len(legs) == 1:
        return contract_words(legs[0].instrument)
    return ", ".join(f"{leg.ratio:+d} {contract_words(leg.instrument)}" for leg in legs)


def _ended() -> frozenset[str]:
    from thetawarden.domain.orders.stages import ENDS  # noqa: PLC0415

    return frozenset(stage.value for stage in ENDS)


COLUMNS = ("order", "state", "what", "filled", "limit", "contract", "strategy", "role", "since")
WHOLE = ("order", "state", "what", "filled")
SPARE = ("strategy", "since", "role")


def cells_of(one: OrderView) -> tuple[str, ...]:
    """Return an order's row."""
    limit = "-" if one.limit_usd is None else f"{one.limit_usd:,.2f}"
    stop = "" if one.stop_usd is None else f" at {one.stop_usd:,.2f}"
    return (
        one.order_ref or f"perm {one.perm_id}",
        one.state,
        f"{one.action} {one.quantity}",
        str(one.filled),
        limit + stop,
        one.contract,
        one.strategy,
        one.role,
        "-" if one.submitted_at is None else one.submitted_at[5:19].replace("T", " "),
    )


def _float(value: Decimal | None) -> float | None:
    return None if value is None else to_float(value)
