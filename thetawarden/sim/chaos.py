"""Many seeds of chaos: side by side, counted together, and each failure made small.

A failing seed is run again with ever fewer of its faults for as long as the same invariant fails;
what is left, and the command that replays it, is what a person wants to see.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

import msgspec

from thetawarden.errors import ThetawardenError
from thetawarden.sim.beside import processes
from thetawarden.sim.campaign import ALL, MARKETS, Outcome, Plan, simulate
from thetawarden.sim.faults.kinds import Family, Planned
from thetawarden.sim.faults.schedule import CATALOGUE
from thetawarden.sim.invariants.referee import MODULES, Violation
from thetawarden.sim.sometimes import STATES

PLANNED = re.compile(r"([a-z-]+)@([0-9]{1,9})\+([0-9]{1,9})#([0-9]{1,9})")
"""Decimal digits of ASCII only: others look alike, and some are no numbers."""
WORD_MAX = 80
TRIES_MAX = 30
SEEDS_A_PROCESS = 500  # then others take their place, and what they gathered goes with them
WARMED_FROM_SEEDS = 50
"""With so many the first seed of each market is run before the others' processes are begun."""
ALL_STATES_FROM_SEEDS = 500
"""With so many seeds of all faults every state must have been reached."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wants simulated."""

    seeds: int
    first: int = 1
    days: int = 2
    families: frozenset[Family] = ALL
    schedule: tuple[Planned, ...] | None = None
    jobs: int = 1

    def plans(self) -> Iterator[Plan]:
        """One plan a seed."""
        for seed in range(self.first, self.first + self.seeds):
            yield Plan(seed=seed, days=self.days, families=self.families, schedule=self.schedule)


class ProcessLostError(ThetawardenError):
    """A process of the campaign was ended from outside, by lack of memory perhaps. Run it again."""

    def __init__(self, seeds: Sequence[int]) -> None:
        some = ", ".join(map(str, seeds[:10])) + (", ..." if len(seeds) > 10 else "")
        super().__init__(
            f"a process that simulated was ended from outside; unfinished are seeds {some};"
            " try fewer --jobs, or one of them alone with --seeds 1 --first SEED"
        )


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A seed that broke an invariant, with as few faults as still do."""

    seed: int
    invariant: str
    words: str
    at_min: int
    seq: int
    faults: tuple[str, ...]
    command: str


class Report(msgspec.Struct, kw_only=True):
    """What a campaign found; `unreached` are states it should have reached and did not."""

    seeds: int = 0
    failed: list[Failure] = msgspec.field(default_factory=list)
    invariants: dict[str, int] = msgspec.field(default_factory=dict)
    sometimes: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(STATES, 0))
    unreached: list[str] = msgspec.field(default_factory=list)
    days: int = 0
    messages: int = 0
    elapsed_s: float = 0.0

    @property
    def is_fine(self) -> bool:
        """Whether nothing failed and nothing is missing."""
        return not self.failed and not self.unreached


def run_chaos(asked: Asked, *, progress: Callable[[Report], None]) -> Report:
    """Run all seeds and make what fails small."""
    began, report = time.monotonic(), Report()
    report.invariants = {module.make().id: 0 for module in MODULES}
    for outcome in _outcomes(asked):
        _count(report, outcome)
        if outcome.violations:
            report.failed.append(_explain(outcome))
        report.elapsed_s = round(time.monotonic() - began, 3)
        progress(report)
    whole = asked.families == ALL and asked.schedule is None
    if whole and report.seeds >= ALL_STATES_FROM_SEEDS:
        report.unreached = [state for state, count in report.sometimes.items() if not count]
    report.elapsed_s = round(time.monotonic() - began, 3)
    return report


def shrink(outcome: Outcome, violation: Violation) -> Outcome:
    """The same failure with as few faults as a bounded number of tries finds."""
    best, tries, size = outcome, 0, max(1, len(outcome.schedule) // 2)
    while tries < TRIES_MAX:
        smaller = None
        for start in range(0, len(best.schedule), size):
            left = best.schedule[:start] + best.schedule[start + size :]
            tries += 1
            again = simulate(msgspec.structs.replace(best.plan, schedule=left))
            if any(one.invariant == violation.invariant for one in again.violations):
                smaller = again
                break
            if tries >= TRIES_MAX:
                break
        if smaller is not None:
            best = smaller
            size = max(1, min(size, len(best.schedule) // 2))
        elif size == 1:
            break
        else:
            size //= 2
    return best


def command_of(outcome: Outcome) -> str:
    """What to type to see it again."""
    faults = ",".join(map(written, outcome.schedule)) or "none"
    which = f"--seeds 1 --first {outcome.seed} --days {outcome.days}"
    return f"thetawarden chaos {which} --faults {faults}"


def written(planned: Planned) -> str:
    """A planned fault as it is written on a command line."""
    return f"{planned.name}@{planned.at_min}+{planned.for_min}#{planned.pick}"


def read_faults(text: str) -> tuple[frozenset[Family], tuple[Planned, ...] | None]:
    """Read families, planned faults, `all` or `none`; raises ValueError with the reason."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if words == ["all"] or not words:
        return ALL, None
    if words == ["none"]:
        return ALL, ()
    if all(word in tuple(Family) for word in words):
        return frozenset(map(Family, words)), None
    return ALL, tuple(_read_planned(word) for word in words)


