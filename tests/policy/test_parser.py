"""What parses, what does not, and where the refusal points."""

from __future__ import annotations

import pytest

from assay.errors import PolicyParsingError
from assay.policy import compile_policy
from assay.policy.tokens import Lines, Token, string_value


def refusal(text):
    with pytest.raises(PolicyParsingError) as caught:
        compile_policy(text)
    return caught.value


def in_authorization(rule, version="1.0"):
    return f"version={version};authorizationrules{{{rule}}};"


def in_issuance(rule):
    return f"version=1.1;authorizationrules{{}};issuancerules{{{rule}}};"


def test_the_documented_refusal_is_reproduced_word_by_word():
    error = refusal("version= 1.0\n [")
    assert error.message == (
        "Policy Parser Exception Thrown: Offending symbol: '['\n"
        "Line: '2', Column: '1'\n"
        "Failure message: 'mismatched input '[' expecting ';''\n"
        "Failing rule: 'policy > versionInfo'"
    )


RULE = "policy > authorizationRules > authorizationRule"
TEST = f"{RULE} > conditions > condition > propertyTest"
PLACES = [
    ("", "<EOF>", 1, 0, "mismatched input '<EOF>' expecting 'version'", "policy > versionInfo"),
    ("\n\nauthorizationrules{};", "authorizationrules", 3, 0, "mismatched input 'authorizationrules' expecting 'version'", "policy > versionInfo"),
    ("version 1.0;", "1.0", 1, 8, "mismatched input '1.0' expecting '='", "policy > versionInfo"),
    ("version=1.3;", "1.3", 1, 8, "mismatched input '1.3' expecting {'1.0', '1.1', '1.2'}", "policy > versionInfo"),
    ("version=1;", "1", 1, 8, "mismatched input '1' expecting {'1.0', '1.1', '1.2'}", "policy > versionInfo"),
    ("version=1.2;", "<EOF>", 1, 12, "mismatched input '<EOF>' expecting 'authorizationrules'", "policy > authorizationRules"),
    ("version=1.0;", "<EOF>", 1, 12, "mismatched input '<EOF>' expecting 'authorizationrules'", "policy > authorizationRules"),
    ("version=1.0;\r\n  configurationrules{};", "configurationrules", 2, 2, "'configurationrules' needs version 1.1", "policy"),
    ("version=1.0;issuancerules{};authorizationrules{};", "issuancerules", 1, 12, "mismatched input 'issuancerules' expecting 'authorizationrules'", "policy > authorizationRules"),
    ("version=1.0;authorizationrules{};authorizationrules{};", "authorizationrules", 1, 33, "mismatched input 'authorizationrules' expecting <EOF>", "policy"),
    ("version=1.0;authorizationrules{}", "<EOF>", 1, 32, "mismatched input '<EOF>' expecting ';'", "policy > authorizationRules"),
    ("version=1.0;authizationrules{};", "authizationrules", 1, 12, "mismatched input 'authizationrules' expecting 'authorizationrules'", "policy > authorizationRules"),
    ("version=1.0;authorizationrules{\n=>permit()};", "}", 2, 10, "mismatched input '}' expecting ';'", RULE),
    ('version=1.0;authorizationrules{\n=>issueproperty(type="a",value=1);};', "issueproperty", 2, 2, "mismatched input 'issueproperty' expecting {'permit', 'deny', 'add', 'issue'}", RULE),
    ("version=1.0;authorizationrules{\n=>Permit();};", "Permit", 2, 2, "mismatched input 'Permit' expecting {'permit', 'deny', 'add', 'issue'}", RULE),
    ('version=1.0;authorizationrules{\n[type="a"]=>permit();};', "=", 2, 5, "mismatched input '=' expecting {'==', '!=', '<', '<=', '>', '>='}", TEST),
    ("version=1.0;authorizationrules{\n[]=>permit();};", "]", 2, 1, "mismatched input ']' expecting {'type', 'value', 'valueType', 'issuer'}", TEST),
    ("version=1.0;authorizationrules{\n[type==”a”]=>permit();};", "”", 2, 7, "token recognition error at: '”'", f"{TEST} > expression"),
    ("version=1.0;authorizationrules{/* */=>permit();};", "/*", 1, 31, "token recognition error at: '/*'", "policy > authorizationRules"),
    ('version=1.0;authorizationrules{\n[type=="a]=>permit();};', '"', 2, 7, "token recognition error at: '\"'", f"{TEST} > expression"),
    ('version=1.0;authorizationrules{\n[value<"1"]=>permit();};', '"1"', 2, 7, "'<' compares Integers, String found", TEST),
    ("version=1.0;authorizationrules{\n[value>=true]=>permit();};", "true", 2, 8, "'>=' compares Integers, Boolean found", TEST),
    ('version=1.0;authorizationrules{\n![type=="a"]=>permit();};', "!", 2, 0, "a negated condition needs version 1.2", f"{RULE} > conditions > condition"),
    ('version=1.0;authorizationrules{\n[value==JmesPath("{}","a")]=>permit();};', "JmesPath", 2, 8, "a function call ('JmesPath') needs version 1.2", f"{TEST} > expression"),
    ("version=1.0;authorizationrules{\n[value==c.value]=>permit();};", "c", 2, 8, "no condition of the rule binds 'c'", RULE),
    ("version=1.0;authorizationrules{\n[value==9223372036854775808]=>permit();};", "9223372036854775808", 2, 8, "'9223372036854775808' is not a 64-bit signed integer", f"{TEST} > expression"),
    ("version=1.0;authorizationrules{\n=>add(claim=c);};", "c", 2, 12, "no condition of the rule binds 'c'", RULE),
    ("version=1.0;authorizationrules{};issuancerules{=>permit();};", "permit", 1, 49, "mismatched input 'permit' expecting {'add', 'issue', 'issueproperty'}", "policy > issuanceRules > issuanceRule"),
    ('version=1.1;configurationrules{=>add(type="a",value=1);};', "add", 1, 33, "mismatched input 'add' expecting 'issueproperty'", "policy > configurationRules > configurationRule"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [(text, expected) for text, *expected in PLACES])
def test_a_refusal_names_symbol_line_column_failure_and_rule(text, expected):
    error = refusal(text)
    assert [error.symbol, error.line, error.column, error.failure, error.rule] == expected


@pytest.mark.parametrize(
    ("rule", "failure"),
    [
        ("=>issue(value=1);", "the claim has no 'type='"),
        ('=>issue(type="a");', "the claim has no 'value='"),
        ('=>issue(type="a",value=1,type="b");', "'type=' is assigned twice"),
        ('=>issue(type="a",value=1,issuer="AttestationService");', "'issuer=' cannot be assigned"),
        ("=>issue(type=5,value=1);", "'type=' needs a String, Integer found"),
        ('=>issue(type="a",value=1,valueType="String");', "does not agree with the value"),
        ('=>issue(type="a",value=1,valueType="Float");', "'valueType=' is one of Boolean, Integer, String"),
        ('=>issue("a",value=1);', "expecting {'claim', 'type', 'value', 'valueType', 'issuer'}"),
        ('=>issue(type="a",claim=c);', "expecting {'type', 'value', 'valueType', 'issuer'}"),
        ('=>issue(type="a" value=1);', "expecting {',', ')'}"),
        ('=>issue(type=="a",value=1);', "mismatched input '==' expecting '='"),
        ('=>issue(type="a",value=1.0);', "mismatched input '1.0' expecting {string, integer, boolean, identifier}"),
        ("=>issue(type='a',value=1);", "token recognition error at: '''"),
        ('=>issue(type="a",value=True);', "mismatched input ')' expecting '.'"),
        ('[type=="a"] && => issue(type="a",value=1);', "mismatched input '=>' expecting {'[', identifier}"),
        ('[type=="a"] & [type=="b"] => issue(type="a",value=1);', "token recognition error at: '&'"),
        ('c[type=="a"] => issue(type="a",value=1);', "mismatched input '[' expecting ':'"),
        ('[type=="a";] => issue(type="a",value=1);', "mismatched input ';' expecting {',', ']'}"),
        ('[Type=="a"] => issue(type="a",value=1);', "mismatched input 'Type' expecting"),
        ('c:[type=="a"] => issue(type="a",value=c.Value);', "mismatched input 'Value' expecting"),
    ],
)  # fmt: skip
def test_a_rule_that_the_grammar_forbids_is_refused_with_a_reason(rule, failure):
    assert failure in refusal(in_issuance(rule)).failure


def test_columns_count_code_points_and_a_byte_order_mark_takes_none():
    assert refusal("\ufeffversion 1.0;").column == 8
    assert refusal("\ufeffversion=1.0;\nx").column == 0
    assert refusal('version=1.0;authorizationrules{[type=="😀é"]x').column == 43


def test_a_lone_surrogate_is_refused_where_it_stands():
    error = refusal("version=1.0;\n//\ud800")
    assert (error.symbol, error.line, error.column) == ("\\ud800", 2, 2)


def test_a_long_or_broken_symbol_is_shown_short_and_on_one_line():
    error = refusal('"' + "x\n\t" * 1000 + '"')
    assert error.symbol.startswith('"x\\n\\tx')
    assert len(error.message) < 500


@pytest.mark.parametrize("gap", [" ", "\t", "\r", "\n", "\r\n", "\f", " // note => deny(); \n", "//\r\n"])
def test_white_space_and_comments_stand_between_any_two_words(gap):
    words = ["", "Version", "=", "1.1", ";", "CONFIGURATIONRULES", "{", "}", ";", "AuthorizationRules", "{", "c", ":",
             "[", "type", "==", '"a"', "]", "=>", "permit", "(", ")", ";", "}", ";", ""]  # fmt: skip
    assert compile_policy(gap.join(words)).version == "1.1"


@pytest.mark.parametrize("gap", ["\v", "\u00a0", "\u2028", "\0", "\x85", "/"])
def test_other_white_space_is_refused(gap):
    assert refusal(f"version{gap}=1.0;authorizationrules{{}};").failure.startswith("token recognition error")


@pytest.mark.parametrize(
    ("source", "value"),
    [
        (r'"a"', "a"),
        (r'""', ""),
        (r'"\""', '"'),
        (r'"\\"', "\\"),
        (r'"\\\""', '\\"'),
        (r'"\n\u0041"', r"\n\u0041"),
        (r'"\\n"', r"\n"),
        ('"a\r\nb"', "a\r\nb"),
        ('"\\\n"', "\\\n"),
        ('"// no comment"', "// no comment"),
    ],
)
def test_a_string_has_two_escapes_and_keeps_everything_else(source, value):
    assert string_value(Token("string", source, 0)) == value
    assert compile_policy(in_authorization(f"[value=={source}]=>permit();"))


@pytest.mark.parametrize("number", ["9223372036854775807", "-9223372036854775808", "-0", "0" * 5000 + "7"])
def test_a_64_bit_integer_is_accepted_however_it_is_written(number):
    assert compile_policy(in_authorization(f"[value=={number}]=>permit();"))


@pytest.mark.parametrize("number", ["9223372036854775808", "-9223372036854775809", "9" * 10_000, "- 5", "0x1", "5_0"])
def test_a_number_that_is_no_64_bit_integer_is_refused(number):
    refusal(in_authorization(f"[value=={number}]=>permit();"))


def test_no_word_is_reserved_as_an_identifier():
    rule = 'value:[type=="a"] && true:[value==value.value] => add(type="b", value=true.value);'
    assert compile_policy(in_authorization(rule))


def test_a_text_is_compiled_once():
    text = in_authorization("=>permit();")
    assert compile_policy(text) is compile_policy(text)


def test_an_offset_is_found_in_lines_that_end_at_line_feeds():
    lines = Lines("ab\r\nc\rd\n")
    assert [lines.place(offset) for offset in (0, 2, 3, 4, 6, 8)] == [(1, 0), (1, 2), (1, 3), (2, 0), (2, 2), (3, 0)]
