"""`assay attest --local`: what the machine has, and evidence made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import click

from assay.cli.terminal import Span, note, say, show_json, show_table
from assay.client.local import (
    Asked,
    Presence,
    collect_local,
    look_around,
    report_data_of,
    this_machine,
)
from assay.client.protocol import encode_submission
from assay.evidence import find_evidence_type
from assay.evidence.base import HeldData, HeldDataType, Submission

if TYPE_CHECKING:
    from pathlib import Path

    from assay.cli.files import HeldDataFiles
    from assay.client.local import Finding
    from assay.evidence.base import AnyEvidenceType
    from assay.formats.strict_json import JsonValue

_STYLES: Final = {Presence.USABLE: "good", Presence.BLOCKED: "bad", Presence.ABSENT: "dim"}
_UNBOUND: Final = "the evidence is bound to nothing: name --runtime-data, so that a relying party can tell whose it is"


class Wanted(NamedTuple):
    """What the options ask of the machine whose files are below `root`."""

    kind: AnyEvidenceType | None
    source: str | None
    privilege_level: int | None
    root: Path


def show_machine(root: Path, *, as_json: bool) -> bool:
    """Shows what each source found and what it lacks; whether one of them is usable."""
    findings = look_around(this_machine(root))
    if as_json:
        show_json({"sources": [_encode(finding) for finding in findings]})
    else:
        rows = [[Span(f.source, "strong"), Span(f.presence.value, _STYLES[f.presence]), *_rest(f)] for f in findings]
        show_table(("source", "state", "evidence", "seen"), rows)
        for finding in findings:
            if finding.remedy:
                say(f"{finding.source}: {finding.remedy}", "dim")
    return any(finding.presence is Presence.USABLE for finding in findings)


def _rest(finding: Finding) -> tuple[Span, Span]:
    return Span(finding.kind or "-"), Span(finding.seen)


def _encode(finding: Finding) -> JsonValue:
    return {
        "source": finding.source,
        "state": finding.presence.value,
        "evidence": finding.kind,
        "seen": finding.seen,
        "remedy": finding.remedy,
    }


def make_submission(wanted: Wanted, held: HeldDataFiles) -> tuple[AnyEvidenceType, Submission]:
    """Fresh evidence of this machine whose report data binds the runtime data; says on standard error what was used.

    The machine's own init-time data is sent where the caller names none. Raises `LocalEvidenceFailed`, and
    `click.UsageError` for a type of evidence that this version cannot send.
    """
    runtime_data = None if held.runtime_data is None else held.runtime_data.content
    asked = Asked(report_data_of(runtime_data), wanted.privilege_level)
    kind = None if wanted.kind is None else wanted.kind.name
    made = collect_local(this_machine(wanted.root), asked, name=wanted.source, kind=kind)
    found = find_evidence_type(made.kind)
    if found is None:
        raise click.UsageError(f"{made.source} makes {made.kind} evidence, which this version cannot send")
    note(f"local evidence: {made.kind} from {made.source}")
    for remark in (*made.notes, *(() if runtime_data is not None else (_UNBOUND,))):
        note(remark)
    init_time = held.init_time_data
    if init_time is None and made.init_time_data is not None:
        init_time = HeldData(made.init_time_data, HeldDataType.BINARY, None)
    return found, Submission(made.evidence, held.runtime_data, init_time, held.nonce, held.draft_policy)


def write_body(path: Path, kind: AnyEvidenceType, submission: Submission) -> None:
    """The request body in a file, for `assay verify` or for sending it later; raises `click.UsageError`."""
    try:
        path.write_bytes(encode_submission(kind, submission))
    except OSError as error:
        raise click.UsageError(f"{path}: {error.strerror or error}") from error
    note(f"written: {path}")
