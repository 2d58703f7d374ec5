"""The control plane: providers as resources of Microsoft.Attestation, as `azure-mgmt-attestation` calls it (14)."""

from assay.service.control_plane.answers import answer

__all__ = ["answer"]
