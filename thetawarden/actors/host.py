"""Runs one incarnation of an actor on a pykka actor; the only module that knows pykka.

What pykka 4.5 would lose or hang is closed here: the inbox is a seat at the post's mailbox, which
refuses what will never be read; the loop is ours, so that every ending, `BaseException` included,
is reported once and never stops the other actors; the thread is kept, named and a daemon, so that
a hung handler cannot hold the process. `tests/actors/test_pykka_contract.py` holds the behaviours
of pykka that this relies on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pykka
from pykka.messages import _ActorStop
from typing_extensions import override

from thetawarden.actors.cell import Cell, HandlerFailed
from thetawarden.actors.mailbox import Latest, Unseated
from thetawarden.actors.post import Ended
from thetawarden.domain.restart import Ending
from thetawarden.messages.base import Envelope, Message
from thetawarden.ports import FencedError

BREATH_S = 0.5
_log = logging.getLogger("thetawarden.actors")


class ShowState(msgspec.Struct, frozen=True):
    """Ask a host for its actor's state as plain data; only these fields when any are named."""

    fields: tuple[str, ...] = ()


class TakeSnapshot:
    """Ask a host to write its actor's state to the log."""


class HostGoneError(Exception):
    """The host ended before it could answer; ask its successor."""


class Host(pykka.ThreadingActor):
    """One thread, one incarnation."""

    use_daemon_thread = True

    def __init__(
        self, *, cell: Cell, begun: Callable[[], None], ended: Callable[[Ended], None]
    ) -> None:
        self._cell = cell
        self._begun: Callable[[], None] | None = begun
        self._ended = ended
        self._seat = cell.post.mailbox.new_seat(refuse=_refuse, comes_last=_is_stop)
        super().__init__()
        self.actor_urn = self.actor_ref.actor_urn = f"{cell.post.name}#{cell.incarnation}"

    @override
    def _create_actor_inbox(self) -> Any:  # type: ignore[override]  # ours needs the instance
        return self._seat

    @override
    def _start_actor_loop(self) -> None:
        self.thread = threading.Thread(target=self._actor_loop, name=self.actor_urn, daemon=True)
        self.thread.start()

    @override
    def _actor_loop_running(self) -> None:
        ended = self._run()
        pykka.ActorRegistry.unregister(self.actor_ref)
        self.actor_stopped.set()
        self._ended(ended)

    @override
    def _actor_loop_teardown(self) -> None:
        """Refuse what was asked too late; pykka would read messages for it, and lose them."""
        self._seat.leave()

    @override
    def on_receive(self, message: Any) -> Any:
        """Answer a request of the runtime; raises to the asker only."""
        if isinstance(message, ShowState):
            state = self._cell.actor.state
            if message.fields:
                state = {name: getattr(state, name) for name in message.fields}
            return msgspec.to_builtins(state, enc_hook=repr)
        if isinstance(message, TakeSnapshot):
            return self._cell.take_snapshot()
        raise TypeError(f"host asked for {type(message).__name__}")

    def _run(self) -> Ended:
        get, step = self._seat.get, self._cell.step
        try:
            while True:
                item: Any = get()
                kind = type(item)
                if kind is Envelope:
                    step(item)
                    if self._begun is not None:
                        self._begun()
                        self._begun = None
                elif kind is Latest:
                    step(item.envelope, item.merged)
                elif kind is Unseated or self._answer(item):
                    return self._end(Ending.STOPPED)
        except HandlerFailed as failure:
            error = failure.__cause__
            _log.error("actor_crashed", exc_info=error, extra={"seq": failure.envelope.seq})
            return self._end(Ending.CRASHED, error=error, envelope=failure.envelope)
        except FencedError:
            return self._end(Ending.STOPPED)
        except BaseException as error:  # noqa: BLE001  # whatever ends this thread is reported
            return self._end(Ending.CRASHED, error=error)

    def _answer(self, request: Any) -> bool:
        """Handle one of pykka's envelopes; true when it was the request to stop."""
        if isinstance(request.message, _ActorStop):
            if request.reply_to is not None:
                request.reply_to.set(None)
            return True
        try:
            answer = self.on_receive(request.message)
        except Exception:  # noqa: BLE001  # goes to the asker
            if request.reply_to is not None:
                request.reply_to.set_exception()
        else:
            if request.reply_to is not None:
                request.reply_to.set(answer)
        return False

    def _end(
        self,
        ending: Ending,
        *,
        error: BaseException | None = None,
        envelope: Envelope[Message] | None = None,
    ) -> Ended:
        return Ended(
            actor=self._cell.post.name,
            incarnation=self._cell.incarnation,
            ending=ending,
            error=error,
            envelope=envelope,
        )


HostRef = pykka.ActorRef[Host]


def start_host(*, cell: Cell, begun: Callable[[], None], ended: Callable[[Ended], None]) -> HostRef:
    """Start an incarnation on a thread of its own; it must be told `Begin` first of all."""
    return Host.start(cell=cell, begun=begun, ended=ended)


def stop_host(host: HostRef, *, timeout_s: float, breathe: Callable[[], None]) -> bool:
    """Ask a host to stop once its orders are handled; false when it did not in time.

    Whoever waits breathes now and then.
    """
    stopped, ends = host.stop(block=False), time.monotonic() + timeout_s
    while True:
        left_s = max(0.0, ends - time.monotonic())
        try:
            stopped.get(timeout=min(BREATH_S, left_s))
        except pykka.Timeout:
            if left_s <= BREATH_S:
                return False
            breathe()
        else:
            return True


def take_snapshots(hosts: Mapping[str, HostRef], *, timeout_s: float) -> None:
    """Have all hosts write their actors' states at once, and wait for them together.

    One that is gone or too slow is passed over, as the log has its steps; one that fails is told.
    """
    asked = {name: host.ask(TakeSnapshot(), block=False) for name, host in hosts.items()}
    ends = time.monotonic() + timeout_s
    for name, taken in asked.items():
        try:
            taken.get(timeout=max(0.0, ends - time.monotonic()))
        except (pykka.ActorDeadError, pykka.Timeout):
            continue
        except Exception:  # noqa: BLE001  # whatever it is, the others are still asked
            _log.exception("snapshot_failed", extra={"actor": name})


def ask(host: HostRef, request: ShowState, *, timeout_s: float) -> Any:
    """Ask a host from the edge of the desk; raises HostGoneError when it ends or is too slow."""
    try:
        return host.ask(request, timeout=timeout_s)
    except (pykka.ActorDeadError, pykka.Timeout) as error:
        raise HostGoneError(str(error)) from error


def _is_stop(request: Any) -> bool:
    return isinstance(request.message, _ActorStop)


def _refuse(request: Any) -> None:
    if request.reply_to is None:
        return
    if _is_stop(request):
        request.reply_to.set(None)
    else:
        error = pykka.ActorDeadError("the actor ended before it could answer")
        request.reply_to.set_exception((pykka.ActorDeadError, error, None))
