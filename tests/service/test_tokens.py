"""Tokens, key set and discovery, read without our own code (rest-api 5, 6; design section 8)."""

from __future__ import annotations

import base64
import hashlib
import json
import time

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from assay.formats import base64url
from tests.service.material import (
    AT,
    BROKEN,
    DENY,
    OPEN_ENCLAVE,
    PERMIT,
    SGX,
    claims_of,
    open_enclave_body,
    quote,
    refusal_of,
    report,
    sgx_body,
    take_apart,
    token_of,
)
from tests.service.running import Running, running

DISCOVERED = [
    "cnf",
    "nonce",
    "x-ms-ver",
    "x-ms-attestation-type",
    "x-ms-policy-hash",
    "x-ms-policy-signer",
    "x-ms-sgx-is-debuggable",
    "x-ms-sgx-mrenclave",
    "x-ms-sgx-mrsigner",
    "x-ms-sgx-svn",
    "x-ms-sgx-ehd",
    "x-ms-sgx-collateral",
    "is-debuggable",
    "sgx-mrsigner",
    "sgx-mrenclave",
    "product-id",
    "svn",
    "tee",
]


def kid_of(public_key) -> str:
    """rest-api 5.1: SHA-256 over the PEM public key and one NUL octet, in standard base64."""
    text = public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(text + b"\x00").digest()).decode()


def test_the_header_has_four_members_and_both_parts_are_sorted_and_compact(service: Running, wire) -> None:
    text = wire.post(SGX, json=sgx_body(nonce="\u00e9")).json()["token"]
    token = take_apart(text)
    assert list(token.header) == ["alg", "jku", "kid", "typ"]
    kid = wire.get("/certs").json()["keys"][0]["kid"]
    assert token.header == {"alg": "RS256", "jku": f"{service.url}/certs", "kid": kid, "typ": "JWT"}
    for part in text.split(".")[:2]:
        octets = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        value = json.loads(octets)
        assert octets == json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_the_common_claims(service: Running, wire) -> None:
    before = int(time.time())
    claims = claims_of(wire.post(SGX, json=sgx_body()))
    assert claims["iss"] == service.url
    assert before <= claims["iat"] == claims["nbf"] <= time.time()
    assert claims["exp"] == claims["iat"] + 28800
    assert len(claims["jti"]) == 64
    assert bytes.fromhex(claims["jti"]).hex() == claims["jti"]
    assert claims["jti"] != claims_of(wire.post(SGX, json=sgx_body()))["jti"]
    assert claims["x-ms-ver"] == "1.0"
    assert claims["x-ms-attestation-type"] == "sgx"
    assert len(base64.urlsafe_b64decode(claims["x-ms-policy-hash"] + "=")) == 32


def test_the_quote_hash_covers_the_evidence_as_submitted(wire) -> None:
    sgx, oe = wire.post(SGX, json=sgx_body()), wire.post(OPEN_ENCLAVE, json=open_enclave_body())
    for response, evidence in ((sgx, quote().evidence), (oe, report().evidence)):
        claims = claims_of(response)
        assert claims["x-ms-sgx-collateral"]["quotehash"] == hashlib.sha256(evidence).hexdigest()
        assert claims["maa-attestationcollateral"] == claims["x-ms-sgx-collateral"]
        assert claims["x-ms-attestation-type"] == "sgx"


def test_issued_claims_stand_flat_and_in_x_ms_policy(wire) -> None:
    claims = claims_of(wire.post(SGX, json=sgx_body()))
    assert claims["x-ms-policy"]["tee"] == claims["tee"] == "sgx"
    assert all(claims[name] == value for name, value in claims["x-ms-policy"].items())


def test_tokens_of_a_development_service_are_marked(wire) -> None:
    assert claims_of(wire.post(SGX, json=sgx_body()))["x-assay-unsafe"] == ["simulator", "verify-at"]


