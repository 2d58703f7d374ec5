"""Random policies and claims over a small vocabulary, so that conditions often hold and claims often collide."""

from __future__ import annotations

from hypothesis import strategies as st

from assay.claims import Claim, ClaimSet, Issuer

TYPES = ("a", "b", "c", "pcrs")
STRINGS = st.sampled_from(("a", "b", "x", "1", "true", "String", "Integer", "CustomClaim", "AttestationPolicy"))
JSON_TEXTS = st.sampled_from(
    ("null", "[]", "1", '"x"', "true", "[1,2]", '[1,"a",true,1]', '{"a":1}', '{"a":"b"}', '{"a":[{"b":1},{"b":"x"}]}')
)
ODD_TEXTS = st.sampled_from(("", "{", "1.5", "[[1]]", '[{"a":1}]', "18446744073709551616", "a\\b"))
QUERIES = st.sampled_from(
    (
        "a",
        "@",
        "[0]",
        "a[*].b",
        "a[?b == `1`]",
        "a[0].b == 'x'",
        "length(@)",
        "a == 'b'",
        "b",
        "equals_ignore_case(a, 'B')",
    )
)
ODD_QUERIES = st.sampled_from(("", "a ==", "nothing(@)", "a == 1"))
SIMPLE_VALUES = st.one_of(STRINGS, st.sampled_from((0, 1, 2, -1)), st.booleans())
VALUES = st.one_of(SIMPLE_VALUES, SIMPLE_VALUES, JSON_TEXTS)
PROPERTIES = st.sampled_from(("type", "value", "value", "value", "valueType", "issuer"))
COMPARISONS = st.sampled_from(("==", "==", "!=", "<", "<=", ">", ">="))
IDENTIFIERS = ("c", "d", "c1")
GAPS = st.sampled_from(("", "", " ", "\n", "\r\n\t", " // c\n"))

claim_sets = st.builds(
    ClaimSet, st.lists(st.builds(Claim, st.sampled_from(TYPES), VALUES, st.sampled_from(Issuer)), max_size=6)
)


def literal(value):
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value).lower()


def _reference(draw, identifiers):
    return [draw(st.sampled_from(identifiers)), ".", draw(PROPERTIES)]


def _one_in(draw, count):
    return draw(st.integers(1, count)) == 1


def _listed(name, *arguments):
    """The words of a call."""
    words = [name, "("]
    for index, argument in enumerate(arguments):
        words += ([","] if index else []) + argument
    return [*words, ")"]


def _text(draw, identifiers, texts, odd, depth):
    """Mostly a String of some sort, else anything."""
    kind = draw(st.integers(0, 11))
    if kind < 5 and identifiers:
        return [draw(st.sampled_from(identifiers)), ".", "value"]
    if kind < 7 and depth:
        return _call(draw, identifiers, depth - 1, draw(st.sampled_from(("JmesPath", "AppendString"))))
    if kind == 11:
        return [literal(draw(odd))]
    return [literal(draw(texts))]


def _call(draw, identifiers, depth=2, name=None):
    names = ("JmesPath", "JsonToClaimValue", "IsSubsetOf", "AppendString", "NegateBool", "ContainsOnlyValue")
    name = name or draw(st.sampled_from((*names, "JsonToClaimValue")))
    inner = max(depth - 1, 0)
    match name:
        case "JmesPath":
            query = _text(draw, (), QUERIES, ODD_QUERIES, 0)
            return _listed(name, _text(draw, identifiers, JSON_TEXTS, ODD_TEXTS, depth), query)
        case "JsonToClaimValue":
            return _listed(name, _text(draw, identifiers, JSON_TEXTS, ODD_TEXTS, depth))
        case "AppendString":
            return _listed(name, *(_text(draw, identifiers, STRINGS, VALUES, depth) for _ in range(2)))
        case "NegateBool":
            if depth and draw(st.booleans()):
                return _listed(name, _call(draw, identifiers, inner, draw(st.sampled_from(names[2:]))))
            return _listed(
                name, [literal(draw(st.booleans()))] if draw(st.integers(0, 3)) else _expression(draw, identifiers)
            )
        case _:
            sets = [_expression(draw, identifiers, inner) for _ in range(2)]
            return _listed(name, *sets)


def _expression(draw, identifiers, calls=0):
    """`calls` is how deep calls may nest; none before version 1.2."""
    if calls and _one_in(draw, 3):
        return _call(draw, identifiers, calls)
    if identifiers and draw(st.booleans()):
        return _reference(draw, identifiers)
    return [literal(draw(VALUES))]


def _test(draw, identifiers, calls):
    kind = draw(st.integers(0, 39))
    if kind < 18:
        return ["type", "==", literal(draw(st.sampled_from(TYPES)))]
    comparison = draw(COMPARISONS)
    if comparison[0] in "<>" and kind < 39:
        right = [literal(draw(st.integers(-1, 2)))]
    else:
        right = _expression(draw, identifiers, calls)
    return [draw(PROPERTIES), comparison, *right]


def _condition(draw, name, identifiers, calls, negated):
    tokens = ["!"] * negated + ([name, ":", "["] if name else ["["])
    for index in range(draw(st.integers(1, 3))):
        tokens += ([","] if index else []) + _test(draw, identifiers, calls)
    return [*tokens, "]"]


