"""A world for each test."""

import pytest

from tests.console.world import FakeWorld
from thetawarden.console import actor_screen, app
from thetawarden.console.pane import Pane


@pytest.fixture(autouse=True)
def _hurried(monkeypatch):
    """Look twenty times a second, so that no test waits for the next look."""
    monkeypatch.setattr(app, "STATUS_EVERY_S", 0.05)
    monkeypatch.setattr(actor_screen, "EVERY_S", 0.05)
    monkeypatch.setattr(Pane, "every_s", 0.05)


@pytest.fixture
def there():
    return FakeWorld()
