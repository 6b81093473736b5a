"""The watch of a crash must find every excess that is planted, and tell entries from the market."""

import math

import msgspec
import pytest

from soak.crash_terms import world_settings
from soak.own_margin import Lot, asked_usd
from soak.own_order import is_naked
from soak.own_orders import Trade
from soak.own_prices import Terms, worths
from soak.own_watch import OwnWatch
from soak.ungoverned import Ungoverned
from tests.actors.governed import LIMITS, SPOT, Governed, inputs, option, settings, view
from thetawarden.actors.governing import desk_of, measured
from thetawarden.actors.governor import Governor
from thetawarden.config.risk import RiskConfig
from thetawarden.domain.halt import HaltRecord
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.orders.intent import Gate, Intent, Lifetime, OrderRole, OrderStyle
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.regime.readings import Reading
from thetawarden.domain.risk.brakes import BrakeLevel
from thetawarden.domain.risk.candidate import Purpose, WhatIf
from thetawarden.domain.risk.demands import Demand, DemandKind
from thetawarden.domain.risk.recovery import RecoveryPhase
from thetawarden.domain.risk.usage import limits_in_use
from thetawarden.messages.context import ContextTaken
from thetawarden.messages.lifecycle import Begin
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.orders import MarginPreviewed, OrderApproved, SubmitOrder
from thetawarden.messages.risk import RiskDemanded, RiskTaken
from thetawarden.messages.trading import Resume, TradingHalted, TradingResumed
from thetawarden.practice.market.scenario import ScenarioName

PUTS = [option(strike=strike) for strike in range(480, 600, 5)]
NAMES = [option("AAPL", 180), option("XOM", 100), option("JPM", 250)]


class Logged(Governed):
    """All that a governor hears and says, heard by the watch as from a log."""

    def __init__(self, *, kind=Ungoverned, instruments=(*PUTS, *NAMES), **told):
        self.own = OwnWatch(LIMITS)
        super().__init__(begin=False, instruments=instruments, **told)
        self.governor = kind(settings=settings())
        self.tell(Begin(incarnation=1, resumed=False))
        self.tell(LinkChanged(epoch=1, state=LinkState.READY, entries=True, why="agreed"))
        self.refresh()

    def tell(self, message):
        self.own.hear(message, self.now)
        said = super().tell(message)
        for one in said:
            self.own.hear(one, self.now)
        return said

    def let_in(self, *legs, margin=2_000.0, **told):
        """An order that nobody judges, with the broker's word on its margin."""
        key, units = told.get("key", "P1"), told.get("units", 1)
        answer = WhatIf(
            units=units,
            initial_change_usd=margin * units,
            maintenance_change_usd=margin * units,
            at_ns=self.now,
        )
        self.tell(MarginPreviewed(epoch=1, asked_by="governor", key=key, answer=answer, words=""))
        said = self.propose(*legs, **told)
        (approved,) = [one for one in said if isinstance(one, OrderApproved)]
        return approved

    def holding(self, count, *, margin=500.0, **told):
        """So many positions of one short put each, let in and filled."""
        for number in range(count):
            legs = ((PUTS[number], -1),)
            self.wait(1).hold(self.let_in(*legs, key=f"H{number}", margin=margin, **told))
        return self

    @property
    def wrong(self):
        return [*self.own.outcome.wrong, *self.own.order.wrong]


def test_an_entry_that_every_limit_has_room_for_is_not_wrong():
    desk = Logged().holding(3)

    assert desk.wrong == []
    assert desk.own.outcome.entries == 3
    assert desk.own.outcome.measured > 10
    assert desk.own.outcome.episodes == []


def short(strike, n=-1):
    return (option(strike=strike), n)


