"""What every test may ask for."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A slow machine is not a failure; on a build machine the same examples are tried every time.
settings.register_profile("ours", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "ours")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real market data, which lies beside the checkout when it is there."""
    for folder in (ROOT / "../shared/data", ROOT / "../../shared/data"):
        if folder.is_dir():
            return folder.resolve()
    pytest.skip("no real market data beside the checkout (../shared/data)")
