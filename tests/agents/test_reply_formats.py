"""Whether a reply says that the documents do not tell something."""

import pytest

from agentinstruct.agents.reply_formats import declines

DECLINING = [
    "not in the documents",
    "That is not in the documents.",
    "The documents do not say who paid for it.",
    "None of the provided documents mentions a price.",
    "This isn't stated in any of the search results.",
    "The sources don’t tell what it cost.",
    "No information about the captain is given.",
    "What he paid is not mentioned.",
    "The snippets are silent on this point.",
    "This cannot be determined from what was retrieved.",
    "The context contains nothing about the price.",
    "Unanswerable.",
    "The results leave the year open.",
    "I couldn't find it: the passages only speak of another ferry, not of this one.",
]
ANSWERING = [
    "driftwood from the shore",
    "They did not burn it but sold it.",
    "No more than eleven cars.",
    "It is not in the fjord any more.",
    "He never paid for it.",
    "The crew, which had no coal, burned the benches.",
    "Because nobody could repair them.",
    "No, she carried passengers too.",
]


@pytest.mark.parametrize("text", DECLINING)
def test_declining(text):
    assert declines(text)


@pytest.mark.parametrize("text", ANSWERING)
def test_answering(text):
    assert not declines(text)
