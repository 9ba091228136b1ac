// How the card of order_card.js and its client speak: MCP Apps, which is JSON-RPC in messages between windows.

const waiting = new Map();
let last = 0;

function send(message) {
  window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*"); // whoever holds this frame is its client
}

function request(method, params) {
  last += 1;
  send({ id: last, method, params });
  return new Promise((resolve, reject) => waiting.set(last, { resolve, reject }));
}

function dress({ theme, locale }) {
  if (theme) {
    document.documentElement.style.colorScheme = theme;
    dark.media.mediaText = theme === "dark" ? "all" : "not all";
  }
  const wanted = locale ? (/^zh\b/i.test(locale) ? "zh" : "en") : language;
  if (wanted === language) return;
  language = wanted;
  show();
}

const HEARD = {
  "ui/notifications/tool-result": (result) => { shown = result; show(); },
  "ui/notifications/tool-cancelled": () => { shown = { cut: true }; show(); },
  "ui/notifications/host-context-changed": dress,
};
const ANSWERED = ["ping", "ui/resource-teardown"];

window.addEventListener("message", ({ source, data }) => {
  if (source !== window.parent || data?.jsonrpc !== "2.0") return;
  if (data.method === undefined) {
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.error) asked?.reject(data.error);
    else asked?.resolve(data.result);
  } else if (data.id === undefined) {
    HEARD[data.method]?.(data.params ?? {});
  } else if (ANSWERED.includes(data.method)) {
    send({ id: data.id, result: {} });
  } else {
    send({ id: data.id, error: { code: -32601, message: "Method not found" } });
  }
});

function tellSize() {
  const { width, height } = document.documentElement.getBoundingClientRect();
  const params = { width: Math.ceil(width), height: Math.ceil(height) };
  send({ method: "ui/notifications/size-changed", params });
}

async function begin() {
  show();
  setInterval(countDown, 1000);
  const appInfo = { name: "xportcn-order-card", version: own.version };
  const appCapabilities = { availableDisplayModes: ["inline"] };
  const client = await request("ui/initialize", { appInfo, appCapabilities, protocolVersion: own.protocol });
  dress(client?.hostContext ?? {});
  send({ method: "ui/notifications/initialized" });
  new ResizeObserver(tellSize).observe(document.documentElement);
}

begin();
