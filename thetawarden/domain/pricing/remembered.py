"""Decides implied volatilities of the same options again and again, faster than from nothing.

Answers as `implied` does: the same reason codes, and volatilities that differ by no more than
1e-12 of themselves. The first look costs about three times as much as one without a memory, later
ones a third. A memory may be old, another chain's or of another size: that costs time, never
correctness. The last digits depend on what is remembered; the same calls in the same order give
the same bits.

Refuses to know how often it is asked. A row that has left its anchor's reach is solved the
ordinary way, and gets a new anchor once enough rows have done so for it to pay.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from thetawarden.domain.pricing.anchors import Anchors, lay, lay_anew
from thetawarden.domain.pricing.arrays import Bools, FloatArray, Floats, Rows, align
from thetawarden.domain.pricing.implied import fill_implied
from thetawarden.domain.pricing.nearby import solve_nearby
from thetawarden.domain.pricing.reasons import Codes

_OWED_MAX: Final = 0.3  # of all rows


class Memory(msgspec.Struct, frozen=True, eq=False):
    """What one look keeps for the next. The call it is handed to takes it over and renews it."""

    anchors: Anchors
    iv_annual: FloatArray
    """The last answers: guesses where anchors do not reach."""
    owed: int
    """How many rows could not be solved by their anchors, summed since some were laid."""


class Remembered(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Volatilities and reasons as in `implied.Implied`, and the memory for the next look."""

    iv_annual: FloatArray
    reason_code: Codes
    memory: Memory


def remembered_volatility(
    *,
    price_usd: Floats,
    forward: Floats,
    strike: Floats,
    discount: Floats,
    tau_years: Floats,
    is_call: Bools,
    memory: Memory | None = None,
) -> Remembered:
    """Return what `implied_volatility` returns, and a memory to hand to the next call.

    Worth it when the same options are looked at again, row by row, after moves of basis points.
    """
    shape, columns = align(price_usd, forward, strike, discount, tau_years, is_call)
    iv = np.empty(columns[0].size)
    if memory is None or memory.anchors.size != iv.size:
        codes = fill_implied(columns, iv, guessed=False)
        memory = Memory(lay(columns, iv, codes), iv, 0)
    else:
        codes, memory = _solve_again(columns, iv, memory)
    return Remembered(iv_annual=iv.reshape(shape), reason_code=codes.reshape(shape), memory=memory)


def _solve_again(columns: list[FloatArray], iv: FloatArray, memory: Memory) -> tuple[Codes, Memory]:
    lost: Rows = np.flatnonzero(~solve_nearby(columns, memory.anchors, iv))
    codes = np.zeros(iv.size, dtype=np.int8)
    if not lost.size:
        return codes, Memory(memory.anchors, iv, memory.owed)
    part, found = [column[lost] for column in columns], memory.iv_annual[lost]
    codes[lost] = lost_codes = fill_implied(part, found, guessed=True)
    iv[lost] = found
    owed = memory.owed + lost.size
    if owed < _OWED_MAX * iv.size + 2.0 * lost.size:
        return codes, Memory(memory.anchors, iv, owed)
    anchors = lay_anew(memory.anchors, lost, part, found, lost_codes)
    return codes, Memory(anchors, iv, 0)
