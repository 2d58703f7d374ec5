from __future__ import annotations

import ctypes
import errno
import json
import socket
import threading

import pytest

from assay.client.local import tdx_guest
from assay.client.local.machine import Machine, SystemFiles
from assay.client.local.quote_generation import encode_quote_request, request_quote
from assay.client.local.source import Asked, LocalEvidenceFailed, Presence
from assay.client.local.tdx_guest import TdxGuest
from tests.client.local.fake_guest_device import FakeTdxGuest, failure
from tests.client.local.reports import placed, td_quote
from tests.shared_vectors import shared_path

ASKED = Asked(bytes(range(64)))


def message(kind: int, error: int, body: bytes, *, major: int = 1, size: int | None = None) -> bytes:
    whole = 16 + len(body) if size is None else size
    head = b"".join(n.to_bytes(w, "little") for n, w in ((major, 2), (1, 2), (kind, 4), (whole, 4), (error, 4)))
    return head + body


def answer(quote: bytes, *, identifier: bytes = b"", **fields: int) -> bytes:
    sizes = len(identifier).to_bytes(4, "little") + len(quote).to_bytes(4, "little")
    content = message(1, 0, sizes + identifier + quote, **fields)
    return len(content).to_bytes(4, "big") + content


class QuotingService:
    """A service at the other end of a real stream; answers every request with what `reply` makes of it."""

    def __init__(self, reply) -> None:
        self._reply = reply
        self.ports: list[int] = []
        self.requests: list[bytes] = []
        self.streams: list[socket.socket] = []
        self.threads: list[threading.Thread] = []

    def connect(self, port: int) -> socket.socket:
        self.ports.append(port)
        ours, theirs = socket.socketpair()
        self.streams.append(ours)
        thread = threading.Thread(target=self._serve, args=(theirs,))
        thread.start()
        self.threads.append(thread)
        return ours

    def _serve(self, stream: socket.socket) -> None:
        with stream:
            self.requests.append(stream.recv(4 + 16 + 8 + 1024, socket.MSG_WAITALL))
            stream.sendall(self._reply(self.requests[-1]))

    def finish(self) -> None:
        for thread in self.threads:
            thread.join()


@pytest.fixture
def machine(tmp_path):
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "tdx_guest").touch()
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "tdx-attest.conf").write_text("# the host's\nport=4050\n")
    return tmp_path


def quoting(request: bytes) -> bytes:
    """A quote over the report data of the TDREPORT in the request."""
    return answer(td_quote(request[-1024:][128:192]), identifier=b"id")


def source(root, reply=quoting, device: FakeTdxGuest | None = None):
    service = QuotingService(reply)
    files = SystemFiles(root)
    return TdxGuest(Machine(files, device or FakeTdxGuest(), service.connect, lambda _: None)), service


def test_a_report_becomes_a_quote_at_the_port_of_the_settings(machine):
    device = FakeTdxGuest()
    made_by, service = source(machine, device=device)
    made = made_by.collect(ASKED)
    service.finish()
    assert (made.kind, made.evidence) == ("TdxVm", td_quote(ASKED.report_data))
    assert device.calls == [("/dev/tdx_guest", tdx_guest.TDX_CMD_GET_REPORT0)]
    assert service.ports == [4050]
    assert [stream.fileno() for stream in service.streams] == [-1], "closed"


def test_the_frames_are_those_of_the_vectors():
    vectors = json.loads(shared_path("vectors/self-attestation/evidence-sources.json").read_text())
    qgs = vectors["qgs"]
    assert encode_quote_request(bytes.fromhex(qgs["tdreport"])).hex() == qgs["request_frame"]
    assert int(vectors["ioctl"]["TDX_CMD_GET_REPORT0"], 16) == tdx_guest.TDX_CMD_GET_REPORT0
    assert ctypes.sizeof(tdx_guest.TdxReportRequest) == vectors["sizes"]["tdx_report_req"]
    service = QuotingService(lambda _request: bytes.fromhex(qgs["response_frame"]))
    with service.connect(1) as stream:
        assert request_quote("test", stream, bytes(1024)).hex() == qgs["quote"]
    service.finish()
    service = QuotingService(lambda _request: bytes.fromhex(qgs["error_frame"]))
    with service.connect(1) as stream, pytest.raises(LocalEvidenceFailed, match=qgs["error_code"]):
        request_quote("test", stream, bytes(1024))
    service.finish()


