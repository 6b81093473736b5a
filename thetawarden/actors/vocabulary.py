"""Reads off each actor's `receive` what it hears and says, and refuses a tree that does not fit."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable
from typing import Any

from thetawarden.actors.tree import Tree
from thetawarden.errors import ThetawardenError
from thetawarden.messages import (
    books,
    lake,
    lifecycle,
    operations,
    orders,
    risk,
    strategy,
    trading,
)
from thetawarden.messages.base import Message
from thetawarden.messages.registry import Misfit, Vocabulary, check_vocabularies

# What is said by those who are no actors. Each may be said at any time, so each is checked too.
OUTSIDERS = (
    Vocabulary(
        name="supervisor",
        hears=frozenset(),
        says=frozenset(
            {
                lifecycle.Begin,
                lifecycle.Quiesce,
                lifecycle.DeskStarted,
                lifecycle.ChildrenChanged,
                lifecycle.ActorStarted,
                lifecycle.ActorEnded,
                lifecycle.GroupGaveUp,
                lifecycle.MessageParked,
                lifecycle.ActorPaused,
                lifecycle.ActorUnpaused,
                operations.VitalsTaken,
                trading.Halt,
                trading.AdoptHaltFlag,
                risk.LimitsStated,
            }
        ),
    ),
    Vocabulary(
        name="router",
        hears=frozenset(),
        says=frozenset({lifecycle.MailboxOverflowed, lifecycle.MessageUnclaimed}),
    ),
    Vocabulary(
        name="effects",
        hears=frozenset(),
        says=frozenset(
            {
                lifecycle.EffectFailed,
                operations.AlertDelivered,
                operations.AlertFailed,
                risk.StressTaken,
                lake.LakeCommitted,
                lake.LakeUnavailable,
                lake.LakeFellBehind,
                lake.LakeSkipped,
                lake.LakeRebuilt,
                lake.LakeMaintained,
            }
        ),
    ),
    Vocabulary(
        name="broker",
        hears=frozenset(),
        says=frozenset(
            {
                orders.MarginPreviewed,
                orders.OrderSent,
                orders.OrderWithheld,
                orders.OrderTroubled,
                trading.Halt,
            }
        ),
    ),
    Vocabulary(
        name="person",
        hears=frozenset(),
        says=frozenset(
            {
                trading.Halt,
                trading.Resume,
                trading.CancelAll,
                trading.Flatten,
                books.AcceptBook,
                risk.TakeStress,
                risk.BeCautious,
                risk.LiftCaution,
                risk.FreezeExits,
                risk.UnlockStrategy,
                risk.ReviewDrawdown,
                risk.OverrideReadiness,
                strategy.BuildLineup,
                strategy.ApproveLineup,
                risk.AcceptLimits,
            }
        ),
    ),
)


class MisfitError(ThetawardenError):
    """The tree and the routing table do not fit. Our bug: found at start, never at 3 a.m."""

    def __init__(self, misfits: tuple[Misfit, ...]) -> None:
        said = "; ".join(str(misfit) for misfit in misfits)
        super().__init__(f"messages with nowhere to go: {said}. Mend messages/registry.py")
        self.misfits = misfits


def vocabulary_of(name: str, actor: type[Any]) -> Vocabulary:
    """What an actor's annotations say that it hears and says."""
    hints = typing.get_type_hints(actor.receive)
    answers = typing.get_args(hints.pop("return"))
    hints.pop("now", None)
    (heard,) = hints.values()
    said = answers[0] if answers else ()
    return Vocabulary(name=name, hears=_members(heard), says=_members(said))


def check_tree(tree: Tree, *, adapters: Iterable[str]) -> tuple[Vocabulary, ...]:
    """Raise MisfitError unless everything that can be said will be understood."""
    actors = (
        *(vocabulary_of(spec.name, spec.kind) for spec in tree.fixed()),
        # also while none of them is there
        *(vocabulary_of(template.role, template.kind) for template in tree.templates()),
    )
    misfits = check_vocabularies((*actors, *OUTSIDERS), adapters=adapters)
    if misfits:
        raise MisfitError(misfits)
    return actors


def _members(annotation: Any) -> frozenset[type[Message]]:
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        return frozenset(typing.get_args(annotation))
    return frozenset((annotation,)) if isinstance(annotation, type) else frozenset()
