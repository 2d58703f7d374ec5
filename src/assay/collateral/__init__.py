"""Endorsements wherever they are: directories, the store, the vendors' services; verified before they are kept."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from assay.collateral.amd_kds import AmdKeyService
    from assay.collateral.cache import Collected, DocumentStore
    from assay.collateral.collector import Collector, Refreshed, VendorService
    from assay.collateral.directory import DirectorySource
    from assay.collateral.intel_service import IntelService
    from assay.collateral.settings import CollateralSettings

# Found when first asked for: reading a directory needs no HTTP client.
_PLACES: Final = {
    "AmdKeyService": "amd_kds",
    "Collected": "cache",
    "CollateralSettings": "settings",
    "Collector": "collector",
    "DirectorySource": "directory",
    "DocumentStore": "cache",
    "IntelService": "intel_service",
    "Refreshed": "collector",
    "VendorService": "collector",
}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"assay.collateral.{_PLACES[name]}"), name)


__all__ = [
    "AmdKeyService",
    "CollateralSettings",
    "Collected",
    "Collector",
    "DirectorySource",
    "DocumentStore",
    "IntelService",
    "Refreshed",
    "VendorService",
]
