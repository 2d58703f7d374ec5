"""The file of platform rules, `--platform-rules FILE` (TOML): read, and shown to be a document of rules."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

from assay.errors import ConfigurationError
from assay.evidence.platform_rules import PlatformRules
from assay.evidence.rule_document import decode_rules
from assay.formats.strict_json import JsonValue


def read_rules_document(file: Path) -> dict[str, JsonValue]:
    """The rules of the file as JSON; raises `ConfigurationError` for a file that is none."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"--platform-rules: {error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: not TOML: {error}") from error
    members = {name: _encode(value, f"{file}: {name}") for name, value in document.items()}
    decode_rules(members, PlatformRules())
    return members


def read_rules_file(file: Path | None, rules: PlatformRules) -> PlatformRules:
    """The rules with those of the file, where there is one."""
    return rules if file is None else decode_rules(read_rules_document(file), rules)


def _encode(value: object, place: str) -> JsonValue:
    """A value of TOML as JSON: dates and times as text."""
    match value:
        case bool() | int() | str():
            return value
        case date():
            return value.isoformat()
        case list():
            return [_encode(each, place) for each in value]
        case dict():
            return {str(name): _encode(each, f"{place}.{name}") for name, each in value.items()}
        case _:
            raise ConfigurationError(f"{place}: a value of type {type(value).__name__}")
