"""Replay: rebuild any actor at any message, and show the first answer that differs."""

import contextlib
import datetime as dt
import shutil
import sqlite3

import msgspec
import pytest

from tests.actors.desks import Obedient, note, until
from thetawarden.actors.desk import Desk, DeskSettings
from thetawarden.actors.governor import Governor
from thetawarden.actors.memory import encode_snapshot, rebuild
from thetawarden.actors.post import ActorSpec
from thetawarden.actors.tree import Group, Tree
from thetawarden.config.schema import Config
from thetawarden.domain.restart import Policy
from thetawarden.domain.vitals import Vitals
from thetawarden.infra.clock import WallClock
from thetawarden.infra.journal.errors import DamagedLogError
from thetawarden.infra.journal.journal import Journal, Position
from thetawarden.infra.journal.reader import open_log
from thetawarden.infra.journal.recover import recover
from thetawarden.infra.journal.rows import snapshot_row
from thetawarden.messages.lifecycle import Begin, DeskStarted
from thetawarden.messages.operations import AlertDelivered, VitalsTaken
from thetawarden.messages.trading import Halt, Resume, TradingHalted
from thetawarden.ports import Delivery
from thetawarden.sim import side_by_side
from thetawarden.sim.cast import Processes, Replayed, actors_before
from thetawarden.sim.replay import NoSuchDayError, verify_replay
from thetawarden.sim.side_by_side import Past
from thetawarden.supervisor import ADAPTERS, desk_tree

DAY = dt.date(2026, 2, 3)
NEXT_DAY = dt.date(2026, 2, 4)


class Deliver:
    def perform(self, envelope, /):
        number = getattr(envelope.body, "number", None)
        return () if number is None else (AlertDelivered(number=number),)


def idle(desk):
    return not any(
        sum(post.mailbox.depths()) or post.pulse.busy_since_ns for post in desk.posts.values()
    )


def record(folder, tree, say, *, snapshot_every=5000, next_day=None):
    """Run a real desk over a real log; `next_day` speaks to it after the page has turned."""
    journal = Journal(folder, day=DAY, position=Position(), software="test")
    nothing = Deliver()
    desk = Desk(
        tree=tree,
        log=journal,
        clock=WallClock(),
        adapters=dict.fromkeys(ADAPTERS, nothing),
        settings=DeskSettings(heartbeat_s=0.05, snapshot_every=snapshot_every),
        take_vitals=lambda actors: VitalsTaken(
            vitals=Vitals(actors=actors, log_lag_ns=0, disk_free_bytes=2**40)
        ),
        give_up=lambda _: None,
    )
    desk.start()
    say(desk)
    until(lambda: idle(desk))
    if next_day is not None:
        journal.turn_page(NEXT_DAY)
        desk.call(desk._snapshot_all)
        next_day(desk)
        until(lambda: idle(desk))
    desk.stop()
    journal.close()


def halts_and_resumes(desk):
    for epoch in range(1, 20):
        desk.say(Halt(reason=f"halt {epoch}", by="test"), sender="person")
        desk.say(Resume(reason="fine", by="test", epoch=epoch), sender="person")
        desk.say(note(f"note {epoch}"), sender="test")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log")
    tree = desk_tree(Config())
    record(folder, tree, halts_and_resumes, snapshot_every=10, next_day=halts_and_resumes)
    return folder, tree


def test_todays_code_answers_a_recorded_desk_byte_for_byte(recorded):
    folder, tree = recorded
    with open_log(folder) as days:
        verdict = verify_replay(tree, days)

    assert verdict.first_difference is None
    assert verdict.verified == verdict.deliveries > 100


def test_one_day_alone_is_verified_from_what_was_known_before_it(recorded):
    folder, tree = recorded
    with open_log(folder) as days:
        both = verify_replay(tree, days)
        second = verify_replay(tree, days, day=NEXT_DAY)

    assert second.first_difference is None
    assert 0 < second.verified < both.verified


def test_a_day_that_is_not_there_is_refused_by_naming_those_that_are(recorded):
    folder, tree = recorded
    with open_log(folder) as days, pytest.raises(NoSuchDayError) as refusal:
        verify_replay(tree, days, day=dt.date(2020, 1, 1))

    assert str(refusal.value) == (
        "no message log of 2020-01-01; there are: 2026-02-03, 2026-02-04. Choose one with --day"
    )


class PoliteGovernor(Governor):
    """Tomorrow's code: words its halts differently."""

    def receive(self, message, now):
        said = super().receive(message, now)
        return tuple(
            msgspec.structs.replace(
                each, halt=msgspec.structs.replace(each.halt, reason="please " + each.halt.reason)
            )
            if isinstance(each, TradingHalted)
            else each
            for each in said
        )


