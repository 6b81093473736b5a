"""The fast way through a day's deliveries: checks, decodes and builds each row in one go.

Replay spends its time here, so what `rows` says in functions is written out in one loop; a row
that does not pass is handed to `slowly`, which finds out why. A message that several actors handled
is fetched and decoded once, as it was one when they handled it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from thetawarden.infra.journal import rows
from thetawarden.infra.journal.packing import FIRST_BYTES, unpacked
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.registry import decode
from thetawarden.ports import Delivery, Outcome

Row = tuple[Any, ...]
Fetch = Callable[[list[int]], Iterable[Row]]
COLUMNS = "SELECT n, seq, actor, incarnation, at_ns, outcome, merged, crc FROM deliveries"
KNOWN_MAX = 1024
_OUTCOMES = {int(each): each for each in Outcome}


class Step(msgspec.Struct, frozen=True, gc=False):
    """A delivery with its place in the order of all deliveries."""

    n: int
    delivery: Delivery


def read_steps(
    batches: Iterable[list[Row]],
    fetch: Fetch,
    slowly: Callable[[Row, Row], Step],
    *,
    unreadable: tuple[type[Exception], ...],
) -> Iterator[Step]:
    """The steps in these rows of `COLUMNS`.

    `fetch` answers with the rows of messages, `slowly` with the step of a row that is not plainly
    intact, or whose message is not; it is handed the message's row less its number, empty if there
    is none.
    """
    crc32, four, six, names_crc = zlib.crc32, rows.pack_four, rows.pack_six, rows.names_crc
    outcomes, no_cause, squeezed = _OUTCOMES, rows.NO_CAUSE, FIRST_BYTES
    known: dict[int, Envelope[Message]] = {}
    for batch in batches:
        if len(known) >= KNOWN_MAX:
            known.clear()
        wanted = {row[1] for row in batch if type(row[1]) is int} - known.keys()
        messages = {message[0]: message for message in fetch(sorted(wanted))}
        for row in batch:
            n, seq, actor, by, at_ns, outcome, merged, crc = row
            try:
                if crc32(six(n, seq, by, at_ns, outcome, merged), names_crc(actor, "")) != crc:
                    yield slowly(row, _said(seq, messages, fetch))
                    continue
                envelope = known.get(seq)
                if envelope is None:
                    _, said_ns, sender, speaker, cause, kind, body, body_crc = messages[seq]
                    origin = four(seq, said_ns, speaker, no_cause if cause is None else cause)
                    if crc32(body, crc32(origin, names_crc(sender, kind))) != body_crc:
                        yield slowly(row, messages[seq][1:])
                        continue
                    said = decode(unpacked(body) if body[0] in squeezed else body)
                    envelope = known[seq] = Envelope(seq, said_ns, sender, speaker, cause, said)
                step = Step(n, Delivery(envelope, actor, by, at_ns, outcomes[outcome], merged))
            except unreadable:
                step = slowly(row, _said(seq, messages, fetch))
            yield step


def _said(seq: object, messages: Mapping[object, Row], fetch: Fetch) -> Row:
    """A message's row less its number, also of one known before; empty if there is none."""
    if seq in messages or type(seq) is not int:
        return messages.get(seq, ())[1:]
    return next((row[1:] for row in fetch([seq])), ())
