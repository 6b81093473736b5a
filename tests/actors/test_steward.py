"""The steward looks after a trade from its first fill to its last, and asks for nothing twice."""

import datetime as dt
from decimal import Decimal

import msgspec
import pytest

from tests.domain.books.accounts import ACCOUNT, CLIENT
from tests.domain.managing.market import LIMITS, NOW, Market
from thetawarden.actors.steward import LOOK, Steward
from thetawarden.actors.stewarding import REARRANGE_TRIES_MAX, StewardSettings, StewardState
from thetawarden.domain.alerts.matters import TABLE, Matter
from thetawarden.domain.books.fills import CommissionKind
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.books.rows import PositionRow
from thetawarden.domain.broker.account import AccountValues
from thetawarden.domain.broker.orders import Execution
from thetawarden.domain.halt import HaltRecord, TradingState
from thetawarden.domain.instants import NS_PER_DAY, NS_PER_MINUTE, NS_PER_SECOND, UnixNs
from thetawarden.domain.managing.decision import Action, Rule
from thetawarden.domain.market.contracts import Right
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.proposal import Exits, OrderLeg, Pricing, Proposal
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.regime.assess import RegimeInputs
from thetawarden.domain.regime.readings import Fault, InputFault, Reading
from thetawarden.domain.regime.term_structure import VolCurve
from thetawarden.domain.regime.trend import TrendInputs
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.domain.risk.demands import Demand, DemandKind
from thetawarden.domain.risk.finding import RuleFinding, RuleId, Verdict
from thetawarden.domain.risk.ledger import Approval
from thetawarden.domain.risk.recovery import RecoveryPhase
from thetawarden.domain.risk.reducing import Reduction
from thetawarden.domain.risk.review import Review
from thetawarden.domain.risk.usage import LimitUse
from thetawarden.domain.strategy.prediction import Prediction
from thetawarden.domain.trades.snapshot import SnapshotEvent
from thetawarden.domain.trades.trade import TradeState
from thetawarden.messages.books import FillBooked, PositionExplained, PositionsValued
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.context import ContextTaken
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.operations import NotifyPerson, Urgency
from thetawarden.messages.orders import (
    OrderApproved,
    OrderRefused,
    OrderStageChanged,
    ProposeOrder,
    ReviseExits,
)
from thetawarden.messages.risk import RiskDemanded, RiskTaken
from thetawarden.messages.steward import (
    PositionDecided,
    PredictionJudged,
    ProfitAttributed,
    TradeChanged,
    TradeSnapshotTaken,
)
from thetawarden.messages.strategy import PredictionMade
from thetawarden.messages.timers import StartTimer, TimerFired
from thetawarden.messages.trading import TradingHalted

SETTINGS = StewardSettings(limits=LIMITS, sessions=load_sessions(Exchange.NYSE))
MARKET = Market(days=(1, 7, 30, 44))


