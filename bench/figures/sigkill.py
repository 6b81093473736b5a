"""Two hundred kills at random moments under load: nothing acknowledged may be lost or wrong."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from bench.harness import Figure, Goal
from bench.killing import Verdict, kill_and_judge

STORES = 20
KILLS_EACH = 10


@cache
def _campaign() -> Verdict:
    total = Verdict()
    for seed in range(STORES):
        with tempfile.TemporaryDirectory(prefix="thetawarden-kill-") as folder:
            found = kill_and_judge(Path(folder), kills=KILLS_EACH, seed=1000 + seed)
        total.kills += found.kills
        total.acknowledged += found.acknowledged
        total.lost += found.lost
        total.wrong += found.wrong
    return total


FIGURES = [
    Figure(
        name="sigkill_200_acknowledged_lost",
        unit="records",
        measure=lambda: float(_campaign().lost),
        reference="acknowledged records checked over 200 kills",
        measure_reference=lambda: float(_campaign().acknowledged),
        repetitions=1,
        goals=(Goal(of="value", relation="<=", limit=0.0),),
    ),
    Figure(
        name="sigkill_200_wrong_states",
        unit="states",
        measure=lambda: float(len(_campaign().wrong)),
        reference="kills under load",
        measure_reference=lambda: float(_campaign().kills),
        repetitions=1,
        goals=(Goal(of="value", relation="<=", limit=0.0),),
    ),
]
