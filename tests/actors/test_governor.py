"""Nothing passes the governor unreasoned, unreserved or twice; what reduces risk always passes."""

from decimal import Decimal

import msgspec
import pytest

from tests.actors.governed import (
    LIMITS,
    Governed,
    inputs,
    limits,
    only,
    option,
    row,
    settings,
    stock,
    view,
)
from thetawarden.domain.halt import TradingState
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.managing.ordering import within_collar
from thetawarden.domain.orders.proposal import OrderLeg
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.domain.risk.demands import DemandKind
from thetawarden.domain.risk.equity import losses_of
from thetawarden.domain.risk.finding import RuleId, Verdict
from thetawarden.domain.risk.ledger import OrderState
from thetawarden.messages.books import BookJudged, FillBooked, PositionExplained, RefreshBook
from thetawarden.messages.context import ContextTaken
from thetawarden.messages.lifecycle import Begin
from thetawarden.messages.orders import OrderApproved, OrderRefused, PreviewMargin, ProposeOrder
from thetawarden.messages.risk import (
    BeCautious,
    FreezeExits,
    LiftCaution,
    ReviewDrawdown,
    RiskDemanded,
    RiskTaken,
    StressTaken,
    TakeStress,
)
from thetawarden.messages.timers import StartTimer, TimerFired
from thetawarden.messages.trading import Halt, Resume, TradingHalted


def refused(said):
    (found,) = only(said, OrderRefused)
    return found


def test_an_entry_is_approved_only_after_the_broker_has_said_what_margin_it_needs():
    desk = Governed()

    said = desk.propose()
    approved = only(desk.answer(said, margin=2_000.0), OrderApproved)

    assert only(said, (OrderApproved, OrderRefused)) == []
    (given,) = approved
    assert given.approval.units == 1
    assert given.approval.expires_ns == desk.now + LIMITS.orders.approval_ns
    assert {one.rule for one in given.review.findings} == set(RuleId)
    (reservation,) = desk.state.ledger.reservations.values()
    assert reservation.margin_usd_per_unit == 2_000.0
    assert [quote.con_id for quote in given.approval.quotes] == [option().conid]
    assert given.approval.stress_at_ns == desk.now


def test_nobody_is_asked_for_margin_when_something_else_refuses_anyway():
    desk = Governed()
    desk.tell(Halt(reason="enough", by="me"))

    said = desk.propose()

    assert only(said, PreviewMargin) == []
    assert refused(said).review.binding == (RuleId.R13,)
    assert "halted by me" in refused(said).words


def test_o11_without_an_answer_in_time_there_is_no_trade_and_the_reason_is_told():
    desk = Governed()
    (timer,) = only(desk.propose(), StartTimer)

    said = desk.wait(8).tell(TimerFired(name=timer.name))

    assert "no margin answer came from the broker in time" in refused(said).words
    assert desk.state.asked == {}
    assert desk.state.ledger.reservations == {}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"margin": None, "words": "not connected"}, "not connected"),
        ({"margin": 1.79e308}, "broker margin answer is out of range"),
        ({"margin": float("nan")}, "broker margin answer is not finite"),
        ({"units": 3}, "is for 3 units"),
    ],
)
def test_o11_an_answer_that_is_no_answer_refuses(answer, words):
    desk = Governed()

    said = desk.answer(desk.propose(), **answer)

    assert words in refused(said).words


def test_an_answer_that_comes_when_nobody_waits_any_more_changes_nothing():
    desk = Governed()
    asked = desk.propose()
    desk.answer(asked)
    before = msgspec.msgpack.encode(desk.state)

    assert desk.answer(asked) == ()
    assert msgspec.msgpack.encode(desk.state) == before


def test_an_old_book_is_fetched_anew_before_an_entry_is_refused_for_its_age():
    desk = Governed()
    desk.wait(61).context()
    desk.views()
    desk.account()
    desk.look()

    said = desk.propose()
    assert only(said, RefreshBook)
    assert only(said, (OrderRefused, PreviewMargin)) == []

    fresh = desk.tell(BookJudged(epoch=1, round=2, agreed=True, unexplained=()))
    assert only(fresh, PreviewMargin)


