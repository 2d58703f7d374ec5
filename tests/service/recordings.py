"""The recorded exchanges of the real service (vectors/azure-sdk), read without any of our own code."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.shared_vectors import SHARED

FOLDER = SHARED / "vectors" / "azure-sdk"


@dataclass(frozen=True)
class Exchange:
    """One request with the answer that the real service gave."""

    recording: str
    place: int
    method: str
    path: str
    query: str
    request_body: Any
    content_type: str | None
    status: int
    answer: Any
    answer_type: str

    @property
    def is_attest(self) -> bool:
        return self.path.startswith("/attest/")

    @property
    def of_2021(self) -> bool:
        return self.recording.startswith("python-1.0.0")

    @property
    def token(self) -> str | None:
        return self.answer.get("token") if isinstance(self.answer, dict) else None

    @property
    def claims(self) -> dict[str, Any]:
        """The claims of the token answered, empty where there is none."""
        return {} if self.token is None else json.loads(decode(self.token.split(".")[1]))

    @property
    def header(self) -> dict[str, Any]:
        return {} if self.token is None else json.loads(decode(self.token.split(".")[0]))

    @property
    def policy_type(self) -> str:
        """The attestation type that the path names."""
        return self.path.split("/")[2].partition(":")[0]


def decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def hash_of(jws: str) -> str:
    """`x-ms-policy-hash` of a stored JWS (rest-api 6.3)."""
    member = json.loads(decode(jws.split(".")[1]))["AttestationPolicy"].rstrip("=")
    return base64.urlsafe_b64encode(hashlib.sha256(member.encode()).digest()).rstrip(b"=").decode()


def read_recordings() -> dict[str, tuple[Exchange, ...]]:
    """Every recording by name."""
    files = sorted((FOLDER / "recordings").glob("*/*.json"))
    return {name: read_recording(name) for name in (f"{file.parent.name}/{file.stem}" for file in files)}


def read_recording(name: str) -> tuple[Exchange, ...]:
    entries = json.loads((FOLDER / "recordings" / f"{name}.json").read_text())
    return tuple(_exchange(name, place, entry) for place, entry in enumerate(entries))


def _exchange(name: str, place: int, entry: dict[str, Any]) -> Exchange:
    uri = urlsplit(entry["uri"])
    headers = {name.lower(): value for name, value in entry["response_headers"].items()}
    answer = entry["response_body"]
    if isinstance(answer, dict) and "$ref" in answer:
        answer = json.loads((FOLDER / answer["$ref"]).read_text())
    elif isinstance(answer, str):
        answer = json.loads(answer)
    return Exchange(
        name,
        place,
        entry["method"],
        uri.path,
        uri.query,
        entry["request_body"],
        entry["request_headers"].get("Content-Type"),
        entry["status"],
        answer,
        headers["content-type"],
    )


def issuer_of(exchanges: tuple[Exchange, ...], place: int) -> str:
    """Which provider an exchange was with: hosts were rewritten, `iss` and the certificates' names were not."""
    here = exchanges[place]
    if here.claims:
        return here.claims["iss"]
    keys = next((each for each in (here, *exchanges) if each.path == "/certs"), None)
    assert keys is not None, here
    return certificate_name(keys.answer)


def certificate_name(key_set: dict[str, Any]) -> str:
    """The base URL that the certificates of the enclave's keys name."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    for key in key_set["keys"]:
        found = x509.load_der_x509_certificate(base64.b64decode(key["x5c"][0]))
        (name,) = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        if str(name.value).startswith("https://"):
            return str(name.value)
    raise AssertionError("no certificate names a provider")
