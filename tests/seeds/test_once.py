"""Texts seen before are told from new ones, however many there are."""

from hashlib import blake2b
from tracemalloc import get_traced_memory, start, stop

from agentinstruct.seeds.once import Once


def digest(number: int) -> bytes:
    return blake2b(str(number).encode(), digest_size=16).digest()


def test_each_is_new_once():
    seen = Once()
    assert all(seen.add(digest(number)) for number in range(20_000))
    assert not any(seen.add(digest(number)) for number in range(20_000))
    assert seen.add(digest(20_000))


def test_a_digest_of_nothing_but_zeros_is_seen_too():
    seen = Once()
    assert seen.add(bytes(16)) and not seen.add(bytes(16))


def test_it_takes_24_bytes_a_text_at_most():
    start()
    try:
        seen = Once()
        for number in range(50_000):
            seen.add(digest(number))
        assert get_traced_memory()[0] < 50_000 * 25
    finally:
        stop()
