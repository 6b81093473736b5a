"""The same numbers on every processor that is new enough: the kernels are chosen, not found."""

import os
import subprocess
import sys

import pytest

from thetawarden import numerics

NEW = frozenset({"sse2", "avx2", "fma", "avx512f"})
SUMS = """
import hashlib, numpy
rng = numpy.random.default_rng(7)
values, square = rng.uniform(0.01, 9.0, 100_000), rng.uniform(size=(40, 40))
found = hashlib.sha256()
for one in (numpy.exp(-values), numpy.log(values), values**0.37, numpy.sum(values * values),
            numpy.linalg.solve(square, square[0]), square @ square.T):
    found.update(numpy.ascontiguousarray(one).tobytes())
print(found.hexdigest())
"""


def digest(code, **environment):
    names = {*numerics.KERNELS, *numerics.NOT_WIDER}
    plain = {name: value for name, value in os.environ.items() if name not in names}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=plain | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_a_processor_that_is_new_enough_computes_like_every_other():
    environment = {}
    numerics.pin(environment, NEW)
    assert environment == numerics.KERNELS | numerics.NOT_WIDER


def test_of_one_that_has_nothing_wider_nothing_wider_is_taken_away():
    environment = {}
    numerics.pin(environment, NEW - {"avx512f"})
    assert environment == numerics.KERNELS


@pytest.mark.parametrize("processor", [NEW - {"fma"}, NEW - {"avx2"}, frozenset()])
def test_an_older_or_another_processor_keeps_its_own(processor):
    environment = {}
    numerics.pin(environment, processor)
    assert environment == {}


def test_what_somebody_has_chosen_stays():
    chosen = {"OPENBLAS_CORETYPE": "Zen", "NPY_DISABLE_CPU_FEATURES": "X86_V4"}
    environment = dict(chosen)
    numerics.pin(environment, NEW)
    assert environment == chosen | {"OPENBLAS_NUM_THREADS": "1"}


def test_importing_the_package_is_enough():
    chosen = {}
    numerics.pin(chosen, numerics.what_it_can())

    assert digest(f"import thetawarden{SUMS}") == digest(SUMS, **chosen)
