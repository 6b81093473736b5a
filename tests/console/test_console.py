"""The console on a fake desk, at 80 columns and 24 lines."""

from tests.console.screen import driven
from tests.console.world import HALT, actor, status
from thetawarden.errors import RefusedError, UnreachableError
from thetawarden.messages.control import Lanes


async def test_the_first_screen_is_the_tree_of_actors_with_their_health(there):
    async with driven(there.world) as seen:
        await seen.sees("governor", "chain/SPX")

        by_name = {line.split()[-8]: line for line in seen.lines if "/0/" in line}
        assert "failed" in by_name["governor"]
        assert "paused" in by_name["chain/SPX"]
        assert any(line.strip() == "trading" for line in seen.lines)
        assert max(map(len, seen.lines)) <= 80


async def test_the_bar_says_what_a_person_must_know_first(there):
    there.desk.now = status(ailments=("keeper is failed", "disk is full"), reconciled=False)
    async with driven(there.world) as seen:
        await seen.sees("practice x60 · link ready · book NOT reconciled", "keeper is failed")
        assert "(and 1 more)" in seen.lines[1]

        there.desk.now = status(halt=HALT, nlv_usd=None)

        await seen.sees("HALTED (epoch 3) by you: looks odd", "worth ?")


async def test_a_desk_that_does_not_answer_is_said_so_and_asked_again(there):
    there.desk.trouble = UnreachableError("no desk answers for /somewhere")
    async with driven(there.world) as seen:
        await seen.sees("no desk answers for /somewhere", "what is shown below is old")

        there.desk.trouble = None

        await seen.sees("link ready", "governor")


async def test_a_row_changes_where_it_stands_and_the_cursor_stays_with_its_actor(there):
    async with driven(there.world) as seen:
        await seen.sees("governor")
        await seen.press("down", "down")

        busy = Lanes(control=1, orders=2, timer=3, market=444)
        newcomer = actor("clerk", "trading", lanes=busy)
        there.desk.actors = (there.desk.actors[0], newcomer, *there.desk.actors[1:])
        await seen.sees("clerk", "1/2/3/444")
        await seen.press("enter")

        await seen.sees("keeper · running")


async def test_an_actors_state_is_a_tree_that_lives(there):
    there.desk.state = {"latch": {"epoch": 3, "halt": None}, "names": ["a", "b"], "on": True}
    async with driven(there.world) as seen:
        await seen.sees("governor")
        await seen.press("enter")
        await seen.sees("latch (2)", "names (2)", "on: True")
        await seen.press("down", "enter")
        await seen.sees("epoch: 3", "halt: None")

        there.desk.state = {"latch": {"epoch": 4, "halt": None}, "names": [], "new": 1.5}

        await seen.sees("epoch: 4", "names (0)", "new: 1.5")
        assert "on: True" not in seen.text
        await seen.press("escape")
        await seen.sees("1 Actors")


async def test_a_large_state_is_shown_in_part_and_the_rest_counted(there):
    there.desk.state = {"rows": list(range(10_000))}
    async with driven(there.world) as seen:
        await seen.sees("governor")
        await seen.press("enter")
        await seen.sees("rows (10,000)")
        await seen.press("down", "enter", "end")

        await seen.sees("9,500 more")


async def test_a_halt_takes_a_reason_and_escape_leaves_with_nothing_done(there):
    async with driven(there.world) as seen:
        await seen.sees("governor")
        await seen.press("h", "escape")
        await seen.press("h")
        await seen.sees("Halt trading now?")
        await seen.press("enter")
        await seen.sees("A reason is needed")
        await seen.type("looks odd")
        await seen.press("enter")

        await seen.sees("HALTED (epoch 3) by you: looks odd")
        assert there.desk.done == [("halt", "looks odd")]


async def test_a_resume_names_the_halt_that_was_shown_and_no_later_one(there):
    there.desk.now = status(halt=HALT)
    async with driven(there.world) as seen:
        await seen.sees("HALTED (epoch 3)")
        await seen.press("r")
        await seen.sees("Lift halt 3?", "looks odd")
        await seen.type("4")
        await seen.press("enter")
        await seen.sees("Type 3, or Escape")
        await seen.press("backspace")
        await seen.type("3")
        await seen.press("enter")
        await seen.type("seen")
        await seen.press("enter")

        await seen.until(lambda: there.desk.done)
        assert there.desk.done == [("resume", "seen", 3)]


async def test_there_is_nothing_to_resume_while_trading_runs(there):
    async with driven(there.world) as seen:
        await seen.sees("nothing ails")
        await seen.press("r")

        await seen.sees("no halt is in force")


async def test_flatten_takes_the_word_itself_and_a_refusal_is_shown(there):
    async with driven(there.world) as seen:
        await seen.sees("governor")
        await seen.press("F")
        await seen.sees("ALL POSITIONS ARE CLOSED")
        await seen.type("FLATTEN")
        await seen.press("enter")
        await seen.type("enough")
        there.desk.trouble = RefusedError("flatten refused: because")
        await seen.press("enter")

        await seen.sees("flatten refused: because")
        assert there.desk.done == []


async def test_an_actor_is_restarted_paused_and_let_go_on_with_a_reason(there):
    async with driven(there.world) as seen:
        await seen.sees("governor")
        for key, verb in (("R", "restart"), ("P", "pause"), ("U", "unpause")):
            await seen.press(key)
            await seen.sees("watchdog?")
            await seen.type("try")
            await seen.press("enter")

            await seen.until(lambda verb=verb: (verb, "watchdog", "try") in there.desk.done)


async def test_a_table_goes_through_its_choices(there):
    async with driven(there.world) as seen:
        await seen.press("3")
        await seen.sees("the book of first", "SPX 240119P4000", "100")
        await seen.press("right_square_bracket")

        await seen.sees("the book of second")


async def test_every_key_is_told(there):
    async with driven(there.world) as seen:
        await seen.press("question_mark")

        await seen.sees("h   halt", "R restart", "/ filter", "Escape leaves")
        await seen.press("escape")
        await seen.sees("1 Actors")


async def test_nothing_is_drawn_wider_or_higher_than_a_small_terminal(there):
    async with driven(there.world, size=(60, 16)) as seen:
        for keys in (("1",), ("2",), ("3",), ("h",), ("escape", "question_mark")):
            await seen.press(*keys)
            await seen.pilot.pause(0.1)

            assert len(seen.lines) == 16
            assert max(map(len, seen.lines)) <= 60
