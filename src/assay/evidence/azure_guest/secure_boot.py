"""A guest's secure boot keys against those that machines come with (tpm-and-guest 5.7).

A difference is a matter of the policy, whose default denies it; the verdict says which variable differs. Only a strict
operator's rule refuses it here.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from assay.endorsements.anchors import TrustAnchors
from assay.errors import RuleViolated
from assay.evidence._tcg.secure_boot_keys import (
    DEFAULT_REFERENCES,
    SecureBootKeys,
    SecureBootReferences,
    extend_references,
)
from assay.verdict import Check, Mismatch, Seen

# What the firmware of the simulator's machines holds: believed of machines that are the simulator's (ADR 0045).
_SIMULATED: Final = {
    "PK": ("a5ca7bbea78a65728b8622f5e9e3a4bd7e35badda9b6293ae25ea797072f2c15",),
    "KEK": ("3eb85e6be86065a69bd08ae340ad065567dc0351bb1cf62d8d01a95e5514da0f",),
    "db": ("aaea6bcad6ff50e3a080e1e65175701a48f1c51e2f80963ff9fcb3607216cfdf",),
    "dbx": ("dabf8de3cefb1b5e3c6f947d6f3fb17b8ba0ffe46970d07c8c258318c49c7fd7",),
}


def references_for(anchors: TrustAnchors, *, simulated: bool) -> SecureBootReferences:
    """The packaged references, the operator's, and those of the simulator for its own machines."""
    references = extend_references(anchors.secure_boot_keys, DEFAULT_REFERENCES)
    return extend_references(_SIMULATED, references) if simulated else references


class SecureBootCase(NamedTuple):
    """The keys of a machine, and whether the operator is strict."""

    keys: SecureBootKeys
    strict: bool


def _keys(case: SecureBootCase) -> Seen:
    differing = case.keys.differing
    if differing and case.strict:
        raise Mismatch(differing, _KNOWN)
    return Seen(differing or "nothing else", _KNOWN if case.strict else f"{_KNOWN}; what differs is for the policy")


_KNOWN: Final = "PK, KEK, db and dbx that machines come with, or of the operator's secure_boot_keys.json"

SECURE_BOOT_CHECKS: Final[tuple[Check[SecureBootCase], ...]] = (
    Check(
        "secure_boot.keys",
        "SecureBootKeysUnknown",
        "tpm-and-guest 5.7; rule of --strict",
        "reset the machine's secure boot keys, or add their digests to secure_boot_keys.json in a --trust directory",
        RuleViolated,
        _keys,
    ),
)
