"""The formatter: text to text, nothing lost, nothing left to do the second time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from assay.errors import PolicyParsingError
from assay.policy.layout import format_policy
from assay.policy.parser import parse_policy
from assay.policy.readings import DEFAULT
from tests.examples import examples
from tests.shared_vectors import SHARED, shared_path

from .strategies import policy_texts, policy_tokens

many = settings(
    max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
GAPS = (
    "",
    " ",
    "\n",
    "\n\n\n",
    "\t",
    "\r\n",
    " // c\n",
    "\n// c //d \r\n",
    "// c\n\n\n",
    "\f",
    "//\n",
    " // \u00e9 \r",
)
CORPUS = sorted(path.name for path in (SHARED / "spec/policies").glob("*.policy"))


@st.composite
def spread_texts(draw):
    """The words of a policy, any gap before each."""
    words = draw(policy_tokens(draw(st.sampled_from((("1.0", "1.1"), ("1.2",))))))
    gaps = st.sampled_from(GAPS)
    # Two words that would become one stay apart.
    text = "".join(word + (draw(gaps) or " ") for word in words)
    return (
        draw(st.sampled_from(("", "\ufeff", "// top\n", "\n\n// top\n\n")))
        + text
        + draw(st.sampled_from(("", "// end")))
    )


def tree(text):
    """The syntax tree without the places and the spelling that it remembers."""
    syntax = parse_policy(text, DEFAULT)

    def bare(rules):
        return tuple(
            replace(rule, line=0, source="", conditions=tuple(replace(one, source="") for one in rule.conditions))
            for rule in rules
        )

    return syntax.version, bare(syntax.configuration), bare(syntax.authorization), bare(syntax.issuance)


def comments(text):
    """Comments outside strings, found letter by letter."""
    found, position = [], 0
    while position < len(text):
        if text[position] == '"':
            position += 1
            while text[position] != '"':
                position += 2 if text[position] == "\\" else 1
        elif text.startswith("//", position):
            end = min([text.find(mark, position) for mark in "\r\n" if mark in text[position:]], default=len(text))
            found.append(text[position:end].rstrip())
            position = end
        position += 1
    return found


def check(text):
    try:
        expected = tree(text)
    except PolicyParsingError:
        assume(False)
    formatted = format_policy(text)
    assert tree(formatted) == expected
    assert format_policy(formatted) == formatted
    assert comments(formatted) == comments(text)
    assert formatted.endswith("\n")
    assert "\n\n\n" not in formatted


@many
@given(spread_texts())
def test_a_random_policy_keeps_its_tree_and_comments_and_is_formatted_once_for_all(text):
    check(text)


@many
@given(st.one_of(policy_texts(), policy_texts(("1.2",))))
def test_a_policy_with_regular_gaps_does_too(text):
    check(text)


@pytest.mark.parametrize("name", CORPUS)
def test_a_policy_of_the_corpus_does_too(name):
    text = shared_path(f"spec/policies/{name}").read_bytes().decode("utf-8")
    try:
        tree(text)
    except PolicyParsingError:
        with pytest.raises(PolicyParsingError):
            format_policy(text)
        return
    check(text)


def test_the_layout_is_this():
    text = (
        "// top\nVersion = 1.2 ;authorizationRules{ // all of it\n\n\n"
        'c : [ type == "a" , value == true ] => deny ( ) ; // no\n// next\n'
        '![type=="b"]&&[type=="x", value=="'
        + "0" * 90
        + '"]=>permit();\n\n\n=>add(type="a",value=NegateBool(true));};issuancerules{c:[type=="a"]/**/'.replace(
            "/**/", " // why\n"
        )
        + "=>issue(claim=c);};"
    )
    assert format_policy(text) == (
        "// top\n"
        "version=1.2;\n"
        "\n"
        "authorizationrules\n"
        "{  // all of it\n"
        '    c:[type=="a", value==true] => deny();  // no\n'
        "    // next\n"
        '    ![type=="b"]\n'
        '        && [type=="x", value=="' + "0" * 90 + '"]\n'
        "        => permit();\n"
        "\n"
        '    => add(type="a", value=NegateBool(true));\n'
        "};\n"
        "\n"
        "issuancerules\n"
        "{\n"
        '    c:[type=="a"]  // why\n'
        "        => issue(claim=c);\n"
        "};\n"
    )


def test_strings_are_kept_as_they_are_written():
    text = 'version=1.0;authorizationrules{[type=="a // no comment", value=="x\r\n  y\\"\\\\ \t"]=>permit();};'
    assert '"x\r\n  y\\"\\\\ \t"' in format_policy(text)


def test_a_text_that_does_not_parse_is_not_touched():
    with pytest.raises(PolicyParsingError):
        format_policy("version=1.0;authorizationrules{=> permit()};")
