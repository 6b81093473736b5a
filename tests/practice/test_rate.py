"""Fast clients are warned, then refused, then cut off; history has pacing rules of its own."""

from hypothesis import given
from hypothesis import strategies as st

from thetawarden.practice.gateway.pacing import HistoryPacing
from thetawarden.practice.gateway.rate import Pace, RateLimiter


def limiter():
    return RateLimiter(per_s_max=50, per_s_warn=44, violations_max=3)


@given(gaps=st.lists(st.floats(min_value=0.0221, max_value=5.0), max_size=300))
def test_forty_five_messages_a_second_are_never_refused(gaps):
    rate, now_s = limiter(), 0.0

    for gap in gaps:
        now_s += gap
        assert rate.judge(now_s) in (Pace.FINE, Pace.WARN)


def test_the_warning_comes_once_before_the_limit():
    rate = limiter()

    paces = [rate.judge(0.5) for _ in range(50)]

    assert paces.count(Pace.WARN) == 1
    assert paces.index(Pace.WARN) == 43
    assert rate.judge(0.6) is Pace.REFUSE


def test_the_fourth_violation_disconnects():
    rate, verdicts = limiter(), []

    for second in range(4):
        verdicts += [rate.judge(second * 2.0) for _ in range(60)]

    assert verdicts.count(Pace.REFUSE) == 30
    assert Pace.DISCONNECT in verdicts
    assert verdicts.index(Pace.DISCONNECT) > 3 * 60


def test_a_clock_that_was_read_earlier_refuses_nobody():
    rate = limiter()
    rate.judge(5.0)

    assert rate.judge(4.9) is Pace.FINE


def test_a_paced_client_waits_below_a_limit_that_is_under_the_warning():
    rate = RateLimiter(per_s_max=10, per_s_warn=44, violations_max=3)

    sent = [rate.judge(0.0) for _ in range(10)]

    assert set(sent) == {Pace.FINE}
    assert not rate.has_room(0.9)
    assert rate.has_room(1.0)


def test_zero_means_no_limit():
    rate = RateLimiter(per_s_max=0, per_s_warn=0, violations_max=0)

    assert {rate.judge(0.0) for _ in range(1000)} == {Pace.FINE}


def test_a_paced_client_waits_below_the_warning():
    rate = limiter()

    sent = 0
    while rate.has_room(0.0):
        rate.judge(0.0)
        sent += 1

    assert sent == 43
    assert not rate.has_room(0.99)
    assert rate.has_room(1.0)


def _ask(pacing, now_s, number, *, kind="SPY", weight=1):
    return pacing.allows(now_s=now_s, whole=(kind, number), kind=(kind,), weight=weight)


def test_identical_history_within_fifteen_seconds_is_refused():
    pacing = HistoryPacing()

    assert _ask(pacing, 0.0, 1)
    assert not _ask(pacing, 14.9, 1)
    assert _ask(pacing, 15.0, 1)


def test_the_sixth_request_of_a_kind_within_two_seconds_is_refused():
    pacing = HistoryPacing()

    answers = [_ask(pacing, 0.1 * number, number) for number in range(6)]

    assert answers == [True] * 5 + [False]


def test_sixty_requests_in_ten_minutes_are_the_limit_and_bid_ask_counts_twice():
    pacing = HistoryPacing()

    plain = [_ask(pacing, 3.0 * n, n, kind=n) for n in range(61)]
    double = HistoryPacing()
    twice = [_ask(double, 3.0 * n, n, kind=n, weight=2) for n in range(31)]

    assert plain == [True] * 60 + [False]
    assert twice == [True] * 30 + [False]
