"""Flags of what assistants say instead of answering, and of what is left over from how a row was made."""

import re
from collections.abc import Iterator

from agentinstruct.agents.checks.responses import TRACES
from agentinstruct.dataset.flag import Rule, View, found, new_in_response
from agentinstruct.tools.quotes import fold

_REFUSAL = re.compile(
    r"\b(?:i(?:['’]m| am) (?:very |really |truly )?sorry,? but (?:i|as an)\b[^.\n]{0,40}(?:can(?:no|['’])t|unable"
    r"|not able|won['’]t)"
    r"|i (?:can(?:no|['’])t|am unable to|['’]m unable to|am not able to|['’]m not able to|won['’]t|must decline to"
    r"|will not) "
    r"(?:help|assist|comply|fulfil+|provide|support|do that|create|write|generate|answer|continue|engage|participate"
    r"|complete) ?"
    r"(?:you )?(?:with )?(?:this|that|the|your|such|any|it)\b|against my (?:programming|guidelines|policy)"
    r"|i (?:have to|must) decline)",
    re.I,
)
_AS_AN_AI = re.compile(
    r"\bas an? (?:ai|artificial intelligence|(?:large )?language model|ai[- ]\w+|virtual assistant)\b"
    r"|\bi(?:['’]m| am) (?:just |only )?an? (?:ai|artificial intelligence|(?:large )?language model)\b"
    r"|\bmy (?:knowledge cut-?off|training data|last (?:knowledge )?update)\b|\bas of my (?:last|latest|knowledge)\b"
    r"|\bi (?:do not|don['’]t) have (?:personal|feelings|emotions|real-?time)\b",
    re.I,
)
_DISCLAIMER = re.compile(
    r"\b(?:this (?:is|should) not (?:be )?(?:considered |taken as |intended as "
    r"|constitute )?(?:a )?(?:substitute for )?(?:\w+ )?"
    r"(?:medical|legal|financial|professional|investment) advice"
    r"|not a substitute for professional|(?:always |please |you should |it is (?:best|important) to )?(?:consult"
    r"|seek (?:advice|help) from|speak (?:to|with)) "
    r"(?:with )?(?:a|an|your) (?:\w+ )?(?:doctor|physician|lawyer|attorney|professional|financial advis[oe]r"
    r"|healthcare provider|expert)"
    r"|for (?:informational|educational|entertainment) purposes only|i am not a (?:doctor|lawyer"
    r"|financial advis[oe]r))",
    re.I,
)
_BOILERPLATE = re.compile(
    r"\bi hope (?:this|that|it) (?:helps|clarifies|is helpful|answers)|\blet me know if (?:you|there)"
    r"|\bfeel free to (?:ask|reach out|let me)"
    r"|^(?:certainly|of course|absolutely|sure(?: thing)?|great question)[!,.:] (?:here|i['’]?(?:d|ll| would| will)"
    r"|let['’]?s|below)"
    r"|\bis there anything else (?:i|you)|\bhappy to help\b|\bthank you for (?:your question|asking)\b"
    r"|\bdo you have any (?:other|more) questions",
    re.I | re.M,
)
_PLACEHOLDER = re.compile(
    r"\[(?:your|insert|add|enter|company|recipient|name|date|address|phone|email|topic|product)\b[^\]\n]{0,40}\](?!\()"
    r"|<(?:your|insert|enter)[ _-][^>\n]{1,30}>|\blorem ipsum\b|\bXXX+\b",
    re.I,
)
_TEMPLATE = re.compile(
    r"\{\{-?\s*[a-z_][\w.]*\s*(?:-?|\|[^{}\n]*)\}\}|\{%-?\s*(?:if|for|end\w+|set|else|include|block)\b[^%\n]*%\}"
    r"|(?<![\w$\\{])\$\{[a-z_][\w.]*\}|<\|[a-z_]+\|>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|(?<!\w)</?s>(?!\w)",
    re.I,
)
_BRACED = re.compile(
    r"(?<![\w{$\\])\{(?:question|instruction|prompt|context|passage|text|input|output|answer|response|topic|name"
    r"|query|document)\}"
)
_LEAKED = re.compile(
    r"</?(?:think|thinking|scratchpad|reflection|tool_call)>|\b(?:my|the) (?:system prompt|system message)\b"
    r"|\bmy instructions (?:say|are|were)"
    r"|\b(?:here is|here's|below is) the (?:refined|revised|edited|modified|rewritten|improved|new) (?:question"
    r"|instruction|prompt|item)\b"
    r"|\b(?:the|this) (?:suggestion|suggester|editor|rubric|seed passage|refinement goal)\b[^.\n]{0,30}\b(?:says"
    r"|asks|wants|requires|is to)\b"
    r"|^(?:suggestion|refined (?:question|instruction)|final instruction|### (?:instruction|response"
    r"|input))\s*(?:\d+)?:"
    r"|\bthe user (?:wants|is asking|asked|has asked|asks|needs) (?:me|for|to|us)\b|\bi (?:was|am) (?:told"
    r"|instructed|asked) (?:to|not to)\b",
    re.I | re.M,
)
_MARKUP = re.compile(
    r"&(?:nbsp|amp|quot|lt|gt|#\d{2,5}|#x[0-9a-f]{2,4});|</?(?:div|span|br|p|font|td|tr)\b[^>\n]{0,80}>", re.I
)
_ECHO_WORDS = 8
_LETTER = re.compile(r"\b(?:dear|letter|e-?mail|template|form|placeholder|contract|mail)\b", re.I)


