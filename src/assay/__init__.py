"""Assay: an attestation service anyone can run, wire-compatible with Microsoft Azure Attestation."""

from assay._version import __version__

__all__ = ["__version__"]
