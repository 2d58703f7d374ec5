"""The operator's own secure boot keys: `secure_boot_keys.json` in a trust directory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from assay import limits
from assay.errors import ConfigurationError
from assay.evidence._tcg.secure_boot_keys import extend_references
from assay.formats import strict_json
from assay.formats.strict_json import JsonError, JsonValue

NAME: Final = "secure_boot_keys.json"


def read_secure_boot_keys(path: Path) -> Mapping[str, tuple[str, ...]]:
    """Digests by variable (`PK`, `KEK`, `db`, `dbx`) in the files of this name at or below a path; none is no error.

    Raises `ConfigurationError` for a file that is not such a list: it would silently trust less than was meant.
    """
    found: dict[str, tuple[str, ...]] = {}
    for file in sorted(path.rglob(NAME)) if path.is_dir() else [path] if path.name == NAME else []:
        for variable, digests in _read(file).items():
            found[variable] = (*found.get(variable, ()), *digests)
    return found


def _read(file: Path) -> Mapping[str, tuple[str, ...]]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"--trust: {file}: {error.strerror}") from error
    if len(content) > limits.COLLATERAL_JSON:
        raise ConfigurationError(f"--trust: {file}: more than {limits.COLLATERAL_JSON} octets")
    try:
        members = strict_json.decode_object(content)
    except JsonError as error:
        raise ConfigurationError(f"--trust: {file}: {error}") from error
    keys = {variable: _digests(file, variable, value) for variable, value in members.items()}
    extend_references(keys)
    return keys


def _digests(file: Path, variable: str, value: JsonValue) -> tuple[str, ...]:
    digests = tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
    if not isinstance(value, list) or len(digests) != len(value):
        raise ConfigurationError(f"--trust: {file}: {variable} is no array of digests")
    return digests
