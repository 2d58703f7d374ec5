"""`assay verify`, on simulated evidence and on the real vectors."""

from __future__ import annotations

import base64
import io
import json
import sys

import pytest

from assay.simulator import Recipe, find_knob
from tests.cli.command_line import write
from tests.cli.conftest import AT
from tests.shared_vectors import shared_path

WHEN = "2025-06-01T12:00:00Z"
MEMBERS = {"accepted", "code", "checks", "tcb_status", "advisory_ids", "claims", "token_payload"}


def simulated(directory, *more, name="quote.bin", kind="SgxEnclave"):
    collateral = directory / "collateral"
    return (directory / name, "--type", kind, "--endorsements", collateral, "--at", WHEN, "--unsafe-simulator", *more)


def turned(tmp_path, name, **recipe):
    find_knob(name).apply(Recipe(AT, **recipe)).write(tmp_path)
    return tmp_path


def test_good_evidence_is_accepted_in_the_shape_of_the_design(assay, sgx):
    code, found = assay.judge(*simulated(sgx))
    assert code == 0
    assert set(found) == MEMBERS
    assert found["accepted"] is True
    assert found["code"] is None
    assert (found["tcb_status"], found["advisory_ids"]) == ("UpToDate", [])
    assert set(found["checks"][0]) == {"name", "outcome", "observed", "expected", "reference"}
    assert {check["outcome"] for check in found["checks"]} == {"passed", "not applicable"}
    assert found["claims"]["x-ms-attestation-type"] == "sgx"
    assert found["token_payload"]["iss"] == "https://assay.invalid"
    assert found["token_payload"]["iat"] == int(AT.timestamp())
    assert found["token_payload"]["x-assay-unsafe"] == ["simulator"]


def test_the_simulator_is_refused_unless_allowed(assay, sgx):
    code, found = assay.judge(*[a for a in simulated(sgx) if a != "--unsafe-simulator"])
    assert (code, found["accepted"], found["code"]) == (1, False, "PckRootUntrusted")
    assert (found["claims"], found["token_payload"]) == ({}, {})


@pytest.mark.parametrize("at", ["1748779200", "2025-06-01T12:00:00", "2025-06-01 14:00:00+02:00"])
def test_times_are_iso_8601_or_seconds(assay, sgx, at):
    assert assay.judge(*simulated(sgx), "--at", at)[0] == 0


def test_a_wrong_time_is_wrong_usage(assay, sgx):
    ended = assay("verify", *simulated(sgx), "--at", "yesterday")
    assert ended.code == 2
    assert "neither ISO 8601" in ended.err


def spellings(content: bytes):
    request = {"quote": base64.urlsafe_b64encode(content).decode(), "Nonce": 7}
    return {
        "hex": content.hex(),
        "hex in lines": "\n".join(content.hex()[i : i + 64] for i in range(0, 2 * len(content), 64)) + "\n",
        "base64": base64.b64encode(content),
        "base64 in lines": base64.encodebytes(content),
        "base64url": base64.urlsafe_b64encode(content).rstrip(b"="),
        "request": json.dumps(request),
    }


@pytest.mark.parametrize("spelling", spellings(b"x"))
def test_evidence_is_found_in_every_spelling(assay, sgx, tmp_path, spelling):
    file = write(tmp_path / "file", spellings((sgx / "quote.bin").read_bytes())[spelling])
    code, found = assay.judge(file, *simulated(sgx)[1:])
    assert code == 0
    assert found["token_payload"].get("nonce") == ("7" if spelling == "request" else None)


def test_held_data_of_a_request_is_used_and_options_stand_above_it(assay, sgx, tmp_path):
    body = {
        "quote": base64.b64encode((sgx / "quote.bin").read_bytes()).decode(),
        "runtimeData": {"data": base64.b64encode(b'{"key":"value"}').decode(), "dataType": "JSON"},
    }
    file = write(tmp_path / "request.json", json.dumps(body))
    code, found = assay.judge(file, *simulated(sgx)[1:])
    assert (code, found["token_payload"]["x-ms-runtime"]) == (0, {"key": "value"})
    other = write(tmp_path / "other", b"other")
    assert assay.judge(file, *simulated(sgx)[1:], "--runtime-data", other)[1]["code"] == "RuntimeDataMismatch"


