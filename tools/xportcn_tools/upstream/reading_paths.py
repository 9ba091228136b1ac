"""Which upstream paths may be called for a look. Pure.

A rule of what is allowed, which errs on refusing: a call that creates, pays, cancels or changes cannot be
taken back, and nobody knows all of the platform's paths.
"""

import re

from xportcn_tools.upstream.requests import PREVIEW_PATH

_FORM = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
_WORDS = re.compile(r"[a-z]+|[A-Z]+(?![a-z])|[A-Z][a-z]*")

_READS = re.compile("get|query|list|page|details?|search|find|info|view|read|fetch|count|estimate|trace")
"""The last part of the path has one of these as a word of its own."""

_CHANGES = re.compile(
    r"creat|pay|cancel|cancle|delet|remov|updat|modif|chang|insert|add(?!ress)|save|submit|confirm|refund"
    r"|close|edit|write|upload|bind|apply|approv|reject|push|import|send|place|buy|purchas|put|post(?!age)|set"
    r"|receiv|return|regist|reset|start|stop|enable|disable|grant|revoke|exec|commit|sync|merge|split|lock|make"
    r"|generat|order(?:ing|now)|notify|mark|follow|subscri|clear|clean|drop|undo|retry|renew|new|login|token"
)
"""Anywhere in the path, also inside a word."""


def reads_only(path: str) -> bool:
    """Whether a path is one that reads, as far as its words tell. The preview, which is documented to create
    nothing, is one although its path speaks of creating.
    """
    if path == PREVIEW_PATH:
        return True
    if not _FORM.fullmatch(path) or _CHANGES.search(path.lower()):
        return False
    last = path.rpartition("/")[2]
    return any(_READS.fullmatch(word.lower()) for word in _WORDS.findall(last))
