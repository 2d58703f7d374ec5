"""Programs that the tests run as processes of their own: `python -m tests.store.processes NAME URL ARGUMENT`.

Each says `waiting` when it is ready to begin and begins at the first line that it reads, so that several begin at once.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine
from sqlalchemy import event as sql

from assay.endorsements.documents import Document, DocumentKind, Need
from assay.service.audit import AuditMode, AuditWriter
from assay.service.logs import configure_logs
from assay.store import SealingKey, SqlDocumentStore, Store, ensure_signing_key, open_store
from assay.store.audit import AuditChain, open_audit_store
from tests.store.audits import chain_of, event

if TYPE_CHECKING:
    from collections.abc import Iterator

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]


def numbered(number: int) -> tuple[Need, Document]:
    body = f"document {number} ".encode() * 500
    return Need(DocumentKind.INTEL_TCB_INFO, "sgx", "00906ea10000", number), Document(DocumentKind.INTEL_TCB_INFO, body)


def start(url: str, _argument: str) -> None:
    open_store(url).close()
    print("alembic" in sys.modules, flush=True)


def ensure(url: str, sealing: str) -> None:
    with open_store(url) as store:
        ensure_signing_key(store, "default", "https://a.example", "RS256", SealingKey.from_text(sealing), at=AT)
    print("ensured", flush=True)


def write(url: str, first: str) -> None:
    """Saves documents for ever and says the number of each once it is saved."""
    number = int(first)
    with open_store(url) as store:
        documents = SqlDocumentStore(store)
        while True:
            need, document = numbered(number)
            documents.save(
                need, document, issue_date=AT, next_update=AT, evaluation_number=number, fetched_at=AT, owner=""
            )
            print(number, flush=True)
            number += 1


def audit(url: str, _argument: str) -> None:
    """Records events for ever and says the writer and the number of each once it is recorded."""
    with open_audit_store(url) as store:
        chain = chain_of(store)
        while True:
            chain.append([event(chain.head.number + 1)])
            print(chain.writer, chain.head.number, flush=True)


def audit_writer(url: str, mode: str) -> None:
    """Has many tasks record for ever and says the token of each event of which a record was acknowledged."""

    async def client(writer: AuditWriter, first: int) -> None:
        for number in itertools.count(first, 100):
            await writer.record(event(number))
            print(event(number).token, flush=True)

    async def write_all(store: Store) -> None:
        writer = AuditWriter(AuditChain(store), AuditMode(mode))
        await writer.start({})
        await asyncio.gather(*(client(writer, first) for first in range(100)))

    configure_logs()
    with open_audit_store(url) as store:
        asyncio.run(write_all(store))


def die(url: str, _argument: str) -> None:
    """Dies in the middle of the first migration."""

    @sql.listens_for(Engine, "before_cursor_execute")
    def kill(_connection, _cursor, statement: str, *_rest) -> None:
        if "CREATE TABLE documents" in statement:
            os.kill(os.getpid(), signal.SIGKILL)

    open_store(url).close()


@contextmanager
def running(name: str, url: str, argument: str = "") -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "tests.store.processes", name, url, argument],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def begin(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


if __name__ == "__main__":
    print("waiting", flush=True)
    sys.stdin.readline()
    {"start": start, "ensure": ensure, "write": write, "die": die, "audit": audit, "audit_writer": audit_writer}[
        sys.argv[1]
    ](sys.argv[2], sys.argv[3])
