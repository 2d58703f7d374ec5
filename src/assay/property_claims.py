"""What property claims say, typed: those that steer verification and those that shape a token (policy-language 9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assay.claims import Claim, ClaimValue, Configuration, value_type
from assay.errors import PolicyEvaluationError

if TYPE_CHECKING:
    from collections.abc import Iterable

REQUIRE_VALID_AIK_CERT: Final = "require_valid_aik_cert"
REQUIRED_PCR_MASK: Final = "required_pcr_mask"
TCB_IDENTIFIER: Final = "x-ms-sgx-tcbidentifier"
# Ours: whether enclaves that can be debugged are admitted where they otherwise are not (ADR 0042).
ALLOW_DEBUG_ENCLAVE: Final = "allow_debug_enclave"
REPORT_VALIDITY: Final = "report_validity_in_minutes"
OMIT_X5C: Final = "omit_x5c"

AZURE_DEFAULT: Final = "azuredefault"
ALL_PCRS: Final = 0xFFFFFF
MINUTES_OF_A_YEAR: Final = 525_600


@dataclass(frozen=True, slots=True)
class VerificationProperties:
    """What a policy's configuration asks of verification; the defaults are those of a policy that asks nothing.

    Bit i of `required_pcr_mask` is PCR i.
    """

    require_valid_aik_cert: bool = True
    required_pcr_mask: int = ALL_PCRS
    tcb_identifier: str = AZURE_DEFAULT
    allow_debug_enclave: bool = False

    @property
    def required_pcrs(self) -> tuple[int, ...]:
        """The PCRs of the mask, ascending."""
        return tuple(index for index in range(ALL_PCRS.bit_length()) if self.required_pcr_mask >> index & 1)


@dataclass(frozen=True, slots=True)
class TokenProperties:
    """What a policy's property claims ask of a TPM's token; `report_validity_in_minutes` is None for the default."""

    report_validity_in_minutes: int | None = None
    omit_x5c: bool = False


def read_verification_properties(configuration: Configuration) -> VerificationProperties:
    """The properties that steer verification; other names are not looked at.

    Raises `PolicyEvaluationError` for a value of a wrong type, and for a mask of more than PCR 0 to 23.
    """
    mask = _integer(configuration, REQUIRED_PCR_MASK, ALL_PCRS)
    if not 0 <= mask <= ALL_PCRS:
        raise PolicyEvaluationError(f"{REQUIRED_PCR_MASK}: {mask} is no mask of PCR 0 to 23")
    return VerificationProperties(
        _boolean(configuration, REQUIRE_VALID_AIK_CERT, default=True),
        mask,
        _string(configuration, TCB_IDENTIFIER, AZURE_DEFAULT),
        _boolean(configuration, ALLOW_DEBUG_ENCLAVE, default=False),
    )


def read_token_properties(properties: Iterable[Claim]) -> TokenProperties:
    """The properties that shape a token, the last claim of a name being meant; other names are not looked at.

    More minutes than a year has are a year. Raises `PolicyEvaluationError` for a value of a wrong type, and for fewer
    minutes than one.
    """
    values: Configuration = {claim.type: claim.value for claim in properties}
    minutes = None
    if REPORT_VALIDITY in values:
        minutes = _integer(values, REPORT_VALIDITY, 0)
        if minutes < 1:
            raise PolicyEvaluationError(f"{REPORT_VALIDITY}: {minutes} is less than a minute")
        minutes = min(minutes, MINUTES_OF_A_YEAR)
    return TokenProperties(minutes, _boolean(values, OMIT_X5C, default=False))


def _boolean(values: Mapping[str, ClaimValue], name: str, *, default: bool) -> bool:
    value = values.get(name, default)
    if not isinstance(value, bool):
        raise _wrong_type(name, "a Boolean", value)
    return value


def _integer(values: Mapping[str, ClaimValue], name: str, default: int) -> int:
    value = values.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong_type(name, "an Integer", value)
    return value


def _string(values: Mapping[str, ClaimValue], name: str, default: str) -> str:
    value = values.get(name, default)
    if not isinstance(value, str):
        raise _wrong_type(name, "a String", value)
    return value


def _wrong_type(name: str, wanted: str, value: ClaimValue) -> PolicyEvaluationError:
    return PolicyEvaluationError(f"{name}: {wanted} is needed, {value_type(value).value} found")