def test_a_book_that_stays_old_refuses():
    desk = Governed()
    desk.wait(61).context()
    desk.views()
    desk.account()
    desk.look()
    (timer,) = only(desk.propose(), StartTimer)

    said = desk.wait(8).tell(TimerFired(name=timer.name))

    assert "no book came from the broker in time" in refused(said).words
    assert "R14 book_age" in refused(said).words


def test_the_size_is_what_the_tightest_rule_leaves_and_that_rule_is_named():
    desk = Governed()

    said = desk.answer(desk.propose(units=9), margin=30_000.0)

    (given,) = only(said, OrderApproved)
    assert given.approval.units == 3
    assert given.review.binding == (RuleId.R3,)


def test_what_is_reserved_counts_for_the_next_candidate():
    desk = Governed(instruments=(option(), option(strike=530), option(strike=520)))
    desk.approve(margin=90_000.0)
    desk.wait(1)
    desk.approve((option(strike=530), -1), key="P2", margin=90_000.0)

    said = desk.answer(desk.propose((option(strike=520), -1), key="P3"), margin=90_000.0)

    found = (
        {(one.rule, one.check): one for one in refused(said).review.findings}
        if only(said, OrderRefused)
        else {}
    )
    used = {name: one.used for (_, name), one in found.items() if name == "utilisation"}
    used = used or {
        one.check: one.used
        for one in only(said, OrderApproved)[0].review.findings
        if one.check == "utilisation"
    }
    assert used["utilisation"] == pytest.approx(0.1 + 0.18)


@pytest.mark.parametrize("stages", [(), (Stage.INTENDED,), (Stage.INTENDED, Stage.SENT)])
def test_what_was_only_approved_is_not_undone_by_the_next(stages):
    """A spread's long leg is not sold by the next approval, however far its order has come."""
    desk = Governed(instruments=(option(), option(strike=530)))
    spread = desk.approve((option(), -1), (option(strike=530), 1))
    for stage in stages:
        desk.stage(spread, stage)
    desk.wait(1)

    said = desk.propose((option(strike=530), -1), key="P2")

    found = {one.check: one.verdict for one in refused(said).review.findings}
    assert found["opposite_order"] is Verdict.REFUSE
    assert found["self_cross"] is Verdict.PASS


def test_an_approval_lapses_and_gives_back_what_it_held():
    desk = Governed()
    desk.approve()

    desk.wait(LIMITS.orders.approval_ns / 1e9 + 6).look()

    assert desk.state.ledger.reservations == {}


def test_an_approval_used_in_its_last_moment_still_counts_when_that_is_heard_late():
    desk = Governed()
    approved = desk.approve()

    desk.wait(LIMITS.orders.approval_ns / 1e9 + 1).look()
    desk.stage(approved, Stage.INTENDED)

    (held,) = desk.state.ledger.reservations.values()
    assert held.state is OrderState.IN_FLIGHT
    assert desk.state.latch.halt is None


def test_an_order_sent_by_an_approval_that_had_lapsed_counts_and_halts():
    desk = Governed()
    approved = desk.approve()
    desk.wait(60).look()

    said = desk.stage(approved, Stage.INTENDED)

    assert only(said, TradingHalted)
    (held,) = desk.state.ledger.reservations.values()
    assert held.units_counted == 1


def test_an_approval_that_was_not_used_is_given_back_also_when_it_had_lapsed():
    desk = Governed()
    approved = desk.approve()

    assert not only(desk.stage(approved, Stage.WITHHELD), TradingHalted)
    assert desk.state.ledger.reservations == {}
    desk.wait(60).look()
    assert not only(desk.stage(approved, Stage.WITHHELD, ref="late"), TradingHalted)


def test_a_second_order_by_one_approval_halts():
    desk = Governed()
    approved = desk.approve()
    desk.stage(approved, Stage.INTENDED)

    said = desk.stage(approved, Stage.INTENDED, ref="another")

    assert "was used already" in only(said, TradingHalted)[0].halt.reason


