"""`assay attest`: evidence sent to a service."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict, Unpack

import click

from assay import clock
from assay.cli.arguments import EVIDENCE_TYPE, HELD_DATA_TYPE, MARKS, TYPES
from assay.cli.failures import ACCEPTED, REJECTED, UNDECIDED, complain
from assay.cli.files import (
    FileUnreadable,
    HeldDataFiles,
    read_decryption_key,
    read_file,
    read_held_data,
    read_option_file,
    read_submission,
    read_text,
)
from assay.cli.local_evidence import Wanted, make_submission, show_machine, write_body
from assay.cli.terminal import Node, Span, complain_tree, node, note, say, show_json
from assay.client.local import SOURCE_NAMES
from assay.client.protocol import FailedCheck
from assay.client.relying_party import verify_token
from assay.client.sealed_answer import is_sealed, open_answer
from assay.client.shells import Client
from assay.errors import LimitExceeded, MalformedRequest, ServiceRefused, TokenRejected
from assay.formats import strict_json
from assay.formats.jws import parse_jws

if TYPE_CHECKING:
    from assay.client.protocol import Answer
    from assay.evidence.base import AnyEvidenceType, Submission
    from assay.formats.strict_json import JsonValue

_HELP: Final = f"""Send evidence to an attestation service and print the token.

TYPE is one of {TYPES}. FILE is evidence as raw octets, as hex, base64 or base64url text, or a JSON request body; - is
standard input. The URL is that of our service or of Azure Attestation.

The token is printed as it came. The answer to a guest of Azure is sealed to a key of its virtual TPM: --guest-key opens
it where that key is at hand, as of a simulated guest. With --verify it is verified first, as a relying party that
trusts URL would.

With --local the evidence is made here and now, by the first usable interface of this machine: Gramine, configfs-tsm,
/dev/sev-guest, /dev/tdx_guest. Its report data is the SHA-256 of the runtime data. Without --url and --out, it tells
what the machine has, what it lacks, and what to do about it.

\b
Examples:
  assay attest SgxEnclave quote.bin --url https://localhost:8443 --ca dev/ca.pem
  assay attest SgxEnclave quote.bin --url https://attest.example --runtime-data key.json --runtime-data-type JSON \\
        --explain --verify
  assay attest SgxEnclave quote.bin --url https://attest.example --draft-policy new.policy --json
  assay attest --local
  assay attest --local --runtime-data key.json --runtime-data-type JSON --url https://attest.example

