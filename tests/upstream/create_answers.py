"""Answers to a create and what each means: the one table, for the tests and for docs/reliability.md.

Written from the rule (docs/reliability.md, "What an answer to a create means"), not from what the program does.
Bodies are in the shapes of this platform and of its neighbours; ids are made up.
"""

import json
from dataclasses import dataclass
from typing import Any, Literal

Meaning = Literal["placed", "refused", "unknown"]
ID, OTHER_ID = "1927364850192736485", "1927364850192736486"
OURS = "202611251234567890123"
"""A buyer's own number that looks like an order's id."""


@dataclass(frozen=True)
class Row:
    """`body`: the answer as bytes, or the fields of its envelope. `why` is a sentence for people."""

    meaning: Meaning
    why: str
    body: bytes | dict[str, Any]
    status: int = 200

    @property
    def raw(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps({"requestId": "req-1", "developId": "1023560000000000001"} | self.body).encode()


def _said(code: object, msg: str, data: object = None, **beside: object) -> dict[str, Any]:
    return {"code": code, "msg": msg, "data": data} | beside


_PART = {"orderIds": [ID], "failedOfferList": [{"offerId": 610947572360, "errorMsg": "库存不足"}]}

TABLE: tuple[Row, ...] = (
    # Placed
    Row("placed", "ids, and nothing speaks of failure", _said(200, "成功", {"orderIds": [ID]})),
    Row("placed", "several ids: one create was split", _said(200, "成功", {"orderIds": [ID, OTHER_ID]})),
    Row("placed", "ids as integers", _said(200, "成功", {"orderIds": [int(ID)]})),
    Row("placed", "a flag of success beside them", _said(200, "成功", {"orderIds": [ID], "success": True})),
    Row("placed", "an empty list of failures", _said(200, "成功", {"orderIds": [ID], "failedOfferList": []})),
    Row(
        "placed",
        "a bad byte in a text costs no ids",
        b'{"code":200,"msg":"\xb3\xc9\xb9\xa6","data":{"orderIds":["' + ID.encode() + b'"]}}',
    ),
    Row(
        "placed",
        "a raw tab in a text costs no ids",
        b'{"code":200,"msg":"a\tb","data":{"orderIds":["' + ID.encode() + b'"]}}',
    ),
    Row(
        "placed",
        "half a character in a text costs no ids",
        b'{"code":200,"msg":"\\ud83d","data":{"orderIds":["' + ID.encode() + b'"]}}',
    ),
    # A part is not the whole
    Row("unknown", "a part: offers that failed stand beside the ids", _said(200, "成功", _PART)),
    Row(
        "unknown",
        "a part: one entry has success: false",
        _said(200, "成功", {"orderIds": [ID], "results": [{"offerId": 610947572360, "success": False}]}),
    ),
    Row("unknown", "a part: a count of failures", _said(200, "成功", {"orderIds": [ID], "failCount": 1})),
    Row("placed", "a count of no failures", _said(200, "成功", {"orderIds": [ID], "failCount": 0})),
    Row("unknown", "a part: the words say so", _said(200, "部分商品下单失败", {"orderIds": [ID]})),
    Row("unknown", "ids beside success: false", _said(200, "成功", {"orderIds": [ID], "success": False})),
    Row(
        "unknown", "ids beside an error code", _said(200, "成功", {"orderIds": [ID], "errorCode": "500_004"})
    ),
    Row("unknown", "ids beside a refusing code", _said("500_004", "库存不足", {"orderIds": [ID]})),
    Row("unknown", "ids under an HTTP failure", _said(200, "成功", {"orderIds": [ID]}), 500),
    Row(
        "unknown",
        "ids beside goods that were left out",
        _said(200, "成功", {"orderIds": [ID], "invalidCargoList": [{"offerId": 610947572360}]}),
    ),
    Row(
        "unknown",
        "ids beside a list of errors",
        _said(200, "成功", {"orderIds": [ID], "errorList": [{"msg": "库存不足"}]}),
    ),
    Row(
        "unknown",
        "ids beside a remark that goods were removed",
        _said(200, "成功", {"orderIds": [ID], "remark": "1件商品库存不足，已移除"}),
    ),
    Row(
        "unknown",
        "ids of an order that was cancelled",
        _said(200, "成功", {"orderIds": [ID], "msg": "已取消"}),
    ),
    Row("placed", "our own number beside ids", _said(200, "成功", {"orderIds": [ID], "outOrderId": OURS})),
    Row(
        "unknown",
        "another's number beside ids: the answer is to another request",
        _said(200, "成功", {"orderIds": [ID], "outOrderId": "PO-2026-0815"}),
    ),
    Row(
        "placed",
        "a reminder to pay speaks of no part",
        _said(200, "下单成功，超时未付款将自动关闭", {"orderIds": [ID]}),
    ),
    # Documented refusals
    Row("refused", "not tradable online", _said("500_001", "商品不支持在线交易")),
    Row("refused", "several sellers, or no spec", _said("500_002", "一个订单只能包含同一卖家的商品")),
    Row("refused", "out of stock, though the envelope says 成功", _said("500_004", "成功")),
    Row("refused", "spelt with a hyphen", _said("500-005", "低于最小起订量")),
    Row("refused", "spelt with a letter before it", _said("R500_002", "specId is missing")),
    Row("refused", "a documented code counts over a word of doubt", _said("500_004", "库存不足，请稍后重试")),
    Row("refused", "a bare documented number with refusing words", _said(500001, "商品不支持在线交易")),
    Row("unknown", "a bare documented number does not count over doubt", _said(500001, "系统繁忙")),
    Row("refused", "bad request", _said(400, "bad request")),
    Row("refused", "no such key", _said(401, "no")),
    Row("refused", "not permitted", _said(403, "no permission")),
    Row("refused", "no such interface", _said(404, "no such interface")),
    Row("refused", "cannot be processed as it is", _said(422, "unprocessable")),
    Row("refused", "too many requests: nothing was taken", _said(429, "too many requests, try again later")),
    Row("refused", "HTTP 429, busy", _said(429, "系统繁忙，请稍后重试"), 429),
    Row("unknown", "HTTP 429, but it may have been taken", _said(429, "请勿重复提交"), 429),
    Row("unknown", "429, accepted", _said(429, "accepted, processing")),
    # Words that refuse
    Row("refused", "stock", _said(1001, "库存不足")),
    Row(
        "refused",
        "digits inside a spec id are no order's id",
        _said(1001, "商品[670291644950_b2660726506185123450a0078e431637]库存不足"),
    ),
    Row("refused", "off sale", _said(1002, "商品已下架")),
    Row("refused", "below the minimum", _said(1003, "低于起订量")),
    Row("refused", "a parameter", _said(1004, "参数错误: specId")),
    Row("refused", "a parameter exception is no doubt", _said(1004, "参数异常")),
    Row("refused", "an address", _said(1005, "收货地址不正确")),
    Row("refused", "an address exception is no doubt", _said(1005, "address exception")),
    Row("refused", "permission", _said(1006, "没有权限")),
    Row("refused", "a signature", _said(1007, "签名错误")),
    Row("refused", "not allowed", _said(1008, "This trade type is not allowed")),
    Row("refused", "order failed", _said(1009, "下单失败")),
    Row("refused", "no such product, though code 500", _said(500, "商品不存在")),
    Row("refused", "does not exist", _said(1010, "The sku does not exist")),
    Row("refused", "not successful", _said(1011, "下单不成功: 库存不足")),
    Row("refused", "a word for a code", _said("OUT_OF_STOCK", "no")),
    Row("refused", "a trace id beside it", _said(1001, "库存不足", None, traceId="0b5105871732345678901234")),
    Row(
        "refused",
        "a trace id of digits beside it",
        _said(1001, "库存不足", None, traceId="2100581617323456789"),
    ),
    Row("refused", "a member id beside it", _said(1001, "库存不足", {"memberId": 2200612345678901234})),
    Row("refused", "a time beside it", _said(1001, "库存不足", {"at": "20260601093000000"})),
    Row("refused", "our own number repeated", _said(1001, "库存不足", {"outOrderId": OURS})),
    Row("refused", "our own number in the words", _said(1001, f"订单{OURS}库存不足")),
    Row("refused", "order id 0", _said(1001, "库存不足", {"orderId": 0})),
    Row("refused", "order id in a text, 0", _said(1001, "库存不足", {"orderId": "0"})),
    Row(
        "refused",
        "the sibling's way: code 200, success false, a reason",
        _said(200, "成功", {"success": False, "errorCode": "500_004", "errorMsg": "库存不足"}),
    ),
    Row(
        "refused",
        "the sibling's way, in words alone",
        _said(200, "成功", {"success": False, "errorMsg": "库存不足"}),
    ),
    # Doubt
    Row("unknown", "busy", _said(1600000, "System busy")),
    Row("unknown", "a system exception", _said(800, "系统异常")),
    Row("unknown", "busy, in Chinese", _said(4001, "系统繁忙，请稍后重试")),
    Row("unknown", "code 10000, success", _said(10000, "成功", {"success": True})),
    Row("unknown", "a refusal beside success: true", _said(1001, "库存不足", {"success": True})),
    Row("unknown", "a repeat: the order exists", _said("REPEAT_SUBMIT", "请勿重复提交")),
    Row("unknown", "our number exists already: so does an order", _said(1001, "外部订单号已存在")),
    Row("unknown", "a duplicate number", _said(1001, "Parameter outOrderId: duplicate")),
    Row("unknown", "a number that exists", _said(400, "outOrderId exists")),
    Row("unknown", "a time-out behind it", _said(1001, "库存服务请求超时")),
    Row("unknown", "being processed", _said(1001, "订单处理中")),
    Row("unknown", "taken", _said(1001, "已受理")),
    Row("unknown", "later", _said(1001, "Invalid state, try later")),
    Row("unknown", "a word for a system error", _said("SYSTEM_ERROR", "参数")),
    Row("unknown", "no sign of a refusal in a number", _said(1001, "no")),
    Row("unknown", "a general server error", _said(500, "error")),
    Row("unknown", "code 0 is how others say success", _said(0, "库存不足")),
    Row("unknown", "code 200 without ids", _said(200, "成功", {})),
    Row("unknown", "the sibling's way, without a reason", _said(200, "成功", {"success": False})),
    Row(
        "unknown",
        "the sibling's way, with a doubt",
        _said(200, "成功", {"success": False, "errorMsg": "系统繁忙"}),
    ),
    Row("unknown", "an order's id where none is documented", _said(1001, "库存不足", {"orderId": ID})),
    Row("unknown", "an order's id in the words", _said(1001, f"库存不足 {ID}")),
    Row("unknown", "ids that cannot be read", _said(1001, "库存不足", {"orderIds": [None]})),
    # What fails behind an order, and what is still under way
    Row("unknown", "a connection that broke behind it", _said(500, "下单失败：connection reset by peer")),
    Row("unknown", "a connection that broke behind it, in Chinese", _said(500, "下单失败：连接被重置")),
    Row("unknown", "an unknown error", _said(500, "下单失败：未知错误")),
    Row("unknown", "no answer behind it", _said(500, "创建订单失败：调用1688接口无响应")),
    Row("unknown", "a gateway behind it", _said(500, "Failed to create order: 502 Bad Gateway")),
    Row(
        "unknown", "an answer of 1688 that the vendor cannot read", _said(500, "Missing orderId in response")
    ),
    Row("unknown", "an answer of 1688 that is no JSON", _said(500, "Invalid JSON")),
    Row("unknown", "the vendor's database", _said(500, "Data too long for column 'address'")),
    Row("unknown", "our number is used", _said(500, "该订单号已被使用，参数错误")),
    Row(
        "unknown", "our number is used, in English", _said(500, "outOrderId already used: invalid parameter")
    ),
    Row("unknown", "submitted before", _said(500, "已经提交过了，不允许再次提交")),
    Row("unknown", "a part of the goods failed", _said(500, "部分商品下单失败")),
    Row("unknown", "made, and its payment failed", _said(500, "支付失败：余额不足")),
    Row("unknown", "being made, though code 400", _said(400, "订单创建中")),
    Row("unknown", "a system that is down", _said(400, "系统开小差了")),
    Row("unknown", "doubt in another field", _said(400, "参数错误", {"detail": "订单创建中，请稍后"})),
    Row(
        "unknown",
        "an exception in another field",
        _said(400, "参数错误", {"exception": "SocketTimeoutException"}),
    ),
    Row("unknown", "created: true", _said(400, "参数错误", {"created": True})),
    Row("unknown", "a count of successes", _said(400, "参数错误", {"successCount": 1})),
    Row(
        "unknown", "a state of an order that is made", _said(400, "参数错误", {"orderStatus": "waitbuyerpay"})
    ),
    Row(
        "unknown",
        "an order's number under another name",
        _said(400, "下单失败", {"orderSn": "SO20261125000123"}),
    ),
    Row("unknown", "an address to pay at", _said(400, "参数错误", {"payUrl": "https://trade.example/pay"})),
    Row(
        "unknown",
        "ids beside words of refusal",
        _said(200, "成功", {"orderIds": [ID], "message": "下单不成功"}),
    ),
    Row(
        "unknown", "ids beside a rejected state", _said(200, "成功", {"orderIds": [ID], "status": "rejected"})
    ),
    Row("refused", "a parameter, to be mended and sent again", _said(400, "请求参数错误，请检查后重试")),
    Row("refused", "several specs", _said(400, "商品存在多个规格，请选择规格")),
    Row("refused", "a shop that is closed", _said(500, "店铺已关闭")),
    # A number of our own, and a number in words
    Row(
        "unknown",
        "an own number that looks like a documented code",
        _said(500, "订单PO-500-001处理中，请稍后查询"),
    ),
    Row("unknown", "a product number that looks like one", _said(500, "系统繁忙, productNo=KT500-003")),
    Row("unknown", "a house that looks like one", _said(500, "系统繁忙, 地址: 中山路500-001")),
    Row("unknown", "goods that look like one", _said(500, "系统繁忙", {"productCode": "500-003"})),
    Row("refused", "a documented code with a hyphen, called a code", _said(500, "错误码500-003，请稍后")),
    Row("refused", "a documented code in the words", _said(1001, "500_004: 库存不足，请稍后重试")),
    # "Order failed" and why: a step behind the order
    Row("refused", "order failed, for its stock", _said(500, "创建订单失败：库存不足")),
    Row("refused", "order failed, with flags that say the same", _said(1009, "下单失败", {"success": False})),
    Row("refused", "order failed, and a path", _said(1009, "下单失败", path="/order/create", lang="zh_CN")),
    Row("unknown", "order failed, and a cause elsewhere", _said(1009, "下单失败", {"why": "任务队列已满"})),
    Row("unknown", "it could not be saved", _said(500, "创建订单失败：保存订单信息失败")),
    Row(
        "unknown", "it could not be put into the vendor's database", _said(500, "创建订单失败：订单入库失败")
    ),
    Row("unknown", "it could not be written", _said(500, "创建订单失败：写入失败")),
    Row("unknown", "a message could not be sent", _said(500, "下单失败：消息发送失败")),
    Row("unknown", "its state could not be updated", _said(500, "创建订单失败：更新订单状态失败")),
    Row("unknown", "the answer behind it could not be parsed", _said(400, "下单失败：解析返回值失败")),
    Row("refused", "an address that could not be parsed", _said(400, "收货地址解析失败")),
    Row("unknown", "a lock behind it", _said(500, "下单失败：加锁失败")),
    Row("unknown", "a circuit breaker", _said(500, "下单失败：服务熔断降级")),
    Row("unknown", "a person is sent to look", _said(500, "下单失败，请到1688后台查看")),
    Row(
        "unknown",
        "a person is asked to check whether it exists",
        _said(400, "创建订单失败，请核实订单是否生成"),
    ),
    Row("unknown", "a cause that nobody knows", _said(500, "下单失败：任务队列已满")),
    Row("unknown", "insert failed", _said(400, "create order failed: insert failed")),
    Row("unknown", "could not save", _said(400, "create order failed: could not save order")),
    Row("unknown", "an RPC error", _said(400, "create order failed: rpc error")),
    Row("unknown", "an I/O error", _said(400, "create order failed: I/O error")),
    Row("unknown", "the end of a file", _said(400, "create order failed: EOF")),
    Row("unknown", "cancelled on the way", _said(400, "create order failed: context canceled")),
    Row("unknown", "a deadline", _said(400, "create order failed: deadline exceeded")),
    Row("unknown", "a fallback", _said(400, "create order failed: fallback")),
    # Payment comes behind the order
    Row("refused", "a balance", _said(500, "余额不足")),
    Row("unknown", "a debit that did not succeed", _said(500, "余额不足，扣款未成功")),
    Row("unknown", "a payment declined", _said(400, "payment declined: insufficient funds")),
    Row("unknown", "a payment that was not processed", _said(400, "payment was not processed")),
    # A number that is taken
    Row("unknown", "our number is occupied", _said(400, "参数错误：外部订单号被占用")),
    Row("unknown", "the same order is under way", _said(400, "您有一笔相同订单未完成，无法下单")),
    Row("unknown", "an order exists, and another is not allowed", _said(400, "订单已存在，不允许下单")),
    Row("unknown", "there is one already", _said(400, "该地址已有订单，不允许下单")),
    Row("unknown", "idempotency", _said(400, "参数幂等校验失败")),
    Row("unknown", "our number is taken", _said(400, "invalid request: order number is taken")),
    Row("unknown", "an identical order", _said(400, "You have an identical order; not allowed")),
    Row("refused", "taken off the shelf is not taken", _said(1002, "item taken off the shelf")),
    Row("unknown", "an order that is completed", _said(1001, "order completed, missing parameter")),
    Row("unknown", "an order that is saved", _said(1001, "库存不足但订单已保存")),
    Row("unknown", "ordered before", _said(1001, "已下过单，不允许")),
    Row("unknown", "an order's state", _said(1001, "订单状态不允许")),
    Row("unknown", "an order that was closed", _said(1001, "order closed: out of stock")),
    Row("unknown", "an order that is looked for in vain", _said(1001, "order does not exist")),
    # Under way, replayed, or behind it
    Row("unknown", "429, queued", _said(429, "request has been queued"), 429),
    Row("unknown", "429, queued, in Chinese", _said(429, "请求已排队"), 429),
    Row("unknown", "429, being ordered", _said(429, "系统正在为您下单"), 429),
    Row("unknown", "being ordered, though code 400", _said(400, "正在创建订单，参数")),
    Row("unknown", "a request that a gateway sent twice", _said(401, "nonce replayed"), 401),
    Row("unknown", "a request that a gateway sent twice, in Chinese", _said(403, "请求重放"), 403),
    Row("unknown", "a nonce that was seen", _said(401, "nonce was seen before"), 401),
    Row("unknown", "sent a second time", _said(400, "re-submit is not allowed")),
    Row("unknown", "another order with our number", _said(400, "another order with this number: invalid")),
    Row("unknown", "a second order", _said(400, "不允许二次下单")),
    Row("unknown", "a similar order", _said(400, "您有一笔相似订单，限购")),
    Row("unknown", "ordered just now", _said(400, "您刚刚下过单，限购")),
    Row("unknown", "ordered, in the platform's own word", _said(400, "已拍下，地址待补")),
    Row("unknown", "the rest is ordered", _said(1001, "缺货，其余商品照发")),
    Row("unknown", "an order that is frozen", _said(403, "风控，订单冻结")),
    Row("unknown", "an order that waits for its seller", _said(400, "价格已变化，订单待卖家改价")),
    Row(
        "unknown",
        "a state of an order that waits for its seller",
        _said(400, "参数错误", {"status": "WAIT_SELLER_SEND"}),
    ),
    Row("unknown", "a check behind the order", _said(400, "下单后地址校验失败")),
    Row("unknown", "1688 that answered nothing", _said(400, "1688接口没有返回，参数")),
    Row("unknown", "an uncertain outcome", _said(400, "下单结果不详，地址")),
    Row("unknown", "it took too long", _said(400, "request took too long; invalid")),
    Row("unknown", "a place to look", _said(400, "参数错误，请到订单中心看看")),
    Row("unknown", "an order that waits for an approval", _said(403, "订单超出限额，需审批")),
    Row("unknown", "an order on hold", _said(400, "Your order is on hold: invalid address")),
    Row("unknown", "an order that is locked", _said(403, "order locked, permission denied")),
    Row("unknown", "a person who looks at it", _said(400, "地址不支持，已转人工处理")),
    Row("unknown", "goods that are reserved", _said(1001, "缺货，已为您预订")),
    Row("unknown", "another quantity", _said(1001, "库存不足，已自动调整数量")),
    Row("unknown", "another price", _said(400, "价格已变化，已按新价格")),
    Row("unknown", "an order without its coupon", _said(400, "invalid coupon, ordered without it")),
    Row("unknown", "goods that were taken out", _said(1001, "库存不足的商品已剔除")),
    Row("unknown", "some of the items", _said(1001, "some items are out of stock")),
    Row("unknown", "an order that cannot be changed", _said(400, "订单不允许修改")),
    Row("unknown", "an order that could not be cancelled", _said(400, "取消订单失败")),
    Row("unknown", "an order that was cancelled by itself", _said(1001, "缺货，订单已自动取消")),
    Row("unknown", "stock that could not be given back", _said(1001, "释放库存失败，库存不足")),
    Row("unknown", "a request not to order again", _said(400, "下单失败，请勿重新提交")),
    Row("unknown", "an order's number in the words", _said(400, "参数校验失败, 单号 88123")),
    Row("unknown", "goods that were ordered", _said(1001, "库存不足", {"successList": [{"offerId": 61}]})),
    Row("unknown", "offers that were ordered", _said(1001, "库存不足", {"orderedList": [610947572360]})),
    Row("unknown", "an order as an object", _said(1001, "库存不足", {"order": {"amount": 6561}})),
    Row("refused", "nothing that was ordered", _said(1001, "库存不足", {"successList": [], "order": {}})),
    Row("refused", "the new price is to be looked at", _said(400, "价格已变化，请按新价格下单")),
    Row(
        "refused",
        "goods that are sold in lots",
        _said(400, "invalid quantity; must be ordered in lots of 10"),
    ),
    Row("refused", "goods that their seller took away", _said(400, "该规格已被卖家移除")),
    Row("refused", "to order separately", _said("500_003", "不同卖家的商品请分别重新下单")),
    Row("refused", "to correct it and send it again", _said(400, "参数错误，请修改后重新提交")),
    Row("unknown", "goods that were not ordered", _said(200, "", {"orderIds": [ID], "notOrdered": [61]})),
    Row("unknown", "goods that were cancelled", _said(200, "", {"orderIds": [ID], "cancelled": ["61"]})),
    Row("unknown", "goods that do not match", _said(200, "", {"orderIds": [ID], "unmatched": [61]})),
    Row("unknown", "an order that is closed", _said(200, "", {"orderIds": [ID], "orderStatus": "CLOSED"})),
    Row("unknown", "a warning", _said(200, "", {"orderIds": [ID], "warning": "offer 61 not ordered"})),
    Row(
        "unknown",
        "the result of a line",
        _said(200, "", {"orderIds": [ID], "cargoList": [{"offerId": 61, "result": "out_of_stock"}]}),
    ),
    Row(
        "placed",
        "when an order is closed that nobody pays",
        _said(200, "", {"orderIds": [ID], "tip": "未支付订单将于24小时后自动关闭"}),
    ),
    Row("unknown", "an order's number under a Chinese name", _said(1001, "库存不足", {"订单号": "1234567"})),
    Row("refused", "an address that says too little", _said(400, "收货地址不详")),
    Row("refused", "a text that is too long", _said(400, "参数错误: message is too long")),
    # Wherever it stands
    Row("unknown", "doubt behind 300 characters", _said(400, "参数错误 " + "specId, " * 40 + "订单已存在")),
    Row("unknown", "an id behind 300 characters", _said(400, "参数错误 " + "specId, " * 40 + ID)),
    Row("unknown", "doubt in a comment", _said(400, "参数错误<!-- 订单已存在 -->")),
    Row("unknown", "doubt in what looks like a tag", _said(400, "invalid outOrderId <DuplicateOrder>")),
    Row("unknown", "doubt with a tag in its middle", _said(400, "订单重<b>复</b>")),
    Row("unknown", "doubt beside the envelope's fields", _said(400, "参数错误", result="订单已存在")),
    Row("unknown", "doubt under a name that is not known", _said(400, "参数错误", {"type": "REPEAT_SUBMIT"})),
    Row("unknown", "doubt in a list", _said(400, "参数错误", {"list": ["订单已存在"]})),
    Row("unknown", "doubt as the name of a field", _said(400, "参数错误", {"订单已存在": 1})),
    Row("unknown", "a flag that says it exists", _said(400, "参数错误", {"exist": True})),
    Row("unknown", "a flag that nobody knows", _said(400, "参数错误", {"retryable": True})),
    Row("refused", "a flag of the failure", _said(400, "参数错误", {"isError": True, "notExist": True})),
    Row(
        "unknown",
        "an order's id in JSON in a text",
        _said(400, "下单失败", {"response": '{"orderId":"12345"}'}),
    ),
    Row(
        "refused", "JSON in a text without doubt", _said(400, "参数错误", {"response": '{"msg":"库存不足"}'})
    ),
    Row("unknown", "a purchase's number", _said(500, "下单失败", {"purchaseNo": "CG20261125000123"})),
    Row("unknown", "a platform's order id", _said(500, "下单失败", {"platformOrderId": "A123"})),
    Row("unknown", "a short id", _said(500, "下单失败", {"id": 88123})),
    Row(
        "refused", "a path and a time beside it", _said(400, "Bad Request", path="/order/create", status=400)
    ),
    Row("refused", "the name of the goods beside it", _said(1001, "库存不足", {"productName": "陶瓷马克杯"})),
    Row(
        "unknown",
        "the sibling's way, with a doubt in the envelope's words",
        _said(200, "订单已存在", {"success": False, "errorMsg": "参数错误"}),
    ),
    # Other spellings
    Row("unknown", "doubt in GBK", '{"code":400,"msg":"外部订单号已存在"}'.encode("gbk")),
    Row("refused", "a refusal in GBK", '{"code":1001,"msg":"库存不足"}'.encode("gbk")),
    Row("unknown", "a damaged text may hold a doubt", b'{"code":400,"msg":"d\xe9j\xe0 trait\xe9e"}'),
    Row("unknown", "damaged UTF-8 is no GBK", '{"code":400,"msg":"订单已存在'.encode() + b'\xe5\xba"}'),
    Row("unknown", "doubt in traditional characters", _said(400, "訂單重複提交")),
    Row("unknown", "a time-out in traditional characters", _said(400, "請求超時")),
    Row("refused", "a refusal in traditional characters", _said(1001, "庫存不足")),
    Row("unknown", "doubt in full width", _said(400, "ＤＵＰＬＩＣＡＴＥ")),
    # HTTP
    Row("unknown", "HTTP 408 with a refusal", _said("500_004", "库存不足"), 408),
    Row("unknown", "HTTP 409 with a refusal", _said(1001, "库存不足"), 409),
    Row("unknown", "HTTP 425 with a refusal", _said(1001, "库存不足"), 425),
    Row("unknown", "HTTP 499 with a refusal", _said(1001, "库存不足"), 499),
    Row("unknown", "HTTP 500 with a refusal", _said("500_004", "库存不足"), 500),
    Row("unknown", "HTTP 502, no envelope", b"<html>Bad Gateway</html>", 502),
    Row("refused", "HTTP 400 with a refusal", _said("500_004", "库存不足"), 400),
    Row("unknown", "HTTP 400 without a sign", _said(1600000, "no"), 400),
    # Unreadable
    Row("unknown", "no JSON", b"ok"),
    Row("unknown", "cut off", b'{"code": 200, "data": {"orderIds": ["19273'),
    Row(
        "unknown",
        "a name given twice",
        b'{"code":"500_004","msg":"no","data":null,"data":{"orderIds":["' + ID.encode() + b'"]}}',
    ),
    Row(
        "unknown",
        "a name given twice, deep inside",
        b'{"code":200,"data":{"orderIds":[],"orderIds":["' + ID.encode() + b'"]}}',
    ),
    Row("unknown", "no code", b'{"msg": "\xe5\xba\x93\xe5\xad\x98\xe4\xb8\x8d\xe8\xb6\xb3"}'),
)


def as_markdown() -> str:
    """The table for docs/reliability.md."""
    lines = ["| answer | HTTP | means | because |", "|---|---|---|---|"]
    for row in TABLE:
        body = row.body if isinstance(row.body, bytes) else json.dumps(row.body, ensure_ascii=False).encode()
        shown = body.decode("utf-8", "replace").replace("|", "\\|").replace("\t", "\\t")
        lines.append(f"| `{shown}` | {row.status} | {row.meaning} | {row.why} |")
    return "\n".join(lines)
