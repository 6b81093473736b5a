"""The verbs about orders: what they show of an executor's and a keeper's state, and of the log."""

import msgspec
import pytest

from tests.actors.order_desk import Desk, proposal
from tests.actors.test_keeper import order as reported
from thetawarden.actors.keeping import KeeperState
from thetawarden.cli.orders import views_of
from thetawarden.cli.why import lines_of, view_of
from thetawarden.domain.books.book import Book
from thetawarden.domain.books.working import WorkingOrders
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.infra.journal.causes import known_references, story_of
from thetawarden.infra.journal.reader import Wanted
from thetawarden.messages.base import Envelope
from thetawarden.messages.orders import (
    MarginPreviewed,
    OrderApproved,
    OrderSent,
    OrderStageChanged,
    PreviewMargin,
    ProposeOrder,
    SubmitOrder,
)


def plain(state):
    """A state as the control socket tells it."""
    return msgspec.json.decode(msgspec.json.encode(state))


def traded():
    desk = Desk()
    desk.approve()
    desk.settle()
    desk.broker.fill(desk.order(OrderRole.ENTRY).order_ref)
    return desk.settle()


def test_orders_shows_what_the_broker_was_asked_for_with_its_fills():
    views = views_of(plain(traded().state), None)

    by_role = {one.role: one for one in views}
    entry, take_profit = by_role["entry"], by_role["take_profit"]
    assert (entry.action, entry.quantity, entry.filled, entry.limit_usd) == ("SELL", 2, 2, 1.5)
    assert (entry.state, entry.strategy, entry.trade) == ("filled", "s1", "t1")
    assert (take_profit.action, take_profit.state) == ("BUY", "working")
    assert by_role["stop"].stop_usd == 3.0


def test_a_combination_is_bought_in_units_and_its_credit_is_below_zero():
    desk = Desk()
    desk.approve(proposal(ratios=(-1, 1)))

    (entry,) = [one for one in views_of(plain(desk.state), None) if one.role == "entry"]

    assert (entry.action, entry.quantity, entry.limit_usd) == ("BUY", 2, -1.5)
    assert entry.contract == "-1 SPY P500, +1 SPY P490"


def test_an_order_of_somebody_else_is_shown_as_manual():
    stranger = reported(order_ref="", client_id=0)
    keeper = KeeperState(
        book=Book(client_id=1), orders=WorkingOrders(orders={"perm:1001": stranger})
    )

    (view,) = views_of(plain(traded().state), plain(keeper))[-1:]

    assert (view.strategy, view.state, view.order_ref) == ("manual", "working", "")


def test_nothing_known_is_no_order():
    assert views_of(None, None) == []


class Log:
    """Days of a message log, as far as causes are looked for in it."""

    def __init__(self):
        self.rows = []

    def say(self, body, sender="t", cause=None):
        seq = len(self.rows) + 1
        self.rows.append(
            Envelope(
                seq=seq, at_ns=seq * 10**9, sender=sender, incarnation=1, cause_seq=cause, body=body
            )
        )
        return seq

    def of_kinds(self, kinds):
        return (one for one in self.rows if type(one.body).__name__ in kinds)

    def latest(self, wanted):
        assert isinstance(wanted, Wanted)
        return (
            one
            for one in reversed(self.rows)
            if type(one.body).__name__ == wanted.kind and one.seq <= (wanted.until_seq or one.seq)
        )

    def message(self, seq):
        return self.rows[seq - 1] if 0 < seq <= len(self.rows) else None


@pytest.fixture
def told():
    """A proposal whose margin was asked for, its approval, its order, and what came of it."""
    desk, log = traded(), Log()
    asked = proposal()
    proposed = log.say(ProposeOrder(proposal=asked), "strategist")
    preview = log.say(
        PreviewMargin(
            epoch=1,
            asked_by="governor",
            key="k",
            legs=asked.legs,
            units=2,
            limit_usd=asked.limit_usd,
        ),
        "governor",
        proposed,
    )
    answer = log.say(
        MarginPreviewed(epoch=1, asked_by="governor", key="k", answer=None, words="none"), "broker"
    )
    (approval,) = [one for one in desk.told if isinstance(one, OrderApproved)]
    approved = log.say(approval, "governor", answer)
    (submit,) = desk.heard(SubmitOrder)
    sent = log.say(submit, "executor", approved)
    for stage in desk.heard(OrderStageChanged):
        log.say(stage, "executor", approved)
    log.say(OrderSent(epoch=1, order_ref=submit.intent.order_ref, order_id=1), "broker")
    return log, submit, (proposed, preview, answer, approved, sent)


def test_why_leads_from_the_proposal_over_the_margin_to_the_order(told):
    log, submit, chain = told

    story = story_of([log], submit.intent.order_ref)

    assert tuple(link.envelope.seq for link in story.causes) == chain
    assert [link.because_of for link in story.causes] == [None, *chain[:-1]]
    kinds = {type(link.envelope.body) for link in story.effects}
    assert kinds == {OrderStageChanged, OrderSent}
    assert {link.envelope.body.order_ref for link in story.effects} == {submit.intent.order_ref}


def test_an_exit_has_the_causes_of_the_entry_it_left_with(told):
    log, submit, chain = told

    story = story_of([log], submit.exits[0].order_ref)

    assert story.causes[-1].envelope.seq == chain[-1]


def test_why_is_a_tree_that_says_what_each_message_was_about(told):
    log, submit, _ = told

    lines = lines_of(view_of("r", story_of([log], submit.intent.order_ref)))

    assert "ProposeOrder: open 2 x -1 SPY P500 at -1.50" in lines[1]
    assert lines[5].startswith("        └ ")
    assert any("filled, 2 of 2 filled" in line for line in lines)


def test_an_order_nobody_knows_has_no_story_and_the_latest_are_named(told):
    log, submit, _ = told

    assert story_of([log], "nobody") is None
    assert known_references([log], most=2)[0] == submit.intent.order_ref
