"""`assay token verify` and `assay attest`, against a service on the loopback."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from assay import clock
from tests.cli.command_line import write
from tests.client.issuer import AT, ISSUER, KEY_SET, token

pytest.importorskip("httpx2", reason="the extra 'client' is not installed")

WHEN = AT.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def keys(tmp_path):
    return write(tmp_path / "certs.json", KEY_SET)


def test_a_good_token_is_accepted_from_a_file_or_the_command_line(assay, tmp_path, keys):
    for given in (token(), write(tmp_path / "t.jwt", token() + "\n")):
        ended = assay("token", "verify", given, "--issuer", ISSUER, "--keys", keys, "--at", WHEN, "--json")
        assert (ended.code, ended.json["accepted"], ended.json["claims"]["iss"]) == (0, True, ISSUER)
    assert "accepted" in assay("token", "verify", token(), "--issuer", ISSUER, "--keys", keys, "--at", WHEN).out


def test_a_refused_token_ends_with_its_reason(assay, keys):
    ended = assay("token", "verify", token(), "--issuer", ISSUER, "--keys", keys, "--json")
    assert (ended.code, ended.json["accepted"], ended.json["code"]) == (1, False, "Expired")
    marked = token(payload={"x-assay-unsafe": ["simulator"]})
    arguments = ("token", "verify", marked, "--issuer", ISSUER, "--keys", keys, "--at", WHEN)
    assert assay(*arguments, "--json").json["code"] == "UnsafeToken"
    allowed = assay(*arguments, "--allow-unsafe", "simulator,verify-at")
    assert (allowed.code, "unsafe conditions: simulator" in allowed.out) == (0, True)


def test_what_cannot_be_read_is_wrong_usage(assay, tmp_path, keys):
    assert assay("token", "verify", tmp_path / "missing", "--issuer", ISSUER, "--keys", keys).code == 2
    assert assay("token", "verify", token(), "--issuer", ISSUER, "--keys", write(tmp_path / "bad", b"{}")).code == 2
    assert assay("token", "verify", token(), "--issuer", "http://attest.example").code == 2
    assert assay("token", "verify", token(), "--issuer", "https://127.0.0.1:9").code == 2


@pytest.mark.parametrize("text", ["", "x", "\u00e9.\u00e9.\u00e9", "..", "a.b.c"])
def test_what_is_no_token_is_rejected(assay, tmp_path, keys, text):
    file = write(tmp_path / "t", text)
    ended = assay("token", "verify", file, "--issuer", ISSUER, "--keys", keys, "--json")
    assert (ended.code, ended.json["code"]) == (1, "Malformed")


class Server(ThreadingHTTPServer):
    """A service whose tokens `token` makes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Service)
        self.url = f"http://127.0.0.1:{self.server_port}"

    def token(self) -> str:
        now = int(clock.now().timestamp())
        return token(payload={"iss": self.url, "iat": now, "nbf": now, "exp": now + 100, "nonce": "n"})


class Service(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        self.reply(200, KEY_SET)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if body.get("nonce") == "refuse":
            detail = {
                "code": "TcbStatusNotAccepted",
                "message": "update it",
                "target": "tcb.status",
                "observed": "OutOfDate",
                "expected": "UpToDate",
                "outcome": "failed",
            }
            self.reply(
                400,
                json.dumps(
                    {"error": {"code": "InvalidParameter", "message": "baseline", "details": [detail]}}
                ).encode(),
            )
        elif body.get("nonce") == "busy":
            self.reply(503, b'{"error":{"code":"EndorsementUnavailable","message":"later"}}')
        else:
            self.reply(200, json.dumps({"token": self.server.token()}).encode())

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def service():
    running = Server()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def attest(assay, service, sgx, *more):
    return assay("attest", "SgxEnclave", sgx / "quote.bin", "--url", service.url, *more)


def test_attest_prints_the_token_which_verifies(assay, service, sgx):
    ended = attest(assay, service, sgx, "--verify")
    assert ended.code == 0
    assert ended.out.count("\n") == 1
    assert assay("token", "verify", ended.out.strip(), "--issuer", service.url).code == 0
    found = attest(assay, service, sgx, "--json", "--explain").json
    assert found["payload"]["nonce"] == "n"


def test_a_refusal_prints_code_message_and_failing_check(assay, service, sgx):
    ended = attest(assay, service, sgx, "--nonce", "refuse")
    assert (ended.code, ended.out) == (1, "")
    for word in ("InvalidParameter", "baseline", "tcb.status", "observed: OutOfDate", "what to do: update it"):
        assert word in ended.err
    found = attest(assay, service, sgx, "--nonce", "refuse", "--json")
    assert (found.code, found.json["code"], found.json["details"][0]["target"]) == (1, "InvalidParameter", "tcb.status")


def test_a_service_that_cannot_decide_and_nobody_there_end_with_two(assay, service, sgx):
    assert attest(assay, service, sgx, "--nonce", "busy").code == 2
    assert assay("attest", "SgxEnclave", sgx / "quote.bin", "--url", "http://127.0.0.1:9").code == 2
    assert attest(assay, service, sgx, "--runtime-data", sgx / "missing").code == 2


def test_a_token_that_does_not_verify_is_not_printed(assay, service, sgx, monkeypatch):
    monkeypatch.setattr(service, "token", lambda: token(payload={"iss": service.url}))
    ended = attest(assay, service, sgx, "--verify")
    assert (ended.code, ended.out) == (1, "")
    assert "Expired" in ended.err
