"""R2, R3, R4, R6, R7 and R10: limits on the book, each at its boundary."""

import math

import msgspec
import numpy as np
import pytest

from thetawarden.domain.risk.exposure import loss_at_expiry_usd
from thetawarden.domain.risk.finding import Verdict
from thetawarden.domain.risk.measure import Figure, measure_book, measure_candidate
from thetawarden.domain.risk.rules import (
    book_greeks,
    concentration,
    expiries,
    margin,
    margin_stress,
    stress,
)
from thetawarden.domain.risk.scenarios import scenario_in_words

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("figure", "limit"),
    [
        (Figure.INDEX_DROP, {"index_drop_max_fraction": 0.003}),
        (Figure.GAMMA, {"gamma_max_fraction": 0.002}),
        (Figure.VIX_RISE, {"vega_max_fraction": 0.005}),
        (Figure.INCOME, {"theta_max_fraction": 0.005}),
        (Figure.NOTIONAL, {"notional_max_nlv": 5.0}),
    ],
)
@pytest.mark.parametrize(("room", "fits"), [(2.999, 2), (3.001, 3), (0.999, 0)])
def test_every_greek_lets_through_what_fits_and_no_more(world, figure, limit, room, fits):
    ((name, number),) = limit.items()
    cand = world.candidate(units=8)
    a_unit = world.case(cand).cost(world.case(cand).book.scenarios.size + figure)
    nlv = room * a_unit / number

    case = world.case(cand, own_desk=world.desk(account=world.account(nlv=nlv)))
    found = world.finding(book_greeks.judge(case), figure.name.lower())

    assert found.limit == getattr(world.LIMITS.greeks, name) == number
    assert found.units_max == fits
    assert found.verdict is (Verdict.REFUSE if fits == 0 else Verdict.SHRINK)


def test_a_candidate_is_measured_by_the_markets_marks_as_the_book_will_be(world):
    put = world.option("XSP", 540)
    optimist = world.candidate(world.leg(put, -1, iv=0.10), units=3)
    ruler = world.ruler(view=world.market(put))

    one = measure_candidate(optimist, ruler).profits
    book = measure_book(
        held=world.held_book(), pending=(world.pending(optimist, units=3),), ruler=ruler
    )

    assert book.worst == pytest.approx(3 * np.minimum(one, 0.0))


def test_an_index_fall_is_told_from_a_tenth_of_a_percent(world):
    cand = world.candidate(units=2)
    a_unit = world.case(cand).cost(world.case(cand).book.scenarios.size + Figure.INDEX_DROP)

    quiet, told = (
        world.finding(
            book_greeks.judge(
                world.case(cand, own_desk=world.desk(account=world.account(nlv=2 * a_unit / part)))
            ),
            "index_drop",
        )
        for part in (0.00099, 0.00101)
    )

    assert quiet.verdict is Verdict.PASS
    assert told.verdict is Verdict.WARN


def test_short_calls_are_held_by_what_a_rise_costs(world):
    call = world.candidate(
        world.leg(world.option("XSP", 640, is_call=True), -1, delta=0.09), units=8
    )
    a_unit = world.case(call).cost(world.case(call).book.scenarios.size + Figure.INDEX_RISE)
    small = world.desk(account=world.account(nlv=2.5 * a_unit / 0.003))

    found = world.finding(book_greeks.judge(world.case(call, own_desk=small)), "index_rise")

    assert found.units_max == 2


def test_theta_per_index_delta_refuses_only_when_somebody_asks_for_it(world):
    limits = world.limits(greeks={"theta_per_index_delta_min_usd": 1e5})

    free = world.finding(book_greeks.judge(world.case()), "theta_per_index_delta")
    strict = world.finding(book_greeks.judge(world.case(limits=limits)), "theta_per_index_delta")

    assert (free.verdict, strict.verdict) == (Verdict.PASS, Verdict.REFUSE)
    assert free.used > 0.0


