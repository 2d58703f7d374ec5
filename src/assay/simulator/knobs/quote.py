"""Knobs of the quote itself: form, signature, certification data, report body, held data."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assay.simulator.intel.certificates import encode_pem
from assay.simulator.intel.enclave import DEBUG, EINIT_TOKEN_KEY, INIT, MODE64, PROVISION_KEY, bind
from assay.simulator.intel.platform import mint_pck_certificate, mint_pck_chain
from assay.simulator.intel.quote import ppid_certification
from assay.simulator.keys import ORDER, filler
from assay.simulator.knobs.knob import Knob, Turn, on_certification, on_enclave, on_qe, on_quote

if TYPE_CHECKING:
    from assay.simulator.intel.quote import Certification, Machine
    from assay.simulator.recipe import Recipe

_ONE: Final = (1).to_bytes(32, "big")
_N: Final = ORDER.to_bytes(32, "big")


def _signature(content: bytes) -> Turn:
    return on_quote(lambda form: replace(form, signature=content))


def _certification_type(number: int) -> Turn:
    def edit(machine: Machine, certification: Certification) -> Certification:
        match number:
            case 1 | 2 | 3:
                content = ppid_certification(machine.platform, number)
            case 4:
                content = encode_pem(mint_pck_certificate(machine.platform, machine.hierarchy))
            case _:
                content = mint_pck_chain(machine.platform, machine.hierarchy)
        return replace(certification, type=number, content=content)

    return on_certification(edit)


def _clear(flag: int) -> Turn:
    return on_enclave(lambda enclave: replace(enclave, flags=enclave.flags & ~flag))


def _set(flag: int) -> Turn:
    return on_enclave(lambda enclave: replace(enclave, flags=enclave.flags | flag))


def _submit_other(recipe: Recipe) -> Recipe:
    return replace(recipe, submitted_runtime_data=(recipe.runtime_data or b"") + b" and more")


def _match_31_bytes(recipe: Recipe) -> Recipe:
    held = recipe.runtime_data or b"held data"
    bound = bytearray(bind(held))
    bound[31] ^= 1
    enclave = replace(recipe.enclave, report_data=bytes(bound))
    return replace(recipe, enclave=enclave, runtime_data=None, submitted_runtime_data=held)


_FORM, _SIGNATURE, _FLAGS = "quote form", "quote signature", "platform rule on enclave attributes"
_KEY_TYPE, _CERTIFICATION, _HELD = "attestation key type", "certification data", "held data binding"

QUOTE_KNOBS: Final = (
    Knob(
        "vendor-id-unknown",
        "The QE vendor id in the header is not Intel's.",
        "quoting enclave vendor",
        ("QV-09",),
        on_quote(lambda form: replace(form, vendor_id=filler("another vendor", 16))),
    ),
    Knob("version-2", "The header says quote version 2.", _FORM, ("QV-16",), on_quote(lambda f: replace(f, version=2))),
    Knob(
        "version-4-in-the-form-of-3",
        "The header says version 4, TEE type SGX; the signature data has the form of version 3.",
        _FORM,
        ("QV-15",),
        on_quote(lambda form: replace(form, version=4, enclosed=False)),
    ),
    Knob(
        "tee-type-tdx",
        "The header of the SGX quote says TEE type TDX.",
        _FORM,
        ("QV-15",),
        on_quote(lambda form: replace(form, tee_type=0x81)),
    ),
    Knob(
        "key-type-p384",
        "The header says attestation key type 3, ECDSA P-384.",
        _KEY_TYPE,
        ("QV-29",),
        on_quote(lambda form: replace(form, key_type=3)),
    ),
    Knob(
        "key-type-unknown",
        "The header says an attestation key type that is not defined.",
        _KEY_TYPE,
        ("QV-29",),
        on_quote(lambda form: replace(form, key_type=9)),
    ),
    Knob(
        "quote-signed-by-another-key",
        "The quote is signed by another key than the attestation key it carries.",
        _SIGNATURE,
        ("QV-14",),
        on_quote(lambda form: replace(form, signed_by="another attestation key")),
    ),
    Knob("signature-zero", "r and s are zero.", _SIGNATURE, ("QV-14",), _signature(bytes(64))),
    Knob("signature-r-zero", "r is zero.", _SIGNATURE, ("QV-14",), _signature(bytes(32) + _ONE)),
    Knob("signature-s-zero", "s is zero.", _SIGNATURE, ("QV-14",), _signature(_ONE + bytes(32))),
    Knob("signature-r-order", "r is the order of the curve.", _SIGNATURE, ("QV-14",), _signature(_N + _ONE)),
    Knob("signature-s-order", "s is the order of the curve.", _SIGNATURE, ("QV-14",), _signature(_ONE + _N)),
    Knob(
        "signature-garbage",
        "The quote signature is bytes that nobody signed with.",
        _SIGNATURE,
        ("QV-14",),
        _signature(bytes.fromhex("5a") * 64),
    ),
    Knob(
        "attestation-key-off-curve",
        "The attestation key, rightly bound in the QE report, is not a point of the curve.",
        "attestation key",
        ("QV-14",),
        on_qe(lambda qe: replace(qe, attestation_point=_ONE + _ONE)),
    ),
    *(
        Knob(
            f"certification-type-{number}",
            f"The certification data is of type {number}: {words}.",
            _CERTIFICATION,
            ("QV-13",),
            _certification_type(number),
        )
        for number, words in (
            (0, "not defined"),
            (1, "the PPID in clear, no certificate"),
            (2, "the PPID encrypted with RSA-2048, no certificate"),
            (3, "the PPID encrypted with RSA-3072, no certificate"),
            (4, "the PCK certificate without its chain"),
            (6, "defined for versions 4 and 5 only"),
            (7, "a platform manifest"),
            (255, "not defined"),
        )
    ),
    Knob(
        "signature-data-length-short",
        "The declared length of the signature data ends inside the certification data.",
        _FORM,
        ("QV-16",),
        on_quote(lambda form: replace(form, signature_data_length=1000)),
    ),
    Knob(
        "signature-data-length-long",
        "The declared length of the signature data exceeds the bytes.",
        _FORM,
        ("QV-16",),
        on_quote(lambda form: replace(form, signature_data_length=1 << 20)),
    ),
    Knob(
        "signature-data-length-greatest",
        "The declared length of the signature data is the greatest number of its field.",
        _FORM,
        ("QV-16",),
        on_quote(lambda form: replace(form, signature_data_length=0xFFFFFFFF)),
    ),
    Knob(
        "authentication-length-overflow",
        "The length of the QE authentication data exceeds the signature data.",
        _FORM,
        ("QV-16",),
        on_qe(lambda qe: replace(qe, authentication_length=0xFFFF)),
    ),
    Knob(
        "certification-length-overflow",
        "The length of the certification data exceeds the signature data.",
        _FORM,
        ("QV-16",),
        on_certification(lambda _, certification: replace(certification, size=0xFFFFFFFF)),
    ),
    Knob(
        "certification-length-short",
        "The certification data does not fill the signature data.",
        _FORM,
        ("QV-16",),
        on_certification(lambda _, certification: replace(certification, size=100)),
    ),
    Knob("cut", "The quote ends in its QE report.", _FORM, ("QV-16",), on_quote(lambda form: replace(form, keep=700))),
    Knob(
        "trailing-bytes",
        "Bytes that are not zero follow the quote.",
        "trailing bytes",
        ("QV-17",),
        on_quote(lambda form: replace(form, trailing=b"trailing")),
        rule="no bytes after the quote",
    ),
    Knob("debug", "The enclave's DEBUG bit is set.", _FLAGS, ("QV-18",), _set(DEBUG), rule="no debug enclaves"),
    Knob(
        "provision-key",
        "The enclave may use the provisioning key.",
        _FLAGS,
        ("QV-19",),
        _set(PROVISION_KEY),
        rule="no provisioning key",
    ),
    Knob(
        "einit-token-key",
        "The enclave may use the launch key.",
        _FLAGS,
        ("QV-19",),
        _set(EINIT_TOKEN_KEY),
        rule="no launch key",
    ),
    Knob("not-mode-64", "MODE64BIT is clear.", _FLAGS, ("QV-19",), _clear(MODE64), rule="64-bit enclaves only"),
    Knob("not-initialised", "INIT is clear.", _FLAGS, ("QV-19",), _clear(INIT), rule="initialised enclaves only"),
    Knob(
        "runtime-data-other",
        "The runtime data that is handed over is not what the report data binds.",
        _HELD,
        ("QV-24",),
        _submit_other,
    ),
    Knob(
        "runtime-data-31-bytes",
        "The report data matches the hash of the runtime data in 31 bytes only.",
        _HELD,
        ("QV-24",),
        _match_31_bytes,
    ),
)
