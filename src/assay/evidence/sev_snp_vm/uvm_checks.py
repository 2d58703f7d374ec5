"""Checks of what endorses the utility machine of confidential containers (quote-verification 11.3).

Not applicable to evidence that brings no endorsement. Every endorsement that is brought must hold; one of them must be
of the launch measurement in the report.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from assay import limits
from assay.endorsements.anchors import UvmIssuer
from assay.endorsements.microsoft.uvm import (
    Release,
    UvmEndorsement,
    chain_problem,
    parse_uvm_endorsement,
    read_release,
    thumbprint_problem,
)
from assay.errors import (
    BindingMismatch,
    ChainUntrusted,
    LimitExceeded,
    Malformed,
    MalformedEvidence,
    OutsideValidity,
    RuleViolated,
    SignatureInvalid,
)
from assay.formats import base64url, strict_json
from assay.formats.base64url import Base64Error
from assay.formats.cose import CoseError, verify_cose_sign1
from assay.formats.strict_json import JsonError
from assay.memo import Lazy, Memo
from assay.pki.did_x509 import DidError, require_named
from assay.verdict import NOT_APPLICABLE, Check, Mismatch, Seen

_WHAT: Final = "Endorsements"


def parse_endorsements(content: bytes) -> tuple[bytes, ...]:
    """The endorsements in the JSON of the `Endorsements` member (rest-api 7.3), not parsed; other members are ignored.

    Raises `MalformedEvidence` and `LimitExceeded`.
    """
    try:
        members = {name.lower(): value for name, value in strict_json.decode_object(content).items()}
    except JsonError as error:
        raise MalformedEvidence(_WHAT, str(error)) from error
    texts = members.get("uvm") or []
    if not isinstance(texts, list):
        raise MalformedEvidence(_WHAT, "Uvm is no list")
    if len(texts) > limits.UVM_ENDORSEMENTS:
        raise LimitExceeded("endorsements of one request", limit=limits.UVM_ENDORSEMENTS, found=len(texts))
    return tuple(map(_decode_endorsement, texts))


def _decode_endorsement(text: object) -> bytes:
    if not isinstance(text, str):
        raise MalformedEvidence(_WHAT, "Uvm holds what is no string of base64url")
    try:
        return base64url.decode_lenient(text)
    except Base64Error as error:
        raise MalformedEvidence(_WHAT, f"Uvm: {error}") from error


@dataclass(frozen=True)
class UvmCase:
    """What the checks look at: the endorsements, the report's launch measurement, and who is believed."""

    contents: tuple[bytes, ...]
    launch_measurement: bytes
    issuers: tuple[UvmIssuer, ...]

    @Lazy
    def endorsements(self) -> tuple[UvmEndorsement, ...]:
        try:
            return tuple(map(parse_uvm_endorsement, self.contents))
        except (Malformed, LimitExceeded) as error:
            raise Mismatch(
                error.message, "COSE_Sign1 with a certificate chain, an issuer, a feed and a time"
            ) from error

    @Lazy
    def releases(self) -> tuple[Release, ...]:
        try:
            return tuple(read_release(each.message) for each in self.endorsements)
        except MalformedEvidence as error:
            raise Mismatch(error.message, "a launch measurement and its security version") from error

    @Lazy
    def trusted(self) -> tuple[UvmIssuer, ...]:
        """The entry of each endorsement in the list of who is believed."""
        return tuple(map(self._find, self.endorsements))

    def _find(self, endorsement: UvmEndorsement) -> UvmIssuer:
        asked = endorsement.issuer.text, endorsement.feed
        for issuer in self.issuers:
            if (issuer.issuer, issuer.feed) == asked:
                return issuer
        raise Mismatch(asked, tuple(f"{issuer.issuer} {issuer.feed}" for issuer in self.issuers))

    @property
    def endorsing(self) -> UvmIssuer | None:
        """Who endorsed the launch measurement; None without endorsements."""
        for release, issuer in zip(self.releases, self.trusted, strict=True):
            if release.launch_measurement == self.launch_measurement:
                return issuer
        return None


def _form(case: UvmCase) -> Seen:
    if not case.contents:
        return NOT_APPLICABLE
    return Seen(tuple(each.feed for each in case.endorsements), "COSE_Sign1 with chain, issuer, feed and time")


def _chain(case: UvmCase) -> Seen:
    if not case.endorsements:
        return NOT_APPLICABLE
    for each in case.endorsements:
        problem = chain_problem(each.chain)
        if problem is not None:
            raise Mismatch(problem, "every certificate signed by the next, the last by itself")
    return Seen(tuple(each.chain[0].common_name for each in case.endorsements), "every certificate signed by the next")


