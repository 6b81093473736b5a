"""Readings taken now."""

import pytest

from thetawarden.domain.regime.readings import Reading

NOW_NS = 1_790_000_000_000_000_000


@pytest.fixture(scope="session")
def now_ns():
    return NOW_NS


@pytest.fixture(scope="session")
def fresh():
    return lambda value: Reading(value=value, at_ns=NOW_NS)
