"""`python bare_server.py PORT ANSWER`: the SDK alone, to hold ours against. One tool, always the same answer.

ANSWER is a file with a result of ours, so that as many bytes come back as from us. No bearer tokens, no
ledger, no upstream: what is left is what the SDK, uvicorn, nginx and the wire take.
"""

import sys
from pathlib import Path
from typing import Any

import uvicorn
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import CallToolResult
from starlette.requests import Request
from starlette.responses import JSONResponse


def main(port: int, answer: Path) -> None:
    given = CallToolResult.model_validate_json(answer.read_text(encoding="utf-8"))
    server = MCPServer("bare")

    @server.tool()
    async def preview_order(  # pyright: ignore[reportUnusedFunction]
        items: list[dict[str, Any]], address: dict[str, Any], flow: str
    ) -> CallToolResult:
        del items, address, flow
        return given

    @server.custom_route("/healthz", methods=["GET"])
    async def healthz(request: Request) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        del request
        return JSONResponse({"status": "ok"})

    # As `xportcn_server.http.application` has it.
    security = TransportSecuritySettings(enable_dns_rebinding_protection=True, allowed_hosts=["127.0.0.1:*"])
    app = server.streamable_http_app(json_response=True, stateless_http=True, transport_security=security)
    uvicorn.run(app, port=port, log_level="warning", log_config=None, server_header=False)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
