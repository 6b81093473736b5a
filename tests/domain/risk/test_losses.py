"""R5 and R8: brakes at every threshold, and the way back after a drawdown."""

import datetime as dt
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.config.risk import RiskConfig, limits_of
from thetawarden.domain.risk.brakes import BrakeDemand, BrakeLevel, BrakeName, read_brakes
from thetawarden.domain.risk.equity import (
    EquityState,
    Losses,
    losses_of,
    observe_nlv,
    record_flow,
    record_trade,
    review_drawdown,
)
from thetawarden.domain.risk.finding import Verdict
from thetawarden.domain.risk.limits import AtMarginLimit
from thetawarden.domain.risk.recovery import (
    RecoveryPhase,
    RecoveryState,
    advance_recovery,
    begin_recovery,
    drawdown_factor,
    shift_recovery,
)
from thetawarden.domain.risk.rules import concentration, recovering, soft_brakes

LIMITS = limits_of(RiskConfig())
OFF, WARN, SLOW, STOP = BrakeLevel.OFF, BrakeLevel.WARN, BrakeLevel.SLOW, BrakeLevel.STOP
MONDAY = dt.date(2026, 9, 21)
LOSS_LIMITS = {"day": 0.02, "week": 0.05, "month": 0.08, "drawdown": 0.10}


def brakes(*, utilisation=0.0, limits=LIMITS.brakes, **losses):
    none = dict.fromkeys(("day", "week", "month", "drawdown", "from_high_water"), 0.0)
    found = read_brakes(
        losses=Losses(**(none | losses)),
        utilisation_fraction=utilisation,
        margin_max_fraction=LIMITS.margin.utilisation_max_fraction,
        limits=limits,
    )
    return {one.name: one for one in found}


@pytest.mark.parametrize("name", LOSS_LIMITS)
@pytest.mark.parametrize(
    ("used", "level"),
    [
        (0.0, OFF),
        (0.499, OFF),
        (0.50, WARN),
        (0.749, WARN),
        (0.75, SLOW),
        (0.999, SLOW),
        (1.0, STOP),
        (3.0, STOP),
        (math.nan, BrakeLevel.UNKNOWN),
    ],
)
def test_every_loss_has_its_levels_at_half_three_quarters_and_the_whole(name, used, level):
    brake_name = BrakeName.DRAWDOWN if name == "drawdown" else BrakeName(f"{name}_loss")

    assert brakes(**{name: used * LOSS_LIMITS[name]})[brake_name].level is level


@pytest.mark.parametrize(
    ("utilisation", "level"),
    [(0.30, OFF), (0.449, OFF), (0.45, SLOW), (0.599, SLOW), (0.60, STOP), (0.9, STOP)],
)
def test_margin_is_told_and_slows_from_three_quarters_of_its_limit(utilisation, level):
    assert brakes(utilisation=utilisation)[BrakeName.MARGIN].level is level


@pytest.mark.parametrize(
    ("losses", "name", "demand"),
    [
        ({"day": 0.02}, BrakeName.DAY_LOSS, BrakeDemand.HALT),
        ({"week": 0.05}, BrakeName.WEEK_LOSS, BrakeDemand.HALT),
        ({"month": 0.08}, BrakeName.MONTH_LOSS, BrakeDemand.HALT),
        ({"drawdown": 0.10}, BrakeName.DRAWDOWN, BrakeDemand.HALT_FOR_REVIEW),
        ({"utilisation": 0.60}, BrakeName.MARGIN, BrakeDemand.HALT),
        ({"day": 0.01}, BrakeName.DAY_LOSS, BrakeDemand.TELL),
        ({"day": 0.015}, BrakeName.DAY_LOSS, BrakeDemand.TELL),
        ({}, BrakeName.DAY_LOSS, BrakeDemand.NOTHING),
    ],
)
def test_a_limit_that_is_reached_halts_and_a_drawdown_asks_for_a_person(losses, name, demand):
    assert brakes(**losses)[name].demand is demand


def test_a_full_margin_may_be_configured_to_pass_with_its_cause():
    limits = msgspec.structs.replace(LIMITS.brakes, at_margin_limit=AtMarginLimit.CAUTIOUS)

    found = brakes(utilisation=0.6, limits=limits)[BrakeName.MARGIN]

    assert found.demand is BrakeDemand.BE_CAUTIOUS


