"""Years of sessions, a crash included: nothing for nothing, no price that is none."""

import pytest

from bench.figures.practice_market import count_violations
from tests.campaigns import TIMES


@pytest.mark.parametrize("scenario", ["normal", "crash-2020-like"])
def test_no_session_shows_a_free_lunch_or_a_senseless_price(scenario):
    assert count_violations(sessions=168 * TIMES, every=46, scenario=scenario) == 0.0
