"""What a chain's view says of what is held: believed mids, our own deltas, nothing of the rest."""

from decimal import Decimal

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.books.accounts import T0
from thetawarden.domain.books.marks import viewed_marks, viewed_spot
from thetawarden.domain.books.rows import Mark
from thetawarden.domain.chains.view import ROW_TYPES, ChainSummary, ChainView, pack_rows, read_rows

NAN = float("nan")


def view(*rows, spot=500.25, spot_doubt=""):
    """A view of rows (conid, bid, ask, delta, doubt)."""
    columns = {name: np.zeros(len(rows)) for name in ROW_TYPES}
    names = ("conid", "bid_usd", "ask_usd", "delta_per_share", "doubt")
    for name, values in zip(names, zip(*rows, strict=True), strict=False):
        columns[name] = np.array(values)
    columns["at_ns"] = np.full(len(rows), T0)
    return ChainView(
        underlying="SPY",
        number=1,
        at_ns=T0,
        epoch=1,
        spot_usd=spot,
        spot_at_ns=T0,
        spot_doubt=spot_doubt,
        fitted_ns=T0,
        series=(),
        summary=ChainSummary(rows=len(rows), usable=0, doubts=()),
        columns=pack_rows(columns),
    )


def read_columns(seen):
    """The columns of a view as arrays."""
    rows = read_rows(seen)
    return {name: getattr(rows, name) for name in ROW_TYPES}


def known(price, delta=None):
    return Mark(mark_usd=Decimal(price), at_ns=1, delta_per_share=delta)


def test_a_held_option_is_marked_at_the_middle_of_a_believed_quote():
    seen = view((2, 1.10, 1.20, -0.3, 0), (3, 9.0, 9.5, -0.9, 0))

    marks = viewed_marks(seen, [2], {2: known("1")})

    assert set(marks) == {2}
    assert (marks[2].mark_usd, marks[2].at_ns) == (Decimal("1.15"), T0)
    assert abs(marks[2].delta_per_share + 0.3) < 1e-6


def test_all_greeks_of_a_view_are_kept_and_those_it_does_not_know_stay():
    seen = view((2, 1.10, 1.20, -0.3, 0))
    before = msgspec.structs.replace(known("1"), gamma_per_usd=0.01, theta_usd_per_day=-0.05)
    columns = {name: np.array(column) for name, column in read_columns(seen).items()}
    columns["gamma_per_usd"], columns["theta_usd_per_day"] = np.array([0.02]), np.array([NAN])

    marks = viewed_marks(
        msgspec.structs.replace(seen, columns=pack_rows(columns)), [2], {2: before}
    )

    assert marks[2].gamma_per_usd == pytest.approx(0.02)
    assert marks[2].theta_usd_per_day == -0.05


def test_a_doubted_quote_leaves_the_mark_and_its_age_but_not_the_delta():
    marks = viewed_marks(view((2, 1.1, 9.0, -0.4, 1)), [2], {2: known("1.05", -0.2)})

    assert (marks[2].mark_usd, marks[2].at_ns) == (Decimal("1.05"), 1)
    assert abs(marks[2].delta_per_share + 0.4) < 1e-6


def test_what_nobody_knows_is_not_made_up():
    assert viewed_marks(view((2, 1.1, 9.0, NAN, 1)), [2], {}) == {}
    kept = viewed_marks(view((2, 1.1, 1.2, NAN, 0)), [2], {2: known("1", -0.2)})
    assert kept[2].delta_per_share == -0.2


def test_a_doubted_spot_is_unknown():
    assert viewed_spot(view((2, 1.1, 1.2, 0.1, 0))) == Decimal("500.25")
    assert viewed_spot(view((2, 1.1, 1.2, 0.1, 0), spot_doubt="stale")) is None
    assert viewed_spot(view((2, 1.1, 1.2, 0.1, 0), spot=None)) is None


@given(st.floats(0.01, 5000), st.floats(0, 50))
def test_a_mark_lies_between_the_sides(bid, width):
    (mark,) = viewed_marks(view((2, bid, bid + width, 0.1, 0)), [2], {}).values()

    assert bid - 1e-6 <= float(mark.mark_usd) <= bid + width + 1e-6
