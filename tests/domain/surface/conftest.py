"""Where the real chains are, and chains made from a known law."""

from pathlib import Path

import pytest

from bench.chains import read_chain

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def shared_data():
    for folder in (ROOT / "../shared/data", ROOT / "../../shared/data"):
        if folder.is_dir():
            return folder.resolve()
    return pytest.skip("the real market data (../shared/data) is not beside this checkout")


@pytest.fixture(scope="session")
def real_chain(shared_data):
    return read_chain(shared_data / "option_chains" / "spx_20230207.csv.gz")


@pytest.fixture(scope="session")
def dead_chain(shared_data):
    return read_chain(shared_data / "option_chains" / "spx_20221212.csv.gz")
