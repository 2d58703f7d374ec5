"""Every recorded exchange with the real service, repeated with this one: what may differ is listed here, all of it."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from assay.policy import stored_policy
from assay.service.config import read_rules
from assay.service.provider import PolicyInForce
from assay.service.tenancy import Providers
from assay.store import add_signer, certificate_digest
from tests.administrators import RESET, unsecured
from tests.service.administration import GROUP, Administered, administered
from tests.service.in_process import development
from tests.service.recordings import Exchange, decode, hash_of, issuer_of, read_recordings
from tests.shared_vectors import shared_path

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.optional("shared")

# Times and identifiers.
MADE_EACH_TIME = {"iat", "nbf", "exp", "jti"}
# What marks a token of a service that judges at a time of the past, which only development permits.
OURS = {"x-assay-unsafe"}
# Digests of the vendor's documents of the day, but for the quote's own; compared by their names.
OF_THE_DAY = {"x-ms-sgx-collateral", "maa-attestationcollateral"}
# Service version: these came with 1.11 (rest-api 6.2, 7.1), and recordings of 2021 are of 1.10.
SINCE_2022 = {"x-ms-policy", "x-ms-sgx-tcbidentifier"}
# Members of a key that recorded key sets of 2021 and 2022 lack, and later ones have (rest-api 5.2).
KEY_ADDITIONS = {"alg", "use", "n", "e"}
# Ours alone, and defined by the error schema since 2025 (rest-api 4.1, design 8).
ERROR_ADDITIONS = {"details"}
# The key's identifier; everything else of a token's header is compared.
HEADER_IDENTIFIERS = {"kid"}
# Exchanges that are not repeated, by path, with the reason.
NOT_REPEATED = {"/attest/Tpm": "evidence of this type is not verified yet"}

# The evidence's collateral is of that time, and so are the isolated signers of 2021; the others' begin later.
OF_EVIDENCE = datetime(2022, 5, 10, tzinfo=UTC)
OF_2022 = datetime(2022, 11, 17, 1, 41, tzinfo=UTC)
ISOLATED, SHARED = "iso.wus", "https://sharedwus."


@pytest.fixture(scope="module")
def recordings() -> dict[str, tuple[Exchange, ...]]:
    shared_path("vectors/azure-sdk/recordings")
    return read_recordings()


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory, recordings) -> Iterator[dict[str, Administered]]:
    """One service at each of the two times, with the recorded providers under their recorded names."""
    rules = read_rules("any", strict=False, deny_debug=False)
    collateral = (shared_path("evidence/collateral"),)
    early, late = (
        development(tmp_path_factory.mktemp(name), collateral, rules=rules, unsafe_verify_at=at)
        for name, at in (("early", OF_EVIDENCE), ("late", OF_2022))
    )
    with administered(early) as first, administered(late) as second:
        for served in (first, second):
            for issuer in sorted({issuer_of(each, 0) for each in recordings.values()}):
                create(served, issuer, first_signers(recordings, issuer) if ISOLATED in issuer else [])
        yield {"early": first, "late": second}


def create(served: Administered, issuer: str, signers: list[list[str]]) -> None:
    name = issuer.removeprefix("https://").partition(".")[0]
    properties: dict[str, Any] = {"assay": {"baseUrl": issuer, "shared": issuer.startswith(SHARED)}}
    if signers:
        keys = [{"kty": "RSA", "x5c": chain} for chain in signers if is_ca(chain)]
        properties["policySigningCertificates"] = {"keys": keys}
    # Names here have at most 24 characters, recorded ones more.
    name = f"{name[:10]}{name[-3:]}"
    address = f"{GROUP}/{name}"
    response = served.manage("PUT", address, {"location": "West US", "properties": properties})
    assert response.status_code == 201, response.text
    assert response.json()["properties"]["attestUri"] == issuer
    for chain in signers:
        if not is_ca(chain):
            put_behind_the_services_back(served, name, signers[0], chain)


def is_ca(chain: list[str]) -> bool:
    """A difference that stays: one recorded member of 2021 (`CN=NewCertificateName`) is no CA; here it cannot be added.

    The documentation demands a CA (rest-api 9), attack case POL-05 too.
    """
    found = x509.load_der_x509_certificate(base64.b64decode(chain[0]))
    return found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def put_behind_the_services_back(served: Administered, name: str, member: list[str], chain: list[str]) -> None:
    store = served.application.state.store
    digest = certificate_digest(base64.b64decode(member[0]))
    add_signer(store, name, tuple(chain), signed_by=digest, by="recorded", at=OF_EVIDENCE)
    served.runner.run(served.application.state.reload_providers())


def first_signers(recordings: dict[str, tuple[Exchange, ...]], issuer: str) -> list[list[str]]:
    """The recorded sets of the issuer, the smallest of them: others came from additions that were recorded."""
    found = [
        [key["x5c"] for key in exchange.claims["x-ms-policy-certificates"]["keys"]]
        for exchanges in recordings.values()
        for place, exchange in enumerate(exchanges)
        if exchange.path == "/certificates" and issuer_of(exchanges, place) == issuer
    ]
    return min(found, key=len)


def repeat(served: Administered, issuer: str, exchange: Exchange):
    body = exchange.request_body
    if isinstance(body, dict):
        body = json.dumps(body)
    headers = {} if exchange.content_type is None else {"Content-Type": exchange.content_type}
    return served.ask(
        exchange.method,
        f"{exchange.path}?{exchange.query}" if exchange.query else exchange.path,
        body,
        role="reader" if exchange.method == "GET" else "contributor",
        version=None,
        host=issuer.removeprefix("https://"),
        headers=headers,
    )


def bring_to_state(served: Administered, issuer: str, jws: str | None, policy_type: str) -> None:
    """What the recorded provider had before; None: nothing was set."""
    if issuer.startswith(SHARED):
        return
    host = issuer.removeprefix("https://")
    if jws is not None:
        served.claims("PUT", f"/policies/{policy_type}", jws, host=host)
    elif ISOLATED not in issuer:
        served.claims("POST", f"/policies/{policy_type}:reset", RESET, host=host)


def recorded_policies(recordings: dict[str, tuple[Exchange, ...]]) -> dict[tuple[str, str, str], str]:
    """The JWS that were in force, by issuer, policy hash and the signer's certificate."""
    found = {}
    for exchanges in recordings.values():
        for place, exchange in enumerate(exchanges):
            jws = exchange.claims.get("x-ms-policy")
            if isinstance(jws, str) and jws != RESET:
                header = json.loads(decode(jws.split(".")[0]))
                chain = header.get("x5c") or header.get("jwk", {}).get("x5c") or [""]
                found[issuer_of(exchanges, place), hash_of(jws), chain[0]] = jws
    return found