AAPL = (option("AAPL", 180), -1)
PLANTED = {
    "R2 index_drop": (150_000, short(590), {"units": 2}),
    "R2 gamma": (10_000, short(595), {}),
    "R2 vix_rise": (5_000, short(590), {}),
    "R2 income": (2_000, short(590), {}),
    "R2 notional": (100_000, short(480), {"units": 11}),
    "R3 utilisation": (1_000_000, short(500), {"margin": 550_000.0}),
    "R3 not_liquid": (1_000_000, short(500), {"margin": 750_000.0}),
    "R3 auto_select_budget": (1_000_000, short(500), {"margin": 210_000.0, "auto_selected": True}),
    "R3: its margin": (1_000_000, short(500), {"margin": 110_000.0}),
    "R4 stressed_utilisation": (60_000, short(540), {"units": 5}),
    "R6 index -20 %, VIX +40": (60_000, short(500), {"units": 3}),
    "R6 index -10 %, VIX +20": (30_000, short(540), {"units": 3}),
    "R6 index -3 %, VIX +5": (9_000, short(590), {"units": 2}),
    "R10 AAPL": (1_000_000, AAPL, {"units": 6}),
    "R10: 11 contracts": (10_000_000, short(480), {"units": 11}),
}
"""What is let in at what worth of the account, by the name of the limit that it passes."""


@pytest.mark.parametrize("name", PLANTED)
def test_an_entry_that_passes_a_limit_is_found_by_the_limits_name(name):
    nlv, leg, told = PLANTED[name]
    desk = Logged(nlv=nlv)
    desk.let_in(leg, **told)

    assert [line for line in desk.wrong if name in line]


def test_a_position_more_than_are_allowed_is_wrong():
    desk = Logged(nlv=10_000_000).holding(20)
    assert not [line for line in desk.wrong if "R10 positions" in line]
    desk.wait(1).let_in(short(595), key="one more")

    assert [line for line in desk.wrong if "R10 positions" in line]


def test_too_much_that_ends_on_one_day_is_wrong():
    desk = Logged().holding(4)
    assert not [line for line in desk.wrong if "R7" in line]
    desk.wait(1).let_in(short(540), key="fifth")

    found = [line for line in desk.wrong if "R7: 100.00% of positions end" in line]
    assert len(found) == 2  # by date, and by stretch of days


def test_an_entry_of_which_the_broker_never_told_the_margin_is_wrong():
    desk = Logged()
    desk.propose(short(500))

    assert [line for line in desk.wrong if "R3: the broker never said" in line]


def test_an_entry_while_anything_held_cannot_be_valued_is_wrong():
    desk = Logged(instruments=PUTS[:1])
    desk.hold(desk.let_in((PUTS[0], -1), key="H"))
    desk.rows[999] = (msgspec.structs.replace(PUTS[1], conid=999), -1)
    lost = msgspec.structs.replace(PUTS[1], conid=999)
    desk.wait(1).let_in((lost, -1), key="blind")

    assert [line for line in desk.wrong if "was unknown" in line]


@pytest.mark.parametrize(("nlv", "found"), [(985_100, False), (984_900, True), (970_000, True)])
def test_an_entry_from_three_quarters_of_a_days_loss_on_is_wrong(nlv, found):
    desk = Logged()
    desk.wait(1).account(nlv=nlv)
    desk.let_in(short(500))

    assert bool([line for line in desk.wrong if "R5: let in at a day_loss" in line]) == found


def days_later(desk, days):
    desk.wait(days * 86_400).refresh()
    return desk


def test_sizes_that_losses_drawdown_and_likeness_do_not_allow_are_wrong():
    desk = Logged()
    desk.wait(1).account(nlv=990_500)
    desk.let_in(short(500), units=8, key="whole")

    (line,) = [one for one in desk.wrong if "R5 R8 R9" in one]
    assert "8 of 8 let in, 7 allowed" in line


def test_an_entry_in_the_pause_after_a_drawdown_is_wrong_and_half_a_size_comes_after_it():
    desk = Logged()
    for loss in range(1, 8):
        days_later(desk, 1).account(nlv=1_000_000 - loss * 15_000)
    assert desk.own.entries.way_back.phase == "pause"
    days_later(desk, 1).let_in(short(500), key="early")
    assert [line for line in desk.wrong if "pause after a drawdown" in line]

    desk.nlv = 950_000
    days_later(desk, 14)
    assert desk.own.entries.way_back.phase == "half"
    assert desk.own.entries.factors(desk.own.facts)["R8"] == pytest.approx(0.5 * 0.5)
    desk.nlv = 949_000
    days_later(desk, 14)
    assert desk.own.entries.way_back.phase == "half"
    desk.wait(1).account(nlv=960_000)
    assert desk.own.entries.way_back.phase == "most"
    days_later(desk, 28).account(nlv=970_000)
    assert desk.own.entries.way_back.phase == "none"