def _disclaimer(view: View) -> Iterator[tuple[str, str]]:
    if not re.search(r"\b(?:advice|disclaimer|should i|is it safe)\b", view.prompt, re.I):
        yield from new_in_response(_DISCLAIMER)(view)


def _placeholder(view: View) -> Iterator[tuple[str, str]]:
    if not _LETTER.search(view.prompt):
        yield from new_in_response(_PLACEHOLDER)(view)


def _template(view: View) -> Iterator[tuple[str, str]]:
    yield from new_in_response(_TEMPLATE)(view)
    for where, text in (("response", view.prose), ("prompt", view.prompt_prose)):
        yield from found(where, _BRACED, text if "{" in text else "")
    yield from found("prompt", _TEMPLATE, view.prompt_prose)


def _leaked(view: View) -> Iterator[tuple[str, str]]:
    yield from new_in_response(_LEAKED)(view)
    if "<" in view.prose:
        yield from (("response", match[0]) for match in TRACES.finditer(view.prose) if match[0] not in view.asked)


def _echo(view: View) -> Iterator[tuple[str, str]]:
    """The response begins with the whole prompt, or is nothing but it."""
    asked = [turn.text for turn in view.chat if turn.role == "user"]
    prompt, response = fold(asked[-1] if asked else ""), fold(view.last)
    if len(prompt.split()) >= _ECHO_WORDS and response.startswith(prompt):
        yield "response", view.last


RULES = (
    Rule("refusal", "The assistant declines to serve.", new_in_response(_REFUSAL)),
    Rule("as_an_ai", "The assistant speaks of being a model, or of its training.", new_in_response(_AS_AN_AI)),
    Rule("disclaimer", "A warning or a referral to professionals that nobody asked for.", _disclaimer, drops=False),
    Rule("boilerplate", "Set phrases around the answer.", new_in_response(_BOILERPLATE), drops=False),
    Rule("placeholder", "A gap to be filled in, where no form was asked for.", _placeholder),
    Rule("template", "Syntax of templates or chat formats is left over.", _template),
    Rule("leaked_instructions", "Traces of system messages, of agents, or of thinking aloud.", _leaked),
    Rule("markup", "HTML tags or entities outside of code.", new_in_response(_MARKUP)),
    Rule("echo", "The response says the prompt back.", _echo),
)
