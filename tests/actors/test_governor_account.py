"""The account's figures come when the broker likes: what they do not have yet counts as well."""

import itertools

import msgspec
import pytest

from tests.actors.governed import Governed, only, option
from thetawarden.actors.governing import desk_of
from thetawarden.domain.instants import NS_PER_DAY, NS_PER_HOUR
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.domain.risk.ledger import pending_orders
from thetawarden.messages.books import AccountReported
from thetawarden.messages.orders import OrderApproved, OrderRefused

UNITS, MARGIN = 2, 2_000.0
BEFORE, AFTER = 100_000, 104_000


def figures(desk):
    return desk_of(desk.state, desk.governor._settings).account


def needed(desk):
    """Margin in use by what the account says, and kept free beside it."""
    kept = sum(one.margin_usd for one in pending_orders(desk.state.ledger))
    return figures(desk).initial_margin_usd + kept


def valued(desk, values):
    """The count of everything, with account figures that may be older than it."""
    now = desk.values
    desk.values = lambda: values
    said = desk.valued()
    desk.values = now
    return said


def sent(**told):
    """A desk with an entry of two units that works; and the account's figures of before."""
    desk = Governed(instruments=(option(), option(strike=530)))
    approved = desk.approve(units=UNITS, margin=MARGIN, **told)
    desk.stage(approved, Stage.INTENDED)
    desk.stage(approved, Stage.WORKING)
    old = desk.values()
    desk.wait(1)
    return desk, approved, old


@pytest.mark.parametrize("order", list(itertools.permutations(("stage", "fill", "count"))))
def test_margin_of_what_has_filled_counts_whichever_word_of_it_comes_first(order):
    desk, approved, old = sent()
    say = {
        "stage": lambda: desk.stage(approved, Stage.FILLED, filled=UNITS),
        "fill": lambda: desk.fill(approved, units=UNITS),
        "count": lambda: valued(desk, old),
    }

    for name in order:
        say[name]()
        assert needed(desk) == AFTER, name
    valued(desk, old)

    assert desk.state.ledger.reservations == {}
    assert needed(desk) == AFTER
    assert figures(desk).excess_liquidity_usd == 1_000_000 - AFTER


def test_margin_of_what_has_filled_counts_once_when_the_account_has_it():
    desk, approved, old = sent()
    desk.fill(approved, units=UNITS)
    desk.stage(approved, Stage.FILLED, filled=UNITS)
    valued(desk, old)

    desk.wait(1)
    desk.account(margin=AFTER)

    assert needed(desk) == AFTER
    assert desk.state.ahead == ()


def test_margin_that_fills_in_parts_is_let_go_of_in_parts():
    desk, approved, old = sent()
    desk.fill(approved, units=1)
    desk.stage(approved, Stage.PARTIAL, filled=1)
    valued(desk, old)
    assert needed(desk) == AFTER

    desk.wait(1)
    desk.account(margin=102_000)
    assert needed(desk) == AFTER
    desk.wait(1)
    newer = desk.values()
    desk.wait(1)
    desk.fill(approved, units=1)
    desk.stage(approved, Stage.FILLED, filled=2)
    valued(desk, newer)

    assert needed(desk) == AFTER


def test_the_next_entry_finds_no_room_that_the_last_one_has_taken():
    desk, approved, old = sent()
    desk.fill(approved, units=UNITS)
    desk.stage(approved, Stage.FILLED, filled=UNITS)
    valued(desk, old)

    said = desk.answer(desk.propose((option(strike=530), -1), key="P2"), margin=MARGIN)

    (judged,) = only(said, (OrderApproved, OrderRefused))
    (room,) = [one for one in judged.review.findings if one.check == "utilisation"]
    assert room.used == pytest.approx(AFTER / 1_000_000)


def test_what_closes_waits_for_no_account_figures():
    desk, approved, old = sent()
    desk.fill(approved, units=UNITS)
    desk.stage(approved, Stage.FILLED, filled=UNITS)
    valued(desk, old)

    said = desk.propose(
        (option(), 1), key="P2", limit="1.00", units=UNITS, purpose=Purpose.CLOSE, trade="TP1"
    )

    (closing,) = only(said, OrderApproved)
    assert closing.approval.units == UNITS


@pytest.mark.parametrize("back_ns", [NS_PER_HOUR, 30 * NS_PER_DAY])
def test_p09_figures_of_before_the_clock_was_set_back_are_not_kept_until_their_time_comes(back_ns):
    desk, approved, old = sent()
    desk.fill(approved, units=UNITS)
    desk.stage(approved, Stage.FILLED, filled=UNITS)
    valued(desk, old)
    desk.now -= back_ns

    desk.account(nlv=990_000, margin=AFTER)

    assert figures(desk).at_ns == desk.now
    assert needed(desk) == AFTER
    assert (desk.state.equity.at_ns, desk.state.equity.nlv_usd) == (desk.now, 990_000)


def test_figures_that_come_late_are_not_taken_for_the_latest():
    desk = Governed()
    late = msgspec.structs.replace(desk.values(), at_ns=desk.now - 1, initial_margin_usd=None)
    late = msgspec.structs.replace(late, initial_margin_usd=desk.values().initial_margin_usd - 1)

    desk.tell(AccountReported(epoch=1, values=late))

    assert figures(desk).initial_margin_usd == BEFORE
