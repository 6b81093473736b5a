"""The guardian pages by whatever channel there is."""

from types import SimpleNamespace

import msgspec
import pytest

from thetawarden.cli.guardian import _channels
from thetawarden.config.alerts import AlertsConfig
from thetawarden.config.schema import Config
from thetawarden.config.secrets import Secret

PLACE = SimpleNamespace(
    secrets=lambda: {f"alert_{name}": Secret("json://127.0.0.1:9") for name in ("mail", "sms")}
)


@pytest.mark.parametrize(
    ("alerts", "channels"),
    [
        (AlertsConfig(high=("mail",), critical=("sms",)), ["sms"]),
        (AlertsConfig(high=("mail",)), ["mail"]),
        (AlertsConfig(), []),
    ],
)
def test_the_guardian_pages_by_any_channel_when_none_is_named_for_the_worst(alerts, channels):
    config = msgspec.structs.replace(Config(), alerts=alerts)

    assert list(_channels(PLACE, config)) == channels
