"""The keys that sign tokens: made under a lock, sealed in the store, listed as long as a token may need them."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, assert_never

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from sqlalchemy import Connection, RowMapping, insert, select, update

from assay.errors import ConfigurationError, InvalidOperation
from assay.store.key_certificates import (
    PrivateKey,
    issue_certificate,
    issue_report_chain,
    key_identifier,
    named_issuer,
    report_identifier,
)
from assay.store.provider_lock import lock_provider
from assay.store.tables import signing_keys

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assay.store.engine import Store
    from assay.store.sealing import SealingKey

Algorithm = Literal["RS256", "ES256"]

# rest-api 5.2: one token lifetime and a day, since each client keeps the key set that it once fetched.
TOKEN_LIFETIME: Final = timedelta(hours=8)
_LISTED_LONGER: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, eq=False)
class SigningKey:
    """A key whose certificates, leaf first and in DER, are for this key; `retired_at` is None while it may sign.

    As a signer of reports it goes by other certificates, `report_certificates`, and by the identifier of the first.
    """

    kid: str
    algorithm: Algorithm
    private_key: PrivateKey = field(repr=False)
    certificates: tuple[bytes, ...] = field(repr=False)
    created_at: datetime
    retired_at: datetime | None
    report_certificates: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def report_kid(self) -> str:
        return report_identifier(self.report_certificates[0])

    def is_published(self, at: datetime, token_lifetime: timedelta = TOKEN_LIFETIME) -> bool:
        """Whether the key set lists the key: until no token that it signed can be alive, and a day longer."""
        return self.retired_at is None or at <= self.retired_at + token_lifetime + _LISTED_LONGER


# policy-language 9: the longest validity that a policy may give a report.
_REPORT_LIFETIME: Final = timedelta(minutes=525_600)


def reporting(keys: Iterable[SigningKey], at: datetime) -> tuple[SigningKey, ...]:
    """The keys that the key set lists at a time as signers of reports: until none of theirs can be alive, and a day."""
    return tuple(key for key in keys if key.report_certificates and key.is_published(at, _REPORT_LIFETIME))


def published(
    keys: Iterable[SigningKey], at: datetime, token_lifetime: timedelta = TOKEN_LIFETIME
) -> tuple[SigningKey, ...]:
    """The keys that the key set lists at a time."""
    return tuple(key for key in keys if key.is_published(at, token_lifetime))


def current_signing_key(keys: Iterable[SigningKey], algorithm: Algorithm) -> SigningKey:
    """The newest key of the algorithm that is not retired; raises `ConfigurationError` when there is none."""
    candidates = [key for key in keys if key.algorithm == algorithm and key.retired_at is None]
    if not candidates:
        raise ConfigurationError(f"no {algorithm} signing key: keys are made when the service starts")
    return max(candidates, key=lambda key: (key.created_at, key.kid))


def load_signing_keys(store: Store, provider: str, sealing: SealingKey) -> tuple[SigningKey, ...]:
    """All keys of a provider, oldest first, retired ones too.

    Raises `ConfigurationError` when one does not open under the sealing key, or is not what its row says.
    """
    with store.reading() as connection:
        return _load(connection, provider, sealing)


def ensure_signing_key(
    store: Store, provider: str, issuer: str, algorithm: Algorithm, sealing: SealingKey, *, at: datetime
) -> None:
    """Makes a signing key where there is none, and certificates anew where they name another base URL.

    A key of an earlier version gets the certificates that sign reports. Of several processes that start together
    exactly one makes the key. Raises `ConfigurationError` for an unknown
    provider, for a base URL that no certificate can carry, and when the keys that are there do not open.
    """
    with store.reading() as connection:
        keys = _load(connection, provider, sealing)
    if _has_current(keys, algorithm) and all(_names(key, issuer) for key in keys):
        return
    with store.writing() as connection:
        _lock(connection, provider)
        keys = _load(connection, provider, sealing)
        for key in keys:
            if not _names(key, issuer):
                _certify_again(connection, provider, key, issuer)
        if not _has_current(keys, algorithm):
            _insert_key(connection, provider, issuer, algorithm, sealing, at=at)


def rotate_signing_key(
    store: Store, provider: str, issuer: str, algorithm: Algorithm, sealing: SealingKey, *, at: datetime
) -> None:
    """Retires the keys of the algorithm and makes a new one, in one step.

    Processes sign with the old key until they reload; it stays listed for longer than that.
    """
    with store.writing() as connection:
        _lock(connection, provider)
        _load(connection, provider, sealing)
        connection.execute(
            update(signing_keys)
            .where(signing_keys.c.provider == provider)
            .where(signing_keys.c.algorithm == algorithm)
            .where(signing_keys.c.retired_at.is_(None))
            .values(retired_at=at)
        )
        _insert_key(connection, provider, issuer, algorithm, sealing, at=at)


def _lock(connection: Connection, provider: str) -> None:
    """Makes writers of one provider's keys wait for one another, and others notice that there are new keys."""
    try:
        lock_provider(connection, provider)
    except InvalidOperation as error:
        raise ConfigurationError(error.message) from error


