from __future__ import annotations

from datetime import UTC, datetime

import pytest

from assay.simulator import der


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        (der.integer(0), "020100"),
        (der.integer(127), "02017f"),
        (der.integer(128), "02020080"),
        (der.integer(255), "020200ff"),
        (der.integer(256), "02020100"),
        (der.integer(-1), "0201ff"),
        (der.integer(-128), "020180"),
        (der.integer(-129), "0202ff7f"),
        (der.boolean(value=True), "0101ff"),
        (der.boolean(value=False), "010100"),
        (der.enumerated(1), "0a0101"),
        (der.octet_string(b"\0\0"), "04020000"),
        (der.bit_string(b"\xa0"), "030200a0"),
        # The OID of the SGX extension as a genuine certificate has it.
        (der.oid("1.2.840.113741.1.13.1"), "06092a864886f84d010d01"),
        (der.oid("1.2.840.113741.1.13.1.2.17"), "060b2a864886f84d010d010211"),
        (der.sequence(der.integer(1)), "3003020101"),
        (der.explicit(0, der.integer(2)), "a003020102"),
        (der.time(datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)), "170d" + b"491231235959Z".hex()),
        (der.time(datetime(2050, 1, 1, tzinfo=UTC)), "180f" + b"20500101000000Z".hex()),
    ],
)
def test_elements_are_encoded_as_x690_says(encoded: bytes, expected: str) -> None:
    assert encoded.hex() == expected


@pytest.mark.parametrize(
    ("size", "head"), [(127, "047f"), (128, "048180"), (255, "0481ff"), (256, "04820100"), (65536, "0483010000")]
)
def test_lengths_take_the_least_number_of_bytes(size: int, head: str) -> None:
    assert der.octet_string(bytes(size)).hex().startswith(head)
    assert len(der.octet_string(bytes(size))) == len(bytes.fromhex(head)) + size
