"""Policy management certificates over the wire (rest-api 9; attack cases POL-01, POL-04, POL-05)."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.administrators import PERMIT_ALL, PolicySigningKey, make_signer, signed_with_sha1, signer
from tests.service.administration import Administered, administered
from tests.service.in_process import development
from tests.service.material import VERSION, refusal_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ALICE, BOB, CAROL = (signer(name) for name in ("alice", "bob", "carol"))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Administered]:
    with administered(development(tmp_path_factory.mktemp("certificates"), ())) as running:
        yield running


@pytest.fixture
def isolated(served: Administered, request: pytest.FixtureRequest) -> str:
    """The path of an isolated provider of this test alone, with Alice for its signer."""
    name = f"isolated-{hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:8]}"
    served.create(name, signers=(ALICE,), assay={"signingAlgorithm": "ES256"})
    return f"/provider/{name}"


def listed(served: Administered, path: str) -> list[dict]:
    claims = served.claims("GET", f"{path}/certificates", role="reader")
    assert set(claims) == {"exp", "iat", "iss", "nbf", "x-ms-policy-certificates"}
    assert list(claims["x-ms-policy-certificates"]) == ["keys"]
    return claims["x-ms-policy-certificates"]["keys"]


def key_of(who: PolicySigningKey) -> dict:
    kty = who.jwk["kty"]
    return {"alg": "RS256" if kty == "RSA" else "ES256", "kty": kty, "use": "sig", "x5c": who.x5c}


def change(served: Administered, path: str, verb: str, jws: str, **more):
    return served.ask("POST", f"{path}/certificates:{verb}", json.dumps(jws), **more)


def changed(served: Administered, path: str, verb: str, jws: str) -> dict:
    response = change(served, path, verb, jws, headers={"Content-Type": "application/json"})
    from tests.service.material import claims_of

    claims = claims_of(response)
    assert set(claims) == {
        "exp",
        "iat",
        "iss",
        "nbf",
        "x-ms-certificate-thumbprint",
        "x-ms-policycertificates-result",
    }
    assert (claims["iss"], claims["exp"] - claims["iat"]) == (f"{served.base_url}{path}", 3600)
    return claims


def test_an_isolated_provider_lists_its_signers(served: Administered, isolated: str) -> None:
    assert listed(served, isolated) == [key_of(ALICE)]


def test_an_aad_provider_has_none_and_takes_none(served: Administered) -> None:
    """The real service answers 400 `InvalidOperation` (rest-api 4.2)."""
    assert listed(served, "") == []
    for verb in ("add", "remove"):
        for jws in (ALICE.certificate_change(BOB), ALICE.certificate_change(ALICE)):
            refusal_of(change(served, "", verb, jws), 400, "InvalidOperation")


@pytest.mark.parametrize("kind", ["RSA2048", "P256"])
def test_a_signer_is_added_and_removed_any_number_of_times(served: Administered, isolated: str, kind: str) -> None:
    other = signer("other", kind)
    for _ in range(2):
        claims = changed(served, isolated, "add", ALICE.certificate_change(other))
        assert claims["x-ms-policycertificates-result"] == "IsPresent"
        assert claims["x-ms-certificate-thumbprint"] == other.thumbprint
        assert listed(served, isolated) == [key_of(ALICE), key_of(other)]
    served.claims("PUT", f"{isolated}/policies/SgxEnclave", other.policy(PERMIT_ALL))
    for _ in range(2):
        claims = changed(served, isolated, "remove", ALICE.certificate_change(other))
        assert claims["x-ms-policycertificates-result"] == "IsAbsent"
        assert claims["x-ms-certificate-thumbprint"] == other.thumbprint
        assert listed(served, isolated) == [key_of(ALICE)]
    refusal_of(
        served.ask("PUT", f"{isolated}/policies/SgxEnclave", other.policy(PERMIT_ALL + " ")), 400, "InvalidOperation"
    )


BODIES = {
    "raw": lambda jws, verb: jws,
    "a JSON string": lambda jws, verb: json.dumps(jws),
    "an object": lambda jws, verb: json.dumps({f"policyCertificateTo{verb.capitalize()}": jws}),
}


@pytest.mark.parametrize("form", BODIES)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
@pytest.mark.parametrize(
    "name", ["policyCertificate", "maa-policyCertificate", "aas-policyCertificate", "x-ms-policyCertificate"]
)
def test_requests_come_in_every_form(
    served: Administered, isolated: str, form: str, content_type: str, name: str
) -> None:
    for verb, result in (("add", "IsPresent"), ("remove", "IsAbsent")):
        body = BODIES[form](ALICE.certificate_change(BOB, name), verb)
        headers = {"Content-Type": content_type}
        claims = served.claims("POST", f"{isolated}/Certificates:{verb}", body, headers=headers)
        assert claims["x-ms-policycertificates-result"] == result


def test_the_python_librarys_form_is_taken(served: Administered, isolated: str) -> None:
    header = json.dumps({"alg": "RSA256", "jwk": {"x5c": ALICE.x5c}}).encode()
    payload = json.dumps({"policyCertificate": {"kty": "RSA", "x5c": BOB.x5c}}).encode()
    assert (
        changed(served, isolated, "add", ALICE.sign(header, payload))["x-ms-certificate-thumbprint"] == BOB.thumbprint
    )


def test_the_first_of_a_chain_is_the_one_meant(served: Administered, isolated: str) -> None:
    leaf = make_signer("Leaf", ca=False, parent=make_signer("Root"))
    claims = changed(served, isolated, "add", ALICE.certificate_change(leaf))
    assert claims["x-ms-certificate-thumbprint"] == leaf.thumbprint
    assert listed(served, isolated)[1] == key_of(leaf)
    served.claims("PUT", f"{isolated}/policies/SgxEnclave", leaf.policy(PERMIT_ALL))


def test_only_members_change_the_set(served: Administered, isolated: str) -> None:
    """Attack case POL-04: nor does the one who is being added."""
    for jws in (BOB.certificate_change(BOB), BOB.certificate_change(CAROL)):
        for role in ("contributor", "operator"):
            refusal_of(change(served, isolated, "add", jws, role=role), 400, "InvalidOperation")
    refusal_of(change(served, isolated, "remove", BOB.certificate_change(ALICE)), 400, "InvalidOperation")
    assert listed(served, isolated) == [key_of(ALICE)]


def test_a_certificate_of_a_members_key_is_no_member(served: Administered, isolated: str) -> None:
    """Membership is of certificates: who holds the key can make others, the set knows one."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding

    old = x509.load_der_x509_certificate(ALICE.certificates[0])
    twin = x509.CertificateBuilder(
        old.issuer, old.subject, old.public_key(), 7, old.not_valid_before_utc, old.not_valid_after_utc
    ).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    other = PolicySigningKey(ALICE.key, (twin.sign(ALICE.key, hashes.SHA256()).public_bytes(Encoding.DER),))
    refusal_of(change(served, isolated, "add", other.certificate_change(BOB)), 400, "InvalidOperation")


