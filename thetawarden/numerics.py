"""Has the numeric libraries compute the same bits on every processor that is new enough.

They choose their kernels by the processor they find, and kernels differ in the last bit. A log is
replayed byte for byte, perhaps on another machine than wrote it, so the choice is made here: what
every processor with AVX2 and FMA can do, on one thread, as how a sum is divided among threads shows
as well; our matrices are small. It is read when numpy is first imported; this package makes it
before. Whoever has chosen by the environment has chosen.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

NEEDED: Final = frozenset({"avx2", "fma"})
KERNELS: Final = {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_NUM_THREADS": "1"}
WIDER: Final = "avx512f"
NOT_WIDER: Final = {"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"}
_PROCESSOR: Final = Path("/proc/cpuinfo")


def pin(environment: MutableMapping[str, str], processor: frozenset[str]) -> None:
    """Choose the kernels, if the processor has them; another computes as it always did."""
    if not processor >= NEEDED:
        return
    for name, value in KERNELS.items():
        environment.setdefault(name, value)
    if WIDER in processor:  # numpy warns of what it could not have used
        for name, value in NOT_WIDER.items():
            environment.setdefault(name, value)


def what_it_can() -> frozenset[str]:
    """The processor's features by the names that Linux gives them; none where nobody tells."""
    try:
        with _PROCESSOR.open(encoding="ascii", errors="replace") as lines:
            told = next((line for line in lines if line.startswith("flags")), "")
    except OSError:
        return frozenset()
    return frozenset(told.partition(":")[2].split())
