import re

import numpy as np
import pytest

from bench.pricing_errors import DAYS, DOCUMENT, VOLS, draw, reference
from thetawarden.domain.pricing.american import FINE, SWIFT

ROW = re.compile(r"^\| (\d+) to (\d+) \| (\d+)% to (\d+)% \| (\S+) \| (\S+) \|", re.MULTILINE)


@pytest.fixture(scope="module")
def documented():
    """The price bounds of each row: by days and percent, for SWIFT and for FINE."""
    rows = ROW.findall(DOCUMENT.read_text())
    return {
        tuple(int(number) for number in row[:4]): tuple(float(bound) for bound in row[4:])
        for row in rows
    }


@pytest.mark.parametrize("days", DAYS)
def test_the_documented_error_bounds_hold_for_options_never_seen(documented, days):
    for vols in VOLS:
        options = draw(days, vols, size=60, seed=97)
        exact = reference(options)
        key = (*days, *(round(100.0 * vol) for vol in vols))

        swift_bound, fine_bound = documented[key]

        assert np.abs(options.prices(SWIFT) - exact).max() <= swift_bound
        assert np.abs(options.prices(FINE) - exact).max() <= fine_bound
