"""What is said of a machine and a gateway before a desk is started."""

import pytest

from thetawarden.domain.link.admission import TESTED_VERSIONS, Terms
from thetawarden.domain.preflight import (
    GIB,
    DataKind,
    GatewayFacts,
    Verdict,
    judge_clock,
    judge_disk,
    judge_files,
    judge_gateway_facts,
    judge_packages,
    judge_python,
)

PAPER = Terms(real_money=False)


def told(terms=PAPER, **changes):
    values = {
        "server_version": TESTED_VERSIONS[-1],
        "accounts": ("DU1234567",),
        "clock_ahead_s": 0.2,
        "data": DataKind.LIVE,
    }
    findings = judge_gateway_facts(GatewayFacts(**{**values, **changes}), terms)
    return {finding.check: finding for finding in findings}


def test_a_paper_gateway_as_it_should_be_has_nothing_against_it():
    findings = told()

    assert {finding.verdict for finding in findings.values()} == {Verdict.OK}
    assert findings["account"].found == "DU…67, paper"


@pytest.mark.parametrize(
    ("check", "changes", "verdict", "words"),
    [
        ("gateway version", {"server_version": 151}, Verdict.FAIL, "151"),
        ("account", {"accounts": ("U7654321",)}, Verdict.FAIL, "no paper account"),
        ("account", {"accounts": ()}, Verdict.FAIL, "names no account"),
        ("broker's clock", {"clock_ahead_s": -3.0}, Verdict.WARN, "-3.0 s"),
        ("broker's clock", {"clock_ahead_s": 30.0}, Verdict.FAIL, "+30.0 s"),
        ("broker's clock", {"clock_ahead_s": None}, Verdict.WARN, "did not tell"),
        ("market data", {"data": DataKind.DELAYED}, Verdict.WARN, "delayed"),
        ("market data", {"data": DataKind.REFUSED}, Verdict.FAIL, "refused"),
        ("market data", {"data": DataKind.SILENT}, Verdict.WARN, "nothing came"),
    ],
)
def test_each_fault_of_a_gateway_is_named_alone_and_has_a_remedy(check, changes, verdict, words):
    findings = told(**changes)

    assert (findings[check].verdict, words in findings[check].found) == (verdict, True)
    assert findings[check].remedy
    others = {each.verdict for name, each in findings.items() if name != check}
    assert others == {Verdict.OK}


def test_a_real_account_passes_only_where_real_money_is_meant():
    real = Terms(real_money=True, account="U7654321", i_mean_live=True)

    assert told(real, accounts=("U7654321",))["account"].found == "U7…21, real money"
    assert told(real, accounts=("DU1234567",))["account"].verdict is Verdict.FAIL


def test_an_old_python_will_not_do():
    assert judge_python((3, 10, 14)).verdict is Verdict.FAIL
    assert judge_python((3, 11, 0)).verdict is Verdict.OK


def test_a_missing_package_fails_and_an_untested_version_warns():
    tested = {"pykka": "4.5.0"}

    missing = judge_packages(installed={}, wanted=("pykka",), tested=tested)
    strange = judge_packages(installed={"pykka": "5.0"}, wanted=("pykka",), tested=tested)
    well = judge_packages(installed={"pykka": "4.5.0"}, wanted=("pykka",), tested=tested)

    assert (missing.verdict, missing.found) == (Verdict.FAIL, "missing: pykka")
    assert (strange.verdict, strange.found) == (Verdict.WARN, "pykka 5.0 (tested: 4.5.0)")
    assert well.verdict is Verdict.OK


def test_what_the_machine_lacks_is_said():
    assert judge_clock(synchronised=True).verdict is Verdict.OK
    assert judge_clock(synchronised=False).verdict is Verdict.WARN
    assert judge_clock(synchronised=None).verdict is Verdict.WARN
    assert judge_disk(free_bytes=100 * GIB, reserve_bytes=GIB).verdict is Verdict.OK
    assert judge_disk(free_bytes=3 * GIB, reserve_bytes=GIB).verdict is Verdict.WARN
    assert judge_disk(free_bytes=GIB, reserve_bytes=GIB).verdict is Verdict.FAIL
    assert judge_files(256).verdict is Verdict.WARN
    assert judge_files(65536).verdict is Verdict.OK
