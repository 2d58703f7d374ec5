"""`assay policy test`: cases kept as data beside the policies, tried on every change."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from assay import clock, limits
from assay.cli.appraisal import OfflineAppraiser, Setting
from assay.cli.arguments import EVIDENCE_TYPE, HELD_DATA_TYPE, STATUSES, TIME
from assay.cli.failures import ACCEPTED, REJECTED, UNDECIDED
from assay.cli.files import FileUnreadable, HeldDataFiles, read_file, read_held_data, read_text
from assay.cli.terminal import say, show_json
from assay.endorsements.intel.tcb import ACCEPTED_BY_DEFAULT
from assay.errors import AssayError, ConfigurationError, EndorsementUnavailable, LimitExceeded, Malformed
from assay.policy import draft_policy
from assay.policy.cases import (
    Case,
    EvidenceCase,
    Observed,
    differences,
    observe_outcome,
    observe_refusal,
    read_case,
    try_on_claims,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from assay.evidence.base import HeldData
    from assay.formats.strict_json import JsonValue

_HELP: Final = """Try policies on cases that stand in files, for people and for continuous integration.

Every .json and .toml file below DIR is one case, but for the evidence and endorsements that cases name. Paths in it are
relative to it. `policy` is tried on `claims`, a list as `assay policy eval` reads it or an object of values by name; or
on `evidence`, with `type` and, as the options of `assay verify` are called, endorsements, at, accept_tcb, runtime_data,
runtime_data_type, unsafe_simulator. `expect` says `permitted`, and may say what is `issued` (all of it), or for a
refusal its `code` and the `denied_line` of the deny rule that fired.

\b
Example, cases/debug.json:
  {"policy": "../my.policy",
   "claims": {"x-ms-sgx-is-debuggable": true},
   "expect": {"permitted": false, "denied_line": 4}}
  assay policy test cases

