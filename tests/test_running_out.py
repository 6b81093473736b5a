"""A desk whose disk is full, or whose supervisor fails, is halted before anything is lost."""

import functools
import sqlite3

import pytest

from tests.actors.desks import note, until
from thetawarden import process as process_module
from thetawarden.config.schema import Config, JournalConfig
from thetawarden.config.watch import GuardianConfig
from thetawarden.errors import EXIT_GAVE_UP
from thetawarden.infra.halt_flag import HaltFlagFile
from thetawarden.infra.journal.journal import Journal
from thetawarden.process import DeskProcess

CONFIG = Config(journal=JournalConfig(reserve_mb=1), guardian=GuardianConfig(enabled=False))
PAGES, MORE_PAGES = 400, 4_000


class Small(sqlite3.Connection):
    """A disk of few pages, and of many more once the reserve is gone: a real SQLITE_FULL."""

    reserve = None

    def execute(self, statement, *values):
        if statement == "BEGIN IMMEDIATE":
            pages = PAGES if self.reserve.exists() else PAGES + MORE_PAGES
            super().execute(f"PRAGMA max_page_count={pages}")
        return super().execute(statement, *values)


def open_small(path):
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Small)
    sqlite3.Connection.execute(connection, "PRAGMA journal_mode=WAL")
    return connection


@pytest.fixture
def process(tmp_path, monkeypatch):
    monkeypatch.setattr(Small, "reserve", tmp_path / "reserve")
    journal = functools.partial(Journal, connect=open_small)
    monkeypatch.setattr(process_module, "Journal", journal)
    one = DeskProcess(CONFIG, tmp_path)
    one.open()
    yield one
    one.close()


def halted_by(process):
    halt = process.desk.state_of("governor", timeout_s=60.0)["latch"]["halt"]
    return halt and halt["by"]


def test_p07_a_desk_whose_disk_is_full_halts_takes_no_market_data_and_goes_on(process):
    assert Small.reserve.exists()
    assert process.desk.router.takes_market_data

    seq = 0
    while Small.reserve.exists():
        seq = process.desk.say(note("f" * 3000), sender="test")
        process.journal.wait_durable(seq, 30)
    until(lambda: halted_by(process) == "message log", "the halt")

    assert process.desk.router.takes_market_data is False
    until(lambda: HaltFlagFile(process.store / "halt").read() is not None, "the halt flag")
    process.journal.wait_durable(process.desk.say(note("after"), sender="test"), 30)
    assert process.ended.is_set() is False


def test_p11_a_supervisor_that_fails_raises_the_flag_itself_and_ends_the_process_with_70(process):
    process.desk._tasks.put(lambda: 1 / 0)

    assert process.ended.wait(60)
    assert process.exit_code == EXIT_GAVE_UP
    halt = HaltFlagFile(process.store / "halt").read()
    assert (halt.by, "ZeroDivisionError" in halt.reason) == ("supervisor", True)
