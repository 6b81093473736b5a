"""I23: nothing is restarted more often than its group may be, and giving up leaves a halted desk.

Restarts are counted here anew, from what the supervisor says ended and started, in machine time,
for each group by its own policy and for the groups by the root's. A process counts for itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from thetawarden.actors.tree import Group, Tree
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.restart import Ending, GiveUp, Policy
from thetawarden.messages.base import Envelope
from thetawarden.messages.lifecycle import ActorEnded, ActorStarted, DeskStarted, GroupGaveUp
from thetawarden.messages.registry import role_of
from thetawarden.messages.trading import AdoptHaltFlag
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants.scene import Check, Scene, Words

HALTED_WITHIN_NS = 60 * NS_PER_SECOND
"""Machine time; whoever is to halt may have to be restarted first, with its backoff."""
_ROOT = ""


class _GaveUp:
    def __init__(self) -> None:
        self._seen = 0
        self._must_adopt = False
        self._restarts: dict[str, list[int]] = {}
        self._used_up: dict[str, str] = {}
        self._unhalted: dict[str, tuple[int, int]] = {}

    def entry(self, entry: Entry, scene: Scene) -> Words:
        """Count restarts; the first thing a process after giving up hears of is the halt."""
        if not isinstance(entry, Envelope):
            return
        if self._must_adopt:
            self._must_adopt = False
            if not isinstance(entry.body, AdoptHaltFlag):
                yield "a process began without a halt after the supervisor had given up"
        now_ns = scene.world.clock.monotonic_ns()
        match entry.body:
            case DeskStarted():
                self._begin(scene, now_ns)
            case ActorEnded(actor=actor, ending=ending):
                self._ended(_group_of(actor, scene.world.tree), ending, now_ns)
            case ActorStarted(actor=actor):
                yield from self._started(actor, _group_of(actor, scene.world.tree))
            case GroupGaveUp(group=group):
                self._unhalted[group] = (entry.seq, now_ns)
                self._gave_up(group, scene.world.tree, now_ns)
            case _:
                pass
        if self._unhalted:
            yield from self._running_on(scene, now_ns)

    def end(self, scene: Scene) -> Words:
        """A group that gave up has halted the desk by now, however briefly."""
        del scene
        for group in self._unhalted:
            yield f"group {group} gave up, and nothing was halted"

    def _begin(self, scene: Scene, now_ns: int) -> None:
        gave_up, durable_seq = len(scene.world.gave_up), scene.world.durable_seq
        if gave_up > self._seen:
            self._seen, self._must_adopt = gave_up, True
        self._restarts.clear()
        self._used_up.clear()
        self._unhalted = {
            group: (seq, now_ns) for group, (seq, _) in self._unhalted.items() if seq <= durable_seq
        }

    def _ended(self, group: Group, ending: Ending, now_ns: int) -> None:
        """What a person replaces costs nothing, and brings back what had given up."""
        if ending is Ending.REPLACED_BY_HAND:
            self._used_up.pop(group.name, None)
        elif not self._may_restart(group.name, group.policy, now_ns):
            period_s = group.policy.period_ns / NS_PER_SECOND
            self._used_up[group.name] = f"{group.policy.intensity} restarts in {period_s:g} s"

    def _gave_up(self, name: str, tree: Tree, now_ns: int) -> None:
        """Only the root may bring it back, so often; one that degrades stays down."""
        group = next(one for one in tree.groups if one.name == name)
        if group.policy.give_up is GiveUp.DEGRADE:
            self._used_up[name] = "giving up"
        elif self._may_restart(_ROOT, tree.root, now_ns):
            self._restarts[name] = []
            self._used_up.pop(name, None)
        else:
            self._used_up[name] = f"{tree.root.intensity} restarts of groups"

    def _may_restart(self, key: str, policy: Policy, now_ns: int) -> bool:
        counted = [one for one in self._restarts.get(key, ()) if now_ns - one < policy.period_ns]
        may = len(counted) < policy.intensity
        self._restarts[key] = [*counted, now_ns] if may else counted
        return may

    def _started(self, actor: str, group: Group) -> Iterator[str]:
        why = self._used_up.pop(group.name, None)
        if why is not None:
            yield f"{actor} of group {group.name} was started again after {why}"

    def _running_on(self, scene: Scene, now_ns: int) -> Iterator[str]:
        if scene.halt is not None:
            self._unhalted.clear()
        for group, (_, since_ns) in tuple(self._unhalted.items()):
            if now_ns - since_ns > HALTED_WITHIN_NS:
                del self._unhalted[group]
                yield f"group {group} gave up, and trading went on"


def _group_of(actor: str, tree: Tree) -> Group:
    role = role_of(actor)
    return next(
        group
        for group in tree.groups
        if any(spec.name == actor for spec in group.actors)
        or (group.template is not None and group.template.role == role)
    )


def make() -> Check:
    """The check, with a memory of its own."""
    gave_up = _GaveUp()
    return Check(
        id="I23",
        says="restarts stay within their measure, and giving up ends halted",
        entry=gave_up.entry,
        end=gave_up.end,
    )