@pytest.mark.parametrize(
    ("losses", "factor"),
    [
        ({"day_start_usd": 1.0099e6}, 1.0),
        ({"day_start_usd": 1e6 / 0.99}, 1.0),  # half: told
        ({"day_start_usd": 1e6 / 0.985}, 0.0),  # three quarters: no new positions
        ({"day_start_usd": 1e6 / 0.98}, 0.0),
        ({"week_start_usd": 1e6 / 0.975}, 1.0),
        ({"week_start_usd": 1e6 / 0.9625}, 0.5),
        ({"week_start_usd": 1e6 / 0.95}, 0.0),
        ({"month_start_usd": 1e6 / 0.94}, 0.5),
        ({"month_start_usd": 1e6 / 0.92}, 0.0),
        ({"peak_usd": 1e6 / 0.95}, 1.0),
        ({"peak_usd": 1e6 / 0.925}, 0.5),
        ({"peak_usd": 1e6 / 0.90}, 0.0),
        ({"week_start_usd": 1e6 / 0.9625, "peak_usd": 1e6 / 0.925}, 0.25),
        ({"nlv_usd": None}, 0.0),
        ({"at_ns": 0}, 0.0),
        ({"losing_streak": 3}, 1.0),
        ({"losing_streak": 4}, 0.5),
        ({"losing_streak": 6, "last_loss_day": MONDAY}, 0.0),
        ({"losing_streak": 6, "last_loss_day": MONDAY - dt.timedelta(1)}, 0.5),
    ],
)
def test_losses_shrink_entries_and_end_them(world, losses, factor):
    case = world.case(own_desk=world.desk(equity=world.equity(**losses)))

    assert math.prod(one.factor for one in soft_brakes.judge(case)) == factor


def test_a_day_is_measured_from_the_evening_before_it():
    state = observe_nlv(EquityState(), nlv_usd=100.0, day=MONDAY, at_ns=1)
    state = observe_nlv(state, nlv_usd=110.0, day=MONDAY, at_ns=2)
    state = observe_nlv(state, nlv_usd=99.0, day=MONDAY + dt.timedelta(1), at_ns=3)

    losses = losses_of(state)

    assert losses.day == pytest.approx(0.1)
    assert losses.week == pytest.approx(0.01)
    assert losses.drawdown == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("days", "week", "month"),
    [(4, 0.2, 0.2), (7, 0.0, 0.2), (10, 0.0, 0.0)],
)
def test_weeks_and_months_begin_with_their_own_first_day(days, week, month):
    """From Monday the 21st: Friday, the next Monday, and Thursday the 1st of October."""
    state = observe_nlv(EquityState(), nlv_usd=100.0, day=MONDAY, at_ns=1)
    state = observe_nlv(state, nlv_usd=80.0, day=MONDAY + dt.timedelta(1), at_ns=2)

    losses = losses_of(observe_nlv(state, nlv_usd=80.0, day=MONDAY + dt.timedelta(days), at_ns=3))

    assert (losses.week, losses.month) == pytest.approx((week, month))


@pytest.mark.parametrize("nonsense", [math.nan, math.inf, -math.inf])
def test_a_figure_that_is_no_number_changes_nothing(nonsense):
    state = observe_nlv(EquityState(), nlv_usd=100.0, day=MONDAY, at_ns=1)

    assert observe_nlv(state, nlv_usd=nonsense, day=MONDAY, at_ns=2) == state
    assert record_flow(state, amount_usd=nonsense) == state


@pytest.mark.parametrize("days", [1, 30])
def test_p09_losses_by_a_clock_that_was_set_back_are_measured_from_where_they_were(days):
    state = observe_nlv(EquityState(), nlv_usd=100.0, day=MONDAY, at_ns=1)

    lost = observe_nlv(state, nlv_usd=50.0, day=MONDAY - dt.timedelta(days), at_ns=2)

    assert (lost.day, lost.day_start_usd, lost.peak_usd) == (MONDAY, 100.0, 100.0)
    assert (lost.nlv_usd, lost.at_ns) == (50.0, 2)


@given(amount=st.floats(-50_000, 50_000), loss=st.floats(0.0, 30_000))
def test_money_paid_in_or_out_is_neither_profit_nor_loss(amount, loss):
    state = observe_nlv(EquityState(), nlv_usd=100_000.0, day=MONDAY, at_ns=1)

    moved = record_flow(state, amount_usd=amount)
    after = observe_nlv(moved, nlv_usd=100_000.0 + amount - loss, day=MONDAY, at_ns=2)

    assert after.day_start_usd - (after.nlv_usd or 0.0) == pytest.approx(loss, abs=1e-6)


def test_losses_in_a_row_are_counted_and_a_gain_ends_them():
    state = EquityState()
    for profit in (-1.0, -2.0, 0.0, -3.0):
        state = record_trade(state, profit_usd=profit, day=MONDAY)

    assert (state.losing_streak, state.last_loss_day) == (3, MONDAY)
    assert record_trade(state, profit_usd=0.01, day=MONDAY).losing_streak == 0


def test_a_review_restarts_the_brake_and_not_the_high_water_mark():
    state = observe_nlv(EquityState(), nlv_usd=100.0, day=MONDAY, at_ns=1)
    state = observe_nlv(state, nlv_usd=88.0, day=MONDAY, at_ns=2)

    losses = losses_of(review_drawdown(state))

    assert losses.drawdown == 0.0
    assert losses.from_high_water == pytest.approx(0.12)


