"""Measures a figure beside its reference, turn by turn, and judges the medians.

Machines are noisy and differ: only ratios travel. Each repetition measures ours and the
reference back to back, in alternating order, so that a slow spell hits both.
"""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable
from typing import Literal

import msgspec
from typing_extensions import override

Measure = Callable[[], float]


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """What must hold: of the ratio ours / reference, or of our own value."""

    of: Literal["ratio", "value"]
    relation: Literal[">=", "<="]
    limit: float

    def holds(self, *, value: float, ratio: float | None) -> bool:
        """Whether the measured medians satisfy the goal."""
        measured = value if self.of == "value" else ratio
        if measured is None:
            return False
        return measured >= self.limit if self.relation == ">=" else measured <= self.limit

    @override
    def __str__(self) -> str:
        """How the goal is printed."""
        return f"{self.of} {self.relation} {self.limit:g}"


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table; `measure` returns one repetition's value in `unit`."""

    name: str
    unit: str
    measure: Measure
    goals: tuple[Goal, ...]
    reference: str = ""
    measure_reference: Measure | None = None
    repetitions: int = 5
    setup: Callable[[], None] | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `bench/latest.json`; spreads are (max - min) / median of the repetitions."""

    name: str
    value: float
    unit: str
    reference: str
    reference_value: float | None
    ratio: float | None
    goal: str
    ok: bool
    spread: float
    reference_spread: float | None
    repetitions: int


def run_figure(figure: Figure) -> Result:
    """Measure one figure: a warm-up of each side, then interleaved repetitions."""
    if figure.setup is not None:
        figure.setup()
    ours: list[float] = []
    theirs: list[float] = []
    sides = [(figure.measure, ours)]
    if figure.measure_reference is not None:
        sides.append((figure.measure_reference, theirs))
    for measure, _ in sides:
        measure()
    for repetition in range(figure.repetitions):
        for measure, values in sides if repetition % 2 == 0 else reversed(sides):
            gc.collect()
            values.append(measure())
    value = statistics.median(ours)
    reference_value = statistics.median(theirs) if theirs else None
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True)) if theirs else None
    return Result(
        name=figure.name,
        value=value,
        unit=figure.unit,
        reference=figure.reference,
        reference_value=reference_value,
        ratio=ratio,
        goal=" and ".join(map(str, figure.goals)),
        ok=all(goal.holds(value=value, ratio=ratio) for goal in figure.goals),
        spread=_spread(ours),
        reference_spread=_spread(theirs) if theirs else None,
        repetitions=figure.repetitions,
    )


def _spread(values: list[float]) -> float:
    median = statistics.median(values)
    return (max(values) - min(values)) / median if median else 0.0
