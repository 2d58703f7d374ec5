from __future__ import annotations

import asyncio
import gzip
import ipaddress
import ssl
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, quote, urlsplit

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from assay import limits
from assay.collateral import CollateralSettings, IntelService
from assay.collateral.vetting import vet
from assay.endorsements.documents import Need
from assay.errors import ConfigurationError, EndorsementUnavailable
from assay.simulator import HIERARCHY, forge_hierarchy
from tests.collateral.intel import (
    ANCHORS,
    AT,
    CERTIFICATE_OF_ROOT,
    IDENTITY,
    LIST_OF_ROOT,
    NEEDS,
    PCK_CRL,
    PCK_LIST,
    QE_IDENTITY,
    ROOT_CRL,
    ROOT_LIST,
    TCB,
    TCB_INFO,
    Answer,
    Intel,
    answers,
    service,
    serving,
    settings,
    simulated_collateral,
)


@pytest.fixture
def intel() -> Intel:
    return Intel(answers(simulated_collateral()))


def fetch(source: IntelService, need: Need):
    async def run():
        try:
            return await source.fetch(need)
        finally:
            await source.close()

    return asyncio.run(run())


def refusal(source: IntelService, need: Need) -> EndorsementUnavailable:
    with pytest.raises(EndorsementUnavailable) as caught:
        fetch(source, need)
    assert caught.value.documents == (str(need),)
    return caught.value


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need.kind.value)
@pytest.mark.parametrize("certificates_url", [None, "http://127.0.0.1:2"])
def test_each_document_is_fetched_with_its_issuers(intel, need, certificates_url):
    document = fetch(service(intel, certificates_url=certificates_url), need)
    vet(need, document, ANCHORS, AT)
    assert document.origin == "127.0.0.1:1"


def test_a_pccs_gives_the_root_list_itself_and_the_certificates_host_else(intel):
    fetch(service(intel), ROOT_CRL)
    assert (intel.count(ROOT_LIST), intel.count(LIST_OF_ROOT)) == (1, 0)
    fetch(service(intel, certificates_url="http://127.0.0.1:2"), ROOT_CRL)
    assert (intel.count(CERTIFICATE_OF_ROOT), intel.count(LIST_OF_ROOT)) == (1, 1)


def test_the_channel_or_the_number_is_asked_for_never_both(intel):
    def asked() -> dict[str, list[str]]:
        return parse_qs(urlsplit(intel.asked[-1]).query)

    fetch(service(intel), TCB_INFO)
    assert asked() == {"fmspc": [TCB_INFO.platform.upper()], "update": ["standard"]}
    fetch(service(intel, channel="early"), QE_IDENTITY)
    assert asked() == {"update": ["early"]}
    fetch(service(intel, channel="early"), replace(TCB_INFO, number=17))
    assert asked() == {"fmspc": [TCB_INFO.platform.upper()], "tcbEvaluationDataNumber": ["17"]}
    fetch(service(intel), PCK_CRL)
    assert asked() == {"ca": ["processor"], "encoding": ["der"]}


@pytest.mark.parametrize(
    ("path", "need", "name"),
    [
        (TCB, TCB_INFO, "SGX-TCB-Info-Issuer-Chain"),
        (IDENTITY, QE_IDENTITY, "SGX-QE-Identity-Issuer-Chain"),
        (PCK_LIST, PCK_CRL, "sgx-Pck-Crl-Issuer-Chain"),
    ],
)
def test_the_older_header_names_are_understood(intel, path, need, name):
    [(_, value)] = intel.good[path].headers
    intel.change(path, headers=((name, value),))
    vet(need, fetch(service(intel), need), ANCHORS, AT)


def test_an_address_is_made_of_known_parts_only(intel):
    for need in (
        replace(TCB_INFO, platform="../../../x"),
        replace(TCB_INFO, tee="sgx/../tdx"),
        replace(PCK_CRL, platform="processor&x=y"),
        replace(QE_IDENTITY, tee="http://127.0.0.1"),
    ):
        refusal(service(intel), need)
    assert intel.asked == []


@pytest.mark.parametrize("status", [404, 410])
def test_a_number_that_the_vendor_does_not_have_says_so_at_once(intel, status):
    intel.good[TCB] = Answer(status=status)
    error = refusal(service(intel), replace(TCB_INFO, number=3))
    assert f"HTTP {status}" in error.reason
    assert "number 3" in error.documents[0]
    assert intel.count(TCB) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_passing_failure_is_tried_again(intel, status):
    intel.first[TCB] = [Answer(status=status), Answer(status=status)]
    fetch(service(intel), TCB_INFO)
    assert intel.count(TCB) == 3


def test_attempts_are_bounded(intel):
    intel.good[TCB] = Answer(status=503)
    error = refusal(service(intel), TCB_INFO)
    assert "HTTP 503" in error.reason
    assert intel.count(TCB) == 3


