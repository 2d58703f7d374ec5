"""Claims that a client adds of itself: issuer `CustomClaim`, never a claim that the service makes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from assay import limits
from assay.claims import Claim, ClaimValue, Issuer
from assay.errors import LimitExceeded, MalformedEvidence
from assay.evidence.tpm.members import WHAT, Members, optional_list, required_text
from assay.formats.strict_json import JsonValue

# A policy that does not ask for the issuer must not take a client's word for the service's (ADR 0041).
SERVICE_CLAIMS: Final = frozenset(
    {
        *("aikvalidated", "aikpubhash", "tpmversion", "securebootenabled", "iommuenabled", "bootdebuggingdisabled"),
        *("notsafemode", "notwinpe", "vbsenabled", "vbsreportpresent", "vsmreportpresent", "events", "bootevents"),
        *("pcrs", "imaviolations", "enclaveauthorid", "enclaveimageid", "enclaveownerid", "enclavefamilyid"),
        *("enclavesvn", "enclaveplatformsvn", "enclaveflags"),
    }
)
_SERVICE_PREFIX: Final = "x-ms-"
_INTEGER: Final = re.compile(r"-?[0-9]{1,19}\Z")
_BOOLEANS: Final = {"true": True, "false": False}


def parse_custom_claims(members: Members) -> tuple[Claim, ...]:
    """`custom_claims` as claims; raises `MalformedEvidence` and `LimitExceeded`."""
    listed = optional_list(members, "custom_claims")
    if len(listed) > limits.CUSTOM_CLAIMS:
        raise LimitExceeded("custom claims", limit=limits.CUSTOM_CLAIMS, found=len(listed))
    return tuple(_parse(one) for one in listed)


def _parse(members: Members) -> Claim:
    name, kind = required_text(members, "name"), required_text(members, "value_type")
    if not name or len(name) > limits.CUSTOM_CLAIM_TEXT:
        raise MalformedEvidence(WHAT, "a custom claim without a name, or with too long a one")
    if name.lower() in SERVICE_CLAIMS or name.lower().startswith(_SERVICE_PREFIX):
        raise MalformedEvidence(WHAT, f"custom claim {name!r} has the name of a claim that the service makes")
    read = _READERS.get(kind.lower())
    if read is None:
        raise MalformedEvidence(WHAT, f"value_type {kind[:20]!r} is none of {', '.join(_READERS)}")
    value = read(members.get("value"))
    if value is None:
        raise MalformedEvidence(WHAT, f"custom claim {name!r}: the value is no {kind}")
    return Claim(name, value, Issuer.CUSTOM)


def _string(value: JsonValue) -> ClaimValue | None:
    return value if isinstance(value, str) and len(value) <= limits.CUSTOM_CLAIM_TEXT else None


def _boolean(value: JsonValue) -> ClaimValue | None:
    if isinstance(value, bool):
        return value
    return _BOOLEANS.get(value.lower()) if isinstance(value, str) else None


def _integer(value: JsonValue) -> ClaimValue | None:
    if isinstance(value, str) and _INTEGER.match(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if -(1 << 63) <= value < 1 << 63 else None


_READERS: Final[Mapping[str, Callable[[JsonValue], ClaimValue | None]]] = {
    "string": _string,
    "boolean": _boolean,
    "integer": _integer,
}
