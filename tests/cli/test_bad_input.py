"""Whatever a person gets wrong is one clear line with a remedy and the documented exit code."""

import contextlib
import os
import sqlite3
import stat

import pytest

from tests.cli.shell import one_line_error
from thetawarden.infra.journal import rows

USAGE, REFUSED, UNREACHABLE = 2, 3, 5

CONFIGS = {
    "unknown key": ("desk: {heartbeats_s: 1}", "did you mean heartbeat_s?"),
    "wrong type": ("desk: {heartbeat_s: often}", "desk.heartbeat_s"),
    "not a number": ("desk: {heartbeat_s: .nan}", "desk.heartbeat_s"),
    "infinity": ("desk: {heartbeat_s: .inf}", "desk.heartbeat_s"),
    "unquoted time": ("schedule: {rotate_at: 9:30}", 'quote it: "9:30"'),
    "duplicate key": ("mode: practice\nmode: live", "first on line 1"),
    "no YAML": ("desk: [", "valid YAML"),
    "a secret": ("desk: {api_token: abc}", "secrets come from the environment or the secrets file"),
    "beyond its range": ("control: {request_timeout_s: 1e9}", "from 0.1 to 120"),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_c01_a_bad_configuration_stops_every_verb_that_needs_one(shell, case):
    text, remedy = CONFIGS[case]
    shell.data.mkdir()
    file = shell.data / "thetawarden.yaml"
    file.write_text(text)

    for command in (["run", "--for", "9s"], ["config", "check"]):
        line = one_line_error(shell(*command), USAGE)
        assert str(file) in line
        assert remedy in line
    assert [path.name for path in shell.data.iterdir()] == [file.name]


def test_c04_a_world_readable_secrets_file_is_refused_before_anything_starts(shell):
    shell.data.mkdir()
    file = shell.data / "secrets.yaml"
    file.write_text("telegram_token: not-to-be-seen-anywhere\n")
    file.chmod(0o644)

    for command in (["run", "--for", "9s"], ["config", "check"]):
        line = one_line_error(shell(*command), USAGE)
        assert f"chmod 600 {file}" in line
        assert "not-to-be-seen" not in line
    assert [path.name for path in shell.data.iterdir()] == [file.name]
    file.chmod(0o600)
    assert "1 secrets" in shell("config", "check").out


def test_a_secret_that_comes_into_a_reason_is_in_no_log_line(shell):
    shell.data.mkdir()
    file = shell.data / "secrets.yaml"
    file.write_text("telegram_token: not-to-be-seen-anywhere\n")
    file.chmod(0o600)
    desk = shell.start()
    assert shell("halt", "--reason", "because not-to-be-seen-anywhere").code == 0
    assert shell("stop", "--reason", "and not-to-be-seen-anywhere").code == 0
    err = desk.communicate(timeout=60)[1]

    assert "desk_stopping" in err
    assert "not-to-be-seen" not in err
    assert "not-to-be-seen" not in (shell.store / "logs" / "desk.jsonl").read_text()


def test_a_data_folder_that_cannot_be_one_is_refused(shell, tmp_path):
    file = tmp_path / "file"
    file.write_text("mine")
    for folder in (file, file / "below", "/proc/nothing/here"):
        line = one_line_error(shell("--data-dir", folder, "run", "--for", "9s"), USAGE)
        assert str(folder) in line
        assert "--data-dir" in line
        assert shell("--data-dir", folder, "status").code == UNREACHABLE
    assert file.read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_data_folder_is_refused(shell):
    shell.data.mkdir(mode=0o500)

    assert str(shell.data) in one_line_error(shell("run", "--for", "9s"), USAGE)


def test_a_folder_that_others_may_write_to_is_refused(shell):
    shell.data.mkdir()
    shell.data.chmod(0o777)

    assert "chmod 700" in one_line_error(shell("run", "--for", "9s"), USAGE)


def test_an_open_socket_folder_is_refused_and_the_desk_ends_in_order(shell):
    (shell.store / "control").mkdir(parents=True)
    (shell.store / "control").chmod(0o755)
    shell.store.chmod(0o700)
    shell.data.chmod(0o700)
    done = shell("run", "--for", "9s")

    assert done.code == REFUSED
    lines = done.err.splitlines()
    assert "control socket folder" in lines[-1]
    assert '"desk_stopped"' in lines[-2]
    assert stat.S_IMODE((shell.store / "control").stat().st_mode) == 0o755


NO_DESK = {
    "status": ["status"],
    "inspect": ["inspect"],
    "stop": ["stop"],
    "resume": ["resume", "--reason", "r"],
    "restart": ["actor", "restart", "notifier"],
}


@pytest.mark.parametrize("verb", NO_DESK)
def test_a_verb_that_needs_a_desk_says_that_there_is_none(shell, verb):
    line = one_line_error(shell(*NO_DESK[verb]), UNREACHABLE)

    assert str(shell.store) in line
    assert "thetawarden run" in line
    assert not shell.data.exists()


WORDS = {
    "verb": (["frobnicate"], "there are: run, status"),
    "second word": (["actor", "explode", "notifier"], "explode"),
    "option": (["status", "--jsn"], "--json"),
    "missing reason": (["halt"], "--reason"),
    "mode": (["run", "--mode", "demo"], "one of practice, paper, live"),
    "for nothing": (["run", "--for", "0s"], "90s, 5m or 1h30m"),
    "for a word": (["run", "--for", "soon"], "90s, 5m or 1h30m"),
    "for minus": (["run", "--for", "-5s"], "90s, 5m or 1h30m"),
    "for ever": (["run", "--for", "999999999h"], "a year at most"),
    "no log": (["log", "show"], "run a desk there first"),
    "no log to verify": (["log", "verify"], "run a desk there first"),
    "nothing to replay": (["replay"], "run a desk there first"),
    "replayed actor": (["replay", "--actor", "executioner"], "governor"),
    "replayed day": (["replay", "--day", "yesterday"], "%Y-%m-%d"),
    "verify one actor": (["replay", "--verify", "--actor", "governor"], "allowed beside it"),
    "type": (["log", "show", "--type", "halted"], "TradingHalted"),
    "limit": (["log", "show", "--limit", "-1"], "1<=x<="),
    "huge number": (["log", "show", "--from-seq", "99999999999999999999"], "<=x<="),
    "config file": (["--config", "/nonexistent.yaml", "run"], "check the path given to --config"),
}


@pytest.mark.parametrize("case", WORDS)
def test_a_wrong_word_is_answered_with_the_right_ones(shell, case):
    words, remedy = WORDS[case]

    assert remedy in one_line_error(shell(*words), USAGE)
    assert not shell.data.exists()


@pytest.mark.parametrize("since", ["yesterday", "1.2.3", "9999-12-31T23:59:59Z", "", "1h1d"])
def test_a_bad_since_shows_a_good_one(past, since):
    line = one_line_error(past("log", "show", "--since", since), USAGE)

    assert "2026-02-03T15:00Z" in line or "1h30m" in line


def test_a_running_desk_refuses_what_it_does_not_know_and_goes_on(desk):
    assert "governor" in one_line_error(desk("inspect", "nobody"), USAGE)
    assert "governor" in one_line_error(desk("actor", "restart", "nobody"), USAGE)
    assert "reason" in one_line_error(desk("halt", "--reason", ""), USAGE)
    assert desk("status").code == 0


def test_x08_a_reason_of_any_length_halts_and_none_steers_the_terminal(shell):
    shell.start()
    assert shell("halt", "--reason", "\x1b[2J" + "x" * 5000).code == 0
    seen = shell("status")

    assert seen.code == 4
    assert "\x1b" not in seen.out
    assert "\\x1b[2J" in seen.out


@pytest.fixture
def log_file(shell):
    assert shell("run", "--for", "0.5s").code == 0
    (file,) = (shell.store / "log").glob("*.db")
    return file


def _snapshot(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _newer(file):
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        meta = dict(connection.execute("SELECT key, value FROM meta"))
        meta["format"] = "999"
        meta["crc"] = str(rows.meta_crc(meta))
        connection.executemany("UPDATE meta SET value = ?2 WHERE key = ?1", meta.items())


def _truncated(file):
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def _flipped(file):
    content = bytearray(file.read_bytes())
    position = content.rindex(b"DeskStarted")
    content[position] ^= 0x01
    file.write_bytes(content)


@pytest.mark.parametrize("harm", [_newer, _truncated, _flipped])
def test_a_log_that_is_not_what_was_written_stops_the_desk_and_stays_as_it_is(
    shell, log_file, harm
):
    harm(log_file)
    before = log_file.read_bytes()

    line = one_line_error(shell("run", "--for", "9s"), USAGE)

    assert str(log_file) in line
    assert "Nothing was changed" in line
    assert ("newer version" in line) == (harm is _newer)
    assert log_file.read_bytes() == before
    assert shell("log", "verify").code in {1, 2}
