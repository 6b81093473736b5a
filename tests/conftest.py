"""What every test may ask for."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real market data, which lies beside the checkout when it is there."""
    for folder in (ROOT / "../shared/data", ROOT / "../../shared/data"):
        if folder.is_dir():
            return folder.resolve()
    pytest.skip("no real market data beside the checkout (../shared/data)")
