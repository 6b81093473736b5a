"""The guardian: a small process that acts when the desk beside it is silent.

It reads the desk's heartbeat, and nothing else of it. When the desk is silent for too long, it
raises the halt flag, takes the working entries back, and tells a person by the channels themselves.
It never resumes, never places an order, and acts once: a desk that comes to itself finds the flag.

Order matters: the flag first, as it needs nobody; then the cancels; the person hears of the silence
at once, on threads of their own, and then of what was done.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from thetawarden.domain.alerts.matters import Urgency
from thetawarden.domain.guard import Sign, Verdict, Watched, begin, judge, look
from thetawarden.domain.halt import HaltRecord
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.infra.alerts.adapter import Sender
from thetawarden.infra.clock import WallClock
from thetawarden.infra.halt_flag import HaltFlagFile
from thetawarden.infra.heartbeat import Beat, read_beat
from thetawarden.infra.ib.canceller import Gateway, Looked, cancel_entries, look_and_cancel_all

LOOK_S = 0.25
TELL_S = 20.0
KILLED_S = 5.0
AGAIN_S = 1.0
SETTLE_S = 0.5  # the gateway's, to notice that the desk's link is gone
_log = logging.getLogger("thetawarden.guardian")


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What the guardian has been told to do, and where."""

    run: str
    pid: int
    heartbeat: Path
    flag: Path
    gateway: Gateway | None
    silence_s: float
    act_within_s: float
    may_kill: bool


class Guardian:
    """Guards one run of one desk, from `watch` to its end."""

    def __init__(
        self, orders: Orders, channels: Mapping[str, Sender], *, lifeline: int | None = None
    ) -> None:
        self._orders = orders
        self._channels = dict(channels)
        self._lifeline = lifeline
        self._desk = _process_handle(orders.pid)
        self._embedded = lifeline is not None
        self._stop_asked = False
        self._telling: list[threading.Thread] = []

    def stop(self) -> None:
        """Guard no longer; may be called by a signal's handler."""
        self._stop_asked = True

    def watch(self) -> Verdict:
        """Look until the desk ends or another takes its place; act when it is silent."""
        orders = self._orders
        limit_ns = round(orders.silence_s * NS_PER_SECOND)
        watched, acted = begin(run=orders.run, now_ns=time.monotonic_ns()), False
        while not self._stop_asked:
            time.sleep(LOOK_S)
            watched = self._look(watched)
            verdict, words = judge(watched, now_ns=watched.looked_ns, silence_ns_max=limit_ns)
            if verdict in (Verdict.ENDED_WELL, Verdict.SUCCEEDED):
                return verdict
            if verdict is Verdict.ALIVE:
                acted = False
                continue
            if not acted:
                acted = True
                self._act(words)
            if verdict is Verdict.GAVE_UP or not self._desk_is_there():
                self._finish_telling()
                return verdict
        return Verdict.ALIVE

    def _look(self, watched: Watched) -> Watched:
        if not self._desk_is_there():
            self._let_go_of_gateway()
        beat = read_beat(self._orders.heartbeat)
        return look(watched, None if beat is None else _sign(beat), time.monotonic_ns())

    def _act(self, words: str) -> None:
        _log.critical("desk_silent", extra={"found": words, "pid": self._orders.pid})
        flagged = self._raise_flag(words)
        self._tell(f"The desk is silent: {words}. {flagged}. Taking its entries back.")
        self._tell(self._cancel())

    def _raise_flag(self, words: str) -> str:
        flag = HaltFlagFile(self._orders.flag)
        if flag.read() is not None:
            return "The halt flag stands already"
        now = WallClock().now_ns()
        try:
            flag.raise_flag(HaltRecord(epoch=0, reason=words, by="guardian", at_ns=now))
        except OSError as error:
            return f"The halt flag COULD NOT be raised ({error.strerror})"
        return "The halt flag is raised"

    def _cancel(self) -> str:
        """Take the entries back, by whichever way is open; what came of it, for a person."""
        if self._orders.gateway is None:
            return "There is no gateway to cancel at."
        until = time.monotonic() + self._orders.act_within_s
        words = ""
        while time.monotonic() < until and not self._stop_asked:
            try:
                return asyncio.run(self._take_back(self._orders.gateway))
            except Exception as error:  # noqa: BLE001  # whatever it is, entries still work there
                words = str(error) or type(error).__name__
                _log.error("entries_not_taken_back", extra={"found": words})
            if self._embedded and not self._desk_is_there():
                return "The practice gateway ended with the desk; its orders are saved with it."
            time.sleep(AGAIN_S)
        return f"The entries could NOT be taken back: {words}. Cancel them in TWS by hand."

    async def _take_back(self, gateway: Gateway) -> str:
        looked = await look_and_cancel_all(gateway)
        if not looked.entries:
            return f"No entry works any more; {len(looked.others)} other orders stay."
        if not looked.others:
            return _unfinished(looked, "all were asked to go")
        if not self._end_desk():
            return _unfinished(looked, "the desk holds the number that could cancel them")
        await asyncio.sleep(SETTLE_S)
        looked = await cancel_entries(gateway)
        if looked.entries:
            return _unfinished(looked, "each was asked to go")
        return f"The entries are taken back; {len(looked.others)} other orders stay."

    def _end_desk(self) -> bool:
        """End the silent desk, so that its number is free; whether it is gone."""
        if not self._desk_is_there():
            return True
        if self._desk is None or not self._orders.may_kill:
            return False
        _log.critical("desk_ended_by_guardian", extra={"pid": self._orders.pid})
        signal.pidfd_send_signal(self._desk, signal.SIGKILL)
        until = time.monotonic() + KILLED_S
        while self._desk_is_there() and time.monotonic() < until:
            time.sleep(0.05)
        return not self._desk_is_there()

    def _desk_is_there(self) -> bool:
        if self._desk is None:
            return True  # nobody can tell: take it for there, and only its beats for proof
        return not _readable(self._desk)

    def _let_go_of_gateway(self) -> None:
        """A practice gateway of a desk that is gone ends with it, unless it is needed to cancel."""
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    def _tell(self, text: str) -> None:
        _log.critical("alert", extra={"topic": "guardian", "text": text})
        for name, sender in self._channels.items():
            thread = threading.Thread(
                target=_send, args=(name, sender, text), name=f"tell-{name}", daemon=True
            )
            thread.start()
            self._telling.append(thread)

    def _finish_telling(self) -> None:
        until = time.monotonic() + TELL_S
        for thread in self._telling:
            thread.join(max(0.0, until - time.monotonic()))


