"""The fast way through a day's deliveries: checks, decodes and builds each row in one go.

Replay spends its time here, so what `rows` says in functions is written out in one loop; a row
that does not pass is handed to `slowly`, which finds out why.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from thetawarden.infra.journal import rows
from thetawarden.infra.journal.packing import FIRST_BYTES, unpacked
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.registry import decode
from thetawarden.ports import Delivery, Outcome

Row = tuple[Any, ...]
COLUMNS = (
    "SELECT d.n, d.seq, d.actor, d.incarnation, d.at_ns, d.outcome, d.merged, d.crc,"
    " m.at_ns, m.sender, m.incarnation, m.cause_seq, m.kind, m.body, m.crc"
    " FROM deliveries d LEFT JOIN messages m ON m.seq = d.seq"
)
KNOWN_MAX = 1024
_OUTCOMES = {int(each): each for each in Outcome}


class Step(msgspec.Struct, frozen=True, gc=False):
    """A delivery with its place in the order of all deliveries."""

    n: int
    delivery: Delivery


def read_steps(
    batches: Iterable[list[Row]],
    *,
    slowly: Callable[[Row], Step],
    unreadable: tuple[type[Exception], ...],
) -> Iterator[Step]:
    """The steps in these rows of `COLUMNS`; `slowly` answers for every row not plainly intact.

    A message that several actors handled is decoded once, as it was one when they handled it.
    """
    crc32, four, six, names_crc = zlib.crc32, rows.pack_four, rows.pack_six, rows.names_crc
    outcomes, no_cause, squeezed = _OUTCOMES, rows.NO_CAUSE, FIRST_BYTES
    known: dict[int, Envelope[Message]] = {}
    for batch in batches:
        for row in batch:
            # fmt: off
            (n, seq, actor, by, at_ns, outcome, merged, crc,
             said_ns, sender, speaker, cause, kind, body, body_crc) = row
            # fmt: on
            try:
                if crc32(six(n, seq, by, at_ns, outcome, merged), names_crc(actor, "")) != crc:
                    yield slowly(row)
                    continue
                envelope = known.get(seq)
                if envelope is None:
                    origin = four(seq, said_ns, speaker, no_cause if cause is None else cause)
                    if crc32(body, crc32(origin, names_crc(sender, kind))) != body_crc:
                        yield slowly(row)
                        continue
                    said = decode(unpacked(body) if body[0] in squeezed else body)
                    envelope = Envelope(seq, said_ns, sender, speaker, cause, said)
                    if len(known) >= KNOWN_MAX:
                        known.clear()
                    known[seq] = envelope
                step = Step(n, Delivery(envelope, actor, by, at_ns, outcomes[outcome], merged))
            except unreadable:
                step = slowly(row)
            yield step