@pytest.mark.parametrize("status", [201, 204, 206, 301, 302, 307, 308, 400, 401, 403])
def test_any_other_status_is_refused_at_once(intel, status):
    intel.change(TCB, status=status)
    refusal(service(intel), TCB_INFO)
    assert intel.count(TCB) == 1


def test_a_short_retry_after_is_waited_for(intel):
    intel.first[TCB] = [Answer(status=429, headers=(("Retry-After", "0"),))]
    fetch(service(intel), TCB_INFO)
    assert intel.count(TCB) == 2


@pytest.mark.parametrize(
    "headers",
    [
        (("Retry-After", "90"),),
        (("Date", "Mon, 01 Jun 2026 12:00:00 GMT"), ("Retry-After", "Mon, 01 Jun 2026 12:01:30 GMT")),
    ],
)
def test_a_long_retry_after_is_handed_on(intel, headers):
    intel.good[TCB] = Answer(status=429, headers=headers)
    assert refusal(service(intel), TCB_INFO).retry_after == 90
    assert intel.count(TCB) == 1


@pytest.mark.parametrize("value", ["-1", "soon", "1e9", "", "9" * 9])
def test_an_absurd_retry_after_does_no_harm(intel, value):
    intel.good[TCB] = Answer(status=503, headers=(("Retry-After", value),))
    assert (refusal(service(intel), TCB_INFO).retry_after or 0) <= 3600


@pytest.mark.parametrize(
    ("path", "need"), [(TCB, TCB_INFO), (IDENTITY, QE_IDENTITY), (PCK_LIST, PCK_CRL), (ROOT_LIST, ROOT_CRL)]
)
@pytest.mark.parametrize("body", [b"<html><body>Sign in</body></html>", b"", b"{}", b"\x00" * 100, b"0" * 101])
def test_something_else_with_status_200_is_refused(intel, path, need, body):
    intel.change(path, body=body)
    refusal(service(intel), need)


def test_an_html_page_in_place_of_the_root_certificate_is_refused(intel):
    intel.change(CERTIFICATE_OF_ROOT, body=b"<html>")
    refusal(service(intel, certificates_url="http://127.0.0.1:2"), ROOT_CRL)


def test_another_root_is_neither_believed_nor_remembered(intel):
    forged = forge_hierarchy().root_certificate().public_bytes(Encoding.DER)
    intel.first[CERTIFICATE_OF_ROOT] = [Answer(forged)]
    source = service(intel, certificates_url="http://127.0.0.1:2")
    assert "not pinned" in refusal(source, ROOT_CRL).reason
    vet(ROOT_CRL, fetch(source, ROOT_CRL), ANCHORS, AT)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, identity", "x"])
def test_an_encoded_answer_is_refused(intel, encoding):
    intel.change(TCB, headers=(*intel.good[TCB].headers, ("Content-Encoding", encoding)))
    error = refusal(service(intel), TCB_INFO)
    assert "encoding" in error.reason


def test_no_compression_is_asked_for(intel):
    seen: list[str] = []

    async def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers["accept-encoding"])
        return httpx2.Response(404)

    refusal(IntelService(settings(), ANCHORS, transport=httpx2.MockTransport(handle)), TCB_INFO)
    assert seen == ["identity"]


CHAIN = simulated_collateral().tcb_signing_chain


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("TCB-Info-Issuer-Chain", ""),),
        (("TCB-Info-Issuer-Chain", quote(CHAIN)), ("TCB-Info-Issuer-Chain", quote(b"x" + CHAIN))),
        (("TCB-Info-Issuer-Chain", quote(CHAIN)), ("SGX-TCB-Info-Issuer-Chain", quote(CHAIN + CHAIN))),
        (("TCB-Info-Issuer-Chain", quote(CHAIN) + "%0A" * 20_000),),
        (("TCB-Info-Issuer-Chain", quote(CHAIN + CHAIN)),),
        (("TCB-Info-Issuer-Chain", quote(HIERARCHY.pck_ca_chain("processor") + CHAIN)),),
        (("TCB-Info-Issuer-Chain", quote(forge_hierarchy().tcb_signing_chain())),),
    ],
    ids=["none", "empty", "two", "two names", "long", "extra", "extra first", "forged"],
)
def test_a_wrong_issuer_chain_is_never_trusted(intel, headers):
    intel.change(TCB, headers=headers)
    with pytest.raises(EndorsementUnavailable):
        vet(TCB_INFO, fetch(service(intel), TCB_INFO), ANCHORS, AT)


@pytest.mark.parametrize(
    "chain",
    [
        HIERARCHY.pck_ca_chain("processor") + HIERARCHY.tcb_signing_chain(),
        HIERARCHY.tcb_signing_chain(),
        HIERARCHY.pck_ca_chain("platform"),
        forge_hierarchy().pck_ca_chain("processor"),
        b"",
    ],
    ids=["extra", "signer", "other authority", "forged", "empty"],
)
def test_a_list_is_not_believed_under_other_issuers(intel, chain):
    intel.change(PCK_LIST, headers=(("SGX-PCK-CRL-Issuer-Chain", quote(chain)),))
    with pytest.raises(EndorsementUnavailable):
        vet(PCK_CRL, fetch(service(intel), PCK_CRL), ANCHORS, AT)