def default_texts() -> dict[str, str]:
    """The defaults of SGX of 2021 and 2022, by hash."""
    texts = [
        shared_path(f"spec/policies/default-sgx-{version}-oneline.policy").read_text() for version in ("v10", "v11")
    ]
    return {hash_of(unsecured(text)): text for text in texts}


def state_before(
    exchanges: tuple[Exchange, ...], place: int, policies: dict[tuple[str, str, str], str]
) -> tuple[bool, str | None]:
    """Whether the exchange tells what was in force before it, and the JWS, None for nothing set."""
    here = exchanges[place]
    changed = any(
        each.path.startswith("/policies/") and each.method != "GET" and each.policy_type == here.policy_type
        for each in exchanges[:place]
    )
    if changed or here.status != 200:
        return False, None
    if here.path.startswith("/policies/") and here.method == "GET":
        jws = here.claims["x-ms-policy"]
        return True, None if jws == RESET or hash_of(jws) in default_texts() else jws
    if here.is_attest and here.header["alg"] != "none":
        signer = here.claims.get("x-ms-policy-signer", {"x5c": [""]})["x5c"][0]
        wanted = (here.claims["iss"], here.claims["x-ms-policy-hash"], signer)
        return True, None if wanted[1] in default_texts() else policies[wanted]
    return False, None


def differences(served: Administered, issuer: str, exchange: Exchange) -> list[str]:
    response = repeat(served, issuer, exchange)
    if response.status_code != exchange.status:
        return [f"status {response.status_code}: {response.text[:300]}"]
    unlike = [] if response.headers["content-type"] == exchange.answer_type else ["content-type"]
    ours = response.json()
    if exchange.path == "/certs":
        return unlike + key_set_differences(ours, exchange.answer, issuer)
    if exchange.status != 200:
        return unlike + error_differences(ours, exchange.answer)
    if exchange.token is None:
        theirs = json.loads(json.dumps(exchange.answer).replace("https://REDACTED.wus.attest.azure.net", issuer))
        return unlike + ([] if list(ours) == list(theirs) and ours == theirs else [f"body {ours}"])
    if list(ours) != ["token"]:
        return [*unlike, f"members {list(ours)}"]
    return unlike + token_differences(ours["token"], exchange)


def token_differences(token: str, exchange: Exchange) -> list[str]:
    parts = token.split(".")
    header, claims = (json.loads(decode(part)) for part in parts[:2])
    theirs = exchange.claims
    unlike = [
        f"header {name}"
        for name in (set(header) | set(exchange.header)) - HEADER_IDENTIFIERS
        if header.get(name) != exchange.header.get(name)
    ]
    if set(header) != set(exchange.header):
        unlike.append("header members")
    if bool(parts[2]) != bool(exchange.token and exchange.token.split(".")[2]):
        unlike.append("signature")
    names = (set(claims) | set(theirs)) - MADE_EACH_TIME - OURS - OF_THE_DAY
    if exchange.of_2021 and exchange.is_attest:
        names -= SINCE_2022 - set(theirs)
    unlike += [
        f"{name}: {claims.get(name)!r} for {theirs.get(name)!r}"
        for name in names
        if claims.get(name) != theirs.get(name)
    ]
    for name in OF_THE_DAY & set(theirs):
        mine = claims.get(name, {})
        if set(mine) != set(theirs[name]) or mine["quotehash"] != theirs[name]["quotehash"]:
            unlike.append(name)
    if any((name in claims) != (name in theirs) for name in MADE_EACH_TIME):
        unlike.append("members of time and identity")
    if (claims["nbf"] - claims["iat"], claims["exp"] - claims["iat"]) != (
        theirs["nbf"] - theirs["iat"],
        theirs["exp"] - theirs["iat"],
    ):
        unlike.append("lifetime")
    return unlike


