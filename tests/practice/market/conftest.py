"""Markets for tests: one made once for reading, a maker for those who move time."""

import datetime as dt

import pytest

from thetawarden.domain.instants import new_york_ns
from thetawarden.practice.market import PracticeMarket, Terms

START_NS = new_york_ns(dt.date(2026, 9, 14), dt.time(10))


@pytest.fixture(scope="session")
def still():
    """A market nobody moves."""
    return PracticeMarket(Terms(seed=7, start_ns=START_NS))


@pytest.fixture(scope="session")
def new_market():
    def make(*, seed=7, start_ns=START_NS, **more):
        return PracticeMarket(Terms(seed=seed, start_ns=start_ns, **more))

    return make


@pytest.fixture
def make_market(new_market):
    return new_market