\b
Exit codes: 0 every case passed; 1 one failed; 2 a case cannot be read or tried, or there is none.
"""


class _Outcome(str, Enum):
    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class _Tried:
    """One case and how it went: `problems` are differences, or why it could not be tried."""

    file: str
    outcome: _Outcome
    description: str = ""
    problems: tuple[str, ...] = ()


_CODES: Final = {_Outcome.PASSED: ACCEPTED, _Outcome.FAILED: REJECTED, _Outcome.ERROR: UNDECIDED}


@click.command("test", help=_HELP)
@click.argument("directory", metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def test_policies(ctx: click.Context, directory: str, as_json: bool) -> None:
    files = list(_files(Path(directory)))
    read = [(file, _read(file)) for file in files]
    support = {path for file, case in read if isinstance(case, Case) for path in _support(file, case)}
    tried = [_try(file, case) for file, case in read if not _is_below(file, support)]
    if not tried:
        raise click.UsageError(f"{directory}: no case, that is no .json or .toml file")
    if as_json:
        show_json(_encode(tried))
    else:
        _show(tried)
    ctx.exit(max(_CODES[one.outcome] for one in tried))


def _files(directory: Path) -> Iterator[Path]:
    if directory.is_file():
        yield directory
        return
    if not directory.is_dir():
        raise click.UsageError(f"{directory}: no such directory")
    for path in sorted(directory.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(directory).parts)
        if path.suffix in {".json", ".toml"} and path.is_file() and not hidden:
            yield path


def _read(file: Path) -> Case | str:
    """The case in a file, or why there is none."""
    try:
        return read_case(read_file(str(file), limits.REQUEST_BODY), is_toml=file.suffix == ".toml")
    except (FileUnreadable, LimitExceeded, Malformed) as error:
        return str(error)


def _support(file: Path, case: Case) -> Iterator[Path]:
    """The files and directories that a case names beside its policy."""
    if isinstance(case.tried_on, EvidenceCase):
        settings = case.tried_on.settings
        held = (settings[name] for name in ("runtime_data", "init_time_data") if name in settings)
        for name in (case.tried_on.path, *case.tried_on.endorsements, *held):
            yield (file.parent / name).resolve()


def _is_below(file: Path, support: set[Path]) -> bool:
    path = file.resolve()
    return path in support or any(parent in support for parent in path.parents)


def _try(file: Path, case: Case | str) -> _Tried:
    if isinstance(case, str):
        return _Tried(str(file), _Outcome.ERROR, "", (case,))
    try:
        text = read_text(str(file.parent / case.policy))
        if isinstance(case.tried_on, EvidenceCase):
            observed = _try_on_evidence(text, case.tried_on, file.parent)
        else:
            observed = try_on_claims(text, case.tried_on)
    except (ConfigurationError, EndorsementUnavailable, FileUnreadable) as error:
        return _Tried(str(file), _Outcome.ERROR, case.description, (str(error),))
    except click.ClickException as error:
        return _Tried(str(file), _Outcome.ERROR, case.description, (error.format_message(),))
    found = differences(case.expectation, observed)
    return _Tried(str(file), _Outcome.FAILED if found else _Outcome.PASSED, case.description, found)


def _try_on_evidence(text: str, case: EvidenceCase, base: Path) -> Observed:
    """Raises what `_try` catches, where nothing can be said."""
    appraiser = OfflineAppraiser(_setting(case, base))
    content = read_file(str(base / case.path))
    try:
        return observe_outcome(appraiser.appraise(content, draft_policy(text)).outcome)
    except EndorsementUnavailable:
        raise
    except AssayError as error:
        return observe_refusal(error)


def _setting(case: EvidenceCase, base: Path) -> Setting:
    named = case.settings
    at = TIME.convert(named["at"], None, None) if "at" in named else clock.now()
    accepted = STATUSES.convert(named["accept_tcb"], None, None) if "accept_tcb" in named else ACCEPTED_BY_DEFAULT
    return Setting(
        EVIDENCE_TYPE.convert(named["type"], None, None),
        at,
        accepted,
        tuple(str(base / directory) for directory in case.endorsements),
        held=HeldDataFiles(
            _held(named, base, "runtime_data", "runtimeData"), _held(named, base, "init_time_data", "initTimeData")
        ),
        unsafe_simulator="unsafe_simulator" in case.flags,
        unsafe_no_revocation="unsafe_no_revocation" in case.flags,
    )


def _held(named: Mapping[str, str], base: Path, name: str, member: str) -> HeldData | None:
    data_type = HELD_DATA_TYPE.convert(named.get(f"{name}_type", "Binary"), None, None)
    return read_held_data(str(base / named[name]) if name in named else None, str(data_type), member)


def _encode(tried: Sequence[_Tried]) -> dict[str, JsonValue]:
    cases: list[JsonValue] = [
        {
            "file": one.file,
            "outcome": one.outcome.value,
            "description": one.description,
            "problems": list(one.problems),
        }
        for one in tried
    ]
    counts: dict[str, JsonValue] = {outcome.value: _count(tried, outcome) for outcome in _Outcome}
    return {**counts, "cases": cases}


def _count(tried: Sequence[_Tried], outcome: _Outcome) -> int:
    return sum(one.outcome is outcome for one in tried)


def _show(tried: Sequence[_Tried]) -> None:
    styles = {_Outcome.PASSED: "good", _Outcome.FAILED: "bad", _Outcome.ERROR: "bad"}
    for one in tried:
        label = f"{one.file}: {one.description}" if one.description else one.file
        say(f"{one.outcome.value:6}  {label}", styles[one.outcome])
        for problem in one.problems:
            say(f"        {problem}")
    errors = _count(tried, _Outcome.ERROR)
    summary = f"{_count(tried, _Outcome.PASSED)} passed, {_count(tried, _Outcome.FAILED)} failed"
    say(f"{summary}, {errors} could not be tried" if errors else summary, "strong")
