"""Compiled objects kept between processes: files named by key, safe to lose, bounded in size."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

from workbench.configuration import config

_DIGEST = hashlib.sha256().digest_size
_UNFINISHED = "unfinished-"
_KEY = re.compile(r"[0-9a-f]{64}")


def default_directory() -> Path:
    """`config.compiledir`, `config.base_compiledir`, `$XDG_CACHE_HOME/workbench` or
    `~/.cache/workbench`.
    """
    if chosen := config.use("compiledir") or config.use("base_compiledir"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "workbench"


class ObjectCache:
    """Bytes by key in a directory. Whatever goes wrong with the disk, an entry is merely absent.

    An entry is a digest and the bytes, written to a temporary file and renamed. Over `limit` bytes
    the entries used longest ago go, until three quarters of it are left; that is looked at once in
    PRUNE_EVERY writes.
    """

    PRUNE_EVERY = 64

    def __init__(self, directory: Path, limit: int = 256 << 20) -> None:
        self.directory = directory
        self.limit = limit
        self._writes = 0

    def get(self, key: str) -> bytes | None:
        path = self.directory / key
        try:
            data = path.read_bytes()
        except OSError:
            return None
        digest, body = data[:_DIGEST], data[_DIGEST:]
        if hashlib.sha256(body).digest() != digest:
            return None
        with suppress(OSError):
            os.utime(path)
        return body

    def put(self, key: str, body: bytes) -> None:
        with suppress(OSError):
            self.directory.mkdir(parents=True, exist_ok=True)
            if self._writes % self.PRUNE_EVERY == 0:
                self.prune()
            self._writes += 1
            self._write(self.directory / key, hashlib.sha256(body).digest() + body)

    def _write(self, path: Path, data: bytes) -> None:
        handle, name = tempfile.mkstemp(dir=self.directory, prefix=_UNFINISHED)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(name, path)
        except OSError:
            with suppress(OSError):
                os.unlink(name)

    def entries(self) -> list[tuple[float, int, Path]]:
        """The entries, each with the time of its last use and its bytes; whatever else lies in the
        directory is none.
        """
        found: list[tuple[float, int, Path]] = []
        with suppress(OSError):
            for path in filter(lambda path: _KEY.fullmatch(path.name), self.directory.iterdir()):
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
        return sorted(found)

    def clear(self) -> int:
        """Remove all entries; returns how many there were."""
        return sum(_removed(path) for _, _, path in self.entries())

    def purge(self) -> int:
        """Remove all entries, what interrupted processes left, and the directory where that leaves
        it empty; returns how many entries there were.
        """
        count = self.clear()
        for path in self.directory.glob(f"{_UNFINISHED}*"):
            _removed(path)
        with suppress(OSError):
            self.directory.rmdir()
        return count

    def prune(self) -> None:
        """Remove the entries used longest ago if there are more than `limit` bytes."""
        files = self.entries()
        total = sum(size for _, size, _ in files)
        if total <= self.limit:
            return
        for _, size, path in files:
            if total <= self.limit * 3 // 4:
                return
            total -= size * _removed(path)


def _removed(path: Path) -> bool:
    with suppress(OSError):
        path.unlink()
        return True
    return False