def test_an_order_nobody_approved_halts():
    desk = Governed()
    approved = desk.approve()
    forged = msgspec.structs.replace(
        approved, approval=msgspec.structs.replace(approved.approval, key="A99")
    )

    said = desk.stage(forged, Stage.INTENDED)

    assert "without an approval" in only(said, TradingHalted)[0].halt.reason


def test_an_order_in_doubt_counts_in_full_until_its_end_is_known():
    desk = Governed()
    approved = desk.approve(units=3)
    desk.stage(approved, Stage.INTENDED)

    for stage in (Stage.SENT, Stage.WORKING, Stage.UNKNOWN):
        desk.stage(approved, stage)
        (held,) = desk.state.ledger.reservations.values()
        assert held.units_counted == 3
    desk.stage(approved, Stage.ABSENT)

    assert desk.state.ledger.reservations == {}


def counted(desk, instrument):
    """Contracts of an instrument in the book and pending."""
    desk.look()
    book = desk.governor._stock.book
    held = book.held.contracts(instrument.conid)
    legs = [(leg, order.units) for order in book.pending for leg in order.legs]
    return held + sum(
        leg.ratio * units for leg, units in legs if leg.instrument.con_id == instrument.conid
    )


def test_a_fill_is_counted_once_whichever_of_its_reports_comes_first():
    for order in ("stage first", "fill first", "count first"):
        desk = Governed()
        approved = desk.approve(units=2)
        desk.stage(approved, Stage.INTENDED)
        steps = {
            "stage": lambda d=desk, a=approved: d.stage(a, Stage.FILLED, filled=2),
            "fill": lambda d=desk, a=approved: d.fill(a, units=2),
            "count": desk.valued,
        }
        first = order.split()[0]
        names = [first, *(name for name in steps if name != first)]
        for name in names:
            steps[name]()
            assert counted(desk, option()) == -2, (order, name)
        desk.valued()
        assert counted(desk, option()) == -2
        assert desk.state.ledger.reservations == {}
        assert desk.state.trades["TP1"].margin_usd == 4_000.0


def test_a_leg_that_filled_ahead_of_the_others_counts_with_its_order():
    short, wing = option(), option(strike=530)
    desk = Governed(instruments=(short, wing))
    approved = desk.approve((short, -1), (wing, 1), limit="-0.10")
    desk.stage(approved, Stage.INTENDED)

    desk.fill(approved, legs=[approved.proposal.legs[1]])
    desk.valued()

    assert counted(desk, wing) == 1
    assert desk.governor._stock.book.held.contracts(wing.conid) == 0
    desk.fill(approved, legs=[approved.proposal.legs[0]])
    desk.stage(approved, Stage.FILLED, filled=1)
    desk.valued()
    assert counted(desk, wing) == 1
    assert desk.governor._stock.book.held.contracts(wing.conid) == 1
    assert desk.state.ledger.reservations == {}


@pytest.mark.parametrize("state", ["cautious", "halted", "link lost", "unreconciled"])
def test_what_is_proved_to_reduce_risk_passes_in_every_state(state):
    desk = Governed()
    desk.hold(desk.approve(units=2))
    match state:
        case "cautious":
            desk.tell(BeCautious(reason="feels wrong", by="me"))
        case "halted":
            desk.tell(Halt(reason="enough", by="me"))
        case "link lost":
            desk.wait(100_000)
        case _:
            desk.tell(BookJudged(epoch=1, round=2, agreed=False, unexplained=("SPY",)))
    desk.wait(10)

    said = desk.propose((option(), 1), units=2, limit="1.00", key="X1", purpose=Purpose.CLOSE)

    (given,) = only(said, OrderApproved)
    assert given.approval.reducing
    assert given.approval.units == 2
    assert given.review.reduction.proved


def test_the_word_close_proves_nothing():
    desk = Governed()
    desk.tell(BeCautious(reason="feels wrong", by="me"))

    said = desk.propose(purpose=Purpose.CLOSE)

    assert refused(said).review.reduction.proved is False


