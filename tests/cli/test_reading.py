"""The message log and its replay, as a person reads them after the desk has ended."""

import contextlib
import json
import sqlite3
import subprocess
import sys

import msgspec
import polars as pl
import pytest

from tests.cli.shell import one_line_error
from tests.cli.terminal import Terminal
from thetawarden.cli.replay import SHOWN_MAX, around
from thetawarden.infra.journal import rows
from thetawarden.infra.journal.packing import unpacked
from thetawarden.messages.registry import decode, encode
from thetawarden.messages.trading import TradingHalted


def test_log_show_prints_messages_oldest_first_in_words_or_json(past):
    halts = past("log", "show", "--type", "TradingHalted", "--json").lines
    every = past("log", "show", "--json", "--limit", "10000").lines
    spoken = past("log", "show", "--actor", "governor")

    assert [each["body"]["halt"]["reason"] for each in halts] == ["the test says so"]
    assert set(halts[0]) >= {"seq", "at", "sender", "cause_seq", "type", "body"}
    assert [each["seq"] for each in every] == list(range(1, len(every) + 1))
    assert every[0]["type"] == "DeskStarted"
    assert every[halts[0]["cause_seq"] - 1]["type"] == "Halt"
    assert "TradingResumed" in spoken.out
    assert "scheduler" not in spoken.out


