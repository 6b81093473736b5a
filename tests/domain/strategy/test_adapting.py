"""What was staged, at the open: the same strikes, near ones as far out, or none with the reason."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from tests.domain.strategy.scenes import changed, scene_of, settings, terms_of, view_of
from thetawarden.domain.chains.view import read_rows
from thetawarden.domain.strategy import condors, index_puts, put_spreads
from thetawarden.domain.strategy.adapting import adapt
from thetawarden.domain.strategy.candidate import Candidate
from thetawarden.domain.strategy.catalog import look

NARROW = {"width_points_min": 10.0, "width_points_max": 60.0}
KINDS = {one.STRATEGY.name: one.STRATEGY for one in (index_puts, put_spreads, condors)}
TERMS = {name: terms_of(name, underlyings=("SPX",), **NARROW) for name in KINDS}
CHOSEN = settings(terms=TERMS)


def staged(name, number=1):
    found = look(scene_of(), CHOSEN).candidates
    return [one for one in found if one.strategy == name and one.passes][number]


def adapted(one, view, **changes):
    terms = msgspec.structs.replace(TERMS[one.strategy], **changes)
    shape = KINDS[one.strategy].shape
    return adapt(one, scene_of(view), shape=shape, terms=terms, settings=CHOSEN)


def moved(fraction):
    """The chain after the spot moved: strikes shifted, so that each row is as far out as before."""
    return msgspec.structs.replace(view_of(), spot_usd=view_of().spot_usd * (1 + fraction))


@pytest.mark.parametrize("name", KINDS)
def test_in_an_unmoved_market_what_was_staged_is_entered_as_it_is(name):
    one = staged(name)

    assert adapted(one, view_of()).conids == one.conids


def test_a_strike_that_no_longer_fits_gives_way_to_one_as_far_out():
    one = staged("index_puts")
    row = int(np.flatnonzero(read_rows(view_of()).conid == one.conids[0])[0])
    cheap = changed(view_of(), bid_usd={row: 0.01}, ask_usd={row: 0.012})

    found = adapted(one, cheap)

    assert isinstance(found, str)
    assert "credit" in found
    below = changed(moved(-0.0016), bid_usd={row: 0.01}, ask_usd={row: 0.012})
    instead = adapted(one, below)
    strike = instead.legs[0].instrument.strike
    assert strike < one.legs[0].instrument.strike
    assert instead.otm_fraction == pytest.approx(one.otm_fraction, abs=0.002)


@hypothesis(max_examples=40)
@given(fraction=st.floats(-0.08, 0.08), name=st.sampled_from(sorted(KINDS)))
def test_whatever_the_open_brings_what_is_entered_meets_every_criterion_near_by(fraction, name):
    one = staged(name)
    found = adapted(one, moved(fraction))

    if isinstance(found, str):
        assert found
        return
    assert isinstance(found, Candidate)
    assert found.passes
    rows = read_rows(view_of())
    for before, after in zip(one.shorts, found.shorts, strict=True):
        assert before.instrument.expiry == after.instrument.expiry
        strikes = sorted(float(leg.instrument.strike) for leg in (before, after))
        call = before.instrument.right == "C"
        series = rows.series[rows.conid == before.instrument.conid][0]
        listed = rows.strike_usd[(rows.series == series) & (rows.is_call == call)]
        assert ((listed > strikes[0]) & (listed < strikes[1])).sum() < 3


def test_too_far_a_move_or_an_expiry_gone_cancels_with_the_reason():
    one = staged("index_puts")
    gone = msgspec.structs.replace(view_of(), series=view_of().series[:1] + view_of().series[2:])
    rows = read_rows(view_of())
    gone = changed(gone, series=np.where(rows.series > 1, rows.series - 1, 0))

    assert "strikes away, at most 3" in adapted(one, moved(-0.06))
    assert "not watched" in adapted(one, gone)
