"""From bytes to clean text: byte order mark, strict UTF-8, else the fallback; then the hygiene every text gets."""

import codecs
import re
import unicodedata

from agentinstruct.seeds.document import Unusable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BINARY = (
    b"%PDF-",
    b"PK\x03\x04",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\x7fELF",
    b"\x1f\x8b",
    b"\x28\xb5\x2f\xfd",
    b"MZ\x90",
)
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\b\x1b"))
_MAX_CONTROL = 0.002
# Controls, lone surrogates, and the bidirectional and tag characters that hide text from a reader.
_DROPPED = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
# Normalising sorts each run of combining marks in quadratic time; no script stacks so many.
_MARKS_RUN = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u06d6-\u06ed\u0f18-\u0fc6\u1ab0-\u1aff"
    "\u1dc0-\u1dff\u20d0-\u20ff\u302a-\u302f\ufe20-\ufe2f\U0001d165-\U0001d1ad]{32})"
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u06d6-\u06ed\u0f18-\u0fc6\u1ab0-\u1aff"
    "\u1dc0-\u1dff\u20d0-\u20ff\u302a-\u302f\ufe20-\ufe2f\U0001d165-\U0001d1ad]+"
)
_CHARSET = re.compile(rb"charset=[\"']?([A-Za-z0-9_\-]{2,30})")
_BREAKS = re.compile("\r\n?|[\x0c\x85\u2028\u2029]")


def mark_of(head: bytes) -> str:
    """The encoding that a byte order mark announces, or an empty string."""
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), "")


def decode(data: bytes, fallback: str) -> str:
    """The text of some bytes, cleaned.

    Raises:
        Unusable: the bytes are no text.
    """
    return clean(_decode(data, fallback))


def decode_page(data: bytes, fallback: str) -> str:
    """The text of an HTML page: as `decode`, with the encoding the page declares as the fallback."""
    declared = _CHARSET.search(data[:2048])
    name = declared[1].decode("ascii") if declared else fallback
    try:
        return decode(data, name)
    except LookupError:
        return decode(data, fallback)


def _decode(data: bytes, fallback: str) -> str:
    if encoding := mark_of(data):
        return data.decode(encoding, "replace")
    refuse_binary(data[: 1 << 16])
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode(fallback, "replace")


def refuse_binary(head: bytes) -> None:
    """Raises `Unusable` when the first bytes of something without a byte order mark are not text."""
    controls = len(head) - len(head.translate(None, _CONTROL))
    if head.startswith(_BINARY) or controls > max(2, _MAX_CONTROL * len(head)):
        raise Unusable("binary", "it holds no text, whatever its name says")


def clean(text: str) -> str:
    """NFC, line ends as \\n, no characters that cannot be seen or stored."""
    text = _DROPPED.sub("", _BREAKS.sub("\n", text))
    return text if text.isascii() else unicodedata.normalize("NFC", _MARKS_RUN.sub(r"\1", text))
