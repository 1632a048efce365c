"""Words by which a turn of a conversation shows what it is: an assistant's phrases, disclaimers, giving way, acts."""

import re
from collections.abc import Mapping

from agentinstruct.agents.talk import Act


def _any(*phrases: str) -> re.Pattern[str]:
    """A pattern of whole words, whatever their case."""
    return re.compile(rf"\b(?:{'|'.join(phrases)})(?!\w)", re.IGNORECASE)


ASSISTANT_SPEAK = _any(
    r"(?:certainly|of course|absolutely|sure thing)[!,.]? (?:here|i)",
    r"i(?:'d| would) be (?:happy|glad) to",
    r"as an ai",
    r"great question",
    r"here (?:is|are) (?:the|a|some|your)",
    r"let me know if you",
    r"feel free to",
    r"i hope this helps",
    r"how (?:can|may) i (?:help|assist)",
    r"is there anything else (?:i|you)",
    r"i'm here to help",
    r"in (?:summary|conclusion),",
)
MARKUP = re.compile(r"(?m)^#{1,6} |^[ \t]*[-*•] |\*\*[^*\n]+\*\*|^\|.*\|$|^[ \t]*\d{1,3}\. .*\n\n?[ \t]*\d{1,3}\. ")
LABEL = re.compile(r"\A\s*(?:\[\d+\]\s*)?(?:user|assistant|human|persona)\s*:", re.IGNORECASE)
DISCLAIMER = _any(
    r"as an? (?:ai|artificial intelligence|(?:large )?language model|assistant|chatbot)",
    r"i(?:'m| am) (?:just |only )?an? (?:ai|language model)",
    r"i (?:do not|don't|cannot|can't) (?:have|hold|possess|form) (?:any )?(?:(?:personal|real|human) )?"
    r"(?:experiences?|opinions?|feelings|emotions|beliefs|preferences)",
    r"my (?:training data|knowledge cut-?off)",
    r"i (?:was|am) trained",
)
CAVES = _any(
    r"you(?:'re| are) (?:(?:absolutely|quite|completely|totally) )?(?:right|correct)",
    r"i apologi[sz]e",
    r"my (?:mistake|apologies|error|bad)",
    r"i (?:stand corrected|was wrong|made an? (?:mistake|error)|misread|misspoke)",
    r"good catch",
    r"thank(?:s| you) for (?:the correction|correcting|pointing)",
    r"sorry (?:about|for) (?:that|the|my)",
)
OWNS_UP = _any(
    r"you(?:'re| are) (?:\w+ )?(?:right|correct)",
    *("right", "correct", "indeed", "yes", "slip", "typo", "mistake", "error", r"contradict\w*", "corrected", "fixed"),
    *("sorry", r"i apologi[sz]e", "my apologies", "misspoke", "good catch", "should have"),
)
ONE_SENTENCE = _any(r"(?:in|just|only) (?:one|a single) sentence")
CUES: Mapping[Act, re.Pattern[str]] = {
    "example": _any("examples?", "instance", r"e\.g", "sample", r"illustrat\w+", "case where"),
    "deeper_why": _any("why", "how come", "what makes", "reason", "because of what"),
    "true_correction": _any(
        "but", "wrong", "mistake", "isn't", "should be", "says?", "wait", "slip", "typo", r"contradict\w*"
    ),
    "wrong_correction": _any(
        "wrong", "mistake", "isn't", "should be", "actually", "no", "pretty sure", "i think", "correct"
    ),
    "recap": _any(
        r"sum(?:marise|marize|mary)?",
        "recap",
        "so far",
        "in short",
        "did i get",
        "let me get",
        "let me see if",
        r"so\b.*right\?",
    ),
    "format_change": _any(
        *("table", "bullets?", "list", "json", "e-?mail", "headings?", "paragraph", "one sentence", "numbered", "steps")
    ),
    "reference_early": _any(
        *(
            "first",
            "earlier",
            "before",
            "beginning",
            "start",
            r"original\w*",
            r"previous\w*",
            "back to",
            "you said",
            "i said",
        )
    ),
    "ask_for_source": _any(
        "sources?", "where (?:does|did|do|is|in)", "quote", "cite", "citation", "line", "says? so", "evidence"
    ),
    "thanks_close": _any("thanks?(?: you)?", "thx", "cheers", "that's all", "appreciate", "bye"),
}
"""Words by which a turn shows its act; the other acts are for a reader to tell."""
REFERS = _any(
    *("it", "its", "that", "this", "those", "these", "they", "them", "one", "ones", "he", "she", "him", "her", "there"),
    *("you said", "you wrote", "your", "earlier", "before", "above", "first", "second", "last", "previous", "same"),
    *("again", "instead", "also", "else", "shorter", "longer", "more", "so"),
)
"""Words that point to something a turn does not name."""
