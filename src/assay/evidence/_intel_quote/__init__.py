"""What SGX and TDX quotes share: layout, certification of the attestation key, appraisal of the platform."""
