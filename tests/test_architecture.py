"""The rules of DESIGN section 4 and of the style guide that a program can judge."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from assay.evidence import BUILDS_ON, EVIDENCE_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(__file__).resolve().parents[1] / "src" / "assay"

LAYERS = {
    "errors": 0,
    "_version": 0,
    "claims": 1,
    "verdict": 1,
    "limits": 1,
    "memo": 1,
    "property_claims": 2,
    "formats": 2,
    "pki": 3,
    "endorsements": 4,
    "evidence": 5,
    "policy": 5,
    "result": 6,
    "appraise": 7,
    "clock": 8,
    "freshness": 8,
    "store": 8,
    "collateral": 9,
    "simulator": 9,
    "service": 10,
    "keybroker": 10,
    "client": 10,
    "cli": 11,
}
# The public names, gathered from every layer.
FACADE = "assay/__init__.py"
PURE = {name for name, layer in LAYERS.items() if layer <= LAYERS["appraise"]}
# What a pure layer may not know: clock, environment, files, network, chance, processes.
IMPURE = {
    *("asyncio", "http", "io", "logging", "multiprocessing", "os", "pathlib", "random", "secrets", "select", "shutil"),
    *("socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile", "time", "urllib", "uuid", "warnings"),
    *("httpx2", "requests", "sqlalchemy", "starlette", "structlog", "uvicorn"),
}
IMPURE_CALLS = {"now", "utcnow", "today", "open", "input", "print", "urandom", "getenv"}

# Names of evidence types outside their folders and the one list, each with its reason.
NAMES_A_TYPE = {
    "evidence/__init__.py": "the one list of evidence types",
    "evidence/claim_names.py": "the table of the claims of every type, those not built yet among them, that policies are checked against",
    "endorsements/anchors.py": "the names of vendors' roots, and which of them are above keys in TPMs",
    "endorsements/tpm/": "what vendors of TPMs sign: the folder of a technology, as the vendors' folders are",
    "collateral/trust_directory.py": "tells the certificates of keys in TPMs from roots",
    "store/provider_settings.py": "the wire's property of a provider: TPM attestation needs a bearer",
    "service/control_plane/resources.py": "the same",
    "service/attest.py": "the same",
    "cli/provider.py": "the same",
    "cli/inspect.py": "names a tool of TPMs whose output it reads",
    "simulator/": "mints evidence of each type: it is the attester's side, and has a file for each",
    "client/local/": "sources of local evidence: which type an interface of the machine makes is a fact about it",
    "cli/simulate.py": "the command of the simulator: it offers what the simulator can mint",
}
# Abbreviations of a technology that other parts speak of, too; the type's constant has a longer name.
TECHNOLOGY = {"TPM"}
# Texts of several lines there are help, whose examples may name a type.
HELP = "cli/"
LONG_FILES = {"simulator/knobs/": "tables of data", "store/migrations/": "tables of data"}
LONG_FUNCTIONS = {"simulator/knobs/": "tables of data", "store/migrations/": "tables of data"}
MOST_LINES = 300
MOST_FUNCTION_LINES = 40


class Import(NamedTuple):
    """One imported module of this package, as dotted parts below `assay`."""

    source: Path
    line: int
    target: tuple[str, ...]


@cache
def sources() -> tuple[Path, ...]:
    return tuple(sorted(SOURCE.rglob("*.py")))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def place(path: Path) -> str:
    return path.relative_to(SOURCE.parent).as_posix()


def short(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def part(path: Path) -> str:
    """The top-level module or folder of a source."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Every module that a source imports, those under `TYPE_CHECKING` among them."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{place(path)}:{node.lineno}: imports are absolute"
            assert node.module is not None
            if node.module == "assay" and all(alias.name == "__version__" for alias in node.names):
                yield node.lineno, "assay._version"
            elif node.module == "assay":
                yield from ((node.lineno, f"assay.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, node.module


def own_imports() -> list[Import]:
    return [
        Import(path, line, tuple(name.split(".")[1:]))
        for path in sources()
        for line, name in imported(path)
        if name.split(".")[0] == "assay" and name != "assay"
    ]


def test_every_part_of_the_package_has_a_layer() -> None:
    parts = {part(path) for path in sources()} - {"__init__"}
    assert parts <= set(LAYERS)


# Upward, for the type checker only: an error carries a verdict and claims, and both are made of errors' classes.
UPWARD = {("errors.py", "verdict"), ("errors.py", "claims")}
# Within a layer: whoever stamps a row asks the one reader of the clock.
SIDEWAYS = {("store", "clock"), ("freshness", "clock")}


def test_imports_point_down() -> None:
    wrong = []
    for one in own_imports():
        source, target = part(one.source), one.target[0]
        if place(one.source) == FACADE or source == target or (short(one.source), target) in UPWARD:
            continue
        if LAYERS[target] >= LAYERS[source] and (source, target) not in SIDEWAYS:
            wrong.append(f"{place(one.source)}:{one.line} imports {'.'.join(one.target)}")
    assert wrong == []


def folder_of_type(path: Path) -> str | None:
    parts = path.relative_to(SOURCE).parts
    return parts[1] if parts[0] == "evidence" and len(parts) > 2 else None


def test_one_evidence_type_builds_on_another_only_as_listed() -> None:
    crossings = set()
    for one in own_imports():
        source = folder_of_type(one.source)
        target = one.target[1] if one.target[0] == "evidence" and len(one.target) > 1 else None
        is_folder = target is not None and (SOURCE / "evidence" / target).is_dir() and not target.startswith("_")
        if source is not None and is_folder and source != target:
            crossings.add((source, target))
            assert not source.startswith("_"), f"{place(one.source)}:{one.line}: what is shared knows no type"
    assert crossings == {(source, target) for source, targets in BUILDS_ON.items() for target in targets}


def type_names() -> set[str]:
    """How each type is written: on the wire, as a folder, as a constant, as the head of a class."""
    folders = {path.name for path in (SOURCE / "evidence").iterdir() if path.is_dir() and path.name[0] not in "_."}
    wire = {kind.name for kind in EVIDENCE_TYPES}
    return {*folders, *wire, *(folder.upper() for folder in folders)} - TECHNOLOGY


def words(path: Path) -> Iterator[tuple[int, str]]:
    """The identifiers and string constants of a source, docstrings and comments left out."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree(path)):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in docstrings:
                yield node.lineno, text
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.alias(name=name):
                yield node.lineno, name
            case ast.ImportFrom(module=str(name)):
                yield node.lineno, name


def test_only_its_own_folder_and_the_one_list_name_an_evidence_type() -> None:
    names = type_names()
    found = []
    for path in sources():
        if folder_of_type(path) is not None or any(short(path).startswith(prefix) for prefix in NAMES_A_TYPE):
            continue
        for line, word in words(path):
            is_help = short(path).startswith(HELP) and "\n" in word
            if not is_help and any(name in word for name in names):
                found.append(f"{place(path)}:{line}: {word!r}")
    assert found == []


def test_the_exceptions_that_may_name_a_type_still_do() -> None:
    names = type_names()
    for prefix in NAMES_A_TYPE:
        paths = [path for path in sources() if short(path).startswith(prefix)]
        assert any(name in word for path in paths for _, word in words(path) for name in names), prefix


@pytest.mark.parametrize("name", sorted(PURE & {part(path) for path in sources()}))
def test_a_pure_layer_knows_no_clock_network_files_or_chance(name: str) -> None:
    wrong = []
    for path in sources():
        if part(path) != name:
            continue
        wrong += [f"{place(path)}:{line} imports {m}" for line, m in imported(path) if m.split(".")[0] in IMPURE]
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called in IMPURE_CALLS:
                    wrong.append(f"{place(path)}:{node.lineno} calls {called}")
    assert wrong == []


def test_only_the_clock_asks_for_the_time() -> None:
    asking = {"now", "utcnow", "today", "time", "time_ns"}
    found = set()
    for path in sources():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in asking:
                owner = node.func.value
                if isinstance(owner, ast.Name) and owner.id in ("datetime", "date", "time"):
                    found.add(place(path))
    assert found <= {"assay/clock.py"}


def test_evidence_is_read_through_the_reader_only() -> None:
    """No `struct.unpack_from` and no `int.from_bytes` over offsets outside formats: Python slices do not fail when short."""
    found = []
    for path in sources():
        if part(path) != "evidence":
            continue
        found += [
            f"{place(path)}:{node.lineno}"
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Attribute) and node.attr in ("unpack_from", "iter_unpack")
        ]
    assert found == []


def test_nothing_is_asserted_away_in_pure_layers() -> None:
    """A check that `python -O` removes is no check; only sizes of layouts are asserted, at import."""
    found = [
        f"{place(path)}:{inner.lineno}"
        for path in sources()
        if part(path) in PURE
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Assert)
    ]
    assert found == []


def test_files_stay_short() -> None:
    long = [
        f"{place(path)}: {lines}"
        for path in sources()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
        and not any(short(path).startswith(prefix) for prefix in LONG_FILES)
    ]
    assert long == []


def test_functions_stay_short() -> None:
    long = []
    for path in sources():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                is_table = any(short(path).startswith(prefix) for prefix in LONG_FUNCTIONS)
                if lines > MOST_FUNCTION_LINES and not is_table:
                    long.append(f"{place(path)}:{node.lineno} {node.name}: {lines}")
    assert long == []
