"""`assay pcr predict`: PCRs after a log, after a changed log, or after measurements given one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from assay.cli.failures import ACCEPTED, UNDECIDED, complain
from assay.cli.files import decode_spelling, read_option_file
from assay.cli.terminal import say, show_json
from assay.errors import AssayError
from assay.evidence._tcg.algorithms import STRONG_HASHES, HashAlgorithm
from assay.evidence._tcg.event_log import Event, EventLog, LogForm, parse_event_log
from assay.evidence._tcg.event_types import EFI_ACTION
from assay.evidence._tcg.pcrs import PCR_COUNT
from assay.evidence._tcg.replay import replay

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.formats.strict_json import JsonValue

_HELP: Final = """Print the PCRs that a TPM has after a boot, to write policies and reference values before it happens.

LOG is the event log of a machine (raw, hex or base64; on Linux
/sys/kernel/security/tpm0/binary_bios_measurements). It may be changed on the way, or left out: then all PCRs start as
after a reset.

\b
Examples:
  assay pcr predict boot.log
  assay pcr predict boot.log --data 12=SecureBoot-off.bin --pcr 7
  assay pcr predict boot.log --leave-out 31 --digest 4=<Authenticode hash of the new image>
  assay pcr predict --bank sha384 --extend 8=cmdline.txt --policy

