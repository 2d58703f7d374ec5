"""The grammar of expressions (policy-language section 3): one function for each rule, the rule in its docstring."""

from __future__ import annotations

from typing import Final

from assay import limits
from assay.policy import tokens
from assay.policy.rule_cursor import RuleCursor
from assay.policy.syntax import FUNCTION_ARGUMENTS, Call, Expression, Function, Literal, Property, Reference
from assay.policy.tokens import INTEGER, NAME, STRING, Token

PROPERTIES: Final = {claim_property.value: claim_property for claim_property in Property}
_BOOLEANS: Final = {"true": True, "false": False}
_FUNCTIONS: Final = {function.value: function for function in Function}
_INTEGERS: Final = range(-(2**63), 2**63)
_INTEGER_DIGITS: Final = 19


def parse_property(parser: RuleCursor) -> Property:
    """`property = "type" | "value" | "valueType" | "issuer" ;`"""
    return PROPERTIES[parser.expect_name(PROPERTIES).text]


def parse_expression(parser: RuleCursor) -> Expression:
    """`expression = string | integer | boolean | identifier , "." , property | functionCall ;`"""
    if parser.token.kind == STRING:
        return Literal(tokens.string_value(parser.advance()))
    if parser.token.kind == INTEGER:
        return _integer(parser)
    if parser.token.kind != NAME:
        parser.mismatch(STRING, INTEGER, "boolean", NAME)
    word = parser.advance()
    if parser.token.kind == "(":
        return _function_call(parser, word)
    if word.text in _BOOLEANS and parser.token.kind != ".":
        return Literal(_BOOLEANS[word.text])
    parser.expect(".")
    parser.references.append(word)
    return Reference(word.text, parse_property(parser))


def _integer(parser: RuleCursor) -> Literal:
    word = parser.token
    digits = word.text.lstrip("-").lstrip("0")
    # Digits are counted first: Python refuses to convert thousands of them.
    magnitude = int(digits or "0") if len(digits) <= _INTEGER_DIGITS else _INTEGERS.stop + 1
    number = -magnitude if word.text.startswith("-") else magnitude
    if number not in _INTEGERS:
        parser.refuse(word, f"'{word.shown}' is not a 64-bit signed integer")
    parser.advance()
    return Literal(number)


def _function_call(parser: RuleCursor, name: Token) -> Call:
    """`functionCall = functionName , "(" , [ expression , { "," , expression } ] , ")" ;` and who is called is known"""
    if not parser.has_functions:
        parser.refuse(name, f"a function call ('{name.shown}') needs version 1.2")
    function = _FUNCTIONS.get(name.text)
    if function is None:
        parser.refuse(name, f"'{name.shown}' is no function; the functions are {', '.join(_FUNCTIONS)}")
    if parser.calls == limits.POLICY_NESTING:
        parser.refuse(name, f"function calls nested deeper than {limits.POLICY_NESTING}")
    parser.calls += 1
    arguments = parser.within("functionCall", _arguments)
    parser.calls -= 1
    takes = FUNCTION_ARGUMENTS[function]
    if len(arguments) != takes:
        parser.refuse(name, f"'{name.text}' takes {takes} argument{'s'[: takes - 1]}, {len(arguments)} found")
    return Call(function, arguments)


def _arguments(parser: RuleCursor) -> tuple[Expression, ...]:
    parser.expect("(")
    arguments: list[Expression] = []
    if parser.token.kind != ")":
        arguments.append(parser.within("expression", parse_expression))
        while parser.accept(","):
            arguments.append(parser.within("expression", parse_expression))
        parser.expect_any(",", ")")
    parser.advance()
    return tuple(arguments)
