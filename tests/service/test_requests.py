"""Headers and queries are read as the framework reads them; tokens are answered as the encoder would."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request

from assay.service.requests import header, query_parameters
from assay.service.responses import encode, encode_token

NAMES = st.sampled_from([b"content-type", b"content-length", b"host", b"x-ms-client-request-id"])
QUERIES = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from(["api-version=2020-10-01", "api-version=", "explain=%74rue", "a+b=c%20d", "x"])).map(
        lambda parts: "&".join(parts).encode()
    ),
    st.just(b"explain=true&padding=" + b"x" * 300),
)


def _request(**scope: object) -> Request:
    return Request({"type": "http", "headers": [], "query_string": b"", **scope})


@settings(max_examples=100, deadline=None)
@given(headers=st.lists(st.tuples(NAMES, st.binary(max_size=8)), max_size=6), name=NAMES)
def test_a_header_is_the_first_of_its_name(headers: list[tuple[bytes, bytes]], name: bytes) -> None:
    expected = Headers(raw=headers).get(name.decode(), "absent")
    assert header(_request(headers=headers), name, "absent") == expected


@settings(max_examples=100, deadline=None)
@given(query=QUERIES)
def test_a_query_is_read_as_the_framework_reads_it(query: bytes) -> None:
    assert dict(query_parameters(_request(query_string=query))) == dict(QueryParams(query.decode("latin-1")))


def test_a_token_is_answered_as_the_encoder_would() -> None:
    token = "eyJhbGciOiJub25lIn0.AZaz09-_."
    assert encode_token(token) == encode({"token": token})