def alike(desk, likeness):
    seen = inputs(desk.now)
    reading = Reading(value=likeness, at_ns=desk.now)
    desk.tell(
        ContextTaken(
            inputs=msgspec.structs.replace(seen, average_correlation=reading, underlyings=2),
            trading=True,
        )
    )


@pytest.mark.parametrize(("likeness", "found"), [(0.2, False), (0.45, False), (0.71, True)])
def test_an_entry_while_what_is_held_moves_as_one_is_wrong(likeness, found):
    desk = Logged()
    desk.hold(desk.let_in(short(500), key="H1"))
    desk.hold(desk.wait(1).let_in((option("XOM", 100), -1), key="H2"))
    alike(desk, likeness)
    desk.wait(1).let_in(short(510), key="third")

    assert bool([line for line in desk.wrong if "R9 0.00" in line]) == found


def test_the_same_entry_a_moment_later_is_wrong_and_after_a_while_it_is_not():
    desk = Logged()
    desk.hold(desk.let_in(short(500), key="one"))
    desk.wait(299).let_in(short(500), key="two")
    assert [line for line in desk.wrong if line.startswith("A2") and "a moment ago" in line]

    desk.wait(301).let_in(short(500), key="three")
    assert not [line for line in desk.wrong if line.startswith("A3")]


def fall(desk, fraction, *, mid=1.0):
    """The index falls at one message."""
    told = view("XSP", PUTS, now=desk.now, mid=mid)
    spot = SPOT["XSP"] * (1.0 - fraction)
    series = tuple(
        msgspec.structs.replace(one, forward_usd=one.forward_usd * (1.0 - fraction))
        for one in told.view.series
    )
    desk.tell(
        msgspec.structs.replace(
            told, view=msgspec.structs.replace(told.view, spot_usd=spot, series=series)
        )
    )


def test_what_the_market_alone_carries_beyond_a_limit_is_told_apart_from_entries():
    desk = Logged(kind=Governor, nlv=1_000_000)
    desk.rows = {one.conid: (one, -9) for one in PUTS[10:12]}
    for one in desk.rows.values():
        desk.own.facts.orders.known[one[0].conid] = one[0]
        desk.own.facts.orders.trades[str(one[0].conid)] = trade_of(one[0])
    desk.valued()
    assert desk.wrong == []

    fall(desk.wait(5), 0.10)

    episodes = list(desk.own.finish().episodes)
    assert {one.by for one in episodes} == {"market"}
    drop = next(one for one in episodes if one.name == "R2 index_drop")
    assert drop.before < 1.0 < drop.peak
    assert drop.demanded_ns == drop.began_ns  # the governor said so at that very message
    assert "by market" in drop.words
    assert "demanded after 0 s" in drop.words
    assert desk.wrong == []


def test_an_episode_ends_when_the_limit_holds_again_and_tells_how_long_it_lasted():
    desk = Logged(kind=Governor)
    desk.rows = {PUTS[10].conid: (PUTS[10], -18)}
    desk.own.facts.orders.known[PUTS[10].conid] = PUTS[10]
    desk.own.facts.orders.trades["T"] = trade_of(PUTS[10], contracts=-18.0)
    desk.valued()
    fall(desk.wait(5), 0.10)
    assert desk.own.outcome.episodes == []
    fall(desk.wait(60), 0.0)

    (drop,) = [one for one in desk.own.outcome.episodes if one.name == "R2 index_drop"]
    assert drop.ended_ns - drop.began_ns == 60 * 10**9
    assert drop.open_s == pytest.approx(60.0)
    assert "for 0:01:00" in drop.words


def trade_of(instrument, contracts=-9.0):
    return Trade(lots={instrument.conid: contracts}, margin_usd=4_000.0)


def test_positions_that_fills_do_not_account_for_are_wrong():
    desk = Logged()
    desk.rows = {PUTS[0].conid: (PUTS[0], -1)}
    desk.valued()

    assert [line for line in desk.wrong if "positions by our own count differ" in line]


