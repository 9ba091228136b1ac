// Vercel's AI SDK: generateText with the tools of its MCP client.
import { load, nextCall, server } from "./the_model.mjs";

const { createMCPClient } = await load("@ai-sdk/mcp");
const { Experimental_StdioMCPTransport } = await load("@ai-sdk/mcp/mcp-stdio");
const { generateText, stepCountIs } = await load("ai");
const { MockLanguageModelV4 } = await load("ai/test");

const model = new MockLanguageModelV4({
  doGenerate: async ({ prompt, tools }) => {
    const last = prompt.at(-1);
    const shown =
      last.role === "tool"
        ? { text: last.content.at(-1).output.value.map((part) => part.text).join("") }
        : {
            tools: tools.map((tool) => ({
              name: tool.name,
              description: tool.description,
              parameters: tool.inputSchema,
            })),
          };
    const call = await nextCall(shown);
    return {
      content: call
        ? [{ type: "tool-call", toolCallId: String(prompt.length), toolName: call.tool, input: JSON.stringify(call.arguments) }]
        : [{ type: "text", text: "done" }],
      finishReason: { unified: call ? "tool-calls" : "stop" },
      usage: { inputTokens: { total: 0 }, outputTokens: { total: 0 } },
      warnings: [],
    };
  },
});

const client = await createMCPClient({
  transport: server.url ? { type: "http", url: server.url } : new Experimental_StdioMCPTransport(server),
});
await generateText({ model, tools: await client.tools(), prompt: "an order, please", stopWhen: stepCountIs(30) });
await client.close();
process.exit(0);