@pytest.mark.parametrize(
    ("used", "fits", "verdict"),
    [
        (0.499, 4, Verdict.WARN),  # with 10 units of half a percent it passes the target
        (0.44, 10, Verdict.PASS),
        (0.589, 2, Verdict.SHRINK),
        (0.595, 1, Verdict.SHRINK),
        (0.5951, 0, Verdict.REFUSE),
        (0.60, 0, Verdict.REFUSE),
    ],
)
def test_margin_in_use_stays_within_sixty_percent(world, used, fits, verdict):
    wanted = 4 if fits == 4 else 10
    cand = world.candidate(units=wanted, margin=5_000.0)
    own = world.desk(account=world.account(margin=used * 1_000_000))

    found = world.finding(margin.judge(world.case(cand, own_desk=own)), "utilisation")

    assert found.verdict is verdict
    assert found.units_max >= fits
    assert min(found.units_max, wanted) == fits


@pytest.mark.parametrize(("excess", "fits"), [(220_000, 4), (205_000, 1), (204_999, 0), (0, 0)])
def test_a_fifth_of_the_account_stays_liquid(world, excess, fits):
    cand = world.candidate(units=9, margin=5_000.0)
    own = world.desk(account=world.account(excess_liquidity_usd=float(excess)))

    found = world.finding(margin.judge(world.case(cand, own_desk=own)), "excess_liquidity")

    assert found.units_max == fits


@pytest.mark.parametrize(
    ("a_unit", "fits"), [(10_000, 10), (10_001, 9), (100_000, 1), (100_001, 0)]
)
def test_one_trade_takes_a_tenth_of_the_account_at_most(world, a_unit, fits):
    cand = world.candidate(units=10, margin=float(a_unit))

    assert world.finding(margin.judge(world.case(cand)), "per_trade").units_max == fits


@pytest.mark.parametrize(
    ("held", "waiting", "fits"), [(0, 0, 20), (150_000, 4, 1), (195_001, 0, 0)]
)
def test_what_is_selected_automatically_has_a_budget_of_a_fifth(world, held, waiting, fits):
    cand = world.candidate(units=20, margin=10_000.0, auto_selected=True)
    orders = [world.pending(cand, units=waiting)] if waiting else []
    own = world.desk(account=world.account(auto_select_margin_usd=float(held)))

    found = world.finding(
        margin.judge(world.case(cand, orders=orders, own_desk=own)), "auto_select_budget"
    )

    assert found.units_max == fits


ANSWERS = [None, "nan", "inf", "unset", "no_units", "old", "future"]


@pytest.mark.parametrize("answer", ANSWERS)
def test_without_a_usable_margin_answer_of_the_broker_there_is_no_trade(world, answer):
    good = world.candidate().whatif
    changes = {
        "nan": {"initial_change_usd": math.nan},
        "inf": {"maintenance_change_usd": math.inf},
        "unset": {"initial_change_usd": 1.7976931348623157e308},
        "no_units": {"units": 0},
        "old": {"at_ns": world.NOW_NS - 61 * SECOND},
        "future": {"at_ns": world.NOW_NS + 2 * SECOND},
    }
    broken = None if answer is None else msgspec.structs.replace(good, **changes[answer])

    reviewed = world.review(world.candidate(whatif=broken))

    assert reviewed.units == 0
    assert "broker margin answer is" in reviewed.words


@pytest.mark.parametrize(
    "changes",
    [
        {"nlv_usd": math.nan},
        {"nlv_usd": 0.0},
        {"nlv_usd": -5.0},
        {"initial_margin_usd": math.inf},
        {"excess_liquidity_usd": math.nan},
        {"at_ns": 0},
    ],
)
def test_without_usable_figures_of_the_account_there_is_no_trade(world, changes):
    broken = msgspec.structs.replace(world.account(), **changes)

    assert world.review(own_desk=world.desk(account=broken)).units == 0
    assert world.review(own_desk=world.desk(account=None)).units == 0


def test_margin_kept_free_for_pending_orders_is_margin_in_use(world):
    cand = world.candidate(units=10, margin=5_000.0)
    own = world.desk(account=world.account(margin=540_000.0))
    waiting = world.pending(world.candidate(units=8, margin=5_000.0, key="c0"))

    alone = margin.judge(world.case(cand, own_desk=own))
    beside = margin.judge(world.case(cand, orders=[waiting], own_desk=own))

    assert world.finding(alone, "utilisation").units_max == 12
    assert world.finding(beside, "utilisation").units_max == 4
    assert world.finding(alone, "excess_liquidity").units_max == 52
    assert world.finding(beside, "excess_liquidity").units_max == 44


