"""Every key a person may set, with its default, its bounds and its meaning.

Decides what exists and what range is sane; refuses to know files, environment and flags. Values
that contradict each other are judged in `rules`. A `description` becomes the comment in the
rendered file and the reference; a `title` is what an error calls allowed. Units end the name:
`_s` seconds, `_ms` milliseconds, `_mb`/`_kb` binary mega- and kilobytes, `_fraction` of one.
Every number has an upper bound: infinity passes a lone lower one.
"""

from __future__ import annotations

import datetime as dt
import enum
from typing import Annotated

import msgspec
from msgspec import Meta

from thetawarden.config.alerts import AlertsConfig
from thetawarden.config.broker import BrokerConfig
from thetawarden.config.chains import ChainsConfig
from thetawarden.config.execution import ExecutionConfig
from thetawarden.config.lines import LinesConfig
from thetawarden.config.managing import ManagingConfig
from thetawarden.config.metrics import MetricsConfig
from thetawarden.config.regime import RegimeConfig
from thetawarden.config.risk import RiskConfig
from thetawarden.config.strategy import StrategyConfig
from thetawarden.config.watch import GuardianConfig, WatchConfig


class Mode(enum.StrEnum):
    """Whose market and whose money."""

    PRACTICE = "practice"
    PAPER = "paper"
    LIVE = "live"


class LogLevel(enum.StrEnum):
    """The least severe line that is still written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(enum.StrEnum):
    """How a log line looks; `auto` is human on a terminal and JSON anywhere else."""

    AUTO = "auto"
    JSON = "json"
    HUMAN = "human"


class PracticeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The practice market: its own process, its own time, its own money."""

    gateway: Annotated[
        bool, Meta(description="Start a practice gateway with the desk in mode practice.")
    ] = True
    port: Annotated[
        int,
        Meta(
            ge=0,
            le=65535,
            description="A practice gateway that runs already, with `gateway` false; 0 for none.",
        ),
    ] = 0
    speed: Annotated[
        float, Meta(ge=0.01, le=10_000, description="Market seconds a real second; 1 is real time.")
    ] = 60.0
    seed: Annotated[
        int, Meta(ge=0, le=2**31 - 1, description="The same seed gives the same market.")
    ] = 1
    scenario: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=400,
            title="a scenario's name or the path of a CSV of daily closes",
            description="Kind of times, such as normal, selloff or crash-2020-like; or your CSV.",
        ),
    ] = "normal"
    start: Annotated[
        str,
        Meta(
            pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$",
            title='a date in quotes such as "2026-02-03"',
            description="The first session of a new practice market, which begins before its bell;"
            " empty for today's, or the next, in its midst.",
        ),
    ] = ""
    begin: Annotated[
        dt.time,
        Meta(description="Where no `start` is said: a new practice market begins at this time."),
    ] = dt.time(13, 50)
    same_day: Annotated[
        bool,
        Meta(
            description="On the practice market what is sold on indices ends the same day, and is"
            " sold in the afternoon too, so that a trade is over within minutes. Days or times of"
            " your own under `strategy` win."
        ),
    ] = True


class DeskConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long an actor may take for what."""

    heartbeat_s: Annotated[
        float, Meta(ge=0.05, le=60, description="How often every actor's heartbeat is looked at.")
    ] = 1.0
    handler_budget_s: Annotated[
        float,
        Meta(ge=0.05, le=600, description="One message handled longer than this: stuck, fenced."),
    ] = 5.0
    start_timeout_s: Annotated[
        float, Meta(ge=0.1, le=600, description="From the start of an actor to its being ready.")
    ] = 10.0
    stop_deadline_s: Annotated[
        float, Meta(ge=0.1, le=600, description="Each actor's time to stop; then we go on past it.")
    ] = 5.0


class RestartConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """More than `intensity` restarts within `period_s` and the group gives up."""

    intensity: Annotated[
        int, Meta(ge=0, le=1000, description="Restarts tolerated within the period.")
    ]
    period_s: Annotated[
        float, Meta(ge=1, le=86400, description="The period the restarts are counted over.")
    ]
    backoff_min_s: Annotated[
        float, Meta(ge=0, le=600, description="Wait before the first restart; doubles each time.")
    ]
    backoff_max_s: Annotated[
        float, Meta(ge=0, le=3600, description="The longest wait before a restart.")
    ]
    jitter_fraction: Annotated[
        float, Meta(ge=0, le=1, description="A wait is drawn out by up to this part of itself.")
    ]


class SupervisorConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often crashed actors are brought back before their group gives up."""

    root: Annotated[
        RestartConfig, Meta(description="Whole groups. Giving up halts and exits with 70.")
    ] = RestartConfig(
        intensity=2, period_s=600.0, backoff_min_s=0.5, backoff_max_s=30.0, jitter_fraction=0.2
    )
    trading: Annotated[
        RestartConfig,
        Meta(description="What trades: connection, keeper, governor; and the watchdog apart."),
    ] = RestartConfig(
        intensity=3, period_s=300.0, backoff_min_s=0.1, backoff_max_s=5.0, jitter_fraction=0.2
    )
    market: Annotated[
        RestartConfig,
        Meta(description="What looks at the market: lines, chains, context, futures, regime."),
    ] = RestartConfig(
        intensity=10, period_s=300.0, backoff_min_s=0.5, backoff_max_s=30.0, jitter_fraction=0.2
    )
    advisory: Annotated[
        RestartConfig, Meta(description="What helps: today the scheduler and the notifier.")
    ] = RestartConfig(
        intensity=10, period_s=300.0, backoff_min_s=0.5, backoff_max_s=30.0, jitter_fraction=0.2
    )


class JournalConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The message log: every message, in order, on disk."""

    commit_ms: Annotated[
        float,
        Meta(ge=0, le=1000, description="Messages arriving within this time share one commit."),
    ] = 20.0
    reserve_mb: Annotated[
        int, Meta(ge=0, le=65536, description="Kept aside for orders and the halt on a full disk.")
    ] = 256


class LakeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The tables that everything is kept in for good (Delta Lake)."""

    url: Annotated[
        str,
        Meta(
            max_length=1000,
            pattern=r"^([a-z][a-z0-9+.-]*://[^\s]+|/[^\s]*|~[^\s]*)?$",
            title='a folder, or an object store such as "s3://bucket/path"',
            description="Where the tables are, one folder a mode and account in it;"
            " empty for lake/ in the data folder.",
        ),
    ] = ""
    options: Annotated[
        tuple[
            Annotated[
                str,
                Meta(
                    max_length=1000,
                    pattern=r"^[A-Za-z][A-Za-z0-9_.-]*=.*$",
                    title="name=value",
                ),
            ],
            ...,
        ],
        Meta(
            max_length=50,
            title="a list of name=value",
            description="What the object store needs to be told, such as aws_region=eu-west-1."
            " Secrets come from THETAWARDEN_SECRET_LAKE_<NAME>.",
        ),
    ] = ()
    flush_s: Annotated[
        float, Meta(ge=0.1, le=3600, description="What has gathered is written this often.")
    ] = 10.0
    flush_rows_max: Annotated[
        int, Meta(ge=100, le=1_000_000, description="So many rows are written at once.")
    ] = 5_000
    buffer_rows_max: Annotated[
        int,
        Meta(
            ge=1_000,
            le=10_000_000,
            description="More rows wait for a table: dropped, and read from the log again.",
        ),
    ] = 50_000
    views_per_kept_max: Annotated[
        int,
        Meta(ge=1, le=1000, description="Of so many views of a chain one is kept, in real time."),
    ] = 15
    fold_files_max: Annotated[
        int, Meta(ge=4, le=1000, description="So many small files of a day are made one.")
    ] = 64
    removed_kept_s: Annotated[
        float,
        Meta(ge=0, le=2_592_000, description="Replaced files stay this long, for readers."),
    ] = 7200.0
    maintain_after_s: Annotated[
        float, Meta(ge=0, le=86400, description="Housekeeping follows the turn of the day by this.")
    ] = 600.0
    log_kept_days: Annotated[
        int,
        Meta(
            ge=0,
            le=3650,
            description="Day files of the message log older than this go once the archive"
            " is proven; 0 keeps all.",
        ),
    ] = 30


class ControlConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The control socket that the command line and the console talk to."""

    max_request_kb: Annotated[
        int, Meta(ge=1, le=4096, description="A larger request is refused unread.")
    ] = 64
    request_timeout_s: Annotated[
        float,
        Meta(ge=0.1, le=120, description="How long a request may take to come and to be answered."),
    ] = 20.0


class LogsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Log lines on standard error and in the data folder. Secrets are never among them."""

    level: Annotated[LogLevel, Meta(description="The least severe line that is written.")] = (
        LogLevel.INFO
    )
    format: Annotated[
        LogFormat, Meta(description="On standard error; auto is human on a terminal, else JSON.")
    ] = LogFormat.AUTO
    quiet: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=100, title="a logger's name")], ...],
        Meta(
            max_length=50,
            title="a list of loggers' names",
            description="Chatty libraries: only their warnings and errors.",
        ),
    ] = ("ib_async", "litestar", "uvicorn")
    file: Annotated[
        bool, Meta(description="Also write JSON lines to logs/ in the data folder (0600).")
    ] = True
    file_mb_max: Annotated[
        int, Meta(ge=1, le=1024, description="A log file of this size is put aside.")
    ] = 16
    files_kept: Annotated[
        int, Meta(ge=1, le=100, description="Log files put aside and kept; older ones go.")
    ] = 5
    queue_lines_max: Annotated[
        int,
        Meta(ge=100, le=1_000_000, description="Lines waiting to be written; then they are lost."),
    ] = 10_000


class ScheduleConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens when. Times of day are New York's."""

    rotate_at: Annotated[
        dt.time,
        Meta(
            description="When the message log starts its next day's file; from noon on, that day is"
            " named after the next date."
        ),
    ] = dt.time()
    pre_market_min: Annotated[
        float, Meta(ge=1, le=300, description="Minutes before the bell the day is prepared.")
    ] = 45.0
    intraday_min: Annotated[
        float, Meta(ge=0, le=400, description="Minutes between the rounds of the day; 0: none.")
    ] = 30.0
    reconcile_min: Annotated[
        float, Meta(ge=1, le=300, description="Minutes after the close the books are compared.")
    ] = 20.0
    stress_min: Annotated[
        float, Meta(ge=1, le=600, description="Minutes after the close the stress test is run.")
    ] = 60.0
    learn_min: Annotated[
        float, Meta(ge=1, le=600, description="Minutes after the close the day is learned from.")
    ] = 90.0


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One desk, everything that can be set about it."""

    mode: Annotated[
        Mode, Meta(description="practice brings its own market; paper and live need a gateway.")
    ] = Mode.PRACTICE
    broker: BrokerConfig = BrokerConfig()
    practice: PracticeConfig = PracticeConfig()
    desk: DeskConfig = DeskConfig()
    supervisor: SupervisorConfig = SupervisorConfig()
    journal: JournalConfig = JournalConfig()
    lake: LakeConfig = LakeConfig()
    control: ControlConfig = ControlConfig()
    logs: LogsConfig = LogsConfig()
    metrics: MetricsConfig = MetricsConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    watch: WatchConfig = WatchConfig()
    guardian: GuardianConfig = GuardianConfig()
    alerts: AlertsConfig = AlertsConfig()
    regime: RegimeConfig = RegimeConfig()
    risk: RiskConfig = RiskConfig()
    managing: ManagingConfig = ManagingConfig()
    lines: LinesConfig = LinesConfig()
    chains: ChainsConfig = ChainsConfig()
    execution: ExecutionConfig = ExecutionConfig()
    strategy: StrategyConfig = StrategyConfig()