Exit codes: 0 predicted; 2 the log or an option cannot be used.
"""
_BANKS: Final = {algorithm.label.lower(): algorithm for algorithm in (HashAlgorithm.SHA1, *sorted(STRONG_HASHES))}


def _placed(what: str) -> Callable[[click.Context, click.Parameter, tuple[str, ...]], tuple[tuple[int, str], ...]]:
    """Values of the form NUMBER=TEXT."""

    def read(
        _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
    ) -> tuple[tuple[int, str], ...]:
        placed: list[tuple[int, str]] = []
        for value in values:
            number, equals, text = value.partition("=")
            if not number.isdigit() or not equals or not text:
                raise click.BadParameter(f"{value!r} is not {what}")
            placed.append((int(number), text))
        return tuple(placed)

    return read


@click.command(help=_HELP)
@click.argument("log", metavar="[LOG]", required=False)
@click.option("--bank", type=click.Choice(tuple(_BANKS)), default="sha256", show_default=True, help="The hash.")
@click.option("--pcr", "pcrs", type=click.IntRange(0, PCR_COUNT - 1), multiple=True, help="Only these PCRs.")
@click.option("--up-to", type=int, help="Stop after this event (its number in inspect).")
@click.option("--leave-out", type=int, multiple=True, help="An event that will not happen.")
@click.option(
    "--data",
    metavar="EVENT=FILE",
    multiple=True,
    callback=_placed("EVENT=FILE"),
    help="An event that will measure the content of a file.",
)
@click.option(
    "--extend",
    metavar="PCR=FILE",
    multiple=True,
    callback=_placed("PCR=FILE"),
    help="One more measurement at the end: the content of a file.",
)
@click.option(
    "--digest",
    metavar="PCR=HEX",
    multiple=True,
    callback=_placed("PCR=HEX"),
    help="One more measurement at the end, after those of --extend: a digest.",
)
@click.option("--policy", is_flag=True, help="As rules of an appraisal policy.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def predict(ctx: click.Context, /, log: str | None, bank: str, pcrs: tuple[int, ...], **options: object) -> None:
    algorithm = _BANKS[bank]
    try:
        parsed = _start(algorithm) if log is None else parse_event_log(decode_spelling(read_option_file(log)))
        changed = _Change(parsed, algorithm).apply(options)
        values = replay(changed, algorithm).values
    except AssayError as error:
        complain(str(error))
        ctx.exit(UNDECIDED)
    used = sorted(set(pcrs) or {event.pcr for event in changed.events if event.is_extended})
    _show(bank, {pcr: values[pcr].hex() for pcr in used}, options)
    ctx.exit(ACCEPTED)


def _start(algorithm: HashAlgorithm) -> EventLog:
    """No boot at all."""
    return EventLog(LogForm.CRYPTO_AGILE, (int(algorithm),), (), 0)


class _Change:
    """A log with the changes of the options."""

    def __init__(self, log: EventLog, algorithm: HashAlgorithm) -> None:
        if algorithm not in log.algorithms:
            raise click.UsageError(f"the log has no bank {algorithm.label.lower()}")
        self._log, self._algorithm = log, algorithm

    def apply(self, options: dict[str, object]) -> EventLog:
        up_to, left_out = options["up_to"], _numbers(options["leave_out"])
        data = {number: read_option_file(name) for number, name in _pairs(options["data"])}
        for number in (*left_out, *data):
            self._require_event(number)
        if isinstance(up_to, int):
            self._require_event(up_to)
        kept = [
            self._with(event, data)
            for event in self._log.events
            if event.sequence not in left_out and not (isinstance(up_to, int) and event.sequence > up_to)
        ]
        more = [
            self._more(pcr, self._algorithm.digest(read_option_file(name))) for pcr, name in _pairs(options["extend"])
        ]
        more += [self._more(pcr, self._digest(text)) for pcr, text in _pairs(options["digest"])]
        return self._log._replace(events=(*kept, *more))

    def _require_event(self, number: int) -> None:
        if not 0 <= number < len(self._log.events):
            raise click.UsageError(f"the log has no event {number}")
        if not self._log.events[number].is_extended:
            raise click.UsageError(f"event {number} is measured into no PCR")

    def _with(self, event: Event, data: dict[int, bytes]) -> Event:
        content = data.get(event.sequence)
        if content is None:
            return event
        return event._replace(digests={self._algorithm: self._algorithm.digest(content)}, data=content)

    def _more(self, pcr: int, digest: bytes) -> Event:
        if pcr >= PCR_COUNT:
            raise click.UsageError(f"there is no PCR {pcr}")
        return Event(len(self._log.events), pcr, EFI_ACTION, {self._algorithm: digest}, b"")

    def _digest(self, text: str) -> bytes:
        size = self._algorithm.digest_size
        try:
            digest = bytes.fromhex(text)
        except ValueError as error:
            raise click.UsageError(f"{text!r} is not hex") from error
        if len(digest) != size:
            raise click.UsageError(f"a digest of {len(digest)} octets, {self._algorithm.label.lower()} has {size}")
        return digest


def _numbers(value: object) -> tuple[int, ...]:
    return tuple(one for one in value if isinstance(one, int)) if isinstance(value, tuple) else ()


def _pairs(value: object) -> tuple[tuple[int, str], ...]:
    return value if isinstance(value, tuple) else ()


def _show(bank: str, values: dict[int, str], options: dict[str, object]) -> None:
    if options["as_json"]:
        listed: dict[str, JsonValue] = {str(pcr): value for pcr, value in values.items()}
        show_json({bank: listed})
    elif options["policy"]:
        say(policy_of(bank, values))
    else:
        say(f"{bank}:")
        for pcr, value in values.items():
            say(f"  {pcr:<2}: 0x{value}")


def policy_of(bank: str, values: dict[int, str]) -> str:
    """A policy that permits a TPM whose PCRs are as predicted."""
    lines = ["version=1.2;", "authorizationrules", "{"]
    for pcr, value in values.items():
        query = f"PCRs[? Index == `{pcr}`].Digests.{bank.upper()} | @[0] == '{value}'"
        lines += [
            '    c:[type=="pcrs", issuer=="AttestationService"] =>',
            f'        add(type="pcr{pcr}AsPredicted", value=JsonToClaimValue(JmesPath(c.value, "{query}")));',
        ]
    # The issuer belongs to it: callers send claims of their own under any name.
    conditions = " &&\n    ".join(
        f'[type=="pcr{pcr}AsPredicted", value==true, issuer=="AttestationPolicy"]' for pcr in values
    )
    return "\n".join([*lines, f"    {conditions} => permit();", "};", "issuancerules", "{", "};"])
