"""Programs that the tests run as processes of their own: `python -m tests.store.processes NAME URL ARGUMENT`.

Each says `waiting` when it is ready to begin and begins at the first line that it reads, so that several begin at once.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, event

from assay.endorsements.documents import Document, DocumentKind, Need
from assay.store import SealingKey, SqlDocumentStore, ensure_signing_key, open_store

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


def die(url: str, _argument: str) -> None:
    """Dies in the middle of the first migration."""

    @event.listens_for(Engine, "before_cursor_execute")
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
    {"start": start, "ensure": ensure, "write": write, "die": die}[sys.argv[1]](sys.argv[2], sys.argv[3])
