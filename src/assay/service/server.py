"""Running the service: preparation, sockets, workers, readiness, graceful stop."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Final
from urllib.parse import urlsplit

import structlog
import uvicorn

from assay import clock
from assay.collateral import AmdKeyService, CollateralSettings, Collector, DirectorySource, IntelService
from assay.errors import ConfigurationError
from assay.service.access import Authenticator, ensure_development_tokens, load_development_issuer
from assay.service.app import create_app
from assay.service.audit import AuditWriter
from assay.service.config import Settings
from assay.service.cycles import spare_what_was_loaded
from assay.service.logs import configure_logs
from assay.service.protocol import BoundedProtocol
from assay.service.state import ServiceState, load_anchors
from assay.service.tenancy import Tenancy
from assay.service.tls import TlsCertificate, ensure_development_certificate
from assay.store import SqlDocumentStore, open_store
from assay.store.audit import AuditChain, open_audit_store

STOP_SECONDS: Final = 10
_BACKLOG: Final = 2048


def prepare(settings: Settings) -> None:
    """What must exist before any worker starts: the migrated database and a signing key.

    Raises `ConfigurationError` with what is missing.
    """
    load_anchors(settings)
    # Before any worker, or each would make a development certificate of its own.
    _tls(settings)
    if settings.dev:
        ensure_development_tokens(settings.state_dir / "dev", clock.now())
    with open_store(settings.database_url) as store:
        Tenancy(settings, store).load()
    open_audit_store(settings.database_url).close()


def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until a signal: in this process, or in `workers` processes with a socket each.

    `announce` is called once with the base URL when every worker answers.
    """
    prepare(settings)
    if settings.workers == 1:
        with closing(_listen(settings, shared=False)) as listener:
            _run(settings, listener, lambda: announce(settings.base_url))
        return
    _serve_workers(settings, announce)