def test_exits_stop_in_a_halt_only_when_a_person_chose_so():
    desk = Governed()
    desk.hold(desk.approve())
    desk.tell(Halt(reason="enough", by="me"))
    desk.tell(FreezeExits(frozen=True, reason="wait for me", by="me"))
    close = {"limit": "1.00", "purpose": Purpose.CLOSE}

    assert "R13 frozen" in refused(desk.wait(10).propose((option(), 1), key="X1", **close)).words
    desk.tell(FreezeExits(frozen=False, reason="go", by="me"))
    assert only(desk.wait(10).propose((option(), 1), key="X2", **close), OrderApproved)


def test_cautions_come_and_go_with_their_authors():
    desk = Governed()

    (told,) = only(desk.tell(BeCautious(reason="odd quotes", by="me")), RiskTaken)
    assert told.trading is TradingState.CAUTIOUS
    assert "R13" in refused(desk.propose()).words
    desk.tell(LiftCaution(by="somebody else"))
    assert "R13" in refused(desk.propose(key="P2")).words
    (told,) = only(desk.tell(LiftCaution(by="me")), RiskTaken)
    assert told.trading is TradingState.RUNNING
    assert only(desk.propose(key="P3"), PreviewMargin)


def test_a_day_loss_at_its_limit_halts_once_and_a_resumed_desk_is_not_halted_again_by_it():
    desk = Governed()

    warned = desk.wait(1).account(nlv=985_000)
    halted = desk.wait(1).account(nlv=980_000)

    assert only(warned, TradingHalted) == []
    assert "day loss" in only(halted, TradingHalted)[0].halt.reason
    assert DemandKind.HALT in {one.kind for one in only(halted, RiskDemanded)[0].demands}
    desk.tell(Resume(reason="looked at it", by="me", epoch=1))
    again = desk.wait(1).account(nlv=979_000)
    assert only(again, TradingHalted) == []
    assert "R5 day_loss" in refused(desk.propose()).words


def test_a_drawdown_halts_for_review_and_begins_the_way_back():
    wide = limits(
        brakes={"day_loss_fraction": 0.5, "week_loss_fraction": 0.5, "month_loss_fraction": 0.5}
    )
    desk = Governed(own=settings(limits=wide))

    said = desk.wait(1).account(nlv=900_000)

    assert "drawdown" in only(said, TradingHalted)[0].halt.reason
    assert desk.state.recovery.phase.value == "pause"
    desk.tell(Resume(reason="go", by="me", epoch=1))
    assert "R5 drawdown" in refused(desk.propose()).words
    desk.tell(ReviewDrawdown(reason="understood", by="me"))
    words = refused(desk.propose(key="P2")).words
    assert "R5 drawdown" not in words
    assert "R8" in words


def test_margin_at_its_limit_is_a_caution_that_passes_where_it_was_chosen_so():
    own = limits(brakes={"at_margin_limit": "cautious"})
    own = msgspec.structs.replace(
        own, brakes=msgspec.convert(msgspec.to_builtins(own.brakes), type(own.brakes))
    )
    desk = Governed(own=settings(limits=own))

    desk.wait(1).account(margin=600_000)
    assert [one.by for one in desk.state.cautions] == ["risk brake"]
    assert desk.state.latch.halt is None
    desk.wait(1).account(margin=300_000)
    assert desk.state.cautions == ()


def test_entries_on_their_way_are_called_back_when_the_regime_turns():
    desk = Governed()
    approved = desk.approve()
    desk.stage(approved, Stage.INTENDED)
    desk.stage(approved, Stage.WORKING)

    said = desk.wait(1).context(vix=45.0)

    (told,) = only(said, RiskDemanded)
    assert DemandKind.CANCEL_ENTRIES in {one.kind for one in told.demands}


def test_entries_on_their_way_are_called_back_when_margin_leaves_no_room():
    desk = Governed()
    approved = desk.approve(margin=90_000.0)
    desk.stage(approved, Stage.INTENDED)

    said = desk.wait(1).account(margin=550_000)

    (told,) = only(said, RiskDemanded)
    assert DemandKind.CANCEL_ENTRIES in {one.kind for one in told.demands}


def test_a_demand_is_said_when_it_changes_and_not_again():
    desk = Governed()
    first = desk.wait(1).account(nlv=988_000)
    second = desk.wait(1).account(nlv=987_900)

    assert [one.kind for one in only(first, RiskDemanded)[0].demands] == [DemandKind.TELL]
    assert only(second, RiskDemanded) == []


