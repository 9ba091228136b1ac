"""`python bare_server.py PORT|stdio ANSWER [UPSTREAM LEDGER]`: the SDK alone, to hold ours against.

Two tools, always the same answer: ANSWER is a file with a result of ours, so that as many bytes come back as
from us. No bearer tokens: what is left is what the SDK, the wire and, over HTTP, uvicorn and nginx take. With
UPSTREAM and LEDGER each call makes one signed POST there, and commits to that file: a preview once, a create twice.
"""

import sys
from pathlib import Path
from typing import Any

from mcp.server import MCPServer
from mcp_types import CallToolResult


def bare(answer: Path, *floor: str) -> MCPServer:
    given = CallToolResult.model_validate_json(answer.read_text(encoding="utf-8"))
    server = MCPServer("bare")
    work = None
    if floor:
        from benchmarks.floor import WithinServer

        work = WithinServer(*floor)

    @server.tool()
    async def preview_order(  # pyright: ignore[reportUnusedFunction]
        items: list[dict[str, Any]], address: dict[str, Any], flow: str
    ) -> CallToolResult:
        del address, flow
        if work:
            await work.preview(items)
        return given

    @server.tool()
    async def create_order(  # pyright: ignore[reportUnusedFunction]
        preview_token: str, expected_total: str, ship_to: str, goods: str
    ) -> CallToolResult:
        del preview_token, expected_total, ship_to, goods
        if work:
            await work.create()
        return given

    return server


def serve_http(server: MCPServer, port: int) -> None:
    import uvicorn
    from mcp.server.transport_security import TransportSecuritySettings
    from starlette.requests import Request
    from starlette.responses import JSONResponse

    @server.custom_route("/healthz", methods=["GET"])
    async def healthz(request: Request) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        del request
        return JSONResponse({"status": "ok"})

    # As `xportcn_server.http.application` has it.
    security = TransportSecuritySettings(enable_dns_rebinding_protection=True, allowed_hosts=["127.0.0.1:*"])
    app = server.streamable_http_app(json_response=True, stateless_http=True, transport_security=security)
    uvicorn.run(app, port=port, log_level="warning", log_config=None, server_header=False)


if __name__ == "__main__":
    where, answer_file, *of_floor = sys.argv[1:]
    made = bare(Path(answer_file), *of_floor)
    if where == "stdio":
        made.run("stdio")
    else:
        serve_http(made, int(where))
