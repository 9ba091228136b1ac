// Shows a tool's result as a card. Whatever comes from outside goes in as text, never as markup. It calls no tool:
// its one button sends a message to the conversation, and the assistant goes on from there.
// How it speaks with the client is in card_client.js, which follows it in the document.
"use strict";

const own = JSON.parse(document.getElementById("own").textContent);
const main = document.getElementById("card");
const sheet = document.getElementById("look").sheet;
const dark = [...sheet.cssRules].find((rule) => rule.media?.mediaText.includes("prefers-color-scheme: dark"));
const PICTURE = /^https:\/\/([a-z0-9-]+\.)+alicdn\.com\/[!-~]{1,1000}$/;
let language = own.language;
let shown = null; // the result that is on the card

// Words and elements

function t(key, places = {}) {
  const said = own.words[key][language === "zh" ? 1 : 0];
  return said.replace(/\{(\w+)\}/g, (_, name) => String(places[name]));
}

function el(tag, look, ...children) {
  const made = document.createElement(tag);
  if (look) made.className = look;
  made.append(...children.filter((child) => child || child === 0)); // a string becomes a text node
  return made;
}

function facts(rows) {
  return el("dl", "", ...rows.filter((row) => row && row[1] !== null).map(([name, value, look]) =>
    el("div", look, el("dt", "", name), el("dd", "", ...[value].flat()))));
}

function table(heads, rows) {
  const head = el("tr", "", ...heads.map((text) => Object.assign(el("th", "", text), { scope: "col" })));
  const body = rows.map((cells) => el("tr", "", ...cells.map((cell, at) => {
    const made = el("td", "", ...[cell].flat());
    made.dataset.label = heads[at];
    return made;
  })));
  return el("table", "", el("thead", "", head), el("tbody", "", ...body));
}

function heading(sum, ...rest) {
  return el("h1", "", el("span", "sum", sum), " ", ...rest);
}

function warnings(found) {
  if (!found.length) return null;
  const chinese = (language === "zh" && shown._meta?.["xportcn/chinese"]) || {};
  const items = found.map((each) =>
    el("li", "", el("span", "code", each.code), " ", chinese[each.message] ?? each.message));
  return el("div", "warnings", el("h2", "", t("warnings")), el("ul", "", ...items));
}

// The person's language first, then the other
function both(original, translated) {
  const texts = language === "zh" ? [original, translated] : [translated, original];
  return [...new Set(texts.filter(Boolean))];
}

function picture(address, title) {
  if (!own.pictures || !PICTURE.test(address ?? "")) return null;
  const made = Object.assign(el("img", "thumb"), {
    referrerPolicy: "no-referrer", alt: t("picture_of", { title }), width: 64, height: 64, src: address,
  });
  made.addEventListener("error", () => made.remove());
  return made;
}

function moment(text) {
  const style = { timeZone: own.zone, dateStyle: "short", timeStyle: "short" };
  return new Date(text).toLocaleString("sv-SE", style); // 2026-11-25 09:30, as on the page
}

// What is shown of each answer, in the order of the page for people

function optionText(line) {
  const [first, second] = [line.option ?? line.option_translated, line.option_translated];
  return first === second || !second ? first : `${first} · ${second}`;
}

function fen(money) {
  return Math.round(100 * money.amount);
}

function lineCells(line) {
  const names = both(line.title, line.title_translated);
  const ids = [t("offer", { offer: line.offer_id })];
  if (line.spec_id) ids.push(t("spec", { spec: line.spec_id }));
  if (line.product_no) ids.push(t("your_number", { number: line.product_no }));
  const less = line.unit_price ? fen(line.unit_price) * line.quantity - fen(line.amount) : 0;
  return [
    [
      picture(line.image, names[0] ?? line.offer_id),
      ...names.map((name, at) => el("span", at ? "original" : "name", name)),
      optionText(line) && el("span", "option", optionText(line)),
      el("span", "ids", ids.join(" · ")),
      less > 0 && el("span", "since", t("less", { less: (less / 100).toFixed(2) })),
      line.message && el("span", "foreign", `${t("upstream_says")}: 「${line.message}」`),
    ],
    line.unit ? `${line.quantity} ${line.unit}` : line.quantity,
    line.unit_price?.amount ?? "–",
    line.amount.amount,
  ];
}

function previewCard(preview, open) {
  const { groups, payable } = preview;
  const heads = [t("item"), t("quantity"), t("unit_price"), t("amount")];
  return el("article", "card",
    heading(`${payable.amount} CNY`, preview.out_order_id),
    warnings(preview.warnings),
    ...groups.flatMap((group, at) => [
      groups.length > 1 ? el("h2", "", `${t("order_of", { number: at + 1, count: groups.length })}: ` +
        `${group.payable.amount} CNY (${t("freight")} ${group.freight.amount})`) : null,
      table(heads, group.lines.map(lineCells)),
    ]),
    facts([
      [t("goods"), preview.goods_total.amount],
      [t("freight"), preview.freight.amount],
      preview.fees.amount !== "0.00" && [t("fees"), preview.fees.amount],
      preview.discount.amount !== "0.00" && [t("discount"), `−${preview.discount.amount}`],
      [t("to_pay"), `${payable.amount} CNY`, "total"],
      [t("ship_to"), preview.ship_to],
      [t("trade_type"), preview.trade_type ?? t("left_to_platform")],
      [t("flow"), preview.flow ?? t("left_to_platform")],
      [t("promotion"), preview.promotion_id ?? t("none")],
      [t("approval_code"), preview.approval_code],
    ]),
    ...(open ? [clock(preview), answers(preview)] : []),
  );
}