class Desk:
    """A steward, the instant, and what is said to it; everything said and answered is kept."""

    def __init__(self, market=MARKET):
        self.steward, self.now, self.market = Steward(SETTINGS), NOW, market
        self.told, self.number = [], 0
        self.tell(Begin(incarnation=1, resumed=False))
        self.tell(
            ContextTaken(
                inputs=RegimeInputs(
                    curve=VolCurve(
                        vix=Reading(value=18.0, at_ns=NOW),
                        vix3m=None,
                        first_future=None,
                        second_future=None,
                    ),
                    trend=TrendInputs(price=None, sma20=None, sma50=None, sma200=None, adx=None),
                    underlyings=0,
                    average_correlation=None,
                    macro=(),
                    days=(),
                ),
                trading=True,
            )
        )

    def tell(self, message):
        self.told.append((message, self.now))
        return self.steward.receive(message, self.now)

    def view(self, market=None):
        self.market = market or self.market
        view = msgspec.structs.replace(self.market.view, at_ns=self.now)
        return self.tell(ChainViewed(underlying=view.underlying, view=view))

    def look(self, *, after_ns=NS_PER_MINUTE):
        """Let time pass, show the chain as it is, and wake the steward."""
        self.now = UnixNs(self.now + after_ns)
        return (*self.view(), *self.tell(TimerFired(name=LOOK)))

    def approve(self, proposal, units=None):
        units = units or proposal.units
        approval = Approval(
            key="A1",
            candidate_key=proposal.key,
            units=units,
            approved_ns=self.now,
            expires_ns=UnixNs(self.now + NS_PER_MINUTE),
            halt_epoch=0,
            quotes=(),
            stress_key="",
            stress_at_ns=self.now,
            worst_loss_usd=0.0,
            book_version="",
            reducing=False,
        )
        return self.tell(
            OrderApproved(proposal=proposal, approval=approval, review=review(proposal, units))
        )

    def stage(self, ref, role, stage, *, key="", trade="t1", units=1, filled=0):
        return self.tell(
            OrderStageChanged(
                order_ref=ref,
                trade=trade,
                strategy="index_puts",
                role=role,
                approval_key="A1",
                proposal_key=key,
                stage=stage,
                units=units,
                units_filled=filled,
                perm_id=1,
                words="",
            )
        )

    def fill(self, instrument, quantity, price, *, ref="", cause=Cause.TRADE, key=None):
        self.number += 1
        quantity, price = Decimal(quantity), Decimal(str(price))
        commission = abs(quantity) if instrument.multiplier > 1 else Decimal(0)
        key = key or f"f{self.number}"
        return self.tell(
            FillBooked(
                fill=key,
                execution=Execution(
                    execution_id=f"{key}.01",
                    instrument=instrument,
                    quantity=quantity,
                    price_usd=price,
                    at_ns=self.now,
                    perm_id=1,
                    order_id=1,
                    client_id=CLIENT,
                    order_ref=ref,
                    account=ACCOUNT,
                ),
                cause=cause,
                quantity=quantity,
                commission_usd=commission,
                commission_kind=CommissionKind.REPORTED,
                cash_usd=-quantity * price * instrument.multiplier - commission,
                position_after=quantity,
                average_cost_usd=price,
                realised_usd=Decimal(0),
            )
        )

    def explain(self, instrument, before, after, cause, *, cash="0", because_of=0, fill=""):
        return self.tell(
            PositionExplained(
                account=ACCOUNT,
                conid=instrument.conid,
                contract="",
                before=Decimal(before),
                after=Decimal(after),
                cause=cause,
                cash_usd=Decimal(cash),
                words="",
                instrument=instrument,
                because_of=because_of,
                fill=fill,
            )
        )

    def open(self, strike=490, units=1, *, premium=1.1, strategy="index_puts", **changes):
        """Sell puts at so many times their middle; the exit works."""
        self.view()
        put = self.market.option(strike)
        price = round(premium * float(self.market.rows.mid_usd[self.market.row(put)]), 2)
        order = proposal(put, price, units, strategy=strategy, **changes)
        name, key, ref = order.trade, order.key, f"{order.trade}.open.1.1"
        told = {"key": key, "trade": name, "units": units}
        said = list(self.approve(order))
        said += self.stage(ref, OrderRole.ENTRY, Stage.WORKING, key=key, trade=name)
        said += self.fill(put, -units, price, ref=ref)
        self.stage(ref, OrderRole.ENTRY, Stage.FILLED, filled=units, **told)
        self.stage(f"{name}.tp.2.1", OrderRole.TAKE_PROFIT, Stage.WORKING, **told)
        return put, said

    @property
    def trade(self):
        return self.steward.state.ledger.trades["t1"]


def proposal(put, price, units=1, **changes):
    fields = {
        "key": "k1",
        "trade": "t1",
        "strategy": "index_puts",
        "purpose": Purpose.OPEN,
        "underlying": put.symbol,
        "legs": (OrderLeg(instrument=put, ratio=-1),),
        "units": units,
        "limit_usd": -Decimal(str(price)),
        "worst_usd": -Decimal(str(price)),
        "pricing": Pricing.WALK,
        "expires_ns": UnixNs(NOW + NS_PER_MINUTE),
        "exits": Exits(take_profit_usd=Decimal("0.05"), stop_usd=None),
    }
    return Proposal(**(fields | changes))


def review(of, units, *, rule=None, check=""):
    against = RuleFinding(rule=rule, check=check, verdict=Verdict.REFUSE, words="no")
    return Review(
        candidate_key=of.key,
        wanted=of.units,
        units=units,
        reduction=Reduction(proved=False, words=""),
        findings=() if rule is None else (against,),
        binding=() if rule is None else (rule,),
        words="",
    )


def of_kind(said, kind):
    return [one for one in said if isinstance(one, kind)]


def asked(said):
    orders = of_kind(said, ProposeOrder)
    return orders[0].proposal if orders else None


def decisions(said):
    return [(one.decision.action, one.decision.rule) for one in of_kind(said, PositionDecided)]


def demand(kind=DemandKind.CLOSE_NAKED):
    return RiskDemanded(demands=(Demand(kind=kind, why="the curve is inverted"),))


def test_a_filled_entry_is_a_trade_that_is_watched_and_written_down():
    desk = Desk()

    put, said = desk.open(premium=1.1)
    looked = desk.look()

    assert [one.event for one in of_kind(said, TradeChanged)] == ["opened"]
    assert desk.trade.quantity(put.conid) == -1
    assert desk.trade.entry_vix_points == 18.0
    assert decisions(looked) == [(Action.HOLD, Rule.WATCHED)]
    (taken,) = of_kind(looked, TradeSnapshotTaken)
    assert taken.snapshot.event is SnapshotEvent.HELD
    assert taken.snapshot.short_delta_per_share == pytest.approx(-0.03, abs=0.1)


