"""The file of trusted issuers, `assay serve --authentication FILE` (TOML)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, NoReturn

from assay.errors import ConfigurationError
from assay.service.access.roles import EVERY_PROVIDER, Grant, Role
from assay.service.access.terms import ALGORITHMS, SKEW, GrantRule, TokenTerms
from assay.service.access.trusted_issuer import TrustedIssuer, UnsafeAddress, require_safe

_ISSUER_REQUIRED: Final = ("url", "audiences", "grant")
_ISSUER_OPTIONAL: Final = ("algorithms", "jwks_uri", "skew_seconds", "ca_file", "subject_claim")
_GRANT_REQUIRED: Final = ("claim", "value", "role")
_GRANT_OPTIONAL: Final = ("provider",)
# Own: what a clock may be wrong by before somebody should mend it (TOK-09).
_MOST_SKEW_SECONDS: Final = 300
_PROVIDER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
# It stands between quotation marks in WWW-Authenticate.
_AUDIENCE: Final = re.compile(r"[!#-\[\]-~]{1,512}\Z")


@dataclass(frozen=True, slots=True)
class _Table:
    """Typed access to one table; every error names the file, the table and the key."""

    place: str
    members: Mapping[str, object]

    def require(self, required: tuple[str, ...], optional: tuple[str, ...]) -> None:
        missing = [name for name in required if name not in self.members]
        if missing:
            raise ConfigurationError(f"{self.place}: missing: {', '.join(missing)}")
        unknown = [name for name in self.members if name not in (*required, *optional)]
        if unknown:
            known = ", ".join((*required, *optional))
            raise ConfigurationError(f"{self.place}: unknown: {', '.join(unknown)} (known: {known})")

    def fail(self, key: str, problem: str) -> NoReturn:
        raise ConfigurationError(f"{self.place}: {key}: {problem}")

    def text(self, key: str) -> str:
        value = self.members[key]
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            self.fail(key, "not a printable text, or empty")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.members[key]
        if not isinstance(value, list) or not value:
            self.fail(key, "a list of at least one text is needed")
        found = tuple(text for text in value if isinstance(text, str) and text.strip())
        if len(found) != len(value) or len(set(found)) != len(found):
            self.fail(key, "something that is not a text, is empty, or stands there twice")
        return found

    def tables(self, key: str, heading: str) -> tuple[Mapping[str, object], ...]:
        value = self.members[key]
        if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
            self.fail(key, f"at least one table {heading} is needed")
        return tuple(value)

    def claim(self, key: str) -> str:
        name = self.text(key)
        if "." in name and not name.startswith(("https://", "http://")):
            # A path into nested objects would silently grant nothing, or, guessed wrongly, too much.
            self.fail(key, f"{name!r}: members inside others are not read; let the issuer put it at the top level")
        return name


def read_issuers(file: Path, *, base_url: str) -> tuple[TrustedIssuer, ...]:
    """The issuers of the file, at least one; `base_url` is this service's own, which is no issuer of bearer tokens.

    A relative `ca_file` is beside the file. Raises `ConfigurationError`, which says what is missing or wrong and where.
    """
    root = _Table(str(file), _load(file))
    root.require(("issuer",), ())
    issuers = tuple(
        _read_issuer(_Table(f"{file}: [[issuer]] {number}", table), file.parent)
        for number, table in enumerate(root.tables("issuer", "[[issuer]]"), 1)
    )
    urls = [issuer.url for issuer in issuers]
    if len(set(urls)) != len(urls):
        root.fail("issuer", "two tables have the same url")
    own = f"{base_url.rstrip('/')}/"
    if any(f"{url}/".startswith(own) for url in urls):
        root.fail("issuer", f"{base_url} is this service itself: attestation tokens are no bearer tokens")
    return issuers


def _load(file: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"--authentication: {error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: not TOML: {error}") from error


def _read_issuer(table: _Table, directory: Path) -> TrustedIssuer:
    table.require(_ISSUER_REQUIRED, _ISSUER_OPTIONAL)
    url = _read_address(table, "url")
    if "?" in url:
        table.fail("url", "an issuer has no query")
    terms = TokenTerms(
        issuer=url,
        audiences=_read_audiences(table),
        algorithms=_read_algorithms(table),
        rules=tuple(
            _read_grant(_Table(f"{table.place} [[issuer.grant]] {number}", grant))
            for number, grant in enumerate(table.tables("grant", "[[issuer.grant]]"), 1)
        ),
        skew=_read_skew(table),
        subject_claim=table.claim("subject_claim") if "subject_claim" in table.members else "sub",
    )
    key_set_url = _read_address(table, "jwks_uri") if "jwks_uri" in table.members else None
    return TrustedIssuer(terms, key_set_url, _read_ca_file(table, directory))


def _read_address(table: _Table, key: str) -> str:
    address = table.text(key)
    try:
        return require_safe(address, loopback=True)
    except UnsafeAddress as error:
        table.fail(key, f"{address!r}: {error}")


def _read_audiences(table: _Table) -> tuple[str, ...]:
    audiences = table.texts("audiences")
    if not all(map(_AUDIENCE.match, audiences)):
        table.fail("audiences", "printable ASCII without spaces, quotation marks and backslashes")
    return audiences


def _read_algorithms(table: _Table) -> tuple[str, ...]:
    if "algorithms" not in table.members:
        return ("RS256",)
    algorithms = table.texts("algorithms")
    for name in algorithms:
        if name not in ALGORITHMS:
            table.fail("algorithms", f"{name!r} is none of {', '.join(ALGORITHMS)}")
    return algorithms


def _read_skew(table: _Table) -> timedelta:
    seconds = table.members.get("skew_seconds", SKEW.seconds)
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= _MOST_SKEW_SECONDS:
        table.fail("skew_seconds", f"a whole number from 0 to {_MOST_SKEW_SECONDS}")
    return timedelta(seconds=seconds)


def _read_ca_file(table: _Table, directory: Path) -> Path | None:
    if "ca_file" not in table.members:
        return None
    file = directory / table.text("ca_file")
    if not file.is_file():
        table.fail("ca_file", f"{file} is not a file")
    return file


def _read_grant(table: _Table) -> GrantRule:
    table.require(_GRANT_REQUIRED, _GRANT_OPTIONAL)
    role = _read_role(table)
    return GrantRule(table.claim("claim"), table.text("value"), Grant(role, _read_provider(table, role)))


def _read_role(table: _Table) -> Role:
    name = table.text("role")
    found = next((role for role in Role if role.value == name), None)
    if found is None:
        table.fail("role", f"{name!r} is none of {', '.join(role.value for role in Role)}")
    return found


def _read_provider(table: _Table, role: Role) -> str:
    if "provider" not in table.members:
        if role is Role.OPERATOR:
            return EVERY_PROVIDER
        raise ConfigurationError(f"{table.place}: missing: provider (a provider's id, or '*' for all)")
    provider = table.text("provider")
    if role is Role.OPERATOR and provider != EVERY_PROVIDER:
        table.fail("provider", "an operator is one for every provider: leave it out, or '*'")
    if provider != EVERY_PROVIDER and not _PROVIDER.match(provider):
        table.fail("provider", f"{provider!r} is neither the id of a provider nor '*'")
    return provider
