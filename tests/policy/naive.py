"""A second reader of the policy language, versions 1.0 and 1.1: slow, straightforward, and independent of `assay.policy`.

It has its own grammar (lark) and tries every tuple of claims. It reads open questions as `assay.policy.readings` says.
"""

from __future__ import annotations

from itertools import product

from lark import Lark, Token, Transformer
from lark.exceptions import LarkError, VisitError

from assay.claims import Claim, ClaimSet, ClaimValue, Issuer

from .naive_grammar import GRAMMAR


class Refused(Exception):  # an outcome, not an error
    """The text is no policy."""


class Failed(Exception):  # an outcome, not an error
    """A run-time error."""


class Denied(Exception):  # an outcome, not an error
    """Not permitted."""


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

    def condition(self, items):
        name = str(items[0]) if isinstance(items[0], Token) else None
        return (name, [item for item in items if not isinstance(item, Token)])

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
            if parts["value"][0] == "literal" and _kind(parts["value"][1]) != stated[1]:
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
        bound = {name for name, _ in conditions}
        used = [right[1] for _, tests in conditions for _, _, right in tests if right[0] == "reference"]
        if len(action) == 2 and action[1][0] == "copied":
            used.append(action[1][1])
        if len(action) == 2 and action[1][0] == "made":
            used += [right[1] for right in action[1][1].values() if right[0] == "reference"]
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
        if sections["version"] not in ("1.0", "1.1"):
            raise Refused("version")
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


def _kind(value):
    return {str: "String", int: "Integer", bool: "Boolean"}[type(value)]


def _field(claim, name):
    match name:
        case "type":
            return claim.type
        case "value":
            return claim.value
        case "valueType":
            return _kind(claim.value)
        case "issuer":
            return claim.issuer.value


def _compare(left, comparison, right):
    same = type(left) is type(right) and left == right
    if comparison == "==":
        return same
    if comparison == "!=":
        return not same
    if type(left) is not int or type(right) is not int:
        return False
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[comparison]


def _meaning(conditions, identifier, position):
    """Which condition an identifier means in the condition at `position`, or in the action (`position` None)."""
    binding = [index for index, (name, _) in enumerate(conditions) if name == identifier]
    earlier = [index for index in binding if position is not None and index < position]
    return earlier[-1] if earlier else binding[-1]


def _is_satisfied(conditions, chosen):
    for position, (_, tests) in enumerate(conditions):
        for left, comparison, right in tests:
            if right[0] == "literal":
                value = right[1]
            else:
                value = _field(chosen[_meaning(conditions, right[1], position)], right[2])
            if not _compare(_field(chosen[position], left), comparison, value):
                return False
    return True


def _match(conditions, incoming):
    tuples = [chosen for chosen in product(incoming, repeat=len(conditions)) if _is_satisfied(conditions, chosen)]
    if not tuples:
        return None
    return [
        [claim for claim in incoming if any(chosen[i] == claim for chosen in tuples)] for i in range(len(conditions))
    ]


def _distinct(values):
    result: list[ClaimValue] = []
    for value in values:
        if not any(type(value) is type(known) and value == known for known in result):
            result.append(value)
    return result


def _make(conditions, matched, argument):
    if argument[0] == "copied":
        return matched[_meaning(conditions, argument[1], None)]
    parts = argument[1]
    driver = parts["value"][1] if parts["value"][0] == "reference" else None
    rows = [None] if driver is None else matched[_meaning(conditions, driver, None)]
    made = []
    for row in rows:
        values = {}
        for name, expression in parts.items():
            if expression[0] == "literal":
                values[name] = expression[1]
            elif expression[1] == driver:
                values[name] = _field(row, expression[2])
            else:
                found = _distinct(_field(c, expression[2]) for c in matched[_meaning(conditions, expression[1], None)])
                if len(found) != 1:
                    raise Failed("not one value")
                values[name] = found[0]
        if not isinstance(values["type"], str) or values.get("valueType", _kind(values["value"])) != _kind(
            values["value"]
        ):
            raise Failed("type or valueType")
        made.append(Claim(values["type"], values["value"], Issuer.POLICY))
    return made


def _add(target, claim):
    if not any(claim == known for known in target):
        target.append(claim)


def evaluate(sections, claims: ClaimSet):
    """The issued and the property claims, as lists; raises `Denied` or `Failed`."""
    incoming, permitted = list(claims), False
    issued: list[Claim] = []
    properties: list[Claim] = []
    for section in ("configuration", "authorization", "issuance"):
        if section == "issuance" and not permitted:
            raise Denied
        for conditions, action in sections.get(section, []):
            matched = _match(conditions, incoming)
            if matched is None:
                continue
            if action[0] == "deny":
                raise Denied
            if action[0] == "permit":
                permitted = True
                continue
            for claim in _make(conditions, matched, action[1]):
                _add(incoming, claim)
                if action[0] == "issue" and section != "authorization":
                    _add(issued, claim)
                if action[0] == "issueproperty":
                    _add(properties, claim)
    return issued, properties
