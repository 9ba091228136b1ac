"""Logging to stderr, for people or for machines. stdout is never touched."""

import json
import logging
import sys
import time
from typing import Literal

from xportcn_tools.upstream.clean import escaped


class TextLines(logging.Formatter):
    """One line a record, then the exception's text if any; nothing in it acts on a terminal."""

    converter = time.gmtime

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        record.message = escaped(record.message, keep="")
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        return escaped(super().format(record))


class JsonLines(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, and the exception's text if any."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname,
            "logger": record.name,
            "message": escaped(record.getMessage()),
        }
        if record.exc_info:
            line["exception"] = escaped(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


WHATEVER_THE_LEVEL = ("xportcn.orders", "xportcn.start")
"""Loggers of the few lines that every owner needs: what became of an order, and where the server listens."""


def configure_logging(level: str, style: Literal["text", "json"]) -> None:
    """One handler on stderr. Called before the SDK would install its own."""
    handler = logging.StreamHandler(sys.stderr)
    text = TextLines("%(asctime)sZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    handler.setFormatter(JsonLines() if style == "json" else text)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in WHATEVER_THE_LEVEL:
        logging.getLogger(name).setLevel(logging.INFO)
    if level == "DEBUG":
        # It would log every answer that goes out as a stream: tokens, approval codes, addresses.
        logging.getLogger("sse_starlette").setLevel(logging.INFO)