def recovering_since(figures, *, began=MONDAY, peak=100.0, trough=90.0):
    """The phase after a drawdown halt, given figures by the day since it."""
    state = begin_recovery(RecoveryState(), day=began, nlv_usd=trough, peak_usd=peak)
    for day, nlv in figures:
        state = advance_recovery(
            state, day=began + dt.timedelta(day), nlv_usd=nlv, limits=LIMITS.recovery
        )
    return state


@pytest.mark.parametrize(
    ("figures", "phase"),
    [
        ([], RecoveryPhase.PAUSE),
        ([(13, 90.0)], RecoveryPhase.PAUSE),  # weeks 1 and 2: none
        ([(14, 90.0)], RecoveryPhase.HALF),  # week 3
        ([(14, 90.0), (27, 91.0)], RecoveryPhase.HALF),  # week 4
        ([(14, 90.0), (28, 91.0)], RecoveryPhase.MOST),  # week 5, profitable
        ([(14, 90.0), (28, 90.0)], RecoveryPhase.HALF),  # not profitable
        ([(14, 90.0), (28, 89.0), (60, 89.9)], RecoveryPhase.HALF),
        ([(14, 90.0), (60, 90.1)], RecoveryPhase.MOST),
        ([(14, 90.0), (28, 91.0), (55, 99.0)], RecoveryPhase.MOST),  # week 8
        ([(14, 90.0), (28, 91.0), (56, 95.0)], RecoveryPhase.NONE),  # week 9, half is back
        ([(14, 90.0), (28, 91.0), (56, 94.9)], RecoveryPhase.MOST),
        ([(14, 90.0), (20, 80.0), (28, 91.0), (56, 90.0)], RecoveryPhase.NONE),  # of 100 to 80
        ([(14, math.nan)], RecoveryPhase.PAUSE),
    ],
)
def test_the_way_back_goes_by_the_calendar_and_by_results(figures, phase):
    assert recovering_since(figures).phase is phase


@pytest.mark.parametrize(
    ("phase", "factor", "positions"),
    [
        (RecoveryPhase.NONE, 1.0, 20),
        (RecoveryPhase.PAUSE, 0.0, 0),
        (RecoveryPhase.HALF, 0.5, 10),
        (RecoveryPhase.MOST, 0.75, 15),
    ],
)
def test_every_phase_has_its_size_and_its_number_of_positions(world, phase, factor, positions):
    own = world.desk(recovery=RecoveryState(phase=phase, began=MONDAY))

    case = world.case(own_desk=own)

    assert world.finding(recovering.judge(case), "recovery_phase").factor == factor
    assert concentration.positions_max(case) == positions


@pytest.mark.parametrize(
    ("drawdown", "factor"),
    [(0.0, 1.0), (0.025, 0.75), (0.05, 0.5), (0.075, 0.25), (0.0751, 0.25), (0.3, 0.25)],
)
def test_size_falls_with_the_depth_to_a_quarter(world, drawdown, factor):
    own = world.desk(equity=world.equity(high_water_usd=1e6 / (1 - drawdown)))

    found = world.finding(recovering.judge(world.case(own_desk=own)), "drawdown_depth")

    assert found.factor == pytest.approx(factor)


def test_an_unknown_depth_allows_no_entry(world):
    own = world.desk(equity=world.equity(nlv_usd=None))

    found = world.finding(recovering.judge(world.case(own_desk=own)), "drawdown_depth")

    assert found.verdict is Verdict.REFUSE
    assert drawdown_factor(math.nan, limit_fraction=0.1, limits=LIMITS.recovery) == 0.0


def test_a_second_halt_begins_again_from_the_higher_peak():
    first = recovering_since([(14, 90.0), (28, 91.0)])

    second = begin_recovery(first, day=MONDAY + dt.timedelta(40), nlv_usd=80.0, peak_usd=91.0)

    assert (second.phase, second.peak_usd, second.trough_usd) == (RecoveryPhase.PAUSE, 100.0, 80.0)


def test_the_states_survive_being_written_and_read():
    recovery = shift_recovery(recovering_since([(14, 90.0)]), amount_usd=5.0)
    equity = observe_nlv(EquityState(), nlv_usd=100.0, day=MONDAY, at_ns=1)

    for state in (recovery, equity):
        written = msgspec.msgpack.encode(state)
        assert msgspec.msgpack.decode(written, type=type(state)) == state
    assert (recovery.peak_usd, recovery.trough_usd) == (105.0, 95.0)


@given(
    worse=st.floats(0.0, 0.3),
    fraction=st.floats(0.0, 0.3),
    name=st.sampled_from(sorted(LOSS_LIMITS)),
)
def test_a_deeper_loss_never_eases_a_brake(worse, fraction, name):
    ranks = {level: rank for rank, level in enumerate((OFF, WARN, SLOW, STOP))}
    before, after = (
        max(ranks[one.level] for one in brakes(**{name: loss}).values())
        for loss in (fraction, fraction + worse)
    )

    assert after >= before
