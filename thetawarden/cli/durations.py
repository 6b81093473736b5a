"""Durations as people write them on the command line."""

from __future__ import annotations

import re

import click

LONGEST_S = 366 * 86_400.0
_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(h|m|s|)")
_UNIT_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "": 1.0}


def duration_s(text: str) -> float:
    """Seconds in a text such as `90s`, `5m` or `1h30m`; raises click.BadParameter."""
    seconds = 0.0
    if re.fullmatch(f"(?:{_PART.pattern}){{1,8}}", text, re.ASCII):
        seconds = sum(float(number) * _UNIT_S[unit] for number, unit in _PART.findall(text))
    if not 0.0 < seconds <= LONGEST_S:
        words = "allowed: a duration such as 90s, 5m or 1h30m, more than nothing, a year at most"
        raise click.BadParameter(f"found {text!r}; {words}")
    return seconds


def duration_option(
    _ctx: click.Context, _option: click.Parameter, text: str | None
) -> float | None:
    """Read an option's duration, when one is given."""
    return None if text is None else duration_s(text)
