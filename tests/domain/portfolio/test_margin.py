"""What a book would need as margin, by hand-worked examples of the published rules."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thetawarden.domain.portfolio.book import joined
from thetawarden.domain.portfolio.margin import (
    MarginGap,
    StressRanges,
    project_margin,
    risk_based,
    strategy_based,
)
from thetawarden.domain.portfolio.regt import RegTRates, regt_requirement
from thetawarden.domain.portfolio.revaluation import position_worths
from thetawarden.domain.portfolio.scenario import ShockRules
from thetawarden.domain.portfolio.shock import MARGIN_STRESS, Scenario

SEEDS = st.integers(0, 2**32 - 1)
STOCK, INDEX = np.array([False]), np.array([True])
RULES = ShockRules()


def requirement(built, worths, *, broad_index=STOCK):
    """With option worths given per share, as a rule book's example states them."""
    book, underlyings = built
    worth = np.array([*worths, *[0.0] * (book.size - len(worths))])
    return regt_requirement(
        book,
        underlyings,
        worth_usd=worth * book.contracts * book.multiplier,
        broad_index=broad_index,
        rates=RegTRates(),
    )[0]


def test_a_naked_put_needs_its_worth_and_a_fifth_less_what_it_is_out_of_the_money(option_book):
    # 2.00 + 20 % of 128.50 - (128.50 - 120)
    put = option_book((120.0, False, -1.0), spot=128.5)

    assert requirement(put, [2.0]) == pytest.approx(100 * (2.0 + 25.70 - 8.50))


def test_far_out_of_the_money_a_tenth_is_the_least(option_book):
    # of the strike for a put, of the underlying for a call
    put = option_book((70.0, False, -1.0), spot=100.0)
    call = option_book((140.0, True, -1.0), spot=100.0)

    assert requirement(put, [0.5]) == pytest.approx(100 * (0.5 + 7.0))
    assert requirement(call, [0.5]) == pytest.approx(100 * (0.5 + 10.0))


def test_a_broad_index_needs_fifteen_percent(option_book):
    put = option_book((3900.0, False, -1.0), spot=4000.0)

    assert requirement(put, [20.0], broad_index=INDEX) == pytest.approx(
        100 * (20.0 + 600.0 - 100.0)
    )


def test_a_strangle_needs_the_dearer_side_and_the_others_worth(option_book):
    strangle = option_book((95.0, False, -1.0), (110.0, True, -1.0), spot=100.0)
    put, call = 1.0 + 20.0 - 5.0, 0.8 + 10.0

    assert put > call
    assert requirement(strangle, [1.0, 0.8]) == pytest.approx(100 * (put + 0.8))


def test_a_spread_needs_its_width_and_a_debit_spread_nothing(option_book):
    credit = option_book((95.0, False, -2.0), (90.0, False, 2.0))
    debit = option_book((95.0, False, 2.0), (90.0, False, -2.0))

    assert requirement(credit, [1.5, 0.6]) == pytest.approx(2 * 500)
    assert requirement(debit, [1.5, 0.6]) == 0.0


def test_an_iron_condor_needs_its_wider_side_only(option_book):
    condor = option_book(
        (90.0, False, 1.0), (95.0, False, -1.0), (105.0, True, -1.0), (112.0, True, 1.0)
    )

    assert requirement(condor, [0.4, 1.0, 1.1, 0.3]) == pytest.approx(700.0)


def test_a_long_that_expires_first_hedges_nothing(option_book):
    book, underlyings = option_book((95.0, False, -1.0), (90.0, False, 1.0))
    early = type(book)(
        **{n: getattr(book, n) for n in book.__struct_fields__ if n != "tau_years"},
        tau_years=np.array([0.2, 0.1]),
    )

    found = requirement((early, underlyings), [1.5, 0.6])

    assert found == pytest.approx(100 * (1.5 + 20.0 - 5.0) + 60.0)


def test_a_covered_call_needs_what_the_shares_need_and_only_whole_hundreds_cover(option_book):
    covered = option_book((105.0, True, -1.0), shares=100.0)
    short_by_one = option_book((105.0, True, -1.0), shares=99.0)

    assert requirement(covered, [1.0]) == pytest.approx(0.25 * 100 * 100)
    assert requirement(short_by_one, [1.0]) == pytest.approx(
        0.25 * 99 * 100 + 100 * (1.0 + 20.0 - 5.0)
    )


def test_a_lone_long_option_is_paid_in_full_and_short_shares_need_thirty_percent(option_book):
    assert requirement(option_book((95.0, False, 3.0)), [1.5]) == pytest.approx(450.0)
    assert requirement(option_book(shares=-10.0), []) == pytest.approx(0.3 * 1000)


BROAD = np.array([True, False, False, False])


@given(seed=SEEDS)
@settings(max_examples=40)
def test_a_book_never_needs_more_than_its_positions_one_by_one(draws, seed):
    book, underlyings = draws(seed)
    rule = strategy_based(broad_index=BROAD, rates=RegTRates())

    alone = [rule(book.take(np.array([row])), underlyings) for row in range(book.size)]

    assert min(alone) >= 0.0
    assert 0.0 <= rule(book, underlyings) <= sum(alone) * (1 + 1e-9)


