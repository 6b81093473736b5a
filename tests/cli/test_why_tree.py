"""A chain of causes as a tree: every message stands below the one it follows from."""

import pytest

from tests.actors.governed import T0
from thetawarden.cli.why import CauseView, lines_of, tree_of, view_of, views_of
from thetawarden.domain.broker.orders import Commission
from thetawarden.infra.journal.causes import BEATS_MAX, Link, Story
from thetawarden.messages.base import Envelope
from thetawarden.messages.books import CommissionReported
from thetawarden.messages.timers import TimerFired


def told(seq, because_of=None):
    return CauseView(seq=seq, at="t", sender="s", type="T", because_of=because_of, words="w")


def shown(*views):
    """Each line's number behind its level."""
    return [
        ((len(line) - len(line.lstrip())) // 2, int(line.replace("└", "").split()[0]))
        for line in tree_of(views)
    ]


def fired(again):
    body = TimerFired(name="look")
    envelope = Envelope(seq=1, at_ns=T0, sender="timers", incarnation=0, cause_seq=None, body=body)
    return Link(envelope=envelope, because_of=None, again=again)


def test_what_follows_stands_below_its_cause_and_not_below_what_was_said_before_it():
    tree = shown(told(1), told(4, 1), told(3, 1), told(5, 4), told(6, 3), told(7, 5), told(8, 4))

    assert tree == [(0, 1), (1, 3), (2, 6), (1, 4), (2, 5), (3, 7), (2, 8)]


def test_what_follows_from_nothing_that_is_shown_begins_a_tree_of_its_own():
    assert shown(told(5), told(6, 5), told(2), told(3, 2), told(9, 7)) == [
        *[(0, 5), (1, 6)],
        *[(0, 2), (1, 3)],
        (0, 9),
    ]


def test_nothing_is_no_tree():
    assert tree_of(()) == []


@pytest.mark.parametrize(
    ("again", "words"),
    [
        (0, "look"),
        (1, "look, after firing once and starting itself anew"),
        (1_234, "look, after firing 1,234 times and starting itself anew"),
        (BEATS_MAX, f"look, after firing at least {BEATS_MAX:,} times and starting itself anew"),
    ],
)
def test_a_timer_says_how_often_it_fired_before(again, words):
    (view,) = views_of((fired(again),))

    assert (view.words, view.again) == (words, again)


def test_a_cost_says_of_which_fill_it_is():
    commission = Commission(execution_id="1.01", commission_usd="1.30")
    body = CommissionReported(epoch=1, commission=commission)
    envelope = Envelope(seq=2, at_ns=T0, sender="b", incarnation=0, cause_seq=None, body=body)
    story = Story(causes=(fired(0),), effects=(Link(envelope=envelope, because_of=1),))

    assert lines_of(view_of("r", story))[2].endswith("CommissionReported: 1.30 USD for 1.01")
