"""A whole desk on a practice gateway at real time, timed from a tick's arrival to the chain's view.

`python -m bench.wire_desk PORT FOLDER SECONDS` runs the desk, idle and then with a thread that will
not let go of the interpreter, and prints how long views took in each half. What it watched is left
in FOLDER for `bench.wire_bare`, which does the same without any desk.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import msgspec

from thetawarden.config.broker import BrokerConfig
from thetawarden.config.chains import CadenceConfig, ChainsConfig
from thetawarden.config.schema import Config, JournalConfig
from thetawarden.config.strategy import StrategyConfig
from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.broker.quote_rows import quote_rows
from thetawarden.domain.chains.board import BoardState
from thetawarden.domain.instants import UnixNs
from thetawarden.infra.practice_clock import ask_gateway
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.market import QuotesObserved
from thetawarden.process import SWITCH_INTERVAL_S, DeskProcess

UNDERLYING = "SPY"
READY_S = 300.0
SETTLE_S = 10.0
TURN = 1000


class Watched(msgspec.Struct, frozen=True):
    """What the desk's watcher knows, for the bare script to begin with the same."""

    underlying: Instrument
    board: BoardState


class SteadyClock:
    """Implements the Clock port at real time: asks the market once, and then counts nanoseconds.

    The clock of a practice market stands while the gateway lags, which is right for a desk and of
    no use for measuring one.
    """

    speed = 1.0
    monotonic_ns = staticmethod(time.monotonic_ns)

    def __init__(self, market_ns: int) -> None:
        self._ahead_ns = market_ns - time.monotonic_ns()

    def now_ns(self) -> UnixNs:
        """The market's instant, as it was told and has gone on since."""
        return UnixNs(time.monotonic_ns() + self._ahead_ns)

    elapsed_ns = now_ns


Ear = Callable[[Envelope[Any]], object]


class Stopwatch:
    """Stands between the router and its listeners: when bundles arrived, when views were out."""

    def __init__(self, process: DeskProcess) -> None:
        self.took_us: list[float] = []
        self._now_ns = process.clock.now_ns
        self._arrived: dict[int, int] = {}
        self._router = cast("Any", process.desk.router)
        self._known = self._router._know  # noqa: SLF001  # nothing else sees both ends
        self._router._know = self._know  # noqa: SLF001
        self._listen()

    def lap(self) -> list[float]:
        """The delays since the last lap."""
        took, self.took_us = self.took_us, []
        return took

    def before(self) -> dict[type[Message], Ear]:
        """What is heard of before it is delivered."""
        return {QuotesObserved: self._on_quotes}

    def after(self) -> dict[type[Message], Ear]:
        """What is heard of once it is delivered."""
        return {ChainViewed: self._on_view}

    def _know(self, posts: Any) -> None:
        """Whoever comes or goes, the router makes its table anew; listen to that one too."""
        self._known(posts)
        self._listen()

    def _listen(self) -> None:
        routes = self._router._deliver  # noqa: SLF001
        for kind, ear in self.before().items():
            routes[kind] = both(ear, routes[kind])
        for kind, ear in self.after().items():
            routes[kind] = both(routes[kind], ear)

    def _on_quotes(self, envelope: Envelope[Any]) -> None:
        self._arrived[envelope.seq] = int(quote_rows(envelope.body.rows)["at_ns"].max())

    def _on_view(self, envelope: Envelope[Any]) -> None:
        arrived = self._arrived.get(envelope.cause_seq or 0)
        if arrived is not None:
            self.took_us.append((self._now_ns() - arrived) / 1000)


def both(first: Ear, second: Ear) -> Ear:
    """Call one, then the other."""

    def call(envelope: Envelope[Any]) -> None:
        first(envelope)
        second(envelope)

    return call


def settings() -> Config:
    """A desk that shows one chain as often as it changes, and sells nothing of its own."""
    strategy = StrategyConfig()
    off = {
        name: msgspec.structs.replace(getattr(strategy, name), enabled=False)
        for name in ("index_puts", "put_spreads", "condors")
    }
    return Config(
        broker=BrokerConfig(agree_apart_s=1.0),
        chains=ChainsConfig(underlyings=(UNDERLYING,), cadence=CadenceConfig(view_s=0.05)),
        journal=JournalConfig(reserve_mb=1),
        strategy=msgspec.structs.replace(strategy, **off),
    )


def main(port: int, folder: Path, seconds: float) -> None:
    """Run both halves and print the delays of each in microseconds."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    store = folder / "store"
    store.mkdir()
    process = DeskProcess(settings(), store)
    process.follow(SteadyClock(ask_gateway(port).market_ns))
    process.reach("127.0.0.1", port)
    process.take()
    process.open()
    wait_until_watching(process)
    watch = Stopwatch(process)
    time.sleep(SETTLE_S)
    watch.lap()
    time.sleep(seconds)
    idle = watch.lap()
    over = threading.Event()
    hog = threading.Thread(target=compute, args=(over,), daemon=True)
    hog.start()
    time.sleep(seconds)
    hogged = watch.lap()
    over.set()
    hog.join()
    (folder / "watched").write_bytes(msgspec.msgpack.encode(known(process)))
    process.close()
    process.give_back()
    sys.stdout.write(json.dumps({"idle_us": idle, "hogged_us": hogged}) + "\n")


def compute(over: threading.Event) -> None:
    """Never let go of the interpreter by itself, until it is over."""
    total = 0
    while not over.is_set():
        for number in range(TURN):
            total += number * number


def wait_until_watching(process: DeskProcess) -> None:
    """Return once the chain is watched and its surface was fitted."""
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        time.sleep(1.0)
        try:
            state: Any = process.desk.state_of(f"chain/{UNDERLYING}", timeout_s=5.0)
        except Exception:  # noqa: BLE001, S112  # not there yet
            continue
        if state["course"]["condition"] is not None and state["board"]["fitted_ns"]:
            return
    raise TimeoutError("the chain was not found")


def known(process: DeskProcess) -> Watched:
    """What the desk's watcher knows by now."""
    state: Any = process.desk.state_of(f"chain/{UNDERLYING}", timeout_s=5.0)
    return Watched(
        msgspec.convert(state["course"]["search"]["instrument"], Instrument),
        msgspec.convert(state["board"], BoardState),
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