def test_a_request_of_2018_is_read(assay, open_enclave, tmp_path):
    body = {
        "Quote": base64.b64encode((open_enclave / "oe_report.bin").read_bytes()).decode(),
        "EnclaveHeldData": base64.b64encode(b"held").decode(),
    }
    file = write(tmp_path / "request.json", json.dumps(body))
    code, found = assay.judge(file, *simulated(open_enclave, kind="openenclave")[1:])
    assert (code, found["token_payload"]["maa-ehd"]) == (0, "aGVsZA")


def test_held_data_is_bound_and_claimed_by_its_type(assay, sgx):
    data = sgx / "runtime_data.bin"
    found = assay.judge(*simulated(sgx, "--runtime-data", data))[1]
    assert found["token_payload"]["x-ms-sgx-ehd"] == base64.urlsafe_b64encode(b'{"key":"value"}').rstrip(b"=").decode()
    found = assay.judge(*simulated(sgx, "--runtime-data", data, "--runtime-data-type", "json"))[1]
    assert found["token_payload"]["x-ms-runtime"] == {"key": "value"}


def test_a_held_data_mismatch_still_tells_the_tcb(assay, sgx, tmp_path):
    data = write(tmp_path / "other", b"other")
    code, found = assay.judge(*simulated(sgx, "--runtime-data", data))
    assert (code, found["code"], found["tcb_status"]) == (1, "RuntimeDataMismatch", "UpToDate")
    assert found["claims"] == {}


def test_a_status_that_is_not_accepted_is_named_with_its_advisories(assay, tmp_path):
    directory = turned(tmp_path, "platform-out-of-date")
    code, found = assay.judge(*simulated(directory))
    assert (code, found["code"]) == (1, "TcbStatusNotAccepted")
    assert (found["tcb_status"], found["advisory_ids"]) == ("OutOfDate", ["ASSAY-SA-00001"])
    code, found = assay.judge(*simulated(directory, "--accept-tcb", "outofdate"))
    assert (code, found["tcb_status"]) == (0, "OutOfDate")
    assert found["claims"]["attester_advisory_ids"] == "ASSAY-SA-00001"


def test_revoked_is_accepted_by_the_word_any_only(assay, tmp_path):
    directory = turned(tmp_path, "platform-revoked")
    assert assay.judge(*simulated(directory))[1]["tcb_status"] == "Revoked"
    assert assay("verify", *simulated(directory, "--accept-tcb", "Revoked")).code == 2
    assert assay.judge(*simulated(directory, "--accept-tcb", "any"))[0] == 0


def test_no_level_is_refused_even_with_any(assay, tmp_path):
    code, found = assay.judge(*simulated(turned(tmp_path, "no-level"), "--accept-tcb", "any"))
    assert (code, found["code"], found["tcb_status"]) == (1, "TcbNotSupported", None)


def test_accepting_less_refuses_what_the_default_accepts(assay, tmp_path):
    directory = turned(tmp_path, "hardening-needed")
    assert assay.judge(*simulated(directory))[0] == 0
    code, found = assay.judge(*simulated(directory, "--accept-tcb", "UpToDate"))
    assert (code, found["tcb_status"]) == (1, "SWHardeningNeeded")


def test_an_unknown_status_is_wrong_usage(assay, sgx):
    ended = assay("verify", *simulated(sgx, "--accept-tcb", "Fine"))
    assert (ended.code, "not a TCB status" in ended.err) == (2, True)


def test_missing_endorsements_are_not_a_decision_and_all_are_named(assay, sgx, tmp_path):
    arguments = (sgx / "quote.bin", "--type", "SgxEnclave", "--at", WHEN, "--unsafe-simulator")
    for more in ((), ("--endorsements", tmp_path)):
        code, found = assay.judge(*arguments, *more)
        assert (code, found["accepted"], found["code"]) == (2, False, "EndorsementUnavailable")
        missing = next(check for check in found["checks"] if check["outcome"] == "missing")["expected"]
        assert all(name in missing for name in ("root_ca_crl.der", "pck_crl.der", "tcb_info.json", "qe_identity.json"))
    ended = assay("verify", *arguments)
    assert ended.code == 2
    assert ended.out.count("(tcb_info.json)") >= 1


