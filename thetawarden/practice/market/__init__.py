"""A seeded market: spots, one implied surface per underlying, listings, quotes and history.

Everything is a pure function of (seed, scenario, start, levers pulled so far, instant). Nothing is
stepped, so no way of cutting time can change the path. Log returns, fractions and years are floats;
instants are UTC nanoseconds; a `row` is the position of a day in New York's table of sessions.
"""

from thetawarden.practice.market.closes_file import BadPathFileError
from thetawarden.practice.market.market import PracticeMarket
from thetawarden.practice.market.parts import Terms
from thetawarden.practice.market.scenario import SCENARIOS, ScenarioName

__all__ = ["SCENARIOS", "BadPathFileError", "PracticeMarket", "ScenarioName", "Terms"]
