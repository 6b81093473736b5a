"""The strategist: asks for the best when it is time, hears no, and hammers nobody."""

import datetime as dt

import msgspec
import pytest

from tests.domain.context.test_figures import history_of
from tests.domain.strategy.scenes import book, changed, regime, settings, terms_of, view_of
from thetawarden.actors.strategist import Strategist
from thetawarden.domain.chains.view import read_rows
from thetawarden.domain.context.figures import figures_of
from thetawarden.domain.halt import HaltRecord, TradingState
from thetawarden.domain.instants import NS_PER_MINUTE, NS_PER_SECOND, new_york_ns
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.regime.readings import Fault, InputFault
from thetawarden.domain.risk.finding import RuleFinding, RuleId, Verdict
from thetawarden.domain.risk.ledger import Approval
from thetawarden.domain.risk.reducing import Reduction
from thetawarden.domain.risk.review import Review
from thetawarden.domain.strategy.level import Level
from thetawarden.domain.strategy.portfolio import Sold
from thetawarden.messages.books import PositionsValued
from thetawarden.messages.chains import ChainViewed, InterestChanged
from thetawarden.messages.context import FiguresComputed
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.market import RegimeAssessed
from thetawarden.messages.orders import (
    OrderApproved,
    OrderRefused,
    OrderStageChanged,
    ProposeOrder,
)
from thetawarden.messages.strategy import CandidatesViewed, EntrySnapshotTaken, PredictionMade
from thetawarden.messages.timers import StartTimer, TimerFired
from thetawarden.messages.trading import TradingHalted, TradingResumed

DAY = dt.date(2026, 3, 2)
SLOT = new_york_ns(DAY, dt.time(10, 40))
VIEW = view_of()


def review(units, *, rule=RuleId.R3, faults=()):
    verdict = Verdict.PASS if units else Verdict.REFUSE
    finding = RuleFinding(rule=rule, check="x", verdict=verdict, words="so it is", faults=faults)
    return Review(
        candidate_key="k",
        wanted=1,
        units=units,
        reduction=Reduction(proved=False, words=""),
        findings=(finding,),
        binding=() if units else (rule,),
        words="so it is",
    )


class Desk:
    """A strategist that sees a good market, and the instant."""

    def __init__(self, **changes):
        narrow = {"width_points_min": 10.0, "width_points_max": 60.0, "underlyings": ("SPX",)}
        terms = {name: terms_of(name, **narrow) for name in ("index_puts", "put_spreads")}
        self.settings = settings(**({"terms": terms} | changes))
        self.actor = Strategist(
            settings=self.settings,
            sessions=load_sessions(Exchange.NYSE),
            software="1",
            fingerprint="f",
        )
        self.now = SLOT + NS_PER_SECOND
        self.tell(Begin(incarnation=1, resumed=False))
        self.tell(LinkChanged(epoch=1, state=LinkState.READY, entries=True, why=""))
        self.wait_until(dt.time(10, 41))

    def wait_until(self, at):
        """Market and book as good as before, at another time of the day."""
        self.now = new_york_ns(DAY, at)
        self.tell(RegimeAssessed(regime=regime(now=self.now)))
        self.value()

    @property
    def state(self):
        return self.actor.state

    def value(self, *, reconciled=True):
        self.tell(
            PositionsValued(
                agreed_ns=self.now,
                reconciled=reconciled,
                positions=(),
                results={},
                cash_usd={},
                values=(),
                working_orders=0,
            )
        )

    def tell(self, message, after=0):
        self.now += after
        return self.actor.receive(message, self.now)

    def see(self, view=VIEW, after=NS_PER_SECOND):
        """The chain as quoted just now."""
        self.now += after
        size = len(read_rows(view).conid)
        fresh = changed(view, at_ns=[self.now] * size)
        fresh = msgspec.structs.replace(fresh, at_ns=self.now, number=fresh.number + 1)
        return self.actor.receive(ChainViewed(underlying="SPX", view=fresh), self.now)

    def propose(self, **how):
        (proposal,) = proposed(self.see(**how))
        return proposal

    def approve(self, proposal, units=1):
        approval = Approval(
            key="A1",
            candidate_key=proposal.key,
            units=units,
            approved_ns=self.now,
            expires_ns=self.now + 15 * NS_PER_SECOND,
            halt_epoch=0,
            quotes=(),
            stress_key="",
            stress_at_ns=self.now,
            worst_loss_usd=0.0,
            book_version="",
            reducing=False,
        )
        return self.tell(OrderApproved(proposal=proposal, approval=approval, review=review(units)))

    def refuse(self, proposal, rule=RuleId.R3, faults=()):
        judged = review(0, rule=rule, faults=faults)
        return self.tell(OrderRefused(proposal=proposal, review=judged, words="too much"))

    def stage(self, proposal, stage, filled=0):
        return self.tell(
            OrderStageChanged(
                order_ref=f"{proposal.trade}.entry.1.1",
                trade=proposal.trade,
                strategy=proposal.strategy,
                role=OrderRole.ENTRY,
                approval_key="A1",
                proposal_key=proposal.key,
                stage=stage,
                units=1,
                units_filled=filled,
                perm_id=1,
                words="",
            )
        )


