"""Writes calls, items and failures without end, saying each on stdout once it was acknowledged, until it is killed."""

import os
import sys
from hashlib import blake2b
from itertools import count
from pathlib import Path

from agentinstruct.run.journal import Journal


def ident(kind, number):
    return blake2b(f"{kind} {number}".encode(), digest_size=16).hexdigest()


def reply(number):
    return {"text": ident("text", number) * (number % 60), "number": number}


def made(number):
    return [{"id": ident(f"record {one}", number), "text": ident("t", number) * 40} for one in range(number % 6)]


def say(kind, number):
    os.write(1, f"{kind} {number}\n".encode())


def main(folder, first):
    journal = Journal.open(folder, {"crash": True})
    say("open", 0)
    for number in count(first):
        journal.put_call(ident("call", number), reply(number))
        say("call", number)
        if number % 5 == 0:
            journal.fail(ident("item", number), "rc", ident("seed", number), "edit", "ProviderError", "down")
            say("failure", number)
        journal.finish(ident("item", number), "rc", ident("seed", number), made(number), [])
        say("item", number)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
