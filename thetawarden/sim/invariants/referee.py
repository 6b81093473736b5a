"""Looks at every step of a world with every check, and keeps what was found."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from thetawarden.domain.instants import NS_PER_MINUTE
from thetawarden.messages.base import Envelope
from thetawarden.practice.model import OrderRequest
from thetawarden.sim.broker.wire import Left
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants import (
    i01_brakes,
    i02_intent,
    i03_once,
    i04_approved,
    i05_positions,
    i06_limits,
    i07_replay,
    i08_prefix,
    i09_mailboxes,
    i10_control,
    i11_stale,
    i12_quotes,
    i13_resume,
    i14_protected,
    i15_no_overfill,
    i16_fills_once,
    i17_monotone,
    i18_no_self_cross,
    i19_even,
    i20_pace,
    i21_one_desk,
    i22_fence,
    i23_gives_up,
    i24_told,
    i26_headers,
    i29_liveness,
    i30_by_hand,
)
from thetawarden.sim.invariants.scene import Check, Scene, Words
from thetawarden.sim.world import World

MODULES = (
    *(i01_brakes, i02_intent, i03_once, i04_approved, i05_positions, i06_limits),
    *(i07_replay, i08_prefix, i09_mailboxes, i10_control, i11_stale, i12_quotes),
    *(i13_resume, i14_protected, i15_no_overfill, i16_fills_once, i17_monotone, i18_no_self_cross),
    *(
        i19_even,
        i20_pace,
        i21_one_desk,
        i22_fence,
        i23_gives_up,
        i24_told,
        i26_headers,
        i29_liveness,
        i30_by_hand,
    ),
)
ELSEWHERE = {
    "I25": ("a set clock places and expires nothing", "tests/sim/test_clock_set.py"),
    "I27": ("secrets appear nowhere", "tests/infra/test_redaction.py"),
    "I28": ("no bytes escape the parser", "tests/infra/ib/test_frames.py"),
}
"""What a simulation without sockets, files and threads cannot show, and which tests do."""


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """One invariant that did not hold: at which message and minute of the world."""

    invariant: str
    words: str
    seq: int
    at_min: int


class _Hearers(msgspec.Struct, kw_only=True):
    """Who looks at entries of one kind, and how many there were."""

    looks: tuple[tuple[str, Callable[[Entry, Scene], Words]], ...]
    heard: int = 0


class Referee:
    """Hears everything of one world."""

    def __init__(self) -> None:
        self.scene: Scene
        self.violations: list[Violation] = []
        self._looked: dict[str, int] = {}
        self._checks = tuple(module.make() for module in MODULES)
        self._seq = 0
        self._hearers: dict[type, _Hearers] = {}

    @property
    def looks(self) -> dict[str, int]:
        """How often each check has looked."""
        found = dict(self._looked)
        for hearers in self._hearers.values():
            for name, _ in hearers.looks:
                found[name] = found.get(name, 0) + hearers.heard
        return found

    def attend(self, world: World) -> None:
        """Look at this world from now on."""
        self.scene = Scene(world)
        world.gateway.on_sent = self.sent
        world.gateway.on_left = self.left

    def hear(self, entry: Entry) -> None:
        """Look at what was recorded."""
        scene = self.scene
        scene.note(entry)
        kind: type = type(entry)
        if isinstance(entry, Envelope):
            self._seq, kind = entry.seq, type(entry.body)
        hearers = self._hearers.get(kind) or self._hear_of(kind)
        hearers.heard += 1
        for name, look in hearers.looks:
            for words in look(entry, scene):
                self.find(name, words)

    def sent(self, ticket: OrderRequest) -> None:
        """Look at an order whose bytes leave."""
        for check in self._checks:
            if check.sent is not None:
                self._note(check, check.sent(ticket, self.scene))

    def left(self, left: Left) -> None:
        """Look at bytes of any kind that leave."""
        for check in self._checks:
            if check.left is not None:
                self._note(check, check.left(left, self.scene))

    def end(self) -> None:
        """Look at a world that had time to heal."""
        for check in self._checks:
            if check.end is not None:
                self._note(check, check.end(self.scene))

    def find(self, invariant: str, words: str) -> None:
        """Note what did not hold."""
        clock = self.scene.world.clock
        at_min = (clock.elapsed_ns() - 1) // NS_PER_MINUTE
        self.violations.append(
            Violation(invariant=invariant, words=words, seq=self._seq, at_min=at_min)
        )

    def _hear_of(self, kind: type) -> _Hearers:
        looks = tuple(
            (one.id, one.entry)
            for one in self._checks
            if one.entry is not None and (not one.hears or kind in one.hears)
        )
        self._hearers[kind] = hearers = _Hearers(looks=looks)
        return hearers

    def _note(self, check: Check, found: Words) -> None:
        self._looked[check.id] = self._looked.get(check.id, 0) + 1
        for words in found:
            self.find(check.id, words)
