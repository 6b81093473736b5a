"""`thetawarden gateway` as a real process, used by a real client."""

import contextlib
import datetime as dt
import functools
import json
import os
import re
import signal
from pathlib import Path

import ib_async
import pytest

from tests.cli.nursery import Child
from tests.cli.shell import Shell, wait_for
from thetawarden.domain.instants import new_york_ns
from thetawarden.practice.account.book import MarginRule
from thetawarden.practice.launch import Asked, OtherMarketError, build_exchange, settle_choices

DAY = "2026-02-03"
BARE = {name: text for name, text in os.environ.items() if "THETAWARDEN" not in name}


@pytest.fixture
def run(shell):
    """The verb, of a person who has set nothing."""
    return functools.partial(shell, "gateway", env=BARE)


@contextlib.contextmanager
def serving(*arguments):
    """A gateway on a free port, ended by SIGTERM; yields what it said when it was ready."""
    process = Child(["gateway", "--port", "0", "--start", DAY, *arguments], environment=BARE)
    try:
        wait_for(lambda: process.poll() is not None or "\n" in process.written()[0])
        line, errors = process.written()
        assert process.poll() is None, errors
        ready = json.loads(line)
        yield {"port": int(ready["listening"].rpartition(":")[2]), **ready}
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
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


@pytest.mark.parametrize(
    "today",
    [
        dt.date(2026, 11, 27),  # half a day, over at 13:00
        dt.date(2026, 11, 28),
        dt.date(2026, 11, 30),
    ],
)
def test_a_new_market_begins_at_the_time_of_day_asked_for_on_a_day_that_lasts(today, tmp_path):
    asked = Asked(begin=dt.time(13, 50))

    new = build_exchange(settle_choices(asked, today=today, state=tmp_path))
    again = settle_choices(Asked(begin=dt.time(9)), today=today, state=tmp_path)

    assert new.now_ns == new_york_ns(dt.date(2026, 11, 30), dt.time(13, 50))
    assert again.begin == dt.time(13, 50)  # what has begun is gone on with


def test_a_time_at_which_no_session_is_left_is_refused_and_nothing_is_begun(run, tmp_path):
    done = run("--begin", "18:00", "--state", str(tmp_path), "--port", "0")

    assert done.code == 2
    assert "begin 18:00 found; allowed: a time before the close" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_fault_is_played_on_the_running_gateway_and_an_unknown_one_refused(run):
    with serving() as gateway:
        port = str(gateway["port"])
        played = run("fault", "wide", "--arg", "factor=5", "--port", port, "--json")
        unknown = run("fault", "earthquake", "--port", port)

    assert json.loads(played.out)["ok"] is True
    assert unknown.code == 3
    assert "earthquake" in unknown.err
    assert unknown.err.count("\n") == 1


def test_every_fault_a_gateway_can_cause_is_listed_with_one_line(run):
    listed = json.loads(run("faults", "--json").out)

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
def test_what_cannot_be_done_is_one_clear_line_and_its_exit_code(run, arguments, code, says):
    done = run(*arguments)

    assert (done.code, done.out) == (code, "")
    line = [each for each in done.err.splitlines() if each.startswith("thetawarden: ")]
    assert len(line) == 1
    assert says in line[0]


@pytest.fixture(scope="module")
def trading(tmp_path_factory):
    """A desk on its own practice market; the last test that uses it ends it."""
    with contextlib.closing(Shell(tmp_path_factory.mktemp("desk"))) as shell:
        shell.extra = {
            "THETAWARDEN__PRACTICE__GATEWAY": "true",
            "THETAWARDEN__PRACTICE__START": DAY,
            "THETAWARDEN__PRACTICE__SPEED": "5",
        }
        shell.process = shell.start("--for", "10m")
        wait_for(lambda: "not answer" not in shell.status().gateway)
        yield shell


def test_a_desk_in_practice_mode_brings_its_own_market(trading):
    status = trading("status", "--json").json
    again = trading("run", "--seed", "9")

    assert status["market_time"].startswith(f"{DAY}T")
    assert status["speed"] == 5.0
    assert again.code == 3  # the desk holds its store


def port_of(trading):
    return int(re.search(r":(\d+)", trading.status().gateway)[1])


async def test_the_market_a_desk_brought_is_open_to_other_clients(trading):
    client = await connect(port_of(trading))
    accounts = client.managedAccounts()
    client.disconnect()

    assert accounts[0].startswith("DU")


def test_a_desk_lives_in_the_time_of_its_practice_market(trading):
    earlier = trading("status", "--json").json
    inspected = trading("inspect", "watchdog", "--json").json
    # on a busy machine the gateway may be slow to tell, and then time stands
    handled = inspected["actors"][0]["last_handled_at"]
    wait_for(lambda: trading.status().market_time > max(earlier["market_time"], handled))
    later = trading("status", "--json").json

    assert f"{DAY}T14:" < earlier["market_time"] < later["market_time"] < f"{DAY}T24"
    assert f"{DAY}T14:" < handled < later["market_time"]
    assert later["next_events"][0]["at"].startswith(f"{DAY}T1")
    assert later["trading_state"] == "running"  # durations of machine time are still its own


def test_a_gateway_that_dies_is_started_again_on_its_port(trading):
    before = trading("status", "--json").json
    (pid,) = gateway_pids(trading)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: gateway_pids(trading) not in ([], [pid]))
    seen = []

    def answers_again():  # on a busy machine it may be slow to, now and then
        seen.append(trading.status())
        return "not answer" not in seen[-1].gateway

    wait_for(answers_again)

    assert seen[-1].gateway == before["gateway"]
    assert seen[-1].trading_state == "running"


async def test_a_desk_that_ends_ends_its_market_and_leaves_a_log_in_its_time(trading):
    port = port_of(trading)
    trading.end(trading.process)

    with pytest.raises(ConnectionError):
        await connect(port)
    stamps = [line["at"] for line in trading("log", "show", "--json", "--from-seq", "1").lines]
    assert {stamp[:10] for stamp in stamps} == {DAY}
    assert stamps[0].startswith(f"{DAY}T14:")
    assert [path.name for path in (trading.store / "log").glob("*.db")] == [f"{DAY}.db"]
    assert trading("log", "show", "--json", "--since", "1s").lines != []
    verified = trading("replay", "--verify")
    assert verified.code == 0, verified.out

    other = trading("run", "--seed", "9", "--for", "1s")
    assert (other.code, other.err.count("\n")) == (2, 1)
    assert "was begun with seed 1, 9 was asked" in other.err


def test_a_desk_that_is_killed_takes_its_gateway_along(shell):
    shell.extra["THETAWARDEN__PRACTICE__GATEWAY"] = "true"
    desk = shell.start("--start", DAY, "--for", "10m")
    assert len(gateway_pids(shell)) == 1

    desk.kill()
    desk.communicate()

    wait_for(lambda: gateway_pids(shell) == [])


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
