from contextlib import ExitStack
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import event, insert, select, update

from assay.errors import ConfigurationError
from assay.store import (
    Algorithm,
    SealingKey,
    Store,
    current_signing_key,
    ensure_signing_key,
    load_signing_keys,
    open_store,
    published,
    rotate_signing_key,
)
from assay.store.key_certificates import issue_certificate, key_identifier, named_issuer
from assay.store.tables import providers, signing_keys
from tests.store.processes import AT, begin, line, running

ISSUER = "https://attest.example.org"
ALGORITHMS: list[Algorithm] = ["RS256", "ES256"]


def ensure(store: Store, sealing: SealingKey, *, algorithm: Algorithm = "RS256", issuer: str = ISSUER, at=AT) -> None:
    ensure_signing_key(store, "default", issuer, algorithm, sealing, at=at)


def rows(store: Store):
    with store.reading() as connection:
        return connection.execute(select(signing_keys)).all()


def test_a_new_store_has_no_keys(store: Store, sealing: SealingKey):
    assert load_signing_keys(store, "default", sealing) == ()
    with pytest.raises(ConfigurationError, match="no RS256 signing key"):
        current_signing_key((), "RS256")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_is_made_once_and_stays(database_url: str, sealing: SealingKey, algorithm: Algorithm):
    with open_store(database_url) as store:
        ensure(store, sealing, algorithm=algorithm)
        (made,) = load_signing_keys(store, "default", sealing)
    with open_store(database_url) as store:
        ensure(store, sealing, algorithm=algorithm, at=AT + timedelta(days=1))
        (key,) = load_signing_keys(store, "default", sealing)
    assert key.kid == made.kid == key_identifier(key.private_key.public_key())
    assert (key.algorithm, key.created_at, key.retired_at) == (algorithm, AT, None)
    assert key.certificates == made.certificates
    certificate = x509.load_der_x509_certificate(key.certificates[0])
    assert certificate.public_key() == key.private_key.public_key()
    assert named_issuer(certificate) == ISSUER


def test_a_key_has_the_size_of_its_algorithm_and_signs(store: Store, sealing: SealingKey):
    for algorithm in ALGORITHMS:
        ensure(store, sealing, algorithm=algorithm)
    keys = load_signing_keys(store, "default", sealing)
    rs256, es256 = (current_signing_key(keys, algorithm).private_key for algorithm in ALGORITHMS)
    assert isinstance(rs256, rsa.RSAPrivateKey)
    assert rs256.key_size == 2048
    signature = rs256.sign(b"token", padding.PKCS1v15(), hashes.SHA256())
    rs256.public_key().verify(signature, b"token", padding.PKCS1v15(), hashes.SHA256())
    assert isinstance(es256, ec.EllipticCurvePrivateKey)
    assert isinstance(es256.curve, ec.SECP256R1)
    signature = es256.sign(b"token", ec.ECDSA(hashes.SHA256()))
    es256.public_key().verify(signature, b"token", ec.ECDSA(hashes.SHA256()))


def test_the_private_key_is_nowhere_in_the_database(store: Store, sealing: SealingKey):
    ensure(store, sealing)
    (key,) = load_signing_keys(store, "default", sealing)
    assert isinstance(key.private_key, rsa.RSAPrivateKey)
    numbers = key.private_key.private_numbers()
    (row,) = rows(store)
    for secret in (numbers.d, numbers.p, numbers.q):
        octets = secret.to_bytes(256, "big").lstrip(b"\x00")
        assert not any(octets in column for column in row if isinstance(column, bytes))
    assert "PrivateKey" not in repr(key)


def test_processes_that_race_make_exactly_one_key(database_url: str):
    text = SealingKey.generate_text()
    with ExitStack() as stack:
        processes = [stack.enter_context(running("ensure", database_url, text)) for _ in range(4)]
        assert [line(process) for process in processes] == ["waiting"] * 4
        for process in processes:
            begin(process)
        assert [line(process) for process in processes] == ["ensured"] * 4
    with open_store(database_url) as store:
        assert len(load_signing_keys(store, "default", SealingKey.from_text(text))) == 1


def test_a_settled_store_is_not_written(store: Store, sealing: SealingKey):
    ensure(store, sealing)
    seen: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *call: seen.append(call[2]))
    ensure(store, sealing)
    assert [statement.split()[0] for statement in seen if not statement.startswith("BEGIN")] == ["SELECT"]


def test_another_sealing_key_is_refused_at_start_and_makes_no_key(store: Store, sealing: SealingKey):
    ensure(store, sealing)
    other = SealingKey.from_text(SealingKey.generate_text())
    with pytest.raises(ConfigurationError, match="does not open"):
        load_signing_keys(store, "default", other)
    for algorithm in ALGORITHMS:
        with pytest.raises(ConfigurationError, match="does not open"):
            ensure(store, other, algorithm=algorithm)
    with pytest.raises(ConfigurationError, match="does not open"):
        rotate_signing_key(store, "default", ISSUER, "RS256", other, at=AT)
    assert len(rows(store)) == 1
    assert rows(store)[0].retired_at is None


