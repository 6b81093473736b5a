"""Faults are found by name or code, refuse nonsense, and can be planned or sent over a port."""

import json
import re

import pytest

from thetawarden.errors import RefusedError, UnreachableError
from thetawarden.practice.admin import Command, ask
from thetawarden.practice.faults import schedule
from thetawarden.practice.faults.catalogue import FAULTS

CODES = {one.code for one in FAULTS.values()}


def test_every_fault_a_gateway_can_cause_is_there():
    wanted = {f"N{n:02d}" for n in range(1, 16)}
    wanted |= {f"M{n:02d}" for n in range(1, 15)}
    wanted |= {f"O{n:02d}" for n in range(1, 21)}

    assert wanted <= CODES


@pytest.mark.parametrize("one", FAULTS.values(), ids=FAULTS)
def test_every_fault_says_in_one_line_what_it_does(one):
    assert re.fullmatch(r"[a-z][a-z-]+", one.name)
    assert 20 < len(one.line) < 90
    assert "\n" not in one.line


async def test_unknown_names_and_arguments_are_refused_with_what_is_known(start):
    server = await start()

    with pytest.raises(RefusedError, match="no fault is called 'nonsense'"):
        server.faults.play("nonsense")
    with pytest.raises(RefusedError, match="has no argument colour; it takes factor"):
        server.faults.play("burst", {"colour": "red"})
    with pytest.raises(RefusedError, match="factor is 'many', int wanted, such as 50"):
        server.faults.play("burst", {"factor": "many"})


async def test_playing_again_replaces_and_ending_twice_is_harmless(start):
    server = await start()

    server.faults.play("burst", {"factor": "5"})
    server.faults.play("M12", {"factor": 7})

    assert server.gateway.seams.burst == 7
    assert server.faults.end("burst")
    assert not server.faults.end("burst")
    assert server.gateway.seams.burst == 1


async def test_a_plan_is_played_when_its_time_comes(start, until, tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(
        "- {fault: burst, after_s: 0.05, args: {factor: 3}}\n"
        "- {fault: mute, at: '20260302 10:00:30 US/Eastern'}\n"
        "- {fault: reject, after_s: 0.01, args: {nonsense: 1}}\n"
    )

    server = await start(plan=schedule.load(path), speed=60.0)

    await until(lambda: server.gateway.seams.burst == 3)
    await until(lambda: server.gateway.seams.mute)
    assert server.gateway.now_ns >= server.gateway.exchange.market.now_ns - 10**9


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- {fault: nonsense, after_s: 1}", "no fault is called 'nonsense'"),
        ("- {fault: mute}", "entry 1 needs either at or after_s"),
        ("- {fault: mute, at: tomorrow}", "entry 1: at is 'tomorrow'"),
        ("- {fault: mute, afterwards: 1}", "no plan of faults"),
        ("- [", "no plan of faults"),
        ("fault: mute", "no plan of faults"),
        ("- {fault: mute, after_s: 1, after_s: 2}", "the key 'after_s' stands twice"),
        ("- {fault: mute, after_s: 1, args: {for_s: 1, for_s: 2}}", "'for_s' stands twice"),
        ("- fault: mute\n  after_s: 1\n  fault: burst", "plan.yaml:3: the key 'fault'"),
        ("- !!python/object:os.system {fault: mute}", "found a tag"),
        ("- &a {fault: mute, after_s: 1}\n" + "- *a\n" * 40, "32 aliases at most"),
        ("[" * 30 + "]" * 30, "20 levels"),
        ("---\n[]\n---\n[]", "a second document"),
        ("# " + "x" * (1 << 20), "more than 1048576 bytes"),
    ],
    ids=range(14),
)
def test_a_wrong_plan_is_refused_with_its_reason(tmp_path, text, reason):
    path = tmp_path / "plan.yaml"
    path.write_text(text)

    with pytest.raises(RefusedError, match=re.escape(reason)):
        schedule.load(path)


def test_a_plan_is_read_without_yamls_guesses(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text("- {fault: what-if, after_s: 1.5, args: {kind: no, for_s: 9:30, a: true}}\n")

    (entry,) = schedule.load(path)

    assert entry.args == {"kind": "no", "for_s": "9:30", "a": True}


def test_an_empty_plan_plays_nothing(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text("# nothing yet\n")

    assert schedule.load(path) == ()


def test_a_plan_may_be_json(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps([{"fault": "mute", "after_s": 1, "args": {"for_s": 2}}]))

    (entry,) = schedule.load(path)

    assert (entry.fault, entry.after_s, entry.args) == ("mute", 1.0, {"for_s": 2})


async def test_the_admin_channel_lists_plays_and_ends(start):
    server = await start()

    listed = await ask(Command(do="faults"), port=server.port)
    played = await ask(Command(do="fault", name="N02", args={"for_s": "60"}), port=server.port)
    status = await ask(Command(do="status"), port=server.port)

    assert len(listed["faults"]) == len(FAULTS)
    assert played["played"] == "mute"
    assert status["playing"] == ["mute"]
    assert status["simulation"] is True
    assert status["accounts"][0].startswith("DU")
    assert (await ask(Command(do="end", name="mute"), port=server.port))["ended"] is True
    server.faults.play("burst")
    assert (await ask(Command(do="end"), port=server.port))["ended"] is True
    assert server.faults.playing() == []


async def test_the_admin_channel_changes_the_speed(start, until):
    server = await start(speed=1.0)
    before_ns = server.gateway.now_ns

    await ask(Command(do="speed", speed=3600.0), port=server.port)

    await until(lambda: server.gateway.now_ns > before_ns + 60 * 10**9)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (Command(do="fault", name="nonsense"), "no fault is called"),
        (Command(do="dance"), "one of status"),
        (Command(do="speed", speed=-1.0), "0 < speed"),
    ],
)
async def test_the_admin_channel_refuses_with_a_reason(start, command, reason):
    server = await start()

    with pytest.raises(RefusedError, match=reason):
        await ask(command, port=server.port)


async def test_nobody_listening_is_said_so(unused_tcp_port):
    with pytest.raises(UnreachableError, match="no practice gateway answers"):
        await ask(Command(do="status"), port=unused_tcp_port)
