"""Logs of every version there was: read whole, begun with, and replayed by today's code."""

import contextlib
import json
import os
import sqlite3
import warnings

import msgspec
import pytest

from tests.corpus.logs import LOGS, TODAY, VOCABULARY, settings, unpacked
from tests.corpus.record import vocabulary
from thetawarden import numerics
from thetawarden.actors.memory import rebuild
from thetawarden.actors.shapes import shapes_of
from thetawarden.infra.journal import rows
from thetawarden.infra.journal.errors import NewerLogError
from thetawarden.infra.journal.reader import MESSAGE_COLUMNS, open_log
from thetawarden.infra.journal.recover import recover
from thetawarden.infra.journal.verify import verify_day
from thetawarden.messages.registry import KINDS
from thetawarden.sim.alike import is_alike
from thetawarden.sim.cast import Cast, Processes
from thetawarden.sim.replay import verify_replay
from thetawarden.supervisor import Mark, actor_names, actor_roles, desk_tree

ALL = tuple(sorted(LOGS.glob("*.db.gz")))
CHOSEN = {}
numerics.pin(CHOSEN, numerics.what_it_can())
KERNELS = pytest.mark.skipif(
    not CHOSEN or not CHOSEN.items() <= os.environ.items(),
    reason="today's log was computed with kernels that are not here",
)
SHAPES = shapes_of(desk_tree(settings().config))
RECORD = "if that is meant, run python -m tests.corpus.record"


def the_log(which):
    (found,) = [one for one in ALL if f".{which}." in one.name]
    return found


def tree_of(started):
    mark = Mark(fingerprint=started.config_fingerprint, software=started.software)
    return desk_tree(settings().config, speed=started.speed, mark=mark)


def replayed(folder):
    with open_log(folder) as days:
        past = Processes(days, tree_of)
        return verify_replay(past.tree_at(2**62), days, processes=past)


@pytest.fixture(params=ALL, ids=lambda path: path.name)
def log(request, tmp_path):
    return unpacked(request.param, tmp_path)


def test_every_log_is_whole_and_todays_messages_hold_all_that_was_written(log):
    found = verify_day(log)

    assert found.findings == []
    assert found.messages > 80
    assert found.deliveries > 30
    with open_log(log.parent) as (day,):
        for row in day.raw(MESSAGE_COLUMNS):
            raw = rows.unpacked(row[6])
            assert is_alike(raw, rows.decode_body(raw)), row[:6]


def test_a_desk_of_today_begins_where_any_version_ended(log):
    tree = desk_tree(settings().config)

    past = recover(log.parent, actor_names(tree), actor_roles(tree), fits=tree.can_begin_with)
    for name, known in past.actors.items():
        rebuild(tree.spec_of(name).make, known.snapshot, known.steps)

    assert past.position.next_seq > 80
    assert past.actors["governor"].incarnation > 0


def test_todays_actors_take_again_whatever_any_version_was_told(log):
    with open_log(log.parent) as days:
        past = Processes(days, tree_of)
        cast = Cast(past.tree_at(2**62), processes=past)
        (day,) = days
        for step in day.steps():
            cast.get(step.delivery.actor).take(step)

    assert cast.get("governor").state()["latch"]["epoch"] > 0
    verdict = replayed(log.parent)
    assert verdict.first_difference is None or verdict.first_difference.kind != "snapshot"


@KERNELS
def test_todays_log_is_answered_as_it_was_recorded(tmp_path):
    unpacked(the_log(TODAY), tmp_path)

    verdict = replayed(tmp_path)

    found = verdict.first_difference
    assert found is None, f"{found.actor} answers {found.kind} otherwise: {RECORD}"
    assert verdict.verified == verdict.deliveries > 300


def test_todays_log_holds_an_order_from_its_proposal_to_its_exits_a_kill_and_a_halt(tmp_path):
    file = unpacked(the_log(TODAY), tmp_path)
    with contextlib.closing(sqlite3.connect(file)) as connection:
        kinds = {kind for (kind,) in connection.execute("SELECT DISTINCT kind FROM messages")}
        query = "SELECT count(*) FROM messages WHERE kind = 'DeskStarted'"
        (processes,) = connection.execute(query).fetchone()

    assert processes == 2
    assert kinds >= {
        *("ProposeOrder", "OrderApproved", "SubmitOrder", "OrderSent", "OrderStageChanged"),
        *("FillBooked", "PositionsValued", "TradingHalted", "ChainViewed", "HistoryFetched"),
    }


def without_defaults(body):
    """A message as a version would have written it that had none of its last fields yet.

    Nor did it say which fields it writes.
    """
    kind = KINDS[msgspec.msgpack.decode(body)[0]]
    message, written = rows.decode_body(body), msgspec.msgpack.decode(body)
    fields = msgspec.structs.fields(kind)
    while fields and getattr(message, fields[-1].name) in {fields[-1].default, SHAPES}:
        fields = fields[:-1]
        written.pop()
    return msgspec.msgpack.encode(written)


@KERNELS
def test_fields_that_were_added_since_make_no_difference(tmp_path):
    file = unpacked(the_log(TODAY), tmp_path)
    shortened = {}
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        for seq, at_ns, sender, by, cause, kind, body, _ in connection.execute(
            MESSAGE_COLUMNS
        ).fetchall():
            raw = rows.unpacked(body)
            old = without_defaults(raw)
            if old == raw:
                continue
            shortened[kind] = shortened.get(kind, 0) + 1
            crc = rows.message_crc(seq, at_ns, sender, by, cause, kind, old)
            words = "UPDATE messages SET body = ?, crc = ? WHERE seq = ?"
            connection.execute(words, (old, crc, seq))

    assert shortened.keys() >= {"LinkChanged", "LinkProbed", "DeliverAlert", "AlertDelivered"}
    assert verify_day(file).findings == []
    assert replayed(tmp_path).first_difference is None


def test_a_kind_that_nobody_knows_yet_is_refused_by_name_and_nothing_is_changed(tmp_path):
    file = unpacked(the_log("first"), tmp_path)
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        meta = dict(connection.execute("SELECT key, value FROM meta"))
        known = json.loads(meta["vocabulary"]) | {"PortfolioDreamt": 2}
        meta["vocabulary"] = json.dumps(known)
        meta["crc"] = str(rows.meta_crc(meta))
        connection.executemany("UPDATE meta SET value = ? WHERE key = ?", zip_swapped(meta))
    before = file.read_bytes()

    with pytest.raises(NewerLogError, match="PortfolioDreamt"):
        replayed(tmp_path)
    with pytest.raises(NewerLogError, match="PortfolioDreamt"):
        recover(tmp_path, ("governor",))

    assert file.read_bytes() == before


def zip_swapped(meta):
    return [(value, key) for key, value in meta.items()]


def test_what_was_ever_said_keeps_its_name_and_its_fields_in_their_order():
    released, ours = json.loads(VOCABULARY.read_text(encoding="utf-8")), vocabulary()

    for kind, fields in released.items():
        assert ours.get(kind, [])[: len(fields)] == fields, kind
        added = msgspec.structs.fields(KINDS[kind])[len(fields) :]
        assert all(not field.required for field in added), kind
    if released != ours:
        warnings.warn(f"new kinds or fields are not in the corpus yet: {RECORD}", stacklevel=1)
