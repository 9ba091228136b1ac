"""A tool of the SDK that answers in our envelope, whatever happens.

The SDK drops unknown arguments silently and answers wrong ones as bare text; money is no place for
either. This subclass refuses unknown arguments and answers `invalid_arguments`, naming each field.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, cast

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from xportcn_tools import render
from xportcn_tools.arguments import ToolSchema, inlined
from xportcn_tools.desk.problems import approval_declined
from xportcn_tools.results import Envelope, Environment, Problem, ProblemError

logger = logging.getLogger(__name__)

MOST_FIELDS_NAMED = 20


class StrictArguments(FuncMetadata):
    """Arguments are validated as they come. The SDK's own reading of JSON strings would turn a message
    `null` into no message; our types read JSON strings where an object or a list belongs.
    """

    def pre_parse_json(self, data: dict[str, Any]) -> dict[str, Any]:
        return data


class EnvelopeTool(Tool):
    """One of our tools. `environment` labels the results that are made here."""

    environment: Environment

    @classmethod
    def of(
        cls, fn: Callable[..., Any], *, title: str, annotations: ToolAnnotations, environment: Environment
    ) -> "EnvelopeTool":
        """The tool for an async function that returns `Annotated[CallToolResult, Envelope]`.

        Its name is the function's, its description the docstring.
        """
        plain = Tool.from_function(fn, title=title, annotations=annotations)
        arguments = _strict(plain.fn_metadata.arg_model)
        metadata = StrictArguments(
            arg_model=arguments,
            output_model=Envelope,
            output_schema=inlined(Envelope.model_json_schema(mode="serialization")),
        )
        schema = inlined(arguments.model_json_schema(by_alias=True, schema_generator=ToolSchema))
        fields: dict[str, Any] = {name: getattr(plain, name) for name in Tool.model_fields}
        fields |= {
            "description": " ".join(plain.description.split()),
            "parameters": schema,
            "fn_metadata": metadata,
            "environment": environment,
        }
        return cls(**fields)

    async def run(
        self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False
    ) -> Any:
        try:
            return await super().run(arguments, context, convert_result)
        except ToolError as error:
            cause = error.__cause__
            if isinstance(cause, ProblemError):
                return result_of(self.environment, cause)
            if isinstance(cause, ValidationError) and cause.title == self.fn_metadata.arg_model.__name__:
                return result_of(self.environment, invalid_arguments(cause))
            if isinstance(error, UnexpectedToolError):
                raise  # a crash: its text stays in the log, and the SDK says so to the client
            # What is left are answers to our question that are none: no content, or nonsense in it.
            return result_of(self.environment, approval_declined("the answer to the form is not readable"))


def _strict(model: type[ArgModelBase]) -> type[ArgModelBase]:
    """The same arguments, with unknown ones refused."""
    return cast(
        "type[ArgModelBase]",
        type(
            model.__name__,
            (model,),
            {"model_config": ConfigDict(extra="forbid"), "__module__": __name__, "__doc__": None},
        ),
    )


def invalid_arguments(error: ValidationError) -> ProblemError:
    """Names each field that is not as described; values are the caller's, and are not repeated."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    fields = [{"field": _field(item), "message": _message(item)} for item in found[:MOST_FIELDS_NAMED]]
    named = "; ".join(f"{item['field']}: {item['message']}" for item in fields)
    more = f"; and {len(found) - len(fields)} more" if len(found) > len(fields) else ""
    return ProblemError(
        Problem(
            code="invalid_arguments",
            message=f"The arguments are not as described: {named}{more}.",
            request_sent="no",
            next_step="Correct the fields that are named and call the tool again.",
            details={"fields": fields},
        )
    )


def _field(item: ErrorDetails) -> str:
    path = ""
    for part in item["loc"]:
        name = part if isinstance(part, int) else part[:64].encode("ascii", "replace").decode()
        path += f"[{name}]" if isinstance(part, int) else f".{name}" if path else f"{name}"
    return path or "arguments"


def _message(item: ErrorDetails) -> str:
    match item["type"]:
        case "extra_forbidden":
            return "is not an argument of this tool"
        case "missing" | "missing_argument":
            return "is required"
        case "string_pattern_mismatch":
            return "does not have the form that the description gives"
        case _:
            return item["msg"].removeprefix("Input ").removeprefix("Value error, ")


def result_of(
    environment: Environment, outcome: ProblemError | Envelope, notes: Sequence[str] = ()
) -> CallToolResult:
    """The envelope as structured content, beside a short text for people with `notes` in it."""
    if isinstance(outcome, ProblemError):
        outcome = Envelope(ok=False, environment=environment, order=outcome.order, problem=outcome.problem)
    return CallToolResult(
        content=[TextContent(type="text", text=render.text_of(outcome, notes))],
        structured_content=outcome.model_dump(mode="json"),
        is_error=not outcome.ok,
    )
