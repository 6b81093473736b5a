"""Shells to type commands into."""

import contextlib

import pytest

from tests.cli.shell import Shell


@pytest.fixture
def shell(tmp_path):
    with contextlib.closing(Shell(tmp_path / "data")) as each:
        yield each


@pytest.fixture(scope="session")
def desk(tmp_path_factory):
    """A shell with a desk running, for tests that leave it as they found it."""
    with contextlib.closing(Shell(tmp_path_factory.mktemp("desk") / "data")) as each:
        each.process = each.start()
        yield each


@pytest.fixture(scope="session")
def past(tmp_path_factory):
    """A shell with the log of a desk that halted, was resumed and ended."""
    with contextlib.closing(Shell(tmp_path_factory.mktemp("past") / "data")) as each:
        process = each.start()
        assert each("halt", "--reason", "the test says so").code == 0
        assert each("resume", "--reason", "it was a test").code == 0
        assert each.end(process)[0] == 0
        yield each
