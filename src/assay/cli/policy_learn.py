"""`assay policy learn`: a policy that admits known-good evidence and nothing else of its kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict, Unpack

import click

from assay import clock
from assay.cli.appraisal import OfflineAppraiser, Setting
from assay.cli.arguments import ACCEPTED, EVIDENCE_TYPE, HELD_DATA_TYPE, STATUSES, TIME, TYPES
from assay.cli.failures import REJECTED, UNDECIDED, complain
from assay.cli.files import FileUnreadable, HeldDataFiles, expand, read_file, read_held_data
from assay.cli.policy_vocabulary import facts_of, takes_custom_claims
from assay.cli.terminal import note
from assay.endorsements.intel.tcb import ACCEPTED_BY_DEFAULT
from assay.errors import AssayError, EndorsementUnavailable, LimitExceeded, PolicyError
from assay.policy import stored_policy
from assay.policy.learning import Sample, Scope, learn_policy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assay.endorsements.intel.tcb import TcbStatus
    from assay.evidence.base import AnyEvidenceType

_HELP: Final = f"""Write a policy that admits known-good evidence and nothing else of its kind.

FILE is evidence as `assay verify` reads it; a directory stands for the evidence in it. All of it must verify. The
policy pins what runs, who signed it and how it was started, asks for security versions no lower than seen, refuses
debuggable environments, and leaves out what identifies machines and what belongs to one call. Its comments say which
claim is what, and why: read them before you set it.

With --scope signer the measurement is left out, so that new builds of the same signer and product are admitted too.

TYPE is one of {TYPES}.

\b
Examples:
  assay policy learn quote.bin --type SgxEnclave --endorsements collateral > my.policy
  assay policy learn known-good/ --type SgxEnclave --endorsements collateral --scope signer --out my.policy

\b
Exit codes: 0 learnt; 1 the evidence does not verify, or nothing sound can be learnt from it; 2 not decided (an
endorsement is missing), a file that cannot be read, or wrong usage.
"""
_PERMIT_ALL: Final = "version=1.0;authorizationrules{=> permit();};"


class _Options(TypedDict):
    """What click reads for `policy learn`."""

    files: tuple[str, ...]
    kind: AnyEvidenceType
    scope: str
    out: str | None
    endorsements: tuple[str, ...]
    at: datetime | None
    runtime_data: str | None
    runtime_data_type: str
    init_time_data: str | None
    init_time_data_type: str
    accept_tcb: frozenset[TcbStatus]
    trust: tuple[str, ...]
    unsafe_no_revocation: bool
    unsafe_simulator: bool


@click.command(help=_HELP)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--type", "kind", type=EVIDENCE_TYPE, required=True, help="Type of the evidence.")
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in Scope]),
    default=Scope.BUILD.value,
    show_default=True,
    help="Admit the builds seen, or every build of the signers seen.",
)
@click.option("--out", metavar="F", help="Write the policy here, in place of standard output.")
@click.option("--endorsements", metavar="DIR", multiple=True, help="Where vendor documents are; searched recursively.")
@click.option("--at", type=TIME, help="Judge as of this time (ISO 8601 or Unix time); now, when left out.")
@click.option("--runtime-data", metavar="F", help="The attester's data whose hash the evidence holds.")
@click.option(
    "--runtime-data-type", type=HELD_DATA_TYPE, default="Binary", show_default=True, help="How it is claimed."
)
@click.option("--init-time-data", metavar="F", help="Data whose hash was configured at launch.")
@click.option("--init-time-data-type", type=HELD_DATA_TYPE, default="Binary", show_default=True, help="As above.")
@click.option(
    "--accept-tcb",
    metavar="STATUS[,STATUS...]|any",
    type=STATUSES,
    default=ACCEPTED_BY_DEFAULT,
    help=f"TCB statuses to accept [{ACCEPTED}].",
)
@click.option("--trust", metavar="DIR", multiple=True, help="More roots to believe, beside the vendors'.")
@click.option("--unsafe-no-revocation", is_flag=True, help="Tolerate missing revocation lists.")
@click.option("--unsafe-simulator", is_flag=True, help="Believe the simulator's roots: learn from synthetic evidence.")
@click.pass_context
def learn(ctx: click.Context, **options: Unpack[_Options]) -> None:
    kind = options["kind"]
    chosen, passed_over = expand(options["files"], kind)
    for name in passed_over:
        note(f"passed over, not {kind.name} evidence: {name}")
    if not chosen:
        raise click.UsageError(f"no {kind.name} evidence in {', '.join(options['files'])}")
    samples, code = _samples(chosen, OfflineAppraiser(_setting(options)))
    if code:
        ctx.exit(code)
    try:
        scope = Scope(options["scope"])
        text = learn_policy(samples, facts_of(kind.name), scope, test_issuer=takes_custom_claims(kind.name))
    except PolicyError as error:
        complain(f"nothing learnt: {error.message}")
        ctx.exit(REJECTED)
    if options["out"] is None:
        click.echo(text, nl=False)
    else:
        Path(options["out"]).write_bytes(text.encode("utf-8"))
        note(f"{options['out']}: learnt from {len(samples)} of {len(chosen)} files")


def _setting(options: _Options) -> Setting:
    return Setting(
        options["kind"],
        options["at"] or clock.now(),
        options["accept_tcb"],
        options["endorsements"],
        options["trust"],
        HeldDataFiles(
            read_held_data(options["runtime_data"], options["runtime_data_type"], "runtimeData"),
            read_held_data(options["init_time_data"], options["init_time_data_type"], "initTimeData"),
        ),
        options["unsafe_simulator"],
        options["unsafe_no_revocation"],
    )


def _samples(names: Sequence[str], appraiser: OfflineAppraiser) -> tuple[list[Sample], int]:
    """The claims of each file; what does not verify is said, and the exit code is then not 0."""
    samples: list[Sample] = []
    code = 0
    policy = stored_policy(_PERMIT_ALL)
    for name in names:
        try:
            samples.append(Sample(name, appraiser.appraise(read_file(name), policy).statement.incoming))
        except (EndorsementUnavailable, FileUnreadable) as error:
            complain(f"{name}: not decided: {error}")
            code = UNDECIDED
        except (AssayError, LimitExceeded) as error:
            complain(f"{name}: does not verify ({error.code}): {error.message}")
            code = max(code, REJECTED)
    return samples, code
