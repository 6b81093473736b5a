"""A desk process that cannot open, or cannot even raise the flag, still ends as it should."""

import contextlib

import pytest

from thetawarden import process as process_module
from thetawarden.cli.beside import open_guarded
from thetawarden.config.schema import Config, JournalConfig
from thetawarden.config.watch import GuardianConfig
from thetawarden.errors import EXIT_GAVE_UP
from thetawarden.infra.heartbeat import read_beat
from thetawarden.process import HEARTBEAT_FILE, DeskProcess

BARE = Config(journal=JournalConfig(reserve_mb=0), guardian=GuardianConfig(enabled=False))


class BrokenError(Exception):
    """Whatever kept the desk from opening."""


def breaks(*_, **__):
    raise BrokenError


def opened(process):
    with contextlib.ExitStack() as undo:
        open_guarded(process, None, None, undo)


def test_a_supervisor_that_gives_up_where_no_flag_can_be_made_ends_the_desk_all_the_same(
    tmp_path, caplog
):
    process = DeskProcess(BARE, tmp_path / "missing")

    process.give_up("nothing works")

    assert (process.exit_code, process.ended.is_set()) == (EXIT_GAVE_UP, True)
    assert caplog.messages == ["halt_flag_not_raised", "supervisor_gave_up"]


def test_a_desk_that_fails_before_it_has_a_log_says_what_failed(tmp_path, monkeypatch):
    monkeypatch.setattr(process_module, "recover", breaks)

    with pytest.raises(BrokenError):
        opened(DeskProcess(BARE, tmp_path))


def test_a_desk_that_fails_before_its_start_closes_its_log(tmp_path, monkeypatch):
    monkeypatch.setattr(process_module, "broker_adapter", breaks)
    process = DeskProcess(BARE, tmp_path)

    with pytest.raises(BrokenError):
        opened(process)

    assert not process.journal._thread.is_alive()


def test_a_desk_that_fails_in_its_start_stops_what_had_started(tmp_path, monkeypatch):
    started = process_module.Desk.start

    def fail(desk):
        started(desk)
        raise BrokenError

    monkeypatch.setattr(process_module.Desk, "start", fail)
    process = DeskProcess(BARE, tmp_path)

    with pytest.raises(BrokenError):
        opened(process)

    assert not process.desk._thread.is_alive()
    assert not process.journal._thread.is_alive()
    assert read_beat(tmp_path / HEARTBEAT_FILE).ended == "stopped"
