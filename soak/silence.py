"""How soon a desk that has lost its eyes is halted and a person paged: real time against limits.

One practice gateway at speed 1; for each case a desk with a guardian and a channel to page by, in
processes of their own. One thing is broken; the time is taken until the halt stands, until the page
has come, and until no entry works any more. Prints a table; exits 1 when a limit was missed. Takes
about twenty minutes: `python -m soak.silence`; a word picks its cases.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from typing_extensions import override

from soak.hanging import EXECUTOR, LOOP, SUPERVISOR
from soak.processes import DeskLine, GatewayLine, Process, environment, free_port
from thetawarden.practice.admin import Command, ask

OPEN_WAIT_S = 900.0
LOOK_S = 0.1
MARGIN_S = 5.0
PAGE_S = 15.0
"""A page may come so long after the halt: its channel is at work meanwhile."""


class Case(NamedTuple):
    """One thing that is broken, and within which time a halt must stand."""

    name: str
    limit_s: float
    break_it: Callable[[Scene], None]
    mend: Callable[[Scene], object] = bool


class Pager:
    """Where critical words arrive, and when."""

    def __init__(self) -> None:
        self.came: list[float] = []
        pager = self

        class Listener(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                pager.came.append(time.monotonic())
                self.send_response(200)
                self.end_headers()

            @override
            def log_message(self, *_: object, **__: object) -> None:
                """Write no line a request."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def first_after(self, since: float) -> float | None:
        """Seconds until the first page after this instant; None while there was none."""
        came = [at - since for at in list(self.came) if at >= since]
        return min(came, default=None)


class Scene:
    """A desk on the gateway, once prices run."""

    def __init__(self, home: Path, *, line: GatewayLine, pager: Pager) -> None:
        self.home, self.line, self.pager = home, line, pager
        self.settings = {
            "THETAWARDEN__PRACTICE__GATEWAY": "false",
            "THETAWARDEN__PRACTICE__SAME_DAY": "false",
            "THETAWARDEN__PRACTICE__PORT": str(line.port),
            "THETAWARDEN__ALERTS__CRITICAL": "page",
            "THETAWARDEN_SECRET_ALERT_PAGE": f"json://127.0.0.1:{pager.port}/",
        }
        self.desk_line = DeskLine(home, self.settings)
        self.desk: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the desk and wait until the session is open and it is ready."""
        self.desk = subprocess.Popen(  # our own program, no shell
            [sys.executable, "-m", "soak.hanging", "run"],
            env=environment(self.home) | self.settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(self.home.parent / "desk.log").open("ab"),
        )
        until = time.monotonic() + OPEN_WAIT_S
        while not self._is_ready():
            if time.monotonic() > until or self.desk.poll() is not None:
                raise TimeoutError("the desk did not come to be ready in an open session")
            time.sleep(1.0)

    def _is_ready(self) -> bool:
        status = self.desk_line.ask("status")
        if status is None or status["link"]["state"] != "ready":
            return False
        watched = self.desk_line.ask("inspect", "watchdog")
        prices = {} if watched is None else watched["actor_state"]["prices"]
        clock = status["market_time"][11:19]
        return "14:33:00" <= clock < "20:59:00" and any(one["at_ns"] for one in prices.values())

    def play(self, do: str, name: str) -> None:
        """Begin or end a fault of the gateway."""
        asyncio.run(ask(Command(do=do, name=name), port=self.line.port))

    def send(self, number: int) -> None:
        """Send the desk a signal."""
        if self.desk is not None:
            self.desk.send_signal(number)

    def halted_after_s(self, limit_s: float) -> float | None:
        """How long it takes until the halt flag stands; None when it never does in time."""
        flag, began = self.home / "practice" / "halt", time.monotonic()
        while time.monotonic() - began < limit_s + 60.0:
            if flag.exists():
                return time.monotonic() - began
            time.sleep(LOOK_S)
        return None

    def paged_after_s(self, since: float, *, wait_s: float) -> float | None:
        """How long after this instant the page came; None when it did not come in time."""
        until = time.monotonic() + wait_s
        while (after := self.pager.first_after(since)) is None and time.monotonic() < until:
            time.sleep(LOOK_S)
        return after

    def halt(self) -> Mapping[str, str]:
        """The halt that stands."""
        found: dict[str, str] = json.loads((self.home / "practice" / "halt").read_text())
        return found

    def end(self) -> None:
        """End everything that was started."""
        if self.desk is not None and self.desk.poll() is None:
            self.desk.send_signal(signal.SIGCONT)
            self.desk.kill()
            self.desk.wait()


CASES = (
    Case("executor hung", 15.0, lambda scene: scene.send(EXECUTOR)),
    Case("supervisor hung", 15.0, lambda scene: scene.send(SUPERVISOR)),
    Case("event loop stopped", 30.0, lambda scene: scene.send(LOOP)),
    Case("desk process stopped", 15.0, lambda scene: scene.send(signal.SIGSTOP)),
    Case(
        "feed frozen, link up",
        120.0,
        lambda scene: scene.play("fault", "frozen-feed"),
        lambda scene: scene.play("end", "frozen-feed"),
    ),
    Case("half-open link", 10.0 + 60.0, lambda scene: scene.play("fault", "mute")),
)


@contextlib.contextmanager
def a_gateway(folder: Path) -> Iterator[GatewayLine]:
    """A market at real time, a few minutes before an opening bell."""
    port = free_port()
    gateway = Process(
        ["gateway", "--port", str(port), "--speed", "1", "--start", "2026-02-03"],
        home=folder / "gateway",
        log=folder / "gateway.log",
    )
    gateway.start()
    try:
        line = GatewayLine(port)
        line.wait()
        yield line
    finally:
        gateway.kill()


def measure(case: Case, scene: Scene) -> bool:
    """Live through one case and print its line; whether both limits held."""
    scene.start()
    began = time.monotonic()
    case.break_it(scene)
    halted_s = scene.halted_after_s(case.limit_s)
    paged_s = scene.paged_after_s(began, wait_s=PAGE_S)
    case.mend(scene)
    words = "no halt" if halted_s is None else f"{halted_s:6.1f} s by {scene.halt()['by']:10}"
    page = "no page" if paged_s is None else f"page {paged_s:6.1f} s"
    well = halted_s is not None and halted_s <= case.limit_s + MARGIN_S
    well = well and paged_s is not None and paged_s <= case.limit_s + MARGIN_S + PAGE_S
    verdict = "ok" if well else "MISSED"
    sys.stdout.write(f"{case.name:24} limit {case.limit_s:5.0f} s  {words}  {page}  {verdict}\n")
    sys.stdout.flush()
    return well


def main(arguments: list[str]) -> int:
    """Measure each case, or those whose names contain a word that was given."""
    missed, pager = 0, Pager()
    chosen = [
        case for case in CASES if not arguments or any(word in case.name for word in arguments)
    ]
    with tempfile.TemporaryDirectory() as folder, a_gateway(Path(folder)) as line:
        for number, case in enumerate(chosen):
            scene = Scene(Path(folder) / str(number) / "home", line=line, pager=pager)
            scene.home.mkdir(parents=True)
            try:
                missed += not measure(case, scene)
            except TimeoutError as error:
                missed += 1
                sys.stdout.write(f"{case.name:24} {error}\n")
            finally:
                scene.end()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
