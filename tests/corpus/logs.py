"""The corpus: small logs of this version and of older ones.

A log is named `DAY.WHICH.db.gz`. `first` was written by a desk of four actors, `unlinked` by one
that knew no orders yet, `today` by `python -m tests.corpus.record`.
"""

import gzip
from pathlib import Path

import msgspec

from thetawarden.sim.settings import SPEED, plain_settings

HERE = Path(__file__).parent
LOGS = HERE / "logs"
VOCABULARY = HERE / "vocabulary.json"
TODAY = "today"


def settings():
    """The world that today's log was recorded in: few looks, so that it stays small."""
    plain, replace = plain_settings(), msgspec.structs.replace
    chains = plain.config.chains
    rarely = replace(chains.cadence, view_s=2.0, fit_s=10.0)
    return replace(
        plain,
        seed=4,
        config=replace(plain.config, chains=replace(chains, cadence=rarely)),
        habits=replace(plain.habits, quotes_every_ns=round(SPEED * 2 * 10**9)),
        snapshot_every=150,
    )


def unpacked(packed, folder):
    """A log of the corpus, as a day's file in a folder of its own."""
    day = packed.name.partition(".")[0]
    file = folder / f"{day}.db"
    file.write_bytes(gzip.decompress(packed.read_bytes()))
    return file