def test_nothing_is_said_again_while_nothing_changes():
    desk = Desk()
    desk.open()
    desk.look()

    assert not of_kind(desk.look(), PositionDecided)


def test_a_demand_is_answered_by_one_closing_order_that_replaces_the_exit():
    desk = Desk()
    put, _ = desk.open(units=2)
    desk.tell(demand())

    order = asked(desk.look())
    again = asked(desk.look())

    assert (order.purpose, order.units, order.trade) == (Purpose.CLOSE, 2, "t1")
    assert order.legs == (OrderLeg(instrument=put, ratio=1),)
    assert order.replaces == "t1.tp.2.1"
    assert again is None
    assert desk.trade.state is TradeState.CLOSING


def test_a_demand_that_less_than_all_meets_takes_that_many_units_and_leaves_the_trade_open():
    desk = Desk()
    desk.open(units=4)
    reduce = Demand(kind=DemandKind.REDUCE, why="too much", positions=("t1",), parts=(0.35,))
    desk.tell(RiskDemanded(demands=(reduce,)))

    said = desk.look()

    order = asked(said)
    assert (Action.REDUCE, Rule.DEMANDED) in decisions(said)
    assert (order.purpose, order.units, order.replaces) == (Purpose.CLOSE, 2, "t1.tp.2.1")
    assert desk.trade.state is TradeState.OPEN


def test_an_order_nobody_heard_of_is_asked_for_again_only_after_it_is_void():
    desk = Desk()
    desk.open()
    desk.tell(demand())
    first = asked(desk.look())

    waited = [asked(desk.look()) for _ in range(5)]
    later = [asked(desk.look(after_ns=2 * NS_PER_MINUTE)) for _ in range(3)]

    assert waited == [None] * 5
    assert len([one for one in later if one is not None]) == 1
    assert first.key not in {one.key for one in later if one is not None}


def test_an_order_that_may_still_be_alive_is_never_asked_for_again():
    desk = Desk()
    desk.open()
    desk.tell(demand())
    order = asked(desk.look())
    desk.stage("t1.close.3.1", OrderRole.EXIT, Stage.UNKNOWN, key=order.key)

    assert all(asked(desk.look(after_ns=NS_PER_MINUTE * 30)) is None for _ in range(4))


def test_an_exit_that_ended_without_a_fill_is_asked_for_again_further_out():
    desk = Desk()
    desk.open()
    desk.tell(demand())
    first = asked(desk.look())
    desk.stage("t1.close.3.1", OrderRole.EXIT, Stage.CANCELLED, key=first.key)

    assert desk.trade.state is TradeState.OPEN
    second = asked((*desk.look(), *desk.look()))
    assert second.worst_usd >= first.worst_usd
    assert second.limit_usd >= first.limit_usd


def test_a_refused_exit_is_told_and_tried_again():
    desk = Desk()
    desk.open()
    desk.tell(demand())
    order = asked(desk.look())

    (told,) = desk.tell(OrderRefused(proposal=order, review=None, words="frozen"))

    assert (told.urgency, "frozen" in told.text) == (Urgency.CRITICAL, True)
    assert asked((*desk.look(), *desk.look())) is not None


PROVED = Reduction(proved=True, words="less is held")


def collared(order, at_most, **others):
    """A refusal because of the price alone, or of others besides."""
    finding = RuleFinding(
        rule=RuleId.R12,
        check="wide_price_collar",
        verdict=Verdict.REFUSE,
        words="pays too much",
        limit=at_most,
        sanity=True,
    )
    review = Review(
        candidate_key=order.key,
        wanted=order.units,
        units=0,
        reduction=others.pop("reduction", PROVED),
        findings=(finding, *others.pop("findings", ())),
        binding=(RuleId.R12,),
        words="refused by R12",
    )
    return OrderRefused(proposal=order, review=review, words=review.words)


def refused_close():
    desk = Desk()
    desk.open()
    desk.tell(demand())
    return desk, asked(desk.look())


def test_an_exit_refused_for_its_price_alone_is_asked_for_at_once_within_what_is_allowed():
    desk, order = refused_close()
    allowed = float(order.worst_usd) - 0.034

    said = desk.tell(collared(order, allowed))

    again = asked(said)
    assert not of_kind(said, NotifyPerson)
    assert again.key != order.key
    assert float(again.limit_usd) <= float(again.worst_usd) <= allowed < float(order.worst_usd)
    assert float(again.worst_usd) > allowed - 0.06
    assert (again.legs, again.units, again.replaces) == (order.legs, order.units, order.replaces)
    assert [one.proposal_key for one in of_kind(said, PositionDecided)] == [again.key]


