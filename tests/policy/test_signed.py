"""The JWS that administer a provider: which forms are read, which signatures are believed (rest-api 8.2, 9, 18)."""

from __future__ import annotations

import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from assay.errors import ChainUntrusted, InvalidOperation
from assay.policy.signed import (
    parse_management_jws,
    policy_text,
    require_empty_payload,
    signer_chain,
    verify_management_jws,
)
from tests.administrators import (
    PERMIT_ALL,
    RESET,
    UNSECURED,
    b64url,
    make_signer,
    policy_payload,
    signer,
    token_hash_of,
    unsecured,
)

# rest-api 18: as the libraries write the same policy, with the hashes that the real service answered.
OF_PYTHON = (
    "eyJhbGciOiJub25lIn0.eyJBdHRlc3RhdGlvblBvbGljeSI6ICJkbVZ5YzJsdmJqMHhMakE3SUdGMWRHaHZjbWw2WVhScGIyNXlkV3hsYzNzOVBp"
    "QndaWEp0YVhRb0tUdDlPeUJwYzNOMVlXNWpaWEoxYkdWemUzMDcifQ."
)
OF_JAVASCRIPT = (
    "eyJhbGciOiJub25lIn0.eyJBdHRlc3RhdGlvblBvbGljeSI6ImRtVnljMmx2YmoweExqQTdJR0YxZEdodmNtbDZZWFJwYjI1eWRXeGxjM3M5UGlC"
    "d1pYSnRhWFFvS1R0OU95QnBjM04xWVc1alpYSjFiR1Z6ZTMwNyJ9."
)


@pytest.mark.parametrize(
    ("jws", "token_hash"),
    [
        (OF_PYTHON, "pyhI2FKMjRkvpvwS07hLclAyvsi5O4TrnzL5OPsIxzM"),
        (OF_JAVASCRIPT, "c6sEJQItV50OeP9IrP_bzywAMOVvj5uDPbklA_bwdYQ"),
    ],
)
def test_unsecured_policies_have_the_recorded_hashes(jws: str, token_hash: str) -> None:
    parsed = parse_management_jws(jws)
    assert parsed.text == jws
    assert parsed.is_unsecured
    assert parsed.token_hash == token_hash
    assert parsed.signer is None
    assert policy_text(parsed) == PERMIT_ALL


def test_the_empty_jws_is_a_reset() -> None:
    require_empty_payload(parse_management_jws(RESET))
    signed = parse_management_jws(signer().reset())
    require_empty_payload(signed)
    verify_management_jws(signed)
    with pytest.raises(InvalidOperation, match="empty payload"):
        require_empty_payload(parse_management_jws(OF_PYTHON))


HEADERS = {
    "x5c": lambda who, alg: {"alg": alg, "x5c": who.x5c},
    "jwk.x5c": lambda who, alg: {"alg": alg, "jwk": {"x5c": who.x5c}},
    "more members": lambda who, alg: {"typ": "JWT", "alg": alg, "x5c": who.x5c, "jwk": {"kty": "RSA", "x5c": who.x5c}},
}


@pytest.mark.parametrize("form", HEADERS)
@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [
        ("RSA2048", "RS256"),
        ("RSA2048", "RSA256"),
        ("RSA2048", "RS384"),
        ("RSA2048", "RS512"),
        ("RSA2048", "PS256"),
        ("P256", "ES256"),
        ("P256", "ECDH256"),
        ("P384", "ES384"),
    ],
)
def test_every_form_of_a_signed_policy_verifies(form: str, kind: str, algorithm: str) -> None:
    who = signer("forms", kind)
    text = who.jws(policy_payload(PERMIT_ALL), header=HEADERS[form](who, algorithm))
    jws = parse_management_jws(text)
    assert verify_management_jws(jws).der == who.certificates[0]
    assert policy_text(jws) == PERMIT_ALL
    assert jws.x5c == tuple(who.x5c)
    assert jws.signer == {"kty": "RSA" if kind == "RSA2048" else "EC", "x5c": who.x5c}
    assert jws.token_hash == token_hash_of(text)


@pytest.mark.parametrize("kind", ["P256", "P384"])
def test_ecdsa_signatures_may_be_der(kind: str) -> None:
    who = signer("der", kind)
    jws = parse_management_jws(who.jws(policy_payload(PERMIT_ALL), der=True))
    assert verify_management_jws(jws).der == who.certificates[0]


def test_the_form_of_the_python_library_with_its_spaces_verifies() -> None:
    who = signer("python")
    text = who.policy_of_python(PERMIT_ALL)
    jws = parse_management_jws(text)
    assert verify_management_jws(jws).der == who.certificates[0]
    assert policy_text(jws) == PERMIT_ALL
    assert jws.token_hash == token_hash_of(text)


