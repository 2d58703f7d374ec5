"""The claim sets that grow while a policy runs (policy-language section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assay import limits
from assay.claims import Claim, ClaimSet, ClaimValue, Issuer
from assay.errors import PolicyEvaluationError

if TYPE_CHECKING:
    from collections.abc import Iterable

# Up to here, comparing with every claim of the type is quicker than keeping their keys.
_FEW: Final = 8


class DistinctClaims(ClaimSet):
    """A claim set made of claims that are known to be distinct, so that none is hashed."""

    __slots__ = ()

    def __init__(self, claims: Iterable[Claim]) -> None:
        self._claims = tuple(claims)


class WorkingSet:
    """An insertion-ordered set of claims, found by their type; adding a claim that is present changes nothing."""

    __slots__ = ("_keys", "by_type", "claims")

    def __init__(self) -> None:
        self.claims: list[Claim] = []
        self.by_type: dict[str, list[Claim]] = {}
        self._keys: dict[str, set[tuple[type, ClaimValue, Issuer]]] = {}

    @classmethod
    def of(cls, claims: ClaimSet) -> WorkingSet:
        """The claims of a set, which are distinct already."""
        made = cls()
        made.claims = [*claims]
        _check_size(made.claims)
        made.by_type = by_type = {claim.type: [claim] for claim in made.claims}
        if len(by_type) != len(made.claims):
            by_type.clear()
            for claim in made.claims:
                by_type.setdefault(claim.type, []).append(claim)
        return made

    def add(self, claim: Claim) -> None:
        """Adds a claim; raises `PolicyEvaluationError` when there are too many."""
        name = claim.type
        same_type = self.by_type.get(name)
        if same_type is None:
            self.by_type[name] = [claim]
        elif self._is_present(claim, same_type):
            return
        else:
            same_type.append(claim)
        self.claims.append(claim)
        if len(self.claims) > limits.POLICY_CLAIMS:
            _check_size(self.claims)

    def _is_present(self, claim: Claim, same_type: list[Claim]) -> bool:
        if len(same_type) <= _FEW:
            return any(
                known.value == claim.value
                and known.value.__class__ is claim.value.__class__
                and known.issuer is claim.issuer
                for known in same_type
            )
        keys = self._keys.get(claim.type)
        if keys is None:
            keys = self._keys[claim.type] = {_key(known) for known in same_type}
        before = len(keys)
        keys.add(_key(claim))
        return len(keys) == before


def _key(claim: Claim) -> tuple[type, ClaimValue, Issuer]:
    return claim.value.__class__, claim.value, claim.issuer


def _check_size(claims: list[Claim]) -> None:
    if len(claims) > limits.POLICY_CLAIMS:
        raise PolicyEvaluationError(f"Policy Engine Exception: more than {limits.POLICY_CLAIMS} claims.")


class Run:
    """What one evaluation reads and writes."""

    __slots__ = ("incoming", "issued", "issued_size", "permitted", "properties", "steps")

    def __init__(self, incoming: ClaimSet) -> None:
        self.incoming = WorkingSet.of(incoming)
        self.issued = WorkingSet()
        self.properties = WorkingSet()
        self.permitted = False
        self.steps = limits.POLICY_STEPS
        self.issued_size = 0

    def spend(self, steps: int) -> None:
        """Counts work that grows with the number of claims; raises `PolicyEvaluationError` when it is too much."""
        self.steps -= steps
        if self.steps < 0:
            raise PolicyEvaluationError(
                f"Policy Engine Exception: the policy took more than {limits.POLICY_STEPS} steps."
            )

    def issue(self, claim: Claim, destination: WorkingSet) -> None:
        """Adds a claim to the incoming set and to what the policy gives; raises when that grows too large."""
        value = claim.value
        self.issued_size += len(claim.type) + (len(value) if isinstance(value, str) else 1)
        if self.issued_size > limits.POLICY_ISSUED:
            raise PolicyEvaluationError(
                f"Policy Engine Exception: the policy issued more than {limits.POLICY_ISSUED} characters."
            )
        self.incoming.add(claim)
        destination.add(claim)
