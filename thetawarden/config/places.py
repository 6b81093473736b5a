"""Where a user's things are: the data folder, and the files in it by name.

Decides names only, and once, at start, that the folder is ours and can be written. One store for
each mode and account, so that practice can never touch what live wrote.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from thetawarden.config.problems import ConfigError, Problem, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from thetawarden.config.schema import Mode

HOME_VARIABLE = "THETAWARDEN_HOME"
CONFIG_NAME = "thetawarden.yaml"
SECRETS_NAME = "secrets.yaml"


def data_folder(*, flag: str | None, environment: Mapping[str, str]) -> Path:
    """The data folder: the flag's, else $THETAWARDEN_HOME, else the platform's."""
    named = flag or environment.get(HOME_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    import platformdirs  # noqa: PLC0415 -- most starts name a folder

    return platformdirs.user_data_path("thetawarden", appauthor=False)


def config_file(data: Path) -> Path:
    """The configuration that is read when none is named."""
    return data / CONFIG_NAME


def secrets_file(data: Path) -> Path:
    """The file secrets may stand in."""
    return data / SECRETS_NAME


def store_folder(data: Path, *, mode: Mode, account: str) -> Path:
    """The folder of one mode and account."""
    return data / (f"{mode}-{account}" if account else str(mode))


def prepare_folder(folder: Path) -> Path:
    """Make a folder only we may enter, or raise ConfigError when it cannot be ours to write."""
    import tempfile  # noqa: PLC0415 -- only who runs a desk pays for it

    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except (OSError, ValueError) as error:
        raise _unusable(folder, "a folder that cannot be made", error) from None
    if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise _unusable(folder, "a folder that others may write to", None)
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise _unusable(folder, "a folder that cannot be written", error) from None
    return folder


def _unusable(folder: Path, found: str, error: Exception | None) -> ConfigError:
    reason = f" ({one_line(getattr(error, 'strerror', None) or str(error))})" if error else ""
    place = one_line(str(folder), 400)
    return ConfigError(
        [
            Problem(
                where=place,
                path="",
                found=found + reason,
                allowed="a folder of this user that only this user writes to",
                remedy=f"mend it (chown, chmod 700 {place}) or name another with --data-dir",
            )
        ]
    )
