"""`assay signer`: the policy management certificates of an isolated provider."""

from __future__ import annotations

import base64
import hashlib
from typing import Final, TypedDict, Unpack

import click
from cryptography import x509

from assay.cli.connection import connected, connection_options
from assay.cli.files import read_option_file
from assay.cli.terminal import Span, note, say, show_json, show_table
from assay.client import administration
from assay.client.administration import read_author, read_chain

_WHERE: Final = "--url https://localhost:8443/provider/acme --ca dev/ca.pem --token-file dev/contributor.token"
_EPILOG: Final = f"""\b
Examples:
  assay signer list {_WHERE}
  assay signer add new.pem --signer-key signer.key --signer-certificate signer.pem …
  assay signer remove old.pem --signer-key signer.key --signer-certificate signer.pem …
"""


class _Where(TypedDict):
    """What click reads for every one of these commands."""

    url: str
    token_file: str | None
    ca: str | None


@click.group(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
def signer() -> None:
    """List, add and remove policy management certificates.

    Whoever holds the key of one of them may sign policies and change the list; the last one cannot be removed.
    """


@signer.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs, with the certificates.")
@connection_options
def list_(*, as_json: bool, **where: Unpack[_Where]) -> None:
    """List the certificates; a provider that is not isolated has none."""
    with connected(**where) as connection:
        result = connection.result(administration.signers_call(connection.url))
    if as_json:
        show_json(result)
        return
    chains = administration.read_signers(result)
    if not chains:
        note("no policy management certificates: the provider is not isolated")
        return
    show_table(("thumbprint (SHA-1)", "subject", "valid until"), [_row(chain[0]) for chain in chains])


def _row(text: str) -> list[Span]:
    der = base64.b64decode(text)
    certificate = x509.load_der_x509_certificate(der)
    # The thumbprint by which Azure's tools name a certificate (rest-api 6.3).
    thumbprint = hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
    subject = certificate.subject.rfc4514_string()
    return [Span(thumbprint), Span(subject), Span(f"{certificate.not_valid_after_utc:%Y-%m-%d}")]


@signer.command()
@click.argument("file", metavar="CERTIFICATE")
@click.option("--signer-key", metavar="F", required=True, help="Key (PEM) of a present signer.")
@click.option("--signer-certificate", metavar="F", required=True, help="Its certificate chain (PEM).")
@connection_options
def add(file: str, signer_key: str, signer_certificate: str, **where: Unpack[_Where]) -> None:
    """Add the certificate in a PEM file; it must be a CA certificate."""
    _change("add", file, signer_key, signer_certificate, where)


@signer.command()
@click.argument("file", metavar="CERTIFICATE")
@click.option("--signer-key", metavar="F", required=True, help="Key (PEM) of a present signer.")
@click.option("--signer-certificate", metavar="F", required=True, help="Its certificate chain (PEM).")
@connection_options
def remove(file: str, signer_key: str, signer_certificate: str, **where: Unpack[_Where]) -> None:
    """Remove the certificate in a PEM file."""
    _change("remove", file, signer_key, signer_certificate, where)


def _change(verb: str, file: str, key: str, certificate: str, where: _Where) -> None:
    author = read_author(read_option_file(key), read_option_file(certificate))
    jws = administration.encode_signer_change(read_chain(read_option_file(file)), author)
    with connected(**where) as connection:
        result = connection.result(administration.change_signers_call(connection.url, verb, jws))
    say(f"{result.get('x-ms-certificate-thumbprint')}: {result.get('x-ms-policycertificates-result')}")