# An endorsement's signature depends on nothing but the endorsement, which is parsed once.
_SIGNED: Final = Memo[int, tuple[UvmEndorsement, str]](limits.DOCUMENTS)


def _signature(case: UvmCase) -> Seen:
    if not case.endorsements:
        return NOT_APPLICABLE
    return Seen(tuple(map(_verify, case.endorsements)), "signed by the leaf of x5chain")


def _verify(endorsement: UvmEndorsement) -> str:
    known = _SIGNED.find(id(endorsement))
    if known is not None and known[0] is endorsement:
        return known[1]
    try:
        algorithm = verify_cose_sign1(endorsement.message, endorsement.chain[0].public_key)
    except CoseError as error:
        raise Mismatch(str(error), "a signature by the leaf of x5chain over headers and payload") from error
    _SIGNED.keep(id(endorsement), (endorsement, algorithm))
    return algorithm


def _issuer(case: UvmCase) -> Seen:
    if not case.endorsements:
        return NOT_APPLICABLE
    for each in case.endorsements:
        try:
            require_named(each.issuer, each.chain)
        except DidError as error:
            raise Mismatch(str(error), each.issuer.text) from error
        problem = thumbprint_problem(each)
        if problem is not None:
            raise Mismatch(problem, "the thumbprint of the leaf, where there is one")
    return Seen("names the chain", tuple(each.issuer.text for each in case.endorsements))


def _trusted(case: UvmCase) -> Seen:
    if not case.endorsements:
        return NOT_APPLICABLE
    return Seen(tuple(each.feed for each in case.endorsements), tuple(issuer.origin for issuer in case.trusted))


def _validity(case: UvmCase) -> Seen:
    # At the time of signing: a release's signer lives for a year, and its measurement for longer (ADR 0031).
    if not case.endorsements:
        return NOT_APPLICABLE
    for each in case.endorsements:
        if each.signed_at not in each.window:
            raise Mismatch(f"signed at {each.signed_at:%Y-%m-%dT%H:%M:%SZ}", f"certificates valid from {each.window}")
    return Seen(tuple(each.signed_at for each in case.endorsements), "signed while the certificates were valid")


def _svn(case: UvmCase) -> Seen:
    if not case.endorsements:
        return NOT_APPLICABLE
    found = tuple(release.svn for release in case.releases)
    least = tuple(issuer.minimum_svn for issuer in case.trusted)
    if any(svn < minimum for svn, minimum in zip(found, least, strict=True)):
        raise Mismatch(found, ("at least", *least))
    return Seen(found, ("at least", *least))


def _measurement(case: UvmCase) -> Seen:
    if not case.endorsements:
        return NOT_APPLICABLE
    endorsed = tuple(release.launch_measurement for release in case.releases)
    if case.launch_measurement not in endorsed:
        raise Mismatch(("the report's", case.launch_measurement), ("one of", *endorsed))
    return Seen(case.launch_measurement, ("one of", *endorsed))


_SPEC: Final = "quote-verification 11.3"
_OBTAIN: Final = "send the reference info of the running utility machine (reference-info-base64) as it is"

UVM_CHECKS: Final[tuple[Check[UvmCase], ...]] = (
    Check("uvm.form", "UvmEndorsementMalformed", f"{_SPEC}; attack case AZ-12", _OBTAIN, BindingMismatch, _form),
    Check("uvm.chain", "UvmChainInvalid", f"{_SPEC}, step 1", _OBTAIN, ChainUntrusted, _chain),
    Check(
        "uvm.signature", "UvmSignatureInvalid", f"{_SPEC}, step 2; RFC 9052, 4.4", _OBTAIN, SignatureInvalid, _signature
    ),
    Check("uvm.issuer", "UvmIssuerMismatch", f"{_SPEC}, step 3; attack case AZ-08", _OBTAIN, ChainUntrusted, _issuer),
    Check(
        "uvm.trusted",
        "UvmIssuerUntrusted",
        f"{_SPEC}, step 4; attack case AZ-08",
        "only releases of a known issuer and feed are believed; the operator can name more",
        ChainUntrusted,
        _trusted,
    ),
    Check("uvm.validity", "UvmSignerExpired", f"{_SPEC}, step 6", _OBTAIN, OutsideValidity, _validity),
    Check(
        "uvm.svn",
        "UvmSvnTooLow",
        f"{_SPEC}, step 4; attack case AZ-09",
        "restart the container group, so that it runs on a current utility machine",
        RuleViolated,
        _svn,
    ),
    Check(
        "uvm.measurement",
        "UvmMeasurementMismatch",
        f"{_SPEC}, step 5; attack case AZ-09",
        _OBTAIN,
        BindingMismatch,
        _measurement,
    ),
)