def proposed(said):
    return [one.proposal for one in said if isinstance(one, ProposeOrder)]


def test_in_an_open_slot_the_best_candidate_is_asked_for_with_all_it_rests_on():
    desk = Desk()

    proposal = desk.propose()

    best = desk.state.offers["SPX"].candidates[0]
    assert [leg.instrument.conid for leg in proposal.legs] == list(best.conids)
    assert proposal.expires_ns > desk.now
    assert all(quote.at_ns == desk.now for quote in proposal.quotes)
    assert proposal.reasons
    assert proposal.exits is not None


def test_what_can_be_sold_is_shown_when_it_changes_and_its_legs_are_watched():
    desk = Desk(level=Level.SUGGEST)

    first, again = desk.see(), desk.see()

    assert [type(one) for one in first] == [CandidatesViewed, InterestChanged]
    assert first[0].offer.candidates
    wanted = {one.conid for one in first[1].instruments}
    assert set(first[0].offer.candidates[0].conids) <= wanted
    assert again == ()


def test_legs_that_are_offered_in_turn_are_asked_for_once_and_let_go_after_a_while():
    desk = Desk(level=Level.SUGGEST)
    other = changed(VIEW, delta_per_share=1.3 * read_rows(VIEW).delta_per_share)

    said = [one for view in (VIEW, other, VIEW, other, VIEW) for one in desk.see(view)]
    later = [one for _ in range(2) for one in desk.see(after=6 * NS_PER_MINUTE)]

    asked = [one for one in said if isinstance(one, InterestChanged)]
    offers = [one.offer for one in said if isinstance(one, CandidatesViewed)]
    legs = [[leg.conid for leg in one.instruments] for one in asked]
    assert len({one.candidates[0].conids for one in offers}) == 2
    assert len(legs) == 2
    assert set(legs[0]) < set(legs[1])
    (let_go,) = (one for one in later if isinstance(one, InterestChanged))
    assert [leg.conid for leg in let_go.instruments] == legs[0]


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (LinkChanged(epoch=1, state=LinkState.SYNCING, entries=False, why=""), "link"),
        (TradingHalted(halt=HaltRecord(epoch=1, reason="r", by="b", at_ns=1)), "halted"),
        (Quiesce(), "stopping"),
    ],
)
def test_nothing_is_asked_for_while_trading_may_not_add_risk(message, why):
    desk = Desk()
    desk.tell(message)

    assert not proposed(desk.see())
    assert why in desk.state.waiting


def test_after_a_halt_is_lifted_entries_go_on():
    desk = Desk()
    desk.tell(TradingHalted(halt=HaltRecord(epoch=1, reason="r", by="b", at_ns=1)))
    desk.tell(TradingResumed(epoch=1, reason="seen", by="me"))

    assert proposed(desk.see())


def test_a_book_that_is_not_reconciled_and_an_old_regime_allow_nothing():
    desk = Desk()
    desk.value(reconciled=False)
    assert not proposed(desk.see())
    desk.value()
    desk.state.regime_ns -= 16 * NS_PER_MINUTE

    assert not proposed(desk.see())
    assert "state is unknown" in desk.state.waiting