@pytest.mark.parametrize(
    "address",
    [
        "http://pccs.example",
        "ftp://127.0.0.1",
        "http://127.0.0.1.example",
        "https://user:word@pccs.example",
        "https://pccs.example/?x=y",
        "https://pccs.example/#x",
        "pccs.example",
        "https://",
        "https://pccs.example:x",
        "file:///etc/passwd",
        "http://169.254.169.254",
    ],
)
@pytest.mark.parametrize("member", ["base_url", "certificates_url"])
def test_only_https_or_the_loopback_is_configurable(member, address):
    with pytest.raises(ConfigurationError):
        CollateralSettings(**{member: address})


@pytest.mark.parametrize("address", ["https://pccs.example:8081", "http://localhost:8081/x", "http://[::1]:1"])
def test_https_and_the_loopback_are_configurable(address):
    assert CollateralSettings(base_url=address).certificates_host is None


def test_the_defaults_are_intels_own():
    assert CollateralSettings().certificates_host == "https://certificates.trustedservices.intel.com"


def real(base: str, **changes: object) -> IntelService:
    return IntelService(settings(base_url=base, **changes), ANCHORS)


def test_a_redirect_is_not_followed():
    followed: list[str] = []

    def elsewhere(handler):
        followed.append(handler.path)
        handler.send_response(200)
        handler.end_headers()

    with serving(elsewhere) as other:

        def redirect(handler):
            handler.send_response(302)
            handler.send_header("Location", other + "/sgx/certification/v4/tcb")
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        with serving(redirect) as base:
            assert "redirect" in refusal(real(base), TCB_INFO).reason
    assert followed == []


def test_an_endless_body_is_cut_off():
    sent = [0]

    def flood(handler):
        handler.send_response(200)
        handler.end_headers()
        while sent[0] < 1 << 30:
            handler.wfile.write(bytes(1 << 16))
            sent[0] += 1 << 16

    with serving(flood) as base:
        assert str(limits.COLLATERAL_JSON) in refusal(real(base), TCB_INFO).reason
    assert sent[0] < 64 << 20


def test_a_declared_gigabyte_is_not_read():
    def declare(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(1 << 30))
        handler.end_headers()

    with serving(declare) as base:
        assert str(limits.COLLATERAL_JSON) in refusal(real(base), TCB_INFO).reason


def test_a_gzip_bomb_is_refused_unread():
    def bomb(handler):
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip")
        handler.end_headers()
        handler.wfile.write(gzip.compress(bytes(1 << 24)))

    with serving(bomb) as base:
        assert "encoding" in refusal(real(base), TCB_INFO).reason


@pytest.mark.parametrize("headers_first", [False, True])
def test_a_slow_answer_ends_in_time(headers_first):
    over = threading.Event()

    def stall(handler):
        if headers_first:
            handler.send_response(200)
            handler.end_headers()
            handler.wfile.write(b"{")
            handler.wfile.flush()
        over.wait(10)

    async def run(source: IntelService) -> float:
        loop = asyncio.get_running_loop()
        started = loop.time()
        with pytest.raises(EndorsementUnavailable, match="no answer within"):
            await source.fetch(TCB_INFO)
        spent = loop.time() - started
        await source.close()
        return spent

    with serving(stall) as base:
        try:
            spent = asyncio.run(run(real(base, attempt_seconds=0.1, total_seconds=0.25)))
        finally:
            over.set()
    assert spent < 2


def test_a_service_that_is_not_there_is_named():
    with serving(lambda handler: None) as base:
        pass
    assert "ConnectError" in refusal(real(base), TCB_INFO).reason


def test_an_unknown_server_certificate_is_refused_and_a_named_one_believed(tmp_path):
    certificate, key = tmp_path / "ca.pem", tmp_path / "key.pem"
    _server_certificate(certificate, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    intel = Intel(answers(simulated_collateral()))

    def respond(handler):
        answer = intel.answer(handler.path)
        handler.send_response(answer.status)
        for name, value in answer.headers:
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(answer.body)

    with serving(respond, context) as base:
        error = refusal(real(base), TCB_INFO)
        assert "CERTIFICATE_VERIFY_FAILED" in error.reason
        assert intel.asked == []
        vet(TCB_INFO, fetch(real(base, ca_file=certificate), TCB_INFO), ANCHORS, AT)


def test_a_ca_file_that_cannot_be_read_is_a_configuration_error(tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(ConfigurationError):
        fetch(real("https://127.0.0.1:1", ca_file=tmp_path / "ca.pem"), TCB_INFO)


def _server_certificate(certificate, key) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pccs")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