def test_a_combination_counts_as_whole_units_while_its_legs_come_in():
    desk = Logged()
    approved = desk.let_in(short(540), short(530, 1), units=2)
    desk.stage(approved, Stage.INTENDED)
    before = desk.own.facts.orders.held()
    desk.fill(approved, units=1, legs=approved.proposal.legs[:1])
    (live,) = desk.own.facts.live()
    assert (before, desk.own.facts.orders.held(), live.units_left) == ({}, {}, 2)

    desk.fill(approved, units=1, legs=approved.proposal.legs[1:])
    (live,) = desk.own.facts.live()
    assert live.units_left == 1
    assert desk.own.facts.orders.held() == {
        "TP1": {option(strike=540).conid: -1.0, option(strike=530).conid: 1.0}
    }


def test_every_limit_is_measured_as_the_governor_measures_it_by_other_arithmetic():
    desk = Logged(kind=Governor, nlv=400_000, instruments=(*PUTS, option("SPY", 540)))
    desk.hold(desk.approve((PUTS[8], -1), (PUTS[4], 1), units=3))
    desk.hold(desk.wait(1).approve((option("SPY", 540), -1), key="P2"))
    desk.wait(10).refresh()
    waiting = desk.approve((PUTS[9], -1), key="P3")
    desk.stage(waiting, Stage.INTENDED)
    desk.look()

    theirs = {
        f"{one.rule.value} {one.name}": one
        for one in limits_in_use(
            measured(desk.state, settings(), None).book,
            account=desk_of(desk.state, settings()).account,
            limits=LIMITS,
            positions_max=20,
        )
    }
    ours = {one.key: one for one in desk.own._measure.uses(desk.own.facts)}
    common = theirs.keys() & ours.keys()
    assert len(common) >= 16
    for name in common:
        assert ours[name].limit == theirs[name].limit, name
        assert ours[name].held == pytest.approx(theirs[name].held, rel=2e-3, abs=1e-7), name
        assert ours[name].used == pytest.approx(theirs[name].used, rel=2e-3, abs=1e-7), name


def halted(desk, reason="day loss", by="governor"):
    record = HaltRecord(epoch=1, reason=reason, by=by, at_ns=desk.now)
    desk.own.hear(TradingHalted(halt=record), desk.now)


def test_a_loss_at_its_limit_that_does_not_halt_at_once_is_wrong():
    desk = Logged()
    desk.wait(1).account(nlv=979_000)
    desk.wait(300).look()

    assert [line for line in desk.wrong if "day_loss at its limit has not halted" in line]


def test_a_governor_that_halts_at_once_is_in_order():
    desk = Logged(kind=Governor)
    desk.wait(1).account(nlv=979_000)
    desk.wait(300).look()

    assert desk.wrong == []
    assert any("halted by governor" in one.words for one in desk.own.order.happened)
    assert any("brake day_loss: stop" in one.words for one in desk.own.order.happened)


def test_a_brake_that_is_told_to_stand_where_it_does_not_is_wrong():
    desk = Logged(kind=Governor)
    taken = desk.state.taken
    desk.own.hear(msgspec.structs.replace(taken, recovery=RecoveryPhase.HALF), desk.now)
    loose = tuple(msgspec.structs.replace(one, level=BrakeLevel.WARN) for one in taken.brakes)
    desk.own.hear(msgspec.structs.replace(taken, brakes=loose), desk.now)

    assert [line for line in desk.wrong if "recovery is told to be half" in line]
    assert [line for line in desk.wrong if "brake day_loss is told to be warn" in line]
    assert isinstance(taken, RiskTaken)


def submitted(desk, *, reducing):
    intent = Intent(
        order_ref="x.open.1.1",
        trade="x",
        strategy="s",
        role=OrderRole.ENTRY,
        legs=(),
        units=1,
        style=OrderStyle.LIMIT,
        lifetime=Lifetime.DAY,
        limit_usd=None,
        reducing=reducing,
    )
    gate = Gate(approval_key="A1", halt_epoch=0, expires_ns=0, quoted_ns=0, quote_age_ns_max=1)
    desk.own.hear(SubmitOrder(epoch=1, intent=intent, exits=(), gate=gate), desk.now)


def test_what_adds_risk_while_halted_is_wrong_and_what_takes_it_away_is_not():
    desk = Logged()
    halted(desk)
    submitted(desk, reducing=True)
    assert desk.wrong == []
    submitted(desk, reducing=False)
    desk.let_in(short(500))

    assert [line for line in desk.wrong if "adds risk while halted" in line]
    assert [line for line in desk.wrong if "was let in while halted" in line]