function clock(preview) {
  const made = el("p", "clock");
  made.dataset.until = preview.expires_at;
  return made;
}

function answers(preview) {
  const button = el("button", "yes", t("ask_to_place", { total: preview.payable.amount }));
  const said = Object.assign(el("p"), { role: "status" });
  button.addEventListener("click", async () => {
    button.disabled = true;
    const text = t("ask_in_words", { number: preview.out_order_id, total: preview.payable.amount });
    try {
      const answer = await request("ui/message", { role: "user", content: [{ type: "text", text }] });
      if (answer?.isError) throw new Error("the client refused the message");
      said.textContent = t("was_asked");
    } catch {
      button.disabled = false;
      said.textContent = t("not_asked");
    }
    said.className = "notice";
  });
  return el("div", "answers", button, said);
}

function orderCard(order) {
  const goods = order.lines.map((line) => {
    const option = line.option ? ` (${line.option})` : "";
    const name = line.title ?? t("offer", { offer: line.offer_id });
    return el("li", "", `${line.quantity} × ${name}${option}: ${line.amount.amount}`);
  });
  const codes = (ids) => ids.flatMap((id) => [el("code", "", id), " "]);
  return el("article", "card",
    heading(`${order.payable.amount} CNY`, el("span", `state ${order.state}`, t(order.state))),
    goods.length ? el("ul", "goods", ...goods) : null,
    facts([
      [t("order_number"), codes([order.out_order_id])],
      order.order_ids.length && [t("order_ids"), codes(order.order_ids)],
      [t("ship_to"), order.ship_to],
      [t("ordered_at"), moment(order.created_at)],
    ]),
  );
}

function productCard(product) {
  const names = both(product.title, product.title_translated);
  const tiers = product.price_tiers.map((tier) =>
    t("from_quantity", { quantity: tier.from_quantity, price: tier.price.amount }));
  return el("article", "card",
    picture(product.image, names[0]),
    el("h1", "", el("span", "name", names[0])),
    names[1] ? el("p", "original", names[1]) : null,
    product.orderable === false ? el("p", "notice", t("not_orderable")) : null,
    warnings(product.notes),
    facts([
      [t("offer_number"), product.offer_id],
      tiers.length && [t("list_price"), tiers.join(", ")],
      [t("least"), product.min_quantity],
      [t("lots"), product.lot_size],
      [t("unit"), product.unit],
      [t("stock"), product.stock],
      [t("ships_from"), product.ships_from],
    ]),
    optionsTable(product.options),
    product.options_total > product.options.length
      ? el("p", "quiet", t("options_shown", { shown: product.options.length, count: product.options_total })) : null,
  );
}

function optionsTable(options) {
  if (!options.length) return null;
  return table([t("option"), t("list_price"), t("stock")], options.map((each) => [
    [
      picture(each.image, optionText(each)),
      el("span", "name", optionText(each)),
      el("span", "ids", t("spec", { spec: each.spec_id })),
    ],
    each.price?.amount ?? "–",
    each.stock ?? "–",
  ]));
}

function problemCard(problem) {
  const { changes = [], lines = [] } = problem.details ?? {};
  return el("article", "card",
    el("h1", "", el("span", "state", t(`sent_${problem.request_sent}`)), " ", el("span", "code", problem.code)),
    el("p", "", problem.message),
    changes.length
      ? table([t("what"), t("was"), t("now")], changes.map((each) => [each.what, each.was, each.now])) : null,
    ...lines.filter((line) => line.options).flatMap((line) => [
      el("h2", "", t("offer", { offer: line.offer_id })), optionsTable(line.options),
    ]),
    facts([[t("next"), problem.next_step]]),
  );
}

function cardsOf({ environment, product, preview, order, problem }) {
  const fresh = preview ?? problem?.preview;
  return [
    el("p", `mode ${environment}`, t(`mode_${environment}`)),
    product && productCard(product),
    problem && problemCard(problem),
    order && orderCard(order),
    fresh && previewCard(fresh, environment !== "preview"),
  ].filter(Boolean);
}

function show() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = t("title");
  if (!shown) return;
  const text = (shown.content ?? []).map((part) => part.text ?? "").join("\n");
  let cards = [el("pre", "", shown.cut ? t("was_cut") : text)];
  try {
    if (shown.structuredContent) cards = cardsOf(shown.structuredContent);
  } catch (error) {
    console.info(error); // the text says the same
  }
  main.replaceChildren(...cards);
  countDown();
}

function countDown() {
  for (const each of document.querySelectorAll("[data-until]")) {
    const left = Math.floor((Date.parse(each.dataset.until) - Date.now()) / 1000);
    const clockface = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    each.textContent = left > 0 ? t("good_for", { left: clockface }) : t("expired");
    if (left <= 0) each.nextElementSibling.hidden = true;
  }
}