def test_a_tolerated_missing_revocation_list_is_marked(tmp_path, collateral) -> None:
    held = tmp_path / "collateral"
    held.mkdir()
    for path in collateral.iterdir():
        if "crl" not in path.name:
            (held / path.name).write_bytes(path.read_bytes())
    options = ("--dev", "--port", "0", "--offline", "--collateral", str(held), "--unsafe-verify-at", AT.isoformat())
    with running(tmp_path / "strict", *options) as service, service.client() as client:
        response = client.post(SGX, json=sgx_body())
        error = refusal_of(response, 503, "EndorsementUnavailable")
        assert error["deciding"]["outcome"] == "missing"
        assert int(response.headers["retry-after"]) > 0
        assert "revocation" in error["message"].lower() or "crl" in error["message"].lower()
    with running(tmp_path / "tolerant", *options, "--unsafe-no-revocation") as service, service.client() as client:
        marks = claims_of(client.post(SGX, json=sgx_body()))["x-assay-unsafe"]
        assert sorted(marks) == ["no-revocation", "simulator", "verify-at"]


def test_the_key_set_has_clean_certificates_and_the_numbers_of_the_key(service: Running, wire) -> None:
    key, _ = wire.get("/certs").json()["keys"]
    assert list(key)[:3] == ["x5c", "kid", "kty"]
    assert set(key) == {"x5c", "kid", "kty", "n", "e", "alg", "use"}
    assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
    (text,) = key["x5c"]
    der = base64.b64decode(text, validate=True)
    certificate = x509.load_der_x509_certificate(der)
    public_key = certificate.public_key()
    assert isinstance(public_key, rsa.RSAPublicKey)
    assert public_key.key_size == 2048
    assert certificate.public_bytes(Encoding.DER) == der
    assert certificate.subject == certificate.issuer
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == service.url
    certificate.verify_directly_issued_by(certificate)
    assert key["kid"] == kid_of(public_key)
    assert base64url.decode_strict(key["n"]) == public_key.public_numbers().n.to_bytes(256, "big")
    assert certificate.fingerprint(SHA1())


def test_the_key_set_lists_the_key_as_a_signer_of_reports_too(wire) -> None:
    key, report = wire.get("/certs").json()["keys"]
    assert (report["n"], report["e"]) == (key["n"], key["e"])
    chain = [x509.load_der_x509_certificate(base64.b64decode(text, validate=True)) for text in report["x5c"]]
    assert len(chain) == 3
    for certificate, issuer in zip(chain, [*chain[1:], chain[2]], strict=True):
        certificate.verify_directly_issued_by(issuer)
    assert base64url.decode_strict(report["kid"]) == chain[0].fingerprint(SHA1())
    (purpose,) = chain[0].extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert purpose.dotted_string == "1.3.6.1.4.1.311.76.50.3"


def test_a_generic_library_verifies_the_token_from_discovery(service: Running, wire) -> None:
    token = wire.post(SGX, json=sgx_body()).json()["token"]
    document = wire.get("/.well-known/openid-configuration").json()
    key, _ = jwt.PyJWKSet.from_dict(wire.get(document["jwks_uri"]).json()).keys
    claims = jwt.decode(token, key, algorithms=["RS256"], issuer=document["issuer"], leeway=5)
    assert claims["x-ms-sgx-mrenclave"]
    head, _, tail = token.rpartition(".")
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(f"{head}.{'A' * len(tail)}", key, algorithms=["RS256"])


