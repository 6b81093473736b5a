"""`thetawarden doctor`: is everything in place for a desk, and what to do where it is not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from thetawarden.cli.place import Place, as_json, on_place, print_json
from thetawarden.config.problems import ConfigError
from thetawarden.config.schema import Config, Mode
from thetawarden.errors import EXIT_DONE, EXIT_UNEXPECTED

if TYPE_CHECKING:
    from thetawarden.domain.preflight import Finding

VISITOR_CLIENT_ID = 9417  # nobody's: the desk that runs keeps its own
MIB = 1024 * 1024


@click.command()
@click.option("--mode", help="practice, paper or live; default: the configured one.")
@as_json
@on_place
def doctor(*, place: Place, mode: str | None, as_json: bool) -> int:
    """Look whether a desk could run here, and what to do where it could not; changes nothing.

    Exits 1 when anything fails. In modes paper and live it visits the gateway for a moment.
    """
    findings = _findings(place, {} if mode is None else {"mode": mode})
    if as_json:
        print_json(findings)
    else:
        from thetawarden.cli.tables import findings_table, print_table  # noqa: PLC0415  # rich

        print_table(findings_table(findings))
    failed = any(finding.verdict == "fail" for finding in findings)
    return EXIT_UNEXPECTED if failed else EXIT_DONE


def _findings(place: Place, flags: dict[str, str]) -> list[Finding]:
    from thetawarden.infra import preflight  # noqa: PLC0415  # only here

    findings: list[Finding] = []
    config, faults = _configuration(place, flags)
    reserve_bytes = (config or Config()).journal.reserve_mb * MIB
    findings += preflight.machine_findings(place.data, reserve_bytes=reserve_bytes)
    findings += [preflight.folder_finding(place.data), *faults]
    if config is None:
        return findings
    findings += preflight.store_findings(place.store(flags))
    if config.metrics.port:
        findings.append(preflight.port_finding("metrics port", "127.0.0.1", config.metrics.port))
    return findings + _gateway(config)


def _configuration(place: Place, flags: dict[str, str]) -> tuple[Config | None, list[Finding]]:
    """The configuration, None when it has faults; and what is to be said of it and the secrets."""
    from thetawarden.domain.preflight import Finding, Verdict  # noqa: PLC0415  # loads numpy

    config, findings = None, []
    try:
        loaded = place.load(flags)
        config = loaded.config
        found = f"sound, from {loaded.file or 'defaults'}"
        findings.append(Finding(check="configuration", verdict=Verdict.OK, found=found))
    except ConfigError as error:
        findings += [_fault("configuration", line) for line in str(error).splitlines()]
    try:
        count = len(place.secrets())
        findings.append(Finding(check="secrets", verdict=Verdict.OK, found=f"{count} known"))
    except ConfigError as error:
        findings += [_fault("secrets", line) for line in str(error).splitlines()]
    return config, findings


def _fault(check: str, line: str) -> Finding:
    from thetawarden.domain.preflight import Finding, Verdict  # noqa: PLC0415

    found, _, remedy = line.rpartition("; ")
    return Finding(check=check, verdict=Verdict.FAIL, found=found or line, remedy=remedy)


def _gateway(config: Config) -> list[Finding]:
    """What the gateway that would be used tells of itself."""
    from thetawarden.config.broker import on_practice_market  # noqa: PLC0415
    from thetawarden.domain.link.admission import Terms  # noqa: PLC0415
    from thetawarden.domain.preflight import Finding, Verdict, judge_gateway_facts  # noqa: PLC0415
    from thetawarden.infra.clock import WallClock  # noqa: PLC0415
    from thetawarden.infra.ib.session import SessionSettings, Trouble  # noqa: PLC0415
    from thetawarden.infra.ib.visit import visit_gateway  # noqa: PLC0415

    practice = config.mode is Mode.PRACTICE
    if practice and not config.practice.port:
        found = "its own practice gateway, on a free port of this machine"
        return [Finding(check="gateway", verdict=Verdict.OK, found=found)]
    broker = on_practice_market(config.broker) if practice else config.broker
    host, port = ("127.0.0.1", config.practice.port) if practice else (broker.host, broker.port)
    settings = SessionSettings(
        host=host,
        port=port,
        client_id=VISITOR_CLIENT_ID,
        connect_timeout_s=broker.connect_timeout_s,
    )
    facts = asyncio.run(visit_gateway(settings, WallClock(), clock_matters=not practice))
    if isinstance(facts, Trouble):
        found = f"{host}:{port}: {str(facts.kind).replace('_', ' ')}: {facts.words}"
        remedy = "start IB Gateway or TWS there, log in, and allow the API (docs/deploy.md)"
        return [Finding(check="gateway", verdict=Verdict.FAIL, found=found, remedy=remedy)]
    terms = Terms(
        real_money=config.mode is Mode.LIVE, account=broker.account, i_mean_live=broker.i_mean_live
    )
    answered = Finding(check="gateway", verdict=Verdict.OK, found=f"{host}:{port} answers")
    return [answered, *judge_gateway_facts(facts, terms)]