def test_missing_revocation_lists_are_tolerated_only_by_the_unsafe_option_and_marked(assay, sgx, tmp_path):
    for name in ("tcb_info.json", "qe_identity.json", "tcb_signing_chain.pem"):
        (tmp_path / name).write_bytes((sgx / "collateral" / name).read_bytes())
    arguments = (
        sgx / "quote.bin",
        "--type",
        "SgxEnclave",
        "--at",
        WHEN,
        "--unsafe-simulator",
        "--endorsements",
        tmp_path,
    )
    assert assay.judge(*arguments)[0] == 2
    code, found = assay.judge(*arguments, "--unsafe-no-revocation")
    assert (code, found["token_payload"]["x-assay-unsafe"]) == (0, ["no-revocation", "simulator"])


def test_an_endorsements_directory_that_is_not_there_is_wrong_usage(assay, sgx):
    ended = assay("verify", sgx / "quote.bin", "--type", "SgxEnclave", "--endorsements", sgx / "nowhere")
    assert (ended.code, ended.err.startswith("error:")) == (2, True)


@pytest.mark.parametrize(
    "spoil", [lambda q: q[:100], lambda q: b"\x07" + q[1:], lambda _q: b"", lambda _q: b"hello", lambda q: q * 20]
)
def test_malformed_evidence_is_a_rejection(assay, sgx, tmp_path, spoil):
    file = write(tmp_path / "bad", spoil((sgx / "quote.bin").read_bytes()))
    code, found = assay.judge(file, *simulated(sgx)[1:])
    assert (code, found["accepted"]) == (1, False)
    assert found["code"]


@pytest.mark.parametrize(
    "body", ['{"quote": "====" }', '{"quote": 1}', "{}", '{"quote":"AA","QUOTE":"AA"}', '{"quote"']
)
def test_a_malformed_request_is_a_rejection(assay, sgx, tmp_path, body):
    code, found = assay.judge(write(tmp_path / "bad.json", body), *simulated(sgx)[1:])
    assert (code, found["code"]) == (1, "MalformedRequest")


def test_a_file_that_cannot_be_opened_is_not_decided(assay, sgx):
    code, found = assay.judge(sgx / "missing.bin", *simulated(sgx)[1:])
    assert (code, found["code"]) == (2, "FileUnreadable")


def test_policies_decide_and_a_denial_shows_the_claims(assay, sgx, tmp_path):
    deny = write(
        tmp_path / "deny.policy",
        'version= 1.0;\nauthorizationrules\n{\n  c:[type=="$svn", value==1] => deny();\n};\nissuancerules {};',
    )
    code, found = assay.judge(*simulated(sgx, "--policy", deny))
    assert (code, found["code"]) == (1, "PolicyEvaluationError")
    assert found["claims"]["$svn"] == 1
    assert found["checks"][-1]["name"] == "policy.authorization"
    assert "line 4" in found["checks"][-1]["observed"]
    issue = write(
        tmp_path / "issue.policy",
        'version= 1.0;\nauthorizationrules { => permit(); };\nissuancerules { => issue(type="a", value=1); };',
    )
    assert assay.judge(*simulated(sgx, "--policy", issue))[1]["token_payload"]["x-ms-policy"] == {"a": 1}


def test_a_policy_that_does_not_parse_is_wrong_usage(assay, sgx, tmp_path):
    ended = assay("verify", *simulated(sgx, "--policy", write(tmp_path / "bad.policy", "version= 9;")))
    assert (ended.code, ended.out) == (2, "")


def test_strict_refuses_debug_enclaves(assay, tmp_path):
    assert assay("simulate", "SgxEnclave", "--out", tmp_path, "--debug", "--at", WHEN).code == 0
    assert assay.judge(*simulated(tmp_path))[0] == 0
    code, found = assay.judge(*simulated(tmp_path, "--strict"))
    assert (code, found["code"], found["tcb_status"]) == (1, "DebugNotAllowed", "UpToDate")


def test_platform_rules_come_from_a_file(assay, sgx, tmp_path):
    rules = write(
        tmp_path / "rules.toml",
        '[generations]\nallow = ["5ca1ab1e0001"]\n[minimumTcb.5CA1AB1E0001]\ntcbDate = 2024-03-13\n',
    )
    assert assay.judge(*simulated(sgx, "--platform-rules", rules))[0] == 0
    other = write(tmp_path / "other.toml", "[ppids]\nallow = []\n")
    code, found = assay.judge(*simulated(sgx, "--platform-rules", other))
    assert (code, found["code"]) == (1, "PlatformNotAdmitted")


@pytest.mark.parametrize("text", ["[ppids", "[ppid]\nallow = []", "highestVmpl = 1.5", "[graceDays]\nRevoked = 3"])
def test_a_file_that_is_none_of_platform_rules_is_wrong_usage(assay, sgx, tmp_path, text):
    ended = assay("verify", *simulated(sgx, "--platform-rules", write(tmp_path / "bad.toml", text)))
    assert (ended.code, ended.out) == (2, "")


