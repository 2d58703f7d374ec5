"""A judgement as people read it: a tree of checks, the decisive one explained, then what the evidence says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assay.cli.failures import ACCEPTED, REJECTED, UNDECIDED
from assay.cli.terminal import Node, Span, is_unicode, node, say, show_table, show_tree
from assay.verdict import Outcome, encode_entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from assay.cli.judgement import Judgement
    from assay.formats.strict_json import JsonValue
    from assay.verdict import Entry, Verdict

_MARKS: Final = {
    Outcome.PASSED: ("\u2713", "ok", "good"),
    Outcome.FAILED: ("\u2717", "FAILED", "bad"),
    Outcome.MISSING: ("?", "MISSING", "warn"),
    Outcome.NOT_APPLICABLE: ("-", "n/a", "dim"),
    Outcome.NOT_REACHED: ("\u00b7", "..", "dim"),
}
_WORDS: Final = {ACCEPTED: ("accepted", "good"), REJECTED: ("rejected", "bad"), UNDECIDED: ("not decided", "warn")}
# Of the mark that a group shows, the gravest of its checks first.
_GRAVITY: Final = (
    Outcome.FAILED,
    Outcome.MISSING,
    Outcome.NOT_REACHED,
    Outcome.PASSED,
    Outcome.NOT_APPLICABLE,
)
_VALUE: Final = 160
# A check of the type's own has at most so many parts in its name.
_OWN_PARTS: Final = 3
# Groups of which nothing happened are counted when they are long.
_SILENT: Final = (Outcome.NOT_APPLICABLE, Outcome.NOT_REACHED)
_MANY: Final = 12


def show_judgement(judgement: Judgement) -> None:
    """One judgement on standard output."""
    word, style = _WORDS[judgement.exit_code]
    code = f" ({judgement.code})" if judgement.code else ""
    head = (Span(judgement.file, "strong"), Span(": "), Span(f"{word}{code}", style))
    if judgement.verdict is None:
        show_tree(Node(head, (node(judgement.message),)))
        return
    show_tree(Node(head, tuple(_groups(judgement.verdict))))
    _show_decisive(judgement)
    if judgement.tcb_status is not None:
        say(f"TCB status: {judgement.tcb_status}; advisories: {', '.join(judgement.advisory_ids) or 'none'}")
    if judgement.claims:
        show_tree(node("claims", "strong", claim_nodes(judgement.claims)))


def _groups(verdict: Verdict) -> Iterable[Node]:
    grouped: dict[str, list[Entry]] = {}
    for entry in verdict:
        grouped.setdefault(_group(entry), []).append(entry)
    for name, entries in grouped.items():
        outcome = min((entry.outcome for entry in entries), key=_GRAVITY.index)
        line = (*_mark(outcome), Span(name))
        if outcome in (Outcome.FAILED, Outcome.MISSING):
            yield Node(line, tuple(map(_check, entries)))
            continue
        alike = [_short(entry) for entry in entries if entry.outcome is outcome]
        names = f"{len(alike)} checks" if outcome in _SILENT and len(alike) > _MANY else ", ".join(alike)
        rest = ", ".join(
            f"{_short(entry)} ({entry.outcome.value})" for entry in entries if entry.outcome is not outcome
        )
        yield Node((*line, Span(f": {names}", "dim"), Span(f"; {rest}" if rest else "", "dim")))


def _group(entry: Entry) -> str:
    """The first part of a check's name; the first two where the check is another type's, inside this one's evidence."""
    parts = entry.check.name.split(".")
    return ".".join(parts[:2]) if len(parts) > _OWN_PARTS else parts[0]


def _short(entry: Entry) -> str:
    return entry.check.name[len(_group(entry)) + 1 :]


def _check(entry: Entry) -> Node:
    line = (*_mark(entry.outcome), Span(_short(entry)))
    if entry.outcome not in (Outcome.FAILED, Outcome.MISSING):
        return Node(line)
    encoded = encode_entry(entry)
    parts = (("observed", "observed"), ("expected", "expected"), ("reference", "reference"), ("what to do", "remedy"))
    return Node(line, tuple(Node((Span(f"{shown}: ", "dim"), Span(encoded[name]))) for shown, name in parts))


def _mark(outcome: Outcome) -> tuple[Span, Span]:
    unicode, ascii_, style = _MARKS[outcome]
    return Span(unicode if is_unicode() else ascii_, style), Span(" ")


def _show_decisive(judgement: Judgement) -> None:
    if judgement.missing:
        say("could not be decided; missing:", "warn")
        for document in judgement.missing:
            say(f"  {document}")
        say("give directories that hold them with --endorsements")


def claim_nodes(claims: Mapping[str, JsonValue]) -> Iterable[Node]:
    """Claims as lines of a tree, long values cut."""
    for name, value in claims.items():
        text = ", ".join(map(_value, value)) if isinstance(value, list) else _value(value)
        yield Node((Span(f"{name}: ", "dim"), Span(text if len(text) <= _VALUE else f"{text[:_VALUE]}...")))


def _value(value: JsonValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def show_summary(judgements: Sequence[Judgement]) -> None:
    """A table of several judgements on standard output."""
    rows = []
    for judgement in judgements:
        word, style = _WORDS[judgement.exit_code]
        rows.append(
            (Span(judgement.file), Span(word, style), Span(judgement.tcb_status or "-"), Span(judgement.code or "-"))
        )
    show_table(("FILE", "JUDGEMENT", "TCB STATUS", "CODE"), rows)
    say(", ".join(f"{sum(one.exit_code == code for one in judgements)} {word}" for code, (word, _) in _WORDS.items()))


def tally(judgements: Sequence[Judgement]) -> dict[str, int]:
    """How many were accepted, rejected, undecided; for programs."""
    codes = [judgement.exit_code for judgement in judgements]
    return {
        "accepted": codes.count(ACCEPTED),
        "rejected": codes.count(REJECTED),
        "undecided": codes.count(UNDECIDED),
    }
