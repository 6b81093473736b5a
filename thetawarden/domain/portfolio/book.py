"""What a book is for computation: positions as columns, and the underlyings they rest on.

Pure data with its conventions. Contracts > 0 are long, < 0 short; a share is one contract with a
multiplier of 1. Money is in USD, per share unless the name says otherwise; rates and yields are
continuously compounded; `beta` is to the index the shocks are stated in.
"""

from __future__ import annotations

import enum

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.pricing.arrays import BoolArray, FloatArray


class PositionKind(enum.StrEnum):
    """How a position's worth follows from its underlying."""

    LINEAR = "linear"
    EUROPEAN = "european"
    AMERICAN = "american"


KINDS: tuple[PositionKind, ...] = tuple(PositionKind)


class Underlyings(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One entry per underlying; `iv_beta` is its volatility points per VIX point at 30 days.

    `sector` is any small number; underlyings of one sector share it.
    """

    spot_usd: FloatArray
    beta: FloatArray
    iv_beta: FloatArray
    sector: NDArray[np.intp]


class Book(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One entry per position; option columns of linear positions are not read.

    `kind` holds positions in `KINDS`, `underlying` rows of `Underlyings`.
    """

    kind: NDArray[np.int8]
    underlying: NDArray[np.intp]
    contracts: FloatArray
    multiplier: FloatArray
    strike_usd: FloatArray
    is_call: BoolArray
    tau_years: FloatArray
    iv_annual: FloatArray
    rate_annual: FloatArray
    yield_annual: FloatArray

    def rows(self, kind: PositionKind) -> NDArray[np.intp]:
        """Which positions are of a kind."""
        return np.flatnonzero(self.kind == KINDS.index(kind))

    def take(self, rows: NDArray[np.intp]) -> Book:
        """The book of some positions only."""
        return Book(**{name: getattr(self, name)[rows] for name in self.__struct_fields__})

    @property
    def size(self) -> int:
        """How many positions there are."""
        return len(self.contracts)


def joined(*books: Book) -> Book:
    """One book of several, such as what is held and what is proposed."""
    return Book(
        **{
            name: np.concatenate([getattr(book, name) for book in books])
            for name in Book.__struct_fields__
        }
    )
