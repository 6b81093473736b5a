"""The judge of a crash must find every step that is planted out of its documented order."""

import msgspec
import pytest

from soak.crash import judge_crash
from soak.crash_terms import COMPANIES, world_settings
from soak.own_steps import STEPS, Steps
from tests.corpus.logs import LOGS, TODAY, unpacked
from tests.test_crash_checks import Logged, short
from thetawarden.actors.governor import Governor
from thetawarden.config.underlyings import load_companies
from thetawarden.domain.halt import HaltRecord
from thetawarden.domain.risk.recovery import RecoveryPhase
from thetawarden.infra.journal.reader import Wanted, open_log
from thetawarden.messages.orders import OrderApproved
from thetawarden.messages.risk import ReviewDrawdown, RiskTaken
from thetawarden.messages.trading import Resume, TradingHalted, TradingResumed

OFF = dict.fromkeys(("day_loss", "week_loss", "month_loss", "drawdown"), "off")
DRAWDOWN = "drawdown is 10.20 %, its limit 10.00 %"
DAY = "day loss is 2.10 %, its limit 2.00 %"


def halt(reason, by="governor", epoch=1):
    return HaltRecord(epoch=epoch, reason=reason, by=by, at_ns=0)


def ordered():
    """Everything once, as it is documented."""
    return [
        lambda one: one.levels({**OFF, "day_loss": "warn"}, 1),
        lambda one: one.levels({**OFF, "day_loss": "slow"}, 2),
        lambda one: one.levels({**OFF, "day_loss": "stop", "drawdown": "slow"}, 3),
        lambda one: one.halted(halt(DAY), 3),
        lambda one: one.resumed("person", 4),
        lambda one: one.levels({**OFF, "drawdown": "stop"}, 5),
        lambda one: one.halted(halt(DRAWDOWN), 5),
        lambda one: one.phase("pause", 5),
        lambda one: one.reviewed("person", 6),
        lambda one: one.levels(OFF, 6),
        lambda one: one.resumed("person", 6),
        lambda one: one.phase("half", 7),
        lambda one: one.entered("P1", 8),
        lambda one: one.phase("most", 9),
        lambda one: one.phase("none", 10),
    ]


def judged(steps):
    one = Steps()
    for step in steps:
        step(one)
    return one


def test_what_comes_in_the_documented_order_is_not_wrong_and_nothing_is_missing():
    one = judged(ordered())

    assert one.wrong == []
    assert one.missing == ()
    told = [each.what.partition(":")[0] for each in one.taken]
    assert told.index("a brake is told") < told.index("a brake slows") < told.index("a brake stops")
    assert one.latest_halt_s == 0.0


def without(*places):
    return [step for at, step in enumerate(ordered()) if at not in places]


def again(one):
    """Another halt by a loss that has halted already."""
    one.halted(halt(DAY, epoch=2), 4)


def swapped(first, second):
    steps = ordered()
    steps[first], steps[second] = steps[second], steps[first]
    return steps


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        (swapped(2, 3), "halted by day_loss, by our own loss at slow"),
        (without(5), "halted by drawdown, by our own loss at slow"),
        (without(5), "the way back began without a drawdown at its limit"),
        (swapped(7, 11), "the way back went from none to half"),
        (without(11), "the way back went from pause to most"),
        (without(13), "the way back went from half to none"),
        (without(8), "P1 was let in before the drawdown was reviewed"),
        (swapped(10, 4), None),
        (without(3, 6), "resumed by person without a halt"),
        ([*ordered()[:4], ordered()[3]], None),  # a desk that begins says it again
        ([*ordered()[:4], again], "halted twice by the same day_loss"),
    ],
)
def test_a_step_out_of_the_documented_order_is_found(steps, found):
    wrong = judged(steps).wrong

    assert wrong == [] if found is None else any(found in line for line in wrong)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_never_came_is_missing(step):
    steps = Steps()
    for other in STEPS:
        steps.seen[other] += other != step

    assert steps.missing == (step,)


