"""The shells against a server on the loopback: bounds, redirects, time; both with the same answers."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytest.importorskip("httpx2", reason="the extra 'client' is not installed")

from assay.client import AsyncClient, Client
from assay.client.protocol import ConnectionFailed
from assay.errors import ConfigurationError, LimitExceeded, ServiceRefused
from tests.client.issuer import KEY_SET


class Service(BaseHTTPRequestHandler):
    """Answers by the first part of its path; the address of the client's base URL chooses the behaviour."""

    protocol_version = "HTTP/1.1"
    server: QuietServer

    def do_GET(self):
        self.answer(b"")

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["content-length"])))

    def answer(self, body: bytes) -> None:
        mode, _, rest = self.path.strip("/").partition("/")
        self.server.seen.append((self.path, dict(self.headers), body))
        getattr(self, f"mode_{mode}")(rest)

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def mode_good(self, rest: str) -> None:
        base = f"http://{self.headers['host']}/good"
        if rest == "certs":
            self.reply(200, KEY_SET)
        elif rest.startswith(".well-known"):
            self.reply(200, json.dumps({"issuer": base, "jwks_uri": f"{base}/certs"}).encode())
        else:
            self.reply(200, b'{"token":"a.b.c","verdict":[{"name":"x.y","outcome":"passed"}]}')

    def mode_redirect(self, rest: str) -> None:
        self.reply(302, b"", location="/good/" + rest)

    def mode_huge(self, _rest: str) -> None:
        self.reply(200, b'{"keys":[' + b" " * (3 << 20))

    def mode_zipped(self, _rest: str) -> None:
        self.reply(200, gzip.compress(KEY_SET), content_encoding="gzip")

    def mode_refusing(self, _rest: str) -> None:
        self.reply(400, b'{"error":{"code":"InvalidParameter","message":"no"}}')

    def mode_dripping(self, _rest: str) -> None:
        self.send_response(200)
        self.send_header("content-length", "1000")
        self.end_headers()
        try:
            for _ in range(1000):
                self.wfile.write(b" ")
                self.wfile.flush()
                if self.server.stopped.wait(0.05):
                    return
        except OSError:
            return

    def log_message(self, *_):
        pass


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Service)
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.stopped = threading.Event()

    def handle_error(self, request, client_address):
        """Clients hang up on purpose here."""


@pytest.fixture(scope="module")
def server():
    running = QuietServer()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.stopped.set()
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture(params=["sync", "async"])
def do(request, server):
    """Calls a method of either client on a mode of the server."""

    def sync(mode, method, *args, **options):
        timeout = options.pop("timeout", 10.0)
        with Client(f"http://127.0.0.1:{server.server_port}/{mode}", timeout=timeout) as client:
            return getattr(client, method)(*args, **options)

    def asynchronous(mode, method, *args, **options):
        timeout = options.pop("timeout", 10.0)

        async def call():
            async with AsyncClient(f"http://127.0.0.1:{server.server_port}/{mode}", timeout=timeout) as client:
                return await getattr(client, method)(*args, **options)

        return asyncio.run(call())

    return sync if request.param == "sync" else asynchronous


def test_evidence_becomes_a_token(do, server):
    token = do("good", "attest", "sgxenclave", b"\x01\x02", runtime_data=b"{}", runtime_data_type="JSON", nonce="n")
    path, headers, body = server.seen[-1]
    assert token == "a.b.c"
    assert path.startswith("/good/attest/SgxEnclave?api-version=")
    assert {name.lower(): value for name, value in headers.items()}["content-type"] == "application/json"
    assert json.loads(body) == {"quote": "AQI", "runtimeData": {"data": "e30", "dataType": "JSON"}, "nonce": "n"}


def test_keys_come_from_the_issuer_or_its_discovery_document(do):
    assert do("good", "key_set").key_ids == do("good", "discovered_key_set").key_ids == ("rsa", "ec", "small")


def test_redirects_are_not_followed(do, server):
    before = len(server.seen)
    with pytest.raises(ConnectionFailed, match="redirects"):
        do("redirect", "key_set")
    assert len(server.seen) == before + 1


def test_an_endless_answer_is_cut_off(do):
    with pytest.raises(LimitExceeded):
        do("huge", "key_set")


def test_a_compressed_answer_is_refused(do):
    with pytest.raises(ConnectionFailed, match="compressed"):
        do("zipped", "key_set")


def test_a_refusal_is_told(do):
    with pytest.raises(ServiceRefused, match="InvalidParameter"):
        do("refusing", "attest", "SgxEnclave", b"\x01")


def test_a_dripping_answer_ends_at_the_deadline(do):
    with pytest.raises(ConnectionFailed):
        do("dripping", "key_set", timeout=0.2)


def test_nobody_there_is_a_failure_of_the_connection():
    with Client("http://127.0.0.1:9") as client, pytest.raises(ConnectionFailed):
        client.key_set()


def test_what_cannot_work_is_said_before_anything_is_sent(tmp_path):
    with pytest.raises(ConfigurationError):
        Client("http://attest.example")
    with pytest.raises(ConfigurationError):
        Client("https://attest.example", ca_file=tmp_path / "missing.pem")
    with Client("https://attest.example") as client, pytest.raises(ConfigurationError, match="NoSuchType"):
        client.attest("NoSuchType", b"\x01")
