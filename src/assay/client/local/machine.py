"""What sources ask of the machine, each behind one small interface, so that a test can be the machine."""

from __future__ import annotations

import errno
import os
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from assay.errors import LimitExceeded

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable

# The host, as a guest addresses it (vsock(7): VMADDR_CID_HOST).
_HOST: Final = 2
# Own: a quoting service answers within a second or two.
_DEADLINE: Final = 30.0
_CHUNK: Final = 64 << 10


class Files(Protocol):
    """The file system, by absolute paths; every method raises `OSError` as the system does."""

    def exists(self, path: str) -> bool: ...

    def list_directory(self, path: str) -> tuple[str, ...]: ...

    def make_directory(self, path: str) -> None: ...

    def remove_directory(self, path: str) -> None: ...

    def read(self, path: str, limit: int) -> bytes: ...

    def write(self, path: str, content: bytes) -> None: ...


class Control(Protocol):
    """One ioctl on a device; what the kernel answers stands in `argument` afterwards, also when `OSError` is raised."""

    def __call__(self, path: str, number: int, argument: ctypes.Structure) -> None: ...


class Stream(Protocol):
    """A connected byte stream."""

    def sendall(self, content: bytes, /) -> None: ...

    def recv(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


class SystemFiles:
    """The file system below `root`."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def _path(self, path: str) -> Path:
        return self._root / path.lstrip("/")

    def exists(self, path: str) -> bool:
        try:
            self._path(path).stat()
        except OSError:
            return False
        return True

    def list_directory(self, path: str) -> tuple[str, ...]:
        return tuple(sorted(os.listdir(self._path(path))))  # noqa: PTH208  # names are wanted, not paths

    def make_directory(self, path: str) -> None:
        self._path(path).mkdir()

    def remove_directory(self, path: str) -> None:
        self._path(path).rmdir()

    def read(self, path: str, limit: int) -> bytes:
        """The whole content; raises `LimitExceeded` when it is longer than `limit`."""
        content = bytearray()
        descriptor = os.open(self._path(path), os.O_RDONLY | os.O_CLOEXEC)
        try:
            while chunk := os.read(descriptor, _CHUNK):
                content += chunk
                if len(content) > limit:
                    raise LimitExceeded(f"{path}, octets", limit=limit)
        finally:
            os.close(descriptor)
        return bytes(content)

    def write(self, path: str, content: bytes) -> None:
        """One write: an attribute of the kernel takes its value whole, and nothing is created or cut beforehand."""
        descriptor = os.open(self._path(path), os.O_WRONLY | os.O_CLOEXEC)
        try:
            written = os.write(descriptor, content)
        finally:
            os.close(descriptor)
        if written != len(content):
            raise OSError(errno.EIO, f"{written} of {len(content)} octets written", path)


def system_control(root: Path = Path("/")) -> Control:
    """The ioctl of the system, on devices below `root`."""

    def control(path: str, number: int, argument: ctypes.Structure) -> None:
        import fcntl  # noqa: PLC0415  # not on every system, and needed on Linux only

        descriptor = os.open(root / path.lstrip("/"), os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.ioctl(descriptor, number, argument)
        finally:
            os.close(descriptor)

    return control


def connect_to_host(port: int) -> Stream:
    """A stream to a port of the host over vsock; raises `OSError`."""
    family = getattr(socket, "AF_VSOCK", None)
    if family is None:
        raise OSError(errno.EAFNOSUPPORT, "no vsock on this system")
    stream = socket.socket(family, socket.SOCK_STREAM)
    try:
        stream.settimeout(_DEADLINE)
        stream.connect((_HOST, port))
    except OSError:
        stream.close()
        raise
    return stream


@dataclass(frozen=True, slots=True)
class Machine:
    """All that sources touch; the defaults are this machine.

    `context_directory` is the directory of a confidential container's security context, where the environment names it.
    """

    files: Files = field(default_factory=SystemFiles)
    control: Control = field(default_factory=system_control)
    connect: Callable[[int], Stream] = connect_to_host
    pause: Callable[[float], None] = time.sleep
    context_directory: str | None = None


def this_machine(root: Path = Path("/")) -> Machine:
    """The machine that this program runs on, its files and devices below `root`."""
    directory = os.environ.get("UVM_SECURITY_CONTEXT_DIR") or None
    return Machine(SystemFiles(root), system_control(root), context_directory=directory)
