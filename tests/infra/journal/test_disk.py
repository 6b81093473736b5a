"""A disk that refuses: a full one gives back the reserve, anything else is the end."""

import sqlite3

import pytest

from thetawarden.infra.journal.errors import LogFailedError, UnwritableLogError
from thetawarden.infra.journal.journal import Trouble
from thetawarden.infra.journal.reserve import DiskReserve
from thetawarden.infra.journal.store import connect

MORE_PAGES = 60


def _limited(reserve):
    """A disk of few pages, and of many more once the reserve is gone: a real SQLITE_FULL."""

    class Limited(sqlite3.Connection):
        def execute(self, statement, *values):
            if statement == "BEGIN IMMEDIATE":
                pages = 20 if reserve.path.exists() else 20 + MORE_PAGES
                super().execute(f"PRAGMA max_page_count={pages}")
            return super().execute(statement, *values)

    def open_limited(path):
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, factory=Limited
        )
        sqlite3.Connection.execute(connection, "PRAGMA journal_mode=WAL")
        return connection

    return open_limited


def test_p07_a_full_disk_gives_back_the_reserve_and_then_ends_the_log(log, say, tmp_path):
    reserve, troubles = DiskReserve(tmp_path / "reserve", 100_000), []
    assert reserve.take()
    journal = log.open(
        connect=_limited(reserve),
        reserve=reserve,
        on_trouble=lambda trouble, _words: troubles.append(trouble),
    )
    acknowledged = 0

    def fill():
        nonlocal acknowledged
        while True:
            envelope = say(journal, "f" * 3000)
            journal.wait_durable(envelope.seq, 10)
            acknowledged = envelope.seq

    with pytest.raises(LogFailedError):
        fill()

    assert troubles == [Trouble.DISK_FULL, Trouble.FAILED]
    assert not reserve.path.exists()
    assert log.crashed().recover().position.next_seq == acknowledged + 1
    with pytest.raises(LogFailedError):
        say(journal, "after")


@pytest.mark.parametrize("failing", ["COMMIT", "BEGIN IMMEDIATE"])
def test_p08_an_error_of_the_disk_is_final_even_if_the_next_write_would_succeed(log, say, failing):
    broken = []

    class Breaking(sqlite3.Connection):
        def execute(self, statement, *values):
            if statement == failing and broken == ["now"]:
                broken.append("once")
                raise sqlite3.OperationalError("disk I/O error")
            return super().execute(statement, *values)

    def open_breaking(path):
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, factory=Breaking
        )
        connection.execute("PRAGMA journal_mode=WAL")
        return connection

    journal = log.open(connect=open_breaking)
    good = say(journal, "good")
    journal.wait_durable(good.seq, 10)
    broken.append("now")
    bad = say(journal, "bad")

    with pytest.raises(LogFailedError):
        journal.wait_durable(bad.seq, 10)
    with pytest.raises(LogFailedError):
        say(journal, "after")

    journal.wait_durable(good.seq, 0)
    assert log.crashed().recover().position.next_seq == 2


def test_a_folder_that_cannot_be_written_is_said_in_one_line(log):
    def nowhere(path):
        return connect(path.parent / "missing" / path.name)

    with pytest.raises(UnwritableLogError) as refusal:
        log.open(connect=nowhere)

    assert "\n" not in str(refusal.value)
    assert "--data-dir" in str(refusal.value)
