"""The message tail: what is new, filtered, bounded, and why it was said."""

from tests.console.screen import driven
from thetawarden.console.grid import Grid


def shown(seen):
    return [row.cells for row in seen.app.query_one("#messages", Grid).rows]


async def test_messages_appear_as_they_are_said(there):
    async with driven(there.world) as seen:
        await seen.press("2")
        await seen.sees("TimerFired", "reason=quotes are old", "following")

        there.log.flood(1)

        await seen.sees("name=tick 4")


async def test_a_flood_is_counted_and_its_end_is_shown(there):
    async with driven(there.world) as seen:
        await seen.press("2")
        await seen.sees("TimerFired")

        there.log.flood(5_000)

        await seen.sees("tick 5003", "4,900 not shown")
        assert len(shown(seen)) == 103


async def test_types_and_senders_are_picked_by_a_part_of_their_name(there):
    async with driven(there.world) as seen:
        await seen.press("2")
        await seen.sees("TimerFired")
        await seen.press("slash")
        await seen.type("halt")
        await seen.until(lambda: [cells[3] for cells in shown(seen)] == ["Halt", "TradingHalted"])
        await seen.press("tab")
        await seen.type("gov")

        await seen.until(lambda: [cells[3] for cells in shown(seen)] == ["TradingHalted"])


async def test_a_tail_that_is_held_stands_still_and_then_catches_up(there):
    async with driven(there.world) as seen:
        await seen.press("2")
        await seen.sees("TimerFired")
        await seen.press("space")
        await seen.sees("held")

        there.log.flood(3)
        await seen.pilot.pause(0.6)
        assert len(shown(seen)) == 3
        await seen.press("space")

        await seen.sees("tick 6")


async def test_a_cursor_off_the_end_stays_with_its_message(there):
    async with driven(there.world) as seen:
        await seen.press("2")
        await seen.sees("TimerFired")
        await seen.press("up", "up")

        there.log.flood(60)
        await seen.until(lambda: len(shown(seen)) == 63)

        grid = seen.app.query_one("#messages", Grid)
        assert (grid.chosen.key, grid.following) == ("1", False)
        await seen.press("f")
        await seen.sees("following", "tick 63")


async def test_a_message_is_shown_whole_with_its_causes_and_answers(there):
    async with driven(there.world) as seen:
        await seen.press("2")
        await seen.sees("TimerFired")
        await seen.press("up", "enter")
        await seen.sees("Halt 2, said by watchdog", "because", "then", '"reason": "quotes are old"')

        await seen.press("up", "enter")
        await seen.sees("TimerFired 1, said by timers")
        await seen.press("escape")
        await seen.sees("Halt 2, said by watchdog")
        await seen.press("escape")

        await seen.sees("2 Messages", "at rest")
