"""The upstream's envelope, and how its codes are read.

Numbers never become floats: JSON decimals are read as `Decimal`. Texts are cleaned here, where they come
in. The vendor documents the fields; its list of codes could not be read, so what a code means is inferred.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from pydantic import BaseModel, ConfigDict

from xportcn_tools.order import is_order_id
from xportcn_tools.upstream.clean import clean
from xportcn_tools.upstream.refusal_signs import refused_in_words

TOKEN = re.compile(r"(?!.*(?://|(?i:www)\.))[A-Za-z0-9_.=+|,:/@$-]{1,128}")
"""An identifier of the vendor's, and no link. In Chinese a whole sentence is letters without spaces, so ASCII
only.
"""

# Codes in words, or numbers with a tail, that do not say what became of the request: general errors, and
# successes other than 200.
_SAYS_NOTHING = re.compile(
    r".*(system|internal|server|gateway|time.?out|busy|unknown|unavailable|exception).*"
    r"|success\w*|succeed\w*|ok|true|accepted|processing|pending|error|fail\w*"
    r"|-.*|[+]?0*(0|[25][0-9][0-9])(?![_0-9]).*",
    re.IGNORECASE,
)
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_FINE_ERROR_CODES = (None, "", 0, "0", 200, "200", "SUCCESS")


class UnreadableAnswerError(Exception):
    """The body is not what the documentation describes; the text says where it departs."""


def identifier(value: object) -> str:
    """An id as a string, whether it came as a JSON integer or a string; it is passed back as it is."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not TOKEN.fullmatch(text):
        raise ValueError("is not an identifier")
    return text


def order_id_of(value: object) -> str | None:
    """An order id as a string, from a JSON integer or a string; `None` where it names no order."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return text if isinstance(text, str) and is_order_id(text) else None


def object_of(value: object) -> dict[str, Any]:
    """A JSON object's fields; none for anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def identifier_or_unknown(value: object) -> str | None:
    """An id that nothing depends on: an odd one is unknown."""
    try:
        return identifier(value)
    except ValueError:
        return None


def text_of(value: object) -> str | None:
    """Foreign text, cleaned; `None` for anything but a text or a number."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    return clean(str(value)) or None


class UpstreamEnvelope(BaseModel):
    """`{requestId, code, developId, msg, data}`. Success is code 200 and nothing else (inferred)."""

    model_config = ConfigDict(frozen=True)

    code: int | str | None
    message: str | None
    request_id: str | None
    data: Any
    reports_failure: bool = False
    whole: Any = None
    """All its fields as they came, uncut."""

    @property
    def succeeded(self) -> bool:
        return self.code == 200

    @property
    def refuses(self) -> bool:
        """Whether code or words are a definite refusal (inferred).

        A general server error (500–599, negative, absent, or a word for one) is none; nor is 0, 201–299 or a
        word that other programs use for success: such codes do not say what became of the request. The words
        decide beside them.
        """
        if not self.succeeded and refused_in_words(self.message or ""):
            return True
        if isinstance(self.code, str):
            return not _SAYS_NOTHING.fullmatch(self.code.strip())
        if self.code is None or self.code <= 0:
            return False
        return not (200 <= self.code <= 299 or 500 <= self.code <= 599)


def _refuse_constant(name: str) -> object:
    raise UnreadableAnswerError(f"the body holds {name}")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are each given once: of two values nobody can say which one is meant."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise UnreadableAnswerError("the body gives a name twice")
    return fields


def parsed(body: bytes) -> object:
    """JSON, read strictly in its structure and leniently in its texts.

    A raw tab, half a character or a byte of another encoding in a text that nobody needs must not cost the
    ids of an order: such bytes become `\ufffd`. Before that comes GB 2312, whose narrow range takes no
    damaged UTF-8 for Chinese, as GB 18030 does; that one is read where nothing else parses.

    Raises:
        UnreadableAnswerError: it is none.
    """
    failure = "the body is empty"
    for encoding, errors in (
        ("utf-8-sig", "strict"),
        ("gb2312", "strict"),
        ("utf-8-sig", "replace"),
        ("gb18030", "strict"),
    ):
        try:
            return json.loads(
                body.decode(encoding, errors),
                strict=False,
                parse_float=Decimal,
                parse_constant=_refuse_constant,
                object_pairs_hook=_once_each,
            )
        except (ValueError, RecursionError, InvalidOperation) as error:
            failure = f"the body is not JSON ({type(error).__name__})"
    raise UnreadableAnswerError(failure)


def read_envelope(body: bytes) -> UpstreamEnvelope:
    """The envelope of an answer's body.

    Raises:
        UnreadableAnswerError: the body is no JSON object with a `code`.
    """
    answer = parsed(body)
    if not isinstance(answer, dict):
        raise UnreadableAnswerError("the body is not a JSON object")
    fields = cast("dict[str, Any]", answer)
    if "code" not in fields:
        raise UnreadableAnswerError("the body has no code")
    return UpstreamEnvelope(
        code=_code(fields["code"]),
        message=text_of(fields.get("msg")),
        request_id=identifier_or_unknown(fields.get("requestId")),
        data=fields.get("data"),
        whole=fields,
        reports_failure=reports_failure(fields) or reports_failure(fields.get("data")),
    )


def reports_failure(data: object) -> bool:
    """Whether `success` or `errorCode` reports a failure, as the sibling API does inside `data`."""
    if not isinstance(data, dict):
        return False
    fields = cast("dict[str, Any]", data)
    return is_no(fields.get("success")) or fields.get("errorCode") not in _FINE_ERROR_CODES


def is_no(flag: object) -> bool:
    return flag is not None and str(flag).strip().casefold() in ("false", "0", "no", "n", "f")


def _code(value: object) -> int | str | None:
    """An envelope's code: an integer where it is one, else its text (1688 has codes like `500_004`)."""
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return clean(value)[:64] or None if isinstance(value, str) else None