def test_a_position_nobody_approved_is_held_with_the_model_margin_and_named():
    desk = Governed(instruments=(option(), option(strike=530)))
    desk.valued(row(option(strike=530), -2))
    desk.look()

    (held,) = desk.governor._stock.book.held.holdings
    assert held.position == "XSP 530"
    assert held.margin_usd > 1_000.0
    assert only(desk.propose(), PreviewMargin)


def test_what_the_rules_have_no_terms_for_stops_entries_and_not_exits():
    desk = Governed()
    desk.hold(desk.approve())
    strange = msgspec.structs.replace(stock("XOM"), kind="other", conid=5)
    strange = msgspec.convert(msgspec.to_builtins(strange), type(strange))
    desk.valued(row(option(), -1), row(strange, 1))
    desk.look()
    desk.wait(1)

    assert only(desk.propose(key="P2"), OrderRefused)
    close = desk.propose((option(), 1), limit="1.00", key="X1", purpose=Purpose.CLOSE)
    assert only(close, OrderApproved)


def test_stress_is_taken_on_demand():
    desk = Governed()
    desk.hold(desk.approve(units=2))

    (told,) = only(desk.tell(TakeStress(run="tonight")), StressTaken)

    assert told.run == "tonight"
    assert [one.name for one in told.result.positions] == ["TP1"]
    assert told.result.worst.loss_usd > 0.0


@pytest.mark.parametrize(("limit", "worst"), [("1.00", "1.70"), ("1.60", "1.70"), ("1.70", "9.00")])
def test_an_exit_refused_for_its_price_passes_at_what_the_refusal_allows(limit, worst):
    desk = Governed()
    desk.hold(desk.approve(units=2))
    back = {"units": 2, "purpose": Purpose.CLOSE, "limit": limit, "worst_usd": Decimal(worst)}
    told = refused(desk.propose((option(), 1), key="X1", **back))

    again = within_collar(told.proposal, told.review, key="X2", expires_ns=desk.now + 10**10)
    (approved,) = only(desk.tell(ProposeOrder(proposal=again)), OrderApproved)

    assert "wide_price_collar" in told.words
    assert (approved.approval.units, approved.approval.reducing) == (2, True)
    assert again.worst_usd == Decimal("1.50")  # half more than the fair 1.00
    assert within_collar(told.proposal, None, key="X3", expires_ns=desk.now) is None


def test_a_proposal_that_walks_is_judged_at_the_worst_it_may_pay():
    desk = Governed()

    far = desk.propose(worst_usd=desk.proposal(limit="-0.50").limit_usd)
    upside_down = desk.propose(key="P2", worst_usd=desk.proposal(limit="-1.10").limit_usd)

    assert "R12 price_collar" in refused(far).words
    assert "beyond its worst" in refused(upside_down).words


def test_a_void_proposal_is_refused_unjudged():
    desk = Governed()
    old = desk.proposal()
    desk.wait(61)

    said = desk.propose(expires_ns=old.expires_ns)

    assert refused(said).review is None
    assert "too late" in refused(said).words


def test_earnings_nobody_knows_of_stop_an_entry_in_a_company():
    put = option("AAPL", 170)
    desk = Governed(instruments=(put,))

    said = desk.propose((put, -1))

    assert "R11 earnings" in refused(said).words


def test_an_underlying_nobody_knows_the_beta_of_stops_an_entry():
    put = option("AAPL", 170)
    desk = Governed(instruments=(put,))
    desk.state.betas = {}
    desk.look()

    assert "R6 revaluation: cannot be valued: AAPL" in refused(desk.propose((put, -1))).words


@pytest.mark.parametrize(
    ("ended", "again", "filled"),
    [
        (Stage.ABSENT, Stage.WORKING, 0),
        (Stage.WITHHELD, Stage.WORKING, 0),
        (Stage.CANCELLED, Stage.WORKING, 0),
        (Stage.CANCELLED, Stage.FILLED, 2),
    ],
)
def test_an_order_that_had_ended_and_lives_after_all_counts_again(ended, again, filled):
    desk = Governed()
    approved = desk.approve(units=2)
    desk.stage(approved, Stage.INTENDED)
    desk.stage(approved, ended)
    assert counted(desk, option()) == 0

    desk.stage(approved, again, filled=filled)

    assert counted(desk, option()) == -2
    desk.fill(approved, units=2)
    desk.stage(approved, Stage.FILLED, filled=2)
    desk.valued()
    assert counted(desk, option()) == -2


