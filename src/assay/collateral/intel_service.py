"""Intel's provisioning certification service, and its caching proxy PCCS (quote-verification 6.1, 6.2)."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from assay import limits
from assay.collateral.reading import read_document
from assay.collateral.vendor_http import Query, Reply, VendorHttp, VendorRefusal
from assay.collateral.vetting import parse_issuers, require_pinned_root
from assay.endorsements.documents import OF_AMD, REVOCATION_LISTS, Document, DocumentKind, Need
from assay.errors import LimitExceeded, MalformedEndorsement
from assay.pki.signatures import SignatureError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx2

    from assay.collateral.settings import CollateralSettings
    from assay.endorsements.anchors import TrustAnchors

# Own: a chain of two certificates is about 1.9 kB, 2.6 kB percent-encoded; limits.CERTIFICATES_IN_CHAIN of them 13 kB.
ISSUER_CHAIN_HEADER: Final = 32 << 10

_CHAIN_HEADERS: Final[Mapping[DocumentKind, tuple[str, ...]]] = {
    DocumentKind.INTEL_TCB_INFO: ("TCB-Info-Issuer-Chain", "SGX-TCB-Info-Issuer-Chain"),
    DocumentKind.INTEL_QE_IDENTITY: ("SGX-Enclave-Identity-Issuer-Chain", "SGX-QE-Identity-Issuer-Chain"),
    DocumentKind.INTEL_PCK_CRL: ("SGX-PCK-CRL-Issuer-Chain",),
}
_TEES: Final = ("sgx", "tdx")
_AUTHORITIES: Final = ("processor", "platform")
_ROOT_CERTIFICATE: Final = "Intel_SGX_Provisioning_Certification_RootCA.cer"
_ROOT_LIST: Final = "IntelSGXRootCA.der"


class IntelService:
    """Fetches Intel's documents; what it returns has the right form, its signatures are the collector's to check.

    The issuers that the service names come with the documents, also with revocation lists. No address is taken from
    an answer, from evidence or from a certificate (attack case IN-07).
    """

    kinds: Final = frozenset(DocumentKind) - frozenset(OF_AMD)

    def __init__(
        self,
        settings: CollateralSettings,
        anchors: TrustAnchors,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._settings, self._anchors = settings, anchors
        self._base = settings.base_url.rstrip("/")
        host = settings.certificates_host
        self._certificates = None if host is None else host.rstrip("/")
        self._name = self._base.partition("://")[2]
        self._http = VendorHttp(settings, transport)
        self._root: bytes | None = None

    async def fetch(self, need: Need) -> Document:
        """The document that the service has for a need; raises `VendorRefusal`."""
        match need.kind:
            case DocumentKind.INTEL_ROOT_CRL:
                return await self._fetch_root_list(need)
            case DocumentKind.INTEL_PCK_CRL:
                return await self._fetch_pck_list(need)
            case DocumentKind.INTEL_TCB_INFO:
                parameters = {"fmspc": self._known_platform(need), **self._channel(need)}
                return await self._fetch_signed(need, "tcb", parameters)
            case DocumentKind.INTEL_QE_IDENTITY:
                return await self._fetch_signed(need, "qe/identity", self._channel(need))
            case _:
                raise VendorRefusal(need, f"{self._name} has no document of this kind", absent=True)

    async def close(self) -> None:
        await self._http.close()

    def _channel(self, need: Need) -> Mapping[str, str]:
        # The two exclude each other (quote-verification 6.1).
        if need.number is not None:
            return {"tcbEvaluationDataNumber": str(need.number)}
        return {"update": self._settings.channel}

    async def _fetch_signed(self, need: Need, path: str, parameters: Mapping[str, str]) -> Document:
        if need.tee not in _TEES:
            raise VendorRefusal(need, f"no document for {need.tee!r}", absent=True)
        url = f"{self._base}/{need.tee}/certification/v4/{path}"
        reply = await self._http.get(Query(need, url, parameters, limits.COLLATERAL_JSON))
        return self._document(need, reply.body.rstrip(b"\x00 \t\r\n"), self._issuer_chain(need, reply))

    async def _fetch_pck_list(self, need: Need) -> Document:
        reply = await self._get_pck_list(need, need.platform)
        return self._document(need, reply.body, self._issuer_chain(need, reply))

    async def _get_pck_list(self, need: Need, authority: str) -> Reply:
        if authority not in _AUTHORITIES:
            raise VendorRefusal(need, f"no authority {authority!r}", absent=True)
        url = f"{self._base}/sgx/certification/v4/pckcrl"
        parameters = {"ca": authority, "encoding": "der"}
        return await self._http.get(Query(need, url, parameters, limits.REVOCATION_LIST))

    async def _fetch_root_list(self, need: Need) -> Document:
        url = f"{self._base}/sgx/certification/v4/rootcacrl"
        if self._certificates is not None:
            url = f"{self._certificates}/{_ROOT_LIST}"
        query = Query(need, url, {}, limits.REVOCATION_LIST)
        # Both at once, so that the time of one bounds both.
        root, reply = await asyncio.gather(self._root_certificate(need), self._http.get(query))
        return self._document(need, reply.body, root)

    async def _root_certificate(self, need: Need) -> bytes:
        """The pinned root as PEM, asked for once: the list comes without its issuer."""
        if self._root is None:
            self._root = await (self._root_of_host(need) if self._certificates else self._root_of_proxy(need))
        return self._root

    async def _root_of_host(self, need: Need) -> bytes:
        url = f"{self._certificates}/{_ROOT_CERTIFICATE}"
        return self._pinned(need, (await self._http.get(Query(need, url, {}, limits.CERTIFICATE))).body)

    async def _root_of_proxy(self, need: Need) -> bytes:
        # A PCCS has no address for the root's certificate; it comes with the list of either authority.
        other = Need(DocumentKind.INTEL_PCK_CRL, platform="processor")
        reply = await self._get_pck_list(need, other.platform)
        chain = self._issuer_chain(other, reply)
        try:
            *_, root = parse_issuers(other.kind, chain)
        except (MalformedEndorsement, LimitExceeded) as error:
            raise VendorRefusal(need, f"{self._name}: {error}") from error
        return self._pinned(need, root.der)

    def _pinned(self, need: Need, certificate: bytes) -> bytes:
        try:
            return require_pinned_root(certificate, self._anchors).pem
        except (MalformedEndorsement, LimitExceeded, SignatureError) as error:
            raise VendorRefusal(need, f"{self._name}: {error}") from error

    def _issuer_chain(self, need: Need, reply: Reply) -> bytes:
        """The chain of the answer's header; none, several that differ, or an overlong one are refused (CO-21)."""
        found = {value for name in _CHAIN_HEADERS[need.kind] for value in reply.headers.get_list(name)}
        if len(found) != 1:
            raise VendorRefusal(need, f"{self._name}: {len(found)} issuer chains with one document")
        value = found.pop()
        if len(value) > ISSUER_CHAIN_HEADER:
            raise VendorRefusal(need, f"{self._name}: an issuer chain of more than {ISSUER_CHAIN_HEADER} characters")
        return unquote_to_bytes(value)

    def _known_platform(self, need: Need) -> str:
        if not re.fullmatch(r"[0-9a-f]{12}", need.platform):
            raise VendorRefusal(need, f"no platform {need.platform!r}", absent=True)
        return need.platform.upper()

    def _document(self, need: Need, body: bytes, chain: bytes) -> Document:
        """The document, when its body has the form of its kind: a web page in its place is refused (CO-22)."""
        document = Document(need.kind, body, chain, self._name)
        try:
            read_document(document)
            if need.kind in REVOCATION_LISTS:
                parse_issuers(need.kind, chain)
        except (MalformedEndorsement, LimitExceeded) as error:
            raise VendorRefusal(need, f"{self._name}: {error}") from error
        return document
