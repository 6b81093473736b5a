"""Plants every bug in turn and lets chaos hunt for it: `python -m tests.sim.hunt [NAME ...]`.

Exits 1 when one got through all its seeds. A check that finds nothing planted proves nothing.
"""

import sys

from tests.sim import planted_desk, planted_storage
from tests.sim.planted import BUGS as TRADING_BUGS
from tests.sim.planted import planted
from thetawarden.sim.campaign import Plan, simulate

BUGS = (*TRADING_BUGS, *planted_desk.BUGS, *planted_storage.BUGS)
FIRST_SEED, SEEDS_MAX = 4, 5
"""Seeds of markets in which there is something to sell; within so many a bug must be found."""


def hunt(bug):
    """How many seeds it took and what was found, or None."""
    for number, seed in enumerate(range(FIRST_SEED, FIRST_SEED + 4 * SEEDS_MAX, 4), 1):
        with planted(bug):
            outcome = simulate(Plan(seed=seed, days=1, schedule=bug.faults))
        found = [one for one in outcome.violations if one.invariant in bug.breaks]
        if found:
            return number, found[0]
    return None


def main(names):
    """Hunt for all, or for those named."""
    missed = []
    for bug in BUGS:
        if names and bug.name not in names:
            continue
        result = hunt(bug)
        if result is None:
            missed.append(bug.name)
            sys.stdout.write(f"NOT FOUND  {bug.name}: {bug.words}\n")
        else:
            seeds, found = result
            sys.stdout.write(f"seed {seeds}  {found.invariant}  {bug.name}: {found.words[:90]}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(missed)} of {len(BUGS)} not found\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
