"""PCR values in a file, in any of the forms that tools write."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assay.errors import MalformedEvidence
from assay.evidence._tcg.algorithms import HashAlgorithm
from assay.evidence._tcg.pcrs import PcrBank, pcr_bank
from assay.formats import strict_json
from assay.formats.strict_json import JsonError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assay.formats.strict_json import JsonValue

_WHAT: Final = "PCR values"
# tpm2_pcrread: a line `sha256:`, then lines `0 : 0x...`.
_BANK: Final = re.compile(r"\s*([a-z0-9_]+):\s*\Z", re.IGNORECASE)
_VALUE: Final = re.compile(r"\s*([0-9]{1,2})\s*:\s*(?:0x)?([0-9a-f]+)\s*\Z", re.IGNORECASE)


def parse_pcr_values(content: bytes) -> tuple[PcrBank, ...]:
    """Banks of values: `{"sha256": {"0": "<hex>"}}`, the `pcrs` claim of a policy, or what tpm2_pcrread prints.

    Raises `MalformedEvidence`.
    """
    values: dict[HashAlgorithm, list[tuple[int, bytes]]] = {}
    try:
        for bank, index, value in _read(content):
            values.setdefault(_hash(bank), []).append((int(index), bytes.fromhex(value)))
    except (ValueError, JsonError) as error:
        raise MalformedEvidence(_WHAT, str(error)) from error
    if not values:
        raise MalformedEvidence(_WHAT, "there is none")
    return tuple(pcr_bank(algorithm, listed) for algorithm, listed in values.items())


def _read(content: bytes) -> Iterable[tuple[str, str, str]]:
    if content.lstrip()[:1] != b"{":
        return _of_lines(content.decode("utf-8"))
    members = strict_json.decode_object(content)
    listed = members.get("PCRs")
    return _of_claim(listed) if isinstance(listed, list) else _of_banks(members.items())


def _of_lines(text: str) -> Iterator[tuple[str, str, str]]:
    bank = ""
    for line in text.splitlines():
        value, name = _VALUE.match(line), _BANK.match(line)
        if name is not None:
            bank = name[1]
        elif value is not None:
            yield bank, value[1], value[2]
        elif line.strip():
            raise MalformedEvidence(_WHAT, f"a line that is neither a bank nor a value: {line.strip()[:60]!r}")


def _of_claim(listed: list[JsonValue]) -> Iterator[tuple[str, str, str]]:
    for one in listed:
        digests = one.get("Digests") if isinstance(one, dict) else None
        if not isinstance(one, dict) or not isinstance(digests, dict):
            raise MalformedEvidence(_WHAT, "an entry without Index and Digests")
        for bank, value in digests.items():
            yield bank, str(one.get("Index")), str(value)


def _of_banks(members: Iterable[tuple[str, JsonValue]]) -> Iterator[tuple[str, str, str]]:
    for bank, values in members:
        if not isinstance(values, dict):
            raise MalformedEvidence(_WHAT, f"the member {bank!r} is no bank")
        for index, value in values.items():
            yield bank, index, str(value)


def _hash(name: str) -> HashAlgorithm:
    try:
        return HashAlgorithm[name.upper().replace("-", "")]
    except KeyError as error:
        raise MalformedEvidence(_WHAT, f"{name!r} is no bank") from error
