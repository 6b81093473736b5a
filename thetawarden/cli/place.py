"""Which data folder, configuration and store a verb works on; `--json` or a table for eyes.

Every call of the command line loads this, so it imports nothing before it is needed.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from thetawarden.errors import EXIT_UNREACHABLE, ThetawardenError

if TYPE_CHECKING:
    from thetawarden.config.loader import Loaded
    from thetawarden.config.secrets import Secret
    from thetawarden.infra.control.client import ControlClient
    from thetawarden.messages.control import Inspection


@dataclasses.dataclass(frozen=True, kw_only=True)
class Place:
    """What was said on the command line of where things are."""

    data_dir: Path | None = None
    config_file: Path | None = None

    @property
    def data(self) -> Path:
        """The data folder in effect."""
        from thetawarden.config.places import data_folder  # noqa: PLC0415

        flag = None if self.data_dir is None else str(self.data_dir)
        return data_folder(flag=flag, environment=os.environ)

    def load(self, flags: dict[str, str] | None = None) -> Loaded:
        """The configuration in effect; raises ConfigError."""
        from thetawarden.config.loader import load_config  # noqa: PLC0415
        from thetawarden.config.places import config_file  # noqa: PLC0415
        from thetawarden.config.practising import practised  # noqa: PLC0415

        loaded = load_config(
            named_file=self.config_file,
            default_file=config_file(self.data),
            environment=os.environ,
            flags=flags or {},
        )
        return practised(loaded)

    def desk(self) -> ControlClient:
        """Who to ask about the desk of the mode and account in effect."""
        from thetawarden.config.places import store_folder  # noqa: PLC0415
        from thetawarden.infra.control.client import ControlClient  # noqa: PLC0415

        config = self.load().config
        store = store_folder(self.data, mode=config.mode, account=config.broker.account)
        return ControlClient(store, timeout_s=config.control.request_timeout_s)

    def store(self, flags: dict[str, str] | None = None) -> Path:
        """The folder of the mode and account in effect."""
        from thetawarden.config.places import store_folder  # noqa: PLC0415

        config = self.load(flags).config
        return store_folder(self.data, mode=config.mode, account=config.broker.account)

    def secrets(self) -> dict[str, Secret]:
        """Every secret by name; reading one makes the logs redact it. Raises ConfigError."""
        from thetawarden.config.places import secrets_file  # noqa: PLC0415
        from thetawarden.config.secrets import read_secrets  # noqa: PLC0415

        return read_secrets(file=secrets_file(self.data), environment=os.environ)


class SilentActorError(ThetawardenError):
    """The desk has no such actor, or it does not answer. The person looks again later."""

    exit_code = EXIT_UNREACHABLE

    def __init__(self, actor: str) -> None:
        super().__init__(
            f"{actor} does not answer, so that what it knows is unknown; ask again in"
            " a moment, or look at `thetawarden inspect`"
        )


class Shows(Protocol):
    """Shows what an actor knows; raises ThetawardenError when no desk answers."""

    def inspect(self, name: str | None = None) -> Inspection:
        """All actors, or one with its state."""
        ...


def state_of(desk: Shows, actor: str) -> Any:
    """Return an actor's state; raises SilentActorError: what is unknown is never shown as empty."""
    import msgspec  # noqa: PLC0415

    state = desk.inspect(actor).actor_state
    if state is None or state is msgspec.UNSET:
        raise SilentActorError(actor)
    return state


Verb = Callable[..., Any]


def on_place(verb: Verb) -> Verb:
    """Give a verb `--data-dir`, `--config` and a `place` that knows both."""

    @click.option("--data-dir", type=click.Path(path_type=Path), help="The desk's data folder.")
    @click.option("--config", type=click.Path(path_type=Path), help="The configuration file.")
    @click.pass_context
    @functools.wraps(verb)
    def with_place(
        ctx: click.Context, /, data_dir: Path | None, config: Path | None, **values: Any
    ) -> Any:
        outer: Place = ctx.find_object(Place) or Place()
        place = Place(data_dir=data_dir or outer.data_dir, config_file=config or outer.config_file)
        return verb(place=place, **values)

    return with_place


as_json = click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")


def print_json(value: Any) -> None:
    """Print one JSON document."""
    import msgspec  # noqa: PLC0415

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_json_line(value: Any) -> None:
    """Print one line of a JSON stream."""
    import msgspec  # noqa: PLC0415

    click.echo(msgspec.json.encode(value).decode())


def watched() -> bool:
    """Whether somebody sees progress on standard error."""
    return sys.stderr is not None and sys.stderr.isatty()
