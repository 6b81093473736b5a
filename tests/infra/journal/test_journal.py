"""What is recorded gets its place in one order, and what is acknowledged stays."""

import datetime as dt
import sqlite3
import threading
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thetawarden.infra.journal.errors import LogFailedError, NotDurableInTimeError
from thetawarden.infra.journal.journal import Journal, Position
from thetawarden.infra.journal.reader import DayLog, Wanted
from thetawarden.infra.journal.recover import recover
from thetawarden.infra.journal.store import connect
from thetawarden.infra.journal.verify import verify_day
from thetawarden.messages.trading import Halt
from thetawarden.ports import FencedError, Outcome

_DAY = dt.date(2026, 3, 2)


def _messages(path):
    day = DayLog(path)
    found = list(day.messages(Wanted()))
    day.close()
    return found


def _steps(path):
    day = DayLog(path)
    found = list(day.steps())
    day.close()
    return found


def test_messages_are_numbered_from_one_in_the_order_they_were_said(log, say):
    journal = log.open()

    said = [say(journal, text) for text in "abc"]
    journal.close()

    assert [envelope.seq for envelope in said] == [1, 2, 3]
    assert _messages(log.path()) == said


def test_a_step_stands_as_one_delivery_with_its_answers_after_what_caused_it(
    log, say, handle, notice
):
    journal = log.open()
    asked = say(journal, "asked")
    say(journal, "meanwhile")

    answers = handle(journal, asked, notice("first"), notice("second"))
    journal.close()

    assert [(each.seq, each.cause_seq, each.sender) for each in answers] == [
        (3, 1, "notifier"),
        (4, 1, "notifier"),
    ]
    (step,) = _steps(log.path())
    assert (step.n, step.delivery.envelope, step.delivery.actor) == (1, asked, "notifier")


def test_a_step_is_never_committed_in_part(log, say, handle, notice):
    """Every commit that another connection ever sees has as many answers as deliveries."""
    journal = log.open()
    looks, done, looked = [], threading.Event(), threading.Semaphore(0)

    def look():
        connection = sqlite3.connect(log.path())
        while not done.is_set():
            looks.append(
                connection.execute(
                    "SELECT (SELECT count(*) FROM messages WHERE incarnation = 1),"
                    " (SELECT count(*) FROM deliveries)"
                ).fetchone()
            )
            looked.release()
        connection.close()

    def wait_for_a_look():
        while looked.acquire(blocking=False):
            pass
        assert looked.acquire(timeout=60)  # it may have begun before
        assert looked.acquire(timeout=60)

    looker = threading.Thread(target=look)
    looker.start()
    for number in range(400):
        handle(journal, say(journal, number), notice("x"), notice("y"))
        if number % 40 == 0:
            journal.wait_durable(journal.last_seq, 10)
            wait_for_a_look()
    journal.close()
    done.set()
    looker.join()

    assert {answers - 2 * deliveries for answers, deliveries in looks} == {0}
    assert len({deliveries for _, deliveries in looks}) >= 10


def test_an_old_incarnation_is_refused_and_leaves_no_trace(log, say, handle, notice):
    journal = log.open()
    envelope = say(journal, "asked")
    journal.fence("notifier", 2)

    with pytest.raises(FencedError):
        handle(journal, envelope, notice("late"), incarnation=1)
    with pytest.raises(FencedError):
        say(journal, "late", sender="notifier", incarnation=1)
    handle(journal, envelope, notice("in time"), incarnation=2)
    journal.close()

    assert [each.body.text for each in _messages(log.path())] == ["asked", "in time"]
    assert [step.delivery.incarnation for step in _steps(log.path())] == [2]


def test_the_supervisor_may_record_how_an_old_incarnation_ended(log, say, handle):
    journal = log.open()
    envelope = say(journal, "asked")
    journal.fence("notifier", 2)

    handle(journal, envelope, incarnation=1, outcome=Outcome.HUNG)
    journal.close()

    assert [step.delivery.outcome for step in _steps(log.path())] == [Outcome.HUNG]