def free_port(host: str) -> int:
    """A port that nobody listens on, for `--port 0`."""
    with closing(_bind(host, 0, shared=True)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _bind(host: str, port: int, *, shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(f"cannot listen on {host} port {port}: {error.strerror}") from error
    return listener


def _listen(settings: Settings, *, shared: bool) -> socket.socket:
    listener = _bind(settings.host, settings.port, shared=shared)
    listener.listen(_BACKLOG)
    listener.setblocking(False)  # the standard library's signature
    return listener


def _tls(settings: Settings) -> TlsCertificate | None:
    if settings.tls_cert is not None and settings.tls_key is not None:
        return TlsCertificate(settings.tls_cert, settings.tls_key)
    if not settings.dev:
        return None
    names = {"localhost", "127.0.0.1", "::1", urlsplit(settings.base_url).hostname or "localhost"}
    if settings.host not in ("0.0.0.0", "::"):  # noqa: S104  # compared, not bound
        names.add(settings.host)
    directory = settings.state_dir / "dev"
    return TlsCertificate(*ensure_development_certificate(directory, tuple(sorted(names)), clock.now()))


def build_state(settings: Settings) -> ServiceState:
    """The state of one process; raises `ConfigurationError`."""
    store = open_store(settings.database_url)
    anchors = load_anchors(settings)
    directories = DirectorySource(settings.collateral, anchors) if settings.collateral else None
    collateral = CollateralSettings(
        base_url=settings.vendor_url,
        amd_url=settings.amd_url,
        channel=settings.channel,
        ca_file=settings.vendor_ca,
        proxy=settings.vendor_proxy,
    )
    services = () if settings.offline else (IntelService(collateral, anchors), AmdKeyService(collateral))
    collector = Collector(
        anchors, directories=directories, services=services, store=SqlDocumentStore(store), settings=collateral
    )
    audit = AuditWriter(AuditChain(open_audit_store(settings.database_url)), settings.audit)
    return ServiceState(
        settings, store, collector, authenticator=build_authenticator(settings), audit=audit, tls=_tls(settings)
    )


def build_authenticator(settings: Settings) -> Authenticator:
    """Who is believed about callers: the configured issuers, in development also the service's own."""
    development = load_development_issuer(settings.state_dir / "dev") if settings.dev else None
    return Authenticator(settings.issuers, development)


def _log_no_issuers() -> None:
    structlog.get_logger("assay.service").warning(
        "no administration: policies and providers cannot be managed until --authentication names an issuer of tokens"
    )


def _run(settings: Settings, listener: socket.socket, started: Callable[[], None]) -> None:
    configure_logs()
    if not settings.dev and not settings.issuers:
        _log_no_issuers()
    state = build_state(settings)
    tls = state.tls
    spare_what_was_loaded()
    config = uvicorn.Config(
        create_app(state),
        loop="uvloop",
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_keep_alive=30,
        timeout_graceful_shutdown=STOP_SECONDS + 2,
        ssl_context_factory=(lambda _config, _default: tls.context) if tls is not None else None,
    )
    _Server(config, started).run(sockets=[listener])


class _Server(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce_start = started

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            yield
            # uvicorn would raise the signal again; a stop that was asked for is a success.
            self._captured_signals.clear()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        cut = asyncio.get_running_loop().call_later(STOP_SECONDS, self._cut_off)
        try:
            await super().shutdown(sockets)
        finally:
            cut.cancel()

    def _cut_off(self) -> None:
        """Requests that are still unfinished see their caller go away, and end."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce_start()


def _serve_workers(settings: Settings, announce: Callable[[str], None]) -> None:
    """One process per worker, each with its own socket on the port; a worker that dies is replaced."""
    # Held, not listened on: the port stays ours while a worker is replaced.
    with closing(_bind(settings.host, settings.port, shared=True)):
        supervisor = _Supervisor(settings)
        stop = supervisor.stop
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop())
        supervisor.run(lambda: announce(settings.base_url))


class _Supervisor:
    """Starts the workers, waits for them, replaces those that die, ends them together."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._context = multiprocessing.get_context("spawn")
        self._stopping = threading.Event()
        # Each with the end of the pipe on which it says that it answers: closed early, the worker could not say it.
        self._workers: list[tuple[SpawnProcess, Connection]] = []

    def stop(self) -> None:
        self._stopping.set()

    def run(self, started: Callable[[], None]) -> None:
        ready = [self._start() for _ in range(self._settings.workers)]
        failed = not all(self._is_ready(connection) for connection in ready)
        if failed and not self._stopping.is_set():
            self._end()
            raise ConfigurationError("a worker did not start; its error is above")
        if not self._stopping.is_set():
            started()
        while not self._stopping.wait(0.2):
            self._replace_dead()
        self._end()

    def _start(self) -> Connection:
        ours, theirs = self._context.Pipe(duplex=False)
        process = self._context.Process(target=run_worker, args=(self._settings, theirs), daemon=False)
        process.start()
        theirs.close()
        self._workers.append((process, ours))
        return ours

    def _is_ready(self, connection: Connection) -> bool:
        while not self._stopping.is_set():
            if wait([connection], timeout=0.2):
                try:
                    return bool(connection.recv())
                except EOFError:
                    return False
        return False

    def _replace_dead(self) -> None:
        dead = [worker for worker in self._workers if not worker[0].is_alive()]
        for worker in dead:
            process, connection = worker
            print(f"assay: worker {process.pid} ended with {process.exitcode}; starting another", file=sys.stderr)  # noqa: T201
            connection.close()
            self._workers.remove(worker)
            # A worker that cannot start must not be started in a tight loop.
            self._stopping.wait(0.5)
            self._start()

    def _end(self) -> None:
        for worker, _ in self._workers:
            worker.terminate()
        for worker, _ in self._workers:
            worker.join(STOP_SECONDS + 4)
            if worker.is_alive():
                worker.kill()
                worker.join()


def run_worker(settings: Settings, ready: Connection) -> None:
    """The body of a worker process: its own socket, state and server."""
    _end_with_the_supervisor()
    try:
        with closing(_listen(settings, shared=True)) as listener:
            _run(settings, listener, lambda: ready.send(True))
    except (ConfigurationError, asyncio.CancelledError) as error:
        print(f"assay: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def _end_with_the_supervisor() -> None:
    """End this worker when its supervisor was killed: nobody else would, and the port would stay taken."""
    supervisor = multiprocessing.parent_process()

    def watch() -> None:
        if supervisor is not None:
            supervisor.join()
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="supervisor", daemon=True).start()
