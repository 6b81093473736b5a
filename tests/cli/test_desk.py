"""A running desk, from start to end, through the command line alone."""

import json
import os
import re
import signal
import time

from tests.cli.shell import one_line_error, wait_for


def test_run_for_a_while_ends_by_itself_and_says_so_in_json_lines_on_standard_error(shell):
    done = shell("run", "--for", "0.5s")

    assert done.code == 0
    assert done.out == ""
    lines = [json.loads(line) for line in done.err.splitlines()]
    events = [line["event"] for line in lines]
    assert (events[0], events[-1]) == ("desk_started", "desk_stopped")
    started = lines[0]
    assert started["mode"] == "practice"
    assert started["store"] == str(shell.store)
    assert started["socket"] == str(shell.store / "control" / "desk.sock")
    assert {"pid", "version", "config_fingerprint"} <= set(started)


def test_status_has_the_keys_that_scripts_rely_on(desk):
    seen = desk("status", "--json")

    assert seen.code == 0
    assert set(seen.json) >= {
        "mode",
        "trading_state",
        "halt",
        "link",
        "reconciled",
        "market_time",
        "speed",
        "nlv_usd",
        "positions",
        "working_orders",
        "actors",
        "next_events",
    }
    assert (seen.json["mode"], seen.json["trading_state"]) == ("practice", "running")
    assert set(seen.json["link"]) >= {"state", "epoch"}
    assert seen.json["actors"]["running"] >= 12
    assert seen.json["actors"]["failed"] == 0
    assert seen.json["halt"] is seen.json["nlv_usd"] is seen.json["positions"] is None
    assert seen.json["ailments"] == []


def test_inspect_has_the_keys_that_scripts_rely_on_and_sane_figures(desk):
    wait_for(lambda: desk("inspect", "watchdog", "--json").json["actors"][0]["rate_per_s"] > 0)
    seen = desk("inspect", "--json")

    assert seen.code == 0
    names = [actor["name"] for actor in seen.json["actors"]]
    assert names[:4] == ["watchdog", "connection", "keeper", "governor"]
    assert {"slots", "context", "regime", "archivist", "scheduler", "notifier"} <= set(names)
    for actor in seen.json["actors"]:
        assert set(actor) >= {
            "name",
            "state",
            "incarnation",
            "restarts",
            "lanes",
            "handled",
            "rate_per_s",
            "handler_us_p99",
            "last_handled_at",
        }
        assert set(actor["lanes"]) == {"control", "orders", "timer", "market"}
        assert 0 <= actor["rate_per_s"] <= 100
        assert 0 <= actor["handler_us_p99"] < 1e7
    assert "actor_state" not in seen.json


def test_inspect_of_one_actor_shows_its_whole_state(desk):
    one = desk("inspect", "governor", "--json")

    assert [actor["name"] for actor in one.json["actors"]] == ["governor"]
    assert one.json["actor_state"]["latch"] == {"epoch": 0, "halt": None}
    assert set(one.json["actor_state"]["frozen"]) == {"link", "book"}


def test_status_and_inspect_are_readable_too(desk):
    status, inspected = desk("status"), desk("inspect", "notifier")

    assert "trading running" in status.out
    assert re.search(r"actors: \d\d running, 0 restarting, 0 failed", status.out)
    assert "worth ? · ? positions · ? working orders" in status.out
    assert "notifier" in inspected.out
    assert '"outbox": {}' in inspected.out
    assert "\x1b" not in status.out + inspected.out


def test_an_actor_restarted_by_hand_keeps_its_state_and_who_asked_is_recorded(desk):
    before = desk("inspect", "scheduler", "--json").json
    done = desk("actor", "restart", "scheduler", "--json")
    after = desk("inspect", "scheduler", "--json").json

    assert done.code == 0
    assert after["actor_state"] == before["actor_state"]
    assert after["actors"][0]["incarnation"] == before["actors"][0]["incarnation"] + 1
    assert after["actors"][0]["state"] == "running"
    ended = desk("log", "show", "--type", "ActorEnded", "--json").lines
    assert ended[-1]["body"]["actor"] == "scheduler"
    assert ended[-1]["body"]["error"].startswith("asked by ")


def test_a_paused_actor_is_shown_as_ailing_until_it_goes_on(desk):
    assert desk("actor", "pause", "notifier").code == 0
    paused = desk("status", "--json").json["ailments"]
    state = desk("inspect", "notifier", "--json").json["actors"][0]["state"]
    assert desk("actor", "resume", "notifier").code == 0

    assert paused == ["notifier is paused by hand"]
    assert state == "paused"
    assert desk("status", "--json").json["ailments"] == []


def is_written_meanwhile(path):
    """By the desk that runs there already: its message log, and its lake."""
    return path.name.startswith("20") or "lake" in path.parts


def test_h03_a_second_desk_is_refused_at_once_and_touches_nothing(desk):
    def everything():
        files = [path for path in desk.data.rglob("*") if not is_written_meanwhile(path)]
        return {path: (path.stat().st_ino, path.stat().st_size) for path in files}

    before = everything()
    second = desk("run", "--for", "60s")
    fresh = desk("run", "--fresh", "--for", "60s")
    after = everything()

    for refused in (second, fresh):
        line = one_line_error(refused, 3)
        assert f"process {desk.process.pid}" in line
        assert "--data-dir" in line
    after.pop(desk.store / "logs" / "desk.jsonl")
    before.pop(desk.store / "logs" / "desk.jsonl")
    assert after == before
    assert desk("status").code == 0