def test_outside_the_slots_and_on_old_quotes_nothing_is_asked_for():
    desk = Desk()
    desk.wait_until(dt.time(11, 10))
    assert not proposed(desk.see())
    desk.wait_until(dt.time(11, 31))
    stale = changed(VIEW, at_ns=[desk.now - 11 * NS_PER_SECOND] * len(read_rows(VIEW).conid))
    stale = msgspec.structs.replace(stale, at_ns=desk.now)
    assert not proposed(desk.tell(ChainViewed(underlying="SPX", view=stale)))

    assert proposed(desk.see())


def test_one_question_at_a_time_and_one_entry_a_slot():
    desk = Desk()
    proposal = desk.propose()
    assert not proposed(desk.see())
    desk.approve(proposal)

    assert not proposed(desk.see())
    assert desk.state.done == {"SPX 10:40": proposal.trade}
    desk.stage(proposal, Stage.FILLED, filled=1)
    desk.wait_until(dt.time(11, 31))
    assert proposed(desk.see())


def test_a_strategy_with_an_entry_on_its_way_enters_nothing_more_on_the_underlying():
    desk = Desk()
    first = desk.propose()
    desk.approve(first)
    desk.stage(first, Stage.WORKING)
    desk.wait_until(dt.time(11, 31))

    (second,) = proposed(desk.see())

    assert second.strategy != first.strategy


def test_a_refused_candidate_gives_way_to_another_strategy_and_is_not_asked_for_again():
    desk = Desk()
    first = desk.propose()
    desk.refuse(first)

    second = desk.propose()
    desk.refuse(second)
    later = [proposed(desk.see(after=60 * NS_PER_SECOND)) for _ in range(9)]

    assert second.strategy != first.strategy
    assert not any(later)
    assert desk.state.judged[f"SPX|{first.strategy}"].words == "too much"


def test_what_was_refused_for_not_being_seen_yet_is_asked_for_again_at_once_when_it_may_be():
    desk, unseen = Desk(), (Fault(name="index drop", fault=InputFault.NOT_FINITE),)
    first = desk.propose()
    desk.refuse(first, faults=unseen)
    desk.refuse(desk.propose(), faults=unseen)

    soon = proposed(desk.see(after=30 * NS_PER_SECOND))
    later = proposed(desk.see(after=31 * NS_PER_SECOND))

    assert not soon
    assert [one.strategy for one in later] == [first.strategy]


def test_what_is_sold_already_is_not_sold_again_beside_its_exit():
    desk = Desk()
    offered = Desk().propose().legs[0].instrument
    held = Sold(underlying="SPX", expiry=offered.expiry, conid=offered.conid, contracts=-1.0)
    desk.state.portfolio = msgspec.structs.replace(desk.state.portfolio, options=(held,))

    found = proposed(desk.see())

    assert found
    sold = [leg.instrument.conid for one in found for leg in one.legs if leg.ratio < 0]
    assert offered.conid not in sold


def test_where_nothing_naked_may_stand_a_spread_is_asked_for():
    desk = Desk(
        terms={
            name: terms_of(name, underlyings=("SPX",), width_points_min=10.0, width_points_max=60.0)
            for name in ("index_puts", "strangles", "put_spreads")
        }
    )
    naked = {"index_puts", "strangles"}
    tried = []
    while True:
        proposal = desk.propose()
        tried.append(proposal.strategy)
        if proposal.strategy not in naked:
            break
        desk.refuse(proposal, rule=RuleId.R15)

    assert tried[-1] == "put_spreads"
    assert len(tried) <= 2


def test_silence_of_the_governor_counts_as_no():
    desk = Desk()
    first = desk.propose()
    desk.tell(TimerFired(name="sweep"), after=31 * NS_PER_SECOND)

    second = desk.propose()

    assert second.strategy != first.strategy
    assert second.key != first.key


