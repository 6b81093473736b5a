"""Market time as the practice gateway tells it: the desk's clock where time may run at any speed.

Between two looks, about a second apart, time runs on at the speed that was told, and stands still
once a look has been due for too long: it is never ahead of the latest the gateway has told by more
than `AHEAD_S_MAX` machine seconds' worth. It never goes back either. A gateway found a little
behind is let catch up at half speed; one that came back far earlier, from a state it had saved, is
waited for. One that is ahead is followed at once.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable

import msgspec

from thetawarden.domain.instants import NS_PER_SECOND, UnixNs
from thetawarden.errors import UnreachableError

LOOK_EVERY_S = 1.0
LOOK_EVERY_S_FLAT_OUT = 0.1
AHEAD_S_MAX = 3.0
SLOWED_S_MAX = 1.0
SAVED_S_AGO_MAX = 300.0
ANSWER_S = 10.0  # a late answer is a good one: it only makes time lag
_QUESTION = b'ADM\0{"do":"status"}\n'
_ANSWER_BYTES_MAX = 1 << 20
_log = logging.getLogger("thetawarden.clock")


class MarketTime(msgspec.Struct, frozen=True):
    """What the gateway tells; no speed means as fast as it can."""

    market_ns: int
    speed: float | None


AskMarketTime = Callable[[], MarketTime]


def ask_gateway(port: int, host: str = "127.0.0.1") -> MarketTime:
    """Ask a practice gateway by its admin channel; raises UnreachableError when none answers."""
    try:
        with socket.create_connection((host, port), timeout=ANSWER_S) as connection:
            connection.sendall(_QUESTION)
            with connection.makefile("rb") as answers:
                return msgspec.json.decode(answers.readline(_ANSWER_BYTES_MAX), type=MarketTime)
    except (OSError, msgspec.MsgspecError) as error:
        raise UnreachableError(
            f"no practice gateway tells the time on {host}:{port} ({error}); start one first"
        ) from None


class _Line(msgspec.Struct, frozen=True):
    """Market time as a function of the machine's: from a look on, at a speed, up to an end."""

    looked_ns: int
    told_ns: int
    speed: float
    caught_up_ns: int
    slowed_speed: float

    def at(self, machine_ns: int) -> int:
        """The market time then."""
        passed = min(machine_ns - self.looked_ns, int(AHEAD_S_MAX * NS_PER_SECOND))
        told = self.told_ns + int(passed * self.speed)
        return max(told, self.caught_up_ns + int(passed * self.slowed_speed))


class PracticeClock:
    """Implements the Clock port; used from any thread."""

    monotonic_ns = staticmethod(time.monotonic_ns)

    def __init__(
        self, ask: AskMarketTime, *, machine_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._ask = ask
        self._machine_ns = machine_ns
        self._lock = threading.Lock()
        self._line = _Line(0, 0, 0.0, 0, 0.0)
        self._now_ns = 0
        self._speed = 1.0
        self._flat_out = False
        self._in_touch = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="market-clock", daemon=True)

    @property
    def speed(self) -> float:
        """Market seconds a machine second; measured where the gateway runs as fast as it can."""
        return self._speed

    @property
    def in_touch(self) -> bool:
        """Whether the gateway answered when it was last asked."""
        return self._in_touch

    def now_ns(self) -> UnixNs:
        """The market's instant; never before one that was given already."""
        with self._lock:
            self._now_ns = max(self._now_ns, self._line.at(self._machine_ns()))
            return UnixNs(self._now_ns)

    elapsed_ns = now_ns

    def not_before(self, instant_ns: UnixNs) -> bool:
        """Wait for a market that saved its time a little before it was ended.

        False, and nothing changes, when it is so far behind that it must be another market.
        """
        little_ns = int(SAVED_S_AGO_MAX * self._speed * NS_PER_SECOND)
        with self._lock:
            if instant_ns - self._line.told_ns > little_ns:
                return False
            self._now_ns = max(self._now_ns, instant_ns)
        return True

    def start(self) -> None:
        """Ask for the first time, or raise UnreachableError; then go on asking."""
        self.look()
        if self._flat_out:
            time.sleep(LOOK_EVERY_S_FLAT_OUT)
            self.look()
        self._thread.start()

    def stop(self) -> None:
        """Ask no more; a question that is under way is not waited for."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(LOOK_EVERY_S)

    def look(self) -> None:
        """Take note of what the gateway tells now; raises UnreachableError when it does not."""
        try:
            told = self._ask()
        except UnreachableError:
            self._in_touch = False
            raise
        looked_ns = self._machine_ns()
        now = self.now_ns()
        with self._lock:
            self._flat_out = told.speed is None
            self._speed = told.speed or self._measured(looked_ns, told.market_ns)
            running = told.speed or 0.0  # how far one has got that runs flat out nobody knows
            ahead_ns = now - told.market_ns
            little = ahead_ns <= SLOWED_S_MAX * NS_PER_SECOND * running
            slowed = running / 2 if little else 0.0
            self._line = _Line(looked_ns, told.market_ns, running, now, slowed)
        self._in_touch = True

    def _measured(self, looked_ns: int, market_ns: int) -> float:
        """How fast a gateway without a speed has been since the last look."""
        machine_ns, passed_ns = looked_ns - self._line.looked_ns, market_ns - self._line.told_ns
        if not self._line.looked_ns or machine_ns <= 0 or passed_ns <= 0:
            return self._speed
        return passed_ns / machine_ns

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S_FLAT_OUT if self._flat_out else LOOK_EVERY_S):
            was_in_touch = self._in_touch
            try:
                self.look()
            except UnreachableError as error:
                if was_in_touch:
                    _log.warning("market_time_lost", extra={"found": str(error)})
                continue
            if not was_in_touch:
                _log.info("market_time_found", extra={"speed": self._speed})
