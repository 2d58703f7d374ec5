"""Administration of a service in this process: callers with their roles, providers, policies, over ASGI."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2

from assay.service.access import Role, token_file
from assay.service.app import create_app
from tests.service.in_process import Application, application
from tests.service.material import VERSION, claims_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.service.config import Settings
    from tests.administrators import PolicySigningKey

SUBSCRIPTION = "00000000-0000-0000-0000-00000000000a"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/group/providers/Microsoft.Attestation/attestationProviders"
CONTROL_VERSION = "2021-06-01"


@dataclass(frozen=True)
class Administered:
    """A running application, asked one request after the other; background work goes on while it is asked."""

    runner: asyncio.Runner
    application: Application
    settings: Settings

    @property
    def base_url(self) -> str:
        return self.settings.base_url

    def bearer(self, role: str) -> str:
        return token_file(self.settings.state_dir / "dev", Role(role)).read_text()

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        role: str | None = "contributor",
        version: str | None = VERSION,
        headers: dict[str, str] | None = None,
        host: str | None = None,
    ) -> httpx2.Response:
        """One request; `body` is text as it is sent, or what becomes JSON. `role` None: no bearer."""
        sent = dict(headers or {})
        if role is not None:
            sent.setdefault("Authorization", f"Bearer {self.bearer(role)}")
        if host is not None:
            sent["Host"] = host
        if version is not None and "api-version" not in path:
            path = f"{path}{'&' if '?' in path else '?'}api-version={version}"
        content: dict[str, Any] = {}
        if isinstance(body, str | bytes):
            content["content"] = body
            sent.setdefault("Content-Type", "text/plain")
        elif body is not None:
            content["json"] = body
        return self.runner.run(self.application.client.request(method, path, headers=sent, **content))

    def ask_from(self, address: str, method: str, path: str) -> httpx2.Response:
        """A request whose connection comes from an address."""
        transport = httpx2.ASGITransport(app=create_app(self.application.state), client=(address, 4711))

        async def scene() -> httpx2.Response:
            async with httpx2.AsyncClient(transport=transport, base_url=self.base_url) as client:
                return await client.request(method, path)

        return self.runner.run(scene())

    def manage(
        self, method: str, path: str, body: object = None, *, role: str | None = "operator", **more: Any
    ) -> httpx2.Response:
        """A call to the control plane."""
        return self.ask(method, path, body, role=role, version=CONTROL_VERSION, **more)

    def create(
        self,
        name: str,
        *,
        signers: tuple[PolicySigningKey, ...] = (),
        group: str = GROUP,
        assay: dict[str, Any] | None = None,
        **properties: Any,
    ) -> dict[str, Any]:
        """A new provider; isolated when it has signers."""
        if signers:
            properties["policySigningCertificates"] = {"keys": [signer.jwk for signer in signers]}
        if assay is not None:
            properties["assay"] = assay
        response = self.manage("PUT", f"{group}/{name}", {"location": "East US", "properties": properties})
        assert response.status_code == 201, response.text
        return response.json()

    def claims(self, method: str, path: str, body: object = None, **more: Any) -> dict[str, Any]:
        return claims_of(self.ask(method, path, body, **more))


@contextmanager
def administered(settings: Settings, **more: Any) -> Iterator[Administered]:
    """The application of these settings, until the block ends."""
    with asyncio.Runner() as runner:
        opened = application(settings, **more)
        running = runner.run(opened.__aenter__())
        try:
            yield Administered(runner, running, settings)
        finally:
            runner.run(opened.__aexit__(None, None, None))