def test_a_member_that_signs_below_is_no_signer(served: Administered, isolated: str) -> None:
    """Attack case POL-01: membership, not descent (rest-api 20)."""
    child = make_signer("Child", parent=ALICE)
    refusal_of(served.ask("PUT", f"{isolated}/policies/SgxEnclave", child.policy(PERMIT_ALL)), 400, "InvalidOperation")
    refusal_of(change(served, isolated, "add", child.certificate_change(BOB)), 400, "InvalidOperation")


def test_the_last_signer_stays(served: Administered, isolated: str) -> None:
    error = refusal_of(change(served, isolated, "remove", ALICE.certificate_change(ALICE)), 400, "InvalidOperation")
    assert "last" in error["message"]
    changed(served, isolated, "add", ALICE.certificate_change(BOB))
    changed(served, isolated, "remove", ALICE.certificate_change(ALICE))
    assert listed(served, isolated) == [key_of(BOB)]
    refusal_of(change(served, isolated, "add", ALICE.certificate_change(CAROL)), 400, "InvalidOperation")


def with_sha1() -> PolicySigningKey:
    made = make_signer("Old")
    return signed_with_sha1(made, made.key)  # type: ignore[arg-type]


REJECTED = {
    "no CA": lambda: make_signer("Leaf", ca=False),
    "RSA of 1024 bits": lambda: make_signer("Weak", "RSA1024"),
    "SHA-1": with_sha1,
    "a chain that does not hold": lambda: PolicySigningKey(BOB.key, (*BOB.certificates, *CAROL.certificates)),
}


