import base64
import json
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtensionOID, NameOID, SignatureAlgorithmOID

from assay.errors import ConfigurationError
from assay.store.key_certificates import issue_certificate, key_identifier, named_issuer
from tests.shared_vectors import shared_path

ISSUER = "https://attest.example.org:8443"
RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
LONG = "https://" + "a" * 60 + ".example.org/with/a/path"


def recorded_enclave_keys():
    """Recorded keys that are identified as rest-api 5.1 says; the others are those of TPM reports, of three certificates."""
    for path in sorted(shared_path("vectors/azure-sdk/jwks").glob("*.json")):
        for key in json.loads(path.read_text())["keys"]:
            if len(key["x5c"]) == 1:
                yield key


def test_the_identifier_is_that_of_every_recorded_key_set():
    keys = list(recorded_enclave_keys())
    assert len({key["kid"] for key in keys}) >= 3
    for key in keys:
        public_key = x509.load_der_x509_certificate(base64.b64decode(key["x5c"][0])).public_key()
        assert isinstance(public_key, rsa.RSAPublicKey)
        assert key_identifier(public_key) == key["kid"]


def test_the_certificate_has_the_shape_of_the_recorded_ones():
    recorded = x509.load_der_x509_certificate(base64.b64decode(next(recorded_enclave_keys())["x5c"][0]))
    ours = x509.load_der_x509_certificate(issue_certificate(RSA, ISSUER))
    for name in ("version", "serial_number", "not_valid_before_utc", "not_valid_after_utc", "signature_algorithm_oid"):
        assert getattr(ours, name) == getattr(recorded, name)
    own = {extension.oid: extension.critical for extension in ours.extensions}
    # Evidence stands only in the certificates of a service that runs in a TEE.
    assert {oid: recorded.extensions.get_extension_for_oid(oid).critical for oid in own} == own


@pytest.mark.parametrize("key", [RSA, EC], ids=["RSA", "EC"])
def test_the_certificate_is_self_signed_and_says_what_rest_api_says(key):
    certificate = x509.load_der_x509_certificate(issue_certificate(key, ISSUER))
    certificate.verify_directly_issued_by(certificate)
    assert certificate.subject == certificate.issuer
    assert certificate.subject.rfc4514_string() == f"CN={ISSUER}"
    assert certificate.serial_number == 1
    assert certificate.not_valid_before_utc == datetime(2019, 5, 1, tzinfo=UTC)
    assert certificate.not_valid_after_utc == datetime(2050, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert b"20501231235959Z" in certificate.tbs_certificate_bytes
    assert certificate.public_key() == key.public_key()
    assert [(extension.oid, extension.critical) for extension in certificate.extensions] == [
        (ExtensionOID.BASIC_CONSTRAINTS, False),
        (ExtensionOID.SUBJECT_KEY_IDENTIFIER, False),
        (ExtensionOID.AUTHORITY_KEY_IDENTIFIER, False),
    ]
    assert certificate.extensions[0].value == x509.BasicConstraints(ca=False, path_length=None)
    assert isinstance(certificate.signature_hash_algorithm, hashes.SHA256)
    expected = SignatureAlgorithmOID.RSA_WITH_SHA256 if key is RSA else SignatureAlgorithmOID.ECDSA_WITH_SHA256
    assert certificate.signature_algorithm_oid == expected


@pytest.mark.parametrize("issuer", [ISSUER, "https://" + "a" * 56, "https://" + "a" * 57, LONG])
def test_the_base_url_can_be_read_back(issuer: str):
    assert named_issuer(x509.load_der_x509_certificate(issue_certificate(EC, issuer))) == issuer


def test_a_base_url_too_long_for_a_common_name_stands_in_the_alternative_name():
    certificate = x509.load_der_x509_certificate(issue_certificate(EC, LONG))
    certificate.verify_directly_issued_by(certificate)
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == LONG[:64]
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [LONG]


@pytest.mark.parametrize("issuer", ["", "https://bücher.example", "https://a\n.example"])
def test_a_base_url_that_no_certificate_can_carry_is_refused(issuer: str):
    with pytest.raises(ConfigurationError, match="base URL"):
        issue_certificate(EC, issuer)
