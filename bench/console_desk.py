"""A whole desk that hears 1,000 messages a second, timed from a proposal to the governor's verdict.

`python -m bench.console_desk FOLDER` runs it, says `ready` and its control socket, and for every
line `measure SECONDS` it reads prints how long each verdict took, until its input ends.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from thetawarden.config.schema import Config, JournalConfig
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs
from thetawarden.domain.orders.proposal import OrderLeg, Pricing, Proposal
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.infra.control.server import ControlServer
from thetawarden.messages.base import Envelope
from thetawarden.messages.operations import AlertDelivered
from thetawarden.messages.orders import OrderRefused, ProposeOrder
from thetawarden.operating import Operator
from thetawarden.process import DeskProcess

PER_S = 1000
TURN_S = 0.01
PROPOSE_EVERY_TURNS = 5  # twenty whole reviews a second, which leave the governor idle between


class Verdicts:
    """Stands where the governor's answers pass, and notes how long each took."""

    def __init__(self, process: DeskProcess) -> None:
        self.took_us: list[float] = []
        self._asked_ns: dict[str, int] = {}
        self._process = process
        self._serial = 0
        routes = process.desk.router._deliver  # noqa: SLF001  # nothing else sees both ends
        self._deliver = routes[OrderRefused]
        routes[OrderRefused] = self._answered

    def ask(self) -> None:
        """Propose something that is refused after a whole review: the link is down."""
        self._serial += 1
        key = f"P{self._serial}"
        now = self._process.clock.now_ns()
        proposal = _proposal(key, UnixNs(now + 60 * NS_PER_SECOND))
        self._asked_ns[key] = time.perf_counter_ns()
        self._process.desk.say(ProposeOrder(proposal=proposal), sender="strategist")

    def lap(self) -> list[float]:
        """What was noted since the last lap."""
        took, self.took_us = self.took_us, []
        return took

    def _answered(self, envelope: Envelope[Any]) -> None:
        self._deliver(envelope)
        asked_ns = self._asked_ns.pop(envelope.body.proposal.key, None)
        if asked_ns is not None:
            self.took_us.append((time.perf_counter_ns() - asked_ns) / 1000)


def main(folder: Path) -> None:
    """Run the desk under its load until nobody asks any more."""
    process = DeskProcess(Config(journal=JournalConfig(reserve_mb=1)), folder)
    process.take()
    process.open()
    operator = Operator(process)
    server = ControlServer(
        operator, process.socket_path, max_request_bytes=65536, request_timeout_s=20.0
    )
    server.start()
    verdicts, over = Verdicts(process), threading.Event()
    load = threading.Thread(target=_load, args=(process, verdicts, over), daemon=True)
    load.start()
    _print({"ready": str(process.socket_path)})
    for line in sys.stdin:
        verdicts.lap()
        time.sleep(float(line.split()[1]))
        _print({"took_us": verdicts.lap()})
    over.set()
    load.join()
    server.stop()
    process.close()
    process.give_back()


def _load(process: DeskProcess, verdicts: Verdicts, over: threading.Event) -> None:
    due = time.monotonic()
    number = 0
    while not over.is_set():
        if number % PROPOSE_EVERY_TURNS == 0:
            verdicts.ask()
        number += 1
        for _ in range(round(PER_S * TURN_S)):
            process.desk.say(AlertDelivered(number=number), sender="effect:alerts")
        due += TURN_S
        time.sleep(max(0.0, due - time.monotonic()))


def _proposal(key: str, expires_ns: UnixNs) -> Proposal:
    stock = Instrument(conid=1, kind=InstrumentKind.STOCK, symbol="SPY")
    price = Decimal("600.00")
    return Proposal(
        key=key,
        trade=f"T{key}",
        strategy="bench",
        purpose=Purpose.OPEN,
        underlying="SPY",
        legs=(OrderLeg(instrument=stock, ratio=1),),
        units=1,
        limit_usd=price,
        worst_usd=price,
        pricing=Pricing.WALK,
        expires_ns=expires_ns,
    )


def _print(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
