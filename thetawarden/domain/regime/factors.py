"""Defines what a rule answers, and how several answers become one.

Factors multiply, the strictest entry policy wins. `size_fraction` scales the number of contracts,
`delta_fraction` the delta to aim at: below 1 is further out of the money.
"""

from __future__ import annotations

import enum
import math
from typing import TYPE_CHECKING

import msgspec

from thetawarden.domain.regime.readings import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable

UNUSABLE_INPUT = "unusable_input"
"""The label of a rule that could not see; its faults say what was wrong."""


class Rule(enum.StrEnum):
    """Which rule speaks."""

    VIX = "vix"
    TERM_STRUCTURE = "term_structure"
    TREND = "trend"
    CORRELATION = "correlation"
    EVENTS = "events"
    EARNINGS = "earnings"


class EntryPolicy(enum.StrEnum):
    """What may be opened, from free to nothing; the order of the members is their strictness."""

    ALL = "all"
    DEFINED_RISK_ONLY = "defined_risk_only"
    NONE = "none"


class Factor(msgspec.Struct, frozen=True, kw_only=True):
    """One rule's answer: what it does to an entry, in which state, and what it could not see."""

    rule: Rule
    label: str
    size_fraction: float
    delta_fraction: float = 1.0
    entries: EntryPolicy = EntryPolicy.ALL
    faults: tuple[Fault, ...] = ()


_STRICTNESS = {policy: rank for rank, policy in enumerate(EntryPolicy)}


def unusable(rule: Rule, faults: tuple[Fault, ...]) -> Factor:
    """Return the answer of a rule that cannot see: no entries, because of these inputs."""
    return Factor(
        rule=rule,
        label=UNUSABLE_INPUT,
        size_fraction=0.0,
        entries=EntryPolicy.NONE,
        faults=faults,
    )


def strictest(policies: Iterable[EntryPolicy]) -> EntryPolicy:
    """Return the strictest of the policies; of none, the free one."""
    return max(policies, key=_STRICTNESS.__getitem__, default=EntryPolicy.ALL)


def combined_size_fraction(factors: Iterable[Factor]) -> float:
    """Return the product of all sizes; 0 when any rule refuses entries altogether."""
    return math.prod(
        0.0 if one.entries is EntryPolicy.NONE else one.size_fraction for one in factors
    )


def combined_delta_fraction(factors: Iterable[Factor]) -> float:
    """Return the product of all delta factors."""
    return math.prod(one.delta_fraction for one in factors)


def require_fractions(**fractions: float) -> None:
    """Refuse, at construction, a limit that would enlarge a position or is no number."""
    wrong = {name: value for name, value in fractions.items() if not 0.0 <= value <= 1.0}
    if wrong:
        raise ValueError(f"a fraction lies between 0 and 1, found {wrong}")


def require_rising(**values: float) -> None:
    """Refuse, at construction, thresholds that are not finite or not in rising order."""
    found = list(values.values())
    if not all(map(math.isfinite, found)) or found != sorted(found):
        raise ValueError(f"thresholds must be finite and rise, found {values}")