def test_a_halt_survives_the_end_and_a_kill_and_only_its_own_epoch_lifts_it(shell):
    desk = shell.start()
    halted = shell("halt", "--reason", "looks odd", "--json")
    assert halted.code == 0
    assert halted.json["halt"]["reason"] == "looks odd"
    seen = shell("status", "--json")
    assert seen.code == 4
    assert seen.json["trading_state"] == "halted"
    assert set(seen.json["halt"]) >= {"epoch", "reason", "by", "at"}
    assert shell.end(desk)[0] == 4

    desk = shell.start()
    assert shell("status", "--json").json["halt"] == seen.json["halt"]
    assert shell.end(desk, signal.SIGKILL)[0] == -signal.SIGKILL

    shell.start()
    assert shell("status", "--json").json["halt"] == seen.json["halt"]
    wrong = shell("resume", "--reason", "ok", "--epoch", "7")
    assert "epoch 7 was asked, 1 is in force" in one_line_error(wrong, 3)
    assert shell("status").code == 4
    assert shell("resume", "--reason", "looked at it", "--epoch", "1").code == 0
    assert shell("status").code == 0
    assert "no halt to lift" in one_line_error(shell("resume", "--reason", "again"), 3)
    stopped = shell("stop", "--json")
    assert stopped.code == 0
    assert shell.desks[-1].wait(60) == 0
    verified = shell("replay", "--verify", "--json")
    assert (verified.code, verified.json["first_difference"]) == (0, None)


def test_a_halt_without_a_desk_raises_the_flag_for_the_next_one(shell):
    halted = shell("halt", "--reason", "before the first start")

    assert halted.code == 5
    assert "halt flag raised at" in halted.err
    ended = shell("run", "--for", "0.5s")
    assert ended.code == 4
    record = json.loads((shell.store / "halt").read_text())
    assert (record["epoch"], record["reason"]) == (1, "before the first start")


def test_a_flag_made_by_touch_halts_a_running_desk_and_is_dated(shell):
    shell.start()
    (shell.store / "halt").touch()

    wait_for(lambda: shell.status().halt is not None)

    seen = shell("status", "--json")
    assert seen.code == 4
    halt = seen.json["halt"]
    assert abs(int(halt["at"][:4]) - time.gmtime().tm_year) <= 1


def test_p16_a_signal_ends_a_desk_in_order_and_leaves_no_socket(shell):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        code, out, err = shell.end(shell.start(), number)

        assert (code, out) == (0, "")
        assert json.loads(err.splitlines()[-1])["event"] == "desk_stopped"
        assert not (shell.store / "control" / "desk.sock").exists()
    started = shell("log", "show", "--type", "DeskStarted", "--json").lines
    assert [each["body"]["resumed"] for each in started] == [False, True, True]
    assert len({each["body"]["config_fingerprint"] for each in started}) == 1


def test_p16_two_signals_end_a_desk_at_once_and_the_log_is_whole(shell):
    desk = shell.start()
    os.kill(desk.pid, signal.SIGSTOP)  # so that both are there when it looks
    os.kill(desk.pid, signal.SIGINT)
    os.kill(desk.pid, signal.SIGTERM)
    os.kill(desk.pid, signal.SIGCONT)
    desk.communicate(timeout=60)

    assert desk.returncode == 1
    verified = shell("log", "verify", "--json")
    assert (verified.code, verified.json["damaged"]) == (0, 0)


def test_a_fresh_desk_keeps_the_old_store_aside(shell):
    assert shell("run", "--for", "0.3s").code == 0
    assert shell("run", "--fresh", "--for", "0.3s").code == 0

    assert (shell.data / "practice.1" / "log").is_dir()
    assert len(shell("log", "show", "--type", "DeskStarted", "--json").lines) == 1


def test_folders_with_spaces_accents_and_great_length_work(shell):
    for name in ("a b/ünï ✓", "long/" + "x" * 90 + "/" + "y" * 90):
        shell.data = shell.data.parent / name
        desk = shell.start()

        assert shell("status").code == 0
        assert shell("halt", "--reason", "r").code == 0
        assert shell.end(desk)[0] == 4
        assert shell("log", "show", "--limit", "1").code == 0


def test_c07_a_configuration_that_changes_changes_nothing_of_a_desk_that_runs(desk):
    before = desk("status", "--json").json
    file = desk.data / "thetawarden.yaml"
    file.write_text("desk: {heartbeat_s: nonsense}\n")

    refused = desk("status")
    file.unlink()
    after = desk("status", "--json").json

    assert refused.code == 2
    assert (after["pid"], after["started_at"]) == (before["pid"], before["started_at"])
    assert after["condition"] == "healthy"


def test_the_data_folder_may_be_named_before_or_after_the_verb(desk):
    bare = {**desk.environment, "THETAWARDEN_HOME": "/nonexistent"}

    before = desk("--data-dir", desk.data, "status", env=bare)
    after = desk("status", "--data-dir", desk.data, env=bare)

    assert before.code == after.code == 0
    assert desk("status", env=bare).code == 5
