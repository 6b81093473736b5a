"""Connections that break, stall, lie or refuse (N01 to N07, N13, N14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.faults.registry import fault
from thetawarden.practice.faults.stage import added
from thetawarden.practice.model import ExecutionFilter
from thetawarden.practice.wire.encode import executions
from thetawarden.practice.wire.encode.orders import open_order, order_status
from thetawarden.practice.wire.framing import frame
from thetawarden.practice.wire.incoming import Incoming

if TYPE_CHECKING:
    from typing import Any

    from thetawarden.practice.faults.registry import Undo
    from thetawarden.practice.faults.stage import Stage
    from thetawarden.practice.gateway.session import Session

GARBAGE = {
    "length": b"\xff\xff\xff\xff" + b"\x00" * 16,
    "bytes": bytes(range(256)) * 4,
    "utf8": frame(b"4\x002\x00-1\x00399\x00\xff\xfe\xfd\x00\x00"),
    "fields": frame(b"3\x00-5\x00\x00"),
    "number": frame(b"1\x006\x00-1\x00x\x00y\x00z\x000\x00"),
}
"""What can be sent instead of a message."""


@fault("N01", "reset", "every connection is reset by TCP at once")
def reset(stage: Stage) -> None:
    """Reset all links."""
    for link in list(stage.links()):
        link.reset()


@fault("T01", "reset-mid-order", "the connection that sends the next order is reset behind it")
def reset_mid_order(stage: Stage, *, placed: bool = True) -> Undo:
    """Reset all links once, when an order arrives; `placed`: whether it still takes effect."""
    done = False

    def take(_session: Session, incoming: Incoming, _request: Any) -> bool:
        nonlocal done
        if done or incoming is not Incoming.PLACE_ORDER:
            return False
        done = True
        stage.gateway.timers.at(stage.gateway.now_ns, lambda: reset(stage))
        return not placed

    return added(stage.seams.requests, take)


@fault("T02", "fill-while-away", "links are reset, a working order fills, then clients may return")
def fill_while_away(stage: Stage, *, perm_id: int = 0, away_s: float = 1.0) -> None:
    """Only listings and executions tell the clients what happened."""
    view = stage.order(perm_id)
    levers = stage.exchange_levers()
    stage.seams.refuse_connections = True
    reset(stage)

    def fill() -> None:
        price = view.request.limit_price
        levers.fill(perm_id=view.perm_id, quantity=view.remaining, price=price or 1.0)

    def welcome() -> None:
        stage.seams.refuse_connections = False

    stage.after_s(away_s / 2, fill)
    stage.after_s(away_s, welcome)


@fault("N02", "mute", "sockets stay open, nothing is answered; requests wait until it ends")
def mute(stage: Stage) -> Undo:
    """Leave the peers hanging."""
    stage.seams.mute = True

    def undo() -> None:
        stage.seams.mute = False

    return undo


@fault("N03", "slow-loris", "output trickles out a few bytes a second")
def slow_loris(stage: Stage, *, bytes_per_s: int = 1) -> Undo:
    """Hold all output back and let it out byte by byte."""
    waiting: dict[Session, bytearray] = {}
    active = True

    def hold(session: Session, data: bytes) -> tuple[bytes, ...]:
        waiting.setdefault(session, bytearray()).extend(data)
        return ()

    def trickle() -> None:
        for session, rest in waiting.items():
            session.send_raw(bytes(rest[:bytes_per_s]))
            del rest[:bytes_per_s]
        if active:
            stage.after_s(1.0, trickle)

    remove = added(stage.seams.frames, hold)
    trickle()

    def undo() -> None:
        nonlocal active
        active = False
        remove()
        for session, rest in waiting.items():
            session.send_raw(bytes(rest))

    return undo


@fault("N04", "split-writes", "every write is cut into pieces of a few bytes")
def split_writes(stage: Stage, *, piece_bytes: int = 1) -> Undo:
    """Cut each flush; the frames stay whole."""
    stage.seams.split_bytes = max(1, piece_bytes)

    def undo() -> None:
        stage.seams.split_bytes = None

    return undo


@fault("N05", "garbage", "each client gets bytes that are no message (length, bytes, utf8, ...)")
def garbage(stage: Stage, *, kind: str = "length") -> None:
    """Send one kind of garbage once; unknown kinds send all that leave the framing intact."""
    whole = (GARBAGE["utf8"], GARBAGE["fields"], GARBAGE["number"])
    for session in stage.sessions():
        for data in (GARBAGE[kind],) if kind in GARBAGE else whole:
            session.send_raw(data)


@fault("N06", "replay", "after a reconnect the day's events come again, twice and out of order")
def replay(stage: Stage) -> Undo:
    """Send old executions and order states, unasked, to whoever joins."""

    def tell(session: Session) -> None:
        exchange = stage.gateway.exchange
        done = exchange.executions(ExecutionFilter())
        for fill, report in [*reversed(done), *done]:
            if report is not None:
                session.send(executions.commission(report))
            session.send(executions.execution(executions.LIVE, fill, version=session.version))
        for view in exchange.open_orders():
            session.send(order_status(view))
            session.send(open_order(view, version=session.version))

    return added(stage.seams.joined, tell)


@fault("N07", "restart", "the gateway goes down in good order and refuses connections for a while")
def restart(stage: Stage, *, down_s: float = 60.0) -> None:
    """Close all sockets, as the nightly restart does."""
    stage.seams.refuse_connections = True
    for session in stage.sessions():
        session.close()

    def up() -> None:
        stage.seams.refuse_connections = False

    stage.after_s(down_s, up)


@fault("N13", "client-id-taken", "a client id is refused with 326, as after an ungraceful death")
def client_id_taken(stage: Stage, *, client_id: int = 1) -> Undo:
    """Refuse one client id until ended."""
    stage.seams.taken_client_ids.add(client_id)

    def undo() -> None:
        stage.seams.taken_client_ids.discard(client_id)

    return undo


@fault("N14", "server-version", "new connections are told another server version")
def server_version(stage: Stage, *, version: int = 150) -> Undo:
    """Announce a version that is too old, or too new, to speak."""
    stage.seams.version = version

    def undo() -> None:
        stage.seams.version = None

    return undo
