"""Bugs planted on purpose, one at a time, to show that the checks can fail and chaos finds them.

Nothing of this is in the package: each is a patch of a running interpreter, taken back afterwards.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from tests.sim import sabotage
from thetawarden.actors import (
    brakes,
    futures,
    governing,
    keeper,
    notifier,
    submitting,
)
from thetawarden.actors.connection import Connection
from thetawarden.actors.executor import Executor
from thetawarden.actors.governor import Governor
from thetawarden.actors.protecting import Guard
from thetawarden.domain.books import book as books
from thetawarden.domain.books import judge as book_judge
from thetawarden.domain.chains import verdicts
from thetawarden.domain.chains.board import Board
from thetawarden.domain.context import readings as context_readings
from thetawarden.domain.governing import judging
from thetawarden.domain.orders import gate as gates
from thetawarden.domain.regime import correlation_gate, readings, trend, vix_band
from thetawarden.domain.risk import approving, case
from thetawarden.domain.risk.rules import order_sanity
from thetawarden.infra.halt_flag import HaltFlagFile
from thetawarden.sim import campaign
from thetawarden.sim import runtime as sim_runtime
from thetawarden.sim.broker import orders as sim_orders
from thetawarden.sim.broker.adapter import SimBroker
from thetawarden.sim.disk import DiskLog
from thetawarden.sim.faults.kinds import Planned
from thetawarden.sim.runtime import SimDesk
from thetawarden.sim.world import World

Make = Callable[[Any], Any]


@dataclasses.dataclass(frozen=True)
class Bug:
    """One bug: what it does, which invariants may show it, and where it is planted.

    `faults` are those under which it shows; None takes whatever the seed draws.
    """

    name: str
    words: str
    breaks: tuple[str, ...]
    patches: tuple[tuple[Any, str, Make], ...]
    faults: tuple[Planned, ...] | None = ()


@contextlib.contextmanager
def planted(bug: Bug) -> Iterator[None]:
    """Have the bug for a while."""
    before = [(owner, name, owner.__dict__[name]) for owner, name, _ in bug.patches]
    try:
        for (owner, name, make), (_, _, original) in zip(bug.patches, before, strict=True):
            setattr(owner, name, make(original))
        yield
    finally:
        for owner, name, original in before:
            setattr(owner, name, original)


def _at(name: str, at_min: int, for_min: int = 60, pick: int = 0) -> Planned:
    return Planned(name=name, at_min=at_min, for_min=for_min, pick=pick)


RESET = (_at("reset", 150), _at("reset", 210))
STILL = (_at("stale-leg", 80, 300, 3),)
"""Some lines stand still while the chain goes on: a halt of all trading never comes first."""
DELAYED = (_at("delayed", 35, 180, 0),)
CROSSED = (_at("crossed", 30, 300, 1),)
BIDLESS = (_at("bad-price", 30, 300, 1),)
HALTED = (_at("halt", 100, 240),)
KILLED = (_at("kill", 130, 4, 7), _at("kill", 220, 4, 11))
NAKED = (_at("exit-cancelled", 200, 4, 0), _at("exit-cancelled", 230, 4, 1))
LIQUIDATED = (_at("liquidation", 200, 4, 0), _at("liquidation", 230, 4, 1))
FILLS = (_at("duplicates", 60, 300), _at("correction", 180, 4, 1), _at("correction", 230, 4, 2))

BUGS = (
    Bug(
        "effect before its intent is durable",
        "orders leave before they are on disk",
        ("I02",),
        ((SimDesk, "_go_on_outside", sabotage.undurable),),
    ),
    Bug(
        "the other side",
        "buys what was to be sold",
        ("I02",),
        ((sim_orders, "ticket_of", sabotage.other_side),),
    ),
    Bug(
        "one more",
        "sends one unit more than intended",
        ("I02",),
        ((sim_orders, "ticket_of", sabotage.one_more),),
    ),
    Bug(
        "another price",
        "sends a price that was not intended",
        ("I02",),
        ((sim_orders, "ticket_of", sabotage.worse_price),),
    ),
    Bug(
        "stale change",
        "a change sends the order again as it was at first",
        ("I02",),
        ((sim_orders.SimOrders, "_send", sabotage.as_first_sent),),
    ),
    Bug(
        "double send",
        "every order leaves twice",
        ("I03",),
        ((sim_orders.SimOrders, "_send", sabotage.twice),),
    ),
    Bug(
        "double send on reconnect",
        "the last order leaves again on a new link",
        ("I03",),
        ((SimBroker, "_be_let_in", sabotage.again_on_reconnect),),
        RESET,
    ),
    Bug(
        "one approval for all",
        "an approval is used more than once",
        ("I04",),
        ((judging, "approve", sabotage.one_approval),),
    ),
    Bug(
        "more than approved",
        "an order is larger than its approval",
        ("I04",),
        ((submitting, "_units", sabotage.more_units),),
    ),
    Bug(
        "halt ignored",
        "governor, executor and gate do not heed a halt",
        ("I01",),
        (
            (governing, "desk_of", sabotage.deaf_to_halt),
            (Executor, "receive", sabotage.unhalted),
            (gates, "_of_the_brakes", sabotage.none),
        ),
        HALTED,
    ),
    Bug(
        "halt ignored by what says it reduces",
        "every entry calls itself reducing, and nobody heeds a halt",
        ("I01",),
        (
            (submitting, "main_intent", sabotage.says_it_reduces),
            (governing, "desk_of", sabotage.deaf_to_halt),
            (Executor, "receive", sabotage.unhalted),
            (gates, "_of_the_brakes", sabotage.none),
        ),
        HALTED,
    ),
    Bug(
        "lifts itself",
        "a new start lifts the halt",
        ("I13",),
        ((Governor, "receive", sabotage.lifts_itself),),
        (*HALTED, _at("kill", 160, 4, 3)),
    ),
    Bug(
        "any epoch",
        "a resume of another halt is taken",
        ("I13",),
        ((brakes, "open_latch", sabotage.any_epoch),),
        (*HALTED, _at("wrong-resume", 130)),
    ),
    Bug(
        "forgets a step",
        "an actor that begins again lacks what it heard last",
        ("I07",),
        ((sim_runtime, "rebuild", sabotage.forgets_last),),
        (_at("crash", 90, 4, 3), _at("crash", 130, 4, 5), _at("hang", 170, 4, 1)),
    ),
    Bug(
        "no halt flag",
        "the flag file is not written",
        ("I13",),
        ((HaltFlagFile, "raise_flag", sabotage.no_flag),),
        (_at("manual-trade", 100), *HALTED),
    ),
    Bug(
        "gives up quietly",
        "the supervisor ends without a halt",
        ("I23",),
        ((World, "_give_up", sabotage.gives_up_quietly),),
        (_at("hang", 120, 4, 3), _at("hang", 150, 4, 1)),
    ),
    Bug(
        "untold",
        "nobody is told of a halt",
        ("I24",),
        ((notifier.Notifier, "receive", sabotage.nothing),),
        HALTED,
    ),
    Bug(
        "drops fills",
        "the keeper books no fill",
        ("I05", "I29"),
        (
            (keeper, "with_execution", sabotage.drops_fills),
            (book_judge, "with_execution", sabotage.drops_fills),
        ),
    ),
    Bug(
        "wrong sign of fills",
        "what was sold is booked as bought",
        ("I05", "I29", "I16"),
        (
            (keeper, "with_execution", sabotage.wrong_sign),
            (book_judge, "with_execution", sabotage.wrong_sign),
        ),
    ),
    Bug(
        "corrections add up",
        "a correction is booked as another fill",
        ("I05", "I29", "I16"),
        ((books, "execution_stem", sabotage.counts_corrections),),
        FILLS,
    ),
    Bug(
        "loses what it acknowledged",
        "written rows are lost in a crash",
        ("I08",),
        ((DiskLog, "written", sabotage.loses_the_last),),
        KILLED,
    ),
    Bug(
        "no header",
        "a run does not say what it is",
        ("I26",),
        ((World, "say", sabotage.no_header),),
    ),
    Bug(
        "stale quotes accepted",
        "nobody looks how old a quote is",
        ("I12",),
        (
            (order_sanity, "_quote_fault", sabotage.empty),
            (order_sanity, "age_fault", sabotage.none),
            (gates, "_of_its_age", sabotage.none),
            *(
                (one, "fault_of", sabotage.ageless)
                for one in (readings, vix_band, trend, correlation_gate)
            ),
        ),
        STILL,
    ),
    Bug(
        "delayed quotes accepted",
        "nobody looks whether a quote is live",
        ("I12",),
        (
            (order_sanity, "_quote_fault", sabotage.empty),
            (context_readings, "price_reading", sabotage.as_live),
            (futures, "price_reading", sabotage.as_live),
            (Board, "observe", sabotage.all_live),
            (gates, "_of_its_data", sabotage.nothing_wrong),
        ),
        DELAYED,
    ),
    Bug(
        "crossed quotes accepted",
        "a bid above the ask speaks against nothing",
        ("I12",),
        (
            (verdicts, "_prices", sabotage.crossed_is_fine),
            (order_sanity, "_quote_fault", sabotage.empty),
        ),
        CROSSED,
    ),
    Bug(
        "one-sided quotes accepted",
        "what nobody bids for is entered at the prices of before",
        ("I12",),
        (
            (verdicts, "_prices", sabotage.one_side_is_fine),
            (order_sanity, "_quote_fault", sabotage.empty),
        ),
        BIDLESS,
    ),
    Bug(
        "reservations forgotten",
        "neither what is on its way nor what is held counts against the limits",
        ("I06",),
        (
            (governing, "pending_orders", sabotage.nothing),
            (approving, "pending_orders", sabotage.nothing),
            (governing, "holdings_of", sabotage.nothing),
        ),
    ),
    Bug(
        "margin on its way forgotten",
        "what works needs no margin until it has filled",
        ("I06",),
        (
            (campaign, "with_limits", sabotage.margin_of_few_spreads),
            (case.Case, "reserved_margin_usd", sabotage.nothing_is_kept_free),
        ),
    ),
    Bug(
        "losses forgotten",
        "what is held and works costs nothing in any scenario",
        ("I06",),
        (
            (campaign, "with_limits", sabotage.loss_of_few_spreads),
            (case.Case, "worst", sabotage.costs_nothing),
        ),
    ),
    Bug(
        "exits forgotten",
        "entries leave without exits, and nobody minds",
        ("I14",),
        ((submitting, "exit_intents", sabotage.nothing), (Guard, "look", sabotage.nothing)),
    ),
    Bug(
        "exits of one unit",
        "exits are for one unit, however many were sold",
        ("I14",),
        (
            (submitting, "exit_intents", sabotage.of_one_unit),
            (Guard, "look", sabotage.nothing),
        ),
    ),
    Bug(
        "exits of five times",
        "exits buy back five times what was sold",
        ("I14",),
        (
            (submitting, "exit_intents", sabotage.five_times),
            (Guard, "look", sabotage.nothing),
        ),
    ),
    Bug(
        "exits left behind",
        "exits of what the broker has closed itself are not taken back",
        ("I14",),
        (
            (Guard, "_take_all_back", sabotage.nothing),
            (Guard, "_repair", sabotage.nothing),
        ),
        LIQUIDATED,
    ),
    Bug(
        "forgets trades",
        "the executor knows nothing of a trade once it is open",
        ("I14",),
        ((Guard, "look", sabotage.forgets_trades),),
        NAKED,
    ),
    Bug(
        "exits not repaired",
        "a lost exit stays lost, and nobody is told",
        ("I14",),
        ((Guard, "look", sabotage.nothing),),
        NAKED,
    ),
    Bug(
        "exits repaired by another process only",
        "a lost exit is missed by nobody until the executor begins anew",
        ("I14",),
        ((Executor, "_look_after", sabotage.blind_to_changes),),
        (*NAKED, _at("kill", 265, 4, 3)),
    ),
    Bug(
        "never reconnects",
        "a lost link is not made again",
        ("I29",),
        (
            (Connection, "_lose", sabotage.hears_no_loss),
            (Connection, "_give_up", sabotage.gives_nothing_up),
        ),
        RESET,
    ),
)
