"""Writes the schema down: a commented configuration file, and the reference for people.

Everything comes from the schema, so it cannot be out of date. The file says exactly the defaults.
"""

from __future__ import annotations

import datetime as dt
import enum
import textwrap
from typing import Any

from thetawarden.config.fields import Field, Group, describe
from thetawarden.config.schema import Config

WIDTH = 96

INTRODUCTION = """\
# Configuration

<!-- Made from thetawarden/config/schema.py by `make docs`; changes here are overwritten. -->

One YAML file, `thetawarden.yaml` in the data folder, or the one named with `--config`. Every key
has a default, so the file need say only what differs.

**What wins:** a flag, before the environment, before the file, before the default. A variable is
named after the key's path: `THETAWARDEN__DESK__HEARTBEAT_S=2` sets `desk.heartbeat_s`; lists are
written with commas. `thetawarden config show` tells for every key where its value comes from,
`thetawarden config check` tells every fault at once, one line each:

```text
thetawarden.yaml:3:8: desk.fence_s: found an unknown key; allowed: heartbeat_s, ...; remove it
```

**What is refused**, because YAML would quietly make something else of it: a key that does not
exist, a key twice, `9:30` without quotes (YAML 1.1: the number 570), `yes`, `no` and `on` for
`true` and `false`, numbers that are not finite or written as `0x10`, `010` or `1_000`, tags, merge
keys, a second document, a file above 1 MiB. Nothing starts while a fault is left.

**Secrets** never stand in this file. They come from `THETAWARDEN_SECRET_<NAME>` or from
`secrets.yaml` in the data folder, which only its owner may open (`chmod 600`): lines of
`name: value`, at least eight characters each.
"""


def render_defaults() -> str:
    """A complete configuration file: every key, its meaning, its bounds, its default."""
    return render_file(Config())


def render_file(config: Config) -> str:
    """The same file, but that it says this configuration."""
    root = describe(config)
    lines = _comment(root.about, 0)
    for member in root.members.values():
        lines += ["", *_yaml(member, 0)]
    return "\n".join(lines) + "\n"


def render_reference() -> str:
    """docs/configuration.md."""
    root = describe(Config())
    top = [member for member in root.members.values() if isinstance(member, Field)]
    sections = ["## Top level", "", *_table(top)]
    for member in root.members.values():
        if isinstance(member, Group):
            sections += ["", *_section(member)]
    file = ["", "## The whole file with its defaults", "", "```yaml", render_defaults() + "```"]
    return "\n".join([INTRODUCTION, *sections, *file]) + "\n"


def written(value: Any) -> str:
    """A value as it is written in the file."""
    if isinstance(value, tuple):
        return f"[{', '.join(written(each) for each in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.time):
        return f'"{value:%H:%M}"'
    if isinstance(value, enum.StrEnum):
        return value.value
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _yaml(member: Group | Field, depth: int) -> list[str]:
    pad = "  " * depth
    if isinstance(member, Field):
        about = f"{member.about} Allowed: {member.allowed}."
        return [*_comment(about, depth), f"{pad}{member.name}: {written(member.default)}"]
    lines = [*_comment(member.about, depth), f"{pad}{member.name}:"]
    for each in member.members.values():
        lines += _yaml(each, depth + 1)
    return lines


def _comment(text: str, depth: int) -> list[str]:
    pad = "  " * depth + "# "
    return textwrap.wrap(" ".join(text.split()), WIDTH, initial_indent=pad, subsequent_indent=pad)


def _section(group: Group) -> list[str]:
    fields = [member for member in group.members.values() if isinstance(member, Field)]
    lines = [f"## {group.path}", "", " ".join(group.about.split())]
    if fields:
        lines += ["", *_table(fields)]
    for member in group.members.values():
        if isinstance(member, Group):
            lines += [
                "",
                *(f"#{line}" if line.startswith("#") else line for line in _section(member)),
            ]
    return lines


def _table(fields: list[Field]) -> list[str]:
    rows = [
        f"| `{field.path}` | `{written(field.default)}` | {field.allowed} | {field.about} |"
        for field in fields
    ]
    return ["| key | default | allowed | what it is |", "| --- | --- | --- | --- |", *rows]
