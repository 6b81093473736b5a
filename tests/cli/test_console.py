"""The console on a real terminal, beside a real desk: what a person would see, and do."""

import contextlib

import pytest

from tests.cli.shell import DEADLINE_S, Shell, one_line_error, wait_for
from tests.cli.terminal import Terminal


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A desk of one's own, as it is halted here."""
    with contextlib.closing(Shell(tmp_path_factory.mktemp("desk") / "data")) as each:
        each.start()
        yield each


@pytest.fixture
def console(desk):
    environment = {name: text for name, text in desk.environment.items() if name != "COLUMNS"}
    terminal = Terminal("console", environment=environment)
    yield terminal
    terminal.close()


def test_a_person_looks_around_halts_and_resumes(console, desk):
    console.sees("THETAWARDEN practice", "governor", "├ connection", "running")

    console.press("h")
    console.sees("Halt trading now?")
    console.press("looks odd\r")
    console.sees("HALTED (epoch")
    assert desk("status", "--json").json["halt"]["reason"] == "looks odd"

    console.press("2")
    console.sees("following")
    console.press("/")
    console.sees("Enter when done")
    console.press("halted\r")
    console.sees("TradingHalted", "looks odd")
    console.opens("\r", "said by governor")
    console.sees("TradingHalted", "said by governor", "because", '"reason": "looks odd"')
    console.press("\x1b")
    console.sees("2 Messages")

    epoch = desk("status", "--json").json["halt"]["epoch"]
    console.press("r")
    console.sees(f"Lift halt {epoch}?")
    console.press(f"{epoch}\r")
    console.sees("A reason is needed")
    console.press("I have looked\r")
    wait_for(lambda: desk.status().halt is None)
    assert desk("status").code == 0
    assert console.ends("q") == 0
    assert "\x1b" not in console.text


def test_an_actors_state_is_seen_live(console):
    console.sees("watchdog", "running")
    console.press("\r")

    console.sees("watchdog · running · incarnation 1", "findings")


def test_without_a_desk_the_console_waits_for_one_and_can_halt_it_all_the_same(shell):
    shell.data.mkdir(mode=0o700)
    terminal = Terminal("console", environment=shell.environment)
    terminal.sees("no desk answers")

    terminal.press("h")
    terminal.sees("Halt trading now?")
    terminal.press("it hangs\r")
    terminal.sees("the halt flag is raised")
    assert "it hangs" in (shell.store / "halt").read_text()

    assert terminal.ends("q") == 0
    terminal.close()


def test_a_console_without_a_terminal_says_so(shell):
    assert "needs a terminal" in one_line_error(shell("console"), 2)


def test_a_console_whose_terminal_is_gone_ends(shell):
    shell.data.mkdir(mode=0o700)
    with contextlib.closing(Terminal("console", environment=shell.environment)) as terminal:
        terminal.sees("no desk answers")

        terminal.hang_up()

        assert terminal.process.wait(DEADLINE_S) != 0