class ForgetfulGovernor(Governor):
    """Says the right thing and remembers the wrong one."""

    def receive(self, message, now):
        said = super().receive(message, now)
        if isinstance(message, Resume):
            self.state.latch = msgspec.structs.replace(self.state.latch, epoch=1)
        return said


def with_governor(tree, kind):
    groups = tuple(
        msgspec.structs.replace(
            group,
            actors=tuple(
                msgspec.structs.replace(spec, kind=kind) if spec.name == "governor" else spec
                for spec in group.actors
            ),
        )
        for group in tree.groups
    )
    return msgspec.structs.replace(tree, groups=groups)


def test_the_first_answer_that_differs_is_shown_with_the_state_before_it(recorded):
    folder, tree = recorded
    with open_log(folder) as days:
        verdict = verify_replay(with_governor(tree, PoliteGovernor), days)

    found = verdict.first_difference
    assert (found.actor, found.kind, found.what) == ("governor", "Halt", "the answers differ")
    assert found.state_before["latch"] == {"epoch": 0, "halt": None}
    assert '"halt 1"' in found.expected[0]
    assert '"please halt 1"' in found.got[0]
    assert found.message == {"reason": "halt 1", "by": "test"}
    assert verdict.verified == verdict.deliveries - 1


def test_a_state_that_differs_is_found_even_where_the_answers_agree(recorded):
    folder, tree = recorded
    with open_log(folder) as days:
        verdict = verify_replay(with_governor(tree, ForgetfulGovernor), days)

    assert verdict.first_difference.what in {
        "the state differs from the snapshot",
        "the answers differ",
    }


class CrashingGovernor(Governor):
    def receive(self, message, now):
        if isinstance(message, Resume):
            raise KeyError("tomorrow's bug")
        return super().receive(message, now)


def test_code_that_would_crash_today_is_the_difference(recorded):
    folder, tree = recorded
    with open_log(folder) as days:
        verdict = verify_replay(with_governor(tree, CrashingGovernor), days)

    assert verdict.first_difference.what == "today's code raises KeyError: \"tomorrow's bug\""


def test_a_crash_that_happened_live_is_skipped_as_it_was_then(tmp_path):
    policy = Policy(backoff_min_ns=0, backoff_max_ns=0)
    tried = {}
    spec = ActorSpec(name="notifier", kind=Obedient, settings={"tried": tried})
    tree = Tree(root=policy, groups=(Group(name="g", policy=policy, actors=(spec,)),))

    def say(desk):
        for text in ("one", "crash 1", "two"):
            desk.say(note(text), sender="test")
        while tried.get("two", 0) == 0:
            desk.call(lambda: None)

    record(tmp_path, tree, say)
    with open_log(tmp_path) as days:
        verdict = verify_replay(tree, days)

    assert verdict.first_difference is None


def test_a_message_that_waited_when_the_page_turned_is_answered_where_it_was_handled(tmp_path):
    policy = Policy(backoff_min_ns=0, backoff_max_ns=0)
    spec = ActorSpec(name="notifier", kind=Obedient, settings={"tried": {}})
    tree = Tree(root=policy, groups=(Group(name="g", policy=policy, actors=(spec,)),))

    def say(desk):
        desk.pause("notifier", by="test")
        desk.say(note("answer this"), sender="test")
        desk.call(desk._overseer.children.begin_page)
        desk.unpause("notifier", by="test")

    record(tmp_path, tree, say)
    with open_log(tmp_path) as days:
        verdict = verify_replay(tree, days)

    assert verdict.first_difference is None


def test_an_actor_can_be_rebuilt_at_any_message(recorded):
    folder, tree = recorded
    with open_log(folder) as days:
        governor = actors_before(tree, days, days[0], only=frozenset({"governor"})).get("governor")
        epochs = []
        for step in days[0].steps(actors=("governor",)):
            governor.take(step)
            epochs.append(governor.state()["latch"]["epoch"])

        resumed = actors_before(tree, days, days[1], only=frozenset({"governor"})).get("governor")

    assert epochs == sorted(epochs)
    assert epochs[-1] == 19
    assert resumed.state() == governor.state()


def test_a_snapshot_is_a_place_to_start_from(recorded):
    folder, tree = recorded
    specs = {spec.name: spec for group in tree.groups for spec in group.actors}
    with open_log(folder) as days:
        snapshot = next(each for each in days[1].snapshots() if each.actor == "governor")

    assert Replayed(specs["governor"], snapshot.body).state()["latch"]["epoch"] == 19


