"""What may happen to an order and to the account that holds what it brought."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.practice import model
from thetawarden.sim.faults.kinds import A_DAY_MIN, Family, Kinds, Planned, Undo

if TYPE_CHECKING:
    from thetawarden.sim.world import World


def _reject(world: World, _planned: Planned) -> None:
    world.gateway.exchange.faults.reject_next = "rejected by the simulation"


def _reject_child(world: World, _planned: Planned) -> None:
    world.gateway.exchange.faults.reject_next_child = "child rejected by the simulation"


def _partial(world: World, _planned: Planned) -> None:
    world.gateway.exchange.faults.cancel_next_after_partial_fill = True


def _slow_cancel(world: World, _planned: Planned) -> Undo:
    """A cancel takes a while, and what is to be cancelled fills meanwhile."""
    faults = world.gateway.exchange.faults
    faults.cancel_delay_s = 2.0 * world.settings.speed

    def quick() -> None:
        faults.cancel_delay_s = None

    return quick


def _duplicates(world: World, planned: Planned) -> Undo:
    spreads, key = world.gateway.spreads, f"{planned.name}@{planned.at_min}"
    spreads[key] = lambda event: (event, event)
    return lambda: spreads.pop(key, None) and None


def _no_status(world: World, planned: Planned) -> Undo:
    spreads, key = world.gateway.spreads, f"{planned.name}@{planned.at_min}"
    spreads[key] = lambda event: () if isinstance(event, model.OrderChanged) else (event,)
    return lambda: spreads.pop(key, None) and None


def _late_commission(world: World, planned: Planned) -> Undo:
    faults, minutes = world.gateway.exchange.faults, planned.pick % 200
    late_s = 60.0 * (A_DAY_MIN + minutes if planned.pick % 3 == 0 else minutes)
    faults.commission_delay_s = late_s

    def at_once() -> None:
        faults.commission_delay_s = None

    return at_once


def _correct(world: World, planned: Planned) -> Undo | None:
    """One of the day's fills, or where there is none yet, the first that comes.

    Not while the desk rests: the broker tells a day's executions only, so nobody would hear of it
    on the next, and only a person could take the broker's word for the cash.
    """
    exchange, listeners = world.gateway.exchange, world.gateway.listeners

    def correct(one: model.Execution) -> None:
        bust = planned.pick % 3 == 0
        exchange.correct(exec_id=one.exec_id, price=0.0 if bust else round(one.price + 0.05, 2))

    fills = [fill for fill, _ in exchange.executions(model.ExecutionFilter())]
    if world.resting:
        return None
    if fills:
        correct(fills[planned.pick % len(fills)])
        return None

    def hear(event: model.ExchangeEvent) -> None:
        if isinstance(event, model.Executed) and hear in listeners:
            listeners.remove(hear)
            after_ns = round(NS_PER_SECOND * world.settings.speed)
            world.agenda.at(world.clock.elapsed_ns() + after_ns, lambda: correct(event.execution))

    listeners.append(hear)
    return lambda: listeners.remove(hear) if hear in listeners else None


def _lost_ack(world: World, _planned: Planned) -> None:
    world.gateway.swallows += 1


def _no_what_if(world: World, _planned: Planned) -> Undo:
    faults = world.gateway.exchange.faults
    faults.refuse_what_ifs = "no margin figures today"

    def answer() -> None:
        faults.refuse_what_ifs = ""

    return answer


def _margin(world: World, planned: Planned) -> Undo:
    exchange = world.gateway.exchange
    exchange.scale_margin(factor=2.0 + planned.pick % 4)
    return lambda: exchange.scale_margin(factor=1.0)


def _break_exit(world: World, planned: Planned) -> None:
    """The broker takes a working exit away."""
    exchange = world.gateway.exchange
    exits = [one for one in exchange.open_orders() if one.parent_perm_id or one.request.oca_group]
    if exits:
        chosen = exits[planned.pick % len(exits)]
        exchange.break_order(perm_id=chosen.perm_id, text="by the broker")


def _hold(world: World, planned: Planned) -> Undo:
    exchange = world.gateway.exchange
    exchange.hold(seconds=(1 + planned.pick % 30) * world.settings.speed)
    return lambda: exchange.hold(seconds=0.0)


def _liquidate(world: World, planned: Planned) -> None:
    """While New York trades; what fills while the desk rests nobody would hear of."""
    if not world.broker.is_trading():
        return
    exchange = world.gateway.exchange
    held = [one for one in exchange.positions() if one.quantity]
    if held:
        one = held[planned.pick % len(held)]
        exchange.liquidate(
            account=one.account, con_id=one.contract.con_id, quantity=abs(one.quantity)
        )


_kind = Kinds(Family.ORDERS).kind

KINDS = (
    _kind("O01", "reject", "the next order is rejected", _reject),
    _kind("O02", "partial-then-cancel", "half fills, the rest is cancelled", _partial, weight=3),
    _kind(
        "O03",
        "slow-cancel",
        "cancels take a while, fills do not",
        _slow_cancel,
        weight=3,
        lasts_min=60,
    ),
    _kind("O04", "duplicates", "every word about orders comes twice", _duplicates, weight=3),
    _kind("O05", "no-status", "fills come, words about orders do not", _no_status, weight=3),
    _kind(
        "O07",
        "late-commission",
        "costs are told late, on another day or never",
        _late_commission,
        weight=4,
        lasts_min=120,
    ),
    _kind("O08", "correction", "a fill is corrected or busted", _correct, weight=3, lasts_min=120),
    _kind("O10", "lost-ack", "an order is lost without a word", _lost_ack, weight=4),
    _kind("O11", "no-what-if", "no margin answer can be used", _no_what_if),
    _kind("O12", "margin-raised", "margin is raised after an approval", _margin),
    _kind("O15", "held-up", "acknowledgements and fills are late", _hold, weight=3, lasts_min=20),
    _kind("O17", "child-rejected", "the next exit is rejected", _reject_child, weight=3),
    _kind("O17", "exit-cancelled", "a working exit is taken away", _break_exit, weight=4),
    _kind("O20", "liquidation", "the broker closes a position itself", _liquidate, weight=1),
)
