"""`thetawarden gateway` as a real process, used by a real client."""

import contextlib
import datetime as dt
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import ib_async
import pytest

from tests.cli.shell import Shell, wait_for
from thetawarden.practice.account.book import MarginRule
from thetawarden.practice.launch import Asked, OtherMarketError, build_exchange, settle_choices

COMMAND = [sys.executable, "-m", "thetawarden", "gateway"]


def run(*arguments):
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


@contextlib.contextmanager
def serving(*arguments):
    """A gateway on a free port, ended by SIGTERM; yields what it said when it was ready."""
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", "--start", "2026-02-03", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        ready = json.loads(line)
        yield {"port": int(ready["listening"].rpartition(":")[2]), **ready}
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors


async def connect(port, client_id=1):
    client = ib_async.IB()
    await client.connectAsync("127.0.0.1", port, clientId=client_id, timeout=20)
    return client


async def test_a_newcomers_client_sees_a_market_and_its_order_fills():
    with serving("--speed", "120") as gateway:
        client = await connect(gateway["port"])
        stock = ib_async.Stock("SPY", "SMART", "USD")
        await client.qualifyContractsAsync(stock)
        trade = client.placeOrder(stock, ib_async.MarketOrder("BUY", 10))
        while not trade.isDone():
            await client.updateEvent
        positions = {each.contract.symbol: each.position for each in client.positions()}
        client.disconnect()

    assert gateway["simulation"] is True
    assert all(account.startswith("DU") for account in gateway["accounts"])
    assert trade.orderStatus.status == "Filled"
    assert positions == {"SPY": 10.0}


async def test_what_was_bought_is_still_there_after_the_gateway_was_restarted(tmp_path):
    state = str(tmp_path / "state")
    with serving("--speed", "120", "--state", state) as gateway:
        client = await connect(gateway["port"])
        stock = ib_async.Stock("SPY", "SMART", "USD")
        await client.qualifyContractsAsync(stock)
        trade = client.placeOrder(stock, ib_async.MarketOrder("BUY", 7))
        while not trade.isDone():
            await client.updateEvent
        client.disconnect()

    with serving("--speed", "120", "--state", state) as again:
        client = await connect(again["port"])
        held = [(each.contract.symbol, each.position) for each in client.positions()]
        client.disconnect()

    assert held == [("SPY", 7.0)]
    assert again["market_ns"] >= gateway["market_ns"]


async def test_several_accounts_each_have_the_cash_and_the_margin_rule_asked_for(tmp_path):
    asked = ("--accounts", "2", "--cash", "250000", "--margin", "portfolio")
    with serving("--state", str(tmp_path), *asked) as gateway:
        client = await connect(gateway["port"])
        values = await client.accountSummaryAsync()
        client.disconnect()

    worth = {one.account: float(one.value) for one in values if one.tag == "NetLiquidation"}
    assert gateway["accounts"] == ["DU1000001", "DU1000002"]
    assert worth == dict.fromkeys(gateway["accounts"], 250_000.0)
    today = dt.date(2026, 2, 3)
    kept = settle_choices(Asked(), today=today, state=tmp_path)
    terms = [one.terms for one in build_exchange(kept).floor.state.books.values()]
    assert {one.margin for one in terms} == {MarginRule.PORTFOLIO}
    with pytest.raises(OtherMarketError, match="begun with cash 250000, 6000 was asked"):
        settle_choices(Asked(cash=6000), today=today, state=tmp_path)


def test_a_fault_is_played_on_the_running_gateway_and_an_unknown_one_refused():
    with serving() as gateway:
        port = str(gateway["port"])
        played = run("fault", "wide", "--arg", "factor=5", "--port", port, "--json")
        unknown = run("fault", "earthquake", "--port", port)

    assert json.loads(played.stdout)["ok"] is True
    assert unknown.returncode == 3
    assert "earthquake" in unknown.stderr
    assert unknown.stderr.count("\n") == 1