class Marked:
    """Says who made it, and forgets nothing."""

    def __init__(self, *, mark):
        self.mark = mark
        self.state = msgspec.defstruct("Marks", [("said", list[str], [])])()

    def receive(self, message, now):
        if isinstance(message, Begin):
            return ()
        self.state.said.append(self.mark)
        return (note(f"{self.mark} heard {message.text}"),)


def test_each_process_is_replayed_as_it_was_made(tmp_path):
    """A desk that is started with another speed or software marks its records otherwise."""
    policy = Policy(backoff_min_ns=0, backoff_max_ns=0)
    kept = tmp_path / "log"
    kept.mkdir()

    def tree_of(mark):
        spec = ActorSpec(name="notifier", kind=Marked, settings={"mark": mark})
        return Tree(root=policy, groups=(Group(name="g", policy=policy, actors=(spec,)),))

    for mark in ("one", "two"):
        write_process(kept, tree_of(mark), mark)
    with open_log(kept) as days:
        past = Processes(days, lambda started: tree_of(started.software))
        as_it_was = verify_replay(tree_of("two"), days, tree_at=past.tree_at)
        all_alike = verify_replay(tree_of("two"), days)

    assert as_it_was.first_difference is None
    assert as_it_was.verified == 6
    assert all_alike.first_difference.what == "the answers differ"


def write_process(folder, tree, mark):
    """What one process leaves: its start, and an actor that answers two notes."""
    past = recover(folder, ("notifier",))
    journal = Journal(folder, day=DAY, position=past.position, software=mark)
    known = past.actors["notifier"]
    actor, _ = rebuild(tree.spec_of("notifier").make, known.snapshot, known.steps)
    started = DeskStarted(config_fingerprint="f", software=mark, resumed=mark != "one")
    journal.say(started, "supervisor", 0, None, 1)
    by = known.incarnation + 1
    for body in (Begin(incarnation=by, resumed=False), note("a"), note("b")):
        envelope = journal.say(body, "test", 0, None, 1)
        journal.record(Delivery(envelope, "notifier", by, 1), actor.receive(body, 1))
    journal.close()


def opener(folder, tree):
    @contextlib.contextmanager
    def open_past():
        with open_log(folder) as days:
            yield Past(days=days, tree=tree, tree_at=None)

    return open_past


@pytest.mark.parametrize("day", [None, NEXT_DAY])
@pytest.mark.parametrize("jobs", [2, 4, 64])
def test_actors_beside_each_other_are_verified_as_one_after_the_other(recorded, day, jobs):
    folder, tree = recorded
    with open_log(folder) as days:
        in_order = verify_replay(tree, days, day=day)

    beside = side_by_side.verify(opener(folder, tree), day=day, jobs=jobs, worth_it_from=1)

    assert beside == in_order
    assert beside.answers > 30


@pytest.mark.parametrize("jobs", [2, 64])
def test_what_differs_beside_each_other_is_the_first_in_order(recorded, jobs):
    folder, tree = recorded
    tomorrow = with_governor(tree, PoliteGovernor)
    with open_log(folder) as days:
        in_order = verify_replay(tomorrow, days)

    beside = side_by_side.verify(opener(folder, tomorrow), day=None, jobs=jobs, worth_it_from=1)

    assert beside == in_order
    assert beside.first_difference.actor == "governor"


def test_a_kept_state_is_compared_also_of_an_actor_that_did_nothing_that_day(recorded, tmp_path):
    folder, tree = recorded
    for path in folder.glob("*.db"):
        shutil.copy(path, tmp_path)
    watcher = tree.spec_of("chain/SPX").make()
    watcher.state.course.views = 7  # which it cannot have said without a delivery
    body = encode_snapshot(watcher, {})
    row = snapshot_row(n=3, actor="chain/SPX", incarnation=1, at_ns=1, body=body)
    with sqlite3.connect(tmp_path / f"{DAY}.db") as log:
        log.execute("DELETE FROM snapshots")
        log.execute("INSERT INTO snapshots VALUES (?, ?, ?, ?, ?, ?)", row)
    log.close()

    beside = side_by_side.verify(opener(tmp_path, tree), day=DAY, jobs=2, worth_it_from=1)

    assert beside.first_difference.what == "the state differs from the snapshot"
    assert beside.first_difference.actor == "chain/SPX"


def test_a_delivery_that_is_missing_is_told_of_in_order(recorded, tmp_path):
    folder, tree = recorded
    for path in folder.glob("*.db"):
        shutil.copy(path, tmp_path)
    with sqlite3.connect(tmp_path / f"{DAY}.db") as log:
        log.execute("DELETE FROM deliveries WHERE n = 20")
    log.close()

    with pytest.raises(DamagedLogError, match="deliveries 20 to 20 are missing"):
        side_by_side.verify(opener(tmp_path, tree), day=None, jobs=2, worth_it_from=1)
