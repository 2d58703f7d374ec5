"""The settings of `assay serve` from its options, with the defaults that depend on one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from assay.collateral.settings import AMD_SERVICE, INTEL_SERVICE, CollateralSettings
from assay.errors import ConfigurationError
from assay.evidence.base import PlatformRules
from assay.service.access import TrustedIssuer, read_issuers
from assay.service.audit import AuditMode
from assay.service.config import (
    Settings,
    default_state_dir,
    read_algorithm,
    read_base_url,
    read_provider_url,
    read_rules,
    read_sealing_key,
)
from assay.service.tls import write_private
from assay.store import SealingKey, default_database_url


@dataclass(frozen=True, slots=True)
class _Options:
    """Typed access to the options of the command line."""

    values: Mapping[str, object]

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        return None if value is None else str(value)

    def path(self, name: str) -> Path | None:
        value = self.text(name)
        return None if value is None else Path(value)

    def paths(self, name: str) -> tuple[Path, ...]:
        return tuple(map(Path, self.texts(name)))

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.values.get(name) or ()
        return tuple(map(str, value)) if isinstance(value, tuple | list) else (str(value),)

    def flag(self, name: str) -> bool:
        return bool(self.values.get(name))

    def number(self, name: str, default: int) -> int:
        value = self.values.get(name)
        return value if isinstance(value, int) else default


def settings_from_options(values: Mapping[str, object]) -> Settings:
    """Settings that are consistent; raises `ConfigurationError` with what is missing or contradicts."""
    from assay.service.server import free_port  # noqa: PLC0415  # the server imports the settings

    options = _Options(values)
    host = options.text("host") or "127.0.0.1"
    port = options.number("port", 8443) or free_port(host)
    state_dir = _state_dir(options)
    base_url = _base_url(options, port)
    return Settings(
        host=host,
        port=port,
        base_url=base_url,
        provider_url=read_provider_url(options.text("provider_url")),
        issuers=_issuers(options, base_url),
        audit=AuditMode(options.text("audit") or "wait"),
        audit_retention=_days(options.number("audit_retention", 0)),
        database_url=options.text("database_url") or default_database_url(state_dir),
        state_dir=state_dir,
        workers=options.number("workers", 1),
        tls_cert=options.path("tls_cert"),
        tls_key=options.path("tls_key"),
        trust=options.paths("trust"),
        collateral=_existing(options.paths("collateral")),
        vendor_url=_vendor(options.text("vendor_url")),
        amd_url=_amd(options.text("amd_url")),
        vendor_ca=options.path("vendor_ca"),
        vendor_proxy=options.text("vendor_proxy"),
        offline=options.flag("offline"),
        channel="early" if options.text("channel") == "early" else "standard",
        rules=_rules(options),
        algorithm=read_algorithm(options.text("algorithm") or "RS256"),
        token_lifetime=_minutes(options, "token_lifetime", 480),
        report_lifetime=_minutes(options, "report_lifetime", 1440),
        trusted_proxies=options.texts("trusted_proxy"),
        dev=options.flag("dev"),
        unsafe_verify_at=_time(options.text("unsafe_verify_at")),
        unsafe_no_revocation=options.flag("unsafe_no_revocation"),
        sealing_key=_sealing_key(options, state_dir),
    )


def _sealing_key(options: _Options, state_dir: Path) -> str:
    key = read_sealing_key(options.path("sealing_key_file"))
    return key or (_dev_sealing_key(state_dir) if options.flag("dev") else "")


def _base_url(options: _Options, port: int) -> str:
    given = options.text("base_url")
    if given is None and not options.flag("dev"):
        raise ConfigurationError("--base-url is required: tokens name it as their issuer (with --dev it has a default)")
    return read_base_url(given or f"https://localhost:{port}")


def _issuers(options: _Options, base_url: str) -> tuple[TrustedIssuer, ...]:
    file = options.path("authentication")
    return () if file is None else read_issuers(file, base_url=base_url)


def _rules(options: _Options) -> PlatformRules:
    strict, deny_debug = options.flag("strict"), options.flag("deny_debug")
    return read_rules(options.text("accept_tcb"), options.path("platform_rules"), strict=strict, deny_debug=deny_debug)


def _state_dir(options: _Options) -> Path:
    """Where the service keeps its files; made when it is missing."""
    state_dir = options.path("state_dir") or default_state_dir()
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return state_dir


def _minutes(options: _Options, name: str, default: int) -> timedelta:
    return timedelta(minutes=options.number(name, default))


def _days(number: int) -> timedelta | None:
    return timedelta(days=number) if number else None


def _existing(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    for path in paths:
        if not path.is_dir():
            raise ConfigurationError(f"--collateral: {path} is not a directory")
    return paths


def _vendor(url: str | None) -> str:
    if url is None:
        return INTEL_SERVICE
    try:
        return CollateralSettings(base_url=url).base_url
    except ConfigurationError as error:
        raise ConfigurationError(f"--vendor-url: {error.message}") from error


def _amd(url: str | None) -> str:
    if url is None:
        return AMD_SERVICE
    try:
        return CollateralSettings(amd_url=url).amd_url
    except ConfigurationError as error:
        raise ConfigurationError(f"--amd-url: {error.message}") from error


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromtimestamp(int(text), UTC) if text.isdecimal() else datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError) as error:
        raise ConfigurationError(f"--unsafe-verify-at: {text!r} is not a time like 2025-06-21T10:56:11Z") from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _dev_sealing_key(state_dir: Path) -> str:
    """The development sealing key, made once in the state directory."""
    path = state_dir / "dev" / "sealing.key"
    if not path.exists() or not path.stat().st_size:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # In one step: a start that is killed here must not leave an empty key behind.
        write_private(path, f"{SealingKey.generate_text()}\n".encode("ascii"))
    return path.read_text(encoding="ascii").strip()