def test_an_approval_says_what_is_expected_and_its_order_what_was_known():
    desk = Desk()
    proposal = desk.propose()

    predictions = desk.approve(proposal)
    (snapshot,) = desk.stage(proposal, Stage.INTENDED)

    assert [type(one) for one in predictions] == [PredictionMade] * 3
    assert {one.prediction.trade for one in predictions} == {proposal.trade}
    assert isinstance(snapshot, EntrySnapshotTaken)
    taken = snapshot.snapshot
    assert taken.order_ref == f"{proposal.trade}.entry.1.1"
    assert len(taken.__struct_fields__) >= 66
    assert taken.credit_usd == pytest.approx(-float(proposal.limit_usd), abs=0.1)
    assert (taken.contracts, taken.software, taken.config_fingerprint) == (1, "1", "f")
    assert desk.stage(proposal, Stage.SENT) == ()


def test_an_entry_takes_down_where_implied_volatility_stands_in_its_year():
    desk = Desk()
    closes = [0.10 + n / 1000 for n in range(250)]
    year = history_of([*closes, 0.2245])
    desk.tell(FiguresComputed(symbol="SPX", figures=figures_of(history_of([5000.0]), year)))

    proposal = desk.propose()

    snapshot = desk.state.asked[proposal.key].snapshot
    assert snapshot.iv_rank_fraction == pytest.approx(0.5)
    assert snapshot.iv_percentile_fraction == pytest.approx(0.5)
    assert snapshot.portfolio_vega_usd_per_vol_point == 0.0


@pytest.mark.parametrize("end", [Stage.WITHHELD, Stage.CANCELLED, Stage.REJECTED])
def test_an_entry_that_came_to_nothing_gives_its_slot_back_and_rests(end):
    desk = Desk()
    proposal = desk.propose()
    desk.approve(proposal)
    desk.stage(proposal, end)

    assert desk.state.done == {}
    assert desk.propose().strategy != proposal.strategy


def test_an_entry_of_yesterday_that_came_to_nothing_gives_no_slot_of_today_back():
    desk = Desk()
    proposal = desk.propose()
    desk.approve(proposal)
    desk.stage(proposal, Stage.WORKING)
    slot = f"SPX {dt.time(10, 40):%H:%M}"
    desk.state.done = {slot: "another-SPX-9"}  # of the next day

    desk.stage(proposal, Stage.CANCELLED)

    assert desk.state.done == {slot: "another-SPX-9"}


def test_an_entry_takes_down_the_volatility_of_its_own_class():
    """Two classes end on one day; that settled in the morning stands first in the chain."""
    rows = read_rows(VIEW)
    view = changed(VIEW, series=rows.series + len(VIEW.series))
    morning = tuple(
        msgspec.structs.replace(one, trading_class="SPX", atm_iv_annual=0.9) for one in VIEW.series
    )
    view = msgspec.structs.replace(view, series=(*morning, *VIEW.series))
    desk = Desk()

    proposal = desk.propose(view=view)

    snapshot = desk.state.asked[proposal.key].snapshot
    assert snapshot.trading_class == "SPXW"
    assert 0.0 < snapshot.iv_atm_annual < 0.9


def test_an_approval_that_nobody_uses_is_given_up():
    desk = Desk()
    proposal = desk.propose()
    desk.approve(proposal)

    (timer,) = desk.tell(TimerFired(name="sweep"), after=60 * NS_PER_SECOND)

    assert isinstance(timer, StartTimer)
    assert desk.state.entries == {}


def test_levels_below_automatic_ask_for_nothing_by_themselves():
    for level in (Level.SUGGEST, Level.APPROVE):
        desk = Desk(level=level)

        assert not proposed(desk.see())
        assert desk.state.offers["SPX"].candidates


def test_what_it_remembers_survives_being_written_down():
    desk = Desk()
    proposal = desk.propose()
    packed = msgspec.msgpack.encode(desk.state)
    other = Desk()
    other.actor.state = msgspec.msgpack.decode(packed, type=type(desk.state))
    other.now = desk.now

    assert other.approve(proposal) == desk.approve(proposal)
    assert len(packed) < 60_000
    assert other.state.trading is TradingState.RUNNING
    assert other.state.portfolio.reconciled == book().reconciled
