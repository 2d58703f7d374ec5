"""What grows while a policy runs: claim sets, marks of read-only claims, work done (policy-language sections 4, 13)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assay import limits
from assay.claims import Claim, ClaimSet, ClaimValue, Issuer
from assay.errors import PolicyEvaluationError
from assay.policy.json_texts import JsonTexts
from assay.policy.rule_failed import RuleFailed

if TYPE_CHECKING:
    from collections.abc import Iterable

# Up to here, comparing with every claim of the type is quicker than keeping their keys.
_FEW: Final = 8
_TOO_MANY: Final = f"more than {limits.POLICY_CLAIMS} claims"
_NAME_SHOWN: Final = 200
_NONE: Final[frozenset[Claim]] = frozenset()


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
        """The claims of a set, which are distinct already; raises `PolicyEvaluationError` when there are too many."""
        made = cls()
        made.claims = [*claims]
        if len(made.claims) > limits.POLICY_CLAIMS:
            raise PolicyEvaluationError(f"Policy Engine Exception: {_TOO_MANY}.")
        made.by_type = by_type = {claim.type: [claim] for claim in made.claims}
        if len(by_type) != len(made.claims):
            by_type.clear()
            for claim in made.claims:
                by_type.setdefault(claim.type, []).append(claim)
        return made

    def add(self, claim: Claim) -> None:
        """Adds a claim; raises `RuleFailed` when there are too many."""
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
            raise RuleFailed(_TOO_MANY)

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


class Run:
    """What one evaluation reads and writes; `read_only_types` is None for a version without functions.

    `read_only` holds the claims that must not be issued: those of the evidence with one of the `read_only_types`, and
    those that rules made of them.
    """

    __slots__ = ("_texts", "incoming", "issued", "issued_size", "permitted", "properties", "read_only", "steps")

    def __init__(self, incoming: ClaimSet, read_only_types: frozenset[str] | None = None) -> None:
        self.incoming = WorkingSet.of(incoming)
        self.issued = WorkingSet()
        self.properties = WorkingSet()
        self.permitted = False
        self.steps = limits.POLICY_STEPS
        self.issued_size = 0
        self.read_only: set[Claim] | frozenset[Claim] = _NONE
        self._texts: JsonTexts | None = None
        if read_only_types is not None:
            self._prepare_functions(read_only_types)

    def _prepare_functions(self, read_only_types: frozenset[str]) -> None:
        """Functions read texts: how much a policy may do grows with what the evidence brought."""
        texts = [claim.value for claim in self.incoming.claims if isinstance(claim.value, str)]
        self.steps += limits.POLICY_STEPS_PER_CHARACTER * sum(map(len, texts))
        self.mark_read_only(claim for claim in self.incoming.claims if claim.type in read_only_types)

    @property
    def texts(self) -> JsonTexts:
        """The JSON texts of this evaluation; most policies read none."""
        if self._texts is None:
            self._texts = JsonTexts(self.spend, self.spend_text)
        return self._texts

    def spend(self, steps: int) -> None:
        """Counts work that grows with the number or size of claims; raises `RuleFailed` when it is too much."""
        self.steps -= steps
        if self.steps < 0:
            raise RuleFailed("the policy took more steps than it may")

    def spend_text(self, characters: int) -> None:
        """Counts the work of reading or writing a text; raises `RuleFailed` when it is too much or too long."""
        if characters > limits.JMESPATH_RESULT:
            raise RuleFailed(f"a text of {characters} characters, at most {limits.JMESPATH_RESULT}")
        self.spend(1 + characters // limits.POLICY_STEP_CHARACTERS)

    def mark_read_only(self, claims: Iterable[Claim]) -> None:
        if isinstance(self.read_only, frozenset):
            self.read_only = set()
        self.read_only.update(claims)

    def is_read_only(self, claims: Iterable[Claim]) -> bool:
        """Whether the values of these claims, taken as one set, are read-only."""
        return bool(self.read_only) and not self.read_only.isdisjoint(claims)

    def issue(self, claim: Claim, destination: WorkingSet) -> None:
        """Adds a claim to the incoming set and to what the policy gives.

        Raises `RuleFailed` when that grows too large, or the claim is read-only.
        """
        if self.read_only and claim in self.read_only:
            raise RuleFailed(f"the claim '{claim.type[:_NAME_SHOWN]}' is read-only: it must not be issued")
        value = claim.value
        self.issued_size += len(claim.type) + (len(value) if isinstance(value, str) else 1)
        if self.issued_size > limits.POLICY_ISSUED:
            raise RuleFailed(f"the policy issued more than {limits.POLICY_ISSUED} characters")
        self.incoming.add(claim)
        destination.add(claim)
