"""`thetawarden config show|check`."""

from __future__ import annotations

import click

from thetawarden.cli.place import Place, as_json, on_place, print_json
from thetawarden.config.reference import written


@click.group()
def config() -> None:
    """Show or check the configuration."""


@config.command()
@as_json
@on_place
def show(*, place: Place, as_json: bool) -> None:
    """Show every key in effect and where its value comes from."""
    loaded = place.load()
    if as_json:
        print_json(
            {
                path: {"value": written(origin.value), "source": origin.source}
                for path, origin in loaded.origins.items()
            }
        )
        return
    from thetawarden.cli.tables import plain_table, print_table  # noqa: PLC0415  # rich is slow

    rows = [(path, written(each.value), each.source) for path, each in loaded.origins.items()]
    title = f"Configuration {loaded.fingerprint} from {loaded.file or 'defaults'}"
    print_table(plain_table(title, ("key", "value", "from"), rows))


@config.command()
@on_place
def check(*, place: Place) -> None:
    """Check the configuration and the secrets file; exits 2 with one line a fault."""
    loaded = place.load()
    secrets = place.secrets()
    click.echo(f"configuration is sound (fingerprint {loaded.fingerprint}, {len(secrets)} secrets)")
