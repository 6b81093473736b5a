"""`thetawarden guardian`: the process beside the desk; started by `run`, seldom by hand."""

from __future__ import annotations

import io
import signal
import sys
from typing import TYPE_CHECKING

import click
import msgspec

from thetawarden.cli.place import Place, on_place
from thetawarden.config.alerts import alert_rules
from thetawarden.config.places import store_folder
from thetawarden.config.schema import Config, Mode
from thetawarden.domain.alerts.matters import Urgency
from thetawarden.errors import EXIT_DONE, UnreachableError

if TYPE_CHECKING:
    from pathlib import Path

    from thetawarden.infra.alerts.adapter import Sender
    from thetawarden.infra.heartbeat import Beat
    from thetawarden.infra.ib.canceller import Gateway

LOGS = "guardian-logs"


@click.command()
@click.option("--mode", help="Whose desk: practice, paper or live.")
@click.option("--gateway-port", type=int, help="Practice: where the gateway is.")
@click.option("--lifeline", type=int, hidden=True, help="A file that keeps the gateway alive.")
@click.option("--as-the-desk", is_flag=True, hidden=True, help="Configuration on standard input.")
@on_place
def guardian(
    *,
    place: Place,
    mode: str | None,
    gateway_port: int | None,
    lifeline: int | None,
    as_the_desk: bool,
) -> int:
    """Guard the desk that runs on this store: halt, cancel its entries and page when it is silent.

    It ends when the desk ends in good order. `run` starts one by itself.
    """
    from thetawarden.infra.guardian import Guardian, Orders  # noqa: PLC0415  # heavy
    from thetawarden.infra.logs import start_logs  # noqa: PLC0415

    config = _of_the_desk() if as_the_desk else place.load({"mode": mode} if mode else {}).config
    store = store_folder(place.data, mode=config.mode, account=config.broker.account)
    channels = _channels(place, config)
    beat = _first_beat(store)
    orders = Orders(
        run=beat.run,
        pid=beat.pid,
        heartbeat=store / "heartbeat",
        flag=store / "halt",
        gateway=_gateway(config, gateway_port),
        silence_s=config.guardian.silence_s,
        act_within_s=config.guardian.act_within_s,
        may_kill=config.guardian.may_kill,
    )
    with start_logs(
        msgspec.structs.replace(config.logs, file=True), stream=io.StringIO(), folder=store / LOGS
    ):
        guard = Guardian(orders, channels, lifeline=lifeline)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: guard.stop())
        guard.watch()
    return EXIT_DONE


def _of_the_desk() -> Config:
    """What the desk itself goes by: its file may say something else, or nonsense, by now."""
    return msgspec.json.decode(sys.stdin.buffer.read(), type=Config)


def _channels(place: Place, config: Config) -> dict[str, Sender]:
    """Those for what is critical; opened before they are needed, so that they are there."""
    secrets = place.secrets()
    names = alert_rules(config.alerts, speed=1.0).channels(Urgency.CRITICAL)
    if not names:
        return {}
    from thetawarden.infra.alerts.channels import open_channels  # noqa: PLC0415  # heavy

    return dict(open_channels(names, secrets=secrets, timeout_s=config.alerts.timeout_s))


def _first_beat(store: Path) -> Beat:
    from thetawarden.infra.heartbeat import read_beat  # noqa: PLC0415

    beat = read_beat(store / "heartbeat")
    if beat is None or beat.ended:
        raise UnreachableError(f"no desk runs on {store}; start one first: `thetawarden run`")
    return beat


def _gateway(config: Config, port: int | None) -> Gateway | None:
    from thetawarden.infra.ib.canceller import Gateway  # noqa: PLC0415  # heavy

    practice = config.mode is Mode.PRACTICE
    at = (port or config.practice.port) if practice else config.broker.port
    if not at:
        return None
    return Gateway(
        host="127.0.0.1" if practice else config.broker.host,
        port=at,
        desk_client_id=config.broker.client_id,
        own_client_id=config.guardian.client_id,
    )
