"""Time goes onward: at once after a clock that was set forward, slower before one set back."""

from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.instants import NS_PER_SECOND as S
from thetawarden.domain.onward import APART_NS_MAX, Course, looked

T0 = 1_790_000_000 * S
LEAPS = st.integers(-100 * 86_400 * S, 100 * 86_400 * S)
PASSES = st.lists(st.tuples(st.integers(0, 3600 * S), LEAPS), max_size=20)


@given(PASSES)
def test_p09_whatever_the_clock_is_set_to_time_never_goes_back_nor_stands(passes):
    course, count, shown = Course(T0, 0), 0, T0
    for passed, leap in passes:
        before = course.at(count)
        count, shown = count + passed, shown + passed + leap
        course = looked(course, shown_ns=shown, elapsed_ns=count)

        assert course.at(count) - before >= passed * 9 // 10
        assert course.at(count) >= shown


@given(st.integers(1, 3), st.integers(1, 400))
def test_p09_time_goes_on_however_often_the_clock_is_looked_at(step, steps):
    course = looked(Course(T0, 0), shown_ns=T0 - 3600 * S, elapsed_ns=0)
    for number in range(1, steps + 1):
        course = looked(course, shown_ns=T0 - 3600 * S + number * step, elapsed_ns=number * step)

    assert course.at(steps * step) == T0 + steps * step * 9 // 10


@given(st.integers(1, 7200), st.integers(1, 600))
def test_p09_a_clock_that_was_set_back_is_met_after_ten_times_as_long(back_s, every_s):
    course = looked(Course(T0, 0), shown_ns=T0 - back_s * S, elapsed_ns=0)
    assert course.at(0) == T0

    count = 0
    while course.slowed:
        count += every_s * S
        course = looked(course, shown_ns=T0 - back_s * S + count, elapsed_ns=count)

    assert 10 * back_s <= count // S <= 10 * back_s + every_s
    assert course.at(count + S) == T0 - back_s * S + count + S


@given(st.integers(1, 100 * 86_400 * S), st.integers(0, 10 * S))
def test_p09_a_clock_that_was_set_forward_is_followed_at_once(leap, passed):
    course = looked(Course(T0, 0), shown_ns=T0 + passed + leap, elapsed_ns=passed)

    assert course == Course(T0 + passed + leap, passed)


@given(st.integers(0, APART_NS_MAX))
def test_two_counts_read_one_after_the_other_slow_nothing(apart):
    course = looked(Course(T0, 0), shown_ns=T0 + S - apart, elapsed_ns=S)

    assert course == Course(T0 + S, S)


def test_a_count_read_while_another_thread_looked_is_not_before_the_look():
    course = looked(Course(T0, 0), shown_ns=T0 + 2 * S, elapsed_ns=2 * S)

    assert course.at(2 * S - 5) == T0 + 2 * S
