"""The watchdog: what it watches of the market, and what it never does."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest

from thetawarden.actors.watchdog import Watchdog
from thetawarden.config.schema import Config
from thetawarden.domain.books.rows import PositionRow
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.chains.view import ROW_TYPES, ChainSummary, ChainView
from thetawarden.domain.freshness_limits import FreshnessLimits
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs, new_york_ns
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.regime.assess import RegimeInputs
from thetawarden.domain.regime.readings import Reading
from thetawarden.domain.regime.term_structure import VolCurve
from thetawarden.domain.regime.trend import TrendInputs
from thetawarden.domain.vitals import ActorVitals, Ailment, VitalLimits, Vitals, Weight
from thetawarden.messages.books import PositionsValued
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.context import ContextTaken
from thetawarden.messages.lake import LakeFellBehind
from thetawarden.messages.lifecycle import Begin, ChildrenChanged, EffectFailed
from thetawarden.messages.link import LinkChanged, LinkProbed
from thetawarden.messages.operations import HealthChanged, NotifyPerson, VitalsTaken
from thetawarden.messages.trading import Halt, Resume, TradingResumed
from thetawarden.supervisor import desk_tree

S = NS_PER_SECOND
OPEN = new_york_ns(dt.date(2026, 2, 3), dt.time(9, 30))
NOON = new_york_ns(dt.date(2026, 2, 3), dt.time(12))
SESSIONS = load_sessions(Exchange.NYSE)


class Desk:
    """A watchdog, and the time it is told."""

    def __init__(self, *, now=NOON, watch=("SPX",), limits=None):
        self.now = now
        self.dog = Watchdog(
            limits=limits or VitalLimits(),
            silence_ns_max=6 * S,
            sessions=SESSIONS,
            freshness=FreshnessLimits(),
        )
        self.say(Begin(incarnation=1, resumed=False))
        self.say(ChildrenChanged(role="chain", keys=watch))

    def say(self, message):
        return self.dog.receive(message, self.now)

    def link(self, state, why="because"):
        self.say(LinkChanged(epoch=1, state=state, entries=state is LinkState.READY, why=why))

    def pass_s(self, seconds):
        self.now = UnixNs(self.now + seconds * S)

    def view(self, underlying="SPX", *, spot_at_ns=None, quoted=()):
        columns = {name: np.zeros(len(quoted), dtype=kind) for name, kind in ROW_TYPES.items()}
        for row, (conid, at_ns) in enumerate(quoted):
            columns["conid"][row], columns["at_ns"][row] = conid, at_ns
        view = ChainView(
            underlying=underlying,
            number=1,
            at_ns=self.now,
            epoch=1,
            spot_usd=6000.0,
            spot_at_ns=self.now if spot_at_ns is None else spot_at_ns,
            spot_doubt="",
            fitted_ns=0,
            series=(),
            summary=ChainSummary(rows=0, usable=0, doubts=()),
            columns=tuple(column.tobytes() for column in columns.values()),
        )
        self.say(ChainViewed(underlying=underlying, view=view))

    def vix(self, at_ns):
        curve = VolCurve(
            vix=Reading(value=20.0, at_ns=at_ns),
            vix3m=None,
            first_future=None,
            second_future=None,
        )
        trend = TrendInputs(price=None, sma20=None, sma50=None, sma200=None, adx=None)
        inputs = RegimeInputs(
            curve=curve, trend=trend, underlyings=1, average_correlation=None, macro=(), days=()
        )
        self.say(ContextTaken(inputs=inputs, trading=True))

    def hold(self, *conids):
        rows = tuple(
            PositionRow(
                account="D1",
                contract=f"SPX put {conid}",
                quantity=Decimal(-1),
                instrument=Instrument(conid=conid, kind=InstrumentKind.OPTION, symbol="SPX"),
                book_quantity=Decimal(-1),
                average_cost_usd=Decimal(1),
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
            for conid in conids
        )
        self.say(
            PositionsValued(
                agreed_ns=self.now,
                reconciled=True,
                positions=rows,
                results={},
                cash_usd={},
                values=(),
                working_orders=0,
            )
        )

    def look(self, *, down=(), queued=0, handled=0, **machine):
        actor = ActorVitals(
            actor="keeper", incarnation=1, handled=handled, busy_ns=0, queued=queued
        )
        known = {"log_lag_ns": 0, "disk_free_bytes": 1 << 40, "memory_bytes": 1}
        vitals = Vitals(actors=(actor,), down=down, **(known | machine))
        return self.say(VitalsTaken(vitals=vitals))

    def halts(self, **machine):
        return [each.reason for each in self.look(**machine) if isinstance(each, Halt)]


def running(**options):
    desk = Desk(**options)
    desk.link(LinkState.READY)
    desk.view()
    return desk


def test_p04_a_mailbox_that_is_half_full_is_told_of_before_it_overflows():
    desk = running()

    assert desk.halts(queued=25_001) == []
    (finding,) = desk.dog.state.findings
    assert finding.words == "keeper has 25001 messages waiting, half of what is allowed"


@pytest.mark.parametrize("machine", [{"files_left": 3}, {"memory_bytes": 3 << 30}])
def test_p10_p14_memory_and_files_that_run_out_halt_before_they_have(machine):
    desk = running(limits=VitalLimits(memory_bytes_max=2 << 30))

    assert len(desk.halts(**machine)) == 1


def test_a_feed_that_freezes_while_the_link_is_up_halts_when_its_limit_is_over():
    desk = running()

    desk.pass_s(120)
    within = desk.halts()
    desk.pass_s(1)
    beyond = desk.halts()

    assert within == []
    assert beyond == ["no price of SPX for 121 s, at most 120 s allowed"]


def test_p09_a_clock_that_leaps_gives_prices_their_time_again_and_no_more_than_that():
    desk = running()
    desk.look()
    desk.pass_s(1_700)
    leapt = desk.halts()
    for _ in range(12):
        desk.pass_s(10)
        assert desk.halts() == []
    desk.pass_s(1)

    assert leapt == []
    assert "no price of SPX for 121 s" in desk.halts()[0]


def test_a_price_that_comes_back_resumes_nothing():
    desk = running()
    desk.pass_s(121)
    desk.halts()
    desk.view()

    said = desk.look()

    assert [each for each in said if isinstance(each, HealthChanged)] == [
        HealthChanged(findings=())
    ]
    assert not [each for each in said if isinstance(each, (Halt, Resume))]


def test_a_resume_while_the_cause_stands_is_followed_by_another_halt():
    desk = running()
    desk.pass_s(121)
    desk.halts()

    assert desk.halts() == []
    desk.say(TradingResumed(epoch=1, reason="hope", by="me"))
    assert desk.halts() == ["no price of SPX for 121 s, at most 120 s allowed"]
    assert desk.halts() == []


def test_an_underlying_that_never_had_a_price_is_stale_too():
    desk = Desk()
    desk.link(LinkState.READY)
    desk.pass_s(121)

    assert "no price of SPX for 121 s and there never was one" in desk.halts()[0]


@pytest.mark.parametrize(
    "now",
    [
        new_york_ns(dt.date(2026, 2, 3), dt.time(8)),
        new_york_ns(dt.date(2026, 2, 3), dt.time(16)),
        new_york_ns(dt.date(2026, 11, 27), dt.time(13, 30)),
        new_york_ns(dt.date(2026, 2, 7), dt.time(12)),
    ],
)
def test_nothing_is_expected_outside_the_session_nor_is_a_link(now):
    desk = running(now=now)
    desk.link(LinkState.DOWN, "nightly restart")
    desk.pass_s(1_000)

    assert desk.halts() == []


def test_the_night_does_not_count_and_a_price_has_its_whole_limit_after_the_bell():
    desk = running(now=new_york_ns(dt.date(2026, 2, 2), dt.time(15, 59)))

    desk.now = UnixNs(OPEN + 120 * S)
    at_first = desk.halts()
    desk.pass_s(1)

    assert at_first == []
    assert desk.halts() != []


def test_a_link_that_comes_back_in_time_is_no_reason_and_one_that_does_not_is():
    desk = running()
    desk.link(LinkState.DOWN, "reset")
    desk.pass_s(30)
    desk.link(LinkState.CONNECTING)
    desk.pass_s(30)
    short = desk.halts()
    desk.pass_s(1)

    assert short == []
    assert "no link to the broker for 61 s" in desk.halts()[0]


def test_a_desk_that_waits_for_its_first_link_is_not_halted_for_it():
    desk = Desk()
    desk.link(LinkState.CONNECTING)
    desk.pass_s(100_000 % 10_000)

    assert desk.halts() == []


def test_downtime_of_the_desk_is_nobodys_silence():
    desk = running()
    desk.hold(7)
    desk.pass_s(3_600)
    desk.say(Begin(incarnation=2, resumed=True))

    assert desk.halts() == []
    for _ in range(5):
        desk.pass_s(25)
        halts = desk.halts()
    assert halts != []


def test_the_vix_is_watched_from_the_moment_it_is_looked_at():
    desk = running()
    desk.vix(NOON)
    desk.pass_s(121)
    desk.view()

    assert desk.halts() == ["no price of VIX for 121 s, at most 120 s allowed"]


def test_an_option_that_is_held_is_watched_by_itself_until_it_is_gone():
    desk = running()
    desk.hold(7, 8)
    desk.view(quoted=[(7, desk.now), (8, desk.now), (9, desk.now)])
    desk.pass_s(121)
    desk.view(quoted=[(7, NOON), (8, desk.now), (9, NOON)])

    assert desk.halts() == ["no price of SPX put 7 for 121 s, at most 120 s allowed"]
    assert desk.dog.state.findings != ()
    desk.hold(8)
    desk.look()
    assert desk.dog.state.findings == ()


def test_an_underlying_that_is_not_watched_any_more_is_not_missed():
    desk = running(watch=("SPX", "XSP"))
    desk.say(ChildrenChanged(role="chain", keys=("SPX",)))
    desk.pass_s(119)
    desk.view()
    desk.pass_s(60)

    assert desk.halts() == []


def test_a_clock_that_is_off_is_a_halt_and_a_broker_that_tells_no_time_is_not():
    desk = running()
    silent = LinkProbed(epoch=1, number=1, round_trip_ns=1)
    told = LinkProbed(epoch=1, number=2, round_trip_ns=0, broker_ns=NOON, clock_ns=NOON + 20 * S)

    desk.say(silent)
    desk.say(silent)
    assert desk.halts() == []
    desk.say(told)
    assert desk.halts() == []
    desk.say(told)
    assert "clock and the broker's are 19.0 s apart" in desk.halts()[0]


@pytest.mark.parametrize("kind", ["NotifyPerson", "DeliverAlert"])
def test_what_cannot_carry_the_watchdogs_own_words_is_not_told_by_them(kind):
    desk = running()

    said = desk.say(EffectFailed(adapter="lake", kind=kind, error="disk"))

    assert said == ()
    assert set(desk.dog.state.erring) == {"effect:lake"}


def test_failures_the_desk_lives_with_are_shown_for_a_while_and_halt_nothing():
    desk = running()
    failed = EffectFailed(adapter="lake", kind="FlushLake", error="disk")
    said = desk.say(failed)
    desk.say(LakeFellBehind(table="quotes", rows=9))

    assert [type(each) for each in said] == [NotifyPerson]
    assert set(desk.dog.state.erring) == {"effect:lake", "lake:quotes"}
    assert desk.halts() == []
    desk.pass_s(600)
    desk.view()
    desk.look()
    assert desk.dog.state.erring == {}


def test_an_actor_that_takes_nothing_of_what_waits_is_found_and_an_idle_or_busy_one_is_not():
    desk = running(limits=VitalLimits(deaf_looks_max=3))

    idle = [desk.halts(queued=0) for _ in range(9)]
    moving = [desk.halts(queued=5, handled=k) for k in range(9)]
    deaf = [desk.halts(queued=5, handled=99) for _ in range(4)]

    assert idle == moving == [[]] * 9
    assert deaf == [[], [], [], ["keeper takes none of 5 messages that wait for it"]]


def test_an_actor_that_does_not_come_back_is_found_and_one_between_two_lives_is_not():
    desk = running(limits=VitalLimits(down_looks_max=3))

    assert [desk.halts(down=("executor",)) for _ in range(3)] == [[]] * 3
    assert desk.halts() == []
    assert [desk.halts(down=("executor",)) for _ in range(4)][3] == [
        "executor has not been running for 3 looks"
    ]


@pytest.mark.parametrize(
    ("machine", "ailment", "weight"),
    [
        ({"link_loop_silent_ns": 6 * S}, Ailment.LINK_LOOP_STUCK, Weight.GRAVE),
        ({"files_left": 3}, Ailment.FILES_LOW, Weight.GRAVE),
        ({"memory_bytes": 11}, Ailment.MEMORY_HIGH, Weight.GRAVE),
        ({"late_ns": 3 * S}, Ailment.LATE, Weight.MINOR),
        ({"queued": 30_000}, Ailment.FILLING, Weight.MINOR),
    ],
)
def test_what_the_process_runs_short_of_halts_and_what_only_errs_is_shown(machine, ailment, weight):
    desk = running(limits=VitalLimits(memory_bytes_max=10))

    halted = desk.halts(**machine)

    (finding,) = desk.dog.state.findings
    assert (finding.ailment, finding.weight) == (ailment, weight)
    assert bool(halted) is (weight is Weight.GRAVE)


@pytest.mark.parametrize("speed", [0.5, 1.0, 5.0, 20.0, 60.0, 240.0, 10_000.0])
def test_at_any_speed_the_vix_is_told_often_enough_that_a_late_look_halts_nobody(speed):
    groups = desk_tree(Config(), speed=speed).groups
    actors = {one.name: one for group in groups for one in group.actors}

    told_ns = actors["context"].settings["every_ns"]

    assert 3 * told_ns < actors["watchdog"].settings["freshness"].price_ns_max
    assert told_ns >= 3 * speed * NS_PER_SECOND  # of the machine, which has more to do
