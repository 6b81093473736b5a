"""The keeper: compares before it believes, explains before it adopts, and says what froze us."""

import datetime as dt
from decimal import Decimal

import msgspec
import pytest

from tests.actors.governed import settings
from tests.domain.books.accounts import (
    ACCOUNT,
    CLIENT,
    SECOND,
    T0,
    bought,
    cost,
    option,
    position,
    stock,
)
from tests.domain.books.test_marks import view
from thetawarden.actors.governor import Governor
from thetawarden.actors.keeper import Keeper
from thetawarden.actors.keeping import KeeperSettings, KeeperState
from thetawarden.actors.notifier import Notifier
from thetawarden.domain.books.book import cash_usd, holdings
from thetawarden.domain.books.judge import LAG_NS
from thetawarden.domain.broker.account import AccountValues
from thetawarden.domain.broker.orders import BrokerOrder, BrokerOrderState
from thetawarden.domain.instants import NS_PER_DAY, NS_PER_HOUR, new_york_ns
from thetawarden.domain.link.states import LinkState
from thetawarden.messages.books import (
    AcceptBook,
    AccountReported,
    BookFetched,
    BookJudged,
    CommissionReported,
    ExecutionReported,
    FillBooked,
    MarkObserved,
    OrderReported,
    PositionExplained,
    PositionReported,
    PositionsValued,
    RefreshBook,
)
from thetawarden.messages.chains import ChainViewed, InterestChanged
from thetawarden.messages.context import HoldingsNamed
from thetawarden.messages.lifecycle import Begin
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.operations import DeliverAlert, NotifyPerson, Urgency
from thetawarden.messages.timers import StartTimer, TimerFired
from thetawarden.messages.trading import Halt

CONFIRM = 10 * SECOND


def values(cash, **fields):
    fields = {"account": ACCOUNT, "at_ns": T0, "ready": True, "cash_usd": Decimal(cash)} | fields
    return AccountValues(**fields)


def order(quantity=-1, number=1, state=BrokerOrderState.WORKING, **changes):
    fields = {
        "perm_id": 1000 + number,
        "order_id": number,
        "client_id": CLIENT,
        "order_ref": f"t.{number}",
        "instrument": option(),
        "state": state,
        "quantity": Decimal(quantity),
        "filled": Decimal(0),
        "order_type": "LMT",
    } | changes
    return BrokerOrder(**fields)


class Desk:
    """A keeper, the instant, and a broker's book that a test sets as it likes."""

    def __init__(self, *, cash="100000", positions=(), executions=()):
        self.keeper = Keeper(KeeperSettings(client_id=CLIENT))
        self.now, self.round = T0 + NS_PER_HOUR, 0
        self.cash, self.positions, self.executions = cash, positions, executions
        self.commissions, self.orders = (), ()
        self.tell(LinkChanged(epoch=1, state=LinkState.SYNCING, entries=False, why="t"))

    @property
    def state(self):
        return self.keeper.state

    def tell(self, message, after=SECOND):
        self.now += after
        return self.keeper.receive(message, self.now)

    def fetch(self, after=CONFIRM, missing=(), **changes):
        self.round += 1
        if self.state.soon:
            self.tell(TimerFired(name="refresh_soon"), after=0)
        book = BookFetched(
            epoch=1,
            round=self.round,
            missing=missing,
            orders=self.orders,
            completed=(),
            executions=self.executions,
            commissions=self.commissions,
            positions=self.positions,
            values=values(self.cash),
        )
        return self.tell(msgspec.structs.replace(book, **changes), after)

    def agree(self):
        for _ in range(3):
            verdict = judged(self.fetch())
            if verdict.agreed:
                return self
        raise AssertionError(verdict.unexplained)

    def held(self, conid):
        return holdings(self.state.book)[f"{ACCOUNT}/{conid}"]


def only(said, kind):
    return [one for one in said if isinstance(one, kind)]


def judged(said):
    (verdict,) = only(said, BookJudged)
    return verdict


def test_an_empty_account_agrees_at_once():
    verdict = judged(Desk().fetch())

    assert (verdict.agreed, verdict.unexplained, verdict.round) == (True, (), 1)


