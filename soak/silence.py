"""How soon a desk that has lost its eyes is halted: measured at real time against its limits.

Each case starts a practice gateway at speed 1 and a desk with a guardian on it, in processes of
their own, breaks one thing, and takes the time until the halt stands. Prints a table; exits 1 when
a limit was missed. Takes about half an hour: `python -m soak.silence`; a word picks its cases.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from soak.processes import DeskLine, GatewayLine, Process, environment, free_port

OPEN_WAIT_S = 900.0
LOOK_S = 0.1
MARGIN_S = 5.0


class Case(NamedTuple):
    """One thing that is broken, by what is watched, and within which time a halt must stand."""

    name: str
    limit_s: float
    break_it: Callable[[Scene], None]


class Scene:
    """A gateway and a desk, once prices run."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.home = folder / "home"
        self.gateway = Process(
            ["gateway", "--port", str(self.port), "--speed", "1", "--start", "2026-02-03"],
            home=self.home,
            log=folder / "gateway.log",
        )
        self.line, self.desk_line = GatewayLine(self.port), DeskLine(self.home)
        self.desk: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start both and wait until the session is open and the desk is ready."""
        self.gateway.start()
        self.line.wait()
        settings = {
            "THETAWARDEN__PRACTICE__GATEWAY": "false",
            "THETAWARDEN__PRACTICE__PORT": str(self.port),
        }
        self.desk = subprocess.Popen(  # our own program, no shell
            [sys.executable, "-m", "thetawarden", "run"],
            env=environment(self.home) | settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.environ |= settings
        until = time.monotonic() + OPEN_WAIT_S
        while not self._is_ready():
            if time.monotonic() > until:
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

    def fault(self, name: str) -> None:
        """Play a fault of the gateway."""
        command = [sys.executable, "-m", "thetawarden", "gateway", "fault", name]
        subprocess.run(  # noqa: S603  # our own program, no shell
            [*command, "--port", str(self.port)], check=True, capture_output=True
        )

    def send(self, number: signal.Signals) -> None:
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

    def halt(self) -> dict[str, str]:
        """The halt that stands."""
        found: dict[str, str] = json.loads((self.home / "practice" / "halt").read_text())
        return found

    def end(self) -> None:
        """End everything that was started."""
        if self.desk is not None and self.desk.poll() is None:
            self.desk.send_signal(signal.SIGCONT)
            self.desk.kill()
            self.desk.wait()
        self.gateway.kill()


CASES = (
    Case("feed frozen, link up", 120.0, lambda scene: scene.fault("frozen-feed")),
    Case("half-open link", 10.0 + 60.0, lambda scene: scene.fault("mute")),
    Case("desk process stopped", 15.0, lambda scene: scene.send(signal.SIGSTOP)),
)


def main(arguments: list[str]) -> int:
    """Measure each case, or those whose names contain a word that was given."""
    missed = 0
    for case in CASES:
        if arguments and not any(word in case.name for word in arguments):
            continue
        with tempfile.TemporaryDirectory() as folder:
            scene = Scene(Path(folder))
            try:
                scene.start()
                case.break_it(scene)
                took_s = scene.halted_after_s(case.limit_s)
                words = "no halt" if took_s is None else f"{took_s:6.1f} s by {scene.halt()['by']}"
            finally:
                scene.end()
        late = took_s is None or took_s > case.limit_s + MARGIN_S
        missed += late
        verdict = "MISSED" if late else "ok"
        sys.stdout.write(f"{case.name:24} limit {case.limit_s:5.0f} s  {words}  {verdict}\n")
        sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
