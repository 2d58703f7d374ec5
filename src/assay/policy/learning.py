"""A policy learnt from known-good evidence: it admits those claim sets and nothing else of their kind."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from assay import limits
from assay.claims import Claim, ClaimSet, ClaimValue, Issuer
from assay.errors import PolicyError
from assay.policy.evaluation import compile_afresh
from assay.policy.learnt_text import Attester, Learnt, Values, render

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Use(Enum):
    """What learning does with a claim."""

    MEASUREMENT = "what runs: pinned"
    SIGNER = "who signed it: pinned"
    PINNED = "what else tells one attester from another: pinned"
    MINIMUM = "a security version: the lowest seen for the attester is the least admitted"
    DEBUG = "whether others can look inside: must be safe"
    ANY_OF = "the state of the platform: any that was seen"
    LEFT_OUT = "no part of what is learnt"


class Scope(Enum):
    """Whether the measurement is pinned, or new builds of the same signer and product are admitted too."""

    BUILD = "build"
    SIGNER = "signer"


@dataclass(frozen=True, slots=True)
class Facts:
    """What learning is told about a claim: its use, and why.

    `safe` is the value of a claim about debugging that keeps others out; `before_1_2` says that the claim is not there
    under version 1.2.
    """

    use: Use
    why: str
    safe: ClaimValue = False
    before_1_2: bool = False


class Sample(NamedTuple):
    """The claims of one piece of known-good evidence, and what its author calls it."""

    name: str
    claims: ClaimSet


class _Observed(NamedTuple):
    """The claims of one sample by their use; `names` are all of them."""

    name: str
    by_use: Mapping[Use, Values]
    names: frozenset[str]

    def values(self, *uses: Use) -> Values:
        return tuple(pair for use in uses for pair in self.by_use.get(use, ()))


_Key = frozenset[tuple[str, type, ClaimValue]]
_PINNED: Final = (Use.MEASUREMENT, Use.SIGNER, Use.PINNED)
_JUDGED: Final = (*_PINNED, Use.MINIMUM, Use.DEBUG, Use.ANY_OF)


def learn_policy(samples: Sequence[Sample], facts: Mapping[str, Facts], scope: Scope, *, test_issuer: bool) -> str:
    """The text of a policy that permits every sample.

    It permits no other claim set of the service, except that claims left out may differ, security versions may be
    higher, and the platform's state may be that of another sample. `test_issuer` makes each permit ask for the service
    as issuer, for types whose callers send claims of their own. Claims that `facts` does not name are left out.

    Raises `PolicyError`, with the reason, when nothing sound can be learnt: no sample, a debuggable one, nothing that
    tells the attesters from strangers, one build under several signers, a claim with several values.
    """
    if not samples:
        raise PolicyError("there is no evidence to learn from")
    if scope is Scope.SIGNER:
        left_out = Facts(Use.LEFT_OUT, "new builds of the signer are admitted, as was asked for")
        pinned = {name: left_out if fact.use is Use.MEASUREMENT else fact for name, fact in facts.items()}
    else:
        pinned = dict(facts)
    observed = [_observe(sample, pinned) for sample in samples]
    for one in observed:
        _refuse_debuggable(one, facts)
        _refuse_untold(one, scope)
    _refuse_resigned([_observe(sample, facts) for sample in samples])
    learnt = _learn(observed, pinned, test_issuer=test_issuer)
    text = render(learnt)
    _prove(text, samples)
    return text


def _observe(sample: Sample, facts: Mapping[str, Facts]) -> _Observed:
    values: dict[str, list[ClaimValue]] = {}
    for claim in sample.claims:
        if claim.issuer is Issuer.SERVICE:
            values.setdefault(claim.type, []).append(claim.value)
    by_use: dict[Use, list[tuple[str, ClaimValue]]] = {}
    for name, fact in facts.items():
        found = values.get(name, [])
        if len(found) > 1 and fact.use is not Use.LEFT_OUT:
            raise PolicyError(f"{sample.name}: {name} has {len(found)} values, which no rule can pin")
        by_use.setdefault(fact.use, []).extend((name, value) for value in found)
    return _Observed(sample.name, {use: tuple(found) for use, found in by_use.items()}, frozenset(values))


def _refuse_debuggable(one: _Observed, facts: Mapping[str, Facts]) -> None:
    for name, value in one.values(Use.DEBUG):
        if Claim(name, value) != Claim(name, facts[name].safe):
            shown = str(value).lower() if isinstance(value, bool) else value
            raise PolicyError(
                f"{one.name}: {name} is {shown}. Whoever runs a debuggable environment can read and change what is "
                "inside, so its evidence is no known-good one; learn from a release build"
            )


def _refuse_untold(one: _Observed, scope: Scope) -> None:
    if not one.values(*_PINNED):
        raise PolicyError(f"{one.name}: no claim tells it from strangers; a policy learnt from it would admit them all")
    if scope is Scope.SIGNER and not one.values(Use.SIGNER):
        raise PolicyError(f"{one.name}: no claim names a signer, so the build has to be pinned")


def _refuse_resigned(observed: Iterable[_Observed]) -> None:
    """Refuses one build under several signers: a stranger can sign a good build with a key of their own."""
    seen: dict[_Key, _Observed] = {}
    for one in observed:
        measured = one.values(Use.MEASUREMENT)
        if not measured:
            continue
        other = seen.setdefault(_key(measured), one)
        if _key(other.values(Use.SIGNER)) != _key(one.values(Use.SIGNER)):
            names = ", ".join(name for name, _ in one.values(Use.SIGNER))
            raise PolicyError(
                f"{other.name} and {one.name} have one measurement and differ in the signer ({names}): the build was "
                "signed again with another key. If both keys are yours, learn a policy from each and join their rules"
            )


def _key(values: Values) -> _Key:
    return frozenset((name, type(value), value) for name, value in values)


def _learn(observed: Sequence[_Observed], facts: Mapping[str, Facts], *, test_issuer: bool) -> Learnt:
    groups: dict[_Key, list[_Observed]] = {}
    for one in observed:
        # Which of the other judged claims there are tells attesters apart too.
        present = frozenset((name, bool, True) for name, _ in one.values(*_JUDGED))
        groups.setdefault(_key(one.values(*_PINNED)) | present, []).append(one)
    judged = [name for name, fact in facts.items() if fact.use is not Use.LEFT_OUT]
    found = frozenset(name for one in observed for name, _ in one.values(*_JUDGED))
    somewhere = [name for name in judged if name in found]
    attesters = tuple(_attester(group, somewhere) for group in groups.values())
    _check(attesters, [facts[name] for name in somewhere])
    return Learnt(
        tuple(one.name for one in observed),
        attesters,
        {name: facts[name].why for name in somewhere},
        {name: facts[name].safe for name in somewhere if facts[name].use is Use.DEBUG},
        {name: _seen(observed, name) for name in somewhere if facts[name].use is Use.ANY_OF},
        tuple(name for name in judged if name not in found),
        {name: fact.why for name, fact in facts.items() if fact.use is Use.LEFT_OUT and _is_in(name, observed)},
        test_issuer,
    )


def _attester(group: Sequence[_Observed], somewhere: Iterable[str]) -> Attester:
    first = group[0]
    lowest: dict[str, ClaimValue] = {}
    for one in group:
        for name, value in one.values(Use.MINIMUM):
            lowest[name] = min(lowest.get(name, value), value, key=int)
    return Attester(
        tuple(one.name for one in group),
        first.values(*_PINNED),
        tuple(lowest.items()),
        first.values(Use.DEBUG),
        tuple(name for name, _ in first.values(Use.ANY_OF)),
        tuple(name for name in somewhere if name not in first.names),
    )


def _check(attesters: Iterable[Attester], facts: Iterable[Facts]) -> None:
    for one in attesters:
        if one.size > limits.POLICY_CONDITIONS:
            raise PolicyError(
                f"{one.samples[0]}: {one.size} claims to pin, at most {limits.POLICY_CONDITIONS} in a rule"
            )
        if one.absent and any(fact.before_1_2 for fact in facts):
            raise PolicyError(
                f"{one.samples[0]} has no claim {one.absent[0]}, which other evidence has. To tell them apart takes "
                "version 1.2, which lacks other claims that are pinned; learn a policy from each"
            )


def _seen(observed: Iterable[_Observed], name: str) -> tuple[ClaimValue, ...]:
    return tuple(dict.fromkeys(value for one in observed for other, value in one.values(Use.ANY_OF) if other == name))


def _is_in(name: str, observed: Iterable[_Observed]) -> bool:
    return any(name in one.names for one in observed)


def _prove(text: str, samples: Iterable[Sample]) -> None:
    """Runs the policy over all that it was learnt from; raises what it raises."""
    policy = compile_afresh(text)
    for sample in samples:
        policy.evaluate(sample.claims)
