"""What of a state changed: the places that differ and no more, and the new state from the old."""

import copy
import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.chains.packing import pack
from thetawarden.domain.chains.view import ROW_TYPES
from thetawarden.sim.changes import MATCHED_MAX, Change, changes

LEAVES = st.none() | st.integers(0, 3) | st.text(max_size=2) | st.binary(max_size=2)
STATES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4)
    ),
    max_leaves=20,
)


def found(before, after):
    return tuple(changes(before, after))


def packed(numbers, kind="<f8"):
    return msgspec.to_builtins(pack(np.array(numbers, dtype=kind)), builtin_types=(bytes,))


def view(**columns):
    given_rows = {name: np.array(numbers, ROW_TYPES[name]) for name, numbers in columns.items()}
    none = np.zeros(3)
    return {
        "columns": [
            given_rows.get(name, none.astype(kind)).tobytes() for name, kind in ROW_TYPES.items()
        ]
    }


def put(state, change):
    """Put one change into a state of dicts; lists are looked at whole by whoever asks."""
    *way, last = change.path
    for key in way:
        state = state[key]
    if change.after is msgspec.UNSET:
        del state[last]
    else:
        state[last] = change.after


@given(st.dictionaries(st.sampled_from("abcd"), STATES), st.data())
def test_nothing_has_changed_in_what_is_the_same(state, data):
    assert found(state, copy.deepcopy(state)) == ()


@given(STATES, STATES)
def test_two_states_that_differ_differ_somewhere(before, after):
    assert bool(found(before, after)) == (before != after)


DICTS = st.recursive(
    LEAVES, lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=4)
)


@given(
    st.dictionaries(st.sampled_from("abcd"), DICTS), st.dictionaries(st.sampled_from("abcd"), DICTS)
)
def test_the_changes_of_named_fields_make_the_new_state_of_the_old(before, after):
    state = copy.deepcopy(before)

    for change in found(before, after):
        put(state, change)

    assert state == after


def test_only_the_field_that_differs_is_told_however_deep_it_is():
    before = {
        "latch": {"epoch": 0, "halt": None},
        "orders": [{"key": "a", "filled": 1}, {"key": 2}],
    }
    after = {"latch": {"epoch": 1, "halt": None}, "orders": [{"key": "a", "filled": 2}, {"key": 2}]}

    assert found(before, after) == (
        Change(path=("latch", "epoch"), before=0, after=1),
        Change(path=("orders", 0, "filled"), before=1, after=2),
    )


def test_what_is_new_has_no_before_and_what_is_gone_no_after():
    assert found({1: "x", "b": None}, {"b": None, "c": 3}) == (
        Change(path=("1",), before="x"),
        Change(path=("c",), after=3),
    )
    assert msgspec.json.encode(Change(path=("c",), after=3)) == b'{"path":["c"],"after":3}'


def test_a_window_that_moved_on_lost_its_first_and_gained_a_last():
    before, after = list(range(100)), list(range(1, 101))

    assert found({"bars": before}, {"bars": after}) == (
        Change(path=("bars", 0), before=0),
        Change(path=("bars", 99), after=100),
    )


def test_an_element_put_between_others_moves_none_of_them():
    before = {"rows": [{"conid": 1}, {"conid": 3}]}
    after = {"rows": [{"conid": 1}, {"conid": 2}, {"conid": 3}]}

    assert found(before, after) == (Change(path=("rows", 1), after={"conid": 2}),)


def test_a_list_too_long_to_be_matched_is_compared_place_by_place():
    count = MATCHED_MAX + 1

    moved = found(list(range(count)), list(range(1, count + 1)))

    assert moved == tuple(Change(path=(at,), before=at, after=at + 1) for at in range(count))


def test_of_a_column_only_the_numbers_that_differ_are_told():
    before, after = packed([1.5, math.nan, math.nan, 4.0]), packed([1.5, math.nan, 3.0, 5.0])

    (change,) = found({"table": {"bid_usd": before}}, {"table": {"bid_usd": after}})

    assert change.path == ("table", "bid_usd")
    assert (change.at, change.among) == ([2, 3], 4)
    assert math.isnan(change.before[0])
    assert (change.before[1:], change.after) == ([4.0], [3.0, 5.0])


def test_a_number_of_a_grid_is_told_by_line_and_column():
    (change,) = found(packed([[1, 2], [3, 4]], "<i8"), packed([[1, 2], [9, 4]], "<i8"))

    assert (change.at, change.among) == ([[1, 0]], 4)
    assert (change.before, change.after) == ([3], [9])


def test_a_column_that_became_longer_stands_there_whole():
    (change,) = found({"linked": packed([True], "|b1")}, {"linked": packed([True, False], "|b1")})

    assert change == Change(path=("linked",), before=[True], after=[True, False])


def test_the_rows_of_a_view_are_told_by_the_names_of_their_columns():
    before, after = view(iv_annual=[0.18, 0.2, 0.3]), view(iv_annual=[0.18, 0.21, 0.3])

    assert found({"view": before}, {"view": after}) == (
        Change(path=("view", "columns", "iv_annual"), before=[0.2], after=[0.21], at=[1], among=3),
    )


def test_so_are_columns_that_have_names():
    before = {"columns": {"conid": np.array([1, 2], "<i8").tobytes()}}
    after = {"columns": {"conid": np.array([1, 3], "<i8").tobytes()}}

    assert found(before, after) == (
        Change(path=("columns", "conid"), before=[2], after=[3], at=[1], among=2),
    )


@pytest.mark.parametrize("before", [b"abc", b"", None])
def test_other_bytes_are_told_whole(before):
    assert found({"raw": before}, {"raw": b"abd"}) == (
        Change(path=("raw",), before=before, after=b"abd"),
    )


def test_what_is_unknown_and_stays_so_has_not_changed():
    assert found({"iv": float("nan")}, {"iv": float("nan")}) == ()
    assert len(found({"iv": float("nan")}, {"iv": 0.2})) == 1