def test_the_host_cannot_pass_off_a_quote_of_other_data(machine):
    made_by, service = source(machine, lambda _request: answer(td_quote(bytes(64))))
    with pytest.raises(LocalEvidenceFailed, match="report data of another caller"):
        made_by.collect(ASKED)
    service.finish()


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"\0\0\1",
        (16).to_bytes(4, "big") + bytes(8),
        (8).to_bytes(4, "big") + bytes(8),
        (1 << 31).to_bytes(4, "big"),
        answer(bytes(64), major=2),
        answer(bytes(64), size=20),
        answer(bytes(64))[:-1],
        (24).to_bytes(4, "big") + message(0, 0, bytes(8)),
        (25).to_bytes(4, "big") + message(1, 0, bytes(9)),
        (24).to_bytes(4, "big") + message(1, 0, bytes(4) + b"\xff\xff\xff\xff"),
    ],
)
def test_an_answer_of_another_form_is_refused(machine, reply):
    made_by, service = source(machine, lambda _request: reply)
    with pytest.raises(LocalEvidenceFailed, match="answer of the quoting service"):
        made_by.collect(ASKED)
    service.finish()


@pytest.mark.parametrize("length", [0, 15, (64 << 10) + 4097, 0xFFFFFFFF])
def test_an_answer_of_any_length_is_refused_by_its_length(machine, length):
    made_by, service = source(machine, lambda _request: length.to_bytes(4, "big") + bytes(8))
    with pytest.raises(LocalEvidenceFailed, match=f"a length of {length} octets"):
        made_by.collect(ASKED)
    service.finish()


def test_nobody_at_the_host_is_told(machine):
    def refuse(_port):
        raise failure(errno.ECONNREFUSED)

    made_by = TdxGuest(Machine(SystemFiles(machine), FakeTdxGuest(), refuse, lambda _: None))
    with pytest.raises(LocalEvidenceFailed, match="start its quote generation service"):
        made_by.collect(ASKED)


def test_a_refusal_of_the_device_is_told(machine):
    made_by, _ = source(machine, device=FakeTdxGuest(errno.EACCES))
    with pytest.raises(LocalEvidenceFailed, match="root"):
        made_by.collect(ASKED)


@pytest.mark.parametrize("text", [None, "", "port=0", "port=4294967295", "prt=4050", "port=4050x"])
def test_without_a_port_a_report_is_no_evidence(machine, text):
    settings = machine / "etc" / "tdx-attest.conf"
    settings.unlink()
    if text is not None:
        settings.write_text(text)
    made_by, _ = source(machine)
    found = made_by.look()
    assert found.presence is Presence.BLOCKED
    assert "port=4050" in found.remedy
    with pytest.raises(LocalEvidenceFailed, match="no quoting service"):
        made_by.collect(ASKED)


def test_a_look_tells_the_port(machine):
    assert source(machine)[0].look().seen == "the device /dev/tdx_guest, quoting service at vsock port 4050"


def test_a_machine_without_the_device_is_told(tmp_path):
    found = source(tmp_path)[0].look()
    assert (found.presence, "modprobe tdx-guest" in found.remedy) == (Presence.ABSENT, True)


def test_a_report_of_the_device_holds_the_report_data():
    request = tdx_guest.TdxReportRequest((ctypes.c_uint8 * 64)(*ASKED.report_data))
    FakeTdxGuest()("/dev/tdx_guest", tdx_guest.TDX_CMD_GET_REPORT0, request)
    assert bytes(request.tdreport) == placed(1024, {0: b"\x81", 128: ASKED.report_data})
