"""A message log in a folder of its own, and ways to crash it and to look at it from outside."""

import contextlib
import datetime as dt
import shutil
import sqlite3
from pathlib import Path

import pytest

from thetawarden.infra.journal.journal import Journal, Position
from thetawarden.infra.journal.recover import recover
from thetawarden.messages.operations import NotifyPerson, Urgency
from thetawarden.ports import Delivery, Outcome

DAY = dt.date(2026, 3, 2)
NAMES = ("watchdog", "governor", "scheduler", "notifier")


class Log:
    """The folder of one log; each `open` is one life of a desk."""

    day = DAY
    names = NAMES

    def __init__(self, folder):
        self.folder = folder
        self.journals = []

    def open(self, *, day=DAY, position=None, **options):
        if position is None:
            position = recover(self.folder, NAMES).position
        options.setdefault("linger_s", 0.0)
        journal = Journal(self.folder, day=day, position=position, software="test", **options)
        self.journals.append(journal)
        return journal

    def path(self, day=DAY):
        return self.folder / f"{day}.db"

    def recover(self, names=NAMES, roles=(), **options):
        return recover(self.folder, names, roles, **options)

    def crashed(self, name="crashed"):
        """A copy as a killed process would leave it, while the log is open."""
        copy = Log(self.folder.with_name(name))
        copy.folder.mkdir()
        for path in self.folder.iterdir():
            if not path.name.endswith("-shm"):
                shutil.copy2(path, copy.folder)
        return copy

    def edit(self, statement, *values, day=DAY):
        """Change the closed file behind the log's back."""
        with contextlib.closing(sqlite3.connect(self.path(day))) as connection:
            connection.execute(statement, values)
            connection.commit()

    def select(self, query, *values, day=DAY):
        """What another program sees."""
        with contextlib.closing(sqlite3.connect(self.path(day))) as connection:
            return connection.execute(query, values).fetchall()

    def contents(self):
        """Every byte of the log; SQLite's shared memory and an empty file say nothing."""
        return {
            path.name: path.read_bytes()
            for path in sorted(self.folder.iterdir())
            if not path.name.endswith("-shm") and path.stat().st_size
        }

    def close(self):
        for journal in self.journals:
            journal.close()


@pytest.fixture
def log(tmp_path):
    folder = tmp_path / "log"
    folder.mkdir()
    opened = Log(folder)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def notice():
    """A message that tells itself from all others by its text."""

    def make(text):
        return NotifyPerson(urgency=Urgency.LOW, topic="test", text=str(text))

    return make


@pytest.fixture(scope="session")
def say(notice):
    """Say a numbered message from outside."""

    def say_it(journal, text, *, sender="person", incarnation=0, cause_seq=None):
        return journal.say(notice(text), sender, incarnation, cause_seq, 1_000 + journal.last_seq)

    return say_it


@pytest.fixture(scope="session")
def handle():
    """Record that an actor handled a message and answered."""

    def handle_it(journal, envelope, *answers, actor="notifier", incarnation=1, **fields):
        fields.setdefault("at_ns", 2_000 + envelope.seq)
        delivery = Delivery(envelope, actor, incarnation, fields["at_ns"])
        if "outcome" in fields:
            delivery = Delivery(
                envelope, actor, incarnation, fields["at_ns"], Outcome(fields["outcome"])
            )
        return journal.record(delivery, answers)

    return handle_it


@pytest.fixture
def closed_day(log, say, handle, notice):
    """A closed file with 60 messages, 30 deliveries and 4 snapshots, some of them large."""
    journal = log.open(position=Position())
    for actor in NAMES:
        journal.fence(actor, 1)
    for number in range(30):
        large = "".join(map(str, range(3_000))) if number % 10 == 0 else ""
        envelope = say(journal, f"said {number} {large}")
        handle(journal, envelope, notice(f"answered {number}"))
    for actor in NAMES:
        journal.snapshot(
            actor=actor, incarnation=1, at_ns=9_000, state=b"state of " + actor.encode()
        )
    journal.close()
    return log


@pytest.fixture(scope="session")
def repo():
    """The root of this checkout."""
    return Path(__file__).parents[3]
