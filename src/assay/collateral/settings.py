"""What an operator can set about the collection of endorsements."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path  # kept at run time: configuration loaders read the types of the fields
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

from assay.errors import ConfigurationError

INTEL_SERVICE: Final = "https://api.trustedservices.intel.com"
AMD_SERVICE: Final = "https://kdsintf.amd.com"
INTEL_CERTIFICATES: Final = "https://certificates.trustedservices.intel.com"


@dataclass(frozen=True, slots=True)
class CollateralSettings:
    """Where endorsements are fetched from, and the bounds of it; raises `ConfigurationError` for an unusable address.

    `base_url` is Intel's service or a PCCS (quote-verification 6.1, 6.2), `amd_url` AMD's (10); `certificates_url` the
    host of the root's list, None for Intel's with Intel's service and for the PCCS's own `rootcacrl` otherwise.
    `channel` is what a need
    without an evaluation number gets (design, section 8). `ca_file` holds the certificates (PEM) that the addresses'
    TLS is checked against in place of the system's; there is no way to leave that check out (attack case IN-12).
    `proxy` is the address of an HTTP proxy; proxies of the environment are not used.
    """

    base_url: str = INTEL_SERVICE
    certificates_url: str | None = None
    amd_url: str = AMD_SERVICE
    channel: Literal["standard", "early"] = "standard"
    ca_file: Path | None = None
    proxy: str | None = None
    attempt_seconds: float = 5.0
    total_seconds: float = 12.0
    attempts: int = 3
    backoff_seconds: float = 0.2
    # How many fetches run at once, how many more wait for their turn, and how often a minute a document is asked for
    # that only an unproven platform needs (design, section 3).
    concurrency: int = 8
    queue: int = 64
    strangers_per_minute: int = 30
    # AMD's service throttles (quote-verification 10): not asked more often than this; more than strangers can cause.
    amd_per_minute: int = 45
    # How long a failure is remembered: one that may pass soon, and a document that the vendor does not have.
    failure_seconds: float = 15.0
    absence_seconds: float = 60.0
    # A document is fetched anew in the last part of its window, not more often than once in this time.
    refresh_part: float = 0.2
    refresh_seconds: float = 600.0

    def __post_init__(self) -> None:
        for name in ("base_url", "certificates_url", "amd_url"):
            address = getattr(self, name)
            if address is not None:
                _require_safe(name, address)
        if self.channel not in ("standard", "early"):
            raise ConfigurationError(f"collateral channel {self.channel!r} is neither standard nor early")
        for name in ("attempts", "concurrency", "queue", "strangers_per_minute", "amd_per_minute"):
            if getattr(self, name) < 1:
                raise ConfigurationError(f"collateral {name}: at least 1")

    @property
    def certificates_host(self) -> str | None:
        """The address of the root's certificate and list, or None when the service itself has the list."""
        if self.certificates_url is not None:
            return self.certificates_url
        return INTEL_CERTIFICATES if self.base_url.rstrip("/") == INTEL_SERVICE else None


def _require_safe(name: str, address: str) -> None:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError as error:
        raise ConfigurationError(f"collateral {name}: {error}") from error
    if not parts.hostname or parts.query or parts.fragment or parts.username or parts.password:
        raise ConfigurationError(f"collateral {name}: scheme, host, port and path only")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts)):
        raise ConfigurationError(f"collateral {name}: https only (http on the loopback only)")


def _is_loopback(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
