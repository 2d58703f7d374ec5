"""A small OpenID Connect issuer over TLS on the loopback: discovery document and key set, and a count of what was asked."""

from __future__ import annotations

import json
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from assay.service.access.roles import EVERY_PROVIDER, Grant, Role
from assay.service.access.terms import AZURE_AUDIENCE, GrantRule, TokenTerms
from assay.service.access.trusted_issuer import TrustedIssuer
from tests.client.issuer import ec_jwk, rsa_jwk, token
from tests.service.authority import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NOW = int(AT.timestamp())
DISCOVERY, KEY_SET = "/tenant/.well-known/openid-configuration", "/keys"
ROLES = {
    "Attestation.Reader": Grant(Role.READER, "default"),
    "Attestation.Contributor": Grant(Role.CONTRIBUTOR, "default"),
    "Attestation.Operator": Grant(Role.OPERATOR, EVERY_PROVIDER),
}


@dataclass
class Answer:
    """What the issuer says to a path; `hold` keeps the rest of the body back until it is set."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hold: threading.Event | None = None


@dataclass
class OpenIdIssuer:
    """A running issuer; `answers` can be replaced at any time, `asked` lists the paths in order."""

    port: int
    ca: Path
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/tenant"

    def publish(self, *keys: dict[str, object]) -> None:
        """Replaces the key set."""
        self.answers[KEY_SET] = Answer(json.dumps({"keys": list(keys)}).encode())

    def describe(self, **members: object) -> None:
        """Replaces the discovery document; a member set to None is left out."""
        said = {"issuer": self.url, "jwks_uri": f"{self.origin}{KEY_SET}", **members}
        document = {name: value for name, value in said.items() if value is not None}
        self.answers[DISCOVERY] = Answer(json.dumps(document).encode())

    def trusted(self, **members: object) -> TrustedIssuer:
        """The issuer as an operator configures it; `members` replace terms."""
        return TrustedIssuer(self.terms(**members), None, self.ca)

    def terms(self, **members) -> TokenTerms:
        rules = tuple(GrantRule("roles", value, grant) for value, grant in ROLES.items())
        said = {"audiences": (AZURE_AUDIENCE,), "algorithms": ("RS256", "PS256", "ES256"), "rules": rules}
        return TokenTerms(**{"issuer": self.url, "skew": timedelta(seconds=30), **said, **members})

    def payload(self, **members: object) -> dict[str, object]:
        """What a good access token says; a member set to None is left out."""
        return {
            **dict.fromkeys(("jti", "x-ms-ver", "x-ms-attestation-type")),
            "iss": self.url,
            "aud": AZURE_AUDIENCE,
            "sub": "somebody",
            "iat": NOW,
            "nbf": NOW,
            "exp": NOW + 3600,
            "roles": ["Attestation.Contributor"],
            **members,
        }

    def token(self, alg: str = "RS256", header=None, sign=None, **members: object) -> str:
        return token(alg, header=header, payload=self.payload(**members), sign=sign)


@contextmanager
def openid_issuer(authority: Authority, directory: Path) -> Iterator[OpenIdIssuer]:
    """An issuer with the keys `rsa` and `ec` of `tests.client.issuer`, until the block ends."""
    certificate, key = directory / "issuer.pem", directory / "issuer.key"
    authority.issue(certificate, key)
    server = _Server(("127.0.0.1", 0), _Conversation)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.issuer = OpenIdIssuer(server.server_address[1], authority.ca)
    server.issuer.describe()
    server.issuer.publish(rsa_jwk("rsa"), ec_jwk("ec"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    issuer: OpenIdIssuer
    daemon_threads = True

    def handle_error(self, request, client_address) -> None:
        """A caller that goes away, or does not trust the certificate, is what some tests are about."""


class _Conversation(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        issuer = self.server.issuer
        issuer.asked.append(self.path)
        answer = issuer.answers.get(self.path, Answer(b"", 404))
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if answer.hold is not None:
            self.wfile.write(answer.body[:1])
            self.wfile.flush()
            answer.hold.wait(30)
            return
        self.wfile.write(answer.body)

    def log_message(self, format, *args) -> None:
        """Nothing: the tests read `asked`."""


class Ticks:
    """A monotonic clock that moves when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
