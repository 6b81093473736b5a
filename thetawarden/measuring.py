"""What a monitoring system is told of a desk: looked up as a person would."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from thetawarden import __version__
from thetawarden.infra.metrics import Figures
from thetawarden.messages.control import ActorView, Status
from thetawarden.messages.risk import RiskTaken
from thetawarden.operating import Operator
from thetawarden.process import DeskProcess

Value = float | int | bool | None
NS = 1e-9


class Measures:
    """Looks at one desk; one thread at a time, whichever."""

    def __init__(self, process: DeskProcess, operator: Operator) -> None:
        self._process, self._operator = process, operator

    def look(self) -> Sequence[Figures]:
        """Everything there is to tell now."""
        status = self._operator.status()
        return (
            *_desk(status),
            *_actors(self._operator.inspect(None).actors),
            *self._journal(),
            self._orders(),
            self._limits(),
            self._quotes(),
        )

    def _journal(self) -> Iterable[Figures]:
        journal = self._process.journal
        yield _one("log_lag_seconds", "How far the disk is behind.", journal.lag_ns() * NS)
        yield _one("log_messages", "Messages said.", journal.last_seq, counts=True)

    def _orders(self) -> Figures:
        stages: Counter[str] = Counter()
        for life in self._state("executor", "orders").values():
            stages[str(life["stage"])] += 1
        return _each("orders", "Orders of ours by stage.", "stage", sorted(stages.items()))

    def _limits(self) -> Figures:
        taken = self._state("governor", "taken")
        uses = msgspec.convert(taken, RiskTaken, strict=False).uses if taken else ()
        return Figures(
            name="limit_used_fraction",
            words="How much of a limit is used with all that may yet fill.",
            labels=("rule", "limit"),
            values=tuple(((str(use.rule), use.name), _known(use.fraction)) for use in uses),
        )

    def _quotes(self) -> Figures:
        now_ns = self._process.clock.now_ns()
        ages = [
            (name, (now_ns - seen["at_ns"]) * NS if seen["at_ns"] else None)
            for name, seen in self._state("watchdog", "prices").items()
        ]
        return _each("quote_age_seconds", "Since a price changed, in market time.", "price", ages)

    def _state(self, actor: str, part: str) -> Any:
        """A part of an actor's state; empty while it does not answer."""
        state = self._operator.inspect(actor).actor_state
        return {} if state is None else state[part]


def _desk(status: Status) -> Iterable[Figures]:
    halt = status.halt
    yield Figures(
        name="info",
        words="What runs.",
        labels=("mode", "version"),
        values=(((status.mode, __version__), 1.0),),
    )
    yield _one("halted", "Whether trading is halted.", halt is not None)
    yield _one("halt_epoch", "The halt in force, 0 for none.", 0 if halt is None else halt.epoch)
    yield _one("entries_frozen", "Reasons against new risk.", len(status.entries_frozen))
    yield _one("ailments", "What ails the desk.", len(status.ailments))
    yield _each("link", "The link's state.", "state", [(status.link.state, 1)])
    yield _one("reconciled", "Whether the book agrees with the broker's.", status.reconciled)
    yield _one("net_liquidation_usd", "What the account is worth.", status.nlv_usd)
    yield _one("positions", "Positions held.", status.positions)
    yield _one("working_orders", "Orders working at the broker.", status.working_orders)


def _actors(actors: Sequence[ActorView]) -> Iterable[Figures]:
    def by_actor(
        name: str, words: str, of: Callable[[ActorView], Value], *, counts: bool = False
    ) -> Figures:
        values = [(actor.name, of(actor)) for actor in actors]
        return _each(name, words, "actor", values, counts=counts)

    yield by_actor("actor_running", "Whether it runs.", lambda each: each.state == "running")
    yield by_actor("actor_restarts", "Restarts.", lambda each: each.restarts, counts=True)
    yield by_actor("actor_handled", "Messages handled.", lambda each: each.handled, counts=True)
    yield by_actor("actor_rate", "Messages a second, lately.", lambda each: each.rate_per_s)
    yield by_actor(
        "actor_handler_p99_seconds", "Handling time.", lambda each: each.handler_us_p99 / 1e6
    )
    yield Figures(
        name="actor_waiting",
        words="Messages that wait.",
        labels=("actor", "lane"),
        values=tuple(
            ((actor.name, lane), float(getattr(actor.lanes, lane)))
            for actor in actors
            for lane in actor.lanes.__struct_fields__
        ),
    )


def _one(name: str, words: str, value: Value, *, counts: bool = False) -> Figures:
    return Figures(name=name, words=words, values=(((), _known(value)),), counts=counts)


def _each(
    name: str,
    words: str,
    label: str,
    values: Iterable[tuple[str, Value]],
    *,
    counts: bool = False,
) -> Figures:
    known = tuple(((of,), _known(value)) for of, value in values)
    return Figures(name=name, words=words, labels=(label,), values=known, counts=counts)


def _known(value: Value) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
