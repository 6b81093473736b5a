"""Defines a line-up: what is to be entered at the next open, staged until a person approves it."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Mapping

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.risk.candidate import WhatIf
from thetawarden.domain.strategy.candidate import Candidate


class LineupState(enum.StrEnum):
    """How far a line-up is."""

    STAGED = "staged"
    APPROVED = "approved"
    DONE = "done"
    EXPIRED = "expired"


class ItemState(enum.StrEnum):
    """How far one entry of it is."""

    STAGED = "staged"
    PROPOSED = "proposed"
    ENTERED = "entered"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One staged entry; margin is the broker's answer for a unit, never an estimate."""

    candidate: Candidate
    units: int
    margin_usd: float
    state: ItemState = ItemState.STAGED
    words: str = ""
    trade: str = ""

    @property
    def key(self) -> str:
        """Underlying and strategy: there is one of each in a line-up."""
        return f"{self.candidate.underlying}|{self.candidate.strategy}"

    @property
    def waits(self) -> bool:
        """Whether it may still be proposed."""
        return self.state is ItemState.STAGED


class Lineup(msgspec.Struct, frozen=True, kw_only=True):
    """Staged entries within a budget, what was left out and why; void from `expires_ns` on.

    `ceiling_usd` is the account's margin that entering stops at, whatever is staged.
    """

    name: str
    built_ns: UnixNs
    expires_ns: UnixNs
    state: LineupState
    budget_usd: float
    ceiling_usd: float
    items: tuple[Item, ...]
    left_out: tuple[str, ...] = ()
    approved_by: str = ""

    @property
    def margin_usd(self) -> float:
        """What all staged entries would need."""
        return math.fsum(one.margin_usd * one.units for one in self.items)

    @property
    def next(self) -> Item | None:
        """What is to be entered next: one after another, in the order of their scores."""
        if any(one.state is ItemState.PROPOSED for one in self.items):
            return None
        return next((one for one in self.items if one.waits), None)

    def item(self, key: str) -> Item | None:
        """The item of this underlying and strategy."""
        return next((one for one in self.items if one.key == key), None)

    def with_item(self, changed: Item) -> Lineup:
        """Return it with one item in the place of the one before; done when nothing waits."""
        items = tuple(changed if one.key == changed.key else one for one in self.items)
        open_still = any(one.state in (ItemState.STAGED, ItemState.PROPOSED) for one in items)
        over = self.state is LineupState.APPROVED and not open_still
        return msgspec.structs.replace(
            self, items=items, state=LineupState.DONE if over else self.state
        )


class LineupAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a person was answered last about line-ups; the number grows with every answer."""

    number: int = 0
    refused: bool = False
    words: str = ""


class Picked(msgspec.Struct, frozen=True, kw_only=True):
    """What fits into a budget, and in words what does not."""

    items: tuple[Item, ...]
    left_out: tuple[str, ...]


def margin_a_unit_usd(answer: WhatIf) -> float:
    """Return what the broker wants for a unit, the larger of its two margins; NaN if unusable."""
    changes = (answer.initial_change_usd, answer.maintenance_change_usd)
    if answer.units <= 0 or not all(map(math.isfinite, changes)):
        return math.nan
    return max(*changes, 0.0) / answer.units


def pick_portfolio(
    candidates: Iterable[Candidate],
    answers: Mapping[str, WhatIf | str],
    *,
    units: Mapping[str, int],
    budget_usd: float,
    stretch_fraction: float = 0.0,
) -> Picked:
    """Take candidates by score while their margin fits; without the broker's answer, none.

    `answers` and `units` are by underlying and strategy. One underlying is entered once. With a
    stretch that much more than the budget is staged; what really fits shows as orders fill.
    """
    room = budget_usd * (1.0 + stretch_fraction)
    items: list[Item] = []
    left_out: list[str] = []
    taken: set[str] = set()
    for one in sorted(candidates, key=lambda each: (-each.score, each.underlying, each.strategy)):
        name = f"{one.underlying} {one.strategy}"
        key = f"{one.underlying}|{one.strategy}"
        answer, wanted = answers.get(key, "the broker gave no margin"), units.get(key, 1)
        if one.underlying in taken:
            left_out.append(f"{name}: {one.underlying} is in the line-up already")
            continue
        if isinstance(answer, str):
            left_out.append(f"{name}: {answer}")
            continue
        a_unit = margin_a_unit_usd(answer)
        if not math.isfinite(a_unit):
            left_out.append(f"{name}: the broker's margin is no number")
            continue
        fits = wanted if a_unit <= 0.0 else min(wanted, int(room / a_unit + 1e-9))
        if fits < 1:
            left_out.append(f"{name}: needs {a_unit:,.0f} USD, {room:,.0f} left of the budget")
            continue
        items.append(Item(candidate=one, units=fits, margin_usd=a_unit))
        taken.add(one.underlying)
        room -= a_unit * fits
    return Picked(items=tuple(items), left_out=tuple(left_out))
