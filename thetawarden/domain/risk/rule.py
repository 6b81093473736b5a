"""Defines what a rule is: its row in the specification, what it reads, its limits, its judge."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from thetawarden.domain.risk.case import Case
from thetawarden.domain.risk.finding import RuleFinding, RuleId


class Rule(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One rule, told and run from the same place.

    `limits` names the group of the limits it reads, if any. `exits` are those of its checks that
    bind an order proved to reduce risk as well.
    """

    id: RuleId
    does: str
    reads: tuple[str, ...]
    limits: str = ""
    exits: tuple[str, ...] = ()
    judge: Callable[[Case], tuple[RuleFinding, ...]]
