"""Every row of the regime's tables (20-regime.md), as the governor applies it to an entry."""

import math

import pytest

from thetawarden.domain.market.events import DayNote, EarningsRisk, MacroKind, MacroNote, Nearness
from thetawarden.domain.risk.finding import RuleId, Verdict
from thetawarden.domain.risk.rules import concentration, correlation, events, regime_sizing

SECOND = 1_000_000_000


def curve(vix):
    """A VIX curve in contango at this level."""
    return {"vix": vix, "vix3m": vix + 3, "first_future": vix + 1, "second_future": vix + 2}


def sized(world, wanted=100, **changes):
    """Units that R1, R9 and R11 leave of a hundred, far out of the money."""
    far = world.candidate(world.leg(world.option("XSP", 500), -1, delta=-0.02))
    case = world.case(far, own_desk=world.desk(regime=world.seen(**changes)))
    found = [*regime_sizing.judge(case), *correlation.judge(case), *events.judge(case)]
    return math.floor(wanted * math.prod(one.factor for one in found) + 1e-9)


@pytest.mark.parametrize(
    ("vix", "size", "positions", "delta_max"),
    [
        (11.99, 75, 20, 0.10),
        (12.0, 100, 20, 0.10),
        (15.99, 100, 20, 0.10),
        (16.0, 100, 20, 0.10),
        (19.99, 100, 20, 0.10),
        (20.0, 75, 15, 0.08),
        (24.99, 75, 15, 0.08),
        (25.0, 50, 10, 0.05 / 0.75),
        (29.99, 50, 10, 0.05 / 0.75),
        (30.0, 25, 4, 0.04 / 0.75),
        (39.99, 25, 4, 0.04 / 0.75),
        (40.0, 25, 4, 0.04 / 0.75),
        (40.01, 0, 0, 0.04 / 0.75),
    ],
)
def test_every_vix_band_sets_size_positions_and_delta(world, vix, size, positions, delta_max):
    case = world.case(own_desk=world.desk(regime=world.seen(**curve(vix))))

    findings = regime_sizing.judge(case)

    assert world.finding(findings, "vix").factor == size / 100
    assert concentration.positions_max(case) == positions
    assert world.finding(findings, "short_delta").limit == pytest.approx(delta_max)
    assert sized(world, **curve(vix)) == size


@pytest.mark.parametrize(
    ("vix", "fault"),
    [(None, "missing"), (math.nan, "not finite"), (math.inf, "not finite"), (-3.0, "out of range")],
)
def test_an_unusable_vix_allows_no_entry_and_says_why(world, vix, fault):
    reviewed = world.review(own_desk=world.desk(regime=world.seen(vix=vix)))

    assert reviewed.units == 0
    assert RuleId.R1 in reviewed.binding
    assert f"vix is {fault}" in reviewed.words


def test_a_stale_vix_allows_no_entry_and_says_why(world):
    seen = world.seen()
    old = world.regime(at_ns=world.NOW_NS - 901 * SECOND)
    stale = world.desk(regime=type(seen)(regime=old, at_ns=world.NOW_NS))

    reviewed = world.review(own_desk=stale)

    assert reviewed.units == 0
    assert "vix is stale" in reviewed.words


@pytest.mark.parametrize(("age_s", "fits"), [(0, True), (900, True), (901, False), (-2, False)])
def test_a_regime_is_believed_for_a_quarter_of_an_hour(world, age_s, fits):
    seen = world.seen(at_ns=world.NOW_NS)
    seen = type(seen)(regime=seen.regime, at_ns=world.NOW_NS - age_s * SECOND)

    assert world.review(own_desk=world.desk(regime=seen)).approved is fits


def test_without_a_regime_nothing_is_entered(world):
    reviewed = world.review(own_desk=world.desk(regime=None))

    assert reviewed.units == 0
    assert {RuleId.R1, RuleId.R9, RuleId.R10, RuleId.R11, RuleId.R15} <= set(reviewed.binding)


def test_a_hovering_vix_does_not_flap(world):
    above = world.seen(**curve(20.1))

    below = world.seen(previous=above.regime.vix.band, **curve(19.9))
    case = world.case(own_desk=world.desk(regime=below))

    assert world.finding(regime_sizing.judge(case), "vix").factor == 0.75


@pytest.mark.parametrize(
    ("figures", "size"),
    [
        ({"vix3m": 20.0, "second_future": 19.5}, 100),  # contango
        ({"vix3m": 17.5, "second_future": 17.5}, 80),  # flat: within half a point
        ({"vix3m": 17.0, "second_future": 17.0}, 80),
        ({"vix3m": 16.99, "second_future": 17.0}, 59),  # inverted: 60 % and falling
        ({"vix3m": 14.5, "second_future": 17.0}, 55),
        ({"vix3m": 12.0, "second_future": 17.0}, 50),
        ({"vix3m": 11.9, "second_future": 17.0}, 50),  # deeply inverted
    ],
)
def test_every_term_structure_has_its_size(world, figures, size):
    assert sized(world, vix=17.0, first_future=17.0, **figures) == size


def test_a_deep_inversion_refuses_what_is_naked_and_lets_a_spread_stand(world):
    deep = world.desk(
        regime=world.seen(vix=24.0, vix3m=18.0, first_future=22.0, second_future=20.0)
    )
    short, long = world.option("XSP", 540), world.option("XSP", 530)
    spread = world.candidate(
        world.leg(short, -1, delta=-0.05), world.leg(long, 1, mid=0.5), units=10
    )

    naked = world.review(world.candidate(units=10), own_desk=deep)
    defined = world.review(spread, own_desk=deep)

    assert naked.units == 0
    assert RuleId.R15 in naked.binding
    assert defined.units == 3  # 75 % of VIX 20-25, half of a deep inversion