def test_what_the_account_holds_at_first_is_adopted_once_seen_twice_and_nothing_is_traded():
    desk = Desk(positions=(position(stock(), 100, "50.01"),))

    first = desk.fetch()
    second = desk.fetch()

    assert not judged(first).agreed
    assert only(first, StartTimer)
    assert judged(second).agreed
    (adopted,) = only(second, PositionExplained)
    assert (adopted.cause, adopted.before, adopted.after) == ("opening", 0, 100)
    assert only(first, HoldingsNamed) == [HoldingsNamed(underlyings=("SPY",))]
    assert desk.held(1).average_cost_usd == Decimal("50.01")


def test_fills_of_the_day_that_were_adopted_are_not_counted_again():
    fill = bought(stock(), 100, "50")
    desk = Desk(positions=(position(stock(), 100, "50.01"),), executions=(fill,)).agree()

    said = desk.tell(ExecutionReported(epoch=1, execution=fill))

    assert said == ()
    assert desk.held(1).quantity == 100


@pytest.mark.parametrize("missing", ["positions", "executions", "account values", "open orders"])
def test_a_fetch_that_is_not_whole_reconciles_nothing(missing):
    desk = Desk().agree()

    said = desk.fetch(missing=(missing,))

    assert judged(said).unexplained == (f"{missing} did not come",)
    assert only(said, NotifyPerson) == []


def test_an_account_that_is_still_summed_up_reconciles_nothing():
    said = Desk().fetch(values=values("100000", ready=False))

    assert judged(said).unexplained == ("the account is still summed up",)


def test_a_fill_of_ours_is_booked_and_the_book_compared_soon():
    desk = Desk().agree()

    said = desk.tell(ExecutionReported(epoch=1, execution=bought(option(), -2, "1.50")))
    priced = desk.tell(CommissionReported(epoch=1, commission=cost(1, "2.00")))

    (fill,), (valued,) = only(said, FillBooked), only(said, PositionsValued)
    assert [one.book_quantity for one in valued.positions] == [-2]
    assert (fill.cause, fill.position_after, fill.commission_kind) == ("trade", -2, "estimated")
    assert only(said, PositionExplained) == []
    assert only(said, StartTimer) == [StartTimer(name="refresh_soon", after_ns=SECOND)]
    (again,) = only(priced, FillBooked)
    assert (again.commission_usd, again.cash_usd) == (2, 298)
    assert only(desk.tell(TimerFired(name="refresh_soon")), RefreshBook)


def test_many_fills_at_once_ask_for_one_comparison():
    desk = Desk().agree()

    said = [
        desk.tell(
            ExecutionReported(epoch=1, execution=bought(option(), -1, "1", number=n)), after=1
        )
        for n in range(1, 6)
    ]

    assert len([one for some in said for one in only(some, StartTimer)]) == 1


def test_after_a_fill_that_both_know_the_books_agree_at_once():
    desk = Desk().agree()
    fill = bought(option(), -2, "1.50")
    desk.tell(ExecutionReported(epoch=1, execution=fill))
    desk.cash, desk.positions = "100298.00", (position(option(), -2, "149"),)
    desk.executions, desk.commissions = (fill,), (cost(1, "2.00"),)

    assert judged(desk.fetch()).agreed


def test_O04_a_repeated_execution_is_said_once():
    desk = Desk().agree()
    told = ExecutionReported(epoch=1, execution=bought(option(), -2, "1.50"))

    assert only(desk.tell(told), FillBooked)
    assert desk.tell(told) == ()


def test_O05_an_execution_that_only_the_list_shows_is_booked():
    desk = Desk().agree()
    desk.executions, desk.commissions = (bought(option(), -2, "1.50"),), (cost(1, "2"),)
    desk.cash, desk.positions = "100298", (position(option(), -2, "149"),)

    said = desk.fetch()

    assert len(only(said, FillBooked)) == 1
    assert judged(said).agreed


def test_O07_a_cost_that_never_comes_holds_nothing_up():
    desk = Desk().agree()
    desk.executions = (bought(option(), -2, "1.50"),)
    desk.cash, desk.positions = "100298.37", (position(option(), -2, "149.185"),)

    said = desk.fetch()

    assert judged(said).agreed
    assert desk.held(2).fees_usd == Decimal("1.63")
    told = desk.tell(CommissionReported(epoch=1, commission=cost(1, "1.6271")))
    assert only(told, FillBooked)[0].commission_kind == "reported"
    assert judged(desk.fetch()).agreed


