"""From a tick to the chain view that shows it, and on to an order: a desk beside a bare script."""

from __future__ import annotations

import functools
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from bench.harness import Figure, Goal

VIEWS_S, ORDERS_S = 30.0, 60.0
REAL_TIME = "1"
TIMEOUT_S = 600.0


class Delays(msgspec.Struct, frozen=True):
    """Microseconds, sorted: the desk idle, the desk with a hog, the bare script."""

    idle: list[float]
    hogged: list[float]
    bare: list[float]


class Orders(msgspec.Struct, frozen=True):
    """The same of orders; the parts of what the idle desk took, by name."""

    idle: dict[str, list[float]]
    hogged: list[float]
    bare: list[float]


@functools.cache
def _delays() -> Delays:
    desk, bare = _side_by_side("bench.wire_desk", "bench.wire_bare", VIEWS_S)
    return Delays(sorted(desk["idle_us"]), sorted(desk["hogged_us"]), sorted(bare["bare_us"]))


@functools.cache
def _orders() -> Orders:
    desk, bare = _side_by_side("bench.wire_orders", "bench.wire_orders_bare", ORDERS_S)
    idle = {name: sorted(took) for name, took in desk["idle"].items()}
    return Orders(idle, sorted(desk["hogged"]["whole"]), sorted(bare["bare_us"]))


def _side_by_side(ours: str, theirs: str, seconds: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """One gateway; the desk first, then the script with the same lines and the same chain."""
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.practice_server", REAL_TIME], stdout=subprocess.PIPE
    )
    try:
        assert server.stdout is not None  # noqa: S101
        ready = json.loads(server.stdout.readline())
        port = ready["listening"].rpartition(":")[2]
        with tempfile.TemporaryDirectory() as folder:
            return _run(ours, port, folder, seconds), _run(theirs, port, folder, seconds)
    finally:
        server.terminate()
        server.wait()


def _run(module: str, port: str, folder: str, seconds: float) -> dict[str, Any]:
    arguments = [sys.executable, "-m", module, port, str(Path(folder)), str(seconds)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{module} failed: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
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
    Figure(
        name="wire: tick to order without the wait for the disk, p50",
        unit="us",
        measure=lambda: statistics.median(_orders().idle["but_disk"]),
        reference="bare ib_async, same rule",
        measure_reference=lambda: statistics.median(_orders().bare),
        goals=(Goal(of="ratio", relation="<=", limit=3.0),),
        repetitions=1,
    ),
    Figure(
        name="wire: tick to order without the wait for the disk, p99",
        unit="us",
        measure=lambda: _p99(sorted(_orders().idle["but_disk"])),
        reference="bare ib_async, same rule",
        measure_reference=lambda: _p99(_orders().bare),
        goals=(),
        repetitions=1,
    ),
    Figure(
        name="wire: tick to order, what waited for the books to agree among it, p99",
        unit="us",
        measure=lambda: _p99(sorted(_orders().idle["with_waits"])),
        reference="the same without what waited",
        measure_reference=lambda: _p99(_orders().idle["whole"]),
        goals=(),
        repetitions=1,
    ),
    Figure(
        name="wire: tick to order, what waited for the books to agree, of all",
        unit="fraction",
        measure=lambda: 1.0 - len(_orders().idle["whole"]) / len(_orders().idle["with_waits"]),
        goals=(),
        repetitions=1,
    ),
    Figure(
        name="wire: tick to order, the wait for the durable intent, p99",
        unit="us",
        measure=lambda: _p99(_orders().idle["durable"]),
        reference="the rest of tick to order",
        measure_reference=lambda: _p99(sorted(_orders().idle["but_disk"])),
        goals=(),
        repetitions=1,
    ),
    Figure(
        name="wire: tick to order, the wait for the durable intent, p50",
        unit="us",
        measure=lambda: statistics.median(_orders().idle["durable"]),
        reference="the rest of tick to order",
        measure_reference=lambda: statistics.median(_orders().idle["but_disk"]),
        goals=(),
        repetitions=1,
    ),
    Figure(
        name="wire: tick to order with a CPU hog in the process, p99",
        unit="us",
        measure=lambda: _p99(_orders().hogged),
        reference="the same desk without it",
        measure_reference=lambda: _p99(_orders().idle["whole"]),
        goals=(Goal(of="ratio", relation="<=", limit=10.0),),
        repetitions=1,
    ),
]