def test_a_part_that_filled_before_the_end_counts_once_when_the_rest_lives_after_all():
    desk = Governed()
    approved = desk.approve(units=2)
    desk.stage(approved, Stage.INTENDED)
    desk.fill(approved, units=1)
    desk.stage(approved, Stage.CANCELLED, filled=1)
    desk.valued()
    assert counted(desk, option()) == -1

    desk.stage(approved, Stage.PARTIAL, filled=1)
    desk.valued()

    assert counted(desk, option()) == -2


def test_the_late_cost_of_a_closed_trade_is_no_trade_of_its_own():
    desk = Governed()
    approved = desk.approve()
    desk.hold(approved)
    close = msgspec.structs.replace(
        approved.proposal, legs=(OrderLeg(instrument=option(), ratio=1),), purpose=Purpose.CLOSE
    )
    desk.fill(msgspec.structs.replace(approved, proposal=close), price="3.00")
    assert desk.state.equity.losing_streak == 1
    last = desk.heard[-1][0]
    assert isinstance(last, FillBooked)

    desk.tell(
        msgspec.structs.replace(
            last, commission_usd=Decimal(2), cash_usd=last.cash_usd - Decimal(1)
        )
    )

    assert desk.state.equity.losing_streak == 1


def test_frozen_exits_are_said_again_when_the_desk_begins_and_unfrozen_ones_are_not():
    desk = Governed()
    again = Begin(incarnation=2, resumed=True)
    assert only(desk.tell(again), FreezeExits) == []
    desk.tell(Halt(reason="enough", by="me"))
    desk.tell(FreezeExits(frozen=True, reason="wait for me", by="me"))

    said = desk.tell(again)

    (frozen,) = only(said, FreezeExits)
    assert frozen.frozen
    assert only(desk.tell(frozen), FreezeExits) == []


def paid_in(amount, cause="accepted"):
    return PositionExplained(
        account="DU1234567",
        conid=0,
        contract="",
        before=Decimal(0),
        after=Decimal(0),
        cause=cause,
        cash_usd=Decimal(amount),
        words="",
    )


@pytest.mark.parametrize("amount", [100_000, -100_000])
def test_money_paid_in_or_out_neither_hides_a_loss_nor_is_one(amount):
    desk = Governed()
    desk.account(nlv=990_000)
    desk.tell(BookJudged(epoch=1, round=2, agreed=True, unexplained=()))
    before = losses_of(desk.state.equity)
    desk.wait(60).account(nlv=990_000 + amount)

    desk.tell(paid_in(amount))

    after = losses_of(desk.state.equity)
    assert before.day == pytest.approx(0.01)
    assert after.day == pytest.approx(10_000 / (1_000_000 + amount))
    assert after.drawdown == pytest.approx(10_000 / (1_000_000 + amount))
    desk.wait(60).account(nlv=980_000 + amount)
    assert losses_of(desk.state.equity).day == pytest.approx(20_000 / (1_000_000 + amount))


def test_what_is_explained_as_anything_but_a_payment_stays_a_profit_or_loss():
    desk = Governed()
    desk.tell(BookJudged(epoch=1, round=2, agreed=True, unexplained=()))
    before = desk.state.equity

    desk.tell(paid_in(100, cause="dividend"))
    desk.tell(msgspec.structs.replace(paid_in(100), conid=5))

    assert desk.state.equity == before


def test_a_book_that_changed_is_measured_by_the_last_look_while_that_shows_all_of_it():
    desk = Governed(instruments=(option(), option(strike=530)))
    desk.valued(row(option(), -1))
    looked_ns = desk.state.market_ns

    desk.wait(1).valued(row(option(), -2))
    in_sight = desk.state.market_ns
    desk.wait(1).valued(row(option(), -2), row(option(strike=530), -1))
    new_option = desk.state.market_ns
    desk.wait(60).valued(row(option(), -1), row(option(strike=530), -1))

    assert in_sight == looked_ns
    assert new_option == looked_ns + 2 * NS_PER_SECOND
    assert desk.state.market_ns == desk.now


