"""The guardian of a whole desk, as processes of their own: one is stopped, one killed, one ends.

The gateway runs here, on a market of fakes, so that what reaches it can be looked at.
"""

import asyncio
import contextlib
import json
import os
import signal
from pathlib import Path

import pytest
from ib_async import LimitOrder, Option

from tests.cli.shell import Shell, one_line_error
from thetawarden.errors import EXIT_HALTED

DESK = 17
SILENCE_S, NEVER_S = 4, 60
GUARDED = {
    "THETAWARDEN__GUARDIAN__ENABLED": "true",
    "THETAWARDEN__GUARDIAN__ACT_WITHIN_S": "20",
    "THETAWARDEN__BROKER__AGREE_APART_S": "0.2",
}


@pytest.fixture
def shell(tmp_path):
    with contextlib.closing(Shell(tmp_path / "data")) as each:
        yield each


@pytest.fixture
async def scene(start, connect, until, shell):
    """A gateway with the desk's orders on it, the desk linked to it, and a guardian beside."""
    server = await start()

    async def run(*refs, silence_s=SILENCE_S):
        before = await connect(server, client_id=DESK)
        put = Option("SPY", "20260320", 500.0, "P", "SMART", currency="USD")
        trades = [before.placeOrder(put, LimitOrder("BUY", 1, 0.05, orderRef=ref)) for ref in refs]
        await until(lambda: all(one.orderStatus.status == "Submitted" for one in trades))
        before.disconnect()
        shell.extra = GUARDED | {
            "THETAWARDEN__GUARDIAN__SILENCE_S": str(silence_s),
            "THETAWARDEN__PRACTICE__PORT": str(server.port),
        }
        desk = await asyncio.to_thread(shell.start)
        await until(lambda: DESK in clients(server), timeout_s=60)
        return desk

    run.server = server
    run.person = await connect(server, client_id=1)
    return run


def clients(server):
    return set(server.gateway.sessions)


def children_of(desk):
    return Path(f"/proc/{desk.pid}/task/{desk.pid}/children").read_text().split()


def guardians_of(desk):
    """Whichever thread of the desk started them, for as long as it lives."""
    found = set()
    for task in Path(f"/proc/{desk.pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended
            for pid in (task / "children").read_text().split():
                if b"guardian" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.add(int(pid))
    return found


def is_there(pid):
    return Path(f"/proc/{pid}").exists()


async def working(person):
    """What works at the gateway, by our names of it."""
    trades = await person.reqAllOpenOrdersAsync()
    return {one.order.orderRef for one in trades if not one.isDone()}


async def comes_to(person, expected, *, within_s=60.0):
    ends = asyncio.get_running_loop().time() + within_s
    while (now := await working(person)) != expected:
        assert asyncio.get_running_loop().time() < ends, now
        await asyncio.sleep(0.2)


async def halts(shell, *, within_s=60.0):
    ends = asyncio.get_running_loop().time() + within_s
    while (await asyncio.to_thread(shell, "status")).code != EXIT_HALTED:
        assert asyncio.get_running_loop().time() < ends
        await asyncio.sleep(0.1)


def flag(shell):
    path = shell.store / "halt"
    return json.loads(path.read_text()) if path.exists() else None


def process_state(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def test_p13_a_stopped_desks_entries_are_taken_back_while_it_stands_still(
    scene, shell, until
):
    desk = await scene("T1.open.a1.1", "T2.roll.a2.1")

    os.kill(desk.pid, signal.SIGSTOP)
    await comes_to(scene.person, set())

    assert process_state(desk.pid) == "T"
    assert flag(shell)["by"] == "guardian"
    os.kill(desk.pid, signal.SIGCONT)
    await halts(shell)  # it finds the flag


async def test_p13_of_a_stopped_desk_with_exits_the_entries_go_and_every_exit_stays(scene, shell):
    desk = await scene("T1.open.a1.1", "T0.tp.a0.1", "T0.stop.a0.1")

    os.kill(desk.pid, signal.SIGSTOP)
    await comes_to(scene.person, {"T0.tp.a0.1", "T0.stop.a0.1"})

    assert await asyncio.to_thread(desk.wait, 60) == -signal.SIGKILL
    assert flag(shell)["by"] == "guardian"


async def test_p05_a_killed_desk_that_nobody_starts_again_is_halted_and_its_entries_go(
    scene, shell
):
    desk = await scene("T1.open.a1.1", "T0.tp.a0.1")

    desk.kill()
    await comes_to(scene.person, {"T0.tp.a0.1"})

    assert flag(shell)["by"] == "guardian"


@pytest.mark.parametrize(
    "words", ["guardian: {silence_s: nonsense}\n", "broker: {client_id: 18}\n"]
)
async def test_c07_a_guardian_that_is_started_again_goes_by_what_the_desk_goes_by(
    scene, shell, until, words
):
    desk = await scene("T1.open.a1.1", "T0.tp.a0.1")
    (before,) = guardians_of(desk)
    (shell.data / "thetawarden.yaml").write_text(words)
    os.kill(before, signal.SIGKILL)
    await until(lambda: guardians_of(desk) - {before}, timeout_s=30)

    desk.kill()
    await comes_to(scene.person, {"T0.tp.a0.1"})

    assert flag(shell)["by"] == "guardian"


async def test_a_desk_that_ends_in_good_order_takes_its_guardian_with_it(scene, shell):
    desk = await scene(silence_s=NEVER_S)
    children = children_of(desk)

    code, *_ = await asyncio.to_thread(shell.end, desk)

    assert code == 0
    assert flag(shell) is None
    assert children
    assert not any(is_there(pid) for pid in children)


def test_without_a_desk_there_is_nothing_to_guard(shell):
    assert "no desk runs" in one_line_error(shell("guardian"), 5)
