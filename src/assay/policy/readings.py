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
  3    Version 1.2 itself is refused until it is supported.
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
Limits
  13   Join tuples are counted as partial tuples tried, for each rule. This layer reads no clock, so a budget of claims
       examined stands for the wall time.
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


DEFAULT: Final = Readings()
STRICT: Final = Readings(IssueInAuthorization.REFUSED)
