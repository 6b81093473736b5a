"""Where the lake is: a folder of the store, or an object store's URL with its options.

Secrets never stand in the configuration: every secret named `lake_...` is handed to the store as
the option of that name without `lake_`, such as `lake_aws_secret_access_key`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
from typing_extensions import override

from thetawarden.config.secrets import Secret, names_a_secret
from thetawarden.infra.lake.errors import LakePlaceError

FOLDER = "lake"
_OWN_WAY = {"max_retries", "retry_timeout", "file_cache_ttl"}
SECRET_PREFIX = "lake_"  # noqa: S105  # a prefix of names, no secret


class LakePlace(msgspec.Struct, frozen=True):
    """The root of all tables and what storage needs to be told; shown without its options."""

    root: str
    options: dict[str, str] = msgspec.field(default_factory=dict)

    @override
    def __repr__(self) -> str:
        """Without the options: secrets are among them."""
        return f"LakePlace({self.root!r})"

    @property
    def folder(self) -> Path | None:
        """The folder, when it is one of this machine's."""
        return None if "://" in self.root else Path(self.root)

    @property
    def writing(self) -> dict[str, str] | None:
        """What the table's library is told."""
        return self.options or None

    @property
    def reading(self) -> dict[str, str] | None:
        """What the scanning library is told: it knows the same names, retries it counts itself."""
        return {name: it for name, it in self.options.items() if name not in _OWN_WAY} or None

    def table(self, name: str) -> str:
        """Where a table is."""
        return f"{self.root.rstrip('/')}/{name}"


def lake_place(
    *, url: str, options: tuple[str, ...], store: Path, secrets: Mapping[str, Secret]
) -> LakePlace:
    """The lake of one store; in an object store each mode and account has its own place too."""
    if not url:
        return LakePlace(str(store / FOLDER))
    found: dict[str, str] = {}
    for option in options:
        name, _, value = option.partition("=")
        if names_a_secret(name):
            raise LakePlaceError(
                f"lake.options: found {name}, which names a secret; allowed: plain options."
                f" Give it as the secret {SECRET_PREFIX}{name.lower()}"
            )
        found[name.lower()] = value
    for name, secret in secrets.items():
        if name.startswith(SECRET_PREFIX):
            found[name.removeprefix(SECRET_PREFIX)] = secret.reveal()
    if "://" not in url:
        return LakePlace(str(Path(url).expanduser().absolute() / store.name), found)
    return LakePlace(f"{url.rstrip('/')}/{store.name}", found)