def refuse_unplayed(asked: Asked) -> None:
    """Raise ValueError for a planned fault that would never begin: nothing would be shown by it."""
    heal_min = next(asked.plans()).heal_min
    late = [one for one in asked.schedule or () if one.at_min >= heal_min]
    if late:
        raise ValueError(
            f"found {written(late[0])!r}, which would never begin; with --days {asked.days} faults"
            f" begin at minutes 0 to {heal_min - 1}, the rest is for the desk to heal:"
            " plan it earlier or simulate more --days"
        )


def _read_planned(word: str) -> Planned:
    read = PLANNED.fullmatch(word)
    if read is None or read[1] not in CATALOGUE:
        raise ValueError(
            f"found {word[:WORD_MAX]!r}; allowed are all, none, families ({', '.join(Family)}),"
            " or planned faults such as reset@95+20#7, in digits 0 to 9"
        )
    return Planned(name=read[1], at_min=int(read[2]), for_min=int(read[3]), pick=int(read[4]))


def _outcomes(asked: Asked) -> Iterator[Outcome]:
    if asked.jobs <= 1 or asked.seeds == 1:
        yield from map(simulate, asked.plans())
        return
    plans = asked.plans()
    if asked.seeds >= WARMED_FROM_SEEDS:  # what a market computed is inherited by all processes
        yield from map(simulate, islice(plans, len(MARKETS)))
    while batch := tuple(islice(plans, SEEDS_A_PROCESS * asked.jobs)):
        yield from _side_by_side(batch, jobs=asked.jobs)


def _side_by_side(plans: Sequence[Plan], *, jobs: int) -> Iterator[Outcome]:
    """What comes of the plans, in the order they end; raises ProcessLostError."""
    with processes(jobs) as pool:
        unfinished = {pool.submit(simulate, plan): plan.seed for plan in plans}
        try:
            for done in as_completed(tuple(unfinished)):
                outcome = done.result()
                del unfinished[done]
                yield outcome
        except BrokenProcessPool:
            raise ProcessLostError(sorted(unfinished.values())) from None


def _count(report: Report, outcome: Outcome) -> None:
    report.seeds += 1
    report.days += outcome.days
    report.messages += outcome.messages
    for name, looks in outcome.looks.items():
        report.invariants[name] = report.invariants.get(name, 0) + looks
    for state, count in outcome.sometimes.items():
        report.sometimes[state] += count


def _explain(outcome: Outcome) -> Failure:
    violation = outcome.violations[0]
    small = shrink(outcome, violation)
    found: Sequence[Violation] = [
        one for one in small.violations if one.invariant == violation.invariant
    ]
    shown = found[0] if found else violation
    return Failure(
        seed=outcome.seed,
        invariant=shown.invariant,
        words=shown.words,
        at_min=shown.at_min,
        seq=shown.seq,
        faults=tuple(map(written, small.schedule)),
        command=command_of(small),
    )
