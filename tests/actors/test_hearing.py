"""What an actor hears no more is passed over when it is rebuilt from an older log."""

import msgspec

from thetawarden.actors.hearing import heard_by, is_heard
from thetawarden.actors.memory import rebuild
from thetawarden.domain.instants import UnixNs
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.trading import CancelAll, Halt, Resume
from thetawarden.ports import Delivery


class Count(msgspec.Struct):
    halts: int = 0


class HearsHalts:
    """Once it heard `Resume` as well."""

    def __init__(self):
        self.state = Count()

    def receive(self, message: Halt | CancelAll, now: UnixNs) -> tuple[()]:
        assert isinstance(message, Halt | CancelAll)
        self.state.halts += 1
        return ()


class HearsAnything:
    def receive(self, message: Message, now: UnixNs) -> tuple[Message, ...]:
        return (message,)


def delivered(*bodies):
    return [
        Delivery(Envelope(seq, seq, "person", 0, None, body), "brake", 1, seq)
        for seq, body in enumerate(bodies, 1)
    ]


def test_an_actor_that_hears_less_than_it_did_begins_with_its_past_all_the_same():
    halt, resume = Halt(reason="r", by="b"), Resume(reason="r", by="b", epoch=1)

    actor, _ = rebuild(HearsHalts, None, delivered(halt, resume, halt))

    assert actor.state.halts == 2


def test_what_is_heard_is_read_off_the_annotation_and_without_one_it_is_everything():
    assert heard_by(HearsHalts) == {Halt, CancelAll}
    assert heard_by(HearsAnything) is None
    assert is_heard(HearsAnything, Resume(reason="r", by="b", epoch=1))
