"""Flags of what must not be published: addresses, numbers that belong to people, keys, and words that hurt.

Numbers count only where their check digits are right; keys by the prefixes that their issuers document. The evidence
shows a part, never the whole.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from typing import Any

from agentinstruct.dataset.flag import Rule, View

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@((?:[a-z0-9-]{1,63}\.)+[a-z]{2,24})(?![\w-])", re.I)
_RESERVED = re.compile(
    r"(?:^|\.)(?:example(?:\.\w+)?|test|invalid|localhost|local|domain\.com|email\.com|company\.com)$", re.I
)
_PHONE = re.compile(r"\+\d[\d ().-]{6,20}\d")
_CARD = re.compile(r"(?<![\d.-])[2-6]\d{3}[ -]?\d{2}(?:[ -]?\d){7,13}(?![\d.-])")
_CARD_ISSUER = re.compile(r"4|5[1-5]|2[2-7]|3[47]|6(?:011|5)")
_TEST_CARDS = frozenset(
    {"4111111111111111", "4242424242424242", "4012888888881881", "5555555555554444", "5105105105105100"}
    | {"378282246310005", "371449635398431", "6011111111111117", "4000056655665556", "2223003122003222"}
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")
_SSN = re.compile(r"\b(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}\b")
_SSN_CUE = re.compile(r"\b(?:ssn|social security)\b", re.I)
_SECRET = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_\w{60,}\b|\bglpat-[\w-]{20,}"
    r"|\bxox[abeoprs]-[\w-]{20,}"
    r"|\bAIza[\w-]{35}\b|\b[sr]k_live_[A-Za-z0-9]{20,}\b|\bsk-(?:proj-|ant-[\w-]{2,10}-)?[A-Za-z0-9_-]{32,}"
    r"|\bhf_[A-Za-z0-9]{30,}\b"
    r"|\bnpm_[A-Za-z0-9]{36}\b|\bpypi-AgEIcHlwaS5vcmc[\w-]{40,}|\bSG\.[\w-]{20,24}\.[\w-]{39,50}\b"
    r"|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"
    r"|\b\d{8,10}:AA[\w-]{33}\b|\b[a-z][a-z0-9+]{2,12}://[^\s:/@]{1,64}:(?!\w*(?:pass|secret|xxx"
    r"|\*))[^\s:/@{}$<]{8,64}@[\w.-]+"
)
_SIGNS = (
    *("AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "AIza", "_live_", "sk-"),
    *("hf_", "npm_", "pypi-", "SG.", "eyJ", ":AA", "://"),
)
"""One of these stands in every secret."""
_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z]+ ){0,2}PRIVATE KEY(?: BLOCK)?-----\s+(?:[\w-]+: [^\n]*\n\s*){0,20}[A-Za-z0-9+/=]{20}"
)
_VARIED = 10
_LEAST_LETTERS = 4
"""Shorter words of the list are abbreviations more often."""


def _in_all(
    pattern: re.Pattern[str], real: Callable[[str], bool], *signs: str
) -> Callable[[View], Iterator[tuple[str, str]]]:
    def find(view: View) -> Iterator[tuple[str, str]]:
        for where, text in view.said():
            if any(sign in text for sign in signs or ("",)):
                for match in pattern.finditer(text):
                    if real(match[0]):
                        yield where, masked(match[0])

    return find


def masked(text: str) -> str:
    """The first three characters, and how many there are."""
    return f"{text[:3]}… ({len(text)} characters)"


def _real_address(text: str) -> bool:
    return not _RESERVED.search(text.rpartition("@")[2])


def luhn(digits: str) -> bool:
    """Whether the check digit of a card number is right."""
    doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _real_card(text: str) -> bool:
    digits = re.sub(r"\D", "", text)
    issued = 13 <= len(digits) <= 19 and _CARD_ISSUER.match(digits) is not None and len(set(digits)) > 3
    return issued and digits not in _TEST_CARDS and luhn(digits)


def iban(text: str) -> bool:
    """Whether the check digits of an account number are right (ISO 13616)."""
    plain = text.replace(" ", "")
    moved = plain[4:] + plain[:4]
    return 15 <= len(plain) <= 34 and int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1


def _real_key(text: str) -> bool:
    return len(set(text)) >= _VARIED and "EXAMPLE" not in text.upper()


def _phone(view: View) -> Iterator[tuple[str, str]]:
    for where, text in view.said():
        for match in _PHONE.finditer(text) if "+" in text else ():
            if _real_phone(match[0]):
                yield where, masked(match[0])


def _real_phone(text: str) -> bool:
    if find_spec("phonenumbers") is None:
        return False
    import phonenumbers

    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return False
    return bool(phonenumbers.is_valid_number(number))


def _ssn(view: View) -> Iterator[tuple[str, str]]:
    for where, text in view.said():
        if _SSN_CUE.search(text):
            yield from ((where, masked(match[0])) for match in _SSN.finditer(text))


@cache
def _profane() -> Any:
    if find_spec("badwords") is None:
        return None
    from badwords import ProfanityFilter

    words = ProfanityFilter()
    words.init(languages=["en"])
    return words


def _toxicity(view: View) -> Iterator[tuple[str, str]]:
    """Words of a published list; not in the context, which may quote anybody."""
    if words := _profane():
        for where, text in (("response", view.response), ("prompt", view.prompt)):
            yield from ((where, one.matched_text) for one in words.find(text) if len(one.word) >= _LEAST_LETTERS)


RULES = (
    Rule(
        "email", "An e-mail address outside of the domains reserved for examples.", _in_all(_EMAIL, _real_address, "@")
    ),
    Rule("phone", "A telephone number that can be dialled, with its country code.", _phone),
    Rule("card", "The number of a payment card, check digit right.", _in_all(_CARD, _real_card)),
    Rule("iban", "The number of a bank account, check digits right.", _in_all(_IBAN, iban)),
    Rule("ssn", "A US social security number.", _ssn),
    Rule("secret", "A key, token or password as services issue them.", _in_all(_SECRET, _real_key, *_SIGNS)),
    Rule("private_key", "The text of a private key.", _in_all(_PRIVATE_KEY, _real_key, "PRIVATE KEY")),
    Rule("toxicity", "A word of a published list of offensive words.", _toxicity, drops=False),
)
NEEDS = {"phone": "phonenumbers", "toxicity": "badwords"}
"""The package that a rule cannot do without (extra `clean`)."""
