from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from assay.client.local.machine import Machine, SystemFiles, this_machine
from assay.client.local.security_context import find_context_directory, read_security_context
from assay.client.local.snp_envelope import snp_evidence
from assay.client.local.source import report_data_of
from assay.formats import base64url, pem
from tests.client.local.reports import (
    AUTHORITY,
    LEAF,
    ROOT,
    VCEK,
    certificate,
    certificate_table,
    certificates_in,
    snp_report,
)
from tests.shared_vectors import shared_path

REPORT = snp_report(bytes(64))
TCB = "7308000000000003"
CHAIN = b"".join(pem.encode(one, "CERTIFICATE") for one in (AUTHORITY, ROOT)).decode()
CACHE = {
    "vcekCert": pem.encode(LEAF, "CERTIFICATE").decode(),
    "certificateChain": CHAIN,
    "tcbm": TCB,
    "cacheControl": "86400",
}


def write(directory, *, cache=CACHE, policy=b"package policy", reference=b"endorsements") -> None:
    directory.mkdir(parents=True)
    cached = json.dumps(cache).encode()
    for name, content in (
        ("security-policy-base64", policy),
        ("reference-info-base64", reference),
        ("host-amd-cert-base64", cached),
    ):
        (directory / name).write_bytes(base64.encodebytes(content))


def machine(root, directory: str | None = None) -> Machine:
    return Machine(SystemFiles(root), context_directory=directory)


def members(made) -> dict[str, str]:
    return json.loads(made.evidence)


@pytest.mark.parametrize("place", ["security-context-7af3", "opt/confidential-containers/share/kata-containers"])
def test_the_directory_is_found_at_its_usual_places(tmp_path, place):
    write(tmp_path / place)
    assert find_context_directory(machine(tmp_path)) == f"/{place}"


def test_the_environment_names_the_directory_first(tmp_path, monkeypatch):
    write(tmp_path / "security-context-7af3")
    monkeypatch.setenv("UVM_SECURITY_CONTEXT_DIR", "/elsewhere")
    assert find_context_directory(this_machine(tmp_path)) == "/elsewhere"
    assert read_security_context(this_machine(tmp_path)).policy is None


def test_evidence_of_a_container_brings_certificates_endorsements_and_policy(tmp_path):
    write(tmp_path / "security-context-1")
    made = snp_evidence(machine(tmp_path), "sev-guest", REPORT, b"")
    assert certificates_in(base64url.decode_strict(members(made)["VcekCertChain"])) == [LEAF, AUTHORITY, ROOT]
    endorsements = json.loads(base64url.decode_strict(members(made)["Endorsements"]))
    assert [base64url.decode_strict(one) for one in endorsements["Uvm"]] == [b"endorsements"]
    assert made.init_time_data == b"package policy"
    assert made.notes == ()


def test_certificates_of_another_tcb_are_passed_over(tmp_path):
    """The host's cache may lag behind an update of the firmware, or run ahead of the report (10)."""
    write(tmp_path / "security-context-1", cache={**CACHE, "tcbm": "7408000000000003"})
    made = snp_evidence(machine(tmp_path), "sev-guest", REPORT, b"")
    assert "VcekCertChain" not in members(made)
    assert "for TCB 7408000000000003, not 7308000000000003" in made.notes[0]


def test_the_table_of_the_report_is_preferred_to_the_cache(tmp_path):
    write(tmp_path / "security-context-1")
    other = certificate("SEV-VLEK", Encoding.PEM)
    made = snp_evidence(machine(tmp_path), "sev-guest", REPORT, certificate_table({VCEK: other}))
    assert certificates_in(base64url.decode_strict(members(made)["VcekCertChain"])) == certificates_in(other)


def test_a_table_that_points_beyond_its_end_is_passed_over(tmp_path):
    table = VCEK.bytes + (72).to_bytes(4, "little") + (1 << 30).to_bytes(4, "little") + bytes(24)
    made = snp_evidence(machine(tmp_path), "sev-guest", REPORT, table)
    assert "passed over" in made.notes[0]


@pytest.mark.parametrize(
    ("name", "content", "note"),
    [
        ("reference-info-base64", b"not base64!", "reference-info-base64 is left out"),
        ("host-amd-cert-base64", b"bm90IGpzb24=", "host-amd-cert-base64 is left out"),
        ("host-amd-cert-base64", base64.b64encode(b'{"vcekCert": 1}'), "vcekcert is missing or not a string"),
        ("host-amd-cert-base64", base64.b64encode(json.dumps({**CACHE, "tcbm": 7}).encode()), "tcbm is missing"),
        ("security-policy-base64", bytes(2 << 20), "at most"),
    ],
)
def test_what_is_unreadable_is_left_out_with_a_note(tmp_path, name, content, note):
    directory = tmp_path / "security-context-1"
    write(directory)
    (directory / name).write_bytes(content)
    notes = read_security_context(machine(tmp_path)).notes
    assert [one for one in notes if note in one] == list(notes)
    assert len(notes) == 1


def test_a_virtual_machine_has_no_security_context(tmp_path):
    made = snp_evidence(machine(tmp_path), "sev-guest", REPORT, b"")
    assert (made.init_time_data, set(members(made))) == (None, {"SnpReport"})


def test_the_files_of_a_real_container_are_read():
    directory = shared_path("evidence/aci/aci-securitycontext-files-sidecar")
    found = read_security_context(machine(Path("/"), str(directory)))
    assert found.notes == ()
    assert found.policy == (directory / "cce_policy.rego").read_bytes()
    assert found.uvm_endorsements == (directory / "uvm_endorsements.cose").read_bytes()
    assert found.certificates is not None
    assert found.certificates.tcb == json.loads((directory / "thim.json").read_bytes())["tcbm"]
    assert [one.common_name for one in found.certificates.chain] == ["SEV-VCEK", "SEV-Milan", "ARK-Milan"]


def test_runtime_data_is_bound_by_its_digest_and_zeros():
    assert report_data_of(b"held") == hashlib.sha256(b"held").digest() + bytes(32)
    assert report_data_of(None) == bytes(64)
