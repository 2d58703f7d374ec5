"""`assay policy format`, `learn` and `test`."""

from __future__ import annotations

import json

import pytest

from assay.policy import policy_hash
from assay.policy.layout import format_policy
from assay.simulator import Enclave, Recipe, simulate
from assay.simulator.intel.enclave import DEBUG, INIT, MODE64
from tests.cli.command_line import write
from tests.cli.conftest import AT

POLICY = """version=1.0;
authorizationrules
{
    [type=="x-ms-sgx-is-debuggable", value==true] => deny();
    => permit();
};
issuancerules
{
    c:[type=="x-ms-sgx-svn"] => issue(type="svn", value=c.value);
};
"""
ONE_LINE = "version=1.0;authorizationrules{=> permit();}; // all"


def test_format_prints_and_says_that_the_hash_changes(assay, tmp_path):
    file = write(tmp_path / "p", ONE_LINE)
    ended = assay("policy", "format", file)
    assert (ended.code, ended.out) == (0, format_policy(ONE_LINE))
    assert policy_hash(ONE_LINE) in ended.err
    assert policy_hash(ended.out) in ended.err
    assert file.read_text() == ONE_LINE


def test_format_in_place_writes_once(assay, tmp_path):
    file = write(tmp_path / "p", ONE_LINE)
    assert "formatted" in assay("policy", "format", "--in-place", file).out
    assert file.read_text() == format_policy(ONE_LINE)
    assert assay("policy", "format", "--in-place", file).out == ""


def test_format_check_says_what_would_change(assay, tmp_path):
    files = (write(tmp_path / "p", ONE_LINE), write(tmp_path / "q", format_policy(ONE_LINE)))
    ended = assay("policy", "format", "--check", *files)
    assert (ended.code, ended.out) == (1, f"would change: {files[0]}\n")
    assert assay("policy", "format", "--check", files[1]).code == 0
    assert files[0].read_text() == ONE_LINE


def test_format_refuses_what_it_cannot_do(assay, tmp_path):
    bad = write(tmp_path / "p", "version=1.0")
    assert assay("policy", "format", bad).code == 1
    assert assay("policy", "format", tmp_path / "none").code == 2
    assert assay("policy", "format", "--check", "--in-place", bad).code == 2
    assert assay("policy", "format", "--in-place", "-").code == 2


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    """A directory with evidence of several enclaves and the collateral of all."""
    directory = tmp_path_factory.mktemp("fleet")
    enclaves = {
        "good": Enclave(isv_svn=2),
        "old": Enclave(isv_svn=1),
        "other": Enclave(mr_enclave=bytes(32), isv_svn=2),
        "debug": Enclave(flags=INIT | MODE64 | DEBUG, isv_svn=2),
    }
    for name, enclave in enclaves.items():
        (directory / name).mkdir()
        simulate(Recipe(AT, enclave=enclave)).write(directory / name)
    return directory


def verify_options(fleet):
    return ("--type", "SgxEnclave", "--endorsements", fleet, "--at", AT.isoformat(), "--unsafe-simulator")


def test_a_learnt_policy_admits_its_evidence_and_no_other(assay, fleet, tmp_path):
    policy = tmp_path / "learnt.policy"
    ended = assay("policy", "learn", fleet / "good/quote.bin", *verify_options(fleet), "--out", policy)
    assert (ended.code, ended.out) == (0, "")
    assert assay("policy", "check", policy, "--strict", "--type", "SgxEnclave").code == 0
    assert assay("policy", "format", "--check", policy).code == 0
    judged = {
        name: assay("verify", fleet / name / "quote.bin", *verify_options(fleet), "--policy", policy).code
        for name in ("good", "old", "other", "debug")
    }
    assert judged == {"good": 0, "old": 1, "other": 1, "debug": 1}


def test_a_learnt_policy_is_printed(assay, fleet):
    ended = assay("policy", "learn", fleet / "good", fleet / "other", *verify_options(fleet), "--scope", "signer")
    assert ended.code == 0
    assert ended.out.startswith("// Learnt from 2 pieces")
    assert 'type=="x-ms-sgx-mrenclave"' not in ended.out


def test_nothing_is_learnt_from_what_is_unsound_or_does_not_verify(assay, fleet, tmp_path):
    options = verify_options(fleet)
    debug = assay("policy", "learn", fleet / "debug/quote.bin", *options)
    assert (debug.code, debug.out) == (1, "")
    assert "debuggable" in debug.err
    assert assay("policy", "learn", fleet / "good/quote.bin", *options[:-1]).code == 1
    without = (*options[:2], *options[4:])
    assert assay("policy", "learn", fleet / "good/quote.bin", *without).code == 2
    assert assay("policy", "learn", tmp_path / "none", *options).code == 2
    assert assay("policy", "learn", tmp_path, *options).code == 2
    assert assay("policy", "learn", write(tmp_path / "evidence", b"x"), *options).code == 1


