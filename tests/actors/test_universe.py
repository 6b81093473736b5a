"""The universe: what was chosen and what is held is watched, and nothing else."""

from thetawarden.actors.universe import Universe
from thetawarden.messages.context import HoldingsNamed
from thetawarden.messages.lifecycle import Begin, Quiesce, WatchUnderlyings

BEGIN = Begin(incarnation=1, resumed=False)


def universe():
    return Universe(chosen=("SPX", "SPY"))


def test_it_begins_with_what_a_person_chose():
    assert universe().receive(BEGIN, 0) == (WatchUnderlyings(underlyings=("SPX", "SPY")),)


def test_what_is_held_is_watched_though_nobody_chose_it():
    actor = universe()
    actor.receive(BEGIN, 0)

    said = actor.receive(HoldingsNamed(underlyings=("SPY", "AAPL")), 0)

    assert said == (WatchUnderlyings(underlyings=("SPX", "SPY", "AAPL")),)
    assert actor.receive(HoldingsNamed(underlyings=("AAPL", "SPY")), 0) == ()


def test_what_is_no_longer_held_is_let_go_unless_it_was_chosen():
    actor = universe()
    actor.receive(BEGIN, 0)
    actor.receive(HoldingsNamed(underlyings=("SPY", "AAPL")), 0)

    assert actor.receive(HoldingsNamed(underlyings=()), 0) == (
        WatchUnderlyings(underlyings=("SPX", "SPY")),
    )


def test_after_a_crash_it_asks_for_the_same_again():
    actor = universe()
    actor.receive(BEGIN, 0)
    (before,) = actor.receive(HoldingsNamed(underlyings=("AAPL",)), 0)

    assert actor.receive(Begin(incarnation=2, resumed=True), 0) == (before,)
    assert actor.receive(Quiesce(), 0) == ()