@pytest.mark.parametrize(
    ("figures", "size"),
    [
        ({}, 100),  # strong up
        ({"price": 104.0}, 100),  # mild up: above SMA50, below SMA20
        ({"breadth": -1.0}, 100),  # narrow: no longer strong
        ({"price": 100.5, "adx": 15.0}, 100),  # sideways
        ({"price": 99.5, "adx": 15.0}, 100),
        ({"price": 95.0, **curve(19.0)}, 75),  # mild down
        ({"price": 95.0, **curve(24.99)}, 56),  # mild down in an elevated VIX
        ({"price": 95.0, **curve(25.0)}, 25),  # strong down in a high VIX
        ({"price": 85.0, **curve(35.0)}, 12),  # below SMA200, VIX not above 35: strong down
        ({"price": 85.0, **curve(35.01)}, 12),  # crash
    ],
)
def test_every_trend_has_its_size(world, figures, size):
    assert sized(world, **figures) == size


def test_a_crash_refuses_what_is_naked(world):
    crash = world.desk(regime=world.seen(price=85.0, **curve(35.01)))
    calmer = world.desk(regime=world.seen(price=85.0, **curve(24.0)))

    refused = world.review(world.candidate(units=10), own_desk=crash)
    shrunk = world.review(world.candidate(units=10), own_desk=calmer)

    assert "the regime allows nothing naked: make it a spread" in refused.words
    assert refused.units == 0
    assert shrunk.units == 5


@pytest.mark.parametrize(
    ("average", "size"),
    [
        (0.0, 100),
        (0.29, 100),
        (0.30, 100),
        (0.49, 100),
        (0.50, 80),
        (0.60, 75),
        (0.70, 70),
        (0.71, 0),
        (None, 0),
        (math.nan, 0),
    ],
)
def test_every_correlation_has_its_size(world, average, size):
    assert sized(world, average_correlation=average) == size


@pytest.mark.parametrize(
    ("kind", "nearness", "size"),
    [
        (MacroKind.FOMC, Nearness.DAY_BEFORE, 50),
        (MacroKind.FOMC, Nearness.DAY_OF, 50),
        (MacroKind.CPI, Nearness.DAY_BEFORE, 75),
        (MacroKind.CPI, Nearness.DAY_OF, 75),
        (MacroKind.NFP, Nearness.DAY_BEFORE, 75),
        (MacroKind.NFP, Nearness.DAY_OF, 75),
        (MacroKind.FOMC, Nearness.UNKNOWN, 0),
        (MacroKind.CPI, Nearness.UNKNOWN, 0),
        (MacroKind.NFP, Nearness.UNKNOWN, 0),
    ],
)
def test_every_announcement_has_its_size(world, kind, nearness, size):
    assert sized(world, macro=(MacroNote(kind=kind, nearness=nearness),)) == size


@pytest.mark.parametrize(
    ("note", "delta_max"),
    [
        (DayNote.TRIPLE_WITCHING, 0.10),
        (DayNote.HALF_DAY, 0.10),
        (DayNote.BEFORE_HOLIDAY, 0.08),
        (DayNote.AFTER_HOLIDAY, 0.08),
    ],
)
def test_a_holiday_nearby_lowers_the_delta_and_no_size(world, note, delta_max):
    case = world.case(own_desk=world.desk(regime=world.seen(days=(note,))))

    findings = regime_sizing.judge(case)

    assert world.finding(findings, "short_delta").limit == pytest.approx(delta_max)
    assert sized(world, days=(note,)) == 100


@pytest.mark.parametrize(
    ("risk", "fits"),
    [
        (None, True),
        (EarningsRisk.CLEAR, True),
        (EarningsRisk.REPORTS, False),
        (EarningsRisk.UNKNOWN, False),
    ],
)
def test_a_company_that_reports_within_the_position_is_not_entered(world, risk, fits):
    stock = world.candidate(world.leg(world.option("AAA", 80), -1), earnings=risk)

    assert world.review(stock).approved is fits


@pytest.mark.parametrize(("tonight", "fits"), [(False, True), (True, False), (None, False)])
def test_no_call_is_sold_the_evening_before_it_may_be_exercised(world, tonight, fits):
    held = world.held_book(world.hold(world.shares("CCC"), 200))
    call = world.candidate(
        world.leg(world.option("CCC", 46, is_call=True), -1, delta=0.1),
        ex_dividend_tonight=tonight,
    )
    put = world.candidate(
        world.leg(world.option("CCC", 34), -1), ex_dividend_tonight=tonight, key="put"
    )

    assert world.review(call, held=held).approved is fits
    assert world.review(put, held=held).approved


@pytest.mark.parametrize(("delta", "fits"), [(-0.10, True), (-0.1001, False), (math.nan, False)])
def test_a_short_option_is_no_nearer_than_the_regime_allows(world, delta, fits):
    near = world.candidate(world.leg(world.option("XSP", 540), -1, delta=delta))

    assert world.review(near).approved is fits


@pytest.mark.parametrize(("credit", "fits"), [(0.03, True), (0.01, False)])
def test_in_a_very_calm_market_marginal_premium_is_left_alone(world, credit, fits):
    """A unit's margin is 500 USD, of which 0.4 % is 2 USD."""
    calm = world.desk(regime=world.seen(**curve(11.0)))
    cheap = world.candidate(world.leg(world.option("XSP", 540), -1, mid=credit), units=4)

    case = world.case(cheap, own_desk=calm)

    found = world.finding(regime_sizing.judge(case), "marginal_premium")
    assert (found.verdict is not Verdict.REFUSE) is fits
