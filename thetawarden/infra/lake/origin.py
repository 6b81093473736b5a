"""What the message log of a store is called in the lake.

A store that is begun anew numbers its messages from one again. In a lake that outlives it, the name
tells the two apart; without it the new log would look as if it were written already.
"""

from __future__ import annotations

import re
from pathlib import Path

from thetawarden.infra.lake.errors import LakePlaceError

FILE = "log-name"
_NAME = re.compile(r"[a-z0-9-]{1,64}")


def log_name(store: Path) -> str | None:
    """The log's name, or None when it has none yet."""
    file = store / FILE
    try:
        name = file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise LakePlaceError(f"{file}: found {error}; allowed: the log's name") from None
    if not _NAME.fullmatch(name):
        raise LakePlaceError(
            f"{file}: found {name[:80]!r}; allowed: small letters, digits and dashes."
            " Restore the file: the lake knows this log by it"
        )
    return name


def name_log(store: Path, *, now_ns: int) -> str:
    """The log's name, given to it now if it has none; it is kept in the store."""
    name = log_name(store)
    if name is None:
        name = f"log-{now_ns}"
        draft = store / f".{FILE}.new"
        draft.write_text(f"{name}\n", encoding="ascii")
        draft.rename(store / FILE)
    return name