def test_a_second_refusal_is_told_to_a_person_and_tried_again_later():
    desk, order = refused_close()
    again = asked(desk.tell(collared(order, float(order.worst_usd) - 0.02)))

    (told,) = desk.tell(collared(again, float(again.worst_usd) - 0.02))

    assert told.urgency is Urgency.CRITICAL
    later = asked((*desk.look(), *desk.look()))
    assert later is not None
    assert later.key not in {order.key, again.key}


@pytest.mark.parametrize(
    "others",
    [
        {
            "findings": (
                RuleFinding(
                    rule=RuleId.R13, check="x", verdict=Verdict.REFUSE, words="no", sanity=True
                ),
            )
        },
        {"reduction": Reduction(proved=False, words="adds")},
    ],
)
def test_what_is_refused_for_more_than_its_price_waits(others):
    desk, order = refused_close()

    said = desk.tell(collared(order, float(order.worst_usd) - 0.02, **others))

    assert asked(said) is None
    assert len(of_kind(said, NotifyPerson)) == 1


def test_nothing_is_bought_back_for_nothing_however_low_the_bound():
    desk, order = refused_close()

    assert asked(desk.tell(collared(order, 0.004))) is None


def test_all_that_is_enough_together_is_closed_in_one_look_and_nothing_before_that_is_over():
    desk = Desk()
    desk.open(490, 4)
    desk.open(485, 2, trade="t2", key="k2")
    desk.open(480, 2, trade="t3", key="k3")
    reduce = Demand(
        kind=DemandKind.REDUCE,
        why="too much",
        positions=("t2", "t1", "t3"),
        parts=(1.0, 1.0, 1.0),
        together=(1.0, 0.5),
    )
    desk.tell(RiskDemanded(demands=(reduce,)))

    orders = [one.proposal for one in of_kind(desk.look(), ProposeOrder)]

    assert {one.trade: one.units for one in orders} == {"t1": 2, "t2": 2}
    assert of_kind(desk.look(), ProposeOrder) == []


def losing(**changes):
    """A put that has lost twice its premium."""
    desk = Desk()
    desk.open(premium=1 / 3.2, **changes)
    return desk


def rolled(desk):
    """The roll that is asked for fills."""
    roll = asked(desk.look())
    back, sold = (leg.instrument for leg in roll.legs)
    desk.stage("t1.roll.3.1", OrderRole.ROLL, Stage.WORKING, key=roll.key)
    desk.stage("t1.tp.2.1", OrderRole.TAKE_PROFIT, Stage.CANCELLED)
    desk.fill(back, 1, float(desk.market.rows.ask_usd[desk.market.row(back)]), ref="t1.roll.3.1")
    changed = desk.fill(
        sold, -1, float(desk.market.rows.bid_usd[desk.market.row(sold)]), ref="t1.roll.3.1"
    )
    desk.stage("t1.roll.3.1", OrderRole.ROLL, Stage.FILLED, key=roll.key, filled=1)
    return roll, changed


def test_a_rolled_trade_keeps_the_proportion_of_its_stop():
    desk = losing(exits=Exits(take_profit_usd=Decimal("0.05"), stop_usd=Decimal("0.30")))
    rolled(desk)

    (revised,) = of_kind(desk.look(), ReviseExits)

    assert revised.exits.stop_usd == 6 * revised.exits.take_profit_usd
    assert desk.trade.exits == revised.exits


def test_a_loss_of_twice_the_premium_is_rolled_and_after_a_refusal_closed():
    desk = losing()
    roll = asked(desk.look())
    desk.tell(OrderRefused(proposal=roll, review=None, words="too large"))

    close = asked(desk.look())

    assert roll.purpose is Purpose.ROLL
    assert roll.worst_usd <= Decimal("-0.10")
    assert close.purpose is Purpose.CLOSE


def test_while_trading_is_halted_nothing_is_rolled():
    desk = losing()
    desk.tell(TradingHalted(halt=HaltRecord(epoch=1, reason="r", by="p", at_ns=NOW)))

    assert asked(desk.look()).purpose is Purpose.CLOSE


def test_nothing_is_rolled_into_what_another_trade_holds():
    """Long in one trade and short in another is nothing at the broker: neither could be closed."""
    usual = asked(losing().look()).legs[1].instrument
    desk = losing()
    desk.fill(usual, 2, "0.50")

    roll = asked(desk.look())

    assert roll.purpose is Purpose.ROLL
    assert roll.legs[1].instrument.conid != usual.conid


