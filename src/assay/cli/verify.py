"""`assay verify`: evidence judged offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from assay import clock
from assay.cli.arguments import ACCEPTED, EVIDENCE_TYPE, HELD_DATA_TYPE, STATUSES, TIME, TYPES
from assay.cli.files import HeldDataFiles, expand, read_held_data, read_option_file, read_text
from assay.cli.judgement import ISSUER, Judge, encode_judgement, judge_file
from assay.cli.terminal import note, show_json
from assay.cli.verdict_view import show_judgement, show_summary, tally
from assay.collateral.directory import DirectorySource
from assay.collateral.trust_directory import read_anchors
from assay.endorsements.intel.tcb import ACCEPTED_BY_DEFAULT
from assay.evidence.base import AnyEvidenceType, Grounds, PlatformRules
from assay.policy import draft_policy
from assay.service.rules_file import read_rules_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assay.cli.judgement import Judgement
    from assay.endorsements.intel.tcb import TcbStatus
    from assay.formats.strict_json import JsonValue

_HELP = f"""Judge evidence offline, check by check.

FILE is evidence as raw octets, as hex, base64 or base64url text, or a JSON request body as it is sent to the service
(its held data is used too); - is standard input. A directory stands for the evidence in it. Several files end with a
summary.

TYPE is one of {TYPES}.

Endorsements (TCB info, identities, revocation lists) come only from the directories given; nothing is fetched. What a
required check needs and is not there is named, and the evidence is not decided.

\b
Examples:
  assay verify quote.bin --type SgxEnclave --endorsements collateral
  assay verify quote.bin --type SgxEnclave --endorsements collateral \\
        --runtime-data key.json --runtime-data-type JSON --at 2025-06-01T00:00:00Z
  assay verify requests/ --type OpenEnclave --endorsements collateral --json

\b
Exit codes: 0 accepted; 1 rejected; 2 not decided (an endorsement is missing), a file that cannot be read, or wrong
usage. With several files the highest counts.
"""


class _Options(TypedDict):
    """What click reads for `verify`."""

    files: tuple[str, ...]
    kind: AnyEvidenceType
    runtime_data: str | None
    runtime_data_type: str
    init_time_data: str | None
    init_time_data_type: str
    endorsements: tuple[str, ...]
    at: datetime | None
    policy: str | None
    event_log: str | None
    nonce: str | None
    accept_tcb: frozenset[TcbStatus]
    trust: tuple[str, ...]
    strict: bool
    platform_rules: str | None
    issuer: str
    unsafe_no_revocation: bool
    unsafe_simulator: bool
    as_json: bool


@click.command(help=_HELP)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--type", "kind", type=EVIDENCE_TYPE, required=True, help="Type of the evidence.")
@click.option("--runtime-data", metavar="F", help="The attester's data whose hash the evidence holds.")
@click.option(
    "--runtime-data-type", type=HELD_DATA_TYPE, default="Binary", show_default=True, help="How it is claimed."
)
@click.option("--init-time-data", metavar="F", help="Data whose hash was configured at launch.")
@click.option("--init-time-data-type", type=HELD_DATA_TYPE, default="Binary", show_default=True, help="As above.")
@click.option("--event-log", metavar="F", help="Event log of a confidential machine's boot (CCEL).")
@click.option("--endorsements", metavar="DIR", multiple=True, help="Where vendor documents are; searched recursively.")
@click.option("--at", type=TIME, help="Judge as of this time (ISO 8601 or Unix time); now, when left out.")
@click.option("--policy", metavar="F", help="Appraisal policy, in place of the type's default.")
@click.option("--nonce", metavar="N", help="The nonce that the token payload shows.")
@click.option(
    "--accept-tcb",
    metavar="STATUS[,STATUS...]|any",
    type=STATUSES,
    default=ACCEPTED_BY_DEFAULT,
    help=f"TCB statuses to accept [{ACCEPTED}].",
)
@click.option("--trust", metavar="DIR", multiple=True, help="More roots to believe, beside the vendors'.")
@click.option("--strict", is_flag=True, help="The safe set: no debug enclaves, nothing beyond what is signed.")
@click.option("--platform-rules", metavar="F", help="TOML file of the operator's rules about platforms.")
@click.option("--issuer", metavar="URL", default=ISSUER, help="Issuer that the token payload shows.")
@click.option("--unsafe-no-revocation", is_flag=True, help="Tolerate missing revocation lists. The payload is marked.")
@click.option("--unsafe-simulator", is_flag=True, help="Believe the simulator's roots. The payload is marked.")
@click.option("--json", "as_json", is_flag=True, help="For programs: one object, or results and summary for several.")
@click.pass_context
def verify(ctx: click.Context, **options: Unpack[_Options]) -> None:
    judge = _judge(options)
    files, kind = options["files"], options["kind"]
    chosen, passed_over = expand(files, kind)
    for name in passed_over:
        note(f"passed over, not {kind.name} evidence: {name}")
    if not chosen:
        raise click.UsageError(f"no {kind.name} evidence in {', '.join(files)}")
    judgements = tuple(judge_file(judge, name) for name in chosen)
    for judgement in judgements:
        if judgement.code == "FileUnreadable":
            note(judgement.message)
    _show(judgements, several=len(files) > 1 or chosen != files, as_json=options["as_json"])
    ctx.exit(max(judgement.exit_code for judgement in judgements))


def _judge(options: _Options) -> Judge:
    held = HeldDataFiles(
        read_held_data(options["runtime_data"], options["runtime_data_type"], "runtimeData"),
        read_held_data(options["init_time_data"], options["init_time_data_type"], "initTimeData"),
        options["nonce"],
        event_log=None if options["event_log"] is None else read_option_file(options["event_log"]),
    )
    anchors = read_anchors(map(Path, options["trust"]), allow_simulator=options["unsafe_simulator"])
    no_revocation = options["unsafe_no_revocation"]
    grounds = Grounds(
        options["at"] or clock.now(),
        anchors,
        rules=_read_rules(options),
        unsafe_no_revocation=no_revocation,
        marks=("no-revocation",) if no_revocation else (),
    )
    directories = tuple(map(Path, options["endorsements"]))
    source = DirectorySource(directories, anchors) if directories else None
    return Judge(options["kind"], grounds, source, _read_policy(options["policy"]), held, options["issuer"])


def _read_rules(options: _Options) -> PlatformRules:
    file = options["platform_rules"]
    rules = PlatformRules(options["accept_tcb"], strict=options["strict"])
    return read_rules_file(None if file is None else Path(file), rules)


def _read_policy(name: str | None) -> str | None:
    if name is None:
        return None
    text = read_text(name)
    draft_policy(text)  # a policy that does not parse is wrong usage, before any evidence is looked at
    return text


def _show(judgements: Sequence[Judgement], *, several: bool, as_json: bool) -> None:
    if as_json and several:
        results: list[JsonValue] = [{"file": found.file, **encode_judgement(found)} for found in judgements]
        summary: dict[str, JsonValue] = dict(tally(judgements))
        show_json({"results": results, "summary": summary})
        return
    for judgement in judgements:
        if as_json:
            show_json(encode_judgement(judgement))
        else:
            show_judgement(judgement)
    if several:
        show_summary(judgements)
