"""AMD's key distribution service: VCEKs, authorities, revocation lists (quote-verification 10)."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final

from assay import clock, limits
from assay.collateral.pace import Pace
from assay.collateral.reading import read_document
from assay.collateral.vendor_http import Query, VendorHttp, VendorRefusal
from assay.endorsements.amd.hierarchy import AUTHORITY_NAMES, ROOT_NAMES, parse_certificates
from assay.endorsements.amd.product import Product
from assay.endorsements.amd.tcb import parse_tcb_version
from assay.endorsements.amd.vek import KeyKind
from assay.endorsements.documents import OF_AMD, Document, DocumentKind, Need
from assay.errors import LimitExceeded, MalformedEndorsement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx2

    from assay.collateral.settings import CollateralSettings
    from assay.pki.certificate import Certificate

# Own: two certificates of RSA-4096 in PEM are 4.7 kB.
CERTIFICATE_CHAIN: Final = 32 << 10
_CHIP: Final = re.compile(r"(?:[0-9a-f]{16}|[0-9a-f]{128}):[0-9a-f]{16}")
_KINDS: Final[Mapping[str, KeyKind]] = {kind.name.lower(): kind for kind in KeyKind}


class AmdKeyService:
    """Fetches AMD's documents; what it returns has the right form, its signatures are the collector's to check.

    The service throttles hard: it is asked at a pace of its own, and `Retry-After` holds for all of its documents. No
    address is taken from an answer, from evidence or from a certificate (attack case IN-07).
    """

    kinds: Final = frozenset(OF_AMD)

    def __init__(
        self,
        settings: CollateralSettings,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        monotonic: Callable[[], float] = clock.monotonic,
    ) -> None:
        self._base = settings.amd_url.rstrip("/")
        self._name = self._base.partition("://")[2]
        self._http = VendorHttp(settings, transport)
        self._pace = Pace(settings.amd_per_minute, monotonic)
        self._chains: dict[tuple[str, Product], tuple[Certificate, Certificate]] = {}

    async def fetch(self, need: Need) -> Document:
        """The document that the service has for a need; raises `VendorRefusal`."""
        product = self._product(need)
        match need.kind:
            case DocumentKind.AMD_VCEK:
                return await self._fetch_vcek(need, product)
            case DocumentKind.AMD_AUTHORITY:
                authority, root = await self._chain(need, need.platform, product)
                return Document(need.kind, authority.der, root.pem, self._name)
            case DocumentKind.AMD_CRL:
                url = f"{self._base}/vcek/v1/{product.value}/crl"
                (_, root), body = await asyncio.gather(
                    self._chain(need, "vcek", product), self._get(need, url, {}, limits.REVOCATION_LIST)
                )
                return self._read(need, body, root.pem)
            case _:
                reason = f"{self._name} does not serve VLEK certificates: they come with the evidence"
                raise VendorRefusal(need, reason, absent=True)

    async def close(self) -> None:
        await self._http.close()

    def _product(self, need: Need) -> Product:
        try:
            return Product(need.tee)
        except ValueError as error:
            raise VendorRefusal(need, f"no product line {need.tee!r}", absent=True) from error

    async def _fetch_vcek(self, need: Need, product: Product) -> Document:
        if not _CHIP.fullmatch(need.platform):
            raise VendorRefusal(need, f"no chip {need.platform!r}", absent=True)
        chip, _, octets = need.platform.partition(":")
        try:
            tcb = parse_tcb_version(bytes.fromhex(octets), product, "reported TCB", MalformedEndorsement)
        except MalformedEndorsement as error:
            raise VendorRefusal(need, error.message, absent=True) from error
        levels = {"blSPL": tcb.boot_loader, "teeSPL": tcb.tee, "snpSPL": tcb.snp, "ucodeSPL": tcb.microcode}
        if tcb.fmc is not None:
            levels = {"fmcSPL": tcb.fmc, **levels}
        parameters = {name: str(level) for name, level in levels.items()}
        url = f"{self._base}/vcek/v1/{product.value}/{chip}"
        (authority, root), body = await asyncio.gather(
            self._chain(need, "vcek", product), self._get(need, url, parameters, limits.CERTIFICATE)
        )
        return self._read(need, body, authority.pem + root.pem)

    async def _chain(self, need: Need, holder: str, product: Product) -> tuple[Certificate, Certificate]:
        """The authority over a kind of key, and the ARK: asked for once, since certificates do not change."""
        known = self._chains.get((holder, product))
        if known is None:
            known = self._chains[holder, product] = await self._fetch_chain(need, holder, product)
        return known

    async def _fetch_chain(self, need: Need, holder: str, product: Product) -> tuple[Certificate, Certificate]:
        kind = _KINDS.get(holder)
        if kind is None:
            raise VendorRefusal(need, f"no kind of key {holder!r}", absent=True)
        body = await self._get(need, f"{self._base}/{holder}/v1/{product.value}/cert_chain", {}, CERTIFICATE_CHAIN)
        try:
            certificates = parse_certificates(body, "cert_chain", MalformedEndorsement)
        except (MalformedEndorsement, LimitExceeded) as error:
            raise VendorRefusal(need, f"{self._name}: {error}") from error
        authorities = [c for c in certificates if AUTHORITY_NAMES.get(c.common_name) == (kind, product)]
        roots = [c for c in certificates if ROOT_NAMES.get(c.common_name) is product]
        if len(certificates) != 2 or len(authorities) != 1 or len(roots) != 1:
            names = " and ".join(repr(certificate.common_name) for certificate in certificates)
            raise VendorRefusal(need, f"{self._name}: a chain of {names}")
        return authorities[0], roots[0]

    async def _get(self, need: Need, url: str, parameters: Mapping[str, str], limit: int) -> bytes:
        self._pace.require_turn(need, self._name)
        try:
            return (await self._http.get(Query(need, url, parameters, limit))).body
        except VendorRefusal as refusal:
            self._pace.heed(refusal)
            raise

    def _read(self, need: Need, body: bytes, issuers: bytes) -> Document:
        """The document, when its body has the form of its kind: a web page in its place is refused (CO-22)."""
        document = Document(need.kind, body, issuers, self._name)
        try:
            read_document(document)
        except (MalformedEndorsement, LimitExceeded) as error:
            raise VendorRefusal(need, f"{self._name}: {error}") from error
        return document
