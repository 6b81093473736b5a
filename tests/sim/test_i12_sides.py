"""I12 wants two sides that are not crossed of what a decision rests on, and of nothing later."""

import math

import msgspec
import pytest

from tests.sim.test_invariants import NOW, Case, intent, submit, ticket
from thetawarden.domain.broker.quote import Quote
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.messages.market import QuotesObserved
from thetawarden.messages.orders import ModifyOrder

GOOD = (1.45, 1.55)
CROSSED = (1.55, 1.45)
UNUSABLE = [CROSSED, (1.5, 1.5), (None, 1.5), (1.5, None), (0.0, 0.05), (math.inf, 1.5)]


def told(*quotes, rests_s=0, epoch=1, held=None):
    """An entry that rests on what was `rests_s` ago; quotes are told seconds ago, oldest first."""
    one = intent()
    asked = submit(one)
    gate = msgspec.structs.replace(asked.gate, quoted_ns=NOW - rests_s * NS_PER_SECOND)
    case = Case("I12")
    for ago_s, (bid_usd, ask_usd) in quotes:
        at_ns = NOW - round(ago_s * NS_PER_SECOND)
        case.world.clock.now_ns = lambda at_ns=at_ns: at_ns
        quote = Quote(conid=7, at_ns=at_ns, bid_usd=bid_usd, ask_usd=ask_usd)
        case.say(QuotesObserved(epoch=epoch, underlying="XSP", quotes=(quote,)))
    case.world.clock.now_ns = lambda: NOW
    return case.say(msgspec.structs.replace(asked, gate=gate)).send(ticket(one))


@pytest.mark.parametrize("sides", UNUSABLE)
def test_i12_an_entry_on_a_quote_without_two_sides_is_found(sides):
    assert told((9, GOOD), (0, GOOD)).holds
    assert not told((9, GOOD), (8, sides), (4, sides), (0, sides)).holds


@pytest.mark.parametrize("sides", UNUSABLE)
def test_i12_what_became_of_a_quote_after_the_decision_is_no_fault(sides):
    assert told((9, GOOD), (5, sides), (2, sides), rests_s=9).holds
    assert not told((9, GOOD), (5, sides), (2, sides), rests_s=2).holds


@pytest.mark.parametrize(("crossed_s", "holds"), [(1.0, True), (1.5, False)])
def test_i12_what_has_just_crossed_stands_at_its_sides_of_before_for_a_moment(crossed_s, holds):
    assert told((9, GOOD), (crossed_s, CROSSED), (0, CROSSED)).holds is holds


def test_i12_what_was_crossed_from_the_beginning_has_no_sides_of_before():
    assert not told((0.5, CROSSED), (0, CROSSED)).holds


def test_i12_an_entry_that_says_it_rests_on_nothing_needs_two_sides_within_the_age_allowed():
    whenever_s = NOW // NS_PER_SECOND

    assert told((9, GOOD), (0, CROSSED), rests_s=whenever_s).holds
    assert not told((20, GOOD), (18, CROSSED), (0, CROSSED), rests_s=whenever_s).holds


def test_i12_sides_that_were_told_over_another_link_are_none():
    case = told((9, GOOD), epoch=1)
    case.world.broker.epoch = 2
    one = intent("t.open.2.1")
    quote = Quote(conid=7, at_ns=NOW, bid_usd=1.5, ask_usd=None)
    case.say(QuotesObserved(epoch=2, underlying="XSP", quotes=(quote,)))

    assert not case.say(submit(one)).send(ticket(one, order_id=2)).holds


def test_i12_a_change_of_an_entry_rests_on_quotes_of_its_own():
    case = told((5, GOOD), rests_s=5)
    quote = Quote(conid=7, at_ns=NOW, bid_usd=1.5, ask_usd=None)
    case.say(QuotesObserved(epoch=1, underlying="XSP", quotes=(quote,)))
    walked = ModifyOrder(epoch=1, intent=intent(), gate=submit(intent()).gate, number=1)

    assert case.holds
    assert not case.say(walked).send(ticket(intent())).holds
