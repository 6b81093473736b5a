"""Writes docs/messages.md from the registry: every message, who says it, who hears it."""

from __future__ import annotations

from typing import Any, get_type_hints

from thetawarden.actors.vocabulary import OUTSIDERS, check_tree
from thetawarden.config.schema import Config
from thetawarden.messages.base import Command, Message
from thetawarden.messages.registry import HOST, RECORD, ROUTES, SENDER, Route
from thetawarden.supervisor import ADAPTERS, desk_tree

_HEAD = """# Messages

Everything that actors say to each other, by topic. Made from `thetawarden/messages/` by
`make docs`; `make check` refuses a page that is out of date.

A command asks for something and may be refused; an event reports what has happened. Lanes are
handled in the order control, orders, timer, market; within a lane, first come, first served.
*Conflated* means that a newer message replaces a waiting one of the same key. *Not after a crash*
means that it concerns one incarnation or process and is not delivered by the next. *To the
instance named by* a field means that of `chain/SPX`, `chain/NDX` … only that one gets it.
"""
_PLACES = {
    HOST: "the host of who asks",
    RECORD: "nobody: it is there to be read in the log",
    SENDER: "the actor who asked",
}


def render() -> str:
    """The whole page."""
    speakers = _speakers()
    parts, topic = [_HEAD], ""
    for kind, route in ROUTES.items():
        if kind.__module__ != topic:
            topic = kind.__module__
            parts.append(f"\n## {topic.rpartition('.')[2].capitalize()}\n")
        parts.append(_section(kind, route, speakers.get(kind, [])))
    return "".join(parts)


def _speakers() -> dict[type[Message], list[str]]:
    actors = check_tree(desk_tree(Config()), adapters=ADAPTERS)
    found: dict[type[Message], list[str]] = {}
    for vocabulary in (*actors, *OUTSIDERS):
        for kind in vocabulary.says:
            found.setdefault(kind, []).append(vocabulary.name)
    return found


def _section(kind: type[Message], route: Route, speakers: list[str]) -> str:
    nature = "command" if issubclass(kind, Command) else "event"
    said = ", ".join(sorted(speakers)) or "timers"
    heard = ", ".join(_place(listener) for listener in route.to)
    notes = [f"lane {route.lane.name.lower()}"]
    if route.conflate_by is not None:
        key = ", ".join(route.conflate_by)
        notes.append(f"conflated by {key}" if key else "conflated: only the latest waits")
    if route.key is not None:
        notes.append(f"to the instance named by {route.key}")
    if not route.after_crash:
        notes.append("not after a crash")
    words = " ".join((kind.__doc__ or "").split())
    lines = [f"\n### {kind.__name__}\n\n*{nature}, {', '.join(notes)}* — {words}\n"]
    lines.append(f"\nSaid by {said}. Goes to {heard}.\n")
    hints = get_type_hints(kind)
    if kind.__struct_fields__:
        lines.append("\n| field | type |\n| --- | --- |\n")
        lines.extend(f"| `{name}` | {_typed(hints[name])} |\n" for name in kind.__struct_fields__)
    return "".join(lines)


def _place(listener: str) -> str:
    if listener.startswith("effect:"):
        return f"the {listener.removeprefix('effect:').replace('_', ' ')} adapter"
    return _PLACES.get(listener, listener)


def _typed(annotation: Any) -> str:
    name = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    return "`" + name.replace("thetawarden.", "").replace("|", "or") + "`"
