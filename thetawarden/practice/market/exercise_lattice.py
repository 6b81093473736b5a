"""Rolls back what the right to exercise early adds to European options on a share that pays cash.

The escrowed model of `domain.pricing.dividends`: the spot less what is still paid before expiry
diffuses. Trinomial lattices run side by side: the European value, the premium over it when every
step may exercise, and when every second may. The first keeps the lattice's own error out of the
premium, the last takes out most of what is lost between steps. Nodes are centred on the strike and
not on any spot, so that one pass holds for every spot of a day. Nodes are the first axis, options
the last. Amounts are USD per share, times years.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.pricing.black import black_price

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]

STEPS = 72
_SPREAD = 3.0
_WIDTH = 4.6
"""Deviations either side of the strike."""
MIDDLE = math.ceil(_WIDTH * math.sqrt(STEPS / _SPREAD))
NODES = 2 * MIDDLE + 1


class Schedule(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A series' time from the start of a span: its steps, and what is paid after each of them."""

    moments: Floats
    span_ends_at: int
    """The step at which the span ends over which premiums will be asked for."""
    never_skipped: Bools
    """Steps that exercise even when every second one does not: around ex-dates, the span's end."""
    owed_to_calls: Floats
    """Worth, at each step, of dividends an exercise then still brings: those on the step too."""
    owed_to_puts: Floats


class Slices(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Premiums at the start and at the end of the span; axes: options, two, nodes."""

    premium: Floats
    dx: Floats
    """Distance of nodes, in the logarithm of the escrowed spot."""


class _Lattice(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Per step and option what carries values back, and what exercise brings."""

    node: Floats
    shrink: Floats
    side: Floats
    stay: Floats
    discount: Floats
    bond: Floats
    owed: Floats
    strike: Floats
    sign: Floats
    inside: NDArray[np.intp]
    """The outermost node in the money."""

    def share(self, step: int) -> Floats:
        """The escrowed spot at every node."""
        worth: Floats = self.node * self.shrink[step]
        return worth

    def exercise(self, step: int, share: Floats) -> Floats:
        """What exercising brings at every node."""
        brought: Floats = self.sign * (share + (self.owed[step] - self.strike))
        return brought

    def back(self, values: Floats, step: int, at_inside: Floats) -> Floats:
        """Carry values one step back; far out of the money they are zero, far in as given."""
        back = np.zeros_like(values)
        inner = back[1:-1]
        np.add(values[2:], values[:-2], out=inner)
        inner *= self.side[step]
        inner += values[1:-1] * self.stay[step]
        back[self.inside, np.arange(len(at_inside))] = at_inside
        return back


def schedule(
    *, span: float, tau: float, rate_annual: float, ex_tau: Floats, amount: Floats
) -> Schedule:
    """Lay the steps so that the span's end and every ex-date fall on one."""
    ends = min(span, tau)
    fixed = np.unique(np.concatenate(([0.0, ends, tau], ex_tau)))
    at_step = np.rint(STEPS * fixed / tau).astype(np.intp)
    for place in range(1, len(at_step)):
        at_step[place] = max(at_step[place], at_step[place - 1] + 1)
    at_step = np.minimum(at_step, STEPS - np.arange(len(fixed))[::-1])
    moments = np.interp(np.arange(STEPS + 1), at_step, fixed)
    ex_step = at_step[np.searchsorted(fixed, ex_tau)]
    worth = amount * np.exp(-rate_annual * (ex_tau - moments[:, None]))
    steps = np.arange(STEPS + 1)
    span_ends_at = int(at_step[np.searchsorted(fixed, ends)])
    never_skipped = steps % 2 == 0
    never_skipped[ex_step] = never_skipped[np.maximum(ex_step - 1, 0)] = True
    never_skipped[span_ends_at] = True
    return Schedule(
        moments=moments,
        span_ends_at=span_ends_at,
        never_skipped=never_skipped,
        owed_to_calls=np.sum(np.where(steps[:, None] <= ex_step, worth, 0.0), axis=1),
        owed_to_puts=np.sum(np.where(steps[:, None] < ex_step, worth, 0.0), axis=1),
    )


def roll_back(
    *,
    schedules: list[Schedule],
    strike: Floats,
    is_call: Bools,
    iv_annual: Floats,
    rate_annual: float,
) -> Slices:
    """Return the premiums of options, one schedule each."""
    moments = np.array([one.moments for one in schedules]).T
    owed = np.array(
        [
            one.owed_to_calls if call else one.owed_to_puts
            for one, call in zip(schedules, is_call.tolist(), strict=True)
        ]
    ).T
    lengths, left = np.diff(moments, axis=0), moments[-1] - moments
    dx = iv_annual * np.sqrt(_SPREAD * lengths.max(axis=0))
    discount = np.exp(-rate_annual * lengths)
    side = 0.5 * iv_annual**2 * lengths / dx**2 * discount
    lattice = _Lattice(
        node=strike * np.exp(np.arange(-MIDDLE, MIDDLE + 1)[:, None] * dx),
        shrink=np.exp(-(rate_annual - 0.5 * iv_annual**2) * left),
        side=side,
        stay=discount - 2.0 * side,
        discount=discount,
        bond=strike * np.exp(-rate_annual * left),
        owed=owed,
        strike=strike,
        sign=np.where(is_call, 1.0, -1.0),
        inside=np.where(is_call, NODES - 1, 0),
    )
    european = black_price(
        forward=lattice.share(-2) / discount[-1],
        strike=strike,
        discount=discount[-1],
        tau_years=lengths[-1],
        iv_annual=iv_annual,
        is_call=is_call,
    )
    return Slices(premium=_march(lattice, schedules, european), dx=dx)


def _march(lattice: _Lattice, schedules: list[Schedule], european: Floats) -> Floats:
    """Carry all values from the last step but one to the first; return what is kept of them."""
    never_skipped = np.array([one.never_skipped for one in schedules]).T
    span_ends_at = np.array([one.span_ends_at for one in schedules])
    often = np.maximum(lattice.exercise(-2, lattice.share(-2)) - european, 0.0)
    seldom, column = often, np.arange(len(schedules))
    found = np.zeros((len(schedules), 2, NODES))
    _keep(found, span_ends_at == STEPS - 1, often, seldom)
    for step in range(STEPS - 2, -1, -1):
        share, fade = lattice.share(step), lattice.discount[step]
        surely = lattice.sign * (share[lattice.inside, column] - lattice.bond[step])
        european = lattice.back(european, step, surely)
        often = lattice.back(often, step, often[lattice.inside, column] * fade)
        seldom = lattice.back(seldom, step, seldom[lattice.inside, column] * fade)
        gain = lattice.exercise(step, share) - european
        np.maximum(often, gain, out=often)
        np.maximum(seldom, gain, out=seldom, where=never_skipped[step])
        _keep(found, span_ends_at == step, often, seldom)
    found[:, 0] = np.maximum(2.0 * often - seldom, 0.0).T
    return found


def _keep(found: Floats, ends: Bools, often: Floats, seldom: Floats) -> None:
    if ends.any():
        found[ends, 1] = np.maximum(2.0 * often[:, ends] - seldom[:, ends], 0.0).T