def test_a_real_governor_takes_every_step_in_order_and_the_judge_agrees_message_by_message():
    desk = Logged(kind=Governor)
    for nlv in (989_500, 984_500, 979_500):
        desk.wait(1).account(nlv=nlv)
        desk.wait(6).look()
    lift(desk)
    for nlv in (940_000, 910_000, 875_000):
        desk.wait(86_400).account(nlv=nlv)
        desk.wait(6).look()
    lift(desk)
    for day in range(70):
        desk.wait(86_400).account(nlv=875_500 + day * 1_000)
        desk.look()

    assert desk.wrong == []
    assert desk.own.order.steps.wrong == []
    assert desk.own.order.steps.missing == ()
    phases = [one.what for one in desk.own.order.steps.taken if "way back" in one.what]
    assert phases == ["way back: pause", "way back: half", "way back: most", "way back: none"]


def lift(desk):
    """A person looks at the drawdown and resumes."""
    desk.tell(ReviewDrawdown(reason="looked at every trade", by="person"))
    epoch = desk.state.latch.epoch
    desk.tell(Resume(reason="looked at it", by="person", epoch=epoch))


def test_a_governor_that_goes_back_too_fast_or_halts_too_early_is_found_in_its_log():
    desk = Logged(kind=Governor)
    taken = desk.state.taken
    assert isinstance(taken, RiskTaken)
    early = HaltRecord(epoch=1, reason=DAY, by="governor", at_ns=desk.now)
    desk.own.hear(TradingHalted(halt=early), desk.now)
    desk.own.hear(Resume(reason="looked", by="me", epoch=1), desk.now)
    desk.own.hear(TradingResumed(epoch=1, reason="looked", by="me"), desk.now)
    desk.own.hear(msgspec.structs.replace(taken, recovery=RecoveryPhase.MOST), desk.now)

    wrong = desk.own.finish().wrong
    assert [line for line in wrong if "halted by day_loss, by our own loss at off" in line]
    assert [line for line in wrong if "the way back went from none to most" in line]


def test_an_entry_before_the_drawdown_was_reviewed_is_found_in_the_log():
    desk = Logged()
    desk.wait(1).account(nlv=890_000)
    record = HaltRecord(epoch=1, reason=DRAWDOWN, by="governor", at_ns=desk.now)
    desk.own.hear(TradingHalted(halt=record), desk.now)
    desk.let_in(short(500))

    assert [line for line in desk.own.finish().wrong if "before the drawdown was reviewed" in line]


def test_more_positions_than_the_way_back_allows_are_found():
    desk = Logged(nlv=10_000_000).holding(10)
    desk.own.entries.way_back.phase = "half"
    desk.wait(1).let_in(short(595), key="one more")

    assert [line for line in desk.wrong if "R8 R10: 11 positions, 10 allowed" in line]


def test_the_tight_world_knows_its_companies_reports_and_keeps_every_limit_of_size(tmp_path):
    path = tmp_path / "companies.csv"
    tight, usual = world_settings(1, companies=path).config, world_settings(1).config

    known = load_companies(str(path))
    assert sorted(known) == sorted(COMPANIES)
    assert all(one.earnings is not None for one in known.values())
    assert tight.chains.underlyings == ("XSP", *COMPANIES)
    for name in ("margin", "stress", "expiry", "concentration", "orders"):
        assert getattr(tight.risk, name) == getattr(usual.risk, name)


def test_the_tight_world_leaves_more_room_below_the_same_limits(tmp_path):
    path = tmp_path / "companies.csv"
    tight, usual = (world_settings(1, companies=one).config.risk.greeks for one in (path, None))

    assert tight.entry_fill_fraction < usual.entry_fill_fraction
    usual = msgspec.structs.replace(usual, entry_fill_fraction=tight.entry_fill_fraction)
    assert tight == usual


def test_a_kept_log_is_judged_as_if_it_was_heard(tmp_path):
    log = tmp_path / "governed" / "desk" / "log"
    log.mkdir(parents=True)
    unpacked(LOGS / f"2026-09-14.{TODAY}.db.gz", log)
    with open_log(log) as days:
        heard = [each for day in days for each in day.messages(Wanted())]
    approved = [one for one in heard if isinstance(one.body, OrderApproved)]

    verdict = judge_crash(tmp_path, seed=1, tight=True)

    governed, watched = verdict.governed, verdict.governed.watched
    assert watched.messages == len(heard)
    counts = governed.counts
    assert counts["entries approved"] + counts["exits approved"] == len(approved) > 0
    assert [one.day.isoformat() for one in governed.days] == ["2026-09-14"]
    assert "never happened: way back: half" in verdict.wrong