@given(
    steps=st.lists(
        st.tuples(st.integers(-5, 5), st.booleans(), st.integers(1, 3)), min_size=1, max_size=5
    )
)
@settings(max_examples=60)
def test_spreads_need_at_least_what_they_can_lose_at_expiry(option_book, steps):
    # every short has a long 3 points away, nearer than any naked requirement
    legs = []
    for step, is_call, count in steps:
        strike = 100.0 + step
        legs += [(strike, is_call, -count), (strike + (3 if is_call else -3), is_call, count)]
    built = option_book(*legs)
    levels = np.arange(80.0, 121.0)
    payoff = sum(
        100 * n * np.maximum((levels - k) if call else (k - levels), 0.0) for k, call, n in legs
    )

    found = requirement(built, [0.0] * len(legs))

    assert found >= -payoff.min() - 1e-9


@given(seed=SEEDS, other=SEEDS)
@settings(max_examples=20)
def test_by_risk_two_books_never_need_more_together_than_apart(draws, seed, other):
    (first, underlyings), (second, _) = draws(seed), draws(other)
    rule = risk_based(broad_index=BROAD, ranges=StressRanges())

    together = rule(joined(first, second), underlyings)

    apart = [rule(book, underlyings) for book in (first, second)]
    assert 0.0 <= together <= sum(apart) * (1 + 1e-9) + 1e-6


@given(seed=SEEDS)
@settings(max_examples=20)
def test_the_risk_based_requirement_is_the_worst_loss_over_the_range(draws, seed):
    book, underlyings = draws(seed, size=5)
    only = type(book)(
        **{n: getattr(book, n) for n in book.__struct_fields__ if n != "underlying"},
        underlying=np.zeros(5, dtype=int),
    )
    one = type(underlyings)(
        **{n: getattr(underlyings, n)[:1] for n in underlyings.__struct_fields__}
    )
    ranges = StressRanges(minimum_usd_per_share=0.0)
    steps = tuple(Scenario(name="step", index_return=move) for move in np.linspace(-0.15, 0.15, 11))

    found = risk_based(broad_index=STOCK, ranges=ranges)(only, one)

    worth = position_worths(only, one, vix_now=0.0, scenarios=steps, rules=RULES)[:, :, 0, 0]
    losses = worth[:, 5].sum() - worth.sum(axis=0)
    assert found == pytest.approx(max(0.0, losses.max()), rel=1e-6, abs=1e-3)


def test_the_range_is_of_the_underlyings_own_moves_whatever_its_beta(option_book):
    book, underlyings = option_book((100.0, False, -2.0))
    lively = type(underlyings)(
        **{n: getattr(underlyings, n) for n in underlyings.__struct_fields__ if n != "beta"},
        beta=np.array([2.0]),
    )
    rule = risk_based(broad_index=STOCK, ranges=StressRanges())

    assert rule(book, lively) == pytest.approx(rule(book, underlyings))


def test_short_options_far_away_still_need_the_minimum(option_book):
    built = option_book((20.0, False, -4.0))

    found = risk_based(broad_index=STOCK, ranges=StressRanges())(*built)

    assert found == pytest.approx(4 * 37.5)


def test_a_crash_shrinks_the_account_and_swells_the_requirement(option_book):
    built = option_book((3800.0, False, -1.0), spot=4000.0, iv=0.2)
    rule = strategy_based(broad_index=INDEX, rates=RegTRates())
    terms = {
        "requirement": rule,
        "net_liquidation_usd": 100_000.0,
        "vix_now": 20.0,
        "rules": RULES,
    }

    calm = project_margin(*built, scenario=Scenario(name="as is"), **terms)
    crash = project_margin(*built, scenario=MARGIN_STRESS, **terms)

    assert calm.net_liquidation_usd == pytest.approx(100_000.0)
    assert calm.requirement_usd == pytest.approx(rule(*built))
    assert crash.net_liquidation_usd < 80_000.0
    assert crash.requirement_usd > 1.5 * calm.requirement_usd
    assert crash.utilisation_fraction == pytest.approx(
        crash.requirement_usd / crash.net_liquidation_usd
    )


def test_a_ruined_account_has_infinite_utilisation_and_an_unknown_one_a_reason(option_book):
    built = option_book((3800.0, False, -1.0), spot=4000.0, iv=0.2)
    terms = {
        "requirement": strategy_based(broad_index=INDEX, rates=RegTRates(), other_usd=10.0),
        "vix_now": 20.0,
        "scenario": MARGIN_STRESS,
        "rules": RULES,
    }

    ruined = project_margin(*built, net_liquidation_usd=1_000.0, **terms)
    unknown = project_margin(*built, net_liquidation_usd=math.nan, **terms)

    assert ruined.utilisation_fraction == math.inf
    assert unknown is MarginGap.NOT_FINITE
