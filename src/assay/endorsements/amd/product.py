"""AMD's product lines: each has its own root (quote-verification 8.2, 8.3)."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Product(str, Enum):
    """A line of processors under one ARK; Siena and Bergamo are of Genoa's line."""

    MILAN = "Milan"
    GENOA = "Genoa"
    TURIN = "Turin"


# CPUID family, first and last model, product line (quote-verification 8.2).
_MODELS: Final = (
    (0x19, 0x00, 0x0F, Product.MILAN),
    (0x19, 0x10, 0x1F, Product.GENOA),
    (0x19, 0xA0, 0xAF, Product.GENOA),
    (0x1A, 0x00, 0x1F, Product.TURIN),
)


def product_of_cpuid(family: int, model: int) -> Product | None:
    """The product line of a CPUID family and model, None for one that is not known."""
    for known, first, last, product in _MODELS:
        if family == known and first <= model <= last:
            return product
    return None


def product_of_name(name: str) -> Product | None:
    """The product line of a certificate's product name, which may carry a stepping (`Milan-B0`), or None."""
    line = name.partition("-")[0]
    return next((product for product in Product if product.value == line), None)
