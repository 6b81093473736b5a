"""Stands in for ib_async's loggers: what it would only log is counted, or left as a trace."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

_log = logging.getLogger("thetawarden.broker")


class Failures:
    """Stands in for the decoder's logger: what it would only log is told."""

    def __init__(self, heard: Callable[[str], None]) -> None:
        self._heard = heard

    def exception(self, words: str, *_values: object) -> None:
        """The decoder's one way of saying that something went wrong; values may be secret."""
        self._heard(f"{words.partition('(')[0]}: {sys.exc_info()[1]}")


class Murmur:
    """Stands in for the library's loggers.

    It calls every attempt in vain an error, and tells every order; we hear of it by other ways.
    """

    def isEnabledFor(self, _level: int) -> bool:  # noqa: N802  # the logger's own name
        """Never; the library asks before it formats every message of the wire."""
        return False

    def debug(self, words: object, *_values: object) -> None:
        """Leave a trace for whoever wants the debug level."""
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("library_said", extra={"words": str(words)})

    info = warning = error = exception = debug
