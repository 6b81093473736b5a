"""Turns arrays into bytes and back, so that a state or a message can hold them.

Little-endian, whatever the machine; equal arrays give equal bytes, NaN included.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

S = TypeVar("S", bound=msgspec.Struct)


class Packed(msgspec.Struct, frozen=True, array_like=True):
    """One array: the type of its numbers, its shape, and its bytes."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


Columns = dict[str, Packed]


def pack(array: NDArray[Any]) -> Packed:
    """Return an array as bytes."""
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return Packed(little.dtype.str, array.shape, little.tobytes())


def unpack(packed: Packed) -> NDArray[Any]:
    """Return an array of its own, to be written to at will."""
    return np.frombuffer(packed.data, dtype=packed.dtype).reshape(packed.shape).copy()


def pack_columns(columns: msgspec.Struct) -> Columns:
    """Return every array of a struct of arrays, by the name of its field."""
    return {name: pack(getattr(columns, name)) for name in columns.__struct_fields__}


def unpack_columns(columns: Columns, kind: type[S]) -> S:
    """Return the struct of arrays again."""
    return kind(**{name: unpack(columns[name]) for name in kind.__struct_fields__})
