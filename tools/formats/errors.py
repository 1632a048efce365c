"""What a reader raises when a text is not wholly in its format."""

MOST_CHARACTERS = 1_000_000
"""Longer texts are refused unread: no answer is that long."""


class FormatError(ValueError):
    """The text is not in the format; the message says where it departs from it."""


def bounded(text: str) -> str:
    """The text without blanks around it.

    Raises:
        FormatError: it is empty, or too long to be an answer.
    """
    if len(text) > MOST_CHARACTERS:
        raise FormatError(f"longer than {MOST_CHARACTERS:,} characters")
    if not text.strip():
        raise FormatError("empty")
    return text.strip()
