"""The service's application in this process, over a database and a collector that the test can watch."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import httpx2

from assay.collateral import Collector, DirectorySource
from assay.service.app import create_app
from assay.service.audit import AuditWriter
from assay.service.config import Settings
from assay.service.server import build_authenticator, prepare
from assay.service.state import ServiceState, load_anchors
from assay.store import SealingKey, SqlDocumentStore, Store, default_database_url, open_store
from assay.store.audit import AuditChain, open_audit_store
from tests.service.material import AT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from assay.collateral import VendorService


def development(state_dir: Path, collateral: tuple[Path, ...], **more) -> Settings:
    """Settings of a development service whose database and signing key exist."""
    settings = Settings(
        host="127.0.0.1",
        port=8443,
        base_url="https://localhost:8443",
        database_url=default_database_url(state_dir),
        state_dir=state_dir,
        collateral=collateral,
        offline=True,
        dev=True,
        unsafe_verify_at=AT,
        sealing_key=SealingKey.generate_text(),
    )
    settings = replace(settings, **more)
    prepare(settings)
    return settings


@dataclass(frozen=True)
class Application:
    state: ServiceState
    client: httpx2.AsyncClient


@asynccontextmanager
async def application(
    settings: Settings, *, services: Sequence[VendorService] = (), store: Store | None = None
) -> AsyncIterator[Application]:
    """The application, running; `store` is closed at its end, as by the service itself."""
    anchors = load_anchors(settings)
    opened = store or open_store(settings.database_url)
    directories = DirectorySource(settings.collateral, anchors) if settings.collateral else None
    documents = SqlDocumentStore(opened)
    collector = Collector(anchors, directories=directories, services=services, store=documents)
    audit = AuditWriter(AuditChain(open_audit_store(settings.database_url)), settings.audit)
    state = ServiceState(settings, opened, collector, authenticator=build_authenticator(settings), audit=audit)
    transport = httpx2.ASGITransport(app=create_app(state))
    async with state.running(), httpx2.AsyncClient(transport=transport, base_url=settings.base_url) as client:
        yield Application(state, client)