def test_the_discovery_document(service: Running, wire) -> None:
    base = service.url
    assert wire.get("/.well-known/openid-configuration").json() == {
        "response_types_supported": ["token", "none"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "revocation_endpoint": f"{base}/revoke",
        "issuer": base,
        "jwks_uri": f"{base}/certs",
        "claims_supported": DISCOVERED,
    }


def test_a_draft_policy_yields_an_unsecured_token(wire) -> None:
    for path, body in ((SGX, sgx_body), (OPEN_ENCLAVE, open_enclave_body)):
        response = wire.post(path, json=body(draftPolicyForAttestation=PERMIT))
        assert response.json()["token"].endswith(".")
        token = token_of(response)
        assert token.header["alg"] == "none"
        assert list(token.header) == ["alg", "jku", "kid", "typ"]
        assert token.signature == b""
        assert token.payload["x-ms-policy"] == {"drafted": True}
        inner = base64url.encode(PERMIT.encode()).encode()
        assert token.payload["x-ms-policy-hash"] == base64url.encode(hashlib.sha256(inner).digest())


def test_a_draft_policy_in_a_jws_is_unwrapped(wire) -> None:
    payload = base64url.encode(json.dumps({"AttestationPolicy": base64url.encode(PERMIT.encode())}).encode())
    header = base64url.encode(b'{"alg":"none"}')
    jws = f"{header}.{payload}."
    token = token_of(wire.post(SGX, json=sgx_body(draftPolicyForAttestation=jws)))
    assert token.header["alg"] == "none"
    assert token.payload["drafted"] is True


def test_a_draft_policy_that_denies_or_does_not_parse_is_refused(wire) -> None:
    denied = refusal_of(wire.post(SGX, json=sgx_body(draftPolicyForAttestation=DENY)), 400, "PolicyEvaluationError")
    assert denied["deciding"]["target"] == "policy.authorization"
    assert "line 1" in denied["deciding"]["observed"]
    silent = "version=1.0; authorizationrules{}; issuancerules{};"
    refusal_of(wire.post(SGX, json=sgx_body(draftPolicyForAttestation=silent)), 400, "PolicyEvaluationError")
    broken = refusal_of(wire.post(SGX, json=sgx_body(draftPolicyForAttestation=BROKEN)), 400, "PolicyParsingError")
    assert "Line: '2'" in broken["message"]
    unusable: tuple[object, ...] = (5, [], True)
    for nothing in unusable:
        refusal_of(wire.post(SGX, json=sgx_body(draftPolicyForAttestation=nothing)), 400, "InvalidParameter")


def test_a_policy_cannot_replace_the_services_own_claims(wire) -> None:
    """Attack cases TOK-13 and TOK-14."""
    names = ("iss", "exp", "nonce", "x-ms-sgx-mrenclave", "x-assay-unsafe", "cnf")
    rules = "".join(f'=> issue(type="{name}", value="forged");' for name in names)
    draft = f"version=1.0; authorizationrules{{=> permit();}}; issuancerules{{{rules}}};"
    response = wire.post(SGX, json=sgx_body(draftPolicyForAttestation=draft))
    if response.status_code == 200:
        claims = claims_of(response)
        assert all(claims.get(name) != "forged" for name in names)
    else:
        assert response.status_code == 400


def test_a_success_explains_itself_when_asked(wire) -> None:
    plain = wire.post(SGX, json=sgx_body())
    assert list(plain.json()) == ["token"]
    for spelling in ("true", "True", "1"):
        body = wire.post(f"{SGX}&explain={spelling}", json=sgx_body()).json()
        assert list(body) == ["token", "verdict"]
        outcomes = {entry["target"]: entry["outcome"] for entry in body["verdict"]}
        assert outcomes["quote.signature"] == outcomes["policy.authorization"] == "passed"
        assert set(outcomes.values()) == {"passed", "not applicable"}
        assert all(entry["reference"] for entry in body["verdict"])
    assert list(wire.post(f"{SGX}&explain=false", json=sgx_body()).json()) == ["token"]


def test_es256_and_a_lifetime_by_option(tmp_path, collateral) -> None:
    common = ("--dev", "--port", "0", "--offline", "--collateral", str(collateral))
    options = (*common, "--unsafe-verify-at", AT.isoformat(), "--algorithm", "ES256", "--token-lifetime", "10")
    with running(tmp_path / "state", *options) as service, service.client() as client:
        text = client.post(SGX, json=sgx_body()).json()["token"]
        token = take_apart(text)
        assert token.header["alg"] == "ES256"
        assert len(token.signature) == 64
        assert token.payload["exp"] == token.payload["iat"] + 600
        key, _ = client.get("/certs").json()["keys"]
        assert list(key)[:3] == ["x5c", "kid", "kty"]
        assert (key["kty"], key["crv"], key["alg"]) == ("EC", "P-256", "ES256")
        certificate = x509.load_der_x509_certificate(base64.b64decode(key["x5c"][0]))
        public_key = certificate.public_key()
        assert isinstance(public_key, ec.EllipticCurvePublicKey)
        assert key["kid"] == kid_of(public_key) == token.header["kid"]
        assert jwt.decode(text, jwt.PyJWK.from_dict(key), algorithms=["ES256"], leeway=5)
        assert client.get("/.well-known/openid-configuration").json()["id_token_signing_alg_values_supported"] == [
            "ES256"
        ]