def test_numbering_goes_on_after_a_restart(log, say, handle):
    journal = log.open()
    handle(journal, say(journal, "a"))
    journal.close()

    again = log.open()
    envelope = say(again, "b")
    handle(again, envelope)
    again.close()

    assert envelope.seq == 2
    assert [step.n for step in _steps(log.path())] == [1, 2]
    assert verify_day(log.path()).damaged == 0


def test_waiting_returns_only_once_another_program_can_read_the_message(log, say):
    journal = log.open(linger_s=0.05)

    for number in range(20):
        envelope = say(journal, number)
        journal.wait_durable(envelope.seq, 10)
        assert log.crashed(f"crash {number}").select("SELECT max(seq) FROM messages") == [
            (envelope.seq,)
        ]


def test_waiting_for_what_is_durable_already_returns_at_once(log, say):
    journal = log.open()
    envelope = say(journal, "a")
    journal.wait_durable(envelope.seq, 10)

    journal.wait_durable(envelope.seq, 0.0)


class _SlowCommits(sqlite3.Connection):
    """A disk that takes its time: commits wait until they are let go."""

    gate = threading.Event()

    def execute(self, statement, *values):
        if statement == "COMMIT":
            self.gate.wait()
        return super().execute(statement, *values)


def _slow(path):
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, factory=_SlowCommits
    )
    sqlite3.Connection.execute(connection, "PRAGMA journal_mode=WAL")
    return connection


def test_a_disk_slower_than_the_deadline_is_told_to_who_waits(log, say):
    _SlowCommits.gate.set()
    journal = log.open(connect=_slow)
    _SlowCommits.gate.clear()
    envelope = say(journal, "a")

    with pytest.raises(NotDurableInTimeError):
        journal.wait_durable(envelope.seq, 0.05)

    assert journal.lag_ns() > 0
    _SlowCommits.gate.set()
    journal.wait_durable(envelope.seq, 10)
    assert log.crashed().select("SELECT seq FROM messages") == [(1,)]


class _CountedCommits(sqlite3.Connection):
    commits = 0

    def execute(self, statement, *values):
        if statement == "COMMIT":
            type(self).commits += 1
        return super().execute(statement, *values)


def _counted(path):
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, factory=_CountedCommits
    )
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def test_eight_threads_share_their_commits_and_each_is_acknowledged_truly(log, say):
    journal = log.open(connect=_counted)
    acknowledged, before = [], _CountedCommits.commits

    def work(worker):
        for number in range(150):
            envelope = say(journal, f"{worker}.{number}")
            journal.wait_durable(envelope.seq, 30)
            acknowledged.append((envelope.seq, envelope.body.text))

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    left = log.crashed()
    written = {each.seq: each.body.text for each in _messages(left.path())}
    assert written == dict(acknowledged)
    assert sorted(written) == list(range(1, 1201))
    assert _CountedCommits.commits - before < 1200


def test_each_thread_finds_its_own_messages_in_the_order_it_said_them(log, say):
    journal = log.open()

    def work(worker):
        for number in range(200):
            say(journal, f"{worker}.{number}")

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()

    texts = [each.body.text for each in _messages(log.path())]
    for worker in range(4):
        mine = [text for text in texts if text.startswith(f"{worker}.")]
        assert mine == [f"{worker}.{number}" for number in range(200)]


def test_at_any_moment_what_is_on_disk_is_a_prefix_of_what_was_recorded(log, say, handle, notice):
    journal = log.open(linger_s=0.0)
    said = []
    for number in range(300):
        envelope = say(journal, number)
        said += [envelope, *handle(journal, envelope, notice(f"re {number}"))]
        if number % 30 == 0:
            left = log.crashed(f"crash {number}")
            found = _messages(left.path())
            assert found == said[: len(found)]
            assert verify_day(left.path()).damaged == 0


def test_nothing_is_taken_after_the_end(log, say, handle):
    journal = log.open()
    envelope = say(journal, "a")
    journal.close()

    with pytest.raises(LogFailedError):
        say(journal, "b")
    with pytest.raises(LogFailedError):
        handle(journal, envelope)
    with pytest.raises(LogFailedError):
        journal.wait_durable(envelope.seq + 1, 10)
    journal.wait_durable(envelope.seq, 0)
    journal.close()


