"""Futures ahead of shares: holes stay holes, and foresight is scored out of sample."""

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from thetawarden.domain.context.leads import (
    DAYS_NEEDED,
    GRID_NS,
    LeadMemory,
    changes_of,
    remembered,
    strength_of,
)
from thetawarden.domain.instants import NS_PER_DAY, NS_PER_HOUR

START_NS = 1_790_000_000_000_000_000 // GRID_NS * GRID_NS
DAY = dt.date(2026, 9, 21)


def run(prices, *, memory=None, start_ns=START_NS, day=DAY):
    memory = memory or LeadMemory()
    for step, (future, follower) in enumerate(prices):
        memory = remembered(
            memory, future=future, follower=follower, now_ns=start_ns + step * GRID_NS, day=day
        )
    return memory


def days_of(leads, *, days, steps=78, seed=3):
    """Days in which the follower does one step later what the future did, `leads` of it."""
    rng, memory = np.random.default_rng(seed), LeadMemory()
    for number in range(days):
        moves = rng.normal(0.0, 0.001, steps + 1)
        noise = rng.normal(0.0, 0.001, steps + 1)
        future = 5000.0 * np.exp(np.cumsum(moves))
        late = leads * np.concatenate([[0.0], moves[:-1]]) + (1.0 - leads) * noise
        follower = 500.0 * np.exp(np.cumsum(late))
        memory = run(
            zip(future.tolist(), follower.tolist(), strict=True),
            memory=memory,
            start_ns=START_NS + number * NS_PER_DAY,
            day=DAY + dt.timedelta(days=number),
        )
    return memory


def test_nothing_is_said_before_two_weeks_of_data():
    strength = strength_of(days_of(0.8, days=DAYS_NEEDED - 1))

    assert strength.days == DAYS_NEEDED - 1
    assert strength.correlation is None
    assert strength.foreseen_fraction is None


def test_a_future_that_leads_is_found_to_lead():
    strength = strength_of(days_of(0.8, days=15))

    assert strength.correlation == pytest.approx(0.97, abs=0.02)
    assert strength.foreseen_fraction > 0.85


def test_a_future_that_says_nothing_foresees_nothing():
    strength = strength_of(days_of(0.0, days=15))

    assert abs(strength.correlation) < 0.1
    assert strength.foreseen_fraction < 0.02


def test_a_break_in_trading_is_a_hole_and_never_a_zero():
    steps = [(5000.0, 500.0)] * 3 + [(None, None)] * 12 + [(5100.0, 510.0)] * 3

    memory = run(steps)

    assert memory.days[0].pairs == 2  # one before the break, one after it; none across
    assert memory.days[0].product == 0.0
    changes = changes_of(
        memory,
        now_ns=START_NS + 17 * GRID_NS,
        last_close_ns=START_NS + 5 * GRID_NS,
        close_before_ns=START_NS,
    )
    assert changes.hour_fraction is None
    assert changes.overnight_fraction is None
    assert changes.day_fraction == pytest.approx(0.02)


def test_changes_are_measured_against_an_hour_and_four_hours_ago():
    steps = [(5000.0 + step, 500.0) for step in range(60)]
    memory, now = run(steps), START_NS + 59 * GRID_NS

    changes = changes_of(memory, now_ns=now, last_close_ns=START_NS, close_before_ns=START_NS)

    assert changes.price == 5059.0
    assert changes.hour_fraction == pytest.approx(5059.0 / 5047.0 - 1.0)
    assert changes.four_hours_fraction == pytest.approx(5059.0 / 5011.0 - 1.0)
    assert changes.overnight_fraction == pytest.approx(5059.0 / 5000.0 - 1.0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.floats(), st.floats(1.0, 1e4)),
            st.one_of(st.none(), st.floats(1.0, 1e4)),
        ),
        max_size=60,
    )
)
@example([(1e300, 500.0), (1e-300, 500.0)] * 20)
def test_whatever_comes_what_is_said_is_finite_or_unknown(prices):
    memory = run(prices)

    changes = changes_of(
        memory,
        now_ns=START_NS + len(prices) * GRID_NS,
        last_close_ns=START_NS,
        close_before_ns=START_NS - NS_PER_DAY,
    )
    said = [getattr(changes, name) for name in changes.__struct_fields__]
    assert all(value is None or math.isfinite(value) for value in said)
    assert all(sample.price > 0.0 for sample in memory.future)


def test_what_is_older_than_a_day_and_a_night_is_forgotten():
    memory = run([(5000.0, 500.0)] * 3)

    later = remembered(
        memory, future=5001.0, follower=None, now_ns=START_NS + 40 * NS_PER_HOUR, day=DAY
    )

    assert len(later.future) == 1