@pytest.fixture
def cases(tmp_path):
    write(tmp_path / "my.policy", POLICY)
    (tmp_path / "cases/deeper").mkdir(parents=True)
    return tmp_path / "cases"


def put(path, **members):
    return write(path, json.dumps(members))


def test_cases_are_found_below_a_directory_and_counted(assay, cases):
    claims = {"x-ms-sgx-is-debuggable": False, "x-ms-sgx-svn": 3}
    put(cases / "good.json", policy="../my.policy", claims=claims, expect={"permitted": True, "issued": {"svn": 3}})
    write(
        cases / "deeper/debug.toml",
        'policy = "../../my.policy"\nclaims = {x-ms-sgx-is-debuggable = true}\nexpect = {permitted = false, denied_line = 4}',
    )
    write(cases / "notes.md", "no case")
    ended = assay("policy", "test", cases)
    assert ended.code == 0
    assert ended.out.splitlines()[-1] == "2 passed, 0 failed"
    put(cases / "wrong.json", policy="../my.policy", claims=claims, expect={"permitted": True, "issued": {"svn": "3"}})
    ended = assay("policy", "test", cases)
    assert (ended.code, ended.out.splitlines()[-1]) == (1, "2 passed, 1 failed")
    assert 'expected issued svn "3", found 3' in ended.out


def test_a_bad_case_is_an_error_that_names_it(assay, cases):
    file = put(cases / "bad.json", policy="../my.policy", claims={}, expect={"permitted": True}, extra=1)
    ended = assay("policy", "test", cases)
    assert ended.code == 2
    assert str(file) in ended.out
    assert "'extra'" in ended.out
    assert ended.out.splitlines()[-1] == "0 passed, 0 failed, 1 could not be tried"
    found = assay("policy", "test", cases, "--json").json
    assert (found["passed"], found["failed"], found["error"]) == (0, 0, 1)
    assert found["cases"][0]["outcome"] == "error"


@pytest.mark.parametrize(
    "members",
    [
        {"policy": "none.policy", "claims": {}},
        {"policy": "../my.policy", "evidence": "none.bin", "type": "SgxEnclave"},
        {"policy": "../my.policy", "evidence": "../my.policy", "type": "Nothing"},
        {"policy": "../my.policy", "evidence": "../my.policy", "type": "SgxEnclave", "at": "noon"},
        {"policy": "../my.policy", "evidence": "../my.policy", "type": "SgxEnclave", "accept_tcb": "Fine"},
        {"policy": "../my.policy", "evidence": "../my.policy", "type": "SgxEnclave", "endorsements": "none"},
    ],
)
def test_a_case_that_cannot_be_tried_is_an_error(assay, cases, members):
    put(cases / "case.json", **members, expect={"permitted": False})
    put(cases / "good.json", policy="../my.policy", claims={}, expect={"permitted": True})
    ended = assay("policy", "test", cases)
    assert (ended.code, ended.out.splitlines()[-1]) == (2, "1 passed, 0 failed, 1 could not be tried")


def test_no_case_at_all_is_an_error(assay, cases, tmp_path):
    assert assay("policy", "test", cases).code == 2
    assert assay("policy", "test", tmp_path / "none").code == 2


def of_evidence(fleet, name, **expect):
    return {
        "policy": "../my.policy",
        "evidence": str(fleet / name / "quote.bin"),
        "type": "SgxEnclave",
        "endorsements": str(fleet),
        "at": AT.isoformat(),
        "unsafe_simulator": True,
        "expect": expect,
    }


def test_cases_may_be_about_evidence(assay, cases, fleet):
    put(cases / "good.json", **of_evidence(fleet, "good", permitted=True, issued={"svn": 2}))
    put(cases / "debug.json", **of_evidence(fleet, "debug", permitted=False, denied_line=4))
    real = {**of_evidence(fleet, "good", permitted=False, code="PckRootUntrusted"), "unsafe_simulator": False}
    put(cases / "real.json", **real)
    ended = assay("policy", "test", cases)
    assert (ended.code, ended.out.splitlines()[-1]) == (0, "3 passed, 0 failed")
    missing = {key: value for key, value in of_evidence(fleet, "good", permitted=True).items() if key != "endorsements"}
    put(cases / "undecided.json", **missing)
    assert assay("policy", "test", cases).code == 2


def test_documents_of_cases_are_no_cases(assay, cases, fleet):
    simulate(Recipe(AT)).write(cases)
    members = {**of_evidence(fleet, "good", permitted=True), "evidence": "quote.bin", "endorsements": "collateral"}
    put(cases / "case.json", **members)
    ended = assay("policy", "test", cases)
    assert (ended.code, ended.out.splitlines()[-1]) == (0, "1 passed, 0 failed")


@pytest.mark.parametrize("command", ["check", "format", "learn", "test"])
def test_every_command_explains_itself_with_an_example(assay, command):
    ended = assay("policy", command, "--help")
    assert ended.code == 0
    assert f"assay policy {command} " in ended.out
    assert "Exit codes" in ended.out
