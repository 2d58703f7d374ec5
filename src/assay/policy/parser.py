"""The parser: one function for each rule of the grammar (policy-language section 3), the rule in its docstring."""

from __future__ import annotations

from functools import partial
from typing import Final

from assay import limits
from assay.claims import ValueType, value_type
from assay.errors import PolicyParsingError
from assay.policy import tokens
from assay.policy.cursor import Cursor
from assay.policy.readings import IssueInAuthorization, Readings
from assay.policy.syntax import (
    ORDERINGS,
    Action,
    ClaimArgument,
    Comparison,
    Condition,
    CopiedClaim,
    Deny,
    Destination,
    Emit,
    Expression,
    Literal,
    MadeClaim,
    Permit,
    PolicySyntax,
    Property,
    PropertyTest,
    Reference,
    Rule,
    Section,
)
from assay.policy.tokens import END, INTEGER, NAME, STRING, VERSION, Token

_VERSIONS: Final = ("1.0", "1.1")
_VERSIONS_TO_COME: Final = ("1.2",)
_COMPARISONS: Final = {comparison.value: comparison for comparison in Comparison}
_PROPERTIES: Final = {claim_property.value: claim_property for claim_property in Property}
_BOOLEANS: Final = {"true": True, "false": False}
_VALUE_TYPES: Final = frozenset(kind.value for kind in ValueType)

# Which actions stand in which section (policy-language section 6; `issue` in authorizationrules: reading Q2).
_ACTIONS: Final = {
    Section.CONFIGURATION: ("issueproperty",),
    Section.AUTHORIZATION: ("permit", "deny", "add"),
    Section.ISSUANCE: ("add", "issue", "issueproperty"),
}
_RULE_NAMES: Final = {
    Section.CONFIGURATION: "configurationRule",
    Section.AUTHORIZATION: "authorizationRule",
    Section.ISSUANCE: "issuanceRule",
}
_INTEGERS: Final = range(-(2**63), 2**63)
_INTEGER_DIGITS: Final = 19


class _Parser(Cursor):
    """The cursor with what the parser counts and collects on its way."""

    __slots__ = ("readings", "references", "rules")

    def __init__(self, text: str, readings: Readings) -> None:
        super().__init__(text)
        self.readings = readings
        self.rules = 0
        self.references: list[Token] = []


def parse_policy(text: str, readings: Readings) -> PolicySyntax:
    """The syntax tree of a policy text; raises `PolicyParsingError` and nothing else, whatever the text."""
    _check_text(text)
    return _Parser(text, readings).within("policy", _policy)


def _check_text(text: str) -> None:
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        line, column = tokens.Lines(text).place(error.start)
        symbol = f"\\u{ord(text[error.start]):04x}"
        failure = "the text has no UTF-8 form"
        raise PolicyParsingError(failure, symbol=symbol, line=line, column=column, rule="policy") from None
    if size > limits.POLICY_TEXT:
        failure = f"policy text of {size} bytes, at most {limits.POLICY_TEXT}"
        raise PolicyParsingError(failure, symbol="", line=1, column=0, rule="policy")


def _policy(parser: _Parser) -> PolicySyntax:
    """`policy = versionInfo , [ configurationRules ] , authorizationRules , [ issuanceRules ] , EOF ;`"""
    version = parser.within("versionInfo", _version_info)
    configuration: tuple[Rule, ...] = ()
    if parser.is_keyword(Section.CONFIGURATION.value):
        if version == "1.0":
            parser.refuse(parser.token, f"'{parser.token.shown}' needs version 1.1")
        configuration = parser.within("configurationRules", partial(_rules, Section.CONFIGURATION))
    authorization = parser.within("authorizationRules", partial(_rules, Section.AUTHORIZATION))
    issuance: tuple[Rule, ...] = ()
    if parser.is_keyword(Section.ISSUANCE.value):
        issuance = parser.within("issuanceRules", partial(_rules, Section.ISSUANCE))
    parser.expect_any(END)
    return PolicySyntax(version, configuration, authorization, issuance)