def test_a_roll_whose_prices_had_moved_is_asked_for_again_and_not_for_ever():
    desk = losing()
    purposes = []
    for _ in range(REARRANGE_TRIES_MAX + 1):
        order = asked((*desk.look(), *desk.look()))
        purposes.append(order.purpose)
        moved = review(order, 0, rule=RuleId.R12, check="wide_price_collar")
        desk.tell(OrderRefused(proposal=order, review=moved, words="pays too much"))

    assert purposes == [Purpose.ROLL] * REARRANGE_TRIES_MAX + [Purpose.CLOSE]


def test_a_rolled_trade_is_the_same_trade_and_gets_new_exits():
    desk = losing()
    roll, changed = rolled(desk)

    (revised,) = of_kind(desk.look(), ReviseExits)

    assert [one.event for one in of_kind(changed, TradeChanged)] == ["adjusted"]
    assert desk.trade.rolled == (roll.key,)
    assert 0 < revised.exits.take_profit_usd < desk.trade.premium_usd / 100
    assert desk.trade.exits == revised.exits
    assert not of_kind(desk.look(), ReviseExits)


def test_between_the_legs_of_a_roll_no_trade_is_over():
    desk = losing()
    roll = asked(desk.look())
    ref, (back, new) = "t1.roll.3.1", (one.instrument for one in roll.legs)
    desk.approve(roll)
    desk.stage(ref, OrderRole.ROLL, Stage.WORKING, key=roll.key)

    first = desk.fill(back, 1, "0.90", ref=ref)
    between = desk.look()
    second = desk.fill(new, -1, "1.10", ref=ref)

    assert desk.trade.held[0].instrument == new
    changes = [one.event for one in of_kind((*first, *between, *second), TradeChanged)]
    assert changes == ["adjusted"]


def test_a_roll_of_which_no_more_than_the_first_leg_came_is_the_end_of_a_trade():
    desk = losing()
    roll = asked(desk.look())
    ref, back = "t1.roll.3.1", roll.legs[0].instrument
    desk.approve(roll)
    desk.stage(ref, OrderRole.ROLL, Stage.WORKING, key=roll.key)
    desk.fill(back, 1, "0.90", ref=ref)
    desk.stage(ref, OrderRole.ROLL, Stage.CANCELLED, key=roll.key)

    said = [one for _ in range(3) for one in desk.look()]

    assert [one.event for one in of_kind(said, TradeChanged)] == ["closed"]


def test_a_closed_trade_tells_its_result_its_world_and_what_was_predicted():
    desk = Desk()
    put, _ = desk.open(premium=2.0)
    for quantity, figures in (
        ("profit_usd", {"value": 30.0, "low": -500.0, "high": 90.0}),
        ("profitable", {"probability_fraction": 0.9}),
        ("selector_score", {"value": 0.5}),
    ):
        told = Prediction(
            name=f"t1.{quantity}",
            trade="t1",
            strategy="index_puts",
            underlying="SPX",
            model="m/1",
            quantity=quantity,
            due_ns=NOW,
            **figures,
        )
        desk.tell(PredictionMade(prediction=told))

    said = desk.fill(put, 1, "0.05", ref="t1.tp.2.1")

    (closed,) = of_kind(said, TradeChanged)
    assert (closed.event, closed.trade.ended_by) == ("closed", "take_profit")
    assert closed.trade.state is TradeState.CLOSED
    (taken,) = of_kind(said, TradeSnapshotTaken)
    assert (taken.snapshot.event, taken.snapshot.reason) == (SnapshotEvent.EXIT, "take_profit")
    result = float(closed.trade.cash_usd)
    judged = {one.prediction: one for one in of_kind(said, PredictionJudged)}
    assert set(judged) == {"t1.profit_usd", "t1.profitable"}
    assert judged["t1.profit_usd"].actual == result
    assert judged["t1.profit_usd"].in_range == (-500.0 <= result <= 90.0)
    assert judged["t1.profitable"].happened is (result > 0)


def test_an_entry_that_came_to_nothing_leaves_no_trade():
    desk = Desk()
    desk.view()
    order = proposal(MARKET.option(490), "1")
    desk.approve(order)
    desk.stage("t1.open.1.1", OrderRole.ENTRY, Stage.WORKING, key=order.key)

    desk.stage("t1.open.1.1", OrderRole.ENTRY, Stage.CANCELLED, key=order.key)

    assert desk.trade.state is TradeState.ABANDONED


def test_a_trade_that_was_approved_after_its_order_was_over_is_given_up_a_day_later():
    desk = Desk()
    order = proposal(MARKET.option(490), "1")
    desk.stage("t1.open.1.1", OrderRole.ENTRY, Stage.WITHHELD, key=order.key)
    desk.approve(order)
    begun = desk.trade.state

    desk.look(after_ns=NS_PER_DAY + NS_PER_MINUTE)

    assert (begun, desk.trade.state) == (TradeState.OPENING, TradeState.ABANDONED)