def test_several_files_end_with_a_summary_and_the_worst_code(assay, sgx, tmp_path):
    good, bad = sgx / "quote.bin", write(tmp_path / "bad.bin", b"\x03")
    code, found = assay.judge(good, bad, *simulated(sgx)[1:])
    assert code == 1
    assert found["summary"] == {"accepted": 1, "rejected": 1, "undecided": 0}
    assert [(one["file"], one["accepted"]) for one in found["results"]] == [(str(good), True), (str(bad), False)]
    assert set(found["results"][0]) == MEMBERS | {"file"}
    assert assay.judge(good, bad, tmp_path / "missing", *simulated(sgx)[1:])[0] == 2
    text = assay("verify", good, bad, *simulated(sgx)[1:])
    assert text.code == 1
    assert text.out.rstrip().endswith("1 accepted, 1 rejected, 0 not decided")


def test_a_directory_stands_for_the_evidence_in_it(assay, sgx, open_enclave):
    code, found = assay.judge(sgx, *simulated(sgx)[1:])
    assert (code, [one["file"] for one in found["results"]]) == (0, [str(sgx / "quote.bin")])
    ended = assay("verify", open_enclave, *simulated(open_enclave, kind="OpenEnclave")[1:], "--json")
    assert [one["file"] for one in ended.json["results"]] == [str(open_enclave / "oe_report.bin")]
    assert "passed over" in ended.err


def test_a_directory_without_evidence_is_wrong_usage(assay, sgx, tmp_path):
    write(tmp_path / "notes.txt", "nothing")
    assert assay("verify", tmp_path, *simulated(sgx)[1:]).code == 2


def test_tampered_evidence_in_a_directory_is_judged_by_its_name(assay, sgx, tmp_path):
    write(tmp_path / "quote.bin", b"\xff" + (sgx / "quote.bin").read_bytes()[1:])
    assert assay.judge(tmp_path, *simulated(sgx)[1:])[0] == 1


def test_standard_input_is_read(assay, sgx, monkeypatch):
    class Standard:
        buffer = io.BytesIO((sgx / "quote.bin").read_bytes())

    monkeypatch.setattr(sys, "stdin", Standard())
    assert assay.judge("-", *simulated(sgx)[1:])[0] == 0


def test_people_see_the_failing_check_with_its_remedy_and_no_escapes(assay, tmp_path):
    ended = assay("verify", *simulated(turned(tmp_path, "pck-revoked")))
    assert ended.code == 1
    for word in ("rejected (PckRevoked)", "observed: ", "expected: ", "reference: ", "what to do: "):
        assert word in ended.out
    assert "\x1b" not in ended.out


def test_control_characters_of_the_evidence_do_not_reach_the_terminal(assay, sgx, tmp_path):
    file = write(tmp_path / "e\x1b[31mvil", b"\x03")
    ended = assay("verify", file, *simulated(sgx)[1:])
    assert "\x1b" not in ended.out
    assert "\\x1b" in ended.out


def test_private_roots_are_believed_from_a_trust_directory_but_not_the_simulators(assay, sgx, tmp_path):
    from assay.simulator import HIERARCHY, encode_pem

    write(tmp_path / "root.pem", encode_pem(HIERARCHY.root_certificate()))
    arguments = [a for a in simulated(sgx) if a != "--unsafe-simulator"]
    ended = assay("verify", *arguments, "--trust", tmp_path)
    assert (ended.code, "simulator" in ended.err) == (2, True)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert assay("verify", *arguments, "--trust", empty).code == 2


def vectors(kind: str, *names: str):
    for name in names:
        directory = shared_path(f"evidence/{kind}/{name}")
        yield directory, json.loads((directory / "meta.json").read_text())


def test_real_quotes_are_judged_as_their_sources_say(assay):
    for directory, meta in vectors(
        "sgx-quote", "sgx-cfl-azure-intelsdk-debug", "sgx-cfl-azure-intelsdk-release", "sgx-icx-swhardening-teepot"
    ):
        held = directory / "runtime_data.bin"
        code, found = assay.judge(
            directory / "quote.bin", "--type", "SgxEnclave", "--endorsements", directory,
            "--at", meta["verify_at"]["suggested"], "--accept-tcb", "any",
            *(("--runtime-data", held) if held.exists() else ()),
        )  # fmt: skip
        assert (code, found["code"]) == (0, None)
        assert found["tcb_status"] == meta["computed"]["tcb_status"]
        assert found["token_payload"]["x-ms-sgx-mrenclave"] == meta["fields"]["body"]["mrenclave"]


