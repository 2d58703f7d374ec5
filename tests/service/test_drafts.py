"""Drafts are strangers' programs: they are evaluated beside the event loop and hold up no other request."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from assay.service.audit import AuditMode
from tests.service.in_process import application
from tests.service.material import PERMIT, SGX, sgx_body, token_of

if TYPE_CHECKING:
    import httpx2

    from assay.service.config import Settings

# As many rules as a policy may have, near enough.
LONG = f"version=1.0; authorizationrules{{{'[type==`x`] => deny(); '.replace('`', chr(34)) * 1900}=> permit();}};"


def test_a_draft_holds_up_no_other_request(dev_settings: Settings) -> None:
    answered: list[str] = []

    async def note(name: str, call: asyncio.Task[httpx2.Response]) -> httpx2.Response:
        response = await call
        answered.append(name)
        return response

    async def ask() -> httpx2.Response:
        # Without an audit to wait for, an evaluation on the loop would be answered first: it was asked first.
        async with application(replace(dev_settings, audit=AuditMode.OFF)) as app, asyncio.TaskGroup() as group:
            body = sgx_body(draftPolicyForAttestation=LONG)
            draft = group.create_task(app.client.post(SGX, json=body))
            other = group.create_task(app.client.get("/livez"))
            await asyncio.gather(note("draft", draft), note("other", other))
        return draft.result()

    assert token_of(asyncio.run(ask())).header["alg"] == "none"
    assert answered == ["other", "draft"]


def test_many_drafts_at_once_are_all_answered(dev_settings: Settings) -> None:
    async def ask() -> list[httpx2.Response]:
        async with application(dev_settings) as app:
            body = sgx_body(draftPolicyForAttestation=PERMIT)
            return await asyncio.gather(*(app.client.post(SGX, json=body) for _ in range(32)))

    assert {token_of(response).payload["drafted"] for response in asyncio.run(ask())} == {True}