def test_what_was_told_of_a_trade_is_forgotten_with_it():
    desk = Desk()
    put, _ = desk.open(premium=1.5)
    state = desk.steward.state
    state.told = {"t1/loss": NOW, "t12/loss": NOW, "hedge": NOW}
    desk.fill(put, 1, "0.40", ref="t1.tp.2.1")

    desk.look(after_ns=11 * NS_PER_DAY)

    assert state.told == {"t12/loss": NOW, "hedge": NOW}
    assert "t1" not in state.ledger.trades


def test_a_day_is_attributed_to_the_cent():
    desk = Desk()
    put, _ = desk.open(premium=1.5)
    for spot in (499.0, 501.0, 498.0):
        desk.market = Market(days=(1, 7, 30, 44), spot=spot)
        desk.look()
    desk.fill(put, 1, "0.40", ref="t1.tp.2.1")
    desk.now = UnixNs(desk.now + NS_PER_DAY)

    (day,) = of_kind(desk.tell(TimerFired(name=LOOK)), ProfitAttributed)

    parts = (day.delta_cents, day.gamma_cents, day.theta_cents, day.vega_cents)
    assert sum(parts) + day.trading_cents + day.residual_cents == day.profit_cents
    assert day.profit_cents == int(100 * desk.trade.cash_usd)
    assert day.day == dt.date(2026, 3, 2)


def test_in_other_regimes_the_working_exit_is_moved_not_doubled():
    desk = Desk()
    desk.open(495, premium=1.0)
    desk.steward.state.ledger.trades["t1"] = msgspec.structs.replace(
        desk.trade, exits=Exits(take_profit_usd=desk.trade.premium_usd / 100, stop_usd=None)
    )

    said = [*desk.look(), *desk.look()]

    (revised,) = of_kind(said, ReviseExits)
    assert desk.trade.exits.take_profit_usd == revised.exits.take_profit_usd
    assert not of_kind(desk.look(), ReviseExits)


SPY = Market(underlying="SPY", trading_class="SPY", days=(1, 7, 20, 30))


def delivered(desk, put, contracts=1):
    strike = int(put.strike)
    desk.explain(put, -contracts, 0, Cause.ASSIGNMENT, because_of=put.conid)
    return desk.explain(
        SPY.stock(),
        0,
        100 * contracts,
        Cause.ASSIGNMENT,
        cash=str(-100 * contracts * strike),
        because_of=put.conid,
    )


def test_the_wheel_turns_from_put_to_shares_to_calls_to_called_away_as_one_trade():
    desk = Desk(SPY)
    put, _ = desk.open(505, premium=1.0, strategy="stock_puts")

    said = delivered(desk, put)
    order = asked(desk.look())
    call = order.legs[0].instrument
    desk.approve(order)
    desk.stage("t1.open.5.1", OrderRole.ENTRY, Stage.WORKING, key=order.key)
    desk.fill(call, -1, "1.10", ref="t1.open.5.1")
    desk.stage("t1.open.5.1", OrderRole.ENTRY, Stage.FILLED, key=order.key, filled=1)
    desk.stage("t1.tp.6.1", OrderRole.TAKE_PROFIT, Stage.WORKING)
    held = desk.look()
    desk.explain(call, -1, 0, Cause.ASSIGNMENT, because_of=call.conid)
    over = desk.explain(
        SPY.stock(), 100, 0, Cause.ASSIGNMENT, cash=str(100 * call.strike), because_of=call.conid
    )

    assert [one.event for one in of_kind(said, TradeChanged)] == ["adjusted"]
    assert (call.right, call.strike >= 505, order.strategy) == (Right.CALL, True, "wheel")
    assert (Action.HOLD, Rule.WATCHED) in decisions(held)
    (closed,) = of_kind(over, TradeChanged)
    assert closed.event == "closed"
    assert "wheel cycle over" in closed.reason
    assert f"{closed.trade.cash_usd:+,.2f} USD" in closed.reason


@pytest.mark.parametrize("unseen", [True, False])
def test_a_call_refused_before_all_was_seen_is_asked_for_again_soon(unseen):
    desk = Desk(SPY)
    put, _ = desk.open(505, premium=1.0, strategy="stock_puts")
    delivered(desk, put)
    order = asked(desk.look())
    faults = (Fault(name="delta", fault=InputFault.NOT_FINITE),) if unseen else ()
    against = review(order, 0, rule=RuleId.R13, check="trading_state")
    missing = msgspec.structs.replace(against.findings[0], check="short_delta", faults=faults)
    told = msgspec.structs.replace(against, findings=(*against.findings, missing))

    desk.tell(OrderRefused(proposal=order, review=told, words="no"))

    again = [one for _ in range(3) for one in of_kind(desk.look(), ProposeOrder)]
    assert [one.proposal.strategy for one in again] == (["wheel"] if unseen else [])


