"""What functions of a hostile policy can cost: texts, answers and steps are bounded (policy-language 13)."""

from __future__ import annotations

import json

import pytest

from assay import limits
from assay.errors import PolicyError
from assay.policy.jmespath import compile_query
from assay.policy.json_texts import JsonTexts
from assay.policy.rule_failed import RuleFailed

from .version_1_2 import claim, failure, issued


class Budget:
    def __init__(self):
        self.steps = self.characters = 0

    def spend(self, steps):
        self.steps += steps

    def spend_text(self, characters):
        self.characters += characters


def test_a_text_is_parsed_once_and_a_question_answered_once():
    budget = Budget()
    texts = JsonTexts(budget.spend, budget.spend_text)
    text = json.dumps({"a": list(range(100))})
    value = texts.parse(text, "f")
    assert texts.parse("".join(text), "f") is value
    assert budget.characters == len(text)
    query = compile_query("a[?@ > `50`]")
    answer = texts.search(text, query.text, query)
    asked = budget.steps
    assert asked > 100
    assert texts.search(text, query.text, None) is answer
    assert (budget.steps, budget.characters) == (asked, len(text) + len(answer))


def test_texts_that_were_read_are_forgotten_when_they_are_too_many_together():
    budget = Budget()
    texts = JsonTexts(budget.spend, budget.spend_text)
    large = [json.dumps(str(digit) * (limits.JMESPATH_RESULT // 3)) for digit in range(4)]
    for text in large:
        texts.parse(text, "f")
    spent = budget.characters
    texts.parse(large[3], "f")
    assert budget.characters == spent
    texts.parse(large[0], "f")
    assert budget.characters == spent + len(large[0])


def test_a_text_that_is_no_utf_8_is_no_json():
    texts = JsonTexts(Budget().spend, Budget().spend_text)
    with pytest.raises(RuleFailed, match="JmesPath: the text is not JSON"):
        texts.parse('"\ud800"', "JmesPath")


def test_a_text_that_grows_from_rule_to_rule_stops_at_the_bound():
    doubling = "".join(
        f'c:[type=="t{index}"]=>add(type="t{index + 1}",value=AppendString(c.value,c.value));' for index in range(40)
    )
    message = failure(doubling, claim("t0", "x" * 1000)).message
    assert "characters, at most" in message or "more steps than it may" in message


def test_an_answer_that_repeats_itself_stops_at_the_bound():
    query = " | ".join(["[@,@]"] * 40)
    assert "JmesPath" in failure(f'=>issue(type="x",value=JmesPath("[1]","{query}"));').message


def test_work_on_a_document_that_the_policy_itself_states_is_bounded():
    document = json.dumps(list(range(3000)))
    rule = 'c:[type=="d"]=>add(type="x{}",value=JmesPath(c.value,"[?@ == `{}`]"));'
    rules = f'=>add(type="d",value="{document}");' + "".join(rule.format(index, index) for index in range(1000))
    assert "more steps than it may" in failure(rules).message


def test_the_work_that_is_allowed_grows_with_the_claims():
    document = claim("d", json.dumps(list(range(200_000))))
    assert issued('c:[type=="d"]=>issue(type="x",value=JmesPath(c.value,"[?@ == `7`]"));', document) == [("x", "[7]")]


def test_a_join_over_calls_is_bounded():
    claims = [claim("a", f"{index}") for index in range(700)] + [claim("b", index) for index in range(700)]
    rule = (
        'c:[type=="a"] && d:[type=="b",value==JsonToClaimValue(AppendString("1",c.value))] => issue(type="t",value=1);'
    )
    message = failure(rule, *claims).message
    assert "joins more than" in message or "more steps than it may" in message


def test_a_hostile_query_raises_nothing_but_a_policy_error():
    for query in (
        "[" * 5000,
        "a." * 20_000 + "a",
        "!" * 5000 + "a",
        "(" * 5000,
        "`" * 3,
        "[*]" * 5000,
        "a||" * 9000 + "a",
    ):
        for rule in (
            f'=>issue(type="x",value=JmesPath("[[[[1]]]]","{query}"));',
            f'=>issue(type="x",value=JmesPath("[[[[1]]]]",AppendString("{query}","")));',
        ):
            try:
                issued(rule)
            except PolicyError:
                continue
