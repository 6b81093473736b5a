"""What `run` starts beside the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import contextlib

    from thetawarden.cli.place import Place
    from thetawarden.infra.gateway_process import GatewayProcess
    from thetawarden.process import DeskProcess


def open_guarded(
    process: DeskProcess,
    place: Place,
    gateway: GatewayProcess | None,
    undo: contextlib.ExitStack,
) -> None:
    """Open the desk and have a guardian watch it until it is closed, unless that is not wanted."""
    config = process.config
    if not config.guardian.enabled:
        undo.callback(process.close)
        process.open()
        return
    from thetawarden.infra.guardian_process import GuardianProcess  # noqa: PLC0415  # only here

    options = ["--data-dir", str(place.data)]
    options += ["guardian", "--as-the-desk"]
    if gateway is not None:
        options += ["--gateway-port", str(gateway.port)]
    elif config.practice.port:
        options += ["--gateway-port", str(config.practice.port)]
    guardian = GuardianProcess(
        options, told=msgspec.json.encode(config), lifeline=lambda: _lifeline(gateway)
    )
    undo.callback(lambda: guardian.let_go() if process.exit_code else guardian.stop())
    undo.callback(process.close)
    process.open()
    guardian.start()


def _lifeline(gateway: GatewayProcess | None) -> int | None:
    return None if gateway is None else gateway.lifeline
