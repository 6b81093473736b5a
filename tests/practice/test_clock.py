"""Market time follows ours by its speed, and falls behind rather than blocking anybody."""

from hypothesis import given
from hypothesis import strategies as st

from thetawarden.practice.clock import NS_PER_S, SLICE_NS_MIN, MarketClock

START_NS = 10**18


def test_sixty_times_as_fast_is_a_minute_a_second():
    clock = MarketClock(speed=60.0)
    clock.target_ns(now_s=5.0, market_ns=START_NS)

    assert clock.target_ns(now_s=6.0, market_ns=START_NS) == START_NS + 60 * NS_PER_S


def test_flat_out_goes_one_step_at_a_time():
    clock = MarketClock(speed=None, flat_out_step_ns=7)

    assert clock.target_ns(now_s=5.0, market_ns=START_NS) == START_NS + 7


def test_a_new_speed_goes_on_from_where_the_market_is():
    clock = MarketClock(speed=1.0)
    clock.target_ns(now_s=0.0, market_ns=START_NS)
    there_ns = clock.target_ns(now_s=10.0, market_ns=START_NS)
    clock.change_speed(100.0)
    clock.target_ns(now_s=10.0, market_ns=there_ns)

    assert clock.target_ns(now_s=11.0, market_ns=there_ns) == there_ns + 100 * NS_PER_S


@given(
    steps=st.lists(
        st.tuples(st.floats(min_value=0, max_value=5), st.floats(min_value=0, max_value=5)),
        max_size=60,
    ),
    speed=st.sampled_from([1e-6, 1.0, 60.0, 1e6]),
)
def test_the_market_never_goes_back(steps, speed):
    clock, now_s, market_ns = MarketClock(speed=speed), 0.0, START_NS

    for pause_s, took_s in steps:
        now_s += pause_s
        target_ns = clock.target_ns(now_s=now_s, market_ns=market_ns)
        assert target_ns >= market_ns
        market_ns = target_ns
        clock.note_advance(took_s)


def test_costly_steps_become_short_and_leave_no_debt_behind():
    clock, now_s, market_ns = MarketClock(speed=1e6), 0.0, START_NS
    for _ in range(40):
        now_s += 1.0
        market_ns = clock.target_ns(now_s=now_s, market_ns=market_ns)
        clock.note_advance(1.0)

    ahead_ns = clock.target_ns(now_s=now_s + 0.001, market_ns=market_ns) - market_ns

    assert ahead_ns <= SLICE_NS_MIN


def test_cheap_steps_become_long_again():
    clock = MarketClock(speed=60.0)
    for _ in range(40):
        clock.note_advance(1.0)
    for _ in range(40):
        clock.note_advance(0.0)
    clock.target_ns(now_s=0.0, market_ns=START_NS)

    assert clock.target_ns(now_s=60.0, market_ns=START_NS) == START_NS + 3600 * NS_PER_S
