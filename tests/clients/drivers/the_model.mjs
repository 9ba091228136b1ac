// As the_model.py. CLIENT_MODULES names a file in the folder whose node_modules has the packages.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const required = createRequire(process.env.CLIENT_MODULES);

export const server = JSON.parse(process.argv.at(-1));

export const load = (name) => import(pathToFileURL(required.resolve(name)));

export async function nextCall(shown) {
  process.stdout.write(JSON.stringify(shown) + "\n");
  const { value } = await lines.next();
  return value ? JSON.parse(value) : null;
}

/** Both TypeScript SDKs: they have no model; a host gets both halves of a result. */
export async function converse(client) {
  const { tools } = await client.listTools();
  let call = await nextCall({
    tools: tools.map((tool) => ({
      name: tool.name,
      description: tool.description,
      parameters: tool.inputSchema,
    })),
  });
  while (call) {
    const result = await client.callTool({ name: call.tool, arguments: call.arguments });
    call = await nextCall({ text: result.content[0].text, structured: result.structuredContent });
  }
  await client.close();
  process.exit(0);
}
