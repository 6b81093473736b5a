"""A damaged log is refused in one line, is never believed, and is left as it was found."""

import contextlib
import random
import sqlite3

import pytest

from thetawarden.errors import EXIT_USAGE
from thetawarden.infra.journal import rows
from thetawarden.infra.journal.errors import (
    DamagedLogError,
    NewerLogError,
    UnreadableLogError,
)
from thetawarden.infra.journal.journal import Position
from thetawarden.infra.journal.reader import Wanted, open_log
from thetawarden.infra.journal.verify import verify_log

FLIPS = 500
_REFUSALS = (DamagedLogError, NewerLogError, UnreadableLogError)


def _all_of(log):
    """Everything the log says, in a form that can be compared."""
    with open_log(log.folder) as days:
        return [
            (
                [repr(each) for each in day.messages(Wanted())],
                [repr(each) for each in day.steps()],
                [repr(each) for each in day.snapshots()],
            )
            for day in days
        ]


def _recovered(log):
    found = log.recover()
    return (found.position, {name: repr(past) for name, past in found.actors.items()})


def _assert_refused_or_right(log, *, whole, recovered, where):
    """Recovery is right or refused; what readers give out is right as far as it goes."""
    before = log.contents()
    refusal = None
    try:
        assert _recovered(log) == recovered, where
    except DamagedLogError as error:
        refusal = error
    refused = refusal is not None
    if refused:
        line = str(refusal)
        assert refusal.exit_code == EXIT_USAGE, where
        assert "\n" not in line, where
        assert str(log.folder) in line, where
        assert "restore" in line, where
    try:
        assert _all_of(log) == whole, where
    except _REFUSALS:
        assert refused, where
    damaged = [each.damaged for _, each in verify_log(log.folder)][-1]
    assert bool(damaged) == refused, where
    assert log.contents() == before, where
    return refused


def test_any_single_flipped_bit_is_refused_or_harmless_and_changes_nothing(closed_day):
    log, path = closed_day, closed_day.path()
    whole, recovered = _all_of(log), _recovered(log)
    sound = path.read_bytes()
    chance, refusals = random.Random(20260302), 0

    for bit in sorted(chance.sample(range(len(sound) * 8), FLIPS)):
        flipped = bytearray(sound)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        refusals += _assert_refused_or_right(
            log, whole=whole, recovered=recovered, where=f"bit {bit}"
        )

    assert refusals > FLIPS // 3


def test_every_bit_of_the_headers_of_pages_is_guarded(closed_day):
    """Where a flip can hide whole rows: the file's header and those of the b-tree pages."""
    log, path = closed_day, closed_day.path()
    whole, recovered = _all_of(log), _recovered(log)
    sound = path.read_bytes()
    starts = [0, *range(4096, len(sound), 4096)]
    places = [byte for start in starts for byte in range(start, start + 12)]
    chance = random.Random(7)

    for byte in places:
        flipped = bytearray(sound)
        flipped[byte] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        _assert_refused_or_right(log, whole=whole, recovered=recovered, where=f"byte {byte}")


def test_a_file_cut_short_anywhere_is_refused(closed_day):
    log, path = closed_day, closed_day.path()
    sound = path.read_bytes()
    chance = random.Random(3)

    for length in [0, 1, 15, 16, 99, 100, 4096, *chance.sample(range(len(sound)), 60)]:
        path.write_bytes(sound[:length])
        before = log.contents()
        with pytest.raises(DamagedLogError):
            log.recover()
        assert log.contents() == before


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM messages WHERE seq = 30",
        "DELETE FROM messages WHERE seq = 60",
        "DELETE FROM messages WHERE seq = 1",
        "DELETE FROM messages",
        "DELETE FROM deliveries WHERE n = 7",
        "DELETE FROM deliveries WHERE n = 30",
        "DELETE FROM deliveries WHERE n = 1",
        "DELETE FROM snapshots WHERE actor = 'governor'",
        "DELETE FROM meta WHERE key = 'format'",
        "DELETE FROM meta WHERE key = 'crc'",
        "UPDATE meta SET value = '3' WHERE key = 'first_seq'",
        "UPDATE meta SET value = x'00' WHERE key = 'first_n'",
        "UPDATE messages SET seq = -seq WHERE seq IN (4, 5)",
        "UPDATE messages SET sender = 'somebody' WHERE seq = 9",
        "UPDATE messages SET at_ns = 'now' WHERE seq = 9",
        "UPDATE messages SET body = zeroblob(0) WHERE seq = 9",
        "UPDATE messages SET body = 5 WHERE seq = 9",
        "UPDATE messages SET cause_seq = NULL WHERE seq = 2",
        "UPDATE deliveries SET actor = 'governor' WHERE n = 9",
        "UPDATE deliveries SET seq = seq + 1 WHERE n = 9",
        "UPDATE deliveries SET outcome = 1 WHERE n = 9",
        "UPDATE snapshots SET body = x'00'",
        "UPDATE snapshots SET n = 900",
        "DROP TABLE meta",
        "DROP TABLE snapshots",
        "ALTER TABLE messages RENAME COLUMN body TO ydob",
    ],
)
def test_s02_s03_s04_rows_taken_away_or_changed_are_refused(closed_day, statement):
    closed_day.edit(statement)
    before = closed_day.contents()

    with pytest.raises(DamagedLogError):
        closed_day.recover()

    assert [each.damaged for _, each in verify_log(closed_day.folder)][-1] >= 1
    assert closed_day.contents() == before