def _send(name: str, sender: Sender, text: str) -> None:
    """Tell it by one channel, and again while the channel does not take it."""
    for pause_s in (1.0, 3.0, 10.0, 0.0):
        try:
            if sender.send(urgency=Urgency.CRITICAL, text=text):
                return
        except Exception as error:  # noqa: BLE001  # the outside may fail in any way
            _log.warning("alert_failed", extra={"channel": name, "error": type(error).__name__})
        time.sleep(pause_s)
    _log.error("alert_given_up", extra={"channel": name})


def _unfinished(looked: Looked, why: str) -> str:
    names = ", ".join(order.order_ref for order in looked.entries[:10])
    return f"{len(looked.entries)} entries STILL WORK ({why}): {names}. Cancel them in TWS by hand."


def _sign(beat: Beat) -> Sign:
    return Sign(
        run=beat.run,
        number=beat.number,
        at_ns=beat.at_ns,
        watchdog_ns=beat.watchdog_ns,
        link_loop_silent_ns=beat.link_loop_silent_ns,
        ended=beat.ended,
    )


def _process_handle(pid: int) -> int | None:
    """A handle that never comes to mean another process; None where the system has none."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:  # it ended before we looked: a handle that says so at once
        handle, other = os.pipe()
        os.close(other)
        return handle
    except (AttributeError, OSError):
        return None


def _readable(handle: int) -> bool:
    """Whether the process has ended."""
    import select  # noqa: PLC0415  # only here

    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(0))