@pytest.mark.parametrize(("room", "fits"), [(3.01, 3), (2.99, 2), (0.5, 0)])
def test_margin_after_the_shock_stays_within_four_fifths_of_what_is_left(world, room, fits):
    cand = world.candidate(units=8)
    case = world.case(cand)
    needs = case.added.stressed_requirement_usd
    loss = case.cost(case.book.scenarios.margin_stress)
    nlv = room * (needs + 0.8 * loss) / 0.8

    own = world.desk(account=world.account(nlv=nlv))
    (found,) = margin_stress.judge(world.case(cand, own_desk=own))

    assert found.units_max == fits
    after = (fits * needs) / (nlv - fits * loss)
    assert after <= 0.8 < ((fits + 1) * needs) / (nlv - (fits + 1) * loss)


def test_a_book_that_the_shock_ruins_takes_nothing_more(world):
    held = world.held_book(world.hold(world.option("SPX", 6000), -10))
    own = world.desk(account=world.account(nlv=100_000.0))

    (found,) = margin_stress.judge(world.case(held=held, own_desk=own))

    assert found.verdict is Verdict.REFUSE
    assert "cost all of NLV" in found.words


@pytest.mark.parametrize(
    "name",
    [
        "index -3 %, VIX +5",
        "index -5 %, VIX +10",
        "index -10 %, VIX +20",
        "index -20 %, VIX +40",
        "index flat, VIX doubles",
        "sector technology -15 %, VIX +10",
    ],
)
@pytest.mark.parametrize(("room", "fits"), [(2.001, 2), (1.999, 1), (0.999, 0)])
def test_no_scenario_may_cost_more_than_fifteen_percent(world, name, room, fits):
    cand = world.candidate(world.leg(world.option("AAA", 95), -1), units=5)
    case = world.case(cand)
    place = [one.name for one in case.book.scenarios.limited].index(name)
    own = world.desk(account=world.account(nlv=room * case.cost(place) / 0.15))

    found = world.finding(stress.judge(world.case(cand, own_desk=own)), name)

    assert found.units_max == fits


def test_over_the_limit_only_what_makes_it_worse_is_blocked(world):
    held = world.held_book(world.hold(world.option("XSP", 590), -60))
    hedge = world.candidate(world.leg(world.option("XSP", 580), 1, delta=-0.3), margin=0.0)

    worse = stress.judge(world.case(held=held))
    better = stress.judge(world.case(hedge, held=held))

    assert world.finding(worse, "index -20 %, VIX +40").units_max == 0
    found = world.finding(better, "index -20 %, VIX +40")
    assert found.units_max is None
    assert found.verdict is Verdict.WARN


def test_scenarios_of_ones_own_count_like_the_standard_ones(world):
    own = (
        scenario_in_words("gap: index -12.5 %, VIX x3"),
        scenario_in_words("up: index +8 %, VIX -4"),
    )
    limits = world.limits(stress={"own": own})

    case = world.case(limits=limits)
    names = [one.check for one in stress.judge(case)]

    assert names[-2:] == ["gap", "up"]
    gap = case.book.scenarios.limited[-2]
    assert (gap.index_return, gap.vix_factor, gap.vix_points) == (-0.125, 3.0, 0.0)
    assert case.book.scenarios.limited[-1].vix_points == -4.0
    assert case.cost(names.index("gap")) > case.cost(names.index("index -10 %, VIX +20")) / 2


@pytest.mark.parametrize("words", ["", "x", "a: index 5, VIX +1", "a: index -5 %, VIX 12"])
def test_a_scenario_in_other_words_is_refused(words):
    with pytest.raises(ValueError, match="a scenario reads"):
        scenario_in_words(words)


@pytest.mark.parametrize(("age_s", "fits"), [(0, True), (60, True), (61, False)])
def test_a_stress_result_and_a_book_are_believed_for_a_minute(world, age_s, fits):
    held = world.held_book(at_ns=world.NOW_NS - age_s * SECOND)

    reviewed = world.review(held=held)

    assert reviewed.approved is fits
    assert fits or {"R6", "R14"} <= set(reviewed.binding)