def error_differences(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    mine, other = ours["error"], theirs["error"]
    if list(ours) != list(theirs) or set(mine) - ERROR_ADDITIONS != set(other):
        return [f"members {list(mine)} for {list(other)}"]
    if mine["code"] != other["code"] or set(mine["innererror"]) != set(other["innererror"]):
        return [f"code {mine['code']} for {other['code']}"]
    return []


def key_set_differences(ours: dict[str, Any], theirs: dict[str, Any], issuer: str) -> list[str]:
    from tests.service.recordings import certificate_name

    unlike = [] if list(ours) == list(theirs) else ["members of the key set"]
    expected = set.union(*(set(key) for key in theirs["keys"]))
    unlike += [f"key members {set(key)}" for key in ours["keys"] if set(key) - KEY_ADDITIONS != expected]
    if certificate_name(ours) != issuer:
        unlike.append("certificate name")
    for key in ours["keys"]:
        base64.b64decode(key["x5c"][0], validate=True)
        # A signer of reports has three certificates and the thumbprint of the first for its name.
        base64.b64decode(key["kid"] if len(key["x5c"]) == 1 else f"{key['kid']}=", "-_", validate=True)
    return unlike


def use_the_default_of_2021(served: Administered, issuer: str) -> None:
    """Service version: what the shared provider had in force in 2021."""
    texts = default_texts()
    chosen = PolicyInForce(stored_policy(texts["bROrN897ZfWmWY2V0FLUlu3uwk5xatGnKYHn3zBbSlw"]), None)
    state = served.application.state
    provider = next(each for each in state.providers.by_name.values() if each.base_url == issuer)
    from dataclasses import replace

    changed = replace(provider, policies={**provider.policies, "SgxEnclave": chosen, "OpenEnclave": chosen})
    by_name = {**state.providers.by_name, provider.name: changed}
    hosts = {host: by_name[each.name] for host, each in state.providers.by_host.items()}
    state.providers = Providers(by_name, hosts)


def test_every_recorded_exchange_is_repeated(services, recordings) -> None:
    policies = recorded_policies(recordings)
    repeated, passed_over, unlike = 0, [], []
    for name, exchanges in recordings.items():
        prepared: set[tuple[str, str]] = set()
        for place, exchange in enumerate(exchanges):
            if exchange.path in NOT_REPEATED:
                passed_over.append(exchange.path)
                continue
            issuer = issuer_of(exchanges, place)
            served = services["early" if exchange.of_2021 or exchange.is_attest else "late"]
            if exchange.is_attest or exchange.path.startswith("/policies/"):
                told, jws = state_before(exchanges, place, policies)
                if told and (issuer, exchange.policy_type) not in prepared:
                    prepared.add((issuer, exchange.policy_type))
                    bring_to_state(served, issuer, jws, exchange.policy_type)
                if exchange.of_2021 and issuer.startswith(SHARED):
                    if exchange.method == "GET":
                        # Service version: the default's text itself, which the hash above stands for.
                        passed_over.append("default of 2021")
                        continue
                    use_the_default_of_2021(served, issuer)
            found = differences(served, issuer, exchange)
            repeated += 1
            if found:
                unlike.append((name, place, exchange.method, exchange.path, issuer, found))
            if exchange.of_2021 and issuer.startswith(SHARED):
                served.runner.run(served.application.state.reload_providers())
    assert unlike == [], "\n".join(map(str, unlike))
    assert repeated > 350
    assert {path: passed_over.count(path) for path in set(passed_over)} == {"/attest/Tpm": 3, "default of 2021": 6}


def test_the_default_of_2021_was_the_text_of_2022_without_its_baseline(recordings) -> None:
    """The one difference of `GET /policies` on the shared provider of 2021 (rest-api 8.3)."""
    texts = default_texts()
    for exchanges in recordings.values():
        for place, exchange in enumerate(exchanges):
            of_shared = exchange.of_2021 and issuer_of(exchanges, place).startswith(SHARED)
            if of_shared and exchange.path.startswith("/policies/") and exchange.policy_type != "Tpm":
                assert exchange.claims["x-ms-policy"] == unsecured(texts["bROrN897ZfWmWY2V0FLUlu3uwk5xatGnKYHn3zBbSlw"])
