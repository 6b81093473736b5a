"""When prices, link and clock still count as alive."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.freshness import (
    LinkSeen,
    Seen,
    link_down,
    session_open_ns,
    skew_ns,
    skewed,
    stale_prices,
)
from thetawarden.domain.freshness_limits import FreshnessLimits
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs, new_york_ns
from thetawarden.domain.market.sessions import Exchange, load_sessions

SESSIONS = load_sessions(Exchange.NYSE)
LIMITS = FreshnessLimits()
OPEN = new_york_ns(dt.date(2026, 2, 3), dt.time(9, 30))
S = NS_PER_SECOND


def stale(*, age_s, since_open_s, since_wanted_s, held=False):
    now = OPEN + since_open_s * S
    seen = Seen(at_ns=max(0, now - age_s * S), wanted_ns=now - since_wanted_s * S, held=held)
    limits = FreshnessLimits(price_ns_max=120 * S, held_ns_max=60 * S)
    return list(stale_prices({"SPX": seen}, open_ns=OPEN, now=now, limits=limits))


@given(age_s=st.integers(0, 10_000), open_s=st.integers(0, 10_000), wanted_s=st.integers(0, 10_000))
def test_a_price_is_stale_only_when_every_count_of_its_age_is_over_the_limit(
    age_s, open_s, wanted_s
):
    found = stale(age_s=age_s, since_open_s=open_s, since_wanted_s=wanted_s)

    assert bool(found) is (min(age_s, open_s, wanted_s) > 120)


def test_a_held_option_has_a_limit_of_its_own_and_the_words_name_what_and_how_old():
    (found,) = stale(age_s=61, since_open_s=500, since_wanted_s=500, held=True)

    assert found.words == "no price of SPX for 61 s, at most 60 s allowed"


@pytest.mark.parametrize(
    ("day", "at", "open_at"),
    [
        (dt.date(2026, 2, 3), dt.time(9, 29, 59), None),
        (dt.date(2026, 2, 3), dt.time(9, 30), dt.time(9, 30)),
        (dt.date(2026, 2, 3), dt.time(15, 59, 59), dt.time(9, 30)),
        (dt.date(2026, 2, 3), dt.time(16, 0), None),
        (dt.date(2026, 11, 27), dt.time(12, 59), dt.time(9, 30)),  # the day after Thanksgiving
        (dt.date(2026, 11, 27), dt.time(13, 0), None),
        (dt.date(2026, 7, 3), dt.time(11, 0), None),  # Independence Day, observed
        (dt.date(2026, 2, 7), dt.time(11, 0), None),  # a Saturday
        (dt.date(2026, 3, 9), dt.time(9, 30), dt.time(9, 30)),  # the clocks changed yesterday
    ],
)
def test_a_price_is_expected_in_the_session_only_on_half_days_and_in_summer_too(day, at, open_at):
    expected = None if open_at is None else new_york_ns(day, open_at)

    assert session_open_ns(new_york_ns(day, at), SESSIONS) == expected


def test_a_link_that_is_gone_is_found_after_its_time_and_one_that_is_up_never():
    now = OPEN + 1_000 * S
    down = LinkSeen(up=False, since_ns=now - 61 * S, words="reset")
    up = LinkSeen(up=True, since_ns=OPEN)

    (found,) = link_down(down, open_ns=OPEN, now=now, limits=LIMITS)
    assert "no link to the broker for 61 s" in found.words
    assert not list(link_down(down, open_ns=now - 60 * S, now=now, limits=LIMITS))
    assert not list(link_down(up, open_ns=OPEN, now=now, limits=LIMITS))
    assert not list(link_down(None, open_ns=OPEN, now=now, limits=LIMITS))


@given(
    true_ns=st.integers(10**18, 10**18 + 10**12),
    trip_ns=st.integers(0, 3 * S),
    part=st.floats(0, 1),
)
def test_a_clock_that_is_right_is_never_called_off_however_long_the_answer_took(
    true_ns, trip_ns, part
):
    told_ns = (true_ns + int(trip_ns * part)) // S * S  # read on the way, in whole seconds

    off = skew_ns(broker_ns=told_ns, clock_ns=true_ns + trip_ns, round_trip_ns=trip_ns)

    assert off == 0


@given(off_s=st.integers(3, 10**6), side=st.sampled_from((1, -1)))
def test_a_clock_that_is_off_is_told_by_at_least_all_but_a_second_of_it(off_s, side):
    told_ns = 1_700_000_000 * S

    off = skew_ns(broker_ns=told_ns, clock_ns=told_ns - side * off_s * S, round_trip_ns=0)

    assert off_s - 1 <= side * off / S <= off_s


def test_one_odd_answer_or_a_clock_that_swings_is_no_skew_and_two_alike_are():
    assert not list(skewed((9 * S,), LIMITS))
    assert not list(skewed((9 * S, -9 * S), LIMITS))
    assert not list(skewed((9 * S, 0), LIMITS))
    (found,) = skewed((0, 9 * S, 7 * S), LIMITS)
    assert found.words == "our clock and the broker's are 7.0 s apart, at most 5.0 s allowed"


def test_the_first_price_of_all_may_take_longer_than_the_next():
    now = OPEN + 10_000 * S
    limits = FreshnessLimits(price_ns_max=120 * S, first_ns_max=300 * S)
    late = {
        "SPX": Seen(at_ns=UnixNs(0), wanted_ns=now - 299 * S),
        "SPY": Seen(at_ns=now - 121 * S, wanted_ns=OPEN),
        "XSP": Seen(at_ns=UnixNs(0), wanted_ns=now - 301 * S),
    }

    found = list(stale_prices(late, open_ns=OPEN, now=now, limits=limits))

    assert [one.of for one in found] == ["SPY", "XSP"]
    assert "never was one, at most 300 s" in found[1].words
