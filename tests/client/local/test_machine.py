from __future__ import annotations

import ctypes
import errno
import os
import socket

import pytest

from assay.client.local.machine import SystemFiles, connect_to_host, system_control
from assay.errors import LimitExceeded


def test_files_are_below_the_root(tmp_path):
    files = SystemFiles(tmp_path)
    files.make_directory("/a")
    (tmp_path / "a" / "b").write_bytes(b"0123456789")
    files.write("/a/b", b"abc")
    assert files.read("/a/b", 10) == b"abc3456789"
    assert (files.list_directory("/"), files.list_directory("/a")) == (("a",), ("b",))
    assert (files.exists("/a/b"), files.exists("/b")) == (True, False)
    with pytest.raises(OSError, match="not empty"):
        files.remove_directory("/a")
    (tmp_path / "a" / "b").unlink()
    files.remove_directory("/a")
    assert not files.exists("/a")


def test_nothing_is_created_by_a_write(tmp_path):
    with pytest.raises(FileNotFoundError):
        SystemFiles(tmp_path).write("/absent", b"")


def test_a_value_that_was_taken_in_part_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "attribute").touch()
    monkeypatch.setattr(os, "write", lambda _descriptor, content: len(content) - 1)
    with pytest.raises(OSError, match="2 of 3 octets written"):
        SystemFiles(tmp_path).write("/attribute", b"abc")


def test_a_read_ends_at_its_limit(tmp_path):
    (tmp_path / "long").write_bytes(bytes(11))
    with pytest.raises(LimitExceeded, match="at most 10"):
        SystemFiles(tmp_path).read("/long", 10)


def test_a_file_that_is_no_device_has_no_ioctl(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="ioctl") as caught:
        system_control(tmp_path)("/file", 0xC0205300, _Nothing())
    assert caught.value.errno == errno.ENOTTY


class _Nothing(ctypes.Structure):
    _fields_ = (("word", ctypes.c_uint64 * 4),)


def test_a_system_without_vsock_says_so(monkeypatch):
    monkeypatch.delattr(socket, "AF_VSOCK")
    with pytest.raises(OSError, match="no vsock"):
        connect_to_host(4050)


def test_a_stream_to_the_host_is_closed_when_nobody_answers(monkeypatch):
    closed = []

    class Nobody:
        def __init__(self, family: int, kind: int) -> None:
            assert (family, kind) == (socket.AF_VSOCK, socket.SOCK_STREAM)

        def settimeout(self, _seconds: float) -> None:
            pass

        def connect(self, address: tuple[int, int]) -> None:
            assert address == (2, 4050)
            raise ConnectionRefusedError(errno.ECONNREFUSED, "refused")

        def close(self) -> None:
            closed.append(True)

    monkeypatch.setattr(socket, "socket", Nobody)
    with pytest.raises(ConnectionRefusedError):
        connect_to_host(4050)
    assert closed == [True]
