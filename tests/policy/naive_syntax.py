"""The naive reader's syntax: a policy text as nested tuples and lists (policy-language 2, 3)."""

from __future__ import annotations

from lark import Lark, Token, Transformer
from lark.exceptions import LarkError, VisitError

from .naive_grammar import GRAMMAR


class Refused(Exception):  # an outcome, not an error
    """The text is no policy."""


ARGUMENTS = {
    "JmesPath": 2,
    "JsonToClaimValue": 1,
    "IsSubsetOf": 2,
    "AppendString": 2,
    "NegateBool": 1,
    "ContainsOnlyValue": 2,
}


def kind(value):
    """The value type of a value, as the language writes it."""
    return {str: "String", int: "Integer", bool: "Boolean"}[type(value)]


def references(expression):
    """The identifiers of an expression, those in arguments too."""
    match expression:
        case ("reference", name, _):
            return [name]
        case ("call", _, arguments):
            return [name for argument in arguments for name in references(argument)]
    return []


def has_call(rule):
    conditions, action = rule
    expressions = [right for _, _, tests in conditions for _, _, right in tests]
    if len(action) == 2 and action[1][0] == "made":
        expressions += action[1][1].values()
    return any(expression[0] == "call" for expression in expressions)


def _unescape(text):
    result, rest = "", text[1:-1]
    while rest:
        if rest[:2] in ('\\"', "\\\\"):
            result, rest = result + rest[1], rest[2:]
        elif rest[0] == "\\":
            result, rest = result + rest[:2], rest[2:]
        else:
            result, rest = result + rest[0], rest[1:]
    return result


class _Tree(Transformer):
    def string(self, items):
        return ("literal", _unescape(str(items[0])))

    def integer(self, items):
        number = int(items[0])
        if not -9223372036854775808 <= number <= 9223372036854775807:
            raise Refused("integer")
        return ("literal", number)

    def boolean(self, items):
        return ("literal", items[0] == "true")

    def reference(self, items):
        return ("reference", str(items[0]), str(items[1]))

    def test(self, items):
        left, comparison, right = str(items[0]), str(items[1]), items[2]
        if comparison[0] in "<>" and right[0] == "literal" and type(right[1]) is not int:
            raise Refused("order of a literal that is no Integer")
        return (left, comparison, right)

    def call(self, items):
        name, arguments = str(items[0]), items[1:]
        if ARGUMENTS.get(name) != len(arguments):
            raise Refused("function")
        return ("call", name, arguments)

    def condition(self, items):
        words = [str(item) for item in items if isinstance(item, Token)]
        negated = words[:1] == ["!"]
        name = words[-1] if len(words) > negated else None
        return (negated, name, [item for item in items if not isinstance(item, Token)])

    def conditions(self, items):
        return items

    def assignment(self, items):
        return (str(items[0]), items[1])

    def copied(self, items):
        return ("copied", str(items[0]))

    def made(self, items):
        parts = dict(items)
        if len(parts) != len(items) or "issuer" in parts or "type" not in parts or "value" not in parts:
            raise Refused("assignments")
        if parts["type"][0] == "literal" and not isinstance(parts["type"][1], str):
            raise Refused("type")
        stated = parts.get("valueType")
        if stated and stated[0] == "literal":
            if stated[1] not in ("String", "Integer", "Boolean"):
                raise Refused("valueType")
            if parts["value"][0] == "literal" and kind(parts["value"][1]) != stated[1]:
                raise Refused("valueType does not agree")
        return ("made", parts)

    def permit(self, items):
        return ("permit",)

    def deny(self, items):
        return ("deny",)

    def add(self, items):
        return ("add", items[0])

    def issue(self, items):
        return ("issue", items[0])

    def issueproperty(self, items):
        return ("issueproperty", items[0])

    def rule(self, items):
        conditions, action = items
        bound = {name for negated, name, _ in conditions if not negated}
        used = [name for _, _, tests in conditions for _, _, right in tests for name in references(right)]
        if len(action) == 2 and action[1][0] == "copied":
            used.append(action[1][1])
        if len(action) == 2 and action[1][0] == "made":
            used += [name for right in action[1][1].values() for name in references(right)]
        if not set(used) <= bound:
            raise Refused("unbound")
        return (conditions, action)

    def version(self, items):
        return ("version", str(items[1]))

    def configuration(self, items):
        return ("configuration", items[1:])

    def authorization(self, items):
        return ("authorization", items[1:])

    def issuance(self, items):
        return ("issuance", items[1:])

    def start(self, items):
        sections = dict(items)
        if sections["version"] not in ("1.0", "1.1", "1.2"):
            raise Refused("version")
        rules = [rule for name in sections if name != "version" for rule in sections[name]]
        if sections["version"] != "1.2" and any(has_call(rule) or any(one[0] for one in rule[0]) for rule in rules):
            raise Refused("negation and calls under 1.2 only")
        if sections["version"] == "1.0" and "configuration" in sections:
            raise Refused("configurationrules under 1.0")
        return sections


_LARK = Lark(GRAMMAR, parser="lalr", lexer="contextual")


def read(text):
    """The sections of a policy, or `Refused`."""
    try:
        return _Tree().transform(_LARK.parse(text.removeprefix("\ufeff")))
    except VisitError as error:
        raise Refused from error.orig_exc
    except LarkError as error:
        raise Refused from error
