"""Endorsements wherever they are: directories, the store, the vendors' services; verified before they are kept."""

from assay.collateral.cache import Collected, DocumentStore
from assay.collateral.collector import Collector, Refreshed, VendorService
from assay.collateral.directory import DirectorySource
from assay.collateral.intel_service import IntelService
from assay.collateral.settings import CollateralSettings

__all__ = [
    "CollateralSettings",
    "Collected",
    "Collector",
    "DirectorySource",
    "DocumentStore",
    "IntelService",
    "Refreshed",
    "VendorService",
]
