"""Whether a machine trusts for secure boot what its maker put there: PK, KEK, db and dbx against references.

Semantics of the guest claims are not documented: these are the readings of tpm-and-guest 5.7.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from assay.errors import ConfigurationError, LimitExceeded, MalformedEvidence
from assay.evidence._tcg.efi import (
    GLOBAL_VARIABLE,
    IMAGE_SECURITY_DATABASE,
    SHA256_SIGNATURE,
    X509_SIGNATURE,
    EfiVariable,
    Signature,
    parse_signature_lists,
)
from assay.evidence._tcg.measured import SECURE_BOOT_PCR, MeasuredLog
from assay.evidence._tcg.secure_boot_references import LEAST_FORBIDDEN, REFERENCES

_GUIDS: Final = {
    "PK": GLOBAL_VARIABLE,
    "KEK": GLOBAL_VARIABLE,
    "db": IMAGE_SECURITY_DATABASE,
    "dbx": IMAGE_SECURITY_DATABASE,
}
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class SecureBootReferences(NamedTuple):
    """Digests in hex: certificates or image hashes for PK, KEK and db, releases of dbx, the least that dbx forbids."""

    pk: frozenset[str]
    kek: frozenset[str]
    db: frozenset[str]
    dbx: frozenset[str]
    least_forbidden: frozenset[str]


class KeyFinding(NamedTuple):
    """One variable: whether it is known to be good, and in words what is not; nothing where all is known."""

    variable: str
    is_known: bool
    differing: tuple[str, ...]


class SecureBootKeys(NamedTuple):
    """The four variables of a machine."""

    pk: KeyFinding
    kek: KeyFinding
    db: KeyFinding
    dbx: KeyFinding

    @property
    def are_defaults(self) -> bool:
        """PK, KEK and db hold nothing but known keys: `default-securebootkeysvalidated`."""
        return self.pk.is_known and self.kek.is_known and self.db.is_known

    @property
    def differing(self) -> tuple[str, ...]:
        """What is not known, variable by variable, for the verdict."""
        return tuple(f"{finding.variable}: {what}" for finding in self for what in finding.differing)


def _of(variable: str) -> frozenset[str]:
    return frozenset(reference.sha256 for reference in REFERENCES if reference.variable == variable)


DEFAULT_REFERENCES: Final = SecureBootReferences(
    _of("PK"), _of("KEK"), _of("db"), _of("dbx"), frozenset(LEAST_FORBIDDEN)
)


def extend_references(
    added: Mapping[str, Iterable[str]], references: SecureBootReferences = DEFAULT_REFERENCES
) -> SecureBootReferences:
    """The references and an operator's own, by the name of the variable (`PK`, `KEK`, `db`, `dbx`).

    Digests are SHA-256 in lower-case hex: of a certificate for the first three, of the whole variable for `dbx`. Raises
    `ConfigurationError`.
    """
    extended = {"PK": references.pk, "KEK": references.kek, "db": references.db, "dbx": references.dbx}
    for variable, digests in added.items():
        if variable not in extended:
            raise ConfigurationError(f"secure boot references: {variable!r} is none of {', '.join(_GUIDS)}")
        chosen = frozenset(digests)
        wrong = sorted(digest for digest in chosen if not _DIGEST.fullmatch(digest))
        if wrong:
            raise ConfigurationError(f"secure boot references, {variable}: no SHA-256 in lower-case hex: {wrong[0]!r}")
        extended[variable] |= chosen
    pk, kek, db, dbx = extended.values()
    return SecureBootReferences(pk, kek, db, dbx, references.least_forbidden)


def classify_secure_boot_keys(
    measured: MeasuredLog, references: SecureBootReferences = DEFAULT_REFERENCES, pcr: int = SECURE_BOOT_PCR
) -> SecureBootKeys:
    """The variables that a log proves; one that is measured never, or more than once, is not known."""
    findings: list[KeyFinding] = []
    for name, guid in _GUIDS.items():
        found = [one for one in measured.variables(pcr) if (one.guid, one.name) == (guid, name)]
        if len(found) == 1:
            findings.append(classify_variable(found[0], references))
        else:
            findings.append(KeyFinding(name, is_known=False, differing=(f"measured {len(found)} times",)))
    return SecureBootKeys(*findings)


def classify_variable(variable: EfiVariable, references: SecureBootReferences = DEFAULT_REFERENCES) -> KeyFinding:
    """One of the four variables against the references; every entry of PK, KEK and db must be among them."""
    if variable.name == "dbx":
        return _classify_dbx(variable.content, references)
    allowed = {"PK": references.pk, "KEK": references.kek, "db": references.db}[variable.name]
    try:
        entries = parse_signature_lists(variable.content)
    except (MalformedEvidence, LimitExceeded) as error:
        return KeyFinding(variable.name, is_known=False, differing=(error.message,))
    if not entries:
        return KeyFinding(variable.name, is_known=False, differing=("empty",))
    unknown = tuple(_describe(entry) for entry in entries if _digest(entry) not in allowed)
    return KeyFinding(variable.name, is_known=not unknown, differing=unknown)


def _classify_dbx(content: bytes, references: SecureBootReferences) -> KeyFinding:
    """A release that is known, or one that forbids at least what every known one of Azure does."""
    if hashlib.sha256(content).hexdigest() in references.dbx:
        return KeyFinding("dbx", is_known=True, differing=())
    try:
        forbidden = {entry.content.hex() for entry in parse_signature_lists(content) if entry.kind == SHA256_SIGNATURE}
    except (MalformedEvidence, LimitExceeded) as error:
        return KeyFinding("dbx", is_known=False, differing=(error.message,))
    missing = len(references.least_forbidden - forbidden)
    if missing:
        what = f"{missing} of {len(references.least_forbidden)} images that must be forbidden are not"
        return KeyFinding("dbx", is_known=False, differing=(what,))
    return KeyFinding("dbx", is_known=True, differing=())


def _digest(entry: Signature) -> str | None:
    """What identifies an entry: a certificate by its SHA-256, a hash by itself, other kinds by nothing."""
    if entry.kind == X509_SIGNATURE:
        return hashlib.sha256(entry.content).hexdigest()
    return entry.content.hex() if entry.kind == SHA256_SIGNATURE else None


def _describe(entry: Signature) -> str:
    kinds = {X509_SIGNATURE: "certificate", SHA256_SIGNATURE: "image hash"}
    return f"unknown {kinds.get(entry.kind, entry.kind)} {_digest(entry) or ''}".strip()
