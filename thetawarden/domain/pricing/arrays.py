"""Decides how arguments of different shapes become equally long arrays.

Refuses to know what the numbers mean. Every pricing function takes scalars or arrays that
broadcast against each other and answers in the broadcast shape.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
Rows: TypeAlias = npt.NDArray[np.intp]
Floats: TypeAlias = FloatArray | float
Bools: TypeAlias = BoolArray | bool


def align(*values: Floats | Bools) -> tuple[tuple[int, ...], list[FloatArray]]:
    """Return the common shape and each value as a contiguous float64 vector of that many entries.

    The vectors may be the caller's own memory: read them, never write into them.
    """
    arrays = [np.asarray(value, dtype=np.float64) for value in values]
    shape = arrays[0].shape
    if len(shape) == 1 and all(array.shape == shape for array in arrays):
        return shape, [np.ascontiguousarray(array) for array in arrays]
    shape = np.broadcast_shapes(*(array.shape for array in arrays))
    size = int(np.prod(shape))
    vectors = []
    for array in arrays:
        if array.shape == shape:
            vectors.append(np.ascontiguousarray(array).reshape(size))
        else:
            vectors.append(np.broadcast_to(array, shape).reshape(size))
    return shape, vectors