def _has_current(keys: Iterable[SigningKey], algorithm: Algorithm) -> bool:
    return any(key.algorithm == algorithm and key.retired_at is None for key in keys)


def _names(key: SigningKey, issuer: str) -> bool:
    """Whether the key's certificates are there and name the base URL."""
    leaves = (*key.certificates[:1], *key.report_certificates[:1])
    return len(leaves) == 2 and all(named_issuer(x509.load_der_x509_certificate(leaf)) == issuer for leaf in leaves)


def _certify_again(connection: Connection, provider: str, key: SigningKey, issuer: str) -> None:
    connection.execute(
        update(signing_keys)
        .where(signing_keys.c.provider == provider)
        .where(signing_keys.c.kid == key.kid)
        .values(
            certificate=issue_certificate(key.private_key, issuer),
            report_chain=_encode_chain(issue_report_chain(key.private_key, issuer)),
        )
    )


def _insert_key(
    connection: Connection, provider: str, issuer: str, algorithm: Algorithm, sealing: SealingKey, *, at: datetime
) -> None:
    key = _generate(algorithm)
    kid = key_identifier(key.public_key())
    secret = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    connection.execute(
        insert(signing_keys).values(
            provider=provider,
            kid=kid,
            algorithm=algorithm,
            sealed_private_key=sealing.seal(secret, provider=provider, kid=kid),
            certificate=issue_certificate(key, issuer),
            report_chain=_encode_chain(issue_report_chain(key, issuer)),
            created_at=at,
            retired_at=None,
        )
    )


def _generate(algorithm: Algorithm) -> PrivateKey:
    match algorithm:
        case "RS256":
            # rest-api 5.1: 2048 bits, as the real service.
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case other:
            assert_never(other)


def _load(connection: Connection, provider: str, sealing: SealingKey) -> tuple[SigningKey, ...]:
    found = connection.execute(
        select(signing_keys)
        .where(signing_keys.c.provider == provider)
        .order_by(signing_keys.c.created_at, signing_keys.c.kid)
    )
    return tuple(_open(row, sealing) for row in found.mappings())


def _open(stored: RowMapping, sealing: SealingKey) -> SigningKey:
    """Opens a row. Only the private key is authenticated by its seal, so the other columns are compared with it."""
    kid: str = stored["kid"]
    secret = sealing.open(stored["sealed_private_key"], provider=stored["provider"], kid=kid)
    # Its numbers are not tested for primality, which takes 30 ms: the seal proves that they are those made here.
    private_key, algorithm = _recognise(load_der_private_key(secret, None, unsafe_skip_rsa_key_validation=True), kid)
    try:
        reporting = tuple(base64.b64decode(text, validate=True) for text in stored["report_chain"] or ())
        certified = [
            x509.load_der_x509_certificate(der).public_key() for der in (stored["certificate"], *reporting[:1])
        ]
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"the certificate of signing key {kid} in the store is damaged") from error
    if any(key != private_key.public_key() for key in certified) or stored["algorithm"] != algorithm:
        raise ConfigurationError(f"signing key {kid}: its certificate or algorithm in the store is not that of the key")
    return SigningKey(
        kid=kid,
        algorithm=algorithm,
        private_key=private_key,
        certificates=(stored["certificate"],),
        created_at=stored["created_at"],
        retired_at=stored["retired_at"],
        report_certificates=reporting,
    )


def _encode_chain(chain: Iterable[bytes]) -> list[str]:
    return [base64.b64encode(der).decode("ascii") for der in chain]


def _recognise(key: object, kid: str) -> tuple[PrivateKey, Algorithm]:
    match key:
        case rsa.RSAPrivateKey():
            return key, "RS256"
        case ec.EllipticCurvePrivateKey() if isinstance(key.curve, ec.SECP256R1):
            return key, "ES256"
        case _:
            raise ConfigurationError(f"signing key {kid} is of a kind that this version does not know")
