"""The words: links resolve, generated pages are current, commands that pages name exist."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest

from assay.cli import root
from assay.endorsements.anchors import SIMULATOR_ROOTS, VENDOR_ROOTS
from assay.evidence import EVIDENCE_TYPES
from assay.service.errors import _TABLE
from assay.service.requests import API_VERSIONS

PROJECT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "src/**/*.md", "bench/**/*.md", "demo/**/*.md")
    for path in PROJECT.glob(pattern)
)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`\n]+)`")
_MAKE = re.compile(r"(?:^|[;&|]\s*)make ([a-z]+)")
_ASSAY = re.compile(r"(?:^|[;&|(]\s*)(?:ASSAY_\w+=\S+ )?(?:\.venv/bin/)?assay (.+)$")
_ABSOLUTE = re.compile(r"(?<![\w.])/(?:home|root|work|Users|mnt|workspace)/")


def _name(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


# Of pip, of every command, and a placeholder.
FOREIGN_OPTIONS = {"--name", "--help", "--require-hashes", "--no-deps", "--no-build-isolation"}
each_page = pytest.mark.parametrize("page", PAGES, ids=_name)


def _prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def _commands(page: Path) -> Iterator[str]:
    """The lines of shell blocks, continued ones joined, and the code spans of the prose."""
    text = page.read_text(encoding="utf-8")
    for language, block in _FENCE.findall(text):
        if language == "sh":
            yield from block.replace("\\\n", " ").splitlines()
    yield from _SPAN.findall(_prose(page))


def _load_generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_reference", PROJECT / "docs" / "generate_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@each_page
def test_every_relative_link_resolves(page: Path) -> None:
    targets = [target for target in _LINK.findall(_prose(page)) if "://" not in target]
    broken = [target for target in targets if not (page.parent / target.partition("#")[0]).exists()]
    assert broken == []


def test_the_generated_reference_is_current() -> None:
    stale = [_name(path) for path, text in _load_generator().render_pages().items() if path.read_text("utf-8") != text]
    assert stale == [], "run: .venv/bin/python docs/generate_reference.py"


def test_every_declared_check_is_in_the_reference() -> None:
    page = (PROJECT / "docs/reference/checks.md").read_text(encoding="utf-8")
    missing = [check.name for kind in EVIDENCE_TYPES for check in kind.checks if f"`{check.name}`" not in page]
    assert missing == []


@each_page
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    named = {target for command in _commands(page) for target in _MAKE.findall(command)}
    assert [target for target in sorted(named) if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


@each_page
def test_every_command_and_option_that_a_page_names_exists(page: Path) -> None:
    found = (_ASSAY.search(command.strip()) for command in _commands(page))
    problems = [problem for match in found if match for problem in _problems(match[1])]
    assert problems == []


def _problems(line: str) -> Iterator[str]:
    """What is wrong with the words after `assay`."""
    try:
        words = shlex.split(re.split(r" [<>|] ", line)[0])
    except ValueError:
        yield f"cannot be split: {line}"
        return
    command: click.Command | None = root
    context = click.Context(root)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        command = command.get_command(context, words[0])
        if command is None:
            yield f"no command: assay {line}"
            return
        words = words[1:]
    assert command is not None
    known = {option for parameter in command.get_params(context) for option in parameter.opts} | {"--help"}
    yield from (f"no option {word}: assay {line}" for word in words if word.startswith("--") and word not in known)


@each_page
def test_every_option_that_a_page_names_exists(page: Path) -> None:
    named = {span.split()[0] for span in _SPAN.findall(_prose(page)) if re.match(r"--[a-z]", span)}
    ours = {option for command in _all_commands() for parameter in command.params for option in parameter.opts}
    assert named - ours - FOREIGN_OPTIONS == set()


def _all_commands() -> Iterator[click.Command]:
    context = click.Context(root)
    pending: list[click.Command] = [root]
    while pending:
        command = pending.pop()
        yield command
        if isinstance(command, click.Group):
            found = (command.get_command(context, name) for name in command.list_commands(context))
            pending += [child for child in found if child is not None]


def test_every_error_that_the_service_answers_is_in_the_reference() -> None:
    page = (PROJECT / "docs/reference/http.md").read_text(encoding="utf-8")
    architecture = (PROJECT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert [row for row in _TABLE if f"| {row.status} | `{row.code}`" not in page] == []
    assert [row for row in _TABLE if f"| {row.status} | `{row.code}`" not in architecture] == []


@pytest.mark.parametrize("page", ["README.md", "docs/reference/http.md"])
def test_every_api_version_is_listed(page: str) -> None:
    text = (PROJECT / page).read_text(encoding="utf-8")
    assert [version for version in sorted(API_VERSIONS) if version not in text] == []


def test_the_pinned_roots_are_listed() -> None:
    text = (PROJECT / "SECURITY.md").read_text(encoding="utf-8")
    assert [anchor.origin for anchor in (*VENDOR_ROOTS, *SIMULATOR_ROOTS) if anchor.key_sha256 not in text] == []


def test_the_readme_says_how_to_run_the_tests() -> None:
    section = (PROJECT / "README.md").read_text(encoding="utf-8").partition("## Tests\n")[2]
    assert _FENCE.findall(section)[0] == ("sh", "make test\n")


@each_page
def test_no_page_has_something_left_to_do(page: Path) -> None:
    assert re.findall(r"\b(?:TODO|FIXME|TBD|XXX)\b", page.read_text(encoding="utf-8")) == []


@each_page
def test_no_page_names_a_path_of_some_machine(page: Path) -> None:
    assert _ABSOLUTE.findall(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", sorted((PROJECT / "docs/adr").glob("[0-9]*.md")), ids=_name)
def test_every_decision_has_its_three_parts_and_is_listed(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert text.startswith(f"# {page.name[:4]}. ")
    assert f"({page.name})" in (PROJECT / "docs/adr/index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", EVIDENCE_TYPES, ids=lambda kind: kind.name)
def test_every_evidence_type_is_introduced_and_listed_as_supported(kind) -> None:
    folder = Path(*kind.verify.__module__.split(".")[:-1])
    assert (PROJECT / "src" / folder / "README.md").is_file()
    assert f"/attest/{kind.path or kind.carrier}" in (PROJECT / "README.md").read_text(encoding="utf-8")


def test_the_licence_is_apache_2() -> None:
    text = (PROJECT / "LICENSE").read_text(encoding="utf-8")
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert "The Assay authors" in text
