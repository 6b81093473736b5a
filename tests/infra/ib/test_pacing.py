"""Our own pace: never too fast, orders first, slower when told so."""

import asyncio
import itertools

from hypothesis import given
from hypothesis import strategies as st

from thetawarden.infra.ib.pacing import WINDOW_NS, Pace, Pacer, Priority

NS = 1_000_000_000


class Hands:
    """A clock turned by hand, and a pacer on it whose alarms are ours to ring."""

    def __init__(self, pace=None):
        self.now = 0
        self.pacer = Pacer(pace=pace or Pace(), monotonic_ns=lambda: self.now)
        self.let_go = []

    def ask(self, priority, weight=1):
        async def go():
            await self.pacer.permit(priority, weight=weight, patience_s=600)
            self.let_go += [(self.now, priority)] * weight

        return asyncio.ensure_future(go())

    async def turn(self, ns):
        self.now += ns
        self.pacer._let_go()
        for _ in range(5):
            await asyncio.sleep(0)

    async def run(self, tasks, step_ns=NS // 50):
        while not all(task.done() for task in tasks):
            await self.turn(step_ns)


def fullest_second(instants):
    return max(sum(1 for later in instants if start <= later <= start + NS) for start in instants)


@given(
    wants=st.lists(st.tuples(st.sampled_from(Priority), st.integers(1, 4)), max_size=150),
    step_ns=st.integers(NS // 200, NS // 3),
)
async def test_no_second_ever_holds_more_than_forty_messages(wants, step_ns):
    hands = Hands()

    await hands.run([hands.ask(*want) for want in wants], step_ns)

    instants = [at for at, _ in hands.let_go]
    assert len(instants) == sum(weight for _, weight in wants)
    assert not instants or fullest_second(instants) <= 40


async def test_a_cancel_finds_room_at_once_behind_any_amount_of_data():
    hands = Hands()
    data = [hands.ask(Priority.LINES) for _ in range(500)]
    await hands.turn(0)

    cancels = [hands.ask(Priority.CANCEL) for _ in range(10)]
    await hands.turn(0)

    assert all(task.done() for task in cancels)
    assert sum(task.done() for task in data) == 30
    await hands.run(data)


async def test_whoever_matters_more_goes_first_and_equals_in_turn():
    hands = Hands(Pace(per_s=2, reserved=1))
    order = (Priority.HISTORY, Priority.LINES, Priority.BOOK, Priority.ORDER, Priority.CANCEL)

    await hands.run([hands.ask(priority) for priority in (Priority.HISTORY, *order, *order)])

    at_once, waited = 2, [priority for _, priority in hands.let_go]
    del waited[:at_once]
    assert waited == sorted(waited)


async def test_a_refusal_halves_what_data_may_take_and_leaves_orders_alone():
    hands = Hands()

    hands.pacer.slow_down()
    data = [hands.ask(Priority.LINES) for _ in range(60)]
    orders = [hands.ask(Priority.ORDER) for _ in range(25)]
    await hands.turn(0)

    assert all(task.done() for task in orders)
    assert hands.pacer.slowed
    await hands.run(data)
    seconds = itertools.pairwise(at for at, kind in hands.let_go if kind is Priority.LINES)
    assert all(later >= earlier for earlier, later in seconds)
    assert fullest_second([at for at, kind in hands.let_go if kind is Priority.LINES]) <= 15


async def test_refusals_never_stop_data_for_good_and_it_recovers_in_steps():
    hands = Hands()
    for _ in range(20):
        hands.pacer.slow_down()
    slowest = hands.pacer.data_per_s

    speeds = []
    for _ in range(12):
        await hands.run([hands.ask(Priority.LINES)], step_ns=10 * NS)
        speeds.append(hands.pacer.data_per_s)

    assert slowest > 0
    assert speeds == sorted(speeds)
    assert speeds[0] < 30
    assert speeds[-1] == 30
    assert not hands.pacer.slowed


async def test_a_message_nobody_asked_permission_for_is_counted_all_the_same():
    hands = Hands()
    for _ in range(30):
        hands.pacer.sent()

    waiting = hands.ask(Priority.LINES)
    await hands.turn(0)

    assert hands.pacer.unplanned == 30
    assert not waiting.done()
    await hands.turn(WINDOW_NS)
    assert waiting.done()


async def test_patience_ends_and_leaves_no_claim_behind():
    hands = Hands(Pace(per_s=2, reserved=1))
    await hands.run([hands.ask(Priority.LINES)])

    came = await hands.pacer.permit(Priority.LINES, patience_s=0.01)
    await hands.turn(WINDOW_NS)
    after = hands.ask(Priority.LINES)
    await hands.turn(0)

    assert came is False
    assert after.done()