@pytest.mark.parametrize("unknown", ["marks", "market", "spot", "iv", "index", "vix"])
def test_what_cannot_be_valued_allows_no_entry_and_is_named(world, unknown):
    put = world.option("AAA", 80)
    held = world.held_book(world.hold(put, -1))
    views = {
        "marks": world.market(),
        "market": world.market(put, symbols=("SPX", "XSP")),
        "spot": msgspec.structs.replace(
            world.market(put),
            underlyings=(world.underlying("XSP"), world.underlying("AAA", spot_usd=math.nan)),
        ),
        "iv": world.market(marks={put.con_id: world.marks_of(put, iv=math.nan)}),
        "index": world.market(put, index_usd=math.nan),
        "vix": world.market(put, vix_points=math.nan),
    }
    named = {"market": "AAA", "spot": "AAA", "index": "index", "vix": "vix"}

    reviewed = world.review(held=held, view=views[unknown])

    assert reviewed.units == 0
    assert named.get(unknown, str(put.con_id)) in reviewed.words


def spread_out(world, days, *, symbol="XSP"):
    """Positions of one short put each, by days to expiry."""
    return [
        world.hold(world.option(symbol, 500 + n, days=after), -1, margin=100.0)
        for n, after in enumerate(days)
    ]


@pytest.mark.parametrize(
    ("days", "fits"),
    [
        ((30, 30, 30), True),  # four with this one: exempt
        ((1, 1, 9, 9), True),  # 1 of 5 on its date, 1 of 5 in its bucket
        ((30, 9, 5, 1), True),  # 2 of 5: 40 %
        ((30, 30, 5, 1), False),  # 3 of 5
        ((20, 25, 5, 1), False),  # its date is free, its bucket is not
        ((30, 9, 5, 1, 2), True),
    ],
)
def test_at_most_two_fifths_of_positions_end_together(world, days, fits):
    held = world.held_book(*spread_out(world, days))
    cand = world.candidate(margin=1.0)

    findings = expiries.judge(world.case(cand, held=held))

    counts = [one for one in findings if one.check.endswith("count")]
    assert all(one.verdict is not Verdict.REFUSE for one in counts) is fits


@pytest.mark.parametrize(
    ("day", "bucket"),
    [
        (0, "0-3"),
        (3, "0-3"),
        (4, "4-7"),
        (7, "4-7"),
        (8, "8-14"),
        (14, "8-14"),
        (15, "15 days and more"),
        (400, "15 days and more"),
    ],
)
def test_every_number_of_days_has_its_bucket(day, bucket):
    assert expiries.bucket_of(day)[0].startswith(bucket)


def test_at_most_two_fifths_of_margin_end_together(world):
    held = world.held_book(*spread_out(world, (9, 5, 1, 2)))
    cand = world.candidate(units=100, margin=10.0)

    findings = expiries.judge(world.case(cand, held=held))

    # 10 k <= 40 % of (400 + 10 k): k = 26
    assert world.finding(findings, "date_by_margin").units_max == 26
    assert world.finding(findings, "bucket_by_margin").units_max == 26
    there = world.pending(world.candidate(margin=30.0))
    beside = expiries.judge(world.case(cand, held=held, orders=[there]))
    # 30 + 10 k <= 40 % of (430 + 10 k): k = 23
    assert world.finding(beside, "date_by_margin").units_max == 23


def test_a_position_ends_with_its_first_short_and_its_legs_margins_add_up(world):
    near, far = world.option("XSP", 500, days=5), world.option("XSP", 500, days=30)
    held = world.held_book(
        world.hold(near, 1, "calendar", margin=70.0), world.hold(far, -1, "calendar", margin=30.0)
    )

    standing = world.case(held=held).book.standing

    ((end, ending),) = standing.endings.items()
    assert (end, ending.positions, ending.margin_usd) == (far.expiry, 1, 100.0)


def test_what_may_yet_fill_makes_a_share_larger_and_never_smaller(world):
    held = world.held_book(*spread_out(world, (9, 5, 1, 2)))
    elsewhere = [
        world.pending(
            world.candidate(world.leg(world.option("XSP", 450, days=60 + n), -1)), key=f"A{n}"
        )
        for n in range(3)
    ]
    there = [world.pending(world.candidate(), key="A9")]

    share = {
        name: world.finding(
            expiries.judge(world.case(held=held, orders=orders)), "date_by_count"
        ).used
        for name, orders in {"none": (), "elsewhere": elsewhere, "there": there}.items()
    }

    assert share["none"] == share["elsewhere"] == pytest.approx(1 / 5)
    assert share["there"] == pytest.approx(2 / 6)


