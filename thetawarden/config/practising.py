"""Lets a trade live for minutes on the practice market: index puts that end the same day.

Whoever sets days or times of their own has them; other modes, and what is computed without a data
folder, keep to the defaults of `strategy` whatever is said here.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import msgspec

from thetawarden.config.loader import Loaded, Origin, fingerprint
from thetawarden.config.schema import Config, Mode
from thetawarden.config.strategy import EntriesConfig, IndexPutsConfig

SOURCE: Final = "practice.same_day"
AFTERNOON: Final = (dt.time(13, 50), dt.time(14, 15))
_DAYS, _ENTRIES = IndexPutsConfig(), EntriesConfig()


def practised(loaded: Loaded) -> Loaded:
    """The configuration a practice desk runs with; any other as it is."""
    config = loaded.config
    if config.mode is not Mode.PRACTICE or not config.practice.same_day:
        return loaded
    instead = _instead(config)
    strategy, replace = config.strategy, msgspec.structs.replace
    changed = replace(
        config,
        strategy=replace(
            strategy,
            index_puts=replace(strategy.index_puts, **instead.get("index_puts", {})),
            entries=replace(strategy.entries, **instead.get("entries", {})),
        ),
    )
    origins = {
        f"strategy.{section}.{key}": Origin(value=value, source=SOURCE)
        for section, values in instead.items()
        for key, value in values.items()
    }
    return replace(
        loaded,
        config=changed,
        origins=loaded.origins | origins,
        fingerprint=fingerprint(changed),
    )


def _instead(config: Config) -> dict[str, dict[str, Any]]:
    """What takes the place of what nobody has set, by section."""
    puts, entries = config.strategy.index_puts, config.strategy.entries
    instead: dict[str, dict[str, Any]] = {}
    if (puts.dte_min, puts.dte_max) == (_DAYS.dte_min, _DAYS.dte_max):
        instead["index_puts"] = {"dte_min": 0, "dte_max": 0}
    if entries.times == _ENTRIES.times:
        instead["entries"] = {"times": (*entries.times, *AFTERNOON)}
    return instead
