"""Which keys a fresh run may have stored: so that hardly any call asks the ledger for a reply that cannot be there."""

_BITS = 25


class Seen:
    """A Bloom filter of hash keys in 4 MB: what it denies was never added; of 5 million keys it denies 94 in 100."""

    __slots__ = ("_marks",)

    def __init__(self) -> None:
        self._marks = bytearray(1 << (_BITS - 3))

    def add(self, key: bytes) -> None:
        """Remember a key of 8 bytes or more."""
        for place in _places(key):
            self._marks[place >> 3] |= 1 << (place & 7)

    def __contains__(self, key: bytes) -> bool:
        marks = self._marks
        return all(marks[place >> 3] >> (place & 7) & 1 for place in _places(key))


def _places(key: bytes) -> tuple[int, int]:
    number, mask = int.from_bytes(key[:8], "big"), (1 << _BITS) - 1
    return number & mask, number >> 32 & mask