def test_a_put_that_was_assigned_is_not_over_before_its_shares_have_come():
    desk = Desk(SPY)
    put, _ = desk.open(505, premium=1.0)

    said = desk.explain(put, -1, 0, Cause.ASSIGNMENT)
    soon = desk.look(after_ns=5 * NS_PER_SECOND)

    assert not of_kind((*said, *soon), TradeChanged)
    assert of_kind(desk.look(after_ns=NS_PER_MINUTE), TradeChanged)


def test_a_fill_that_was_explained_as_well_counts_once():
    desk = Desk()
    put, _ = desk.open()
    desk.fill(put, 1, "0.30", key="hand", cause=Cause.MANUAL_TRADE)
    desk.explain(put, -1, 0, Cause.MANUAL_TRADE, cash="-30", fill="hand")

    assert desk.trade.state is TradeState.CLOSED
    assert len(desk.trade.parts) == 2


def valued(*rows, reconciled=True):
    return PositionsValued(
        agreed_ns=NOW,
        reconciled=reconciled,
        positions=rows,
        results={},
        cash_usd={},
        values=(
            AccountValues(
                account=ACCOUNT, at_ns=NOW, ready=True, net_liquidation_usd=Decimal(100_000)
            ),
        ),
        working_orders=0,
    )


def row(instrument, quantity, cost="150"):
    return PositionRow(
        account=ACCOUNT,
        instrument=instrument,
        contract="",
        quantity=Decimal(quantity),
        book_quantity=Decimal(quantity),
        average_cost_usd=Decimal(cost),
        mark_usd=None,
        marked_ns=None,
        value_usd=None,
        unrealised_usd=None,
        realised_usd=Decimal(0),
        realised_today_usd=Decimal(0),
        day_usd=None,
        fees_usd=Decimal(0),
        delta_shares=None,
    )


def test_what_was_not_opened_by_us_is_adopted_once_it_was_seen_twice_and_never_closed():
    desk = Desk()
    put = MARKET.option(520)
    desk.tell(valued(row(put, -3)))
    before = dict(desk.steward.state.ledger.trades)

    desk.tell(valued(row(put, -3)))
    desk.tell(demand(DemandKind.REDUCE))
    said = [*desk.look(), *desk.look()]

    name = f"manual-{put.conid}"
    assert before == {}
    assert desk.steward.state.ledger.trades[name].quantity(put.conid) == -3
    assert asked(said) is None
    assert (Action.HOLD, Rule.MANUAL) in decisions(said)


def test_while_the_book_is_not_agreed_nothing_is_adopted():
    desk = Desk()
    put = MARKET.option(520)

    for _ in range(3):
        desk.tell(valued(row(put, -3), reconciled=False))

    assert desk.steward.state.ledger.trades == {}


def excess(held=0.20):
    use = LimitUse(rule=RuleId.R6, name="index -10 %, VIX +20", limit=0.15, held=held, used=held)
    return RiskTaken(
        at_ns=NOW,
        trading=TradingState.RUNNING,
        uses=(use,),
        brakes=(),
        recovery=RecoveryPhase.NONE,
        why=(),
    )


def test_a_scenario_beyond_its_limit_is_hedged_within_the_budget_and_once():
    desk = Desk()
    desk.open(495, units=40, premium=1.0)
    desk.tell(valued())
    desk.tell(excess())
    first = asked(desk.look())

    said = desk.look()
    order = asked([one for one in said if isinstance(one, ProposeOrder)])
    earned = sum(one.gross_usd for one in desk.trade.parts)

    assert first is None
    assert (order.purpose, order.strategy) == (Purpose.HEDGE, "hedge")
    assert order.units * order.worst_usd * 100 <= Decimal("0.15") * earned
    assert asked(desk.look()) is None


def test_what_is_beyond_its_limit_only_until_a_long_leg_has_filled_is_not_hedged():
    desk = Desk()
    desk.open(495, units=40, premium=1.0)
    desk.tell(valued())
    looks = []

    for _ in range(3):
        desk.tell(excess())
        looks.append(asked(desk.look()))
        desk.tell(excess(held=0.14))
        looks.append(asked(desk.look()))

    assert looks == [None] * 6


def hedged():
    """A desk that holds a hedge nobody needs any more."""
    desk = Desk()
    desk.open(495, units=40, premium=1.0)
    desk.tell(valued())
    desk.tell(excess())
    desk.look()
    order = asked(desk.look())
    ref, told = f"{order.trade}.hedge.3.1", {"key": order.key, "trade": order.trade}
    desk.approve(order)
    desk.stage(ref, OrderRole.HEDGE, Stage.WORKING, units=order.units, **told)
    for leg in order.legs:
        desk.fill(leg.instrument, leg.ratio * order.units, "0.10", ref=ref)
    desk.stage(ref, OrderRole.HEDGE, Stage.FILLED, units=order.units, filled=order.units, **told)
    desk.tell(excess(held=0.01))
    return desk


