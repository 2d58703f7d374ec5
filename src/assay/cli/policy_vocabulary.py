"""What the evidence types tell the tools for policies: names to check against, and what each claim is good for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from assay.evidence.claim_names import (
    CONFIGURATION_PROPERTIES,
    INCOMING_CLAIMS,
    ISSUANCE_PROPERTIES,
    TAKES_CUSTOM_CLAIMS,
    IncomingClaim,
    Says,
)
from assay.policy.learning import Facts, Use
from assay.policy.lint import DebugClaims, KnownClaim, Vocabulary
from assay.result.payload import is_service_owned

if TYPE_CHECKING:
    from collections.abc import Mapping

POLICY_TYPE: Final = click.Choice(list(INCOMING_CLAIMS), case_sensitive=False)


def vocabulary_of(name: str | None) -> Vocabulary:
    """What policies of one attestation type may read and set; of every type for None."""
    types = tuple(INCOMING_CLAIMS) if name is None else (name,)
    claims: dict[str, tuple[KnownClaim, ...]] = {}
    for one in types:
        for claim_name, claim in INCOMING_CLAIMS[one].items():
            known = _known(claim)
            if known not in claims.get(claim_name, ()):
                claims[claim_name] = (*claims.get(claim_name, ()), known)
    takers = set(types) & TAKES_CUSTOM_CLAIMS
    others = {claim_name for one in set(types) - takers for claim_name in INCOMING_CLAIMS[one]}
    return Vocabulary(
        claims,
        {key: kind for one in types for key, kind in CONFIGURATION_PROPERTIES[one].items()},
        {key: kind for one in types for key, kind in ISSUANCE_PROPERTIES[one].items()},
        frozenset(claim_name for one in takers for claim_name in INCOMING_CLAIMS[one]) - others,
        _debug_claims(types),
        name is not None,
        is_service_owned,
    )


def _known(claim: IncomingClaim) -> KnownClaim:
    return KnownClaim(claim.value_type, claim.hex_digits, claim.values, claim.replaced_by, claim.versions)


def _debug_claims(types: tuple[str, ...]) -> tuple[DebugClaims, ...]:
    """One entry for types with the same claims; their family are the names that no other type has."""
    found: list[DebugClaims] = []
    for name in types:
        claims = INCOMING_CLAIMS[name]
        values = {one: _opposite(claim) for one, claim in claims.items() if claim.safe is not None}
        others = {one for table in INCOMING_CLAIMS.values() if table is not claims for one in table}
        one = DebugClaims(values, frozenset(claims) - others)
        if values and one not in found:
            found.append(one)
    return tuple(found)


def _opposite(claim: IncomingClaim) -> str | bool:
    if isinstance(claim.safe, bool):
        return not claim.safe
    return next(value for value in claim.values if value != claim.safe)


# What learning does with claims that say this, and why, as the comments of a learnt policy put it.
_USES: Final = {
    Says.MEASUREMENT: Use.MEASUREMENT,
    Says.SIGNER: Use.SIGNER,
    Says.IDENTITY: Use.PINNED,
    Says.SETTING: Use.PINNED,
    Says.SVN: Use.MINIMUM,
    Says.DEBUG: Use.DEBUG,
    Says.TCB: Use.ANY_OF,
}
_WHY: Final = {
    Says.MEASUREMENT: "pinned, so that another build is refused",
    Says.SIGNER: "pinned, so that the same code from others is refused",
    Says.IDENTITY: "pinned",
    Says.SETTING: "pinned",
    Says.SVN: "no lower than seen, so that fixes are admitted and builds before them are refused",
    Says.DEBUG: "refused where they can",
    Says.TCB: "as seen in any of the evidence",
    Says.MACHINE: "left out, since others are as good",
    Says.VENDOR_MODULE: "left out, since the vendor's fixes change it",
    Says.HELD: "left out, since the next call has its own",
    Says.ASSERTED: "left out, since it proves nothing",
    Says.REPEATED: "left out",
}


def facts_of(name: str) -> Mapping[str, Facts]:
    """What learning is told about the claims of a type."""
    return {claim: _facts(known) for claim, known in INCOMING_CLAIMS[name].items()}


def _facts(claim: IncomingClaim) -> Facts:
    use = _USES.get(claim.says, Use.LEFT_OUT)
    safe = False if claim.safe is None else claim.safe
    return Facts(use, f"{claim.says.value}; {_WHY[claim.says]}", safe, before_1_2="1.2" not in claim.versions)


def takes_custom_claims(name: str) -> bool:
    """Whether callers of a type send claims of their own."""
    return name in TAKES_CUSTOM_CLAIMS