def test_a_key_of_an_unknown_provider_is_refused(store: Store, sealing: SealingKey):
    with pytest.raises(ConfigurationError, match="no provider 'contoso'"):
        ensure_signing_key(store, "contoso", ISSUER, "RS256", sealing, at=AT)


def test_providers_have_keys_of_their_own(store: Store, sealing: SealingKey):
    with store.writing() as connection:
        connection.execute(insert(providers).values(id="contoso", created_at=AT, settings={}))
    for provider in ("default", "contoso"):
        ensure_signing_key(store, provider, ISSUER, "ES256", sealing, at=AT)
    (one,), (other,) = (load_signing_keys(store, provider, sealing) for provider in ("default", "contoso"))
    assert one.kid != other.kid


def test_a_row_moved_to_another_provider_does_not_open(store: Store, sealing: SealingKey):
    ensure(store, sealing, algorithm="ES256")
    with store.writing() as connection:
        connection.execute(insert(providers).values(id="contoso", created_at=AT, settings={}))
        connection.execute(update(signing_keys).values(provider="contoso"))
    with pytest.raises(ConfigurationError, match="does not open"):
        load_signing_keys(store, "contoso", sealing)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"certificate": issue_certificate(ec.generate_private_key(ec.SECP256R1()), ISSUER)}, "not that of the key"),
        ({"certificate": b"no certificate"}, "damaged"),
        ({"algorithm": "RS256"}, "not that of the key"),
        ({"sealed_private_key": b""}, "does not know"),
        ({"kid": "another"}, "does not open"),
    ],
)
def test_a_row_that_somebody_changed_is_refused(store: Store, sealing: SealingKey, change, message: str):
    ensure(store, sealing, algorithm="ES256")
    with store.writing() as connection:
        connection.execute(update(signing_keys).values(**change))
    with pytest.raises(ConfigurationError, match=message):
        load_signing_keys(store, "default", sealing)


def test_a_sealed_key_of_another_curve_is_refused(store: Store, sealing: SealingKey):
    key = ec.generate_private_key(ec.SECP384R1())
    secret = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    with store.writing() as connection:
        connection.execute(
            insert(signing_keys).values(
                provider="default",
                kid="k",
                algorithm="ES256",
                sealed_private_key=sealing.seal(secret, provider="default", kid="k"),
                certificate=issue_certificate(key, ISSUER),
                created_at=AT,
            )
        )
    with pytest.raises(ConfigurationError, match="of a kind"):
        load_signing_keys(store, "default", sealing)


def test_another_base_url_gives_the_same_keys_new_certificates(store: Store, sealing: SealingKey):
    ensure(store, sealing)
    rotate_signing_key(store, "default", ISSUER, "RS256", sealing, at=AT)
    before = load_signing_keys(store, "default", sealing)
    ensure(store, sealing, issuer="https://elsewhere.example.org", at=AT + timedelta(days=1))
    after = load_signing_keys(store, "default", sealing)
    assert [key.kid for key in after] == [key.kid for key in before]
    for key in after:
        assert named_issuer(x509.load_der_x509_certificate(key.certificates[0])) == "https://elsewhere.example.org"


def test_rotation_retires_the_old_key_and_makes_a_new_one(store: Store, sealing: SealingKey):
    ensure(store, sealing)
    ensure(store, sealing, algorithm="ES256")
    old = load_signing_keys(store, "default", sealing)
    later = AT + timedelta(days=30)
    rotate_signing_key(store, "default", ISSUER, "RS256", sealing, at=later)
    keys = load_signing_keys(store, "default", sealing)
    assert {key.kid for key in keys} > {key.kid for key in old}
    assert current_signing_key(keys, "ES256").kid == current_signing_key(old, "ES256").kid
    assert current_signing_key(keys, "RS256").created_at == later
    retired = next(key for key in keys if key.kid == current_signing_key(old, "RS256").kid)
    assert retired.retired_at == later


def test_a_retired_key_stays_listed_for_a_token_lifetime_and_a_day(store: Store, sealing: SealingKey):
    ensure(store, sealing, algorithm="ES256")
    rotate_signing_key(store, "default", ISSUER, "ES256", sealing, at=AT)
    keys = load_signing_keys(store, "default", sealing)
    end = AT + timedelta(hours=8, days=1)
    assert published(keys, end) == keys
    assert published(keys, end + timedelta(seconds=1)) == (current_signing_key(keys, "ES256"),)
    assert published(keys, end + timedelta(hours=2), timedelta(hours=10)) == keys


def test_a_base_url_that_no_certificate_can_carry_leaves_the_keys_as_they_were(store: Store, sealing: SealingKey):
    ensure(store, sealing, algorithm="ES256")
    before = rows(store)
    with pytest.raises(ConfigurationError, match="base URL"):
        rotate_signing_key(store, "default", "https://bücher.example", "ES256", sealing, at=AT)
    assert rows(store) == before