def test_the_policy_text_may_be_padded_or_standard_base64() -> None:
    text = 'version=1.0; authorizationrules{=> permit();}; issuancerules{=> issue(type="é>?ü~", value="ÿ");};'
    import base64

    for spell in (base64.urlsafe_b64encode, base64.standard_b64encode):
        member = spell(text.encode()).decode()
        jws = f"{UNSECURED}.{b64url(json.dumps({'AttestationPolicy': member}).encode())}."
        assert policy_text(parse_management_jws(jws)) == text


def test_a_chain_up_to_a_ca_verifies_with_the_first_certificate() -> None:
    root = make_signer("Root")
    middle = make_signer("Middle", parent=root)
    leaf = make_signer("Leaf", ca=False, parent=middle)
    jws = parse_management_jws(leaf.policy(PERMIT_ALL))
    assert verify_management_jws(jws).der == leaf.certificates[0]
    assert jws.x5c == tuple(leaf.x5c)


def header(**members: object) -> dict[str, object]:
    return {"alg": "RS256", "x5c": signer().x5c, **members}


def signed_by_another() -> str:
    return make_signer("Mallory").jws(policy_payload(PERMIT_ALL), header=header())


def with_changed_payload() -> str:
    head, _, signature = signer().policy(PERMIT_ALL).split(".")
    return f"{head}.{b64url(json.dumps(policy_payload(PERMIT_ALL + ' ')).encode())}.{signature}"


def with_changed_header() -> str:
    _, payload, signature = signer().policy(PERMIT_ALL).split(".")
    return f"{b64url(json.dumps(header()).encode())}.{payload}.{signature}"


def with_signature(change) -> str:
    head, payload, signature = signer().policy(PERMIT_ALL).split(".")
    return f"{head}.{payload}.{change(signature)}"


REFUSED = {
    "signed by another key": signed_by_another,
    "changed payload": with_changed_payload,
    "changed header": with_changed_header,
    "no signature": lambda: with_signature(lambda _: ""),
    "cut signature": lambda: with_signature(lambda text: text[:-4]),
    "longer signature": lambda: with_signature(lambda text: text + "AAAA"),
    "zero signature": lambda: with_signature(lambda _: b64url(bytes(256))),
    "one signature of PS256 for RS256": lambda: (
        signer()
        .sign(json.dumps({"alg": "PS256", "x5c": signer().x5c}).encode(), b"{}")
        .replace(
            b64url(json.dumps({"alg": "PS256", "x5c": signer().x5c}).encode()), b64url(json.dumps(header()).encode())
        )
    ),
    "alg of EC with an RSA key": lambda: signer().jws({}, header=header(alg="ES256")),
    "alg of RSA with an EC key": lambda: signer("ec", "P256").jws(
        {}, header={"alg": "RS256", "x5c": signer("ec", "P256").x5c}
    ),
    "HS256": lambda: signer().jws({}, header=header(alg="HS256"), digits="256"),
    "RS1": lambda: signer().jws({}, header=header(alg="RS1"), digits="256"),
    "alg in another case": lambda: signer().jws({}, header=header(alg="rs256")),
    "alg empty": lambda: signer().jws({}, header=header(alg=""), digits="256"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_certificates_key_did_not_sign_is_refused(case: str) -> None:
    with pytest.raises(InvalidOperation):
        verify_management_jws(parse_management_jws(REFUSED[case]()))


def test_the_control_of_the_refused_ones_verifies() -> None:
    verify_management_jws(parse_management_jws(signer().jws(policy_payload(PERMIT_ALL), header=header())))


def test_an_unsecured_jws_verifies_never() -> None:
    with pytest.raises(InvalidOperation, match="not signed"):
        verify_management_jws(parse_management_jws(unsecured(PERMIT_ALL)))


def part(**members: object) -> str:
    return b64url(json.dumps(members).encode())


MALFORMED = {
    "empty": "",
    "no period": "abc",
    "one period": f"{UNSECURED}.abc",
    "three periods": f"{UNSECURED}.e30..",
    "five parts": f"{UNSECURED}.e30...",
    "header not base64": "*.e30.",
    "header not JSON": b64url(b"alg") + ".e30.",
    "header no object": b64url(b"[1]") + ".e30.",
    "header of two alg": b64url(b'{"alg":"none","alg":"RS256"}') + ".e30.",
    "header of two alg by case": b64url(b'{"alg":"none","Alg":"RS256"}') + ".e30.",
    "no alg": f"{part(typ='JWT')}.e30.",
    "alg no text": f"{part(alg=1)}.e30.",
    "alg null": f"{part(alg=None)}.e30.",
    "padded header": f"{part(alg='none', x=1)}==.e30.",
    "padded payload": f"{UNSECURED}.e30=.",
    "standard base64": f"{UNSECURED}.{'+/+/'}.",
    "white space inside": f"{UNSECURED}. e30.",
    "non-canonical bits": f"{UNSECURED}.e31.",
    "characters outside ASCII": f"{UNSECURED}.é30.",
    "none with a signature": f"{UNSECURED}.e30.AAAA",
    "NONE with a signature": f"{part(alg='NONE')}.e30.AAAA",
    "signed without a certificate": f"{part(alg='RS256')}.e30.AAAA",
    "x5c empty": f"{part(alg='RS256', x5c=[])}.e30.AAAA",
    "x5c no list": f"{part(alg='RS256', x5c='abc')}.e30.AAAA",
    "x5c not texts": f"{part(alg='RS256', x5c=[1])}.e30.AAAA",
    "x5c not base64": f"{part(alg='RS256', x5c=['***'])}.e30.AAAA",
    "x5c too long": f"{part(alg='RS256', x5c=signer().x5c * 50)}.e30.AAAA",
    "crit": f"{part(alg='RS256', x5c=signer().x5c, crit=['x'])}.e30.AAAA",
    "b64": f"{part(alg='RS256', x5c=signer().x5c, b64=False)}.e30.AAAA",
    "zip": f"{part(alg='RS256', x5c=signer().x5c, zip='DEF')}.e30.AAAA",
    "longer than any policy": f"{UNSECURED}.{'A' * (4 << 20)}.",
}


@pytest.mark.parametrize("case", MALFORMED)
def test_another_form_is_refused(case: str) -> None:
    with pytest.raises(InvalidOperation):
        parse_management_jws(MALFORMED[case])


def test_an_x5c_that_is_no_certificate_is_refused() -> None:
    with pytest.raises(ChainUntrusted):
        parse_management_jws(f"{part(alg='RS256', x5c=['AAAA'])}.e30.AAAA")


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"AttestationPolicy": 1},
        {"AttestationPolicy": None},
        {"AttestationPolicy": PERMIT_ALL},
        {"AttestationPolicy": "a b"},
        {"AttestationPolicy": b64url(b"\xff\xfe")},
        {"attestationpolicy": b64url(b"x")},
    ],
)
def test_a_payload_without_a_policy_is_refused(payload: dict) -> None:
    """Plain text, as of 2018-09-01-preview, among them (rest-api 8.2)."""
    with pytest.raises(InvalidOperation):
        policy_text(parse_management_jws(f"{UNSECURED}.{part(**payload)}."))


