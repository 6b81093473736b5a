"""Lets a trade live for minutes on the practice market: what is sold on indices ends that day.

Whoever sets days or times of their own has them; other modes, and what is computed without a data
folder, keep to the defaults of `strategy` whatever is said here.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import msgspec

from thetawarden.config.loader import Loaded, Origin, fingerprint
from thetawarden.config.schema import Config, Mode
from thetawarden.config.strategy import StrategyConfig

SOURCE: Final = "practice.same_day"
AFTERNOON: Final = (dt.time(13, 50), dt.time(14, 5), dt.time(14, 20), dt.time(14, 35))
SOLD: Final = ("index_puts", "put_spreads", "strangles", "condors")
_USUAL = StrategyConfig()


def practised(loaded: Loaded) -> Loaded:
    """The configuration a practice desk runs with; any other as it is."""
    config = loaded.config
    if config.mode is not Mode.PRACTICE or not config.practice.same_day:
        return loaded
    instead = _instead(config)
    strategy, replace = config.strategy, msgspec.structs.replace
    sections = {
        name: replace(getattr(strategy, name), **values) for name, values in instead.items()
    }
    changed = replace(config, strategy=replace(strategy, **sections))
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
    strategy = config.strategy
    instead: dict[str, dict[str, Any]] = {}
    for name in SOLD:
        usual, own = getattr(_USUAL, name), getattr(strategy, name)
        if (own.dte_min, own.dte_max) == (usual.dte_min, usual.dte_max):
            instead[name] = {"dte_min": 0, "dte_max": 0}
    if strategy.entries.times == _USUAL.entries.times:
        instead["entries"] = {"times": (*_USUAL.entries.times, *AFTERNOON)}
    return instead
