"""What people who are away from the machine may ask of a desk that runs: by Telegram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from thetawarden.config.alerts import TELEGRAM_TOKEN

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Mapping

    from thetawarden.config.schema import Config
    from thetawarden.config.secrets import Secret
    from thetawarden.operating import Operator


def require_token(config: Config, secrets: Mapping[str, Secret]) -> None:
    """Refuse to start deaf: commands are wanted and there is no token to hear them with."""
    if config.alerts.telegram.commands and TELEGRAM_TOKEN not in secrets:
        variable = f"THETAWARDEN_SECRET_{TELEGRAM_TOKEN.upper()}"
        raise click.UsageError(
            "alerts.telegram.commands is on and there is no token;"
            f" allowed: with the secret {TELEGRAM_TOKEN}. Set {variable} or turn it off"
        )


def take_commands(
    config: Config,
    operator: Operator,
    secrets: Mapping[str, Secret],
    undo: contextlib.ExitStack,
) -> None:
    """Listen to the people on the list until `undo` is run, where that is wanted."""
    telegram = config.alerts.telegram
    if not telegram.commands:
        return
    from thetawarden.infra.alerts.telegram import TelegramCommands  # noqa: PLC0415  # only here

    commands = TelegramCommands(
        operator,
        token=secrets[TELEGRAM_TOKEN],
        allowed_ids=telegram.allowed_ids,
        positions=lambda: position_lines(operator.inspect("keeper").actor_state),
        api=telegram.api,
        poll_s=telegram.poll_s,
    )
    commands.start()
    undo.callback(commands.stop)


def position_lines(state: Any) -> str:
    """Every position in a line of its own, and first how far they can be relied on."""
    from thetawarden.cli.positions import views_of, words_of  # noqa: PLC0415  # only here

    lines = [words_of(state)]
    for one in views_of(state):
        mark = "?" if one.mark_usd is None else f"{one.mark_usd:,.2f}"
        opened = "?" if one.unrealised_usd is None else f"{one.unrealised_usd:+,.0f}"
        lines.append(f"{one.quantity:g} {one.contract} at {mark}, open {opened} USD")
    return "\n".join(lines)
