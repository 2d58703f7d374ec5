"""Attack cases VBS-01 to VBS-03: reports of enclaves that something else than the measured kernel made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from assay.evidence.base import PlatformRules
from assay.simulator.tpm.boots import WindowsForm, windows_boot
from assay.simulator.tpm.enclave import VBS_FORM, boot_with_enclaves, measured_idks, module_block
from assay.simulator.tpm.event_log import boundary, tagged
from assay.simulator.tpm.request import ENCLAVE, RequestForm
from assay.simulator.tpm.structures import SHA256
from tests.tpm_cases import PERMIT, accepted, offered, refused, with_machine

DEBUG = (
    'version=1.1; configurationrules { => issueproperty(type="allow_debug_enclave", value=true); };'
    " authorizationrules { => permit(); };"
)


def enclave(**changes: Any) -> RequestForm:
    return replace(ENCLAVE, enclave=replace(VBS_FORM, **changes))


def idks(key: str) -> bytes:
    return tagged(0x00050023, measured_idks(key))


BOOT = boot_with_enclaves()
TWO_KEYS = (*BOOT[:-4], boundary(12, idks("tpm other idks"), banks=(SHA256,)), *BOOT[-4:])
LATE_KEY = (*windows_boot(), boundary(12, idks("tpm idks"), banks=(SHA256,)))

REFUSED: dict[str, tuple[RequestForm, str]] = {
    "VBS-01 signed by another key": (enclave(signed_by="tpm other idks"), "vbs_report.signature"),
    "VBS-01 no key measured": (with_machine(ENCLAVE, events=windows_boot()), "idks.measured"),
    "VBS-01 two keys measured": (with_machine(ENCLAVE, events=TWO_KEYS), "idks.measured"),
    "VBS-01 the key measured after the separator": (with_machine(ENCLAVE, events=LATE_KEY), "idks.measured"),
    "VBS-01 a key that cannot be": (
        with_machine(ENCLAVE, events=windows_boot(WindowsForm(idks=measured_idks()[:-1]))),
        "idks.measured",
    ),
    "VBS-02 fully debuggable": (enclave(flags=1), "vbs_report.debug"),
    "VBS-02 being debugged": (enclave(flags=6), "vbs_report.debug"),
    "VBS-02 the hash of something else": (enclave(enclave_data=bytes(64)), "vbs_report.enclave_data"),
    "another package version": (enclave(package_version=2), "evidence.form"),
    "another scheme": (enclave(scheme=2), "evidence.form"),
    "another report version": (enclave(report_version=2), "evidence.form"),
    "no VBS enclave": (enclave(enclave_type=2), "evidence.form"),
    "another size of the statement": (enclave(statement_size=223), "evidence.form"),
    "a block of no size": (enclave(blocks=bytes(8)), "evidence.form"),
    "a block past the end": (enclave(blocks=b"\x01\0\0\0\xff\0\0\0"), "evidence.form"),
    "octets after the package": (enclave(trailing=b"\0"), "evidence.form"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_attack_is_refused_by_its_check(name: str) -> None:
    form, check = REFUSED[name]
    assert refused(form).check.name == check


@pytest.mark.parametrize(
    "form",
    [ENCLAVE, replace(ENCLAVE, version=1), enclave(blocks=module_block()), enclave(flags=2)],
    ids=["version 2", "version 1", "with a module", "debuggable when asked"],
)
def test_a_control_is_accepted(form: RequestForm) -> None:
    claims = offered(accepted(form))
    assert claims["x-ms-attestation-type"] == "vbs"
    assert claims["vbsReportPresent"] is True
    assert claims["enclaveSvn"] == 3
    assert len(str(claims["enclaveAuthorId"])) == 43


def test_a_debuggable_enclave_is_admitted_where_policy_and_operator_agree() -> None:
    assert offered(accepted(enclave(flags=1), DEBUG))["enclaveFlags"] == 1
    assert refused(enclave(flags=1), PlatformRules(strict=True)).check.name == "vbs_report.debug"


def test_vbs_03_a_report_of_another_session_is_refused() -> None:
    """The report binds the request's text: another challenge in it is another hash."""
    other = replace(ENCLAVE, challenge=b"another session.")
    assert refused(other).check.name == "challenge.value"
    replayed = replace(ENCLAVE, rp_data="another", enclave=replace(VBS_FORM, enclave_data=bytes(63) + b"\1"))
    assert refused(replayed).check.name == "vbs_report.enclave_data"


def test_the_token_confirms_the_enclaves_key() -> None:
    result = accepted(ENCLAVE, PERMIT)
    assert set(result.statement.members) == {"cnf", "rp_data", "nonce"}
