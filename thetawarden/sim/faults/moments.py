"""Faults that lie in wait: they strike at the moment that would be worst, not at a minute.

Each waits for an order of the desk at the broker's side, strikes once, and is over; one that meets
none by its end never happened.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from thetawarden.domain.instants import NS_PER_MINUTE, NS_PER_SECOND
from thetawarden.domain.link.states import LinkTrouble
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.naming import role_of_ref
from thetawarden.messages.trading import Halt
from thetawarden.practice import model
from thetawarden.sim.faults.kinds import Family, Kinds, Planned, Undo
from thetawarden.sim.faults.people import PERSON, resume

if TYPE_CHECKING:
    from thetawarden.sim.broker.gateway import Ambush
    from thetawarden.sim.world import World

WAITS_MIN = 120
HALTED_MIN = 8
CORRECTED_MIN = 20
RAISED_BY = 1000.0
"""No account has the margin that is asked for then."""
KNOWN_AFTER_S = 2.0
"""Machine time in which the desk hears of a fill before the link goes."""


def _wait(
    place: dict[str, Ambush], planned: Planned, strike: Callable[[model.OrderView], bool]
) -> Undo:
    """Strike once, at the first order that it can be done to."""
    key = f"{planned.name}@{planned.at_min}"

    def look(view: model.OrderView) -> None:
        if strike(view):
            place.pop(key, None)

    place[key] = look
    return lambda: place.pop(key, None) and None


def _reset_at_partial(world: World, planned: Planned) -> Undo:
    """One unit fills, the rest is held up, and the link goes."""
    gateway = world.gateway

    def reset() -> None:
        gateway.exchange.hold(seconds=0.0)
        world.broker.lose(LinkTrouble.CLOSED_BY_PEER, "connection reset by peer")

    def strike(view: model.OrderView) -> bool:
        price = view.request.limit_price
        if view.remaining < 2 or view.parent_perm_id or price is None:
            return False
        after_ns = round(KNOWN_AFTER_S * NS_PER_SECOND * world.settings.speed)
        gateway.exchange.hold(seconds=2 * after_ns / NS_PER_SECOND)
        gateway.exchange.fill(perm_id=view.perm_id, quantity=1, price=price)
        world.agenda.at(world.clock.elapsed_ns() + after_ns, reset)
        return True

    return _wait(gateway.placed, planned, strike)


def _fill_under_cancel(world: World, planned: Planned) -> Undo:
    """What is to be cancelled fills while its cancel is on the way."""
    gateway = world.gateway

    def strike(view: model.OrderView) -> bool:
        price = view.request.limit_price
        if price is None or view.remaining < 1:
            return False
        filled = 1 + planned.pick % view.remaining
        return gateway.exchange.fill(perm_id=view.perm_id, quantity=filled, price=price)

    return _wait(gateway.cancelled, planned, strike)


def _halt_at_order(world: World, planned: Planned) -> Undo:
    """A person halts just as an entry has arrived, and lifts it a while later."""

    def strike(view: model.OrderView) -> bool:
        if view.parent_perm_id or view.remaining < 1:
            return False
        world.say(Halt(reason="a person saw an order", by=PERSON), sender=PERSON)
        ends_ns = world.clock.elapsed_ns() + HALTED_MIN * NS_PER_MINUTE
        world.agenda.at(ends_ns, lambda: resume(world))
        return True

    return _wait(world.gateway.placed, planned, strike)


def _margin_at_order(world: World, planned: Planned) -> Undo:
    """Margin is raised between an approval and the order's arrival, and is as before soon after."""
    gateway, key = world.gateway, f"{planned.name}@{planned.at_min}"

    def meet(tickets: list[model.OrderRequest]) -> Callable[[], None]:
        if role_of_ref(tickets[0].order_ref) is not OrderRole.ENTRY:
            return lambda: None
        gateway.arriving.pop(key, None)
        before = gateway.exchange.floor.state.margin_factor
        gateway.exchange.scale_margin(factor=RAISED_BY)
        return lambda: gateway.exchange.scale_margin(factor=before)

    gateway.arriving[key] = meet
    return lambda: gateway.arriving.pop(key, None) and None


def _lose_a_closing(world: World, planned: Planned) -> Undo:
    """The order that closes a position, whose exits are gone for it, gets lost on its way."""
    gateway, key = world.gateway, f"{planned.name}@{planned.at_min}"

    def meet(tickets: list[model.OrderRequest]) -> Callable[[], None]:
        if role_of_ref(tickets[0].order_ref) is OrderRole.EXIT:
            gateway.arriving.pop(key, None)
            gateway.swallows += 1
        return lambda: None

    gateway.arriving[key] = meet
    return lambda: gateway.arriving.pop(key, None) and None


def _correct_after_close(world: World, planned: Planned) -> Undo:
    """A fill is corrected or busted when what it was part of is closed."""
    gateway = world.gateway

    def hear(event: model.ExchangeEvent) -> None:
        if not isinstance(event, model.Executed) or hear not in gateway.listeners:
            return
        fill = event.execution
        if fill.contract.sec_type is model.SecType.COMBO or not _closes(fill.order_ref):
            return
        gateway.listeners.remove(hear)
        after_ns = (1 + planned.pick % CORRECTED_MIN) * NS_PER_MINUTE
        world.agenda.at(world.clock.elapsed_ns() + after_ns, lambda: correct(fill))

    def correct(fill: model.Execution) -> None:
        if not world.resting:
            price = 0.0 if planned.pick % 3 == 0 else round(fill.price + 0.05, 2)
            gateway.exchange.correct(exec_id=fill.exec_id, price=price)

    gateway.listeners.append(hear)
    return lambda: gateway.listeners.remove(hear) if hear in gateway.listeners else None


def _closes(order_ref: str) -> bool:
    return role_of_ref(order_ref) in {OrderRole.EXIT, OrderRole.TAKE_PROFIT, OrderRole.STOP}


_WAITS = {"weight": 6, "lasts_min": WAITS_MIN}
_network = Kinds(Family.NETWORK, **_WAITS).kind
_orders = Kinds(Family.ORDERS, **_WAITS).kind
_human = Kinds(Family.HUMAN, **_WAITS).kind

KINDS = (
    _network(
        "N01",
        "reset-at-partial",
        "the connection is reset while an order is partly filled",
        _reset_at_partial,
    ),
    _orders(
        "O03",
        "fill-under-cancel",
        "an order fills while its cancel is on the way",
        _fill_under_cancel,
    ),
    _orders(
        "O10",
        "closing-lost",
        "an order that closes a position is lost without a word",
        _lose_a_closing,
    ),
    _orders(
        "O12",
        "margin-at-order",
        "margin is raised while an approved order is on its way",
        _margin_at_order,
    ),
    _orders(
        "O08",
        "correction-after-close",
        "a fill is corrected or busted when its position is closed",
        _correct_after_close,
    ),
    _human("brake", "halt-at-order", "a person halts while an order is on its way", _halt_at_order),
)