def test_a_jump_of_what_is_held_is_measured_at_the_very_message_that_shows_it():
    desk = Governed(nlv=500_000)
    desk.hold(desk.approve(units=9))
    desk.refresh()
    calm = desk.wait(1).tell(moved(desk, -0.001))
    assert only(calm, RiskDemanded) == []

    said = desk.wait(1).tell(moved(desk, -0.10))

    (told,) = only(said, RiskDemanded)
    assert DemandKind.REDUCE in {one.kind for one in told.demands}
    assert desk.state.market_ns == desk.now


def test_a_jump_of_the_vix_is_measured_at_once_and_a_quiet_one_at_the_next_look():
    desk = Governed()
    desk.hold(desk.approve())
    desk.refresh()
    looked = desk.state.market_ns

    desk.wait(1).tell(ContextTaken(inputs=inputs(desk.now, vix=17.9), trading=True))
    assert desk.state.market_ns == looked
    desk.wait(1).tell(ContextTaken(inputs=inputs(desk.now, vix=18.0), trading=True))
    assert desk.state.market_ns == desk.now


def test_nothing_held_is_not_measured_at_every_jump():
    desk = Governed()
    looked = desk.state.market_ns

    desk.wait(1).tell(moved(desk, -0.10))

    assert desk.state.market_ns == looked


def blind(desk, change):
    """The chain falls and cannot tell any volatility any more."""
    told = moved(desk, change)
    gone = view("XSP", desk.instruments, now=desk.now, iv=float("nan")).view.columns
    return msgspec.structs.replace(told, view=msgspec.structs.replace(told.view, columns=gone))


def test_what_is_held_is_valued_by_what_was_last_known_where_its_chain_is_blind():
    desk = Governed(nlv=500_000)
    desk.hold(desk.approve(units=9))
    desk.refresh()

    said = desk.wait(20).tell(blind(desk, -0.10))

    (told,) = only(said, RiskDemanded)
    assert DemandKind.REDUCE in {one.kind for one in told.demands}
    assert not [one for one in told.demands if "not all can be valued" in one.why]


def test_no_entry_rests_for_long_on_what_was_last_known():
    desk = Governed(instruments=[option(), option(strike=530)])
    desk.hold(desk.approve())
    desk.refresh()
    for _ in range(7):
        desk.wait(10).account()
        desk.context()
        desk.tell(BookJudged(epoch=1, round=1, agreed=True, unexplained=()))
        desk.tell(blind(desk, 0.0))
        desk.look()

    assert only(desk.propose((option(strike=530), -1), key="P2"), RefreshBook)
    said = desk.tell(BookJudged(epoch=1, round=1, agreed=True, unexplained=()))

    (refused_,) = only(said, OrderRefused)
    refusing = {one.check for one in refused_.review.findings if one.verdict is Verdict.REFUSE}
    assert "stress_age" in refusing


def test_what_was_last_known_is_let_go_of_after_a_while_and_that_is_told():
    desk = Governed(own=settings(keep_ns=60 * NS_PER_SECOND))
    desk.hold(desk.approve())
    desk.refresh()
    desk.wait(59).tell(blind(desk, 0.0))
    assert desk.look() == desk.look()
    assert desk.state.demands == ()

    desk.wait(2).look()

    assert [one.kind for one in desk.state.demands] == [DemandKind.TELL]
    assert "not all can be valued" in desk.state.demands[0].why


def moved(desk, change):
    """The chain as it is seen when everything of it has moved with the spot."""
    told = view("XSP", desk.instruments, now=desk.now)
    spot = told.view.spot_usd * (1.0 + change)
    series = tuple(
        msgspec.structs.replace(one, forward_usd=one.forward_usd * (1.0 + change))
        for one in told.view.series
    )
    return msgspec.structs.replace(
        told, view=msgspec.structs.replace(told.view, spot_usd=spot, series=series)
    )