def test_a_payload_that_is_no_object_is_refused() -> None:
    for content in (b"", b"[]", b"null", b'{"AttestationPolicy":"","AttestationPolicy":""}'):
        with pytest.raises(InvalidOperation):
            policy_text(parse_management_jws(f"{UNSECURED}.{b64url(content)}."))


@pytest.mark.parametrize(
    "name", ["policyCertificate", "maa-policyCertificate", "aas-policyCertificate", "x-ms-policyCertificate"]
)
def test_the_certificate_to_change_has_four_names(name: str) -> None:
    other = signer("bob")
    assert signer_chain(parse_management_jws(signer().certificate_change(other, name))) == tuple(other.x5c)


@pytest.mark.parametrize("payload", [{}, {"policyCertificate": "abc"}, {"policyCertificate": {"kty": "RSA"}}])
def test_a_change_without_a_certificate_is_refused(payload: dict) -> None:
    with pytest.raises(InvalidOperation):
        signer_chain(parse_management_jws(signer().jws(payload)))


def test_an_ecdsa_signature_has_a_twin_that_verifies() -> None:
    """(r, n - s) verifies as well: what tells replays apart must not be the signature (attack case POL-02)."""
    who = signer("malleable", "P256")
    text = who.jws(policy_payload(PERMIT_ALL), der=True)
    r, s = decode_dss_signature(decode(text.rpartition(".")[2]))
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    twin = f"{text.rpartition('.')[0]}.{b64url(encode_dss_signature(r, order - s))}"
    assert twin != text
    first, second = parse_management_jws(text), parse_management_jws(twin)
    assert verify_management_jws(first) is verify_management_jws(second)
    assert first.token_hash != second.token_hash


def decode(text: str) -> bytes:
    import base64

    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_certificate_is_the_one_that_signed() -> None:
    """The certificate answered is that of the header, to the octet, not one of the same key."""
    who = signer("exact")
    found = verify_management_jws(parse_management_jws(who.policy(PERMIT_ALL)))
    assert found.parsed == x509.load_der_x509_certificate(who.certificates[0])
