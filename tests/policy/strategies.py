"""Random policies and claims over a small vocabulary, so that conditions often hold and claims often collide."""

from __future__ import annotations

from hypothesis import strategies as st

from assay.claims import Claim, ClaimSet, Issuer

TYPES = ("a", "b", "c")
STRINGS = st.sampled_from(("a", "b", "x", "1", "true", "String", "Integer", "CustomClaim", "AttestationPolicy"))
VALUES = st.one_of(STRINGS, st.sampled_from((0, 1, 2, -1)), st.booleans())
PROPERTIES = st.sampled_from(("type", "value", "value", "value", "valueType", "issuer"))
COMPARISONS = st.sampled_from(("==", "==", "!=", "<", "<=", ">", ">="))
IDENTIFIERS = ("c", "d", "c1")
GAPS = st.sampled_from(("", "", " ", "\n", "\r\n\t", " // c\n"))

claim_sets = st.builds(
    ClaimSet, st.lists(st.builds(Claim, st.sampled_from(TYPES), VALUES, st.sampled_from(Issuer)), max_size=6)
)


def literal(value):
    if isinstance(value, str):
        return f'"{value}"'
    return str(value).lower()


def _reference(draw, identifiers):
    return [draw(st.sampled_from(identifiers)), ".", draw(PROPERTIES)]


def _expression(draw, identifiers):
    if identifiers and draw(st.booleans()):
        return _reference(draw, identifiers)
    return [literal(draw(VALUES))]


def _test(draw, identifiers):
    kind = draw(st.integers(0, 39))
    if kind < 18:
        return ["type", "==", literal(draw(st.sampled_from(TYPES)))]
    comparison = draw(COMPARISONS)
    if comparison[0] in "<>" and kind < 39:
        right = [literal(draw(st.integers(-1, 2)))]
    else:
        right = _expression(draw, identifiers)
    return [draw(PROPERTIES), comparison, *right]


def _condition(draw, name, identifiers):
    tokens = [name, ":", "["] if name else ["["]
    for index in range(draw(st.integers(1, 3))):
        tokens += ([","] if index else []) + _test(draw, identifiers)
    return [*tokens, "]"]


def _claim(draw, bound):
    if bound and draw(st.integers(0, 3)) == 0:
        return ["claim", "=", draw(st.sampled_from(bound))]
    name = (
        _reference(draw, bound) if bound and draw(st.integers(0, 3)) == 0 else [literal(draw(st.sampled_from(TYPES)))]
    )
    tokens = ["type", "=", *name, ",", "value", "=", *_expression(draw, bound)]
    if draw(st.integers(0, 9)) == 0:
        stated = [draw(st.sampled_from(bound)), ".", "valueType"] if bound else ['"String"']
        tokens += [",", "valueType", "=", *stated]
    return tokens


def _rule(draw, actions):
    names = [draw(st.sampled_from((None, *IDENTIFIERS))) for _ in range(draw(st.integers(0, 3)))]
    bound = [name for name in names if name]
    tokens = []
    for index, name in enumerate(names):
        usable = bound if draw(st.integers(0, 60)) else list(IDENTIFIERS)
        tokens += (["&&"] if index else []) + _condition(draw, name, usable)
    action = draw(st.sampled_from(actions))
    argument = [] if action in ("permit", "deny") else _claim(draw, bound)
    return [*tokens, "=>", action, "(", *argument, ")", ";"]


def _section(draw, keyword, actions, most):
    tokens = [keyword, "{"]
    for _ in range(draw(st.integers(0, most))):
        tokens += _rule(draw, actions)
    return [*tokens, "}", ";"]


@st.composite
def policy_tokens(draw):
    """The words of a policy; nearly all of them parse."""
    version = draw(st.sampled_from(("1.0", "1.1", "1.1")))
    tokens = ["version", "=", version, ";"]
    if version == "1.1" and draw(st.booleans()):
        tokens += _section(draw, "configurationrules", ("issueproperty",), 2)
    authorization = _section(draw, "authorizationrules", ("permit", "permit", "deny", "add", "add", "issue"), 4)
    if draw(st.integers(0, 3)):
        authorization[-2:-2] = ["=>", "permit", "(", ")", ";"]
    tokens += authorization
    if draw(st.integers(0, 3)):
        tokens += _section(draw, "Issuancerules", ("add", "issue", "issue", "issueproperty"), 5)
    return tokens


@st.composite
def policy_texts(draw):
    """A policy text with random gaps between its words."""
    gap = draw(st.sampled_from(("", " ", "\n", "\r\n\t", " // c\n", "\f")))
    return gap.join(draw(policy_tokens()))


@st.composite
def broken_texts(draw):
    """A policy text in which one to three words were dropped, doubled, exchanged or replaced."""
    tokens = draw(policy_tokens())
    for _ in range(draw(st.integers(1, 3))):
        index = draw(st.integers(0, len(tokens) - 1))
        other = draw(st.integers(0, len(tokens) - 1))
        match draw(st.integers(0, 3)):
            case 0:
                del tokens[index]
            case 1:
                tokens.insert(index, tokens[index])
            case 2:
                tokens[index], tokens[other] = tokens[other], tokens[index]
            case 3:
                tokens[index] = draw(st.sampled_from(("=", "!", "[", "issue", "9223372036854775808", "1.2", '"', "/*")))
        if not tokens:
            return ""
    return " ".join(tokens)
