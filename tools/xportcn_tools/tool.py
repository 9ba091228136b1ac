"""The one place where payloads and problems become results.

A tool is a plain async function: its signature is the schema, its docstring the description. It returns its
payload or raises `ProblemError`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import ValidationError

from xportcn_tools.arguments import invalid_arguments
from xportcn_tools.desk.problems import approval_declined
from xportcn_tools.product_results import ProductEnvelope, ProductResult
from xportcn_tools.render import text_of
from xportcn_tools.results import (
    Envelope,
    Environment,
    OrderEnvelope,
    PreviewEnvelope,
    PreviewResult,
    Problem,
    ProblemError,
)
from xportcn_tools.sdk_tool import SdkTool
from xportcn_tools.wording import UiLanguage, reworded


@dataclass(frozen=True)
class Offered:
    """A tool as this program offers it.

    `answers`: the field of its envelope that holds the payload; a payload that is a dict holds several.
    """

    fn: Callable[..., Any]
    title: str
    annotations: ToolAnnotations
    envelope: type[Envelope]
    answers: str

    def tool(self, environment: Environment, language: UiLanguage = "en") -> SdkTool:
        """Ready to be registered; `environment` labels its results. `language`: of the person at the card."""

        def finish(outcome: object) -> CallToolResult | None:
            if isinstance(outcome, ValidationError):
                outcome = invalid_arguments(outcome)
            elif isinstance(outcome, ToolError):
                outcome = approval_declined("the client returned no usable answer to the approval form")
            fields: dict[str, Any] = {self.answers: outcome}
            if isinstance(outcome, dict):
                fields = cast("dict[str, Any]", outcome)
            fields = {"ok": True, **fields}
            if isinstance(outcome, ProblemError):
                # By its fields: a dump would leave out what is for the text alone.
                fields = {"ok": False, "problem": dict(outcome.problem)}
                if outcome.order:
                    fields["order"] = outcome.order
            elif isinstance(outcome, BaseException):
                return None
            envelope = self.envelope(environment=environment, **fields)
            return CallToolResult(
                content=[TextContent(type="text", text=text_of(envelope))],
                structured_content=envelope.model_dump(mode="json"),
                is_error=not envelope.ok,
                _meta=_for_the_card(envelope) if language == "zh" else None,
            )

        return SdkTool.of(
            self.fn,
            title=self.title,
            annotations=self.annotations,
            envelope=self.envelope,
            finish=finish,
        )


def _for_the_card(envelope: Envelope) -> dict[str, Any] | None:
    """The Chinese of a result's warnings and notes, by their English: what a model reads stays English."""
    match envelope:
        case PreviewEnvelope(preview=PreviewResult(warnings=notes)):
            pass
        case OrderEnvelope(problem=Problem(preview=PreviewResult(warnings=notes))):
            pass
        case ProductEnvelope(product=ProductResult(notes=notes)):
            pass
        case _:
            return None
    return {"xportcn/chinese": {note.message: reworded("zh", note.message) for note in notes}}
