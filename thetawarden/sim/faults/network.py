"""The link and what stands behind it: resets, silence, restarts, lost servers, refused clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.domain.link.states import LinkTrouble
from thetawarden.messages.books import ExecutionReported, OrderReported
from thetawarden.practice import model
from thetawarden.sim.broker.translate import execution_of, order_of
from thetawarden.sim.faults.kinds import Family, Kinds, Planned, Undo

if TYPE_CHECKING:
    from thetawarden.sim.world import World

COMPETING, PACING = 10197, 100
LOST, RESTORED_EMPTY, RESTORED = 1100, 1101, 1102


def _reset(world: World, _planned: Planned) -> None:
    world.broker.lose(LinkTrouble.CLOSED_BY_PEER, "connection reset by peer")


def _mute(world: World, _planned: Planned) -> Undo | None:
    wire = world.broker.wire
    if wire is None:
        return None
    wire.fall_silent()
    return wire.speak_again


def _refuse(world: World, kind: LinkTrouble, words: str) -> Undo:
    gateway = world.gateway
    gateway.refusal = (kind, words)
    world.broker.lose(LinkTrouble.CLOSED_BY_PEER, words)

    def let_in() -> None:
        gateway.refusal = None

    return let_in


def _restart(world: World, _planned: Planned) -> Undo:
    return _refuse(world, LinkTrouble.UNREACHABLE, "the gateway restarts")


def _taken(world: World, _planned: Planned) -> Undo:
    return _refuse(world, LinkTrouble.CLIENT_ID_TAKEN, "client id is in use")


def _servers_lost(world: World, planned: Planned) -> Undo:
    world.broker.notice(LOST, "Connectivity between IB and the gateway has been lost")
    empty = planned.pick % 2 == 0

    def restore() -> None:
        feed = world.broker.feed
        if empty and feed is not None:
            feed.lines.clear()
        code = RESTORED_EMPTY if empty else RESTORED
        world.broker.notice(code, "Connectivity between IB and the gateway has been restored")

    return restore


def _blink(world: World, _planned: Planned) -> None:
    world.broker.notice(LOST, "Connectivity between IB and the gateway has been lost")
    world.broker.notice(RESTORED, "Connectivity has been restored - data maintained")


def _competing(world: World, _planned: Planned) -> None:
    broker = world.broker
    if broker.feed is None or broker.wire is None:
        return
    words = "No market data during competing live session"
    broker.notice(COMPETING, words)
    for refused in broker.feed.refuse_all(COMPETING, words):
        broker.wire.tell(refused)


def _pacing(world: World, planned: Planned) -> None:
    for _ in range(1 + planned.pick % 4):
        world.broker.notice(PACING, "Max rate of messages per second has been exceeded")


def _farm(world: World, planned: Planned) -> Undo:
    farm = ("usopt", "usfarm", "secdefil")[planned.pick % 3]
    world.broker.notice(2103, f"Market data farm connection is broken:{farm}")
    return lambda: world.broker.notice(2104, f"Market data farm connection is OK:{farm}")


def _retell(world: World, planned: Planned) -> None:
    """The day's events come again, some twice, out of order."""
    wire, exchange = world.broker.wire, world.gateway.exchange
    if wire is None:
        return
    fills = [fill for fill, _ in exchange.executions(model.ExecutionFilter())]
    for fill in (*reversed(fills), *fills[: planned.pick % 3]):
        wire.tell(ExecutionReported(epoch=wire.epoch, execution=execution_of(fill)))
    for view in exchange.open_orders():
        wire.tell(OrderReported(epoch=wire.epoch, order=order_of(view)))


_kind = Kinds(Family.NETWORK).kind

KINDS = (
    _kind("N01", "reset", "the connection is reset", _reset, weight=5),
    _kind("N02", "mute", "the peer falls silent while the connection stands", _mute, weight=4),
    _kind("N06", "retell", "the day's events come again, twice and out of order", _retell),
    _kind("N07", "restart", "the gateway is down for a while", _restart, weight=3),
    _kind("N08", "servers-lost", "1100, and later 1101 or 1102", _servers_lost, weight=6),
    _kind("N10", "blink", "1100 and at once 1102", _blink),
    _kind("N11", "competing", "another session takes the market data", _competing),
    _kind("N12", "pacing", "refused for asking too fast", _pacing),
    _kind(
        "N13", "client-id-taken", "another client has our number", _taken, weight=3, lasts_min=30
    ),
    _kind("N15", "farm-broken", "a data farm breaks and comes back", _farm),
)
