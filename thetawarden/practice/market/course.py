"""Decides what course the days take: a scenario's climate and script, or a user's path.

The history before the start is drawn several times, until it ends with the VIX the scenario starts
from; which draw was taken follows from the seed alone.
"""

from __future__ import annotations

import functools
import math
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.practice.market.closes_file import DailyClose
from thetawarden.practice.market.days import Climate, Days, Imposed
from thetawarden.practice.market.path import OWN_VOLS_ANNUAL, Anchor
from thetawarden.practice.market.scenario import LEAD_SESSIONS, Scenario, Script
from thetawarden.practice.market.timeline import Timeline
from thetawarden.practice.market.volmodel import VolModel

Floats: TypeAlias = NDArray[np.float64]
_DRAWS_MAX = 24


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides the days besides chance."""

    seed: int
    timeline: Timeline
    first_row: int
    start_row: int
    scenario: Scenario
    closes: tuple[DailyClose, ...] = ()


def begin(course: Course) -> Days:
    """Return the days of a course, with a history that ends where the scenario starts."""
    if course.closes:
        return _days(course, draw=0, own_vols_annual=OWN_VOLS_ANNUAL)
    draw = _fitting_draw(course)
    return _days(course, draw=draw, own_vols_annual=OWN_VOLS_ANNUAL)


@functools.lru_cache(maxsize=256)
def _fitting_draw(course: Course) -> int:
    """Nearly all the time a market takes to begin; the same course has the same draw."""
    low, high = course.scenario.vix_at_start
    middle = math.sqrt(low * high)
    model = VolModel(course.timeline)
    best, best_gap = 0, math.inf
    at = np.array([int(course.timeline.close_ns[course.start_row - 1])])
    for draw in range(_DRAWS_MAX):
        days = _days(course, draw=draw, own_vols_annual=OWN_VOLS_ANNUAL[:0])
        vix = float(model.index(days.day(course.start_row - 1).x_close[None, :], at, days=30.0)[0])
        if low <= vix <= high:
            return draw
        if abs(math.log(vix / middle)) < best_gap:
            best, best_gap = draw, abs(math.log(vix / middle))
    return best


def _days(course: Course, *, draw: int, own_vols_annual: Floats) -> Days:
    model, line = VolModel(course.timeline), course.timeline
    lead = course.start_row - LEAD_SESSIONS
    script = Script(seed=course.seed, start_row=course.start_row, nodes=course.scenario.script)
    given = _given(course)
    usual = Climate()

    def climate_of(row: int) -> Climate:
        return course.scenario.climate if row >= lead else usual

    def imposed_on(row: int) -> Imposed | None:
        return given.get(row) or script.imposed_on(row)

    def level_vix(x: Floats, vix: float, row: int) -> Floats:
        return model.meet(x, int(line.close_ns[row]), vix=vix)

    return Days(
        seed=course.seed,
        draw=draw,
        timeline=line,
        first_row=course.first_row,
        own_vols_annual=own_vols_annual,
        climate_of=climate_of,
        imposed_on=imposed_on,
        level_vix=level_vix,
    )


def _given(course: Course) -> dict[int, Imposed]:
    """What a user's file imposes, by row; its first day has a VIX but no return."""
    given = {}
    before: DailyClose | None = None
    for day in course.closes:
        moved = None if before is None else math.log(day.close / before.close)
        row = course.timeline.row_on_or_after(day.day)
        given[row] = Imposed(log_return=moved, vix=day.vix)
        before = day
    return given


def anchor(course: Course) -> Anchor | None:
    """Return the row and the close a user's path pins the index to, if there is one."""
    if not course.closes:
        return None
    start = course.timeline.date(course.start_row)
    past = [one for one in course.closes if one.day < start]
    pinned = past[-1] if past else course.closes[0]
    return course.timeline.row_on_or_after(pinned.day), pinned.close
