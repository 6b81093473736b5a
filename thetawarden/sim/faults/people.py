"""What people do: halt, resume, resume wrongly, flatten, trade by hand, cancel by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.domain.broker.orders import execution_stem
from thetawarden.messages.books import AcceptBook
from thetawarden.messages.risk import FreezeExits
from thetawarden.messages.trading import CancelAll, Flatten, Halt, Resume
from thetawarden.practice import model
from thetawarden.sim.faults.kinds import Family, Kinds, Planned, Undo

if TYPE_CHECKING:
    from thetawarden.sim.world import World

PERSON = "person"


def _halt(world: World, _planned: Planned) -> Undo:
    world.say(Halt(reason="a person wants quiet", by=PERSON), sender=PERSON)
    return lambda: resume(world)


def resume(world: World) -> None:
    """A person lifts whatever halt stands, by its own epoch."""
    latch = world.latch()
    if latch is not None and latch.halt is not None:
        words = "a person looked at it"
        world.say(Resume(reason=words, by=PERSON, epoch=latch.epoch), sender=PERSON)


def accept_untold(world: World) -> None:
    """A person accepts the broker's book where its statement has fills that nobody will tell of.

    A broker tells of the fills of its own day; those of an evening without a link stay unexplained.
    """
    gateway = world.gateway
    done = gateway.exchange.executions(model.ExecutionFilter(account=gateway.account))
    if gateway.untold - {execution_stem(fill.exec_id) for fill, _ in done}:
        words = "fills of an earlier day, by the broker's statement"
        world.say(AcceptBook(reason=words, by=PERSON), sender=PERSON)


def _wrong_resume(world: World, planned: Planned) -> None:
    latch = world.latch()
    epoch = (0 if latch is None else latch.epoch) + 1 + planned.pick % 3
    world.say(Resume(reason="mistaken", by=PERSON, epoch=epoch), sender=PERSON)


def _cancel_all(world: World, _planned: Planned) -> None:
    world.say(CancelAll(reason="a person wants none", by=PERSON), sender=PERSON)


def _flatten(world: World, _planned: Planned) -> None:
    world.say(Flatten(reason="a person wants out", by=PERSON), sender=PERSON)


def _freeze_exits(world: World, _planned: Planned) -> Undo:
    def freeze(*, frozen: bool) -> None:
        words = "a person decides"
        world.say(FreezeExits(frozen=frozen, reason=words, by=PERSON), sender=PERSON)

    freeze(frozen=True)
    return lambda: freeze(frozen=False)


def _manual_trade(world: World, planned: Planned) -> None:
    exchange = world.gateway.exchange
    query = model.ContractQuery(symbol="SPY", sec_type="STK", exchange="SMART")
    contract = exchange.market.find(query)[0].contract
    exchange.manual_order(
        account=world.gateway.account,
        contract=contract,
        action=model.Action.BUY if planned.pick % 2 else model.Action.SELL,
        quantity=1 + planned.pick % 5,
    )
    world.gateway.advance()


def _manual_cancel(world: World, planned: Planned) -> None:
    exchange = world.gateway.exchange
    ours = exchange.open_orders()
    if ours:
        chosen = ours[planned.pick % len(ours)]
        exchange.break_order(perm_id=chosen.perm_id, text="cancelled by hand")


_kind = Kinds(Family.HUMAN).kind

KINDS = (
    _kind("H01", "manual-trade", "somebody trades in the account by hand", _manual_trade),
    _kind("H02", "manual-cancel", "somebody cancels an order by hand", _manual_cancel, weight=3),
    _kind("H04", "wrong-resume", "a resume names another halt", _wrong_resume),
    _kind("brake", "halt", "a person halts, and resumes later", _halt, weight=3),
    _kind("brake", "cancel-all", "a person cancels all entries", _cancel_all),
    _kind("brake", "flatten", "a person wants everything closed", _flatten, weight=1),
    _kind("brake", "freeze-exits", "a person freezes the exits", _freeze_exits, weight=1),
)