def test_O08_a_bust_takes_the_position_back_and_is_said_aloud():
    desk = Desk().agree()
    desk.tell(ExecutionReported(epoch=1, execution=bought(option(), -2, "1.50")))

    said = desk.tell(ExecutionReported(epoch=1, execution=bought(option(), -2, "0", revision=2)))

    (told,) = only(said, PositionExplained)
    assert (told.cause, told.before, told.after) == ("correction", -2, 0)
    assert desk.held(2).quantity == 0


def test_O09_an_order_whose_permanent_number_changes_stays_one_order():
    desk = Desk().agree()

    desk.tell(OrderReported(epoch=1, order=order(perm_id=0)))
    desk.tell(OrderReported(epoch=1, order=order(perm_id=77)))

    assert [one.perm_id for one in desk.state.orders.orders.values()] == [77]


def test_O06_an_order_that_ended_is_not_revived_by_a_late_word_but_by_the_list():
    desk = Desk().agree()
    desk.tell(OrderReported(epoch=1, order=order(state=BrokerOrderState.FILLED)))

    desk.tell(OrderReported(epoch=1, order=order()))
    late = len(desk.state.orders.orders)
    desk.orders = (order(),)
    desk.fetch()

    assert (late, len(desk.state.orders.orders)) == (0, 1)


def test_H01_a_trade_by_hand_is_taken_into_the_book_and_said_aloud():
    desk = Desk().agree()
    manual = bought(stock(), 10, "50", order_ref="", client_id=0)

    said = desk.tell(ExecutionReported(epoch=1, execution=manual))

    (told,) = only(said, PositionExplained)
    assert (told.cause, told.after) == ("manual_trade", 10)
    assert "traded by hand" in told.words
    assert only(said, Halt) == []


def test_I30_an_order_by_hand_is_named_once_and_left_alone():
    desk = Desk().agree()
    manual = order(order_ref="", client_id=0)

    first = desk.tell(OrderReported(epoch=1, order=manual))
    second = desk.tell(OrderReported(epoch=1, order=manual))

    (told,) = only(first, NotifyPerson)
    assert "not ours" in told.text
    assert second == ()
    assert desk.state.orders.orders != {}


def test_O20_a_liquidation_halts():
    desk = Desk().agree()

    said = desk.tell(
        ExecutionReported(epoch=1, execution=bought(stock(), -10, "50", liquidation=True))
    )

    (halt,) = only(said, Halt)
    assert "the broker liquidates" in halt.reason
    assert only(said, PositionExplained)[0].cause == "liquidation"


def test_I15_more_filled_than_ordered_halts_and_the_position_follows_the_broker():
    desk = Desk().agree()
    desk.tell(OrderReported(epoch=1, order=order(quantity=-2)))

    whole = desk.tell(ExecutionReported(epoch=1, execution=bought(option(), -2, "1")))
    more = desk.tell(
        ExecutionReported(epoch=1, execution=bought(option(), -1, "1", number=2, perm_id=1001))
    )

    assert only(whole, Halt) == []
    (halt,) = only(more, Halt)
    assert "1 more filled than ordered (-2)" in halt.reason
    assert desk.held(2).quantity == -3


def test_O19_an_assignment_is_explained_when_it_was_seen_twice():
    desk = Desk(positions=(position(option(), -2, "149"),)).agree()
    desk.positions, desk.cash = (position(stock(), 200, "500"),), "0"
    doubt = desk.tell(PositionReported(epoch=1, position=position(option(), 0)))

    first, second = desk.fetch(), desk.fetch()

    assert only(doubt, StartTimer)
    assert not judged(first).agreed
    assert only(first, PositionExplained) == only(first, NotifyPerson) == []
    assert judged(second).agreed
    assert [one.cause for one in only(second, PositionExplained)] == ["assignment"] * 2
    assert desk.held(1).average_cost_usd == 500


