"""The lake of a desk, from its configuration; loads the lake's libraries only on its own thread."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from thetawarden.config.schema import Config
from thetawarden.config.secrets import Secret
from thetawarden.infra.clock import WallClock
from thetawarden.infra.errand import Errand
from thetawarden.infra.lake.adapter import AdapterSettings, LakeAdapter, Work
from thetawarden.infra.lake.origin import name_log
from thetawarden.infra.lake.place import lake_place


def desk_lake(
    config: Config,
    *,
    store: Path,
    log_folder: Path,
    secrets: Mapping[str, Secret],
) -> LakeAdapter:
    """The adapter of `effect:lake`; raises LakePlaceError when the place makes no sense."""
    clock, lake = WallClock(), config.lake
    place = lake_place(url=lake.url, options=lake.options, store=store, secrets=secrets)
    log = name_log(store, now_ns=clock.now_ns())

    housekeeping = Errand("thetawarden.infra.lake.child")

    def make_work() -> Work:
        from thetawarden.infra.lake.child import keep_apart  # noqa: PLC0415  # slow to load
        from thetawarden.infra.lake.household import household_of  # noqa: PLC0415
        from thetawarden.infra.lake.keeping import LakeWork  # noqa: PLC0415
        from thetawarden.infra.lake.writer import WriterSettings  # noqa: PLC0415

        household = household_of(config, place=place, log_folder=log_folder, log=log)
        return LakeWork(
            household,
            clock=clock,
            settings=WriterSettings(
                flush_rows=lake.flush_rows_max,
                buffer_rows=lake.buffer_rows_max,
            ),
            keep=lambda day: keep_apart(housekeeping, household, day),
        )

    return LakeAdapter(
        make_work,
        AdapterSettings(
            flush_rows=lake.flush_rows_max, stop_deadline_s=config.desk.stop_deadline_s * 0.8
        ),
        let_go=housekeeping.stop,
    )