def test_log_show_takes_a_window(past):
    every = past("log", "show", "--json", "--limit", "10000").lines
    middle = every[len(every) // 2]

    from_there = past("log", "show", "--json", "--from-seq", middle["seq"], "--limit", "2").lines
    since_then = past("log", "show", "--json", "--since", middle["at"], "--limit", "1000").lines
    last_hour = past("log", "show", "--json", "--since", "1h", "--limit", "1000").lines
    latest = past("log", "show", "--json", "--limit", "3").lines

    assert [each["seq"] for each in from_there] == [middle["seq"], middle["seq"] + 1]
    assert since_then == [each for each in every if each["at"] >= middle["at"]]
    assert last_hour == every
    assert latest == every[-3:]


def test_log_tail_follows_what_is_being_said(desk):
    command = [
        sys.executable,
        "-m",
        "thetawarden",
        "log",
        "tail",
        "--type",
        "ActorPaused",
        "--json",
    ]
    with subprocess.Popen(command, env=desk.environment, stdout=subprocess.PIPE, text=True) as tail:
        try:
            # it begins where the log ends when it looks first: say it until it is seen
            for _ in range(100):
                desk("actor", "pause", "scheduler")
                if tail.stdout in _readable(tail.stdout):
                    break
            line = tail.stdout.readline()
        finally:
            tail.terminate()
    desk("actor", "resume", "scheduler")

    assert json.loads(line)["body"]["actor"] == "scheduler"


def _readable(stream):
    import select  # noqa: PLC0415  # only here

    return select.select([stream], [], [], 0.3)[0]


def test_log_tail_ends_when_its_time_is_up_and_verify_works_beside_a_running_desk(desk):
    assert desk("log", "tail", "--for", "0.3s", "--json").code == 0
    verified = desk("log", "verify", "--json")
    assert (verified.code, verified.json["damaged"]) == (0, 0)


def test_log_verify_counts_everything(past):
    verified = past("log", "verify", "--json")
    said = past("log", "show", "--json", "--limit", "10000").lines

    assert verified.code == 0
    assert verified.err == ""
    assert set(verified.json) >= {"messages", "deliveries", "damaged", "first_seq", "last_seq"}
    assert verified.json["messages"] == verified.json["last_seq"] == len(said)
    assert verified.json["first_seq"] == 1
    assert "0 damaged" in past("log", "verify").out


def test_log_export_writes_a_parquet_file_once(past, tmp_path):
    file = tmp_path / "messages.parquet"
    said = past("log", "show", "--json", "--limit", "10000").lines

    assert past("log", "export", file).code == 0

    table = pl.read_parquet(file)
    assert table["seq"].to_list() == [each["seq"] for each in said]
    assert table["type"].to_list() == [each["type"] for each in said]
    assert [json.loads(body) for body in table["body"]] == [each["body"] for each in said]
    assert table["cause_seq"].to_list() == [each["cause_seq"] for each in said]
    before = file.read_bytes()
    assert "will not be overwritten" in one_line_error(past("log", "export", file), 2)
    assert file.read_bytes() == before
    nowhere = tmp_path / "no" / "where.parquet"
    assert str(nowhere) in one_line_error(past("log", "export", nowhere), 2)
    assert [path.name for path in tmp_path.iterdir() if "parquet" in path.name] == [file.name]


def test_a_reader_that_goes_away_is_no_error(past):
    command = f"{sys.executable} -m thetawarden log show --limit 10000 | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        env=past.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "DeskStarted" in done.stdout


def test_replay_rebuilds_the_state_an_actor_had(past):
    halted = past("log", "show", "--type", "Halt", "--json").lines[0]

    at_end = past("replay", "--actor", "governor").json
    before = past("replay", "--actor", "governor", "--until", halted["seq"] - 1).json
    at_halt = past("replay", "--actor", "governor", "--until", halted["seq"]).json

    assert at_end["latch"] == {"epoch": 1, "halt": None}
    assert before["latch"] == {"epoch": 0, "halt": None}
    assert at_halt["latch"]["halt"]["reason"] == "the test says so"
    assert set(past("replay").json) >= {"watchdog", "keeper", "governor", "notifier", "chain/SPX"}
    assert "allowed: 1 to" in one_line_error(past("replay", "--until", "999999"), 2)


def test_replay_steps_show_what_each_delivery_changed(past):
    steps = past("replay", "--actor", "governor", "--step", "--json").lines

    latched = {
        each["kind"]: [one for one in each["changed"] if one["path"][0] == "latch"]
        for each in steps
        if any(one["path"][0] == "latch" for one in each["changed"])
    }
    changed = [each for each in steps if each["kind"] in latched]
    assert [each["kind"] for each in changed] == ["Halt", "Resume"]
    assert latched["Halt"][0] == {"path": ["latch", "epoch"], "before": 0, "after": 1}
    assert latched["Halt"][1]["path"] == ["latch", "halt"]
    assert latched["Halt"][1]["after"]["reason"] == "the test says so"
    assert [one["path"] for one in latched["Resume"]] == [["latch", "halt"]]
    assert [one["kind"] for one in changed[0]["said"]] == ["TradingHalted", "NotifyPerson"]
    assert changed[0]["said"][0]["body"]["halt"]["reason"] == "the test says so"
    assert "latch.epoch: 0 -> 1\n" in past("replay", "--actor", "governor", "--step").out


def test_replay_steps_back_from_the_last_message_to_the_first(past):
    there = past("replay", "--actor", "governor", "--step", "--json").lines
    back = past("replay", "--actor", "governor", "--step", "--back", "--json").lines
    halt = next(each for each in there if each["kind"] == "Halt")
    until = ("--until", halt["seq"])
    from_halt = past("replay", "--actor", "governor", "--step", "--back", *until, "--json").lines

    assert back == there[::-1]
    assert from_halt == [each for each in there if each["n"] <= halt["n"]][::-1]
    assert "one actor's messages" in one_line_error(past("replay", "--back", "--step"), 2)


def test_a_person_steps_forward_and_back_on_a_terminal(past):
    halt = past("log", "show", "--type", "Halt", "--json").lines[0]
    words = ("replay", "--actor", "governor", "--step")
    terminal = Terminal(*words, environment=past.environment)
    try:
        terminal.sees("b: back", "this is before the first message", ">")
        terminal.press(f"{halt['seq'] - 1}\n")
        terminal.press("\n")
        terminal.sees(f"governor Halt {halt['seq']}", "latch.epoch: 0 -> 1", "said TradingHalted")
        terminal.press("b\n")
        terminal.sees("before", "governor Halt")
        terminal.press(f"{halt['seq']}\n")
        terminal.press("1\n")
        terminal.sees("message 1 is none of those", "this is before the first message")
        terminal.press("²\n")
        terminal.press("what\n")
        assert terminal.ends("q\n") == 0
    finally:
        terminal.close()


def test_a_way_until_a_message_begins_and_ends_there(past):
    halt = past("log", "show", "--type", "Halt", "--json").lines[0]
    words = ("replay", "--actor", "governor", "--step", "--until", str(halt["seq"]))
    terminal = Terminal(*words, environment=past.environment)
    try:
        terminal.sees("b: back", f"governor Halt {halt['seq']}", "latch.epoch: 0 -> 1", ">")
        terminal.press("\n")
        terminal.sees(f"that was the last message up to --until {halt['seq']}")
        terminal.press("b\n")
        terminal.sees("before", "governor Halt")
        assert terminal.ends("q\n") == 0
    finally:
        terminal.close()


def test_replay_verifies_that_todays_code_answers_the_same(past):
    verified = past("replay", "--verify", "--json")
    deliveries = past("log", "verify", "--json").json["deliveries"]

    assert (verified.code, verified.err) == (0, "")
    assert verified.json == {
        "deliveries": deliveries,
        "verified": deliveries,
        "first_difference": None,
    }
    assert "every answer the same" in past("replay", "--verify").out


@pytest.fixture
def other_code(shell):
    """A log whose governor once answered otherwise than today's: checksums and all are sound."""
    desk = shell.start()
    assert shell("halt", "--reason", "as it was").code == 0
    assert shell.end(desk)[0] == 4
    (file,) = (shell.store / "log").glob("*.db")
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        query = "SELECT * FROM messages WHERE kind = 'TradingHalted'"
        seq, at_ns, sender, incarnation, cause, kind, body, _ = connection.execute(query).fetchone()
        said = decode(unpacked(body))
        halt = msgspec.structs.replace(said.halt, reason="as an older version put it")
        body = encode(TradingHalted(halt=halt))
        crc = rows.message_crc(seq, at_ns, sender, incarnation, cause, kind, body)
        connection.execute("UPDATE messages SET body = ?, crc = ? WHERE seq = ?", (body, crc, seq))
    return shell


@pytest.mark.parametrize("at", [0, 30_000, 99_999])
def test_of_a_long_answer_the_place_is_shown_at_which_it_differs(at):
    text = "".join(chr(ord("a") + place % 26) for place in range(100_000))
    marked = f"{text[:at]}#{text[at + 1 :]}"

    shown = around(marked, at)

    assert "#" in shown
    assert len(shown) < SHOWN_MAX + 100
    assert around("short", 3) == "short"


def test_an_answer_that_differs_is_shown_with_the_state_before_it(other_code):
    found = other_code("replay", "--verify", "--json")
    said = other_code("replay", "--verify")

    assert found.code == said.code == 1
    difference = found.json["first_difference"]
    assert (difference["actor"], difference["kind"]) == ("governor", "Halt")
    assert difference["state_before"]["latch"] == {"epoch": 0, "halt": None}
    assert "as an older version put it" in difference["expected"][0]
    assert "as it was" in difference["got"][0]
    assert difference["message"]["reason"] == "as it was"
    assert [one["type"] for one in difference["causes"]] == ["Halt"]
    for part in (
        "message: ",
        "because of:",
        "Halt: as it was",
        "state before: ",
        "recorded: ",
        "today: ",
        "as it was",
        "as an older version",
    ):
        assert part in said.out
