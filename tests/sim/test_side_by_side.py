"""Actors that are verified beside each other, each over its stretches: what one pass would say."""

import shutil
import sqlite3
from concurrent.futures import Future
from functools import partial

import msgspec
import pytest

from tests.sim.recording import (
    DAY,
    NEXT_DAY,
    PoliteGovernor,
    opened,
    past_in,
    tree_of_marked,
    with_governor,
    write_process,
)
from thetawarden.actors.memory import encode_snapshot, restore
from thetawarden.infra.journal.errors import DamagedLogError
from thetawarden.infra.journal.reader import open_log
from thetawarden.infra.journal.rows import snapshot_row
from thetawarden.sim import side_by_side
from thetawarden.sim.cast import Processes, Replayed
from thetawarden.sim.replay import Verdict, verify_replay
from thetawarden.sim.shares import Past, Share, count_heard, count_said, shares_of


def shared(past, days):
    return list(shares_of(past, days, count_heard(days), count_said(days), jobs=2))


@pytest.mark.parametrize("day", [None, NEXT_DAY])
@pytest.mark.parametrize("jobs", [2, 4, 64])
def test_actors_beside_each_other_are_verified_as_one_after_the_other(recorded, day, jobs):
    folder, tree = recorded
    with open_log(folder) as days:
        in_order = verify_replay(tree, days, day=day)

    beside = side_by_side.verify(*past_in(folder, tree), day=day, jobs=jobs, worth_it_from=1)

    assert beside == in_order
    assert beside.answers > 30


def test_an_actor_is_verified_in_stretches_that_begin_with_kept_states(recorded):
    folder, tree = recorded
    with opened(folder, tree) as past:
        found = shared(past, past.days)
        of_governor = [share for share in found if share.actors == {"governor"}]
        parts = [verify_share(past, share) for share in of_governor]
        all_of_it = msgspec.structs.replace(of_governor[0], after=None, until_n=None)
        whole = verify_share(past, all_of_it)

    ends = [(share.after and share.after.n, share.until_n) for share in of_governor]
    assert len(ends) > 1
    assert {begin for begin, _ in ends} == {end for _, end in ends}  # None is both ends of the log
    assert all(part.first_difference is None and part.deliveries for part in parts)
    for name in ("deliveries", "verified", "answers"):
        assert sum(getattr(part, name) for part in parts) == getattr(whole, name)


def test_the_process_before_a_kept_state_finds_that_it_is_not_the_state(recorded, tmp_path):
    """The one that goes on from it answers as that state makes it; together they find it."""
    folder, tree = recorded
    for path in folder.glob("*.db"):
        shutil.copy(path, tmp_path)
    with opened(tmp_path, tree) as past:
        found = shared(past, past.days)
        first = next(
            share for share in found if share.actors == {"governor"} and share.after is None
        )
        n = first.until_n
        body = next(
            kept.body
            for day in past.days
            for kept in day.snapshots(actors={"governor"})
            if kept.n == n
        )
    actor, timers = restore(tree.spec_of("governor").make, body)
    actor.state.latch = msgspec.structs.replace(actor.state.latch, epoch=77)
    body = encode_snapshot(actor, timers)
    crc = snapshot_row(n=n, actor="governor", incarnation=1, at_ns=1, body=body)[-1]
    for path in tmp_path.glob("*.db"):
        with sqlite3.connect(path) as log:
            log.execute(
                "UPDATE snapshots SET incarnation = 1, at_ns = 1, body = ?, crc = ?"
                " WHERE actor = 'governor' AND n = ?",
                (body, crc, n),
            )
        log.close()
    with opened(tmp_path, tree) as past:
        in_order = verify_replay(tree, past.days)

        assert verify_share(past, first).first_difference.what == in_order.first_difference.what

    beside = side_by_side.verify(*past_in(tmp_path, tree), day=None, jobs=2, worth_it_from=1)

    assert beside == in_order
    assert beside.first_difference.what == "the state after it differs from the snapshot"
    assert beside.first_difference.n == n


def test_no_stretch_begins_with_a_state_that_another_process_wrote(tmp_path):
    """Its actors were made otherwise; the one that goes through its messages knows how."""
    kept = tmp_path / "log"
    kept.mkdir()
    for mark in ("one", "two"):
        write_process(kept, tree_of_marked(mark), mark)
    keep_states(kept, {2, 5})
    with open_log(kept) as days:
        processes = Processes(days, lambda started: tree_of_marked(started.software))
        past = Past(days=days, tree=tree_of_marked("two"), processes=processes)
        found = shared(past, days)
        parts = [verify_share(past, share) for share in found]

    begins = {share.after and share.after.n for share in found}
    assert begins == {None, 5}
    assert [part.first_difference for part in parts] == [None, None]
    assert sum(part.verified for part in parts) == 6


