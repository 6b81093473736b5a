"""A book is measured anew whenever anything that counts in it has changed."""

import math

import pytest

from thetawarden.domain.governing.stock import _alike
from thetawarden.domain.portfolio.book import PositionKind
from thetawarden.domain.risk.holdings import Holding
from thetawarden.domain.risk.instrument import ConId, Instrument

SHARES = Instrument(con_id=ConId(1), underlying="SPY", kind=PositionKind.LINEAR, multiplier=1.0)


def held(margin, contracts=1.0):
    return (Holding(instrument=SHARES, contracts=contracts, position="p", margin_usd=margin),)


@pytest.mark.parametrize(
    ("before", "now", "alike"),
    [
        (held(1.0), held(1.0), True),
        (held(math.nan), held(math.nan), True),
        (held(1.0), held(math.nan), False),
        (held(math.nan), held(1.0), False),
        (held(1.0), held(2.0), False),
        (held(1.0), held(1.0, contracts=2.0), False),
    ],
)
def test_a_margin_that_has_become_known_or_unknown_is_another_book(before, now, alike):
    assert _alike(before, now) is alike
