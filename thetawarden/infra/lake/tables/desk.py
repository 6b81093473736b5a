"""What the desk said: words to people, and the message log of older days."""

from __future__ import annotations

from thetawarden.infra.lake.columns import (
    SORTED_BY_TIME,
    Table,
    raw,
    text,
    whole,
)

NOTIFICATIONS = Table(
    name="notifications",
    words="What a person was to be told.",
    columns=(
        text("urgency", "low, normal, high or critical."),
        text("topic", "Groups repetitions of one matter."),
        text("text", "The words."),
        text("sender", "Who wanted it told."),
    ),
    sort=SORTED_BY_TIME,
)

MESSAGE_ARCHIVE = Table(
    name="message_archive",
    words=(
        "The message log of days that are over, row by row as it stood, checksums included:"
        " messages, deliveries and snapshots. Here day is the log's own file."
    ),
    columns=(
        text("row", "message, delivery or snapshot."),
        whole("n", "Number of the delivery or snapshot; null in a message's row."),
        whole("at_ns", "The exact instant."),
        text("actor", "Who said it, handled it, or whose state it is."),
        whole("incarnation", "Its incarnation."),
        whole("cause_seq", "The message that caused it; null for none."),
        text("kind", "The message's type."),
        whole("outcome", "How a delivery ended."),
        whole("merged", "How many quotes a delivery stands for."),
        raw("body", "Message or state as written: msgpack, larger ones compressed."),
        whole("crc", "The checksum over the row, as it was written."),
    ),
    sort=("row", "seq", "n"),
)
