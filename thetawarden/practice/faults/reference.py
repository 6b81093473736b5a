"""Writes the document that lists every fault, from the faults themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.faults.catalogue import FAULTS

if TYPE_CHECKING:
    from thetawarden.practice.faults.registry import Fault

_HEAD = """# Faults of the practice gateway

Made from the code by `make docs`. Play one with
`thetawarden gateway fault NAME --arg k=v --port P`, from a plan (`--faults FILE`, a YAML or JSON
list of `{fault, after_s or at, args}`), or from a test. Every fault that lasts takes `for_s`, the
seconds after which it ends by itself. N are faults of connections, M of market data, O of orders,
H of people, T of the protocol's timing.

| code | name | what happens | arguments |
| --- | --- | --- | --- |
"""


def render_reference() -> str:
    """Return the whole document."""
    rows = sorted(FAULTS.values(), key=lambda one: (one.code, one.name))
    return _HEAD + "".join(map(_row, rows))


def _row(one: Fault) -> str:
    knobs = ", ".join(f"`{name}={value}`" for name, value in one.knobs().items())
    return f"| {one.code} | `{one.name}` | {one.line} | {knobs} |\n"
