"""Names for the broker: unique, short, in letters it keeps."""

import re

from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.naming import LENGTH_MAX, number_base, order_ref, trade_part

NOW = 1_790_000_000_000_000_000


def named(trade="t", role=OrderRole.ENTRY, number=1, attempt=1, now=NOW):
    return order_ref(trade=trade, role=role, base=number_base(now), number=number, attempt=attempt)


@given(
    st.text(max_size=60),
    st.sampled_from(list(OrderRole)),
    st.integers(0, 36**5),
    st.integers(1, 99),
)
def test_a_name_is_short_and_of_letters_the_broker_keeps(trade, role, number, attempt):
    name = named(trade, role, number, attempt)

    assert len(name) <= LENGTH_MAX
    assert re.fullmatch(r"[A-Za-z0-9_-]+\.[a-z]+\.[a-z0-9]+\.[0-9]+", name)


@given(st.text(max_size=60), st.text(max_size=60))
def test_two_trades_never_share_their_part(one, other):
    if one != other:
        assert trade_part(one) != trade_part(other)


def test_another_number_attempt_or_desk_is_another_name():
    names = {
        named(),
        named(number=2),
        named(attempt=2),
        named(role=OrderRole.STOP),
        named(now=NOW + 10**9),
    }

    assert len(names) == 5