def test_a_hedge_that_may_not_go_stays_a_while_without_alarm():
    """To give up protection is no exit: where nothing new may be risked it is refused for days."""
    desk = hedged()
    order = asked(desk.look())

    said = desk.tell(OrderRefused(proposal=order, review=None, words="no entries"))
    later = [asked(desk.look()) for _ in range(25)]

    assert order.strategy == "hedge"
    assert [one.urgency for one in of_kind(said, NotifyPerson)] == [Urgency.NORMAL]
    assert later == [None] * 25
    assert asked(desk.look(after_ns=10 * NS_PER_MINUTE)).strategy == "hedge"


def test_that_a_hedge_may_not_go_is_told_once_a_day():
    desk = hedged()

    def refused():
        for _ in range(60):
            order = asked(desk.look())
            if order is not None:
                said = desk.tell(OrderRefused(proposal=order, review=None, words="no entries"))
                return len(of_kind(said, NotifyPerson))
        return None

    assert [refused() for _ in range(3)] == [1, 0, 0]
    desk.look(after_ns=24 * 60 * NS_PER_MINUTE)
    assert refused() == 1


def test_a_hedge_on_its_way_out_holds_up_no_exit_that_is_demanded():
    desk = hedged()
    leaving = asked(desk.look())

    desk.tell(demand(DemandKind.REDUCE))
    order = asked(desk.look())

    assert leaving.strategy == "hedge"
    assert (order.trade, order.purpose) == ("t1", Purpose.CLOSE)


def test_nothing_is_bought_or_sold_anew_while_halted_yet_exits_go_on():
    desk = Desk()
    desk.open(495, units=40, premium=1.0)
    desk.tell(valued())
    desk.tell(excess())
    desk.tell(TradingHalted(halt=HaltRecord(epoch=1, reason="r", by="p", at_ns=NOW)))

    assert asked(desk.look()) is None
    desk.tell(demand())
    assert asked(desk.look()).purpose is Purpose.CLOSE


def test_out_of_hours_nothing_is_decided():
    desk = Desk()
    desk.open(495)
    desk.tell(demand())

    said = desk.look(after_ns=8 * 60 * NS_PER_MINUTE)

    assert not of_kind(said, PositionDecided)
    assert not of_kind(said, ProposeOrder)


def test_a_desk_that_stops_asks_for_nothing():
    desk = Desk()
    desk.open(495)
    desk.tell(demand())
    desk.tell(Quiesce())

    assert asked(desk.look()) is None


def test_a_person_is_told_of_a_blind_trade_after_a_while_and_not_every_minute():
    desk = Desk()
    desk.open(495)
    blind = Market(days=(1, 7, 30, 44), doubted={(0, 495, Right.PUT)})
    desk.view(blind)

    told = [of_kind(desk.look(), NotifyPerson) for _ in range(20)]

    assert [bool(one) for one in told].count(True) == 1
    assert told[0] == []


def test_a_person_is_told_as_urgently_as_the_table_says_of_a_trade_near_its_stop():
    desk = Desk()
    desk.open(premium=0.45)
    held = desk.trade
    stop = held.premium_usd * 3 / 100
    desk.steward.state.ledger.trades["t1"] = msgspec.structs.replace(
        held, exits=Exits(take_profit_usd=None, stop_usd=stop)
    )

    told = [one for one in of_kind(desk.look(), NotifyPerson) if "near stop" in one.text]

    assert [one.urgency for one in told] == [TABLE[Matter.NEAR_STOP].urgency]


def test_the_timer_is_always_set_again():
    desk = Desk()

    assert StartTimer(name=LOOK, after_ns=LIMITS.every_ns) in desk.look()


def test_a_restart_at_any_message_gives_the_same_answers():
    desk = losing()
    roll = asked(desk.look())
    desk.tell(OrderRefused(proposal=roll, review=None, words="no"))
    close = asked(desk.look())
    desk.stage("t1.close.4.1", OrderRole.EXIT, Stage.WORKING, key=close.key)
    put = close.legs[0].instrument
    desk.fill(put, 1, "0.90", ref="t1.close.4.1")
    desk.look()
    whole = Steward(SETTINGS)
    answers = [whole.receive(message, now) for message, now in desk.told]

    restarted, again = Steward(SETTINGS), []
    for message, now in desk.told:
        kept = msgspec.msgpack.encode(restarted.state)
        restarted = Steward(SETTINGS)
        restarted.state = msgspec.msgpack.decode(kept, type=StewardState)
        again.append(restarted.receive(message, now))

    assert again == answers
    assert restarted.state == whole.state