def test_what_threads_say_while_the_log_is_closed_is_written_or_refused(log, say):
    journal = log.open()
    written, refused = [], []

    def work():
        while not refused:
            try:
                written.append(say(journal, "x").seq)
            except LogFailedError:
                refused.append(True)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    journal.wait_durable(say(journal, "mine").seq, 10)
    journal.close()
    for thread in threads:
        thread.join()

    assert len(written) + 1 == len(_messages(log.path()))


def test_two_snapshots_with_nothing_handled_in_between_are_one(log, say, handle):
    journal = log.open()
    handle(journal, say(journal, "a"))

    for state in (b"one", b"two"):
        journal.snapshot(actor="notifier", incarnation=1, at_ns=5, state=state)
        say(journal, "b")
        journal.wait_durable(journal.last_seq, 10)
    journal.close()

    assert log.select("SELECT n, body FROM snapshots") == [(1, b"two")]


def test_a_message_that_cannot_be_written_ends_the_log_and_not_in_silence(log, say):
    troubles = []
    journal = log.open(on_trouble=lambda trouble, words: troubles.append((trouble, words)))
    say(journal, "a")

    broken = journal.say(Halt(reason=object(), by="x"), "person", 0, None, 1)
    with pytest.raises(LogFailedError):
        journal.wait_durable(broken.seq, 10)

    assert [str(trouble) for trouble, _ in troubles] == ["failed"]
    with pytest.raises(LogFailedError):
        say(journal, "b")


def test_the_write_ahead_file_is_folded_in_and_stays_small(log, say, monkeypatch):
    monkeypatch.setattr("thetawarden.infra.journal.journal.CHECKPOINT_ABOVE_BYTES", 200_000)
    journal = log.open()
    sizes = []
    wal = log.path().with_name(log.path().name + "-wal")

    for _ in range(40):
        for _ in range(100):
            say(journal, "y" * 300)
        journal.wait_durable(journal.last_seq, 10)
        sizes.append(wal.stat().st_size)

    assert max(sizes) < 500_000
    assert log.path().stat().st_size > 1_000_000
    assert sum(after < before for before, after in pairwise(sizes)) >= 3


_acts = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.text(max_size=20)),
        st.tuples(st.just("step"), st.integers(0, 3)),
        st.tuples(st.just("snapshot"), st.binary(max_size=20)),
        st.tuples(st.just("restart"), st.none()),
        st.tuples(st.just("wait"), st.none()),
    ),
    max_size=30,
)


@settings(max_examples=25, deadline=None)
@given(acts=_acts)
def test_whatever_is_recorded_over_several_lives_is_read_back_whole(
    acts, tmp_path_factory, handle, notice
):
    folder = tmp_path_factory.mktemp("log")
    position = Position()

    def life():
        return Journal(folder, day=_DAY, position=position, software="test", linger_s=0.0)

    journal, said, handled, snapshots = life(), [], 0, {}
    for act, what in acts:
        if act == "say":
            said.append(journal.say(notice(what), "person", 0, None, 5))
        elif act == "step" and said:
            said += handle(journal, said[-1], *[notice("re")] * what)
            handled += 1
        elif act == "snapshot":
            journal.snapshot(actor="notifier", incarnation=1, at_ns=7, state=what)
            snapshots[handled] = what
        elif act == "wait" and said:
            journal.wait_durable(said[-1].seq, 10)
        elif act == "restart":
            journal.close()
            position = recover(folder, ("notifier",)).position
            journal = life()
    journal.close()

    path = folder / f"{_DAY}.db"
    day = DayLog(path)
    kept = {each.n: each.body for each in day.snapshots()}
    day.close()
    assert _messages(path) == said
    assert len(_steps(path)) == handled
    assert kept == snapshots
    assert verify_day(path).damaged == 0


def test_p06_the_writers_connection_survives_a_loss_of_power(tmp_path):
    connection = connect(tmp_path / "x.db")

    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    connection.close()
