"""`/attest/Tpm` over HTTP: two rounds, one answer to each challenge, reports in their own form."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from assay.formats import base64url
from assay.policy import encode_unsecured
from assay.simulator.tpm.request import BASIC, ENCLAVE, RequestForm, mint_request
from tests.appraisals import read_json
from tests.service.administration import Administered, administered
from tests.service.in_process import development
from tests.shared_vectors import shared_path
from tests.tpm_cases import with_machine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIRST = b'{"payload":{"type":"aikcert"}}'
POLICY = (
    'version=1.0; authorizationrules { [type=="aikValidated", value==true] => permit(); };'
    ' issuancerules { c:[type=="secureBootEnabled"] => issue(claim=c); };'
)
SHORT = (
    "version=1.0; authorizationrules { => permit(); }; issuancerules {"
    ' => issueproperty(type="report_validity_in_minutes", value=10); => issueproperty(type="omit_x5c", value=true); };'
)
DENY = 'version=1.0; authorizationrules { [type=="secureBootEnabled", value==false] => permit(); };'


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Administered]:
    with administered(development(tmp_path, (), unsafe_verify_at=None)) as service:
        yield service


def post(served: Administered, inner: bytes, *, prefix: str = "", role: str | None = "reader") -> Any:
    return served.ask("POST", f"{prefix}/attest/Tpm", {"data": base64url.encode(inner)}, role=role)


def inner_of(response: Any) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    assert list(response.json()) == ["data"]
    value = json.loads(base64url.decode_strict(response.json()["data"]))
    assert isinstance(value, dict)
    return value


def begin(served: Administered, prefix: str = "") -> dict[str, str]:
    payload: dict[str, str] = inner_of(post(served, FIRST, prefix=prefix))["payload"]
    return payload


def answering(session: dict[str, str], form: RequestForm = BASIC) -> bytes:
    challenge = base64url.decode_strict(session["challenge"])
    return mint_request(replace(form, challenge=challenge, service_context=session["service_context"]))


def set_policy(served: Administered, kind: str = "Tpm", text: str = POLICY, prefix: str = "") -> None:
    headers = {"content-type": "text/plain"}
    response = served.ask("PUT", f"{prefix}/policies/{kind}", encode_unsecured(text), headers=headers)
    assert response.status_code == 200, response.text


def parts(report: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, payload, _ = report.split(".")
    return json.loads(base64url.decode_strict(header)), json.loads(base64url.decode_strict(payload))


def refusal_of(response: Any) -> tuple[int, str, str]:
    """Status, the wire's code, and the check that decided."""
    error = response.json()["error"]
    deciding = [each["target"] for each in error.get("details", ()) if each["outcome"] == "failed"]
    return response.status_code, error["code"], deciding[0] if deciding else ""


def test_a_report_is_issued_and_verifies(served: Administered) -> None:
    set_policy(served)
    report = inner_of(post(served, answering(begin(served))))["payload"]["report"]
    header, payload = parts(report)
    assert sorted(header) == ["alg", "kid", "typ", "x5c"]
    chain = [x509.load_der_x509_certificate(base64.b64decode(text)) for text in header["x5c"]]
    assert len(chain) == 3
    key = chain[0].public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    signed, _, signature = report.rpartition(".")
    key.verify(base64url.decode_strict(signature), signed.encode(), padding.PKCS1v15(), SHA256())
    listed = served.ask("GET", "/certs", role=None, version=None).json()["keys"]
    assert header["kid"] in [each["kid"] for each in listed]
    assert payload["nbf"] == payload["iat"] - 300
    assert payload["exp"] == payload["iat"] + 86_400
    assert (payload["ver"], payload["x-ms-ver"]) == ("1.0", "1.0")
    assert payload["rp_data"] == payload["nonce"] == "AQIDBA"
    assert set(payload["cnf"]["jwk"]) == {"kty", "n", "e"}
    assert payload["secureBootEnabled"] is True
    assert not {"x-ms-attestation-type", "x-ms-policy"} & set(payload)


def test_a_policy_chooses_validity_and_thumbprint(served: Administered) -> None:
    set_policy(served, text=SHORT)
    header, payload = parts(inner_of(post(served, answering(begin(served))))["payload"]["report"])
    assert sorted(header) == ["alg", "kid", "typ", "x5t"]
    assert payload["exp"] == payload["iat"] + 600


