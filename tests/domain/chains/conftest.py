"""Chains of a known law, European and American, quoted and fitted."""

import pytest

from bench.watched import World


@pytest.fixture(scope="session")
def worlds():
    return {"european": World("SPX"), "american": World("SPY")}


@pytest.fixture(params=["european", "american"])
def world(request, worlds):
    return worlds[request.param]


@pytest.fixture
def board(world):
    return world.board()
