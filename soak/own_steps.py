"""In which order brakes, halts, a person and the way back came, held against the documented one.

A brake is told, slows, stops; at its stop, and never before, it halts, once; a person resumes, and
after a drawdown has reviewed it; the way back goes from pause to half to most of the size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from thetawarden.domain.halt import HaltRecord
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs, new_york_clock

DRAWDOWN = "drawdown"
LEVELS = ("off", "warn", "slow", "stop")
SAID = {"warn": "is told", "slow": "slows", "stop": "stops"}
NEXT_PHASES = {
    "none": ("pause",),
    "pause": ("half",),
    "half": ("most", "pause"),
    "most": ("none", "pause"),
}
STEPS = (
    *("a brake is told", "a brake slows", "a brake stops", "a brake halts"),
    *("a person reviews the drawdown", "a person resumes"),
    *("way back: pause", "way back: half", "way back: most"),
)
"""What a crash that bites is to show, in the documented order."""


class Happened(msgspec.Struct, frozen=True):
    """One thing that happened, in words, and when."""

    at_ns: UnixNs
    what: str

    @property
    def words(self) -> str:
        """As it is printed."""
        return f"{new_york_clock(self.at_ns):%m-%d %H:%M}  {self.what}"


class Steps:
    """Hears one step after the other."""

    def __init__(self) -> None:
        self.taken: list[Happened] = []
        self.wrong: list[str] = []
        self.seen: Counter[str] = Counter()
        self.latest_halt_s = 0.0
        self._levels: dict[str, str] = {}
        self._stopped_ns: dict[str, int] = {}
        self._halted_for: set[str] = set()
        self._phase = "none"
        self._halted = self._unreviewed = False
        self._epoch = 0

    @property
    def missing(self) -> tuple[str, ...]:
        """What never happened of all that there is to show."""
        return tuple(one for one in STEPS if not self.seen[one])

    def levels(self, levels: Mapping[str, str], at_ns: UnixNs) -> None:
        """Where every brake stands by our own losses."""
        for name, level in levels.items():
            before, self._levels[name] = self._levels.get(name, "off"), level
            if level != "stop":
                self._stopped_ns.pop(name, None)
                self._halted_for.discard(name)
            if LEVELS.index(level) > LEVELS.index(before):
                self._take(f"a brake {SAID[level]}", at_ns, of=name)
                if level == "stop":
                    self._stopped_ns[name] = at_ns
                    self._unreviewed |= name == DRAWDOWN

    def halted(self, halt: HaltRecord, at_ns: UnixNs) -> None:
        """A halt; one that names a loss must come from a brake that has stopped, and only once.

        A desk that begins says again what stands: that is no other halt.
        """
        retold = self._halted and halt.epoch == self._epoch
        self._halted, self._epoch = True, halt.epoch
        if retold:
            return
        for name in named(halt.reason, self._levels) if halt.by == "governor" else ():
            since, level = self._stopped_ns.get(name), self._levels[name]
            if since is None:
                self._is_wrong(f"halted by {name}, by our own loss at {level}", at_ns)
                continue
            if name in self._halted_for:
                self._is_wrong(f"halted twice by the same {name}", at_ns)
            self._halted_for.add(name)
            self.latest_halt_s = max(self.latest_halt_s, (at_ns - since) / NS_PER_SECOND)
            self._take("a brake halts", at_ns, of=name)

    def reviewed(self, by: str, at_ns: UnixNs) -> None:
        """A person has looked at a drawdown."""
        self._unreviewed = False
        self._take("a person reviews the drawdown", at_ns, of=by)

    def resumed(self, by: str, at_ns: UnixNs) -> None:
        """Somebody lifts a halt."""
        if not self._halted:
            self._is_wrong(f"resumed by {by} without a halt", at_ns)
        self._halted = False
        self._take("a person resumes", at_ns, of=by)

    def entered(self, key: str, at_ns: UnixNs) -> None:
        """An entry was let in."""
        if self._unreviewed:
            self._is_wrong(f"{key} was let in before the drawdown was reviewed", at_ns)

    def phase(self, phase: str, at_ns: UnixNs) -> None:
        """Where the way back is said to be."""
        before, self._phase = self._phase, phase
        if phase == before:
            return
        if phase not in NEXT_PHASES[before]:
            self._is_wrong(f"the way back went from {before} to {phase}", at_ns)
        if phase == "pause" and self._levels.get(DRAWDOWN) != "stop":
            self._is_wrong("the way back began without a drawdown at its limit", at_ns)
        self._take(f"way back: {phase}", at_ns)

    def _take(self, step: str, at_ns: UnixNs, *, of: str = "") -> None:
        self.seen[step] += 1
        self.taken.append(Happened(at_ns, f"{step}: {of}" if of else step))

    def _is_wrong(self, what: str, at_ns: UnixNs) -> None:
        self.wrong.append(Happened(at_ns, what).words)


def named(reason: str, names: Iterable[str]) -> tuple[str, ...]:
    """Which brakes the reason of a halt names."""
    return tuple(one for one in names if reason.startswith(one.replace("_", " ")))