def test_every_fault_a_gateway_can_cause_is_listed_with_one_line():
    listed = json.loads(run("faults", "--json").stdout)

    codes = {each["code"] for each in listed}
    wanted = {f"N{number:02}" for number in range(1, 16)}
    wanted |= {f"M{number:02}" for number in range(1, 15)}
    wanted |= {f"O{number:02}" for number in range(1, 21)}
    assert wanted <= codes
    assert all(each["line"] and "\n" not in each["line"] for each in listed)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--scenario", "doom"), 2, "scenario 'doom' is neither a name nor a file"),
        (("--scenario", __file__), 2, "date and close needed"),
        (("--speed", "-1"), 2, "allowed: a number"),
        (("--speed", "nan"), 2, "allowed: a number"),
        (("--accounts", "0"), 2, "--accounts"),
        (("--margin", "none"), 2, "reg_t"),
        (("--start", "tomorrow"), 2, "tomorrow"),
        (("--port", "99999"), 2, "99999"),
        (("--host", "192.0.2.1"), 3, "loopback"),
        (("--faults", "/nowhere/plan.yaml"), 3, "no plan of faults"),
        (("fault", "wide", "--arg", "factor", "--port", "1"), 2, "allowed: key=value"),
        (("fault", "wide", "--port", "1"), 5, "no practice gateway answers"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line_and_its_exit_code(arguments, code, says):
    done = run(*arguments)

    assert (done.returncode, done.stdout) == (code, "")
    line = [each for each in done.stderr.splitlines() if each.startswith("thetawarden: ")]
    assert len(line) == 1
    assert says in line[0]


async def test_a_desk_in_practice_mode_brings_its_own_market_and_ends_it(tmp_path):
    shell = Shell(tmp_path)
    shell.extra["THETAWARDEN__PRACTICE__GATEWAY"] = "true"
    desk = shell.start("--start", "2026-02-03", "--speed", "120", "--for", "60s")
    try:
        wait_for(lambda: "not answer" not in shell("status", "--json").json["gateway"])
        status = shell("status", "--json").json
        port = int(status["gateway"].rpartition(":")[2])
        client = await connect(port)
        accounts = client.managedAccounts()
        client.disconnect()
        again = shell("run", "--seed", "9")
        shell.end(desk)
    finally:
        shell.close()

    assert accounts[0].startswith("DU")
    assert status["market_time"].startswith("2026-02-03T14:")
    assert status["speed"] == 120.0
    assert again.code == 3  # the desk holds its store
    with pytest.raises(ConnectionError):
        await connect(port)
    other = shell("run", "--seed", "9", "--for", "1s")
    assert (other.code, other.err.count("\n")) == (2, 1)
    assert "was begun with seed 1, 9 was asked" in other.err


def test_a_desk_lives_in_the_time_of_its_practice_market(tmp_path):
    shell = Shell(tmp_path)
    shell.extra["THETAWARDEN__PRACTICE__GATEWAY"] = "true"
    desk = shell.start("--start", "2026-02-03", "--speed", "120", "--for", "60s")
    try:
        earlier = shell("status", "--json").json
        inspected = shell("inspect", "watchdog", "--json").json
        # on a busy machine the gateway may be slow to tell, and then time stands
        wait_for(lambda: shell("status", "--json").json["market_time"] > earlier["market_time"])
        later = shell("status", "--json").json
        shell.end(desk)
    finally:
        shell.close()

    assert "2026-02-03T14:" < earlier["market_time"] < later["market_time"] < "2026-02-03T18"
    handled = inspected["actors"][0]["last_handled_at"]
    assert "2026-02-03T14:" < handled < later["market_time"]
    assert later["next_events"][0]["at"].startswith("2026-02-03T1")  # midnight in New York
    assert later["trading_state"] == "running"  # durations of machine time are still its own
    stamps = [line["at"] for line in shell("log", "show", "--json", "--from-seq", "1").lines]
    assert {stamp[:10] for stamp in stamps} == {"2026-02-03"}
    assert stamps[0].startswith("2026-02-03T14:")
    assert [path.name for path in (shell.store / "log").glob("*.db")] == ["2026-02-03.db"]
    assert shell("log", "show", "--json", "--since", "1s").lines != []
    assert shell("replay", "--verify").code == 0


def test_a_desk_that_is_killed_takes_its_gateway_along(tmp_path):
    shell = Shell(tmp_path)
    shell.extra["THETAWARDEN__PRACTICE__GATEWAY"] = "true"
    desk = shell.start("--start", "2026-02-03", "--for", "60s")
    assert len(gateway_pids(shell)) == 1

    desk.kill()
    desk.communicate()

    wait_for(lambda: gateway_pids(shell) == [])


def test_a_gateway_that_dies_is_started_again_on_its_port(tmp_path):
    shell = Shell(tmp_path)
    shell.extra["THETAWARDEN__PRACTICE__GATEWAY"] = "true"
    shell.start("--start", "2026-02-03", "--for", "60s")
    try:
        before = shell("status", "--json").json
        (pid,) = gateway_pids(shell)
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: gateway_pids(shell) not in ([], [pid]))
        wait_for(lambda: "not answer" not in shell("status", "--json").json["gateway"])
        after = shell("status", "--json").json
    finally:
        shell.close()

    assert after["gateway"] == before["gateway"]
    assert after["trading_state"] == "running"


def gateway_pids(shell):
    """The gateways of this shell's store, by their command lines."""
    state = str(shell.store / "gateway").encode()
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                arguments = (folder / "cmdline").read_bytes().split(b"\0")
                if b"gateway" in arguments and state in arguments:
                    found.append(int(folder.name))
    return found
