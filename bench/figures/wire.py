"""From a tick's arrival to the chain view that shows it: a whole desk beside a bare script."""

from __future__ import annotations

import functools
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from bench.harness import Figure, Goal

SECONDS = 30.0
REAL_TIME = "1"
TIMEOUT_S = 600.0


class Delays(msgspec.Struct, frozen=True):
    """Microseconds, sorted: the desk idle, the desk with a hog, the bare script."""

    idle: list[float]
    hogged: list[float]
    bare: list[float]


@functools.cache
def _delays() -> Delays:
    """One gateway; the desk first, then the script with the same lines and the same chain."""
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.practice_server", REAL_TIME], stdout=subprocess.PIPE
    )
    try:
        assert server.stdout is not None  # noqa: S101
        ready = json.loads(server.stdout.readline())
        port = ready["listening"].rpartition(":")[2]
        with tempfile.TemporaryDirectory() as folder:
            desk = _run("bench.wire_desk", port, folder)
            bare = _run("bench.wire_bare", port, folder)
    finally:
        server.terminate()
        server.wait()
    return Delays(sorted(desk["idle_us"]), sorted(desk["hogged_us"]), sorted(bare["bare_us"]))


def _run(module: str, port: str, folder: str) -> dict[str, list[float]]:
    arguments = [sys.executable, "-m", module, port, str(Path(folder)), str(SECONDS)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{module} failed: {done.stderr[-2000:]}")
    found: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def _p99(values: list[float]) -> float:
    return values[min(len(values) - 1, len(values) * 99 // 100)]


FIGURES = [
    Figure(
        name="wire: tick to chain view, p50",
        unit="us",
        measure=lambda: statistics.median(_delays().idle),
        reference="bare ib_async, same lines, same view",
        measure_reference=lambda: statistics.median(_delays().bare),
        goals=(Goal(of="ratio", relation="<=", limit=3.0),),
        repetitions=1,
    ),
    Figure(
        name="wire: tick to chain view, p99",
        unit="us",
        measure=lambda: _p99(_delays().idle),
        reference="bare ib_async, same lines, same view",
        measure_reference=lambda: _p99(_delays().bare),
        goals=(),
        repetitions=1,
    ),
    Figure(
        name="wire: tick to chain view with a CPU hog in the process, p99",
        unit="us",
        measure=lambda: _p99(_delays().hogged),
        reference="the same desk without it",
        measure_reference=lambda: _p99(_delays().idle),
        goals=(Goal(of="ratio", relation="<=", limit=10.0),),
        repetitions=1,
    ),
]
