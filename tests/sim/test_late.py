"""A handler that returns after its incarnation was fenced off: it is refused, whenever it comes."""

import pytest

from tests.actors.desks import Sink, note, policy, spec, tree
from tests.sim.planted import planted
from tests.sim.planted_desk import BUGS
from tests.sim.test_invariants import Case
from tests.sim.test_runtime import MONDAY
from thetawarden.actors.tree import Group
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.messages.lifecycle import ActorEnded, ActorStarted
from thetawarden.sim.clock import VirtualClock
from thetawarden.sim.late import LATE_NS_MAX
from thetawarden.sim.log import MemoryLog
from thetawarden.sim.meddling import Mishap, NoMeddling
from thetawarden.sim.runtime import SimDesk
from thetawarden.supervisor import ADAPTERS

BEFORE_A_SUCCESSOR, BEFORE_IT_HEARS, LATER = 0.1, 0.4, 0.9
PLANTED = {one.name: one for one in BUGS}


class HangsAt(NoMeddling):
    """Whoever handles this text first hangs on it."""

    def __init__(self, text):
        self._left = [text]

    def mishap(self, _actor, envelope, /):
        hangs = getattr(envelope.body, "text", None) in self._left
        return Mishap.HANG if hangs and self._left.pop() else None


def hung(monkeypatch, draw, *texts, seconds=30):
    monkeypatch.setattr(SimDesk, "_draw", lambda _desk: draw)
    sink = Sink()
    desk = SimDesk(
        tree=tree(Group(name="all", policy=policy(), actors=(spec(),))),
        log=MemoryLog(),
        clock=VirtualClock(MONDAY),
        seed=1,
        adapters={name: Sink() for name in ADAPTERS} | {"alerts": sink},
        meddler=HangsAt(texts[0]),
    )
    desk.start_all()
    for text in texts:
        desk.router.say(note(text), sender="test")
    desk.run_until(MONDAY + seconds * NS_PER_SECOND)
    return desk, sink


def said(desk, *kinds):
    return [one.body for one in desk.log.records if isinstance(getattr(one, "body", None), kinds)]


@pytest.mark.parametrize("draw", [BEFORE_A_SUCCESSOR, BEFORE_IT_HEARS, LATER])
def test_what_returns_too_late_says_nothing_and_its_successor_says_it_once(monkeypatch, draw):
    desk, sink = hung(monkeypatch, draw, "answer a", "answer b")

    assert (desk.late.count, desk.late.trespassed) == (1, [])
    assert [one.text for one in sink.done] == ["answer a", "answer b"]
    assert desk.state_of("notifier").texts == ["answer a", "answer b"]
    assert [one.incarnation for one in said(desk, ActorEnded)] == [1]
    assert [one.incarnation for one in said(desk, ActorStarted)] == [1, 2]


@pytest.mark.parametrize(
    ("draw", "text", "ended"),
    [
        (BEFORE_A_SUCCESSOR, "crash 1", [1]),
        (BEFORE_IT_HEARS, "crash 1", [1]),
        (LATER, "crash 2", [1, 2]),
    ],
)
def test_what_raises_when_it_returns_too_late_ends_nobody(monkeypatch, draw, text, ended):
    """The successor tries it as well, and later than one that returns before it hears anything."""
    desk, _ = hung(monkeypatch, draw, text, "after")

    assert desk.late.count == 1
    assert [one.incarnation for one in said(desk, ActorEnded)] == ended
    assert desk.state_of("notifier").texts[-1] == "after"
    assert desk.late.trespassed == []


def test_it_returns_within_so_long_and_not_before(monkeypatch):
    late_s = 0.8 * LATE_NS_MAX / NS_PER_SECOND

    assert hung(monkeypatch, LATER, "answer", seconds=late_s - 1)[0].late.count == 0
    assert hung(monkeypatch, LATER, "answer", seconds=late_s + 1)[0].late.count == 1


@pytest.mark.parametrize("draw", [BEFORE_A_SUCCESSOR, BEFORE_IT_HEARS, LATER])
@pytest.mark.parametrize("bug", ["old ones are heard", "old ones are remembered"])
def test_i22_what_is_changed_beside_the_log_is_found(monkeypatch, draw, bug):
    with planted(PLANTED[bug]):
        desk, _ = hung(monkeypatch, draw, "answer")

    case = Case("I22")
    case.world.desk.late = desk.late
    assert not case.end().holds
