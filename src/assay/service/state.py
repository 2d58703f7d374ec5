"""What the requests of one process share: settings, provider, collateral, grounds; refreshed in the background."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import structlog

from assay import clock
from assay.collateral import Collector
from assay.endorsements.anchors import TrustAnchors, trust_anchors
from assay.errors import AssayError, ConfigurationError, MalformedEndorsement
from assay.evidence.base import Grounds
from assay.formats import pem
from assay.pki.certificate import Certificate, parse_certificate
from assay.service.config import Settings
from assay.service.metadata import encode_discovery, encode_key_set
from assay.service.provider import Provider, default_policies
from assay.service.responses import encode
from assay.service.signing import LocalSigner
from assay.service.tls import TlsCertificate
from assay.store import DEFAULT_PROVIDER, SealingKey, Store, current_signing_key, load_signing_keys, published

POLL_SECONDS = 1.0
log = structlog.get_logger("assay.service")


class ServiceState:
    """The memory of one process; requests read it and issue no SQL (design, section 8)."""

    def __init__(self, settings: Settings, store: Store, collector: Collector, tls: TlsCertificate | None) -> None:
        self.settings = settings
        self.store = store
        self.collector = collector
        self.tls = tls
        self.anchors = load_anchors(settings)
        self.ready = False
        self._seen = store.change_counter()
        self.provider = self._load_provider()

    def grounds(self) -> Grounds:
        """What a request is judged on now, before its policy and endorsements are known."""
        settings = self.settings
        return Grounds(
            at=settings.unsafe_verify_at or clock.now(),
            anchors=self.anchors,
            rules=settings.rules,
            unsafe_no_revocation=settings.unsafe_no_revocation,
            marks=settings.marks,
        )

    def _load_provider(self) -> Provider:
        settings = self.settings
        sealing = SealingKey.from_text(settings.sealing_key)
        keys = load_signing_keys(self.store, DEFAULT_PROVIDER, sealing)
        key = current_signing_key(keys, settings.algorithm)
        listed = published(keys, clock.now(), settings.token_lifetime)
        algorithms = tuple(dict.fromkeys(key.algorithm for key in listed))
        return Provider(
            DEFAULT_PROVIDER,
            settings.base_url,
            LocalSigner(key),
            default_policies(),
            encode(encode_key_set(sorted(listed, key=lambda k: k is not key))),
            encode(encode_discovery(settings.base_url, algorithms)),
        )

    async def keep_fresh(self) -> None:
        """Until cancelled: notice changes in the store, the TLS files and the collateral, once a second."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self._refresh()
            except (AssayError, OSError) as error:
                log.warning("refresh failed", error=str(error))

    async def _refresh(self) -> None:
        counter = await asyncio.to_thread(self.store.change_counter)
        if counter != self._seen:
            self.provider = await asyncio.to_thread(self._load_provider)
            self._seen = counter
        if self.tls is not None:
            self.tls.reload_if_changed()
        await self.collector.reload_directories()
        refreshed = await self.collector.refresh_due(clock.now())
        for need, reason in refreshed.failed:
            log.warning("collateral not renewed", document=str(need), reason=reason)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The lifespan: background refresh while requests are served, everything closed at the end."""
        await self.collector.warm(self.grounds().at)
        task = asyncio.create_task(self.keep_fresh())
        self.ready = True
        try:
            yield
        finally:
            self.ready = False
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await self.collector.close()
            self.store.close()


def load_anchors(settings: Settings) -> TrustAnchors:
    """The vendors' anchors and the self-issued certificates of the trust directories; raises `ConfigurationError`."""
    roots = [root for directory in settings.trust for root in read_trust_directory(directory)]
    return trust_anchors(roots, allow_simulator=settings.dev)


def read_trust_directory(directory: Path) -> list[Certificate]:
    """The self-issued certificates (PEM or DER) of a directory or file; raises `ConfigurationError`."""
    if not directory.exists():
        raise ConfigurationError(f"--trust: {directory} does not exist")
    files = [directory] if directory.is_file() else sorted(p for p in directory.rglob("*") if p.is_file())
    found = [c for path in files if path.suffix in (".pem", ".crt", ".cer", ".der") for c in _read_certificates(path)]
    roots = [certificate for certificate in found if certificate.subject == certificate.issuer]
    if not roots:
        raise ConfigurationError(f"--trust: no self-issued certificate (.pem, .crt, .cer, .der) in {directory}")
    return roots


def _read_certificates(path: Path) -> list[Certificate]:
    try:
        content = path.read_bytes()
        ders: tuple[bytes, ...] = (content,)
        if content.lstrip().startswith(b"-----BEGIN"):
            ders = pem.decode_certificates(content, str(path), MalformedEndorsement)
        return [parse_certificate(der) for der in ders]
    except (OSError, AssayError) as error:
        raise ConfigurationError(f"--trust: {path}: {error}") from error