def test_only_a_person_who_asked_for_it_resumes():
    desk = Logged()
    halted(desk)
    desk.own.hear(Resume(reason="looked", by="me", epoch=1), desk.now)
    desk.own.hear(TradingResumed(epoch=1, reason="looked", by="me"), desk.now)
    assert desk.wrong == []
    halted(desk)
    desk.own.hear(TradingResumed(epoch=2, reason="of itself", by="governor"), desk.now)

    assert [line for line in desk.wrong if "resumed by governor" in line]


def test_demands_out_of_their_order_are_wrong():
    desk = Logged()
    kinds = (DemandKind.REDUCE, DemandKind.HALT)
    demands = tuple(Demand(kind=kind, why="") for kind in kinds)
    desk.own.hear(RiskDemanded(demands=demands[::-1]), desk.now)
    assert desk.wrong == []
    desk.own.hear(RiskDemanded(demands=demands), desk.now)

    assert [line for line in desk.wrong if "another order than by urgency" in line]


@pytest.mark.parametrize(
    ("vix", "spread", "found"),
    [(24.9, False, 0), (26.0, True, 0), (26.0, False, 1), (41.0, True, 1)],
)
def test_naked_above_a_vix_and_anything_above_another_is_wrong(vix, spread, found):
    desk = Logged()
    desk.wait(7_200).refresh(vix=vix)
    desk.wait(7_200).refresh(vix=vix)
    legs = (short(540), short(530, 1)) if spread else (short(540),)
    desk.let_in(*legs)

    told = [line for line in desk.wrong if "with the VIX above" in line]
    assert len(told) == found


@pytest.mark.parametrize(
    ("legs", "naked"),
    [
        (((540, False, 30, -1), (530, False, 30, 1)), False),
        (((540, False, 30, -1), (530, False, 23, 1)), True),
        (((540, False, 30, -1), (640, True, 30, 1)), True),
        (((540, False, 30, -2), (530, False, 30, 1)), True),
        (((540, False, 30, 1),), False),
    ],
)
def test_a_short_is_naked_without_a_long_of_its_kind_that_lives_as_long(legs, naked):
    made = tuple((option(strike=strike, call=call, days=days), n) for strike, call, days, n in legs)
    proposal = Logged().proposal(*made, purpose=Purpose.OPEN)

    assert is_naked(proposal) == naked


def test_worths_meet_put_call_parity_and_an_american_is_worth_no_less():
    usual = {
        "strike": 100.0,
        "years": 0.25,
        "vol": 0.2,
        "rate": 0.05,
        "carry": 0.01,
        "spot": 98.0,
        "vix": 20.0,
        "beta": 1.0,
        "vol_beta": 1.0,
    }
    call, put, american = (
        worths(Terms(call=is_call, american=early, **usual))[0]
        for is_call, early in ((True, False), (False, False), (False, True))
    )

    forward = 98.0 * math.exp(-0.01 * 0.25) - 100.0 * math.exp(-0.05 * 0.25)
    assert call - put == pytest.approx(forward, abs=1e-9)
    assert put < american < put * 1.05


def test_margin_is_that_of_the_published_rules():
    naked = Lot(n=-2, multiplier=100, strike=90.0, years=0.1, worth=1.0)
    hedge = Lot(n=2, multiplier=100, strike=85.0, years=0.1, worth=0.5)
    call = Lot(n=-2, multiplier=100, strike=110.0, call=True, years=0.1, worth=1.0)

    assert asked_usd([naked], spot=100.0, broad=False) == pytest.approx(2 * (20 - 10 + 1) * 100)
    assert asked_usd([naked], spot=100.0, broad=True) == pytest.approx(2 * (9 + 1) * 100)
    assert asked_usd([naked, hedge], spot=100.0, broad=False) == pytest.approx(2 * 5 * 100)
    both = asked_usd([naked, call], spot=100.0, broad=False)
    assert both == pytest.approx(2 * (10 + 1) * 100 + 2 * 100)


def test_the_scenario_lived_through_is_the_crash_with_the_limits_as_they_are():
    assert world_settings(1).scenario is ScenarioName.CRASH_2020_LIKE
    assert world_settings(1).config.risk == RiskConfig()