\b
Exit codes: 0 a token (verified, with --verify); 1 refused by the service or by --verify; 2 no answer, a service that
cannot decide now (429, 5xx), no local evidence, or wrong usage.
"""
_NOT_A_REFUSAL: Final = frozenset({401, 403, 404, 405, 408, 429})


class _Options(TypedDict):
    """What click reads for `attest`."""

    kind: AnyEvidenceType | None
    file: str | None
    local: bool
    source: str | None
    privilege_level: int | None
    root: str
    out: str | None
    url: str | None
    ca: str | None
    runtime_data: str | None
    runtime_data_type: str
    init_time_data: str | None
    init_time_data_type: str
    draft_policy: str | None
    event_log: str | None
    nonce: str | None
    guest_key: str | None
    explain: bool
    verified: bool
    allow_unsafe: frozenset[str]
    as_json: bool


@click.command(help=_HELP)
@click.argument("kind", metavar="[TYPE]", type=EVIDENCE_TYPE, required=False)
@click.argument("file", metavar="[FILE]", required=False)
@click.option("--local", is_flag=True, help="Evidence of this machine, in place of FILE; TYPE narrows the choice.")
@click.option("--source", type=click.Choice(SOURCE_NAMES), help="With --local: this interface only.")
@click.option(
    "--privilege-level", type=click.IntRange(0, 3), help="With --local: the VMPL that the report names, SEV-SNP only."
)
@click.option(
    "--root", metavar="DIR", default="/", show_default=True, help="With --local: where the machine's files are."
)
@click.option("--out", metavar="F", help="With --local: write the request body there, and send nothing.")
@click.option("--url", metavar="URL", help="Base URL of the service.")
@click.option("--ca", metavar="F", help="CA certificates (PEM) for its TLS, in place of the system's.")
@click.option("--runtime-data", metavar="F", help="The attester's data whose hash the evidence holds.")
@click.option(
    "--runtime-data-type", type=HELD_DATA_TYPE, default="Binary", show_default=True, help="How it is claimed."
)
@click.option("--init-time-data", metavar="F", help="Data whose hash was configured at launch.")
@click.option("--init-time-data-type", type=HELD_DATA_TYPE, default="Binary", show_default=True, help="As above.")
@click.option("--event-log", metavar="F", help="Event log of a confidential machine's boot (CCEL).")
@click.option("--draft-policy", metavar="F", help="Rehearse this policy: the answer is an unsigned result.")
@click.option("--nonce", metavar="N", help="Copied into the token.")
@click.option("--guest-key", metavar="F", help="Private key (PEM) that opens a sealed answer.")
@click.option("--explain", is_flag=True, help="Ask for the verdict, check by check.")
@click.option("--verify", "verified", is_flag=True, help="Verify the token before it is printed.")
@click.option("--allow-unsafe", type=MARKS, default=frozenset(), help="Unsafe marks that --verify tolerates.")
@click.option("--json", "as_json", is_flag=True, help="For programs: token, decoded header and payload, verdict.")
@click.pass_context
def attest(ctx: click.Context, **options: Unpack[_Options]) -> None:
    _require_consistent(options)
    if options["local"] and options["url"] is None and options["out"] is None:
        usable = show_machine(Path(options["root"]), as_json=options["as_json"])
        ctx.exit(ACCEPTED if usable else UNDECIDED)
    kind, submission = _find_submission(options)
    if options["out"] is not None:
        write_body(Path(options["out"]), kind, submission)
        ctx.exit(ACCEPTED)
    _send(ctx, kind, submission, options)


def _require_consistent(options: _Options) -> None:
    """Raises `click.UsageError` for options that exclude or need each other."""
    if options["local"]:
        if options["file"] is not None:
            raise click.UsageError("--local makes the evidence: name no FILE")
        if options["out"] is not None and options["url"] is not None:
            raise click.UsageError("--out sends nothing: name no --url")
        return
    if options["kind"] is None or options["file"] is None:
        raise click.UsageError("TYPE and FILE are needed, or --local")
    if options["url"] is None:
        raise click.UsageError("--url is needed")
    if options["source"] or options["privilege_level"] is not None or options["out"]:
        raise click.UsageError("--source, --privilege-level and --out go with --local")


def _send(ctx: click.Context, kind: AnyEvidenceType, submission: Submission, options: _Options) -> None:
    opening = None if options["guest_key"] is None else read_decryption_key(options["guest_key"])
    with Client(options["url"] or "", ca_file=None if options["ca"] is None else Path(options["ca"])) as client:
        try:
            answer = client.submit(kind.name, submission, explain=options["explain"])
            if opening is not None:
                answer = replace(answer, token=open_answer(answer.token, opening))
            if options["verified"]:
                _verify(client, answer, options["allow_unsafe"])
        except ServiceRefused as error:
            _show_refusal(error, as_json=options["as_json"])
            undecided = error.status >= 500 or error.status in _NOT_A_REFUSAL
            ctx.exit(UNDECIDED if undecided else REJECTED)
        except TokenRejected as error:
            complain(f"the service's token is refused ({error.reason}): {error.message}")
            ctx.exit(REJECTED)
    _show_answer(answer, as_json=options["as_json"])
    ctx.exit(ACCEPTED)


def _find_submission(options: _Options) -> tuple[AnyEvidenceType, Submission]:
    """The evidence of this machine, or that of the file, with what the options add."""
    held = HeldDataFiles(
        read_held_data(options["runtime_data"], options["runtime_data_type"], "runtimeData"),
        read_held_data(options["init_time_data"], options["init_time_data_type"], "initTimeData"),
        options["nonce"],
        None if options["draft_policy"] is None else read_text(options["draft_policy"]),
        None if options["event_log"] is None else read_option_file(options["event_log"]),
    )
    kind, file = options["kind"], options["file"]
    if kind is None or file is None:
        wanted = Wanted(kind, options["source"], options["privilege_level"], Path(options["root"]))
        return make_submission(wanted, held)
    try:
        return kind, read_submission(kind, read_file(file), held)
    except (FileUnreadable, LimitExceeded, MalformedRequest) as error:
        raise click.UsageError(str(error)) from error


def _verify(client: Client, answer: Answer, allowed: frozenset[str]) -> None:
    verify_token(answer.token, issuer=client.url, keys=client.key_set(), at=clock.now(), allow_unsafe=allowed)
    note("verified: signed by the issuer, valid now")


def _show_answer(answer: Answer, *, as_json: bool) -> None:
    if is_sealed(answer.token):
        _show_sealed(answer, as_json=as_json)
        return
    if as_json:
        jws = parse_jws(answer.token)
        show_json(
            {
                "token": answer.token,
                "header": dict(jws.header),
                "payload": strict_json.decode_object(jws.payload),
                "verdict": _encode(answer.verdict),
            }
        )
        return
    if answer.verdict:
        for check in answer.verdict:
            note(f"{check.outcome or '-'}: {check.target}")
    say(answer.token)


def _show_sealed(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        show_json({"sealed": answer.token, "verdict": _encode(answer.verdict)})
        return
    note("sealed to the guest's key: only its virtual TPM opens it (--guest-key, where the key is at hand)")
    say(answer.token)


def _encode(checks: tuple[FailedCheck, ...]) -> list[JsonValue]:
    return [dict(asdict(check)) for check in checks]


def _show_refusal(error: ServiceRefused, *, as_json: bool) -> None:
    checks = tuple(check for check in error.details if isinstance(check, FailedCheck))
    if as_json:
        show_json(
            {
                "token": None,
                "status": error.status,
                "code": error.error_code,
                "message": str(error),
                "details": _encode(checks),
            }
        )
        return
    complain(f"the service refused: {error.message}")
    for check in checks:
        if check.outcome in ("failed", "missing", ""):
            complain_tree(node(f"{check.target} ({check.code})", "bad", _explain(check)))


def _explain(check: FailedCheck) -> tuple[Node, ...]:
    parts = (
        ("observed", check.observed),
        ("expected", check.expected),
        ("reference", check.reference),
        ("what to do", check.message),
    )
    return tuple(Node((Span(f"{name}: ", "dim"), Span(text))) for name, text in parts if text)
