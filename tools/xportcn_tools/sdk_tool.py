"""What our tools need of the SDK's `Tool` and do not find there. Written for mcp 2.3.

The SDK drops unknown arguments silently, parses JSON inside strings on its own (a message `null` becomes no
message), and answers wrong arguments as bare text. Here unknown arguments are errors, arguments are read by
their types alone, and whatever a call comes to goes through one function that makes its result.
"""

from collections.abc import Callable
from typing import Any, cast

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.mcpserver.resolve import build_resolver_plans, find_resolved_parameters
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.context_injection import find_context_parameter
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata, func_metadata
from mcp_types import CallToolResult, InputRequiredResult, ToolAnnotations
from pydantic import BaseModel, ValidationError, create_model

from xportcn_tools.arguments import Arguments
from xportcn_tools.schema import ToolSchema, inlined, without_notes

Finish = Callable[[object], CallToolResult | None]


class StrictArguments(FuncMetadata):
    """Arguments are validated as they come: our types read JSON strings where an object or a list belongs."""

    def pre_parse_json(self, data: dict[str, Any]) -> dict[str, Any]:
        return data


class SdkTool(Tool):
    """A tool whose function returns a payload or raises; `finish` makes the result of either.

    `finish` takes the payload, a `ValidationError` of the arguments, whatever the function raised, or a
    `ToolError` where the client's answer to a form has no content or nonsense in it. It answers `None` to an
    exception that it does not know: then the SDK says that there was a crash, and its text stays in the log.
    """

    finish: Finish = lambda _: None

    @classmethod
    def of(
        cls,
        fn: Callable[..., Any],
        *,
        title: str,
        annotations: ToolAnnotations,
        envelope: type[BaseModel],
        finish: Finish,
    ) -> "SdkTool":
        """The tool of an async function: it is named like it and described by its docstring.

        `envelope`: the model of its results, whose schema is published.
        """
        # As the SDK's `from_function`, which would make a schema of its own for each tool beside ours.
        context, resolved = find_context_parameter(fn), find_resolved_parameters(fn)
        read = func_metadata(fn, skip_names=[context or "", *resolved], structured_output=False).arg_model
        arguments = create_model(read.__name__, __base__=(Arguments, read))
        return cls(
            fn=fn,
            name=fn.__name__,
            title=title,
            description=" ".join((fn.__doc__ or "").split()),
            parameters=inlined(arguments.model_json_schema(by_alias=True, schema_generator=ToolSchema)),
            fn_metadata=StrictArguments(
                arg_model=cast("type[ArgModelBase]", arguments), output_schema=output_schema(envelope)
            ),
            is_async=True,
            context_kwarg=context,
            resolved_params=dict(resolved),
            resolver_plans=build_resolver_plans(resolved, set(arguments.model_fields)),
            annotations=annotations,
            finish=finish,
        )

    async def run(
        self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False
    ) -> Any:
        del convert_result  # the results of `finish` are whole
        try:
            outcome = await super().run(arguments, context)
        except ToolError as error:
            result = self.finish(self._raised(error))
            if result is None:
                raise
            return result
        return outcome if isinstance(outcome, InputRequiredResult) else self.finish(outcome)

    def _raised(self, error: ToolError) -> BaseException | None:
        cause = error.__cause__
        of_arguments = (
            isinstance(cause, ValidationError) and cause.title == self.fn_metadata.arg_model.__name__
        )
        return cause if of_arguments or isinstance(error, UnexpectedToolError) else error


def output_schema(envelope: type[BaseModel]) -> dict[str, Any]:
    return without_notes(
        inlined(envelope.model_json_schema(mode="serialization", schema_generator=ToolSchema))
    )
