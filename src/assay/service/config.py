"""The operator's configuration of the service: options, environment, defaults, and what contradicts what."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal, cast
from urllib.parse import urlsplit

from assay.collateral.settings import AMD_SERVICE, INTEL_SERVICE
from assay.endorsements.intel.tcb import ACCEPTED_BY_DEFAULT, TcbStatus
from assay.errors import ConfigurationError
from assay.evidence.base import PlatformRules
from assay.service.access import TrustedIssuer
from assay.service.audit import AuditMode
from assay.service.rules_file import read_rules_file

Algorithm = Literal["RS256", "ES256"]
Channel = Literal["standard", "early"]
STATE_DIR: Final = "ASSAY_STATE_DIR"
SEALING_KEY: Final = "ASSAY_SEALING_KEY"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that `assay serve` was told; consistent when it exists."""

    host: str
    port: int
    base_url: str
    database_url: str
    state_dir: Path
    workers: int = 1
    tls_cert: Path | None = None
    tls_key: Path | None = None
    trust: tuple[Path, ...] = ()
    collateral: tuple[Path, ...] = ()
    vendor_url: str = INTEL_SERVICE
    amd_url: str = AMD_SERVICE
    vendor_ca: Path | None = None
    vendor_proxy: str | None = None
    offline: bool = False
    channel: Channel = "standard"
    rules: PlatformRules = field(default_factory=PlatformRules)
    algorithm: Algorithm = "RS256"
    token_lifetime: timedelta = timedelta(hours=8)
    report_lifetime: timedelta = timedelta(days=1)
    trusted_proxies: tuple[str, ...] = ()
    issuers: tuple[TrustedIssuer, ...] = ()
    provider_url: str = ""
    audit: AuditMode = AuditMode.WAIT
    audit_retention: timedelta | None = None
    dev: bool = False
    unsafe_verify_at: datetime | None = None
    unsafe_no_revocation: bool = False
    sealing_key: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not self.dev and (self.unsafe_verify_at is not None or self.unsafe_no_revocation):
            raise ConfigurationError("--unsafe-verify-at and --unsafe-no-revocation are for development: add --dev")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ConfigurationError("--tls-cert and --tls-key belong together")
        if not self.dev and self.tls_cert is None and not self.trusted_proxies:
            raise ConfigurationError(
                "no TLS: give --tls-cert and --tls-key, name the proxy that ends TLS with --trusted-proxy, or use --dev"
            )
        if not self.dev and not self.sealing_key:
            raise ConfigurationError(
                f"no key to encrypt private keys at rest: set {SEALING_KEY} to 32 random octets in base64, "
                "for example from `openssl rand -base64 32`, or use --dev"
            )
        if self.workers < 1:
            raise ConfigurationError("--workers: at least one")
        for option, lifetime in (
            ("--token-lifetime", self.token_lifetime),
            ("--report-lifetime", self.report_lifetime),
        ):
            if not timedelta(minutes=1) <= lifetime <= timedelta(days=365):
                raise ConfigurationError(f"{option}: between one minute and a year")

    @property
    def marks(self) -> tuple[str, ...]:
        """The unsafe options in force, which every token carries."""
        options = {"verify-at": self.unsafe_verify_at is not None, "no-revocation": self.unsafe_no_revocation}
        return tuple(name for name, on in options.items() if on)


def read_base_url(text: str) -> str:
    """The base URL without its trailing slash: it is `iss` to the byte (rest-api 5.3). Raises `ConfigurationError`."""
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ConfigurationError(f"--base-url: {text!r} is not a URL like https://attest.example.org")
    return text.rstrip("/")


def read_provider_url(text: str | None) -> str:
    """The pattern of providers' base URLs, with `{name}` in its host; empty for addresses under the service's own."""
    if text is None:
        return ""
    if text.count("{name}") != 1 or "{name}" not in (urlsplit(text).netloc):
        raise ConfigurationError(f"--provider-url: {text!r} is not like https://{{name}}.attest.example.org")
    return read_base_url(text)


def read_accepted_tcb(text: str) -> frozenset[TcbStatus]:
    """`any`, or statuses separated by commas, names as Intel spells them; raises `ConfigurationError`."""
    if text.strip().lower() == "any":
        return frozenset(TcbStatus)
    by_name = {status.value.lower(): status for status in TcbStatus}
    found = set()
    for name in filter(None, (piece.strip() for piece in text.split(","))):
        status = by_name.get(name.lower())
        if status is None:
            raise ConfigurationError(f"--accept-tcb: {name!r} is none of any, {', '.join(s.value for s in TcbStatus)}")
        if status is TcbStatus.REVOKED:
            raise ConfigurationError("--accept-tcb: Revoked is accepted only by the explicit word any")
        found.add(status)
    if not found:
        raise ConfigurationError("--accept-tcb: no status named")
    return frozenset(found)


def read_rules(accept_tcb: str | None, file: Path | None = None, *, strict: bool, deny_debug: bool) -> PlatformRules:
    """The platform rules of the command line and of a file; `strict` is the safe set in one word."""
    accepted = read_accepted_tcb(accept_tcb) if accept_tcb else ACCEPTED_BY_DEFAULT
    rules = PlatformRules(accepted_tcb=accepted, allow_debug=not (strict or deny_debug), strict=strict)
    return read_rules_file(file, rules)


def default_state_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the embedded database and development files live unless said otherwise."""
    if environment.get(STATE_DIR):
        return Path(environment[STATE_DIR])
    base = environment.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser() / "assay"


def read_algorithm(text: str) -> Algorithm:
    """`RS256` or `ES256`; raises `ConfigurationError`."""
    if text not in ("RS256", "ES256"):
        raise ConfigurationError(f"--algorithm: {text!r} is neither RS256 nor ES256")
    return cast("Algorithm", text)


def read_sealing_key(file: Path | None, environment: Mapping[str, str] = os.environ) -> str:
    """The text of the sealing key, from a file or the environment; empty when there is none."""
    if file is None:
        return environment.get(SEALING_KEY, "")
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"--sealing-key-file: {error}") from error
