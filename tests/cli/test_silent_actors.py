"""An actor that does not answer: what it knows is unknown, and not shown as if it were nothing."""

import json

import msgspec
import pytest

from thetawarden.actors.keeping import KeeperState
from thetawarden.cli import run_command_line
from thetawarden.cli.looks import LOOKS
from thetawarden.cli.place import Place, SilentActorError
from thetawarden.domain.books.book import Book
from thetawarden.messages.control import ActorView, Inspection, Lanes

ASKING = {
    "positions": ["positions"],
    "orders": ["orders"],
    "candidates": ["candidates"],
    "lineup show": ["lineup", "show"],
    "chain": ["chain", "SPX"],
    "regime": ["regime"],
    "slots": ["slots"],
    "risk": ["risk"],
    "inspect": ["inspect", "governor"],
}


class Desk:
    """A desk whose actors do not answer, but for those whose states are given."""

    def __init__(self, **states):
        self._states = states

    def inspect(self, name=None):
        names = ["chain/SPX"] if name is None else [name]
        shown = tuple(view(each) for each in names)
        return Inspection(actors=shown, actor_state=self._states.get(name))


def view(name):
    return ActorView(
        name=name,
        state="running",
        incarnation=1,
        restarts=0,
        lanes=Lanes(control=0, orders=0, timer=0, market=0),
        handled=0,
        rate_per_s=0.0,
        handler_us_p99=0.0,
        last_handled_at=None,
        group="",
    )


def ask(monkeypatch, capsys, arguments, desk=None):
    monkeypatch.setattr(Place, "desk", lambda _: desk or Desk())
    code = run_command_line(arguments)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("verb", ASKING)
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["eyes", "json"])
def test_a_verb_says_that_it_does_not_know_and_exits_5(verb, form, monkeypatch, capsys):
    code, out, err = ask(monkeypatch, capsys, [*ASKING[verb], *form])

    assert code == 5
    assert "does not answer" in err
    assert len(err.splitlines()) == 1
    if verb != "inspect":  # which still shows how the actor's mailbox fares
        assert out == ""


def test_positions_are_shown_without_what_the_steward_decided(monkeypatch, capsys):
    desk = Desk(keeper=msgspec.to_builtins(KeeperState(book=Book(client_id=17))))

    code, out, err = ask(monkeypatch, capsys, ["positions", "--json"], desk)

    assert (code, json.loads(out)) == (0, [])
    assert "steward does not answer" in err


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.title)
def test_a_table_of_the_console_is_not_shown_empty(look):
    with pytest.raises(SilentActorError):
        look.show(Desk(), "")
