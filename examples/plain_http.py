"""Order from a program, without a model, over HTTP: python plain_http.py http://127.0.0.1:8000/mcp

Rule of approval: XPORTCN_APPROVAL=off, set where the server runs, since no person is there to ask (a real
order over HTTP needs a recorded yes otherwise). What holds are the server's caps (XPORTCN_MAX_ORDER_CNY and
the like) and MOST below.
Needs mcp. XPORTCN_TOKEN is what `xportcn-mcp caller new NAME` printed, where the server has callers.
"""

import asyncio
import os
import sys
from decimal import Decimal

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

MOST = Decimal("100.00")
GOODS = [{"offer_id": "610947572360", "spec_id": "b266e0726506185beaf205cbae88530d", "quantity": 2}]
ADDRESS = {
    "full_name": "王小明",
    "mobile": "13800138000",
    "province": "浙江省",
    "city": "杭州市",
    "address": "网商路699号",
}


async def order(url):
    token = os.environ.get("XPORTCN_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    http = httpx2.AsyncClient(headers=headers, timeout=60)  # seconds; a create may take 55
    async with http, Client(streamable_http_client(url, http_client=http)) as client:
        preview = await client.call_tool("preview_order", {"items": GOODS, "address": ADDRESS})
        if preview.is_error:
            sys.exit(preview.content[0].text)
        ready = preview.structured_content["preview"]["create_order_arguments"]
        if Decimal(ready["expected_total"]) > MOST:
            sys.exit(f"too dear: {ready['expected_total']}")
        created = await client.call_tool("create_order", ready)
        sys.exit(created.content[0].text) if created.is_error else print(created.content[0].text)


if __name__ == "__main__":
    asyncio.run(order(sys.argv[1]))