def _version_info(parser: _Parser) -> str:
    """`versionInfo = "version" , "=" , versionNumber , ";" ;   versionNumber = "1.0" | "1.1" | "1.2" ;`"""
    parser.expect_keyword("version")
    parser.expect("=")
    if parser.token.text in _VERSIONS_TO_COME:
        parser.refuse(parser.token, f"version {parser.token.text} is not supported yet")
    if parser.token.kind != VERSION or parser.token.text not in _VERSIONS:
        parser.mismatch(*(f"'{version}'" for version in _VERSIONS))
    version = parser.advance().text
    parser.expect(";")
    return version


def _rules(section: Section, parser: _Parser) -> tuple[Rule, ...]:
    """`configurationRules = "configurationrules" , "{" , { configurationRule } , "}" , ";" ;` the others alike"""
    parser.expect_keyword(section.value)
    parser.expect("{")
    rules: list[Rule] = []
    while parser.token.kind != "}":
        if parser.token.kind != "!":  # refused where negation belongs, with a better reason
            parser.expect_any("[", NAME, "=>", "}")
        rules.append(parser.within(_RULE_NAMES[section], partial(_rule, section)))
    parser.advance()
    parser.expect(";")
    return tuple(rules)


def _rule(section: Section, parser: _Parser) -> Rule:
    """`configurationRule = [ conditions ] , "=>" , issueProperty , ";" ;` the others alike, with their actions"""
    first = parser.token
    parser.rules += 1
    if parser.rules > limits.POLICY_RULES:
        parser.refuse(first, f"more than {limits.POLICY_RULES} rules")
    parser.references.clear()
    conditions = () if first.kind == "=>" else parser.within("conditions", _conditions)
    parser.expect("=>")
    action = _action(section, parser)
    last = parser.expect(";")
    bound = {condition.identifier for condition in conditions}
    for reference in parser.references:
        if reference.text not in bound:
            parser.refuse(reference, f"no condition of the rule binds '{reference.shown}'")
    return Rule(section, conditions, action, parser.line(first), parser.source(first, last))


def _conditions(parser: _Parser) -> tuple[Condition, ...]:
    """`conditions = condition , { "&&" , condition } ;`"""
    conditions = [parser.within("condition", _condition)]
    while parser.token.kind == "&&":
        if len(conditions) == limits.POLICY_CONDITIONS:
            parser.refuse(parser.token, f"more than {limits.POLICY_CONDITIONS} conditions in a rule")
        parser.advance()
        conditions.append(parser.within("condition", _condition))
    return tuple(conditions)


def _condition(parser: _Parser) -> Condition:
    """`condition = [ "!" ] , [ identifier , ":" ] , "[" , propertyTest , { "," , propertyTest } , "]" ;`"""
    if parser.token.kind == "!":
        parser.refuse(parser.token, "a negated condition needs version 1.2")
    parser.expect_any("[", NAME)
    identifier: str | None = None
    if parser.token.kind == NAME:
        identifier = parser.advance().text
        parser.expect(":")
    parser.expect("[")
    tests = [parser.within("propertyTest", _property_test)]
    while parser.accept(","):
        tests.append(parser.within("propertyTest", _property_test))
    parser.expect_any(",", "]")
    parser.advance()
    return Condition(identifier, tuple(tests))


def _property_test(parser: _Parser) -> PropertyTest:
    """`propertyTest = property , comparison , expression ;`"""
    tested = _property(parser)
    comparison = _COMPARISONS.get(parser.token.kind)
    if comparison is None:
        parser.mismatch(*(f"'{mark}'" for mark in _COMPARISONS))
    parser.advance()
    first = parser.token
    expression = parser.within("expression", _expression)
    if comparison in ORDERINGS and isinstance(expression, Literal) and type(expression.value) is not int:
        parser.refuse(first, f"'{comparison.value}' compares Integers, {value_type(expression.value).value} found")
    return PropertyTest(tested, comparison, expression)


def _property(parser: _Parser) -> Property:
    """`property = "type" | "value" | "valueType" | "issuer" ;`"""
    return _PROPERTIES[parser.expect_name(_PROPERTIES).text]