def test_a_dividend_of_the_night_is_explained_though_the_books_agreed_after_midnight():
    desk = Desk(positions=(position(stock(), 200, "500"),)).agree()
    desk.now = new_york_ns(dt.date(2026, 1, 21), dt.time(1))
    assert judged(desk.fetch()).agreed

    desk.now, desk.cash = new_york_ns(dt.date(2026, 1, 21), dt.time(4)), "100200"
    paid = [desk.fetch(), desk.fetch()]
    desk.now = new_york_ns(dt.date(2026, 1, 21), dt.time(7))
    desk.fetch()
    desk.now, desk.cash = new_york_ns(dt.date(2026, 1, 21), dt.time(11)), "100400"
    by_day = [desk.fetch(), desk.fetch()]

    assert judged(paid[-1]).agreed
    assert [one.cause for one in only(paid[-1], PositionExplained)] == ["dividend"]
    assert not judged(by_day[-1]).agreed


def test_an_assignment_that_is_told_as_executions_after_all_is_not_counted_twice():
    desk = Desk(positions=(position(option(), -2, "149"),)).agree()
    desk.positions, desk.cash = (position(stock(), 200, "500"),), "0"
    desk.agree()
    nobody = {"perm_id": 0, "order_id": 0, "client_id": 0, "order_ref": ""}
    late_s = (desk.now - T0) // SECOND
    desk.executions = (
        bought(option(), 2, "0", number=8, at_s=late_s, **nobody),
        bought(stock(), 200, "500", number=9, at_s=late_s, **nobody),
    )

    said = desk.fetch()

    assert judged(said).agreed
    assert (desk.held(1).quantity, desk.held(2).quantity) == (200, 0)
    assert cash_usd(desk.state.book, ACCOUNT) == 0
    assert {one.cause for one in only(said, FillBooked)} == {"assignment"}


def test_a_fetch_that_raced_with_a_fill_changes_nothing():
    desk = Desk().agree()
    desk.positions, desk.cash = (position(option(), -1, "149"),), "100149"
    raced = desk.fetch()
    desk.executions, desk.commissions = (bought(option(), -1, "1.50"),), (cost(1, "1"),)

    whole = desk.fetch()

    assert (judged(raced).agreed, judged(whole).agreed) == (False, True)
    assert only(whole, PositionExplained) == []


def sold_twice(desk, *, off_s):
    """Two fills are told, dated so far off, and positions show them; the cash does not."""
    desk.agree()
    for number in (1, 2):
        dated = desk.now // SECOND - T0 // SECOND + off_s
        late = bought(option(), -1, "1.50", number=number, at_s=dated)
        desk.tell(ExecutionReported(epoch=1, execution=late))
        desk.tell(CommissionReported(epoch=1, commission=cost(number, "1")))
    desk.positions, desk.cash = (position(option(), -2, "149"),), "100149"
    return desk


@pytest.mark.parametrize("off_s", [0, 7200, -7200])
def test_m14_cash_that_lags_behind_the_fills_alarms_nobody_and_holds_entries_up(off_s):
    desk = sold_twice(Desk(), off_s=off_s)

    said = [desk.fetch() for _ in range(4)]
    desk.cash = "100298"

    assert {judged(one).unexplained for one in said} == {
        ("the broker's cash does not show the latest fills yet",)
    }
    assert [one for some in said for one in only(some, NotifyPerson)] == []
    assert judged(desk.fetch()).agreed


