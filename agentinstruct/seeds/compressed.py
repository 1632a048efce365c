"""Bytes out of plain, gzip and zstandard files, with caps that count what really comes out."""

import gzip
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from agentinstruct.seeds.document import Unusable
from agentinstruct.seeds.formats import Compression

_BLOCK = 1 << 18
_MAX_RATIO = 200
_RATIO_FROM = 16 << 20
_MAX_WINDOW = 1 << 27


def read_blocks(file: BinaryIO, compression: Compression) -> Iterator[bytes]:
    """Decompressed blocks of at most 256 KiB.

    Raises:
        Unusable: damaged data, a read error, or more than 200 bytes out of each byte in (beyond 16 MiB).
    """
    from zstandard import ZstdError

    done = 0
    try:
        source = _decompressor(file, compression)
        while block := source.read(_BLOCK):
            done += len(block)
            if compression and done > _RATIO_FROM and done > _MAX_RATIO * max(file.tell(), 1):
                raise Unusable("compression bomb", f"{done >> 20} MB came out of {file.tell()} bytes")
            yield block
    except (EOFError, zlib.error, ZstdError, gzip.BadGzipFile, MemoryError) as error:
        raise Unusable("parse failed", f"damaged {compression} data: {error}") from error
    except OSError as error:
        raise Unusable("unreadable", error.strerror or str(error)) from error


def _decompressor(file: BinaryIO, compression: Compression) -> BinaryIO:
    if compression == "gz":
        return cast(BinaryIO, gzip.GzipFile(fileobj=file))
    if compression == "zst":
        from zstandard import ZstdDecompressor

        decompressor = ZstdDecompressor(max_window_size=_MAX_WINDOW)
        return cast(BinaryIO, decompressor.stream_reader(file, read_across_frames=True, closefd=False))
    return file


def read_whole(file: BinaryIO, compression: Compression, max_mb: float) -> bytes:
    """The whole content, if it has at most `max_mb` megabytes (decompressed); else `Unusable`."""
    cap = int(max_mb * 1e6)
    parts: list[bytes] = []
    size = 0
    for block in read_blocks(file, compression):
        size += len(block)
        if size > cap:
            raise Unusable("too large", f"over {max_mb:g} MB")
        parts.append(block)
    return b"".join(parts)
