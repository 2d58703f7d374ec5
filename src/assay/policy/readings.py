r"""How Assay reads what the policy language's sources leave open: every [Q] and [I] that this package decides.

Numbers with Q are those of policy-language section 17, the others are its sections.

Text
  2    A leading U+FEFF is skipped, not counted as a column, and part of what is hashed. Lines end at LF.
  2    No word is reserved: `type`, `permit` or `true` may name a binding, since a name followed by `:` or `.` is one.
  2    Section keywords ignore case (Q20); all other words are exact. Integers are 64-bit signed, leading zeros allowed.
  Q1   Only `\"` and `\\` are escapes in a string; other pairs stay; line ends are allowed inside.
  2    `/*` and typographic quotes are refused. Text that has no UTF-8 form (lone surrogates) is refused.
Grammar
  3    Sections in order and at most once; `configurationrules` needs 1.1; negation and function calls need 1.2.
  3    The identifier of a negated condition binds nothing: using it is refused, unless another condition binds it.
  3    An unknown function, a wrong number of arguments and calls nested too deeply are refused when the policy is read.
  3    An empty `[]` is refused, and a claim without `type` or without `value`, and a property assigned twice.
  3    A binding may be used by any condition of its rule, before or after its own: the join below is symmetrical. With
       one identifier bound twice, a condition means the last binding before itself, else the last of all; an action
       means the last of all.
  Q2   `issue` in `authorizationrules` adds to the incoming set only (`Readings.issue_in_authorization`).
  Q3   A positional type in `issue("X", ...)` is refused.
  5.3  `issuer=` is refused. `valueType=` must agree with the value: literals that do not are refused, others fail when
       run.
  5.3  `type=` with an Integer or Boolean literal is refused; with a computed one it is an error when run.
Meaning
  4    Claims are equal when type, value type, value and issuer are (Q4); each set removes duplicates by itself.
  Q6   References between conditions are an existential join; each identifier is then every claim of some joined tuple.
  Q7   Across types `==` is false, `!=` true, an order false. An order against a String or Boolean literal is refused.
  5    The first deny that fires ends the evaluation and is named (Q21: wherever it stands). A failed authorisation or a
       run-time error fails the call (Q13).
  5.3  `type=c.type, value=c.value`: assignments that use the identifier of `value=` are taken claim by claim; any other
       must denote one value.
  9    The last unconditional configuration rule for a property gives its value in `Policy.configuration`.
  10   Issued claims that differ only by issuer are one value of the token.
Functions and value sets (version 1.2)
  4    Read-only are the claims of the evidence whose type is in `Readings.read_only`, whatever their issuer, and what
       policies make of their values. The type, value type and issuer of such a claim are not read-only. A set of values
       is marked as a whole. A claim that equals a marked one is marked, however it was made.
  Q5   `issue` and `issueproperty` of a read-only claim are run-time errors, by value, by type and by `claim=`.
  5.1  In a condition, an identifier stands for the one claim of the joined tuple, inside a function call too; in an
       action, for all claims bound to it. A negated condition that refers to others holds for a tuple when no claim
       satisfies it with the tuple's claims.
  5.1  Tests against calls are made only for tuples of claims that pass every test without calls, of all conditions of
       the rule; those whose calls use no identifier come first, then the others, in the conditions' order. A call that
       is not come to raises nothing.
  5.2  Against several values a comparison holds when it holds for one, `!=` too; against none it is false.
  5.3  An empty `value=` makes nothing, whatever the other assignments are; otherwise a `type=` or `valueType=` that is
       not one value is an error. A function call is never paired claim by claim.
  7    JSON texts are read strictly: names that occur twice (case ignored), numbers beyond any use, texts nested deeper
       than 32 and bare words (Q17) are no JSON.
  7    `JsonToClaimValue` of an array leaves nulls out. Numbers beyond 64 bits and all fractions, `1.0` too, are errors.
  7    `IsSubsetOf` and `ContainsOnlyValue` compare by type and value.
  7.1  Queries that a policy states are compiled with it; one that is no query is an error when it is asked. See
       `assay.policy.jmespath` for the dialect. Q8: answers are compact JSON with sorted members.
  9    A conditional configuration rule, and an unconditional one from the first that fails, set nothing in
       `Policy.configuration`; a policy with one that fails is refused whenever it is evaluated.
  9    `required_pcr_mask` is a mask of PCR 0 to 23. `report_validity_in_minutes` is at least 1, and at most a year.
  9    Of several property claims of one type the last is meant.
Limits
  13   Join tuples are counted as partial tuples tried, for each rule. This layer reads no clock, so a budget of steps
       stands for the wall time: claims examined, parts of JSON visited, characters read or written. Under 1.2 it grows
       with the characters of the incoming claims, since policies of event logs read all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class IssueInAuthorization(Enum):
    """What `issue(...)` does inside `authorizationrules` (Q2)."""

    ADDS = "adds"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Readings:
    """The readings that can be switched."""

    issue_in_authorization: IssueInAuthorization = IssueInAuthorization.ADDS
    read_only: frozenset[str] = frozenset({"pcrs"})  # types of claims that a 1.2 policy may test and must not issue


DEFAULT: Final = Readings()
STRICT: Final = Readings(IssueInAuthorization.REFUSED)