def _expression(parser: _Parser) -> Expression:
    """`expression = string | integer | boolean | identifier , "." , property | functionName , "(" , ... , ")" ;`"""
    if parser.token.kind == STRING:
        return Literal(tokens.string_value(parser.advance()))
    if parser.token.kind == INTEGER:
        return _integer(parser)
    if parser.token.kind != NAME:
        parser.mismatch(STRING, INTEGER, "boolean", NAME)
    word = parser.advance()
    if parser.token.kind == "(":
        parser.refuse(word, f"a function call ('{word.shown}') needs version 1.2")
    if word.text in _BOOLEANS and parser.token.kind != ".":
        return Literal(_BOOLEANS[word.text])
    parser.expect(".")
    parser.references.append(word)
    return Reference(word.text, _property(parser))


def _integer(parser: _Parser) -> Literal:
    """`integer = [ "-" ] , digit , { digit } ;` 64-bit signed"""
    word = parser.token
    digits = word.text.lstrip("-").lstrip("0")
    # Digits are counted first: Python refuses to convert thousands of them.
    magnitude = int(digits or "0") if len(digits) <= _INTEGER_DIGITS else _INTEGERS.stop + 1
    number = -magnitude if word.text.startswith("-") else magnitude
    if number not in _INTEGERS:
        parser.refuse(word, f"'{word.shown}' is not a 64-bit signed integer")
    parser.advance()
    return Literal(number)


def _action(section: Section, parser: _Parser) -> Action:
    """`permit | deny | add | issue | issueProperty`, as the section allows (policy-language section 6)."""
    names = _ACTIONS[section]
    if section is Section.AUTHORIZATION and parser.readings.issue_in_authorization is IssueInAuthorization.ADDS:
        names = (*names, "issue")
    action = parser.expect_name(names).text
    parser.expect("(")
    match action:
        case "permit" | "deny":
            parser.expect(")")
            return Permit() if action == "permit" else Deny()
        case _:
            argument = parser.within("claimArgument", _claim_argument)
            parser.expect(")")
            destination = Destination.INCOMING if section is Section.AUTHORIZATION else Destination(action)
            return Emit(destination, argument)


def _claim_argument(parser: _Parser) -> ClaimArgument:
    """`claimArgument = "claim" , "=" , identifier | assignment , { "," , assignment } ;`"""
    first = parser.expect_name(("claim", *_PROPERTIES))
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
        name = parser.expect_name(_PROPERTIES)
    parser.expect_any(",", ")")
    for required in (Property.TYPE, Property.VALUE):
        if required not in assigned:
            parser.refuse(first, f"the claim has no '{required.value}='")
    return _made_claim(parser, first, assigned)


def _assignment(name: Token, assigned: dict[Property, Expression], parser: _Parser) -> None:
    """`assignment = ( "type" | "value" | "valueType" | "issuer" ) , "=" , expression ;`"""
    target = Property(name.text)
    if target is Property.ISSUER:
        parser.refuse(name, "'issuer=' cannot be assigned: a policy's claims are issued by AttestationPolicy")
    if target in assigned:
        parser.refuse(name, f"'{name.text}=' is assigned twice")
    parser.expect("=")
    first = parser.token
    expression = parser.within("expression", _expression)
    if target is Property.TYPE and isinstance(expression, Literal) and not isinstance(expression.value, str):
        parser.refuse(first, f"'type=' needs a String, {value_type(expression.value).value} found")
    assigned[target] = expression


def _made_claim(parser: _Parser, first: Token, assigned: dict[Property, Expression]) -> MadeClaim:
    value, stated = assigned[Property.VALUE], assigned.get(Property.VALUE_TYPE)
    if isinstance(stated, Literal):
        if stated.value not in _VALUE_TYPES:
            parser.refuse(first, f"'valueType=' is one of {', '.join(sorted(_VALUE_TYPES))}")
        if isinstance(value, Literal) and stated.value != value_type(value.value).value:
            parser.refuse(first, f"'valueType={stated.value}' does not agree with the value")
    return MadeClaim(assigned[Property.TYPE], value, stated)