@pytest.mark.parametrize(("nlv", "fits"), [(80_000.0, 1), (79_000.0, 0), (160_000.0, 2)])
def test_one_name_could_never_lose_more_than_a_tenth(world, nlv, fits):
    """A put struck at 80 risks 8,000 USD."""
    cand = world.candidate(world.leg(world.option("AAA", 80), -1), units=3)
    own = world.desk(account=world.account(nlv=nlv, margin=0.0))

    found = world.finding(concentration.judge(world.case(cand, own_desk=own)), "single_name")

    assert found.units_max == fits


def test_what_is_held_and_pending_in_a_name_counts_towards_it(world):
    put = world.option("AAA", 80)
    cand = world.candidate(world.leg(world.option("AAA", 79), -1), units=10)
    held = world.held_book(world.hold(put, -4))
    waiting = [world.pending(world.candidate(world.leg(world.option("AAA", 78), -1), units=3))]

    found = world.finding(
        concentration.judge(world.case(cand, held=held, orders=waiting)), "single_name"
    )

    assert found.used == pytest.approx((4 * 8_000 + 3 * 7_800) / 1e6)
    assert found.units_max == math.floor((100_000 - 32_000 - 23_400) / 7_900)


def test_a_spread_risks_its_width_and_a_covered_call_the_shares(world):
    short, long = world.option("AAA", 80), world.option("AAA", 75)
    call, stock = world.option("AAA", 110, is_call=True), world.shares("AAA")

    assert loss_at_expiry_usd([(short, -1), (long, 1)], spot_usd=100.0) == 500.0
    assert loss_at_expiry_usd([(stock, 100), (call, -1)], spot_usd=100.0) == 10_000.0
    assert loss_at_expiry_usd([(call, -1)], spot_usd=100.0) == 9_000.0
    assert loss_at_expiry_usd([(long, 3)], spot_usd=100.0) == 0.0


@pytest.mark.parametrize(("limit", "fits"), [(2, True), (1, False)])
def test_a_sector_has_room_for_so_many_underlyings(world, limit, fits):
    held = world.held_book(world.hold(world.option("BBB", 40), -1))
    limits = world.limits(concentration={"sector_underlyings_max": limit})
    new = world.candidate(world.leg(world.option("AAA", 80), -1))
    more = world.candidate(world.leg(world.option("BBB", 39), -1))

    fresh, same = (
        world.finding(
            concentration.judge(world.case(one, held=held, limits=limits)), "sector"
        ).verdict
        for one in (new, more)
    )

    assert (fresh is Verdict.PASS) is fits
    assert same is Verdict.PASS


def test_a_sector_that_is_full_takes_more_of_what_is_held_in_it(world):
    held = world.held_book(
        world.hold(world.option("AAA", 80), -1), world.hold(world.option("BBB", 40), -1)
    )
    limits = world.limits(concentration={"sector_underlyings_max": 1})
    more = world.candidate(world.leg(world.option("BBB", 39), -1))

    found = world.finding(concentration.judge(world.case(more, held=held, limits=limits)), "sector")

    assert (found.verdict, found.used) == (Verdict.PASS, 2.0)


@pytest.mark.parametrize(
    ("held", "waiting", "fits"), [(18, 1, True), (19, 1, False), (20, 0, False)]
)
def test_positions_and_entries_on_their_way_share_one_limit(world, held, waiting, fits):
    book = world.held_book(*spread_out(world, range(1, held + 1)))
    orders = [
        world.pending(world.candidate(world.leg(world.option("XSP", 450), -1)), key=f"A{n}")
        for n in range(waiting)
    ]

    found = world.finding(concentration.judge(world.case(held=book, orders=orders)), "positions")

    assert (found.verdict is Verdict.PASS) is fits


def test_an_order_has_at_most_so_many_contracts_of_a_leg(world):
    pair = world.candidate(
        world.leg(world.option("XSP", 540), -2), world.leg(world.option("XSP", 530), 1), units=9
    )

    assert world.finding(concentration.judge(world.case(pair)), "order_contracts").units_max == 5
