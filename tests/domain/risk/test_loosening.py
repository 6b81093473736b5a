"""What a changed configuration allows is found, whichever way a limit must move for that."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.config.risk import RiskConfig
from thetawarden.config.stated import FACTS, NO_LIMITS, SMALLER_ALLOWS_MORE, stated_limits
from thetawarden.domain.risk.loosening import (
    Looser,
    StatedLimit,
    fingerprint_of,
    loosened,
    question_of,
)

AMOUNTS = st.floats(min_value=0.0, max_value=1e6)
NOW = stated_limits(RiskConfig())
FLOORS_THAT_GIVE_MORE = {
    "risk.orders.collar_min_usd",  # the least room a price has
    "risk.recovery.drawdown_factor_min_fraction",  # the least size that is left
}


def limit(amount, looser=Looser.MORE, name="a"):
    return StatedLimit(name=name, words=str(amount), looser=looser, amount=amount)


@given(before=AMOUNTS, after=AMOUNTS)
def test_a_limit_is_looser_one_way_only(before, after):
    up = loosened((limit(before),), (limit(after),))
    down = loosened((limit(before, Looser.LESS),), (limit(after, Looser.LESS),))

    assert bool(up) == (after > before)
    assert bool(down) == (after < before)


@given(before=AMOUNTS, looser=st.sampled_from(Looser))
def test_what_is_no_number_any_more_is_looser(before, looser):
    broken = StatedLimit(name="a", words="nan", looser=looser, amount=float("nan"))

    assert loosened((limit(before, looser),), (broken,))


def test_nothing_acknowledged_and_limits_that_are_new_ask_nothing():
    assert loosened((), NOW) == ()
    assert loosened(NOW[:5], NOW) == ()
    assert question_of((), fingerprint="0") == ""


@pytest.mark.parametrize("one", NOW, ids=lambda one: one.name)
def test_every_limit_of_the_configuration_is_found_when_it_is_loosened(one):
    if one.amount is None:
        moved = msgspec.structs.replace(one, words="something else")
    else:
        amount = one.amount + (-0.5 if one.looser is Looser.LESS else 0.5)
        moved = msgspec.structs.replace(one, words=str(amount), amount=amount)
    changed = tuple(moved if each is one else each for each in NOW)

    (found,) = loosened(NOW, changed)

    assert (found.name, found.before, found.after) == (one.name, one.words, moved.words)
    assert fingerprint_of(changed) != fingerprint_of(NOW)
    assert one.name in question_of((found,), fingerprint="f00")


@pytest.mark.parametrize(
    "one", [each for each in NOW if each.amount is not None], ids=lambda one: one.name
)
def test_a_floor_is_loosened_by_less_and_a_ceiling_by_more(one):
    key = one.name.rpartition(".")[2]
    is_floor = "_min_" in key and one.name not in FLOORS_THAT_GIVE_MORE
    if "_max" in key:
        assert one.looser is Looser.MORE
    if is_floor:
        assert one.looser is Looser.LESS


def test_every_key_of_the_risk_section_is_a_limit_or_is_named_as_none():
    keys = {
        f"{group}.{key}"
        for group in RiskConfig.__struct_fields__
        if group not in FACTS
        for key in getattr(RiskConfig(), group).__struct_fields__
    }

    assert {one.name for one in NOW} == {f"risk.{key}" for key in keys - NO_LIMITS}
    assert keys >= SMALLER_ALLOWS_MORE | NO_LIMITS


def test_many_changes_are_told_in_one_bounded_question():
    changed = tuple(msgspec.structs.replace(one, words="x" * 10, amount=None) for one in NOW)

    asked = question_of(loosened(NOW, changed), fingerprint="abcd1234")

    assert f"and {len(NOW) - 5} more" in asked
    assert "resume --limits abcd1234" in asked
    assert len(asked) < 500
