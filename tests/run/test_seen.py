"""What a fresh run knows of its own keys: it forgets none, and hardly ever takes one for another."""

from hashlib import blake2b

from agentinstruct.run.seen import Seen


def keys(kind: str, count: int) -> list[bytes]:
    return [blake2b(f"{kind}{number}".encode(), digest_size=16).digest() for number in range(count)]


def test_what_was_added_is_there_and_little_else() -> None:
    seen, added = Seen(), keys("in", 50_000)
    assert added[0] not in seen
    for key in added:
        seen.add(key)
    assert all(key in seen for key in added)
    assert sum(key in seen for key in keys("out", 20_000)) < 20