def test_an_outcome_nobody_knows_is_named_though_its_message_was_read_before(
    log, say, handle, monkeypatch
):
    journal = log.open()
    envelope = say(journal, "heard twice")
    handle(journal, envelope)
    handle(journal, envelope, actor="governor")
    journal.close()
    with contextlib.closing(sqlite3.connect(log.path())) as connection, connection:
        query = "SELECT n, seq, actor, incarnation, at_ns, 9, merged FROM deliveries WHERE n = 2"
        crc = rows.delivery_crc(*connection.execute(query).fetchone())
        connection.execute("UPDATE deliveries SET outcome = 9, crc = ? WHERE n = 2", (crc,))
    monkeypatch.setattr("thetawarden.infra.journal.reader._FETCH", 1)

    with open_log(log.folder) as (day,), pytest.raises(DamagedLogError, match="9 is not a valid"):
        list(day.steps())


def test_s03_two_rows_that_changed_places_are_refused(closed_day):
    closed_day.edit(
        "UPDATE messages SET body = (SELECT body FROM messages m WHERE m.seq = 13 - messages.seq)"
        " WHERE seq IN (6, 7)"
    )

    with pytest.raises(DamagedLogError):
        closed_day.recover()


def test_verification_counts_every_damaged_and_every_missing_row(closed_day):
    closed_day.edit("DELETE FROM messages WHERE seq IN (21, 22, 23)")
    closed_day.edit("UPDATE messages SET kind = 'Halt' WHERE seq = 40")

    ((_, found),) = list(verify_log(closed_day.folder))

    # three messages, two deliveries that have lost theirs, and the changed one
    assert found.damaged == 3 + 2 + 1
    assert found.messages == 57
    assert any("messages 21 to 23 are missing" in each for each in found.findings)


def test_s03_a_lost_day_is_noticed_by_verification(log, say):
    for number in (1, 2, 3):
        journal = log.open(day=log.day.replace(day=number))
        say(journal, number)
        journal.close()
    log.path(log.day.replace(day=2)).unlink()

    found = list(verify_log(log.folder))[-1][1]

    assert found.damaged == 1
    assert "messages 2 to 2 are missing" in found.findings[0]


def test_s03_a_lost_day_that_is_needed_for_recovery_is_refused(log, say, handle):
    for number in (1, 2, 3):
        journal = log.open(day=log.day.replace(day=number))
        handle(journal, say(journal, number))
        journal.close()
    log.path(log.day.replace(day=2)).unlink()

    with pytest.raises(DamagedLogError):
        log.recover()


def test_s03_days_that_changed_places_are_refused(log, say, handle):
    for number in (1, 2, 3):
        journal = log.open(day=log.day.replace(day=number))
        handle(journal, say(journal, number))
        journal.close()
    first, second = (log.path(log.day.replace(day=number)) for number in (1, 2))
    aside = first.with_suffix(".aside")
    first.rename(aside)
    second.rename(first)
    aside.rename(second)
    before = log.contents()

    with pytest.raises(DamagedLogError):
        log.recover()

    assert log.contents() == before
    assert list(verify_log(log.folder))[-1][1].damaged > 0


def test_an_old_day_that_nobody_needs_may_be_damaged(log, say, handle):
    for number in (1, 2, 3):
        journal = log.open(day=log.day.replace(day=number))
        handle(journal, say(journal, number))
        for actor in log.names:
            journal.snapshot(actor=actor, incarnation=1, at_ns=1, state=b"x")
        journal.close()
    log.path(log.day.replace(day=1)).write_bytes(b"rubbish")

    assert log.recover().position == Position(next_seq=4, next_n=4)


def test_s03_a_file_that_is_gone_while_its_write_ahead_file_is_not_is_no_new_beginning(log, say):
    journal = log.open()
    say(journal, "a")
    journal.wait_durable(1, 10)
    left = log.crashed()
    left.path().unlink()
    before = left.contents()

    with pytest.raises(DamagedLogError):
        left.open(position=Position())

    assert left.contents() == before


def test_an_emptied_file_does_not_cost_its_write_ahead_file(log, say):
    journal = log.open()
    say(journal, "a")
    journal.wait_durable(1, 10)
    left = log.crashed()
    left.path().write_bytes(b"")
    before = left.contents()

    with pytest.raises(DamagedLogError):
        left.recover()

    assert left.contents() == before


def test_a_file_with_another_name_is_not_of_the_log(closed_day):
    (closed_day.folder / "2026-03-02-copy.db").write_bytes(b"rubbish")
    (closed_day.folder / "2026-99-02.db").write_bytes(b"rubbish")

    assert closed_day.recover().position.next_seq == 61


def test_a_locked_log_is_not_called_damaged(closed_day, monkeypatch):
    monkeypatch.setattr(sqlite3, "connect", _impatient(sqlite3.connect))
    holder = sqlite3.connect(closed_day.path(), isolation_level=None)
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")

    with pytest.raises(UnreadableLogError, match="locked"):
        closed_day.recover()

    holder.close()


def _impatient(connect):
    return lambda *args, **options: connect(*args, **(options | {"timeout": 0.05}))
