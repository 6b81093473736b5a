"""The parts of the live screen that say what the desk does."""

import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from tests.actors.test_strategist import Desk
from tests.cli.test_terminal import HEIGHT, STYLE, WIDTH, inspection, status
from tests.domain.strategy.scenes import regime
from thetawarden.actors.regime import RegimeState
from thetawarden.cli.glance import Section, fitted, sections_of
from thetawarden.cli.summary import draw

plain = st.lists(st.integers(0, 9), max_size=6)


def shown(state):
    return json.loads(msgspec.json.encode(state))


def states():
    desk = Desk()
    desk.refuse(desk.propose())
    desk.propose()
    return {
        "regime": shown(RegimeState(regime=regime())),
        "strategist": shown(desk.state),
        "executor": None,
        "keeper": None,
    }


@given(sizes=plain, rows=st.integers(0, 40))
def test_sections_never_take_more_rows_than_there_are_and_lose_their_last_lines_first(sizes, rows):
    sections = [
        Section(title=str(at), lines=tuple(Text(str(n)) for n in range(size)))
        for at, size in enumerate(sizes)
    ]

    found = fitted(sections, rows)

    assert sum(len(one.lines) + 1 for one in found) <= rows
    for one in found:
        whole = sections[int(one.title)].lines
        assert one.lines == whole[: len(one.lines)]
        assert one.lines


def test_everything_is_shown_when_there_is_room():
    sections = [Section(title="a", lines=(Text("1"), Text("2")))]

    assert fitted(sections, 3) == tuple(sections)


def test_market_candidates_and_decisions_are_told_with_their_reasons():
    found = {one.title: [str(line) for line in one.lines] for one in sections_of(states())}

    assert "regime normal: entries all" in found["market"][0]
    assert "quotes usable" in found["market"][1]
    assert any(line.startswith("+ SPX") and ": for: " in line for line in found["candidates"])
    assert "refused SPX" in found["decisions"][0]
    assert "orders" not in found


def test_a_desk_of_which_nothing_is_known_shows_no_sections():
    nothing = dict.fromkeys(("regime", "strategist", "executor", "keeper"))

    assert sections_of(nothing) == ()


def test_the_screen_holds_what_the_desk_does_and_never_more_than_fits():
    for height in (HEIGHT, 30, 60):
        console = Console(width=WIDTH, height=height, force_terminal=True)
        with console.capture() as capture:
            console.print(
                draw(status(), inspection(), ["the latest"], height=height, states=states())
            )
        screen = STYLE.sub("", capture.get())

        assert screen.count("\n") <= height
        assert "candidates" in screen
        assert "the latest" in screen
