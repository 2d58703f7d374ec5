"""`assay policy check`: findings with their place, and what fails a check."""

from __future__ import annotations

import pytest

from tests.cli.command_line import write

ALWAYS = "version=1.0;authorizationrules{=> permit();};"
MISTAKE = """version=1.0;
authorizationrules
{
\t[type=="x-ms-sgx-product-id", value=="1"] => permit();
};
"""


def test_a_finding_has_its_place_a_caret_a_reason_and_a_remedy(assay, tmp_path):
    file = write(tmp_path / "p", MISTAKE)
    ended = assay("policy", "check", file)
    assert ended.code == 0
    lines = ended.out.splitlines()
    at = next(index for index, line in enumerate(lines) if "type-mismatch" in line)
    assert lines[at].startswith(f"{file}:4:")
    assert lines[at + 2].index("^") == lines[at + 1].index('"1"')
    assert lines[at + 2].count("^") == 3
    assert lines[at + 3].startswith("  why:")
    assert lines[at + 4].startswith("  then:")
    assert lines[-1] == f"{file}: 2 warnings, 0 remarks"


def test_findings_are_for_programs_too(assay, tmp_path):
    found = assay("policy", "check", write(tmp_path / "p", MISTAKE), "--json").json["findings"]
    assert {one["code"] for one in found} == {"type-mismatch", "never-permits"}
    (finding,) = [one for one in found if one["code"] == "type-mismatch"]
    assert (finding["level"], finding["line"], finding["column"]) == ("warning", 4, 38)
    assert set(finding) == {"code", "level", "line", "column", "message", "explanation", "remedy"}


def test_a_policy_that_always_permits_is_a_warning_and_fails_only_a_strict_check(assay, tmp_path):
    file = write(tmp_path / "p", ALWAYS)
    assert assay("policy", "check", file).code == 0
    assert "always-permits" in assay("policy", "check", file).out
    assert assay("policy", "check", file, "--strict").code == 1


def test_remarks_do_not_fail_a_strict_check(assay, tmp_path):
    text = 'version=1.0;authorizationrules{[type=="x-ms-sgx-svn", value>=1] => permit();};'
    ended = assay("policy", "check", write(tmp_path / "p", text), "--strict")
    assert (ended.code, "debug-permitted" in ended.out) == (0, True)


def test_a_type_narrows_the_names(assay, tmp_path):
    text = 'version=1.0;authorizationrules{[type=="secureboot", value==true] => permit();};'
    file = write(tmp_path / "p", text)
    assert "unknown-name" not in assay("policy", "check", file).out
    assert "unknown-name" in assay("policy", "check", file, "--type", "sgxenclave").out
    assert assay("policy", "check", file, "--type", "Nothing").code == 2


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ('version=1.0;authorizationrules{[type="a"] => permit();};', "a single = assigns"),
        ("version=1.0;authorizationrules{=> permit()};", "ends with ;"),
        ("version=1.0;autorizationrules{};", "did you mean authorizationrules?"),
        ("version=1.0;authorizationrules{=> permitt();};", "did you mean permit?"),
        ('version=1.0;authorizationrules{[type==\u201ca"] => permit();};', "typographic quote"),
        ("version=1.0;authorizationrules{[type=='a'] => permit();};", "double quotes"),
        ('version=1.0;authorizationrules{[type=="a"] || [type=="b"] => permit();};', "there is no or"),
        ('version=1.0;authorizationrules{[type=="a", value>="2"] => permit();};', "without quotes"),
        ('version=1.0;authorizationrules{[type=="a] => permit();};', "not closed"),
        ("version=1.0;authorizationrules{[value==<svn>] => permit();};", "placeholder"),
        ('version=1.0;authorizationrules{=> add(type=="a", value=1);};', "an assignment is written ="),
    ],
)
def test_a_usual_syntax_error_comes_with_a_hint(assay, tmp_path, text, advice):
    ended = assay("policy", "check", write(tmp_path / "p", text))
    assert ended.code == 1
    assert advice in ended.out.splitlines()[-1]
    assert advice in assay("policy", "check", write(tmp_path / "p", text), "--json").json["error"]["hint"]


def test_a_caret_stands_right_in_a_long_line(assay, tmp_path):
    rule = '[type=="x-ms-sgx-svn", value=="1"] => deny();'
    text = f"version=1.0;authorizationrules{{{'=> permit();' * 3}{' ' * 300}{rule}{' ' * 300}}};"
    lines = assay("policy", "check", write(tmp_path / "p", text)).out.splitlines()
    at = next(index for index, line in enumerate(lines) if "type-mismatch" in line)
    assert lines[at + 2].index("^") == lines[at + 1].index('"1"')
    assert len(lines[at + 1]) < 140
