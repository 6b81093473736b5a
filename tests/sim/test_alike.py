"""What an older version wrote is compared in what it could say, and in nothing less."""

from decimal import Decimal

import msgspec
import pytest

from thetawarden.sim.alike import is_alike

encode = msgspec.msgpack.encode


class LegOnce(msgspec.Struct, array_like=True, tag="Leg"):
    conid: int


class LegToday(msgspec.Struct, array_like=True, tag="Leg"):
    conid: int
    ratio: int = 1


class StateOnce(msgspec.Struct):
    legs: tuple[LegOnce, ...]
    prices: dict[int, Decimal]


class StateToday(msgspec.Struct):
    legs: tuple[LegToday, ...]
    prices: dict[int, Decimal]
    why: str = ""


ONCE = encode(StateOnce((LegOnce(1), LegOnce(2)), {5: Decimal("1.50")}))


def today(*, conids=(1, 2), price="1.50", key=5, **more):
    legs = tuple(LegToday(one, ratio=-3) for one in conids)
    return StateToday(legs, {key: Decimal(price)}, **more)


def test_fields_added_since_are_no_difference_at_any_depth():
    assert is_alike(ONCE, today(why="nobody said so then"))


@pytest.mark.parametrize(
    "other",
    [
        today(conids=(1, 3)),
        today(conids=(1,)),
        today(conids=(1, 2, 3)),
        today(price="1.5"),
        today(key=6),
        StateOnce((LegOnce(1), LegOnce(3)), {5: Decimal("1.50")}),
    ],
)
def test_all_else_is_one(other):
    assert not is_alike(ONCE, other)


def test_what_was_written_and_is_gone_is_one():
    assert not is_alike(encode(today()), StateOnce((LegOnce(1), LegOnce(2)), {5: Decimal("1.50")}))
    assert not is_alike(encode(LegToday(1)), LegOnce(1))


def test_another_kind_is_one_however_alike_its_fields():
    class Other(msgspec.Struct, array_like=True, tag="Other"):
        conid: int

    assert not is_alike(encode(LegOnce(1)), Other(1))
    assert is_alike(encode(float("nan")), float("nan"))
    assert not is_alike(encode(1), 1.0)
