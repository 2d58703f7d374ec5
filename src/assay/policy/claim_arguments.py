"""The grammar of what actions make (policy-language sections 3 and 5.3): one function for each rule."""

from __future__ import annotations

from functools import partial
from typing import Final

from assay.claims import ValueType, value_type
from assay.policy.expressions import PROPERTIES, parse_expression
from assay.policy.rule_cursor import RuleCursor
from assay.policy.syntax import ClaimArgument, CopiedClaim, Expression, Literal, MadeClaim, Property
from assay.policy.tokens import NAME, Token

_VALUE_TYPES: Final = frozenset(kind.value for kind in ValueType)


def parse_claim_argument(parser: RuleCursor) -> ClaimArgument:
    """`claimArgument = "claim" , "=" , identifier | assignment , { "," , assignment } ;`"""
    first = parser.expect_name(("claim", *PROPERTIES))
    if first.text == "claim":
        parser.expect("=")
        parser.references.append(parser.expect(NAME))
        return CopiedClaim(parser.references[-1].text)
    assigned: dict[Property, Expression] = {}
    name = first
    while True:
        parser.within("assignment", partial(_assignment, name, assigned))
        if not parser.accept(","):
            break
        name = parser.expect_name(PROPERTIES)
    parser.expect_any(",", ")")
    for required in (Property.TYPE, Property.VALUE):
        if required not in assigned:
            parser.refuse(first, f"the claim has no '{required.value}='")
    return _made_claim(parser, first, assigned)


def _assignment(name: Token, assigned: dict[Property, Expression], parser: RuleCursor) -> None:
    """`assignment = ( "type" | "value" | "valueType" | "issuer" ) , "=" , expression ;`"""
    target = Property(name.text)
    if target is Property.ISSUER:
        parser.refuse(name, "'issuer=' cannot be assigned: a policy's claims are issued by AttestationPolicy")
    if target in assigned:
        parser.refuse(name, f"'{name.text}=' is assigned twice")
    parser.expect("=")
    first = parser.token
    expression = parser.within("expression", parse_expression)
    if target is Property.TYPE and isinstance(expression, Literal) and not isinstance(expression.value, str):
        parser.refuse(first, f"'type=' needs a String, {value_type(expression.value).value} found")
    assigned[target] = expression


def _made_claim(parser: RuleCursor, first: Token, assigned: dict[Property, Expression]) -> MadeClaim:
    value, stated = assigned[Property.VALUE], assigned.get(Property.VALUE_TYPE)
    if isinstance(stated, Literal):
        if stated.value not in _VALUE_TYPES:
            parser.refuse(first, f"'valueType=' is one of {', '.join(sorted(_VALUE_TYPES))}")
        if isinstance(value, Literal) and stated.value != value_type(value.value).value:
            parser.refuse(first, f"'valueType={stated.value}' does not agree with the value")
    return MadeClaim(assigned[Property.TYPE], value, stated)
