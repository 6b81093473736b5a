"""What goes through the gate to the library is whole frames, whatever comes from the socket."""

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.infra.ib.frames import (
    FRAME_BYTES_MAX,
    PIECE_BYTES,
    FrameGate,
    GarbageError,
    pieces,
)

frames = st.lists(st.binary(max_size=300).map(lambda rest: b"4" + rest), max_size=20)


def framed(payloads):
    return b"".join(struct.pack(">I", len(one)) + one for one in payloads)


def cut(data, at):
    edges = [0, *sorted(spot % (len(data) + 1) for spot in at), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


@given(payloads=frames, at=st.lists(st.integers(0, 10**6), max_size=30))
def test_n04_any_split_of_the_stream_passes_the_same_whole_frames(payloads, at):
    gate, stream = FrameGate(), framed(payloads)

    passed = [gate.feed(piece, 0) for piece in cut(stream, at)]

    assert b"".join(passed) == stream
    assert gate.waiting_bytes == 0
    for piece in passed:
        alone = FrameGate()
        assert alone.feed(piece, 0) == piece
        assert alone.waiting_bytes == 0


@given(st.lists(st.binary(max_size=4096), max_size=20))
def test_n05_no_bytes_make_the_gate_hold_more_than_one_frame(pieces):
    gate = FrameGate()
    try:
        for piece in pieces:
            gate.feed(piece, 0)
    except GarbageError:
        return
    assert gate.waiting_bytes <= 4 + FRAME_BYTES_MAX


@pytest.mark.parametrize("length", [0, FRAME_BYTES_MAX + 1, 0xFFFFFFFF])
def test_n05_a_length_that_cannot_be_is_garbage_as_soon_as_it_is_read(length):
    with pytest.raises(GarbageError):
        FrameGate().feed(struct.pack(">I", length), 0)


@pytest.mark.parametrize("first", [b"\x00", b"x", b"-", b"\xff"])
def test_n05_a_frame_that_begins_with_no_digit_is_garbage_before_it_is_whole(first):
    with pytest.raises(GarbageError):
        FrameGate().feed(struct.pack(">I", 1000) + first, 0)


def test_the_longest_honest_frame_passes():
    gate = FrameGate()

    assert gate.feed(struct.pack(">I", FRAME_BYTES_MAX), 0) == b""
    whole = gate.feed(b"1" * FRAME_BYTES_MAX, 0)

    assert len(whole) == 4 + FRAME_BYTES_MAX


def test_n03_a_frame_that_trickles_is_overdue_however_often_a_byte_comes():
    gate, stream = FrameGate(), framed([b"4low"])

    for second, byte in enumerate(stream[:-1]):
        gate.feed(bytes([byte]), second)

    assert not gate.overdue(5, deadline_ns=5)
    assert gate.overdue(6, deadline_ns=5)
    gate.feed(stream[-1:], 8)
    assert not gate.overdue(100, deadline_ns=5)


def test_each_frame_has_its_own_time():
    gate, stream = FrameGate(), framed([b"1ne", b"2wo"])

    gate.feed(stream[:6], 0)
    gate.feed(stream[6:10], 4)

    assert not gate.overdue(8, deadline_ns=5)
    assert gate.overdue(10, deadline_ns=5)


@given(st.lists(st.binary(max_size=5000).map(lambda rest: b"4" + rest), max_size=30))
def test_pieces_are_whole_frames_and_together_all_of_them(payloads):
    stream = framed(payloads)

    found = list(pieces(stream))

    assert b"".join(found) == stream
    longest = max((4 + len(payload) for payload in payloads), default=0)
    assert all(len(piece) < PIECE_BYTES + longest for piece in found)
    assert all(FrameGate().feed(piece, 0) == piece for piece in found)
