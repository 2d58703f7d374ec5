"""TPMs and VBS enclaves: two rounds with the service, under a policy that is set first, since these types have none."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from assay.client.administration import encode_policy, set_policy_call
from assay.client.protocol import API_VERSION, attest_call, read_object, require_status
from assay.client.shells import Client, submission
from assay.evidence import find_evidence_type
from assay.formats import base64url
from assay.simulator.tpm.enclave import VBS_FORM
from assay.simulator.tpm.request import BASIC, ENCLAVE, RequestForm, mint_request
from demo.steps import Accepted, Refused, Step

if TYPE_CHECKING:
    from demo.service import RunningService

# How the types are called, and under which route both are attested.
TPM: Final = "Tpm"
VBS: Final = "VbsEnclave"
NAMES: Final = (TPM, VBS)
_POLICY: Final = "version=1.2; authorizationrules { => permit(); };"
_INIT: Final = b'{"payload":{"type":"aikcert"}}'


@dataclass(frozen=True, slots=True)
class TwoRounds:
    """Asks for a challenge, answers it with a request of this form, and returns the report."""

    form: RequestForm

    def __call__(self, client: Client) -> str:
        first = _ask(client, _INIT)
        form = replace(
            self.form,
            challenge=base64url.decode_lenient(first["challenge"]),
            service_context=first["service_context"],
        )
        return _ask(client, mint_request(form))["report"]


def _ask(client: Client, message: bytes) -> dict[str, str]:
    """One round: what stands in the payload of the answer."""
    kind = find_evidence_type(TPM)
    assert kind is not None
    call = attest_call(client.url, kind, submission(message), explain=False, api_version=API_VERSION)
    answer = client.do(call, read_object)
    members: dict[str, str] = json.loads(base64url.decode_lenient(str(answer["data"])))["payload"]
    return members


def set_policies(service: RunningService) -> None:
    """Sets what permits both types, as an administrator does: with the contributor's development token."""
    bearer = (service.ca_file.parent / "contributor.token").read_text(encoding="ascii").strip()
    with Client(service.url, ca_file=service.ca_file, bearer=bearer) as client:
        for name in NAMES:
            client.do(set_policy_call(client.url, name, encode_policy(_POLICY, None)), require_status)


def measured_steps() -> tuple[Step, ...]:
    """Each as made, then tampered with."""
    other_log = replace(BASIC, machine=replace(BASIC.machine, logged=BASIC.machine.events[:-1]))
    other_enclave = replace(ENCLAVE, enclave=replace(VBS_FORM, signed_by="tpm other idks"))
    boot = "request of version 2, a measured boot"
    return (
        _step(TPM, boot, "as made", BASIC, Accepted(("simulator",))),
        _step(
            TPM,
            boot,
            "without the last event of its log",
            other_log,
            Refused(400, "log.replay"),
        ),
        _step(VBS, "report of an enclave on that machine", "as made", ENCLAVE, Accepted(("simulator",))),
        _step(
            VBS,
            "report of an enclave on that machine",
            "signed by a key that was not measured",
            other_enclave,
            Refused(400, "vbs_report.signature"),
        ),
    )


def _step(name: str, evidence: str, sent: str, form: RequestForm, expected: Accepted | Refused) -> Step:
    return Step(name, evidence, sent, submission(_INIT), expected, send=TwoRounds(form))
