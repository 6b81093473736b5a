"""The list of faults: functions whose keyword arguments, with defaults, are their knobs."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import msgspec

from thetawarden.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from thetawarden.practice.faults.stage import Stage

Undo: TypeAlias = Callable[[], None]
Play: TypeAlias = Callable[..., "Undo | None"]
AnyPlay = TypeVar("AnyPlay", bound=Play)
Knob: TypeAlias = "str | int | float | bool"

FOR_S = "for_s"
"""Every fault that can be undone takes `for_s`: seconds until it ends by itself, 0 for never."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can go wrong; `line` says what in one line."""

    code: str
    name: str
    line: str
    play: Play

    def knobs(self) -> dict[str, Any]:
        """Arguments and their defaults."""
        return {
            name: parameter.default
            for name, parameter in inspect.signature(self.play).parameters.items()
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY
        }

    def start(self, stage: Stage, args: Mapping[str, Knob]) -> Undo | None:
        """Play it. Raises RefusedError for arguments it does not know or cannot read."""
        knobs = self.knobs()
        unknown = sorted(set(args) - set(knobs))
        if unknown:
            raise RefusedError(
                f"fault {self.name} has no argument {', '.join(unknown)}; "
                f"it takes {', '.join(knobs) or 'none'}"
            )
        values = {name: _read(name, value, knobs[name]) for name, value in args.items()}
        return self.play(stage, **values)


FAULTS: dict[str, Fault] = {}


def fault(code: str, name: str, line: str) -> Callable[[AnyPlay], AnyPlay]:
    """Enter a function into the list of faults."""

    def enter(play: AnyPlay) -> AnyPlay:
        FAULTS[name] = Fault(code=code, name=name, line=line, play=play)
        return play

    return enter


def find(name: str) -> Fault:
    """Return a fault by name or code. Raises RefusedError for unknown ones."""
    for one in FAULTS.values():
        if name.lower() in (one.name, one.code.lower()):
            return one
    raise RefusedError(f"no fault is called {name!r}; `gateway faults` lists them")


def _read(name: str, value: Knob, default: Knob) -> Knob:
    """Bring an argument, perhaps text from a command line, to the type of its default."""
    try:
        if isinstance(default, bool):
            return value if isinstance(value, bool) else _yes(str(value))
        if isinstance(default, int):
            return int(value)
        if isinstance(default, float):
            number = float(value)
            if math.isfinite(number):
                return number
            raise ValueError  # noqa: TRY301 - one message for all unreadable arguments
        return str(value)
    except ValueError:
        raise RefusedError(
            f"{name} is {value!r}, {type(default).__name__} wanted, such as {default!r}"
        ) from None


def _yes(text: str) -> bool:
    if text.lower() in ("1", "true", "yes"):
        return True
    if text.lower() in ("0", "false", "no"):
        return False
    raise ValueError(text)
