"""Whose lake it is: where the tables are, which message log feeds them, and how they are kept."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec

from thetawarden.config.schema import Config, Mode
from thetawarden.infra.lake.archive import MessageArchive
from thetawarden.infra.lake.place import LakePlace
from thetawarden.infra.lake.store import TableStore, Tuning, log_app
from thetawarden.infra.lake.tables import TABLES
from thetawarden.infra.lake.tables.desk import MESSAGE_ARCHIVE


class Household(msgspec.Struct, frozen=True, kw_only=True):
    """Whose lake is kept, which day and which views count, how long day files stay (0: all)."""

    place: LakePlace
    log_folder: Path
    log: str
    log_kept_days: int = 0
    turns_at: dt.time = dt.time()
    views_per_kept: int = 1
    tuning: Tuning = Tuning()

    def store(self, table: str) -> TableStore:
        """One table that messages feed."""
        return TableStore(TABLES[table], self.place, app=log_app(self.log), tuning=self.tuning)

    def archive(self) -> MessageArchive:
        """The archive of this message log."""
        return MessageArchive(self.archive_store(), log=self.log)

    def archive_store(self) -> TableStore:
        """The archive's table."""
        return TableStore(
            MESSAGE_ARCHIVE, self.place, app=f"archive/{self.log}", tuning=self.tuning
        )


def household_of(config: Config, *, place: LakePlace, log_folder: Path, log: str) -> Household:
    """The household a configuration describes.

    Chains are viewed at the machine's pace, whatever the market's; where market time runs faster,
    more of the views are kept.
    """
    speed = config.practice.speed if config.mode is Mode.PRACTICE else 1.0
    lake = config.lake
    return Household(
        place=place,
        log_folder=log_folder,
        log=log,
        log_kept_days=lake.log_kept_days,
        turns_at=config.schedule.rotate_at,
        views_per_kept=max(1, round(lake.views_per_kept_max / speed)),
        tuning=Tuning(
            fold_files=lake.fold_files_max,
            keep_removed=dt.timedelta(seconds=lake.removed_kept_s),
        ),
    )
