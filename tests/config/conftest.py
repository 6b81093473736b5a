"""What the tests of the configuration share."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def as_nobody():
    """A folder of an ordinary user, and that user's rights: root may write anywhere."""
    folder = Path(tempfile.mkdtemp())
    if os.geteuid() != 0:
        yield folder
    else:
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(0)
    folder.chmod(0o700)
    shutil.rmtree(folder)