@pytest.mark.optional("shared")
def test_the_recorded_first_round_is_answered_in_the_same_shape(served: Administered) -> None:
    recorded: Any = read_json(shared_path("vectors/tpm/tpm_rest/attest-tpm-init-exchange.json"))
    response = served.ask("POST", "/attest/Tpm", recorded["request"], role="reader")
    ours = inner_of(response)
    theirs = json.loads(base64url.decode_strict(recorded["response"]["data"]))
    assert list(ours) == list(theirs) == ["payload"]
    assert list(ours["payload"]) == list(theirs["payload"])
    contexts = [json.loads(base64url.decode_strict(each["payload"]["service_context"])) for each in (ours, theirs)]
    assert list(contexts[0]) == list(contexts[1])
    assert [len(value) for value in contexts[0].values()] == [len(value) for value in contexts[1].values()]


def test_tpm_12_an_answer_counts_once(served: Administered) -> None:
    set_policy(served)
    request = answering(begin(served))
    inner_of(post(served, request))
    assert refusal_of(post(served, request)) == (400, "InvalidParameter", "challenge.first_answer")


def test_tpm_12_another_sessions_challenge_is_refused(served: Administered) -> None:
    set_policy(served)
    one, other = begin(served), begin(served)
    mixed = answering({"challenge": one["challenge"], "service_context": other["service_context"]})
    assert refusal_of(post(served, mixed)) == (400, "InvalidParameter", "challenge.value")


def test_tpm_12_another_tenants_session_is_refused(served: Administered) -> None:
    served.create("fabrikam")
    set_policy(served, prefix="/provider/fabrikam")
    request = answering(begin(served))
    refused = post(served, request, prefix="/provider/fabrikam")
    assert refusal_of(refused) == (400, "InvalidParameter", "challenge.context")


def test_a_refused_answer_does_not_consume_its_challenge(served: Administered) -> None:
    set_policy(served)
    session = begin(served)
    bad = answering(session, with_machine(logged=BASIC.machine.events[:-1]))
    assert refusal_of(post(served, bad)) == (400, "InvalidParameter", "log.replay")
    inner_of(post(served, answering(session)))


def test_a_denial_is_the_policys(served: Administered) -> None:
    set_policy(served, text=DENY)
    assert refusal_of(post(served, answering(begin(served))))[:2] == (400, "PolicyEvaluationError")


def test_without_a_policy_the_first_round_is_answered_and_the_second_refused(served: Administered) -> None:
    response = post(served, answering(begin(served)))
    assert response.status_code == 400
    expected = "A VBS attestation policy has not been set on the attestation provider."
    assert response.json()["error"]["message"] == expected


def test_callers_prove_themselves_unless_the_provider_waives_it(served: Administered) -> None:
    assert post(served, FIRST, role=None).status_code == 401
    served.create("open", tpmAttestationAuthentication="Disabled")
    assert post(served, FIRST, prefix="/provider/open", role=None).status_code == 200


def test_another_kind_of_proof_is_not_known(served: Administered) -> None:
    assert refusal_of(post(served, b'{"payload":{"type":"ekcert"}}'))[:2] == (400, "InvalidParameter")


def test_an_answer_has_the_shape_of_its_question(served: Administered) -> None:
    set_policy(served)
    assert list(inner_of(post(served, b'{"type":"aikcert"}'))) == ["challenge", "service_context"]
    assert list(inner_of(post(served, answering(begin(served), replace(BASIC, wrapped=False))))) == ["report"]


def test_enclaves_are_judged_by_their_own_policy_or_that_of_their_machine(served: Administered) -> None:
    set_policy(served)
    inner_of(post(served, answering(begin(served), ENCLAVE)))
    set_policy(served, "VbsEnclave", DENY)
    assert refusal_of(post(served, answering(begin(served), ENCLAVE)))[1] == "PolicyEvaluationError"
    inner_of(post(served, answering(begin(served))))


def test_an_explained_answer_has_the_verdict_beside_the_report(served: Administered) -> None:
    set_policy(served)
    body = {"data": base64url.encode(answering(begin(served)))}
    response = served.ask("POST", "/attest/Tpm?explain=true&api-version=2020-10-01", body, role="reader")
    assert list(response.json()) == ["data", "verdict"]
