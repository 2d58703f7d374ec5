"""What lint is told about the claims of a service: names, types, forms; this layer knows no evidence type itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from assay.claims import ClaimValue, ValueType


def _never(_name: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class KnownClaim:
    """A claim that the service makes from evidence.

    `hex_digits` is the exact length of a lower-case hexadecimal value, `values` the closed set of a String's values;
    Integers are never negative. `versions` are the language versions under which the claim is there, `replaced_by`
    today's name of a deprecated one.
    """

    value_type: ValueType
    hex_digits: int | None = None
    values: tuple[str, ...] = ()
    replaced_by: str | None = None
    versions: frozenset[str] = frozenset({"1.0", "1.1", "1.2"})


@dataclass(frozen=True, slots=True)
class DebugClaims:
    """The claims of one attestation type that tell a debuggable attester: each with the value that means so.

    `family` are all names of the type, by which a policy shows that it is meant for it.
    """

    debug_values: Mapping[str, ClaimValue]
    family: frozenset[str]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All that the evidence types in question bring.

    A name may be known from several types. `imitable` are names that a caller's custom claim can carry too, whatever
    the type. `properties` are those of issuance rules, `configuration` those of configuration rules.
    """

    claims: Mapping[str, tuple[KnownClaim, ...]] = field(default_factory=dict)
    configuration: Mapping[str, ValueType] = field(default_factory=dict)
    properties: Mapping[str, ValueType] = field(default_factory=dict)
    imitable: frozenset[str] = frozenset()
    debug: tuple[DebugClaims, ...] = ()
    is_one_type: bool = False
    is_service_owned: Callable[[str], bool] = _never
