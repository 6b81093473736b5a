"""Decides what scheduled events cost an entry (G6): the market's, and one company's report.

What is scheduled is looked up in `market.events`. Several events on one session multiply. Dates
that nobody knows are not a quiet day: by default they allow no entry.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from thetawarden.domain.market.events import (
    DayNote,
    EarningsRisk,
    MacroKind,
    MacroNote,
    Nearness,
)
from thetawarden.domain.regime.factors import (
    EntryPolicy,
    Factor,
    Rule,
    require_fractions,
    unusable,
)
from thetawarden.domain.regime.readings import Fault, InputFault

if TYPE_CHECKING:
    from collections.abc import Iterable

QUIET = "quiet"


class EventLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What each kind of day costs in size and in delta."""

    fomc_size_fraction: float = 0.5
    cpi_size_fraction: float = 0.75
    nfp_size_fraction: float = 0.75
    unknown_size_fraction: float = 0.0
    """For each announcement whose dates are not known; 0 allows no entry."""
    macro_delta_fraction: float = 0.8
    holiday_delta_fraction: float = 0.8

    def __post_init__(self) -> None:
        require_fractions(**msgspec.structs.asdict(self))

    def size_fraction(self, note: MacroNote) -> float:
        """Return what one announcement costs."""
        if note.nearness is Nearness.UNKNOWN:
            return self.unknown_size_fraction
        return {
            MacroKind.FOMC: self.fomc_size_fraction,
            MacroKind.CPI: self.cpi_size_fraction,
            MacroKind.NFP: self.nfp_size_fraction,
        }[note.kind]


def judge_events(
    *, macro: tuple[MacroNote, ...], days: tuple[DayNote, ...], limits: EventLimits
) -> Factor:
    """Return what the session's announcements and its place in the calendar cost."""
    # The day before one decision and the day of another is still one kind of event.
    costs = {(note.kind, note.nearness is Nearness.UNKNOWN): note for note in macro}
    size = math.prod((limits.size_fraction(note) for note in costs.values()), start=1.0)
    near_holiday = {DayNote.BEFORE_HOLIDAY, DayNote.AFTER_HOLIDAY} & set(days)
    delta = limits.macro_delta_fraction if macro else 1.0
    delta *= limits.holiday_delta_fraction if near_holiday else 1.0
    return Factor(
        rule=Rule.EVENTS,
        label=_label(macro, days),
        size_fraction=size,
        delta_fraction=delta,
        entries=EntryPolicy.ALL if size > 0.0 else EntryPolicy.NONE,
        faults=tuple(
            Fault(name=f"{note.kind.value}_dates", fault=InputFault.MISSING)
            for note in macro
            if note.nearness is Nearness.UNKNOWN
        ),
    )


def judge_earnings(risk: EarningsRisk) -> Factor:
    """Return whether a company may be sold over the life asked about; unknown is no."""
    if risk is EarningsRisk.UNKNOWN:
        return unusable(Rule.EARNINGS, (Fault(name="earnings_dates", fault=InputFault.MISSING),))
    clear = risk is EarningsRisk.CLEAR
    return Factor(
        rule=Rule.EARNINGS,
        label=risk.value,
        size_fraction=1.0 if clear else 0.0,
        entries=EntryPolicy.ALL if clear else EntryPolicy.NONE,
    )


def _label(macro: Iterable[MacroNote], days: Iterable[DayNote]) -> str:
    parts = [f"{note.kind.value}_{note.nearness.value}" for note in macro]
    parts += [note.value for note in days]
    return "+".join(parts) or QUIET
