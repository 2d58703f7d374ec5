"""RSA keys of the synthetic vendors, each derived from a public name; as little a secret as those of `keys`."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

_EXPONENT: Final = 65537
# How far above the start of a name's search its two primes lie, so that the usual keys cost no search; a name that
# stands not here is searched for.
_OFFSETS: Final[dict[tuple[str, int], tuple[int, int]]] = {
    ("tpm ak", 2048): (1788, 264),
    ("tpm other ak", 2048): (80, 264),
    ("tpm request", 2048): (540, 2030),
    ("tpm other request", 2048): (392, 956),
    ("tpm ek", 2048): (588, 1384),
    ("tpm other ek", 2048): (570, 372),
    ("tpm idks", 2048): (556, 2754),
    ("tpm other idks", 2048): (638, 702),
    ("tpm ephemeral", 2048): (62, 1004),
    ("amd ark Milan", 4096): (924, 2228),
    ("amd ask Milan", 4096): (4192, 1924),
    ("amd asvk Milan", 4096): (1768, 950),
    ("amd ark Genoa", 4096): (364, 950),
    ("amd ask Genoa", 4096): (3186, 336),
    ("amd asvk Genoa", 4096): (86, 4932),
    ("amd ark Turin", 4096): (2312, 1344),
    ("amd ask Turin", 4096): (380, 1674),
    ("amd asvk Turin", 4096): (1002, 1652),
    ("amd stranger", 4096): (326, 322),
}
_SMALL_PRIMES: Final = tuple(n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2)))


@lru_cache(maxsize=256)
def derive_rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The RSA key of a public name: its primes are the first ones after numbers that the name gives."""
    offsets = _OFFSETS.get((name, bits)) or (None, None)
    p, q = (_prime(f"{name}: {part}", bits // 2, offset) for part, offset in zip("pq", offsets, strict=True))
    totient = (p - 1) * (q - 1)
    d = pow(_EXPONENT, -1, totient)
    numbers = rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=d % (p - 1),
        dmq1=d % (q - 1),
        iqmp=pow(q, -1, p),
        public_numbers=rsa.RSAPublicNumbers(_EXPONENT, p * q),
    )
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def _start(name: str, bits: int) -> int:
    """An odd number of so many bits whose two highest bits are set, so that the product has twice as many."""
    drawn = int.from_bytes(hashlib.shake_256(f"assay simulator: {name}".encode()).digest(bits // 8), "big")
    return drawn | 3 << (bits - 2) | 1


def _prime(name: str, bits: int, offset: int | None) -> int:
    start = _start(name, bits)
    if offset is not None:
        return start + offset
    candidate = start
    while not _is_prime(candidate):
        candidate += 2
    return candidate


def _is_prime(candidate: int) -> bool:
    """A Fermat test is enough for numbers that nobody chose, and for keys that protect nothing."""
    if any(candidate % prime == 0 for prime in _SMALL_PRIMES) or candidate % _EXPONENT == 1:
        return False
    return pow(2, candidate - 1, candidate) == 1
