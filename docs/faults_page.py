"""The page of what can go wrong: each fault, what the desk does, and the tests that play it."""

from __future__ import annotations

from pathlib import Path

from test_names import all_tests, tests_of

from thetawarden.practice.faults.catalogue import FAULTS
from thetawarden.sim.faults.schedule import CATALOGUE

ROWS = Path(__file__).with_name("fault-rows.txt")
NUMBERS = {"N": 16, "M": 14, "O": 20, "P": 16, "S": 8, "C": 7, "H": 6, "X": 10}
"""Every fault there is, by family: network, market data, orders, process, storage, configuration,
humans, intrusion. Each has a row, and each row tests that play it."""
HEAD = """# What can go wrong, and what happens then

Made by `make docs`: tests are found by the id in their names, or named here and looked up, so that
a test that is gone stops `make docs`. *Practice* faults can be played on the practice gateway
([practice-faults.md](practice-faults.md)), *chaos* faults are drawn by `thetawarden chaos`.

| id | fault | what the desk does | played by | tests |
| --- | --- | --- | --- | --- |
"""


def render() -> str:
    """The whole page."""
    chaos: dict[str, list[str]] = {}
    for kind in CATALOGUE.values():
        chaos.setdefault(kind.code, []).append(kind.name)
    practice = {one.code for one in FAULTS.values()}
    rows, shown = [], []
    for line in ROWS.read_text(encoding="utf-8").splitlines()[1:]:
        number, fault, answer, named = (*(part.strip() for part in line.split("|")), "")[:4]
        players = [f"chaos `{name}`" for name in chaos.get(number, ())]
        players += ["practice"] if number in practice else []
        tests = "; ".join(f"`{name}`" for name in _tests(number, tuple(named.split())))
        if not tests:
            raise SystemExit(f"docs/fault-rows.txt {number}: no test plays it; write one")
        rows.append(f"| {number} | {fault} | {answer} | {', '.join(players) or '-'} | {tests} |")
        shown.append(number)
    missing = [one for one in numbers() if one not in shown]
    if missing:
        raise SystemExit(f"docs/fault-rows.txt: no row for {', '.join(missing)}")
    return HEAD + "\n".join(rows) + "\n"


def numbers() -> tuple[str, ...]:
    """The number of every fault."""
    return tuple(
        f"{family}{number:02d}" for family, last in NUMBERS.items() for number in range(1, last + 1)
    )


def _tests(number: str, named: tuple[str, ...]) -> tuple[str, ...]:
    """Those with the id in their names, and those that the row names: each must be there."""
    gone = sorted(set(named) - set(all_tests()))
    if gone:
        raise SystemExit(f"docs/fault-rows.txt {number}: no such tests: {', '.join(gone)}")
    return tuple(dict.fromkeys((*tests_of(number), *named)))