@pytest.mark.parametrize("day", [None, NEXT_DAY])
def test_beside_each_other_each_process_is_made_as_it_began_whatever_day_that_was(tmp_path, day):
    for mark, when in (("one", DAY), ("two", DAY), ("three", NEXT_DAY)):
        write_process(tmp_path, tree_of_marked(mark), mark, when)

    def past_of(days, starts=None):
        processes = Processes(days, lambda started: tree_of_marked(started.software), starts)
        assert [one.software for one in processes.started] == ["one", "two", "three"]
        return Past(days=days, tree=tree_of_marked("three"), processes=processes)

    with open_log(tmp_path) as days:
        past = past_of(days)
        in_order = verify_replay(past.tree, days, day=day, processes=past.processes)
    open_days = partial(open_log, tmp_path)
    beside = side_by_side.verify(open_days, past_of, day=day, jobs=2, worth_it_from=1)

    assert beside == in_order
    assert (beside.verified, beside.first_difference) == (9 if day is None else 3, None)


class Worker:
    """Runs what it is given at once; tells in what order."""

    def __init__(self, seconds_of):
        self.seconds_of, self.order = seconds_of, []

    def submit(self, _verify, share, _starts):
        (name,) = share.actors
        self.order.append((name, share.weight))
        done = Future()
        done.set_result((Verdict(deliveries=1), [], self.seconds_of[name] * share.weight))
        return done


def test_what_takes_longest_is_verified_first_by_what_was_seen_of_its_actor():
    weights = [("light", 90), ("light", 50), ("light", 40), ("heavy", 30), ("heavy", 30)]
    worker = Worker({"light": 0.001, "heavy": 0.01})
    shares = [Share(actors=frozenset({name}), weight=weight) for name, weight in weights]

    found = list(side_by_side.longest_first(worker, shares, [], 1))

    light, heavy = ("light", 90), ("heavy", 30)
    assert worker.order == [light, heavy, heavy, ("light", 50), ("light", 40)]
    assert len(found) == 5


def keep_states(folder, numbers):
    """Write down what the notifier was after these deliveries, as the processes made it."""
    kept = []
    with open_log(folder) as days:
        processes = Processes(days, lambda started: tree_of_marked(started.software))
        actor = Replayed(tree_of_marked("one").spec_of("notifier"), None, processes)
        for step in days[0].steps():
            actor.take(step)
            if step.n in numbers:
                body = encode_snapshot(actor.actor, actor.timers)
                actor.keep(body, n=step.n)
                kept.append(
                    snapshot_row(n=step.n, actor="notifier", incarnation=1, at_ns=1, body=body)
                )
    with sqlite3.connect(folder / f"{DAY}.db") as log:
        log.executemany("INSERT INTO snapshots VALUES (?, ?, ?, ?, ?, ?)", kept)
    log.close()


def verify_share(past, share):
    return verify_replay(past.tree, past.days, processes=past.processes, share=share)


@pytest.mark.parametrize("jobs", [2, 64])
def test_what_differs_beside_each_other_is_the_first_in_order(recorded, jobs):
    folder, tree = recorded
    tomorrow = with_governor(tree, PoliteGovernor)
    with open_log(folder) as days:
        in_order = verify_replay(tomorrow, days)

    beside = side_by_side.verify(*past_in(folder, tomorrow), day=None, jobs=jobs, worth_it_from=1)

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

    beside = side_by_side.verify(*past_in(tmp_path, tree), day=DAY, jobs=2, worth_it_from=1)

    assert beside.first_difference.what == "the state after it differs from the snapshot"
    assert beside.first_difference.actor == "chain/SPX"


def test_a_delivery_that_is_missing_is_told_of_in_order(recorded, tmp_path):
    folder, tree = recorded
    for path in folder.glob("*.db"):
        shutil.copy(path, tmp_path)
    with sqlite3.connect(tmp_path / f"{DAY}.db") as log:
        log.execute("DELETE FROM deliveries WHERE n = 20")
    log.close()

    with pytest.raises(DamagedLogError, match="deliveries 20 to 20 are missing"):
        side_by_side.verify(*past_in(tmp_path, tree), day=None, jobs=2, worth_it_from=1)
