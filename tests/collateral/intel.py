"""A stand-in for Intel's provisioning certification service: paths, headers and status codes of quote-verification 6.1."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import httpx2
from cryptography.hazmat.primitives.serialization import Encoding

from assay.collateral import CollateralSettings, Collector, DirectorySource, DocumentStore, IntelService
from assay.endorsements.anchors import trust_anchors
from assay.endorsements.documents import DocumentKind, Need
from assay.simulator import HIERARCHY, Documents, Recipe, TcbInfo, Window, simulate, simulate_sgx
from assay.simulator.intel.platform import FMSPC

if TYPE_CHECKING:
    import ssl

    from assay.simulator import Collateral

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
ANCHORS = trust_anchors(allow_simulator=True)
BASE = "http://127.0.0.1:1"

ROOT_CRL = Need(DocumentKind.INTEL_ROOT_CRL)
PCK_CRL = Need(DocumentKind.INTEL_PCK_CRL, platform="processor")
TCB_INFO = Need(DocumentKind.INTEL_TCB_INFO, tee="sgx", platform=FMSPC)
QE_IDENTITY = Need(DocumentKind.INTEL_QE_IDENTITY, tee="sgx")
NEEDS = (ROOT_CRL, PCK_CRL, TCB_INFO, QE_IDENTITY)

TCB = "/sgx/certification/v4/tcb"
IDENTITY = "/sgx/certification/v4/qe/identity"
PCK_LIST = "/sgx/certification/v4/pckcrl"
ROOT_LIST = "/sgx/certification/v4/rootcacrl"
CERTIFICATE_OF_ROOT = "/Intel_SGX_Provisioning_Certification_RootCA.cer"
LIST_OF_ROOT = "/IntelSGXRootCA.der"
ROOT_DER = HIERARCHY.root_certificate().public_bytes(Encoding.DER)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service sends; several values of one header are several headers."""

    body: bytes = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


def collateral(at: datetime = AT, *, number: int = 17, before: timedelta = timedelta(days=1)) -> Collateral:
    """The documents of the simulator, of one evaluation number."""
    window = Window(before)
    documents = Documents(tcb_info=TcbInfo(evaluation_number=number, window=window))
    return simulate(Recipe(at, documents=documents)).collateral


def simulated_collateral(at: datetime = AT) -> Collateral:
    return simulate_sgx(at).collateral


def answers(documents: Collateral) -> dict[str, Answer]:
    """The good answers of the service, PCS and PCCS in one."""
    signing, issuers = quote(documents.tcb_signing_chain), quote(documents.pck_crl_issuer_chain)
    return {
        TCB: Answer(documents.tcb_info, headers=(("TCB-Info-Issuer-Chain", signing),)),
        IDENTITY: Answer(documents.qe_identity, headers=(("SGX-Enclave-Identity-Issuer-Chain", signing),)),
        PCK_LIST: Answer(documents.pck_crl, headers=(("SGX-PCK-CRL-Issuer-Chain", issuers),)),
        # A PCCS answers with hex text of the DER (6.2).
        ROOT_LIST: Answer(documents.root_ca_crl.hex().encode()),
        LIST_OF_ROOT: Answer(documents.root_ca_crl),
        CERTIFICATE_OF_ROOT: Answer(ROOT_DER),
    }


class Body(httpx2.AsyncByteStream):
    """A body that is read as it comes, as over the network."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.content), 1000):
            yield self.content[start : start + 1000]


@dataclass
class Intel:
    """Answers by path; `first` are answers that are given once each, before the others. Remembers what was asked."""

    good: dict[str, Answer]
    first: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def answer(self, target: str) -> Answer:
        self.asked.append(target)
        path = urlsplit(target).path
        if self.first.get(path):
            return self.first[path].pop(0)
        return self.good.get(path, Answer(status=404))

    def count(self, path: str) -> int:
        return sum(urlsplit(target).path == path for target in self.asked)

    def change(self, path: str, **changes: object) -> None:
        self.good[path] = replace(self.good[path], **changes)  # type: ignore[arg-type]

    @property
    def transport(self) -> httpx2.MockTransport:
        async def handle(request: httpx2.Request) -> httpx2.Response:
            answer = self.answer(request.url.raw_path.decode())
            return httpx2.Response(answer.status, headers=list(answer.headers), stream=Body(answer.body))

        return httpx2.MockTransport(handle)


def settings(**changes: object) -> CollateralSettings:
    """A PCCS on the loopback that is not waited for."""
    quick = CollateralSettings(base_url=BASE, backoff_seconds=0.0, attempt_seconds=1.0, total_seconds=2.0)
    return replace(quick, **changes)  # type: ignore[arg-type]


def service(intel: Intel, **changes: object) -> IntelService:
    return IntelService(settings(**changes), ANCHORS, transport=intel.transport)


class Clock:
    """A monotonic clock that stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def collector(
    intel: Intel,
    *,
    directories: DirectorySource | None = None,
    store: DocumentStore | None = None,
    monotonic: Callable[[], float] | None = None,
    **changes: object,
) -> Collector:
    """A collector whose only vendor is the stand-in; `changes` are settings."""
    return Collector(
        ANCHORS,
        directories=directories,
        services=(service(intel, **changes),),
        store=store,
        settings=settings(**changes),
        monotonic=monotonic or Clock(),
    )


Respond = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(respond: Respond, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A real server on the loopback for what a transport cannot show; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(OSError):  # the client went away, as it should
                respond(self)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def write(directory: Path, documents: Collateral) -> Path:
    documents.write(directory)
    return directory