@pytest.mark.parametrize("case", REJECTED)
def test_a_certificate_that_may_not_sign_is_not_added(served: Administered, isolated: str, case: str) -> None:
    """Attack case POL-05, with a reason that can be read."""
    error = refusal_of(
        change(served, isolated, "add", ALICE.certificate_change(REJECTED[case]())), 400, "InvalidParameter"
    )
    assert error["deciding"]["code"] == "PolicySignerRejected"
    assert "CN=" in error["message"]
    assert listed(served, isolated) == [key_of(ALICE)]


def test_an_expired_member_signs_nothing(served: Administered) -> None:
    """Attack case POL-01; the time is that at which evidence is judged."""
    begin, end = datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
    old = make_signer("Expired", begin=begin, end=end)
    served.create("isolated-expired", signers=(old, ALICE), assay={"signingAlgorithm": "ES256"})
    path = "/provider/isolated-expired"
    response = served.ask("PUT", f"{path}/policies/SgxEnclave", old.policy(PERMIT_ALL))
    error = refusal_of(response, 400, "InvalidParameter")
    assert error["deciding"]["code"] == "PolicySignerOutsideValidity"
    refusal_of(change(served, path, "add", old.certificate_change(BOB)), 400, "InvalidParameter")
    # The control: it is listed, and another member signs and may remove it.
    assert len(listed(served, path)) == 2
    changed(served, path, "remove", ALICE.certificate_change(old))
    served.claims("PUT", f"{path}/policies/SgxEnclave", ALICE.policy(PERMIT_ALL))


def test_requests_of_another_form_are_refused(served: Administered, isolated: str) -> None:
    unsigned = "eyJhbGciOiJub25lIn0.e30."
    mallory = make_signer("Mallory").jws({"policyCertificate": BOB.jwk}, header={"alg": "RS256", "x5c": ALICE.x5c})
    for jws in (unsigned, mallory, ALICE.jws({}), ALICE.jws(None), ALICE.policy(PERMIT_ALL), "abc"):
        for verb in ("add", "remove"):
            refusal_of(change(served, isolated, verb, jws), 400, "InvalidOperation")
    assert listed(served, isolated) == [key_of(ALICE)]


def test_roles_are_asked_for(served: Administered, isolated: str) -> None:
    jws = ALICE.certificate_change(BOB)
    for verb in ("add", "remove"):
        for role in (None, "reader"):
            refusal_of(change(served, isolated, verb, jws, role=role), 401, "Unauthorized")
    refusal_of(served.ask("GET", f"{isolated}/certificates", role=None), 401, "Unauthorized")
    assert listed(served, isolated) == [key_of(ALICE)]


def test_api_versions_are_asked_for(served: Administered, isolated: str) -> None:
    response = served.ask("GET", f"{isolated}/certificates", version=None)
    refusal_of(response, 400, "ApiVersionUnspecified")
    for version in (VERSION, "2022-08-01", "2025-06-01", "2026-03-11-preview"):
        assert served.ask("GET", f"{isolated}/certificates", version=version).status_code == 200
