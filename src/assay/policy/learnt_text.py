"""The text of a learnt policy, with the choices that were made as comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assay.claims import ClaimValue, Issuer
from assay.policy.layout import format_policy

Values = tuple[tuple[str, ClaimValue], ...]


@dataclass(frozen=True, slots=True)
class Attester:
    """One combination of pinned values, the samples that had it, and the security versions they reached.

    `stated` are claims that must be there, with a value that a rule for all judges; `absent` must not be there.
    """

    samples: tuple[str, ...]
    pinned: Values
    minimum: Values
    safe: Values
    stated: tuple[str, ...]
    absent: tuple[str, ...]

    @property
    def size(self) -> int:
        """How many conditions its rule has."""
        return len(self.pinned) + len(self.minimum) + len(self.safe) + len(self.stated) + len(self.absent)


@dataclass(frozen=True, slots=True)
class Learnt:
    """What was learnt: attesters, what is asked of all of them, and why; `foreign` are claims that no sample had."""

    samples: tuple[str, ...]
    attesters: tuple[Attester, ...]
    why: Mapping[str, str]
    safe: Mapping[str, ClaimValue]
    any_of: Mapping[str, tuple[ClaimValue, ...]]
    foreign: tuple[str, ...]
    left_out: Mapping[str, str]
    test_issuer: bool


def render(learnt: Learnt) -> str:
    """The policy text in the fixed layout; version 1.2 only where a claim's absence tells attesters apart."""
    version = "1.2" if any(one.absent for one in learnt.attesters) else "1.0"
    lines = (*_header(learnt), "", f"version={version};", "authorizationrules {", *_denials(learnt), *_permits(learnt))
    return format_policy("\n".join((*lines, "};", "")))


def _header(learnt: Learnt) -> Iterator[str]:
    count = len(learnt.samples)
    yield f"// Learnt from {count} piece{'s' if count > 1 else ''} of known-good evidence:"
    yield from (f"//   {_plain(name)}" for name in learnt.samples)
    yield "// It admits evidence with the values below and security versions no lower, and nothing else."
    yield "//"
    yield "// Every claim that is tested, and why:"
    yield from (f"//   {name}: {why}" for name, why in learnt.why.items())
    if learnt.left_out:
        yield "// Claims that are not tested, and why:"
        yield from (f"//   {name}: {why}" for name, why in learnt.left_out.items())


def _denials(learnt: Learnt) -> Iterator[str]:
    if learnt.safe:
        yield "// Debuggable environments keep no secret."
        yield from (f"[{_test('type', name)}, {_differs(safe)}] => deny();" for name, safe in learnt.safe.items())
        yield ""
    if learnt.any_of:
        yield "// The state of the platform: whatever the known-good evidence had. Add a value to admit more."
        for name, values in learnt.any_of.items():
            yield f"[{_test('type', name)}, {', '.join(map(_differs, values))}] => deny();"
        yield ""
    if learnt.foreign:
        yield "// Claims that none of the evidence had: what carries one is something else."
        yield from (f"[{_test('type', name)}] => deny();" for name in learnt.foreign)
        yield ""


def _permits(learnt: Learnt) -> Iterator[str]:
    issuer = f", {_test('issuer', Issuer.SERVICE.value)}" if learnt.test_issuer else ""
    for one in learnt.attesters:
        yield f"// {', '.join(map(_plain, one.samples))}"
        conditions = [
            *(f"[{_test('type', name)}, {_test('value', value)}{issuer}]" for name, value in one.pinned),
            *(f"[{_test('type', name)}, value>={value}{issuer}]" for name, value in one.minimum),
            *(f"[{_test('type', name)}, {_test('value', value)}{issuer}]" for name, value in one.safe),
            *(f"[{_test('type', name)}{issuer}]" for name in one.stated),
            *(f"![{_test('type', name)}{issuer}]" for name in one.absent),
        ]
        yield f"{' && '.join(conditions)} => permit();"
        yield ""


def _test(claim_property: str, value: ClaimValue) -> str:
    return f"{claim_property}=={_literal(value)}"


def _differs(value: ClaimValue) -> str:
    return f"value!={_literal(value)}"


def _literal(value: ClaimValue) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value).lower()


def _plain(name: str) -> str:
    """A name on one line of a comment."""
    return "".join(character if character.isprintable() else "?" for character in name)
