"""What every test may ask for."""

import os

import pytest
from hypothesis import settings

import thetawarden  # noqa: F401  # chooses what numpy computes with, before it is imported

# A slow machine is not a failure; on a build machine the same examples are tried every time.
settings.register_profile("ours", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "ours")


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real market data, which lies beside the checkout when it is there."""
    from bench.market_study.real import data_folder  # noqa: PLC0415  # few tests ask for it

    folder = data_folder()
    if folder is None:
        pytest.skip("no market data in THETAWARDEN_MARKET_DATA, or in ../shared/data")
    return folder