def _claim(draw, bound, calls):
    if bound and draw(st.integers(0, 3)) == 0:
        return ["claim", "=", draw(st.sampled_from(bound))]
    name = (
        _reference(draw, bound) if bound and draw(st.integers(0, 3)) == 0 else [literal(draw(st.sampled_from(TYPES)))]
    )
    if calls and _one_in(draw, 8):
        name = _call(draw, bound, 1, "AppendString")
    tokens = ["type", "=", *name, ",", "value", "=", *_expression(draw, bound, calls)]
    if draw(st.integers(0, 9)) == 0:
        stated = [draw(st.sampled_from(bound)), ".", "valueType"] if bound else ['"String"']
        tokens += [",", "valueType", "=", *stated]
    return tokens


def _rule(draw, actions, calls):
    names = [draw(st.sampled_from((None, *IDENTIFIERS))) for _ in range(draw(st.integers(0, 3)))]
    negated = [bool(calls) and _one_in(draw, 3) for _ in names]
    bound = [name for name, is_negated in zip(names, negated, strict=True) if name and not is_negated]
    tokens = []
    for index, name in enumerate(names):
        usable = bound if draw(st.integers(0, 60)) else list(IDENTIFIERS)
        shown = None if negated[index] and draw(st.integers(0, 9)) else name
        tokens += (["&&"] if index else []) + _condition(draw, shown, usable, calls, negated[index])
    action = draw(st.sampled_from(actions))
    argument = [] if action in ("permit", "deny") else _claim(draw, bound, calls)
    return [*tokens, "=>", action, "(", *argument, ")", ";"]


def _section(draw, keyword, actions, most, calls):
    tokens = [keyword, "{"]
    for _ in range(draw(st.integers(0, most))):
        tokens += _rule(draw, actions, calls)
    return [*tokens, "}", ";"]


@st.composite
def policy_tokens(draw, versions=("1.0", "1.1", "1.2", "1.2")):
    """The words of a policy; nearly all of them parse."""
    version = draw(st.sampled_from(versions))
    # Now and then what version 1.2 brought stands in an earlier one.
    calls = 2 if version == "1.2" or _one_in(draw, 40) else 0
    tokens = ["version", "=", version, ";"]
    if version != "1.0" and draw(st.booleans()):
        tokens += _section(draw, "configurationrules", ("issueproperty",), 2, calls)
    authorization = _section(draw, "authorizationrules", ("permit", "permit", "deny", "add", "add", "issue"), 4, calls)
    if draw(st.integers(0, 3)):
        authorization[-2:-2] = ["=>", "permit", "(", ")", ";"]
    tokens += authorization
    if draw(st.integers(0, 3)):
        tokens += _section(draw, "Issuancerules", ("add", "issue", "issue", "issueproperty"), 5, calls)
    return tokens


_SETS = (
    "a.value",
    "b.value",
    'JsonToClaimValue("[1,2,\\"x\\"]")',
    'JsonToClaimValue("[true,1]")',
    "1",
    '"x"',
    "a.type",
)
_COMPUTED = (
    *("IsSubsetOf({}, {})", "ContainsOnlyValue({}, 1)", "NegateBool(IsSubsetOf({}, {}))", "{}", "{}"),
    *("AppendString(a.type, b.issuer)", 'AppendString(b.type, "")', 'JsonToClaimValue("[]")'),
)


def _computed(draw):
    sets = st.sampled_from(_SETS)
    return draw(st.sampled_from(_COMPUTED)).format(draw(sets), draw(sets))


joined_claims = st.builds(
    ClaimSet,
    st.lists(
        st.builds(
            Claim,
            st.sampled_from(("a", "a", "b", "b", "pcrs")),
            st.sampled_from((1, 2, True, "x", "a", "b")),
            st.sampled_from(Issuer),
        ),
        min_size=3,
        max_size=7,
    ),
)


@st.composite
def joined_texts(draw):
    """A policy of version 1.2 whose rules are joins and negations over computed values that never fail."""
    rules = []
    types = ("a", draw(st.sampled_from(("b", "pcrs"))))
    for number in range(draw(st.integers(1, 4))):
        conditions = []
        for position in range(draw(st.integers(2, 4))):
            name = {0: "a:", 1: "b:"}.get(position, draw(st.sampled_from(("!", "!", ""))))
            tests = [f'type=="{draw(st.sampled_from(types))}"'] if draw(st.booleans()) else []
            for _ in range(draw(st.integers(0 if tests else 1, 1 + (name == "!")))):
                tests.append(f"{draw(PROPERTIES)}{draw(st.sampled_from(('==', '!=', '!=', '>=')))}{_computed(draw)}")
                if ">=" in tests[-1] and tests[-1].endswith('"'):
                    tests[-1] = "value>=1"
            conditions.append(f"{name}[{','.join(tests)}]")
        made = draw(st.sampled_from(("a.value", "b.value", _computed(draw))))
        action = draw(
            st.sampled_from((f'issue(type="r{number}",value={made})', "issue(claim=a)", f'add(type="a",value={made})'))
        )
        rules.append(f"{'&&'.join(draw(st.permutations(conditions)))}=>{action};")
    return f"version=1.2;authorizationrules{{=>permit();}};issuancerules{{{''.join(rules)}}};"


@st.composite
def policy_texts(draw, versions=("1.0", "1.1", "1.2", "1.2")):
    """A policy text with random gaps between its words."""
    gap = draw(st.sampled_from(("", " ", "\n", "\r\n\t", " // c\n", "\f")))
    return gap.join(draw(policy_tokens(versions)))


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
                tokens[index] = draw(
                    st.sampled_from(
                        ("=", "!", "[", "issue", "9223372036854775808", "1.2", '"', "/*", ")", "NegateBool")
                    )
                )
        if not tokens:
            return ""
    return " ".join(tokens)
