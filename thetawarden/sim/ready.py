"""Who has mail, in the order they were started, without asking everybody at every step.

A mailbox wakes a reader that sleeps; whoever was found without mail sleeps until then.
"""

from __future__ import annotations

from collections.abc import Callable

from thetawarden.actors.mailbox import Mailbox, Seat


class Ready:
    """Readers of mailboxes; one that starts anew comes last."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._readers: dict[int, tuple[str, Mailbox, Seat]] = {}
        self._awake: set[int] = set()
        self._latest = 0

    def begin(self, name: str) -> Callable[[None], object]:
        """Number a reader anew; what this returns wakes it, and nobody once it has left."""
        self.leave(name)
        self._latest = number = self._latest + 1
        self._numbers[name] = number
        awake = self._awake
        return lambda _call: awake.add(number)

    def sit(self, name: str, mailbox: Mailbox, seat: Seat) -> None:
        """Count the reader in: it may have mail already."""
        number = self._numbers[name]
        self._readers[number] = (name, mailbox, seat)
        self._awake.add(number)

    def leave(self, name: str) -> None:
        """Count a reader out."""
        self._readers.pop(self._numbers.pop(name, 0), None)

    def names(self) -> list[str | None]:
        """Those with mail, the one that was started first before the others."""
        found: list[str | None] = []
        for number in sorted(self._awake):
            reader = self._readers.get(number)
            if reader is not None and reader[1].has_mail():
                found.append(reader[0])
                continue
            self._awake.discard(number)
            if reader is not None:
                reader[2].sleeps = True
        return found
