"""Compiled objects kept between processes: files named by key, safe to lose, bounded in size."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from workbench.configuration import config

_DIGEST = hashlib.sha256().digest_size


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
        handle, name = tempfile.mkstemp(dir=self.directory)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(name, path)
        except OSError:
            with suppress(OSError):
                os.unlink(name)

    def prune(self) -> None:
        """Remove the entries used longest ago if there are more than `limit` bytes."""
        files = []
        for path in self.directory.iterdir():
            with suppress(OSError):
                status = path.stat()
                files.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in files)
        if total <= self.limit:
            return
        for _, size, path in sorted(files):
            if total <= self.limit * 3 // 4:
                return
            with suppress(OSError):
                path.unlink()
                total -= size
