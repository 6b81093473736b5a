"""How long a person waits for the command line's help, beside a bare interpreter."""

from __future__ import annotations

import subprocess
import sys
import time

from bench.harness import Figure, Goal


def wall_s(*arguments: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


FIGURES = [
    Figure(
        name="help_wall_s",
        unit="s",
        measure=lambda: wall_s("-m", "thetawarden", "--help"),
        reference="bare `python -c pass`",
        measure_reference=lambda: wall_s("-c", "pass"),
        goals=(Goal(of="value", relation="<=", limit=0.3),),
        repetitions=15,
    ),
]
