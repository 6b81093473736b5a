"""What a person sees and types when stepping by hand, without a terminal."""

import io

import msgspec
import pytest

from thetawarden.actors.post import ActorSpec
from thetawarden.cli.stepper import LETTERS_MAX, PLACES_MAX, lines_of, step_by_hand
from thetawarden.infra.journal.steps import Step
from thetawarden.messages.base import Envelope
from thetawarden.messages.operations import AlertDelivered
from thetawarden.ports import Delivery
from thetawarden.sim.cast import Replayed
from thetawarden.sim.changes import Change, changes
from thetawarden.sim.walk import Walk


class Heard(msgspec.Struct):
    last: int = 0
    before: list[str] = []


class Listener:
    def __init__(self):
        self.state = Heard()

    def receive(self, message, now):
        self.state.last = message.number
        self.state.before.append("x" * 1000)
        return ()


def step(n, seq):
    envelope = Envelope(seq, n, "test", 0, None, AlertDelivered(number=seq))
    return Step(n, Delivery(envelope, "listener", 1, n))


@pytest.fixture
def types(monkeypatch, capsys):
    """Types these lines while stepping through messages 21, 11 and 30; answers what was shown."""

    def type_lines(*lines, starts_at_end=False):
        steps = [step(n, seq) for n, seq in enumerate((21, 11, 30), 1)]
        spec = ActorSpec(name="listener", kind=Listener)
        walk = Walk(Replayed(spec), lambda after_n: iter(steps[after_n:]))
        if starts_at_end:
            walk.go_to_end()
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        step_by_hand(walk, end="here it ends")
        return capsys.readouterr().out.split("\n> ")

    return type_lines


def shown(before, after):
    return list(lines_of(tuple(changes(before, after)), "--json"))


def test_the_first_prompt_says_where_one_stands(types):
    assert "this is before the first message" in types()[0]
    assert "listener AlertDelivered 30" in types(starts_at_end=True)[0]


def test_a_number_goes_to_its_message_though_a_later_one_was_handled_before(types):
    _, at_11, at_30, back_at_21, _ = types("11", "30", "21")

    assert "listener AlertDelivered 11\n" in at_11
    assert "listener AlertDelivered 30\n" in at_30
    assert "listener AlertDelivered 21\n" in back_at_21


def test_a_number_nobody_handled_is_said_to_be_none_of_them(types):
    _, at_1, at_25, _ = types("1", "25")

    assert at_1.splitlines() == [
        "message 1 is none of those handled; the last before it:",
        "this is before the first message",
    ]
    assert at_25.startswith("message 25 is none of those handled; the last before it:\n")
    assert "listener AlertDelivered 11\n" in at_25


@pytest.mark.parametrize("wish", ["²", "①", "-1", "1.5", "what", "9" * 5000])
def test_what_is_no_number_shows_the_keys(types, wish):
    _, answer, _ = types(wish)

    assert answer.startswith("Enter: next")


def test_the_end_is_told_in_the_words_of_whoever_set_it(types):
    *_, answer, _ = types("", "", "", "")

    assert answer == "here it ends"


def test_the_whole_change_is_shown_when_it_is_asked_for(types):
    _, step_shown, whole, _ = types("", "c")

    assert "before[0]: new " in step_shown
    assert len(step_shown) < 300
    assert msgspec.json.decode(whole)[1] == {"path": ["before", 0], "after": "x" * 1000}


def test_a_place_is_one_line_with_what_was_and_what_is():
    before = {"latch": {"epoch": 0}, "lines": {"SPX 1": ["a"], "7": None}, "gone": True}
    after = {"latch": {"epoch": 1}, "lines": {"SPX 1": ["b"], "7": 0.5}, "new": "now"}

    assert shown(before, after) == [
        "latch.epoch: 0 -> 1",
        'lines["SPX 1"][0]: "a" -> "b"',
        'lines["7"]: null -> 0.5',
        "gone: gone true",
        'new: new "now"',
    ]


def test_of_a_column_the_first_numbers_are_shown_and_the_others_counted():
    change = Change(path=("bid_usd",), before=[1, 2, 3, 4], after=[5, 6, 7, 8], at=[0, 3, 4, 9])

    change = msgspec.structs.replace(change, among=240)

    assert list(lines_of((change,), "--json")) == [
        "bid_usd: 4 of 240 changed: [0] 1 -> 5, [3] 2 -> 6, [4] 3 -> 7, 1 more"
    ]


def test_bytes_are_counted():
    assert shown({"raw": b"abc"}, {"raw": b"axy"}) == ["raw: 3 bytes, 2 changed"]
    assert shown({"raw": b"abc"}, {"raw": b""}) == ["raw: 3 bytes -> 0 bytes"]


def test_a_long_value_is_cut_where_it_can_be_told_apart_and_its_length_told():
    (line,) = shown({"why": "a" * 500 + "x"}, {"why": "a" * 500 + "y"})

    assert "ax" in line
    assert "ay" in line
    assert len(line) < 3 * LETTERS_MAX
    (line,) = shown({"all": None}, {"all": list(range(1000))})
    assert line.startswith("all: null -> [0,1,2,")
    assert line.endswith("... (3,891 characters)")


def test_many_places_are_counted_after_the_first():
    lines = shown({}, {f"a{number}": 0 for number in range(PLACES_MAX + 1234)})

    assert len(lines) == PLACES_MAX + 1
    assert lines[-1] == "... 1,234 more places changed, --json shows them"
