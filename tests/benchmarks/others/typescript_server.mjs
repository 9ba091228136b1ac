// `node typescript_server.mjs ANSWER PACKAGE_JSON`: the TypeScript SDK on stdio, with one tool that always gives
// the same answer. PACKAGE_JSON stands beside the node_modules that has the SDK.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [answer, beside] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(createRequire(beside).resolve(name)).href);
const { McpServer } = await load("@modelcontextprotocol/sdk/server/mcp.js");
const { StdioServerTransport } = await load("@modelcontextprotocol/sdk/server/stdio.js");
const { z } = await load("zod");

const given = JSON.parse(readFileSync(answer, "utf8"));
const server = new McpServer({ name: "bare", version: "1" });
const inputSchema = { items: z.array(z.any()), address: z.any(), flow: z.string() };
server.registerTool("preview_order", { inputSchema }, async () => given);
await server.connect(new StdioServerTransport());
