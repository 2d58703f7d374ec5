"""Requests that are wrong in one of many ways, the same ones for the same seed."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.service.material import (
    BROKEN,
    DENY,
    HELD,
    OPEN_ENCLAVE,
    PERMIT,
    SGX,
    held_data,
    open_enclave_body,
    sgx_body,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

JSON = (("content-type", "application/json"),)
HEADERS = (
    "content-type",
    "content-encoding",
    "host",
    "authorization",
    "accept",
    "x-ms-client-request-id",
    "x-forwarded-for",
    "x-forwarded-proto",
    "expect",
    "origin",
    "cookie",
    "range",
)
PATHS = (
    "/certs",
    "/.well-known/openid-configuration",
    "/attest/",
    "/attest/Tee/SgxEnclave",
    "/policies/SgxEnclave",
    "/",
)
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    1e300,
    2**70,
    "",
    "\x00",
    "A",
    "=",
    "\u2603",
    [],
    {},
    [[]],
    {"data": 1},
    "9" * 99,
)


@dataclass(frozen=True)
class Mutated:
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def good(chance: random.Random) -> tuple[str, dict[str, Any]]:
    path, body = chance.choice(((SGX, sgx_body), (OPEN_ENCLAVE, open_enclave_body)))
    more: dict[str, Any] = {}
    if chance.random() < 0.5:
        more["runtimeData"] = held_data(HELD, chance.choice(("JSON", "Binary")))
    if chance.random() < 0.2:
        more["initTimeData"] = {"data": "", "dataType": ""}
    if chance.random() < 0.3:
        more["draftPolicyForAttestation"] = chance.choice((PERMIT, DENY, BROKEN))
    if chance.random() < 0.3:
        more["nonce"] = chance.choice(("n", 7, 18446744073709551615))
    return path, body(**more)


def octets_flipped(chance: random.Random) -> Mutated:
    path, body = good(chance)
    content = bytearray(json.dumps(body).encode())
    for _ in range(chance.randint(1, 8)):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return Mutated("POST", path, JSON, bytes(content))


def cut(chance: random.Random) -> Mutated:
    path, body = good(chance)
    content = json.dumps(body).encode()
    return Mutated("POST", path, JSON, content[: chance.randrange(len(content))])


def evidence_changed(chance: random.Random) -> Mutated:
    path, body = good(chance)
    member = "quote" if "quote" in body else "report"
    evidence = bytearray(base64.urlsafe_b64decode(body[member] + "=" * (-len(body[member]) % 4)))
    place = chance.randrange(len(evidence))
    match chance.randrange(4):
        case 0:
            evidence[place] ^= 1 << chance.randrange(8)
        case 1:
            del evidence[place:]
        case 2:
            evidence[place : place + chance.randint(1, 4)] = chance.choice((b"\x00\x00\x00\x00", b"\xff\xff\xff\xff"))
        case _:
            evidence[place:place] = chance.randbytes(chance.randint(1, 64))
    body[member] = base64.b64encode(bytes(evidence)).decode()
    return Mutated("POST", path, JSON, json.dumps(body).encode())


def member_replaced(chance: random.Random) -> Mutated:
    path, body = good(chance)
    target: dict[str, Any] = body
    if isinstance(body.get("runtimeData"), dict) and chance.random() < 0.4:
        target = body["runtimeData"]
    name = chance.choice(list(target))
    match chance.randrange(3):
        case 0:
            del target[name]
        case 1:
            target[name] = chance.choice(VALUES)
        case _:
            target[chance.choice((name.upper(), name + "\x00", "initTimeData", "nonce", ""))] = chance.choice(VALUES)
    return Mutated("POST", path, JSON, json.dumps(body).encode())


def any_json(chance: random.Random) -> Mutated:
    path, _ = good(chance)
    return Mutated("POST", path, JSON, json.dumps(_any_value(chance, 0)).encode())


def _any_value(chance: random.Random, depth: int) -> Any:
    kind = chance.randrange(6 if depth < 5 else 4)
    if kind < 4:
        return chance.choice((*VALUES[:13], chance.getrandbits(80), chance.random(), "x" * chance.randrange(50)))
    if kind == 4:
        return [_any_value(chance, depth + 1) for _ in range(chance.randrange(5))]
    names = ("quote", "report", "runtimeData", "data", "dataType", "nonce", "initTimeData", "x", "Quote")
    return {chance.choice(names): _any_value(chance, depth + 1) for _ in range(chance.randrange(6))}


def any_octets(chance: random.Random) -> Mutated:
    path, _ = good(chance)
    return Mutated("POST", path, JSON, chance.randbytes(chance.randrange(300)))


def headers_changed(chance: random.Random) -> Mutated:
    path, body = good(chance)
    letters = [chr(code) for code in range(0x20, 0x7F)] + ["\t", "\x80", "\xe9", "\xff"]
    strange = ("[", "]", "[::1", "a:b:c", "::", "localhost:99999", "@", "%00", "\xff", "a b", "//", "?#", "", "chunked")
    headers = tuple(
        (
            chance.choice(HEADERS),
            chance.choice((chance.choice(strange), "".join(chance.choices(letters, k=chance.randrange(40))).strip())),
        )
        for _ in range(chance.randint(1, 3))
    )
    target = chance.choice((path, *PATHS))
    return Mutated(chance.choice(("POST", "GET")), target, (*JSON, *headers), json.dumps(body).encode())


def path_changed(chance: random.Random) -> Mutated:
    path, body = good(chance)
    extra = (
        "%00",
        "%ff",
        "//",
        "/..",
        "?",
        "&api-version=x",
        "%2f",
        "&explain=true",
        ";",
        "&%zz=%",
        "&" * 2000,
        "%c3%28",
    )
    place = chance.randrange(1, len(path) + 1)
    target = path[:place] + "".join(chance.choices(extra, k=chance.randint(1, 3))) + path[place:]
    method = chance.choice(("POST", "GET", "PUT", "OPTIONS", "DELETE", "HEAD"))
    return Mutated(method, target, JSON, json.dumps(body).encode())


MUTATIONS: tuple[Callable[[random.Random], Mutated], ...] = (
    octets_flipped,
    cut,
    evidence_changed,
    member_replaced,
    any_json,
    any_octets,
    headers_changed,
    path_changed,
)


def mutate(chance: random.Random) -> Mutated:
    return chance.choice(MUTATIONS)(chance)