@pytest.mark.parametrize("off_s", [0, 7200, -7200])
def test_m14_cash_that_never_shows_the_fills_alarms_when_it_had_the_time_to(off_s):
    desk = sold_twice(Desk(), off_s=off_s)

    said = [desk.fetch() for _ in range(2 * LAG_NS // CONFIRM)]

    alarms = [at for at, one in enumerate(said) if only(one, NotifyPerson)]
    assert len(alarms) == 1
    assert LAG_NS <= alarms[0] * CONFIRM < LAG_NS + 3 * CONFIRM


def test_what_is_found_twice_too_soon_is_not_yet_believed():
    desk = Desk(positions=(position(option(), -2, "149"),)).agree()
    desk.positions = ()

    verdicts = [judged(desk.fetch(after=4 * SECOND)).agreed for _ in range(4)]

    assert verdicts == [False, False, False, True]


def test_what_stays_unexplained_freezes_and_alarms_once_until_a_later_book_explains_it():
    desk = Desk().agree()
    fill = bought(stock(), 10, "50", order_ref="", client_id=3)
    desk.positions, desk.cash = (position(stock(), 10, "50.10"),), "99499"
    desk.fetch()

    found, again = desk.fetch(), desk.fetch()
    desk.executions, desk.commissions = (fill,), (cost(1, "1.00"),)
    solved = desk.fetch()

    (alarm,) = only(found, NotifyPerson)
    assert alarm.urgency is Urgency.CRITICAL
    assert "the broker holds 10, our book 0" in alarm.text
    assert not judged(found).agreed
    assert only(again, NotifyPerson) == []
    assert judged(solved).agreed
    assert [one.urgency for one in only(solved, NotifyPerson)] == [Urgency.NORMAL]


def test_a_cent_is_a_difference():
    desk = Desk().agree()
    desk.cash = "100000.01"

    desk.fetch()
    found = judged(desk.fetch())

    assert found.unexplained == (f"cash of {ACCOUNT}: +0.01 USD more than our book says",)


def test_a_person_may_accept_what_nothing_explains():
    desk = Desk().agree()
    desk.positions, desk.cash = (position(stock(), 10, "50.10"),), "99499"
    desk.fetch()
    desk.fetch()

    asked = desk.tell(AcceptBook(reason="bought by phone", by="ann"))
    said = desk.fetch()

    assert only(asked, RefreshBook)
    assert judged(said).agreed
    assert {one.cause for one in only(said, PositionExplained)} == {"accepted"}
    assert "bought by phone (ann)" in only(said, PositionExplained)[0].words
    assert cash_usd(desk.state.book, ACCOUNT) == 99499
    assert judged(desk.fetch()).agreed


def test_a_book_of_an_older_link_is_not_looked_at():
    desk = Desk().agree()
    desk.tell(LinkChanged(epoch=2, state=LinkState.SYNCING, entries=False, why="t"))

    assert desk.fetch() == ()


def test_the_books_are_compared_every_five_minutes_while_there_is_a_link():
    desk = Desk()
    desk.tell(Begin(incarnation=1, resumed=False))

    linked = desk.tell(TimerFired(name="refresh"))
    desk.tell(LinkChanged(epoch=1, state=LinkState.DOWN, entries=False, why="t"))
    unlinked = desk.tell(TimerFired(name="refresh"))

    assert only(linked, StartTimer) == [StartTimer(name="refresh", after_ns=300 * SECOND)]
    assert only(linked, RefreshBook)
    assert only(unlinked, RefreshBook) == []
    assert only(unlinked, StartTimer)


def test_after_a_restart_nothing_is_believed_before_it_was_compared_again():
    desk = Desk().agree()

    said = desk.tell(Begin(incarnation=2, resumed=True))

    assert not judged(said).agreed
    assert only(said, RefreshBook)
    assert judged(desk.fetch()).agreed


def test_positions_are_valued_with_marks_and_the_day_begins_anew_in_new_york():
    desk = Desk(positions=(position(option(), -2, "149"),)).agree()
    mark = MarkObserved(epoch=1, conid=2, mark_usd=Decimal("1.20"), at_ns=T0, delta_per_share=-0.3)
    desk.tell(mark)

    (valued,) = only(desk.tell(TimerFired(name="value")), PositionsValued)
    (row,) = valued.positions

    assert (row.mark_usd, row.unrealised_usd, row.delta_shares) == (Decimal("1.20"), 58, 60.0)
    assert row.gamma_shares_per_usd is None  # the broker's own mark says nothing of it
    assert row.day_usd is None  # nobody knows what it was worth when the book was opened
    desk.tell(msgspec.structs.replace(mark, mark_usd=Decimal("1.10")), after=NS_PER_DAY)
    (later,) = only(desk.tell(TimerFired(name="value")), PositionsValued)
    assert later.positions[0].day_usd == 20
    assert later.results[""] == later.results["SPY"]


def test_a_chains_view_marks_what_is_held_on_it_and_tells_where_the_underlying_stands():
    desk = Desk(positions=(position(option(), -2, "149"),)).agree()

    desk.tell(ChainViewed(underlying="SPY", view=view((2, 1.1, 1.3, -0.25, 0))))
    (valued,) = only(desk.tell(TimerFired(name="value")), PositionsValued)

    assert (valued.positions[0].mark_usd, valued.positions[0].delta_shares) == (Decimal("1.2"), 50)
    assert (
        valued.positions[0].vega_usd_per_vol_point == 0.0
    )  # as the view has it; -200 shares of it
    assert desk.state.spots_usd == {"SPY": Decimal("500.25")}


def test_the_watchers_hear_which_options_are_held_and_hear_it_again_with_every_valuation():
    desk = Desk().agree()
    desk.tell(ExecutionReported(epoch=1, execution=bought(option(), -2, "1.50")))
    desk.positions, desk.executions = (position(option(), -2, "149"),), ()

    (first,) = only(desk.fetch(), InterestChanged)
    again = only(desk.tell(TimerFired(name="value")), InterestChanged)
    desk.positions = ()
    (gone,) = only(desk.fetch(), InterestChanged)

    assert (first.underlying, first.owner, first.priority) == ("SPY", "keeper", 0)
    assert [one.conid for one in first.instruments] == [2]
    assert again == [first]
    assert gone.instruments == ()
    assert only(desk.tell(TimerFired(name="value")), InterestChanged) == []


def test_account_values_that_are_not_ready_replace_nothing():
    desk = Desk().agree()

    desk.tell(AccountReported(epoch=1, values=values("5", ready=False)))

    assert desk.state.values.cash_usd == 100_000


def test_the_state_comes_back_from_the_log_as_it_was():
    desk = Desk(positions=(position(option(), -2, "149"),)).agree()
    desk.tell(ExecutionReported(epoch=1, execution=bought(stock(), 5, "50", number=4)))

    again = msgspec.msgpack.decode(msgspec.msgpack.encode(desk.state), type=KeeperState)

    assert again == desk.state


def test_the_governor_freezes_entries_until_link_and_book_can_be_rested_on():
    governor = Governor(settings=settings())
    ready = LinkChanged(epoch=1, state=LinkState.READY, entries=True, why="agreed")
    agreed = BookJudged(epoch=1, round=1, agreed=True, unexplained=())

    assert set(governor.state.frozen) == {"link", "book"}
    governor.receive(ready, T0)
    governor.receive(agreed, T0)
    assert governor.state.frozen == {}
    governor.receive(msgspec.structs.replace(agreed, agreed=False, unexplained=("SPY",)), T0)
    assert governor.state.frozen == {"book": "SPY"}
    governor.receive(msgspec.structs.replace(ready, state=LinkState.DOWN, entries=False), T0)
    assert "the link is down" in governor.state.frozen["link"]


def test_the_person_hears_of_every_explained_change():
    explained = PositionExplained(
        account=ACCOUNT,
        conid=2,
        contract="SPY P500",
        before=Decimal(-1),
        after=Decimal(0),
        cause="assignment",
        cash_usd=Decimal(0),
        words="SPY P500: 1 assigned",
    )

    (alert,) = Notifier().receive(explained, T0)

    assert isinstance(alert, DeliverAlert)
    assert "1 assigned" in alert.text


def test_days_are_carried_forward_and_the_book_still_agrees():
    desk = Desk().agree()
    fill = bought(option(), -2, "1.50", at_s=7200)
    desk.tell(ExecutionReported(epoch=1, execution=fill))
    desk.tell(CommissionReported(epoch=1, commission=cost(1, "2")))
    desk.cash, desk.positions = "100298", (position(option(), -2, "149"),)

    verdict = judged(desk.fetch(after=10 * NS_PER_DAY))

    assert verdict.agreed
    assert desk.state.book.fills == {}
    assert desk.state.day > dt.date(2026, 1, 1)


@pytest.mark.parametrize("fill_first", [True, False])
def test_once_fill_and_count_have_met_it_is_said_that_both_count_alike(fill_first):
    desk = Desk().agree()
    told = [
        ExecutionReported(epoch=1, execution=bought(option(), -2, "1.50")),
        PositionReported(epoch=1, position=position(option(), -2, "149")),
    ]
    first, second = told if fill_first else reversed(told)

    desk.tell(first)
    said = desk.tell(second)

    (valued,) = only(said, PositionsValued)
    (row,) = valued.positions
    assert (row.quantity, row.book_quantity) == (-2, -2)
    assert only(desk.tell(told[1]), PositionsValued) == []
