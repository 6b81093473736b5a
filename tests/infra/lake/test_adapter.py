"""S08: storage that stalls stalls nobody, and in the end nothing is missing."""

import threading
import time

import pytest

from tests.infra.lake.conftest import note
from thetawarden.infra.lake.adapter import WAKE_MESSAGES, AdapterSettings, LakeAdapter
from thetawarden.messages.lake import (
    FlushLake,
    LakeCommitted,
    LakeFellBehind,
    LakeMaintained,
    LakeUnavailable,
    MaintainLake,
)

DEADLINE_S = 30


class Heard:
    """The desk's side: remembers what the lake says."""

    def __init__(self):
        self.said = []

    def say(self, message, /, cause_seq=None):
        self.said.append(message)

    def of(self, kind):
        return [each for each in self.said if isinstance(each, kind)]


def until(holds):
    end = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < end, "did not come true in time"
        time.sleep(0.005)


@pytest.fixture
def heard():
    return Heard()


def started(make_work, heard, **settings):
    adapter = LakeAdapter(make_work, AdapterSettings(**settings))
    adapter.start(heard)
    return adapter


def command(desk, body):
    return desk.log(body)


def texts(desk):
    return sorted(desk.rows("notifications")["text"].to_list())


def test_what_is_taken_is_written_at_the_next_flush_and_reported(desk, heard):
    adapter = started(desk.hand_over, heard)
    adapter.perform(command(desk, FlushLake()))
    adapter.perform(desk.log(note("a")))

    adapter.perform(command(desk, FlushLake()))

    until(lambda: heard.of(LakeCommitted))
    assert texts(desk) == ["a"]
    adapter.stop()


def test_many_rows_are_written_without_being_told(desk, heard):
    adapter = started(desk.hand_over, heard, flush_rows=100)
    adapter.perform(command(desk, FlushLake()))

    for number in range(WAKE_MESSAGES + 200):
        adapter.perform(desk.log(note(f"{number}")))

    until(lambda: heard.of(LakeCommitted))
    adapter.stop()
    assert desk.rows("notifications").height == WAKE_MESSAGES + 200


def test_the_end_writes_what_has_gathered(desk, heard):
    adapter = started(desk.hand_over, heard, stop_deadline_s=DEADLINE_S)
    adapter.perform(command(desk, FlushLake()))
    adapter.perform(desk.log(note("the last words")))

    adapter.stop()

    assert texts(desk) == ["the last words"]


def test_an_end_before_the_first_step_writes_what_was_to_be_written(desk, heard, monkeypatch):
    monkeypatch.setattr(LakeAdapter, "_wait", lambda _: False)  # the end is there already
    adapter = LakeAdapter(desk.hand_over, AdapterSettings(stop_deadline_s=DEADLINE_S))
    adapter.perform(command(desk, FlushLake()))
    adapter.perform(desk.log(note("the only words")))

    adapter.start(heard)
    adapter.stop()

    assert texts(desk) == ["the only words"]


def test_an_end_for_which_nothing_waits_leaves_storage_alone(desk, heard, monkeypatch):
    made = []

    def make():
        made.append(desk.hand_over())
        return made[0]

    adapter = started(make, heard)
    adapter.perform(desk.log(note("written")))
    adapter.perform(command(desk, FlushLake()))
    until(lambda: heard.of(LakeCommitted))
    until(lambda: not made[0].writer.behind())
    touched = []
    monkeypatch.setattr(made[0].writer, "flush", lambda: touched.append(1) or ())

    adapter.stop()

    assert touched == []
    assert texts(desk) == ["written"]


def test_S08_stalled_storage_holds_up_nobody_and_costs_no_row(desk, heard, monkeypatch):
    go_on, stalled = threading.Event(), threading.Event()

    def make():
        work = desk.hand_over()
        store = work.writer.lines["notifications"].store
        real = store.append

        def stalls(frame, *, through_seq):
            stalled.set()
            assert go_on.wait(DEADLINE_S)
            real(frame, through_seq=through_seq)

        monkeypatch.setattr(store, "append", stalls)
        return work

    adapter = started(make, heard, waiting_max=10, stop_deadline_s=DEADLINE_S)
    adapter.perform(desk.log(note("000")))
    adapter.perform(command(desk, FlushLake()))
    assert stalled.wait(DEADLINE_S)

    for number in range(1, 120):  # returns although storage does not
        adapter.perform(desk.log(note(f"{number:03d}")))
        assert len(adapter._waiting) <= 10

    go_on.set()
    until(lambda: not adapter._commands)
    adapter.perform(command(desk, FlushLake()))
    adapter.stop()
    assert texts(desk) == [f"{number:03d}" for number in range(120)]
    assert [(each.table, each.rows) for each in heard.of(LakeFellBehind)] == [("*", 110)]


def test_an_end_while_storage_stalls_comes_in_time_and_the_next_start_has_all(
    desk, heard, monkeypatch
):
    go_on, stalled = threading.Event(), threading.Event()

    def make():
        work = desk.hand_over()

        def stalls():
            stalled.set()
            assert go_on.wait(DEADLINE_S)
            return ()

        monkeypatch.setattr(work.writer, "flush", stalls)
        return work

    adapter = started(make, heard, stop_deadline_s=0.05)
    adapter.perform(desk.log(note("kept by the log")))
    adapter.perform(command(desk, FlushLake()))
    assert stalled.wait(DEADLINE_S)

    adapter.stop()

    go_on.set()
    adapter._thread.join(DEADLINE_S)
    monkeypatch.undo()
    desk.begin()
    desk.flush()
    assert texts(desk) == ["kept by the log"]


def test_a_lake_that_cannot_be_opened_is_reported_and_tried_again(desk, heard):
    tries = []

    def make():
        tries.append(1)
        if len(tries) == 1:
            raise OSError("no such library")
        return desk.hand_over()

    adapter = started(make, heard)
    adapter.perform(command(desk, FlushLake()))
    until(lambda: heard.of(LakeUnavailable))
    desk.log(note("a"))

    adapter.perform(command(desk, FlushLake()))

    until(lambda: heard.of(LakeCommitted))
    assert texts(desk) == ["a"]
    adapter.stop()


def test_housekeeping_runs_beside_the_writing_and_is_reported(desk, heard):
    adapter = started(desk.hand_over, heard)
    adapter.perform(desk.log(note("yesterday")))
    adapter.perform(command(desk, FlushLake()))
    until(lambda: heard.of(LakeCommitted))
    desk.turn()
    desk.log(note("today"))

    adapter.perform(command(desk, MaintainLake(day=desk.day)))

    def reported():
        adapter.perform(command(desk, FlushLake()))
        return heard.of(LakeMaintained)

    until(reported)
    adapter.stop()
    (done,) = heard.of(LakeMaintained)
    assert done.faults == ()
    assert len(done.archived) == 1
    assert texts(desk) == ["today", "yesterday"]
