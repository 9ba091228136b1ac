"""What people read, in English and Chinese: one table, and nothing said to them stands elsewhere twice. Pure.

A message may have places in braces. The words that a model reads are English, and are no part of this table.
"""

from typing import Literal

UiLanguage = Literal["en", "zh"]

MESSAGES: dict[str, tuple[str, str]] = {
    "title": ("Orders from 1688", "1688 采购订单"),
    "switch": ("中文", "English"),
    "mode_sandbox": ("Sandbox: nothing real is bought", "沙盒：不会产生真实购买"),
    "mode_preview": ("Preview mode: nothing can be ordered", "预览模式：不能下单"),
    "mode_live": ("Live: real orders, real money", "正式环境：真实订单，真实付款"),
    "ledger_down": (
        "The record of orders does not answer. What you have just sent may be recorded or not: look again.",
        "订单记录暂时没有响应。您刚刚提交的内容可能已记录，也可能没有，请稍后再看。",
    ),
    "waiting": ("Waiting for your answer", "等待您确认"),
    "nothing_waits": ("Nothing waits for an answer.", "没有需要确认的订单。"),
    "older_wait": (
        "Older ones that wait too and are not shown: {count}. They follow as these are answered or expire.",
        "另有 {count} 个较早的待确认订单未显示；处理或过期后会依次显示。",
    ),
    "none_needed": (
        "Orders need no yes here: the owner has set XPORTCN_APPROVAL=off.",
        "此处下单无需确认：所有者已设置 XPORTCN_APPROVAL=off。",
    ),
    "fresh_hint": (
        "New previews appear here by themselves.",
        "新的待确认订单会自动显示在这里。",
    ),
    "yes": ("Yes, place it", "是，下单"),
    "no": ("No", "否"),
    "you_said_no": (
        "You said no. You can still say yes until it expires.",
        "您已拒绝。到期之前仍可改为同意。",
    ),
    "said_yes": (
        "Your yes is recorded. The assistant can place the order now.",
        "已记录您的同意。助手现在可以下单。",
    ),
    "said_no": ("Your no is recorded; nothing is ordered.", "已记录您的拒绝，不会下单。"),
    "good_for": ("Good for {left}", "剩余有效时间 {left}"),
    "expired": ("Expired", "已过期"),
    "asked_by": ("Asked for by {caller}", "由 {caller} 发起"),
    "to_pay": ("To pay", "应付"),
    "goods": ("Goods", "货品"),
    "freight": ("Freight", "运费"),
    "fees": ("Fees", "手续费"),
    "discount": ("Discount", "优惠"),
    "total": ("Total", "合计"),
    "item": ("Item", "商品"),
    "quantity": ("Quantity", "数量"),
    "unit_price": ("Unit price", "单价"),
    "amount": ("Amount", "金额"),
    "picture_of": ("Picture of {title}", "{title} 的图片"),
    "order_of": ("Order {number} of {count}", "第 {number} 单，共 {count} 单"),
    "offer": ("offer {offer}", "商品 {offer}"),
    "spec": ("spec {spec}", "规格 {spec}"),
    "your_number": ("your number {number}", "您的货号 {number}"),
    "last_time": (
        "Last time {price} on {date} ({quantity} in order {order})",
        "上次 {date} 单价 {price}（数量 {quantity}，订单 {order}）",
    ),
    "last_time_now": (
        "Last time {price} on {date}, now {now} ({quantity} in order {order})",
        "上次 {date} 单价 {price}，现为 {now}（数量 {quantity}，订单 {order}）",
    ),
    "last_title": ("The title was {was} then", "当时标题为{was}"),
    "last_option": ("The option was {was} then", "当时规格为{was}"),
    "ship_to": ("Ship to", "收货地址"),
    "way_to_pay": ("Way to pay", "支付方式"),
    "flow": ("Flow", "下单流程"),
    "promotion": ("Promotion", "促销"),
    "none": ("none", "无"),
    "left_to_platform": ("left to the platform", "由平台决定"),
    "sent_along": ("Sent along", "附带信息"),
    "order_number": ("Order number", "订单编号"),
    "warnings": ("Look at this first", "请先注意"),
    "upstream_says": ("The seller or platform says", "卖家或平台说明"),
    "placed": (
        "Placed, not paid yet unless you have paid it: pay in your Xportcn account",
        "已下单，如未支付请在 Xportcn 账户中支付",
    ),
    "sending": ("Being sent now", "正在提交"),
    "rejected": ("Refused; no order exists", "被拒绝；订单不存在"),
    "unknown": ("Unknown: an order may exist", "结果未知：订单可能已存在"),
    "absent": ("Does not exist, as a person established", "不存在（已由人工确认）"),
    "orders": ("Orders", "订单"),
    "export": ("This month as a table (CSV)", "导出本月表格（CSV）"),
    "no_orders": ("No orders yet.", "暂无订单。"),
    "order_ids": ("Order ids", "平台订单号"),
    "ordered_at": ("Ordered", "下单时间"),
    "look_for": (
        "Look for this order in your Xportcn account, and on 1688. Nothing more is sent for it.",
        "请在 Xportcn 账户和 1688 中查找此订单。系统不会再次提交。",
    ),
    "look_when": (
        "An order can show up some minutes late: say that it does not exist only after a quarter of an hour.",
        "订单可能会延迟几分钟出现：请至少等待十五分钟后再确认不存在。",
    ),
    "it_exists": ("It exists", "订单存在"),
    "it_does_not": ("It does not exist", "订单不存在"),
    "sure": ("Are you sure? This cannot be undone.", "确定吗？此操作无法撤销。"),
    "sure_placed": (
        "You have looked, and order {reference} exists as {ids}.",
        "您已查证：订单 {reference} 存在，平台订单号为 {ids}。",
    ),
    "sure_absent": (
        "You have looked, and order {reference} does not exist. Its goods can then be ordered once more.",
        "您已查证：订单 {reference} 不存在。之后可以再次订购相同货品。",
    ),
    "record_it": ("Yes, record it", "是，记录"),
    "back": ("Back", "返回"),
    "resolved": ("It is recorded.", "已记录。"),
    "budget": ("Budget of the day", "当日额度"),
    "budget_day": ("Ordered", "已下单"),
    "budget_orders": ("Orders", "订单数"),
    "budget_order": ("Most for one order", "单笔上限"),
    "budget_total": ("All callers", "所有调用方"),
    "budget_ends": ("The day ends", "当日结束"),
    "of": ("{used} of {cap}", "{used} / {cap}"),
    "pause": ("Pause ordering", "暂停下单"),
    "pause_how": (
        "No order leaves while paused, from any assistant or program on this record of orders.",
        "暂停期间，使用此订单记录的任何助手或程序都不能下单。",
    ),
    "paused": ("Ordering is paused", "下单已暂停"),
    "paused_since": ("Since {time}.", "自 {time} 起。"),
    "reason": ("Reason", "原因"),
    "resume": ("Resume", "恢复下单"),
    "now_paused": ("Ordering is paused.", "下单已暂停。"),
    "now_resumed": ("Orders can leave again.", "已恢复下单。"),
    "sign_in": ("Sign in", "登录"),
    "sign_in_here": (
        "On this machine, `xportcn-mcp page` opens it.",
        "在本机上，运行 `xportcn-mcp page` 即可打开。",
    ),
    "sign_in_code": (
        "Over the network, the owner gives you a code that works once (`xportcn-mcp caller page NAME`).",
        "通过网络访问时，请向所有者索取一次性代码（`xportcn-mcp caller page NAME`）。",
    ),
    "code": ("Code", "代码"),
    "bad_code": (
        "This code is not good, or no longer. A code works once, for ten minutes.",
        "代码无效或已失效。每个代码只能使用一次，十分钟内有效。",
    ),
    "signed_in": ("Signed in; the page opens now.", "已登录，正在打开页面。"),
    "signed_in_as": ("Signed in as {caller}", "当前登录：{caller}"),
    "go_on": ("Open the page", "打开页面"),
    "not_signed_in": (
        "You are not signed in, or no longer. Nothing was done.",
        "您尚未登录或登录已失效。没有执行任何操作。",
    ),
    "form_refused": (
        "This form was not acted on: it was sent before, or is not from this page. What holds is shown here.",
        "此表单未被执行：它已提交过，或不是来自此页面。当前状态如下。",
    ),
    "refused": ("Nothing was changed: {reason}.", "没有任何更改：{reason}。"),
    # The card in a client (guide/order_card.js)
    "ask_to_place": ("Ask the assistant to place it: {total} CNY", "请助手下单：{total} CNY"),
    "ask_in_words": (
        "I agree to order {number}, {total} CNY. Go on: call create_order with its create_order_arguments.",
        "我同意订单 {number}，共 {total} CNY。请继续：用它的 create_order_arguments 调用 create_order。",
    ),
    "was_asked": (
        "The assistant was asked. It goes on in the conversation.",
        "已请助手继续，请查看对话。",
    ),
    "not_asked": (
        "This client does not pass it on. Tell the assistant yourself.",
        "此客户端无法转达，请直接告诉助手。",
    ),
    "was_cut": (
        "The call was cut short. Ask the assistant what came of it.",
        "调用已中断，请向助手询问结果。",
    ),
    "sent_no": ("No order was sent", "没有提交订单"),
    "sent_yes": ("The order was sent", "订单已提交"),
    "sent_unknown": ("The order may have been sent", "订单可能已提交"),
    "next": ("Next", "下一步"),
    "what": ("Changed", "变更"),
    "was": ("Before", "原先"),
    "now": ("Now", "现在"),
    "offer_number": ("Offer", "商品编号"),
    "option": ("Option", "规格"),
    "list_price": ("List price", "标价"),
    "from_quantity": ("{price} from {quantity}", "{quantity} 起 {price}"),
    "least": ("Least quantity", "起订量"),
    "lots": ("In lots of", "每批数量"),
    "unit": ("Unit", "单位"),
    "stock": ("In stock", "库存"),
    "ships_from": ("Ships from", "发货地"),
    "options_shown": ("{shown} of {count} options are shown.", "共 {count} 种规格，显示 {shown} 种。"),
    "not_orderable": ("This product cannot be ordered now.", "此商品目前不能订购。"),
}


def said(language: UiLanguage, key: str, **places: object) -> str:
    """The message in this language, its places filled in."""
    return MESSAGES[key][language == "zh"].format(**places)
