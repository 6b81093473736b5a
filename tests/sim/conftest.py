"""What the tests of replay share: a desk recorded once."""

import pytest

from tests.sim.recording import halts_and_resumes, record
from thetawarden.config.schema import Config
from thetawarden.supervisor import desk_tree


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log")
    tree = desk_tree(Config())
    record(folder, tree, halts_and_resumes, snapshot_every=10, next_day=halts_and_resumes)
    return folder, tree
