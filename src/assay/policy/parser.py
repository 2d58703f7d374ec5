"""The parser: one function for each rule of the grammar (policy-language section 3), the rule in its docstring."""

from __future__ import annotations

from functools import partial
from typing import Final

from assay import limits
from assay.claims import value_type
from assay.errors import PolicyParsingError
from assay.policy import tokens
from assay.policy.claim_arguments import parse_claim_argument
from assay.policy.expressions import parse_expression, parse_property
from assay.policy.readings import IssueInAuthorization, Readings
from assay.policy.rule_cursor import RuleCursor
from assay.policy.syntax import (
    ORDERINGS,
    Action,
    Comparison,
    Condition,
    Deny,
    Destination,
    Emit,
    Literal,
    Permit,
    PolicySyntax,
    PropertyTest,
    Rule,
    Section,
)
from assay.policy.tokens import END, NAME, VERSION

_VERSIONS: Final = ("1.0", "1.1", "1.2")
_COMPARISONS: Final = {comparison.value: comparison for comparison in Comparison}

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


def parse_policy(text: str, readings: Readings) -> PolicySyntax:
    """The syntax tree of a policy text; raises `PolicyParsingError` and nothing else, whatever the text."""
    _check_text(text)
    return RuleCursor(text, readings).within("policy", _policy)


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


def _policy(parser: RuleCursor) -> PolicySyntax:
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


def _version_info(parser: RuleCursor) -> str:
    """`versionInfo = "version" , "=" , versionNumber , ";" ;   versionNumber = "1.0" | "1.1" | "1.2" ;`"""
    parser.expect_keyword("version")
    parser.expect("=")
    if parser.token.kind != VERSION or parser.token.text not in _VERSIONS:
        parser.mismatch(*(f"'{version}'" for version in _VERSIONS))
    parser.version = parser.advance().text
    parser.expect(";")
    return parser.version


def _rules(section: Section, parser: RuleCursor) -> tuple[Rule, ...]:
    """`configurationRules = "configurationrules" , "{" , { configurationRule } , "}" , ";" ;` the others alike"""
    parser.expect_keyword(section.value)
    parser.expect("{")
    rules: list[Rule] = []
    while parser.token.kind != "}":
        if parser.token.kind != "!":  # refused where negation belongs, with a better reason
            parser.expect_any(*parser.condition_starts, "=>", "}")
        rules.append(parser.within(_RULE_NAMES[section], partial(_rule, section)))
    parser.advance()
    parser.expect(";")
    return tuple(rules)


def _rule(section: Section, parser: RuleCursor) -> Rule:
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
    bound = {condition.identifier for condition in conditions if not condition.negated}
    for reference in parser.references:
        if reference.text not in bound:
            parser.refuse(reference, f"no condition of the rule binds '{reference.shown}'")
    return Rule(section, conditions, action, parser.line(first), parser.source(first, last))


def _conditions(parser: RuleCursor) -> tuple[Condition, ...]:
    """`conditions = condition , { "&&" , condition } ;`"""
    conditions = [parser.within("condition", _condition)]
    while parser.token.kind == "&&":
        if len(conditions) == limits.POLICY_CONDITIONS:
            parser.refuse(parser.token, f"more than {limits.POLICY_CONDITIONS} conditions in a rule")
        parser.advance()
        conditions.append(parser.within("condition", _condition))
    return tuple(conditions)


def _condition(parser: RuleCursor) -> Condition:
    """`condition = [ "!" ] , [ identifier , ":" ] , "[" , propertyTest , { "," , propertyTest } , "]" ;`"""
    first = parser.token
    negated = first.kind == "!"
    if negated and not parser.has_functions:
        parser.refuse(first, "a negated condition needs version 1.2")
    if negated:
        parser.advance()
    parser.expect_any(*parser.condition_starts[-2:] if negated else parser.condition_starts)
    identifier: str | None = None
    if parser.token.kind == NAME:
        identifier = parser.advance().text
        parser.expect(":")
    parser.expect("[")
    tests = [parser.within("propertyTest", _property_test)]
    while parser.accept(","):
        tests.append(parser.within("propertyTest", _property_test))
    parser.expect_any(",", "]")
    return Condition(identifier, tuple(tests), negated, parser.source(first, parser.advance()))


def _property_test(parser: RuleCursor) -> PropertyTest:
    """`propertyTest = property , comparison , expression ;`"""
    tested = parse_property(parser)
    comparison = _COMPARISONS.get(parser.token.kind)
    if comparison is None:
        parser.mismatch(*(f"'{mark}'" for mark in _COMPARISONS))
    parser.advance()
    first = parser.token
    expression = parser.within("expression", parse_expression)
    if comparison in ORDERINGS and isinstance(expression, Literal) and type(expression.value) is not int:
        parser.refuse(first, f"'{comparison.value}' compares Integers, {value_type(expression.value).value} found")
    return PropertyTest(tested, comparison, expression)


def _action(section: Section, parser: RuleCursor) -> Action:
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
            argument = parser.within("claimArgument", parse_claim_argument)
            parser.expect(")")
            destination = Destination.INCOMING if section is Section.AUTHORIZATION else Destination(action)
            return Emit(destination, argument)
