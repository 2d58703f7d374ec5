"""The members of a request as real clients write them (rest-api 2.1, 7.0)."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from assay.formats import base64url
from assay.simulator import Enclave, bind, simulate_sgx
from tests.service.material import (
    AT,
    HELD,
    SGX,
    claims_of,
    held_data,
    open_enclave_body,
    quote,
    refusal_of,
    sgx_body,
)

EVIDENCE = quote().evidence
# SGX attributes INIT, MODE64BIT and KSS (quote-verification 2.2).
KEY_SHARING = 0x85


def post(wire, body: object, **options):
    return wire.post(SGX, json=body, **options)


def refused(wire, body: object, target: str):
    error = refusal_of(post(wire, body), 400, "InvalidParameter")
    assert error["deciding"]["target"] == target, error
    return error


def test_binary_runtime_data_is_echoed_as_held_data(wire) -> None:
    claims = claims_of(post(wire, sgx_body(runtimeData=held_data(HELD, "Binary"))))
    assert claims["x-ms-sgx-ehd"] == claims["maa-ehd"] == claims["aas-ehd"] == base64url.encode(HELD)
    assert "x-ms-runtime" not in claims


def test_json_runtime_data_is_echoed_parsed(wire) -> None:
    claims = claims_of(post(wire, sgx_body(runtimeData=held_data(HELD, "JSON"))))
    assert claims["x-ms-runtime"] == {"key": "value"}
    assert not {"x-ms-sgx-ehd", "maa-ehd", "aas-ehd"} & set(claims)


def test_absent_runtime_data_is_not_echoed(wire) -> None:
    for body in (sgx_body(), sgx_body(runtimeData=None), sgx_body(runtimeData={})):
        claims = claims_of(post(wire, body))
        assert not {"x-ms-runtime", "x-ms-sgx-ehd", "maa-ehd", "aas-ehd"} & set(claims)
        assert claims["x-ms-sgx-report-data"].endswith("00" * 32)


@pytest.mark.parametrize(
    "content", [b'{"a":1}\x00', b'{"a":1}\x00\x00\x00', b' \r\n{"a" : 1}\n', b'{"n":1.5,"deep":[[{"x":null}]]}', b"{}"]
)
def test_json_runtime_data_may_end_with_nul_and_hold_white_space(wire, content: bytes) -> None:
    claims = claims_of(post(wire, sgx_body(content, runtimeData=held_data(content, "JSON"))))
    assert claims["x-ms-runtime"] == json.loads(content.rstrip(b"\x00"))


@pytest.mark.parametrize(
    "content",
    [
        b"[1]",
        b"1",
        b"",
        b'"text"',
        b"{",
        b'{"a":1,"a":2}',
        b'{"a":1,"A":2}',
        b"\xef\xbb\xbf{}",
        b'{"a":NaN}',
        b'{"a":"\\ud800"}',
        b'{"a":' + b"[" * 100 + b"]" * 100 + b"}",
        b'{"a":' + b"9" * 5000 + b"}",
        b"\xff",
        b'{"a":1}\x00{"b":2}',
    ],
)
def test_runtime_data_that_is_no_json_object_is_refused_or_absent(wire, content: bytes) -> None:
    response = post(wire, sgx_body(content, runtimeData=held_data(content, "JSON")))
    if content == b"":
        assert "x-ms-runtime" not in claims_of(response)
    else:
        refusal_of(response, 400, "InvalidParameter")


def test_runtime_data_that_was_not_bound_is_refused(wire) -> None:
    for data_type in ("JSON", "Binary"):
        error = refused(wire, sgx_body(runtimeData=held_data(b'{"key":"other"}', data_type)), "runtime_data.binding")
        assert error["deciding"]["code"] == "RuntimeDataMismatch"


def test_runtime_data_named_like_service_claims_stays_nested(wire) -> None:
    """Attack case TOK-13."""
    content = json.dumps(
        {"iss": "https://evil.example", "exp": 1, "x-ms-sgx-mrenclave": "00", "x-ms-ver": "9"}
    ).encode()
    claims = claims_of(post(wire, sgx_body(content, runtimeData=held_data(content, "JSON"))))
    assert claims["iss"] != "https://evil.example"
    assert claims["exp"] > 1
    assert claims["x-ms-ver"] == "1.0"
    assert claims["x-ms-runtime"]["iss"] == "https://evil.example"


@pytest.mark.parametrize("spelling", ["JSON", "json", "Json", "jSoN"])
def test_json_as_data_type_compares_without_case(wire, spelling: str) -> None:
    assert claims_of(post(wire, sgx_body(runtimeData=held_data(HELD, spelling))))["x-ms-runtime"]


@pytest.mark.parametrize("spelling", ["Binary", "binary", "BINARY"])
def test_binary_as_data_type_compares_without_case(wire, spelling: str) -> None:
    assert claims_of(post(wire, sgx_body(runtimeData=held_data(HELD, spelling))))["x-ms-sgx-ehd"]


@pytest.mark.parametrize("data_type", ["Text", "", " JSON", None, 1, True, ["JSON"]])
def test_another_data_type_is_refused(wire, data_type: object) -> None:
    body = sgx_body(runtimeData={"data": base64url.encode(HELD), "dataType": data_type})
    refused(wire, body, "runtimeData.dataType")


@pytest.mark.parametrize(
    ("name", "inner"), [("RuntimeData", ("Data", "DataType")), ("RUNTIMEDATA", ("DATA", "DATATYPE"))]
)
def test_member_names_compare_without_case(wire, name: str, inner: tuple[str, str]) -> None:
    body = {
        "QUOTE": base64url.encode(EVIDENCE),
        name: {inner[0]: base64url.encode(HELD), inner[1]: "JSON"},
        "TenantName": "tenant",
        "Nonce": "n",
        "unknown": {"nested": [1, 2.5]},
    }
    claims = claims_of(post(wire, body))
    assert claims["x-ms-runtime"] == {"key": "value"}
    assert claims["nonce"] == "n"


@pytest.mark.parametrize(("first", "second"), [("quote", "quote"), ("quote", "Quote"), ("nonce", "NONCE")])
def test_a_name_that_occurs_twice_is_refused(wire, first: str, second: str) -> None:
    value = json.dumps(base64url.encode(EVIDENCE))
    text = (
        f'{{"quote":{value},"{first}":{value},"{second}":{value}}}'
        if first == "nonce"
        else (f'{{"{first}":{value},"{second}":{value}}}')
    )
    response = wire.post(SGX, content=text, headers={"content-type": "application/json"})
    error = refusal_of(response, 400, "InvalidParameter")
    assert error["deciding"]["target"] == "body"


@pytest.mark.parametrize("number", [0, 1, 2**53 + 1, 18446744073709551615])
def test_a_numeric_nonce_becomes_the_string_of_its_digits(wire, number: int) -> None:
    assert claims_of(post(wire, sgx_body(nonce=number)))["nonce"] == str(number)


def test_a_nonce_is_copied_unchanged(wire) -> None:
    for nonce in ("abc", "0012", "caf\u00e9 \u2603 \U0001f600", '"\\\n\x00', "x" * 1024):
        assert claims_of(post(wire, sgx_body(nonce=nonce)))["nonce"] == nonce
    assert "nonce" not in claims_of(post(wire, sgx_body(nonce=None)))


@pytest.mark.parametrize("nonce", [-1, 18446744073709551616, 1.5, True, [], {}, "x" * 1025])
def test_another_nonce_is_refused(wire, nonce: object) -> None:
    refusal_of(post(wire, sgx_body(nonce=nonce)), 400, "InvalidParameter")


EMPTY = [{"data": "", "dataType": ""}, {"data": None, "dataType": None}, {}, None, {"dataType": "JSON"}, {"data": ""}]


@pytest.mark.parametrize("name", ["initTimeData", "inittimeData", "runtimeData"])
@pytest.mark.parametrize("empty", EMPTY)
def test_empty_held_data_means_absent(wire, name: str, empty: object) -> None:
    claims = claims_of(post(wire, {**sgx_body(), name: empty}))
    assert not {"x-ms-inittime", "x-ms-runtime"} & set(claims)


def test_init_time_data_of_an_enclave_with_a_configuration_is_echoed(wire) -> None:
    content = b'{"configured":true}'
    enclave = replace(Enclave(), flags=KEY_SHARING, config_id=bind(content))
    evidence = base64url.encode(simulate_sgx(AT, enclave=enclave).evidence)
    claims = claims_of(post(wire, {"quote": evidence, "initTimeData": held_data(content, "JSON")}))
    assert claims["x-ms-inittime"] == {"configured": True}
    assert claims["x-ms-sgx-config-id"] == bind(content).hex()
    refused(wire, {"quote": evidence, "initTimeData": held_data(b"{}", "JSON")}, "init_time_data.binding")


def test_init_time_data_for_an_enclave_without_a_configuration_is_refused(wire) -> None:
    refused(wire, sgx_body(initTimeData=held_data(b"{}", "JSON")), "init_time_data.binding")


def spellings(content: bytes) -> list[str]:
    standard, url = base64.b64encode(content).decode(), base64.urlsafe_b64encode(content).decode()
    return [standard, standard.rstrip("="), url, url.rstrip("=")]


# Of a length that needs padding, and with octets that need both alphabets' own characters.
ODD = [b"\xfb\xff\xfe\xff", b"\xfb\xff\xfe\xff\xff", b"\xfb\xff\xfe"]


@pytest.mark.parametrize("content", ODD)
def test_both_base64_alphabets_are_taken_with_and_without_padding(wire, content: bytes) -> None:
    for text in spellings(content):
        body = {**sgx_body(content), "runtimeData": {"data": text, "dataType": "Binary"}}
        assert claims_of(post(wire, body))["aas-ehd"] == base64url.encode(content)
    for text in spellings(EVIDENCE):
        assert post(wire, {"quote": text}).status_code == 200


GOOD = base64.b64encode(EVIDENCE).decode()


@pytest.mark.parametrize(
    "text",
    [
        GOOD[:100] + "\n" + GOOD[100:],
        GOOD[:100] + " " + GOOD[100:],
        " " + GOOD,
        GOOD + "\n",
        GOOD + "\x00",
        GOOD + "=",
        GOOD + "====",
        "=" + GOOD,
        GOOD[:100] + "=" + GOOD[100:],
        "+_" + GOOD[2:],
        GOOD + "A",
        GOOD[:-3] + "\u00e9\u00e9\u00e9",
        "\uff21" * 8,
        "",
        ".",
        5,
        None,
        ["AA"],
        {"data": "AA"},
        True,
    ],
)
def test_other_spellings_of_octets_are_refused(wire, text: object) -> None:
    refused(wire, {"quote": text}, "quote")


def test_non_canonical_last_bits_are_refused(wire) -> None:
    """Attack case IN-02."""
    body = {**sgx_body(b"\xff"), "runtimeData": {"data": "_x", "dataType": "Binary"}}
    refused(wire, body, "runtimeData.data")
    body = {**sgx_body(b"\xff"), "runtimeData": {"data": "_w", "dataType": "Binary"}}
    assert claims_of(post(wire, body))["aas-ehd"] == "_w"


@pytest.mark.parametrize("body", [{}, {"report": open_enclave_body()["report"]}, {"quote": None}])
def test_missing_evidence_is_refused(wire, body: object) -> None:
    refused(wire, body, "quote")


@pytest.mark.parametrize("body", [[], "text", 1, None, True, [sgx_body()]])
def test_a_body_that_is_no_object_is_refused(wire, body: object) -> None:
    refused(wire, body, "body")


@pytest.mark.parametrize("name", ["runtimeData", "initTimeData"])
@pytest.mark.parametrize(
    "value", ["text", 1, [], True, {"data": 5, "dataType": "JSON"}, {"data": "!", "dataType": "JSON"}]
)
def test_held_data_of_another_form_is_refused(wire, name: str, value: object) -> None:
    error = refusal_of(post(wire, {**sgx_body(), name: value}), 400, "InvalidParameter")
    assert error["deciding"]["target"].startswith(name)
