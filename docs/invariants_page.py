"""The page of what must always hold: made from the checks and the tests that name them."""

from __future__ import annotations

from test_names import tests_of

from thetawarden.sim.invariants.referee import ELSEWHERE, MODULES
from thetawarden.sim.sometimes import STATES

HEAD = """# What must always hold

Made from the code by `make docs`. Each check is a module of `thetawarden/sim/invariants/`; in a
simulated world it looks at every message and delivery recorded, at orders and all bytes that leave,
and at the world at its end, once it had time to heal. None believes what an actor says of itself
where it can look at the exchange, the log or the halt flag. Every check has tests that show that
it can fail, and `make chaos` plants bugs in the desk that must be found.

| id | always | looked at | shown to fail by |
| --- | --- | --- | --- |
"""
MIDDLE = """
## Held elsewhere

What a world without sockets, processes and threads cannot show:

| id | always | held by |
| --- | --- | --- |
"""
LOOKS = {"entry": "messages", "sent": "orders", "left": "bytes", "end": "the end"}
TAIL = """
## States that must be reached

A campaign of 500 seeds and more fails when one of these never was: a storm that never bends
anything proves little.

| state | meaning |
| --- | --- |
"""


def render() -> str:
    """The whole page."""
    rows = []
    for module in MODULES:
        check = module.make()
        words = ", ".join(
            named for place, named in LOOKS.items() if getattr(check, place) is not None
        )
        tests = "; ".join(f"`{name}`" for name in tests_of(check.id)) or "-"
        rows.append(f"| {check.id} | {check.says} | {words} | {tests} |")
    elsewhere = [f"| {key} | {says} | {where} |" for key, (says, where) in ELSEWHERE.items()]
    states = [f"| `{state}` | {words} |" for state, words in STATES.items()]
    parts = (HEAD, "\n".join(rows), MIDDLE, "\n".join(elsewhere), TAIL, "\n".join(states))
    return "".join(f"{part}\n" if not part.endswith("\n") else part for part in parts)