def test_real_trust_domains_are_judged_as_their_sources_say(assay):
    cases = (
        ("tdx-quote-v4", "tdx4-b0c06f-uptodate-dcapqvl", 0, "UpToDate"),
        ("tdx-quote-v4", "tdx4-00806f-automata-2025", 1, "OutOfDate"),
        ("tdx-quote-v5", "tdx5-90c06f-relaunch-oe", 1, "TDRelaunchAdvised"),
        ("tdx-quote-v5", "tdx5-90c06f-nolevel-dcapqvl", 1, None),
        ("tdx-quote-v4", "tdx4-00a06d-trustee-2025", 2, None),
        ("cvm-tdx", "cvm-tdx-90c06f-attestedtls", 0, "UpToDate"),
    )
    for kind, name, expected, status in cases:
        ((directory, meta),) = vectors(kind, name)
        file = next(path for path in (directory / "quote.bin", directory / "td_quote.bin") if path.exists())
        held = directory / "runtime_data.json"
        arguments = (
            file, "--type", "TdxVm", "--endorsements", directory / "collateral", "--at", meta["verify_at"]["suggested"],
            *(("--runtime-data", held, "--runtime-data-type", "JSON") if held.exists() else ()),
        )  # fmt: skip
        code, found = assay.judge(*arguments)
        assert (code, found["tcb_status"]) == (expected, status), name
        if expected == 0:
            fields = meta["fields"].get("td_quote", meta["fields"])
            assert found["token_payload"]["tdx_mrtd"] == fields["body"]["mrtd"]
        if status == "TDRelaunchAdvised":
            assert assay.judge(*arguments, "--accept-tcb", status)[0] == 0
        if status is None and expected == 1:
            assert assay.judge(*arguments, "--accept-tcb", "any")[1]["code"] == "TcbNotSupported"


def test_an_event_log_is_given_beside_the_quote(assay, tmp_path):
    made = assay("simulate", "TdxVm", "--out", tmp_path, "--at", WHEN, "--knob", "td-log")
    assert made.code == 0
    log = ("--event-log", tmp_path / "event_log.bin")
    code, found = assay.judge(*simulated(tmp_path, *log, kind="TdxVm"))
    assert (code, "events" in found["claims"]) == (0, True)
    cut = write(tmp_path / "cut.bin", (tmp_path / "event_log.bin").read_bytes()[:-100])
    code, found = assay.judge(*simulated(tmp_path, "--event-log", cut, kind="TdxVm"))
    assert (code, found["code"]) == (1, "MalformedEvidence")
    assert assay("simulate", "TdxVm", "--out", tmp_path, "--at", WHEN, "--knob", "td-log-short").code == 0
    code, found = assay.judge(*simulated(tmp_path, *log, kind="TdxVm"))
    assert (code, found["code"]) == (1, "EventLogMismatch")


def test_real_reports_are_judged_as_their_sources_say(assay):
    for directory, meta in vectors(
        "oe-sgx", "oe-report-azure-debug", "oe-evidence-signal-2023", "oe-evidence-plugin-2022"
    ):
        file = next(path for path in (directory / "oe_report.bin", directory / "evidence.bin") if path.exists())
        code, found = assay.judge(
            file, "--type", "OpenEnclave", "--endorsements", directory / "collateral",
            "--at", meta["verify_at"]["suggested"], "--accept-tcb", "any",
        )  # fmt: skip
        assert (code, found["code"], found["tcb_status"]) == (0, None, meta["computed"]["tcb_status"])


def test_a_real_quote_is_refused_when_its_collateral_has_expired(assay):
    directory, meta = next(vectors("sgx-quote", "sgx-cfl-azure-intelsdk-debug"))
    code, found = assay.judge(
        directory / "quote.bin", "--type", "SgxEnclave", "--endorsements", directory, "--at", "2026-06-01T00:00:00Z",
    )  # fmt: skip
    assert (code, found["tcb_status"]) == (1, None)
    assert next(check for check in found["checks"] if check["outcome"] == "failed")["name"].endswith("validity")
    assert meta["kind"] == "sgx-quote"
