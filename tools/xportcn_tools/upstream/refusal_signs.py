"""The signs of a refusal and of a doubt in an answer to a create. Pure.

Inferred from the platform's neighbours: the vendor's list of error codes could not be read. So a refusal
needs a positive sign (a documented code, or words that refuse) and no word of doubt beside it.
"""

import re

from xportcn_tools.order import simplified

_IGNORE = re.IGNORECASE

_DOCUMENTED = re.compile(
    r"(?<![0-9A-Za-z_-])[A-Za-z]?500_00[1-9](?![0-9A-Za-z_-])"
    r"|(?:^|code|码|err(?:or)?|错误)[^0-9A-Za-z_-]{0,3}[A-Za-z]?500-00[1-9](?![0-9A-Za-z_-])",
    re.IGNORECASE,
)
"""1688's refusals 500_001 to 500_009, spelt with a separator (`500_001`, `R500_002`): not inside a number of
somebody's own (`PO-500_001`). With a hyphen it may be a house or a model, but where it begins the text or is
called a code.
"""
_BARE = re.compile(r"(?<![0-9A-Za-z_-])50000[1-9](?![0-9A-Za-z_-])")
_REFUSING_NUMBERS = frozenset((400, 401, 403, 404, 422, 429))

_REFUSES = re.compile(
    r"库存|缺货|售罄|下架|不在售|停售|已失效|起订|起批|混批|最低|最小(购买|采购|订购)"
    r"|参数|必填|必传|不能为空|格式(错误|不正确|有误)|地址|邮编|手机号|权限|未授权|签名|验签|密钥|时间戳"
    r"|不允许|不支持|禁止|限购|超过限制|余额不足|不存在|未找到|找不到|(不能|无法|不可|不得)(下单|购买|交易|采购|售卖)"
    r"|已关闭|暂停接单|未实名|价格已变化|金额不一致"
    r"|(无效|失效)商品|请选择规格|只能购买"
    r"|\bstock\b|inventory|insufficient|not enough"
    r"|off (the )?(sale|shelf)|delisted|not (on|for) sale|sold out|minimum|min(imal)? order|mixed batch"
    r"|param(eter)?s?\b|argument|\binvalid|illegal|required|missing|address|permission|forbidden|denied"
    r"|unauthori[sz]ed|signature|access.?key|timestamp|nonce"
    r"|not (allowed|supported|permitted|orderable|found|exist)|(does|do)(n't| not) exist|no such|prohibited",
    _IGNORE,
)
_ORDER_FAILED = re.compile(
    r"(下单|创建订单|订单创建|提交订单|订单提交|生成订单)失败"
    r"|order (creation |submission )?fail(ed|ure)?|(create|place|submit)( the| an)? order fail(ed|ure)?"
    r"|fail(ed|ure)? to (create|place|submit)( the| an| your)?( order)?"
)
"""Refuses where no cause stands beside it; what failed may be a step behind the order (`_NO_CAUSE`)."""
_NO_CAUSE = re.compile(
    r"(?:\W|\b[a-z]{0,4}[0-9_]+\b|\b(?:fail(?:ed|ure)?|error|false|null|none|sorry|your|the|order|code|no)\b"
    r"|失败|错误|订单|抱歉|对不起|很|您的?)*"
)
_DOUBTS = re.compile(
    r"忙|超时|处理中|正在处理|进行中|受理|已接收|稍后|稍候|重试|再试|异常|系统错误|系统故障|内部错误|服务器|网络|频繁|熔断|降级"
    r"|busy|time.?out|timed out|process(ing|ed)|in progress|pending|later|retry|try again|exception"
    r"|internal|(system|server|gateway|unknown|network) ?error|\bdeadline|circuit|fallback|frequent"
    # The connection or the vendor's own reading failed: nobody knows what stands behind it.
    r"|连接|断开|无响应|未响应|未知|不可用|开小差|数据库|远程调用|返回(?:结果|参数|数据)?.{0,2}(?:空|缺失)|回滚|未返回|中断|线程"
    r"|订单号(?:不能)?为空|获取.{0,6}(?:失败|为?空)|同步失败|connection|socket|\bpipe\b|\breset\b|unavailable|gateway"
    r"|\bunknown\b|undetermined|respon(?:se|d)|json|deserial|unexpected|deadlock|\bnull\b|\bcolumn\b|\bsql\b"
    r"|invalid character|illegal (?:state|argument|character)|order ?ids?\b|order (?:\S+ )?not found"
    # A step behind the order failed, or the reader is sent to look.
    r"|(?:保存|入库|落库|写入|插入|发送|推送|更新|(?<!地址)解析|加锁|释放|归还|通知|同步|回调|调用|查询).{0,8}(?:失败|错误|出错)"
    r"|(?:失败|错误|出错).{0,4}(?:保存|入库|落库|写入|插入|发送|推送|更新|解析|加锁|通知|同步|回调|调用|查询)"
    r"|(?:后台|平台|1688|订单列表|订单中心).{0,4}(?:查看|看看|核实|核对|确认)|(?:核实|确认|查看|查询|检查).{0,6}订单(?!参数|信息|数量)"
    r"|报错|没有?返回|无返回|不确定|(?:结果|状态|原因|情况)不[明详]|连不上|超过.{0,4}时间"
    r"|hung up|upstream|no reply|(?:took|taking) too long|uncertain|not known"
    r"|\b(?:rpc|i ?/ ?o|eof|abort\w*|cancel\w*|rollback|interrupt\w*|breaker)\b"
    r"|\b(?:sav|insert|writ|send|updat|pars|lock|notif|persist|commit|stor)\w* (?:\S+ ){0,3}?(?:fail|error)"
    r"|(?:fail\w*|error|unable|not|n't|cannot|could|while|when|on) (?:to )?"
    r"(?:sav|insert|writ|send|updat|pars|(?:un)?lock|notif|persist|commit|stor(?:e|ing))",
    _IGNORE,
)
_TAKEN = re.compile(
    r"重复|已经?存在|存在(?![^，,。；;！!|]{0,6}(?:失效|下架|不|无|缺|异常|多个))|成功|处理中|正在处理|受理|已接收|有没有|有无"
    r"|已经?被?(?:提交|下单|创建|生成|产生|使用|占用|购买|入库|扣减|登记|录入|保存|完成)|下过单?|冲突|唯一|再次|多次|部分|占用|被占|相同|幂等"
    r"|已经?有(?!效)|未完成(?!.{0,4}(?:认证|实名|注册|授权|签约))|单(?:号|编号)[为是:\s]*[a-z]*[0-9]{5}"
    r"|(?:下单|创建|提交|生成|审核|确认|锁定)中|待(?:确认|审核|付|支付|发货|卖家|买家|人工)|订单状态|订单.{0,3}(?:取消|关闭|终止)|(?:下单|创建|生成|提交)[完后]"
    r"|排队|队列|其余|拍下|已拍|重[下提放]|二次|第二[次单]|(?:另外?|相似|类似|同样).{0,3}订单|正在(?:为您|下单|创建|提交|生成)"
    r"|订单.{0,4}(?:冻结|锁单|锁定|拦截)|等待?(?:卖家|买家|确认|审核|付款)|(?:取消|关闭|合并)(?:该|此|原)?订单"
    # It waits for a person, or was taken otherwise than it was asked for.
    r"|(?:订单.{0,10}|待.{0,4})审批|审批中|转人工|人工(?:处理|审核)|(?:已|为您).{0,3}预[订定]|(?:勿|不要).{0,3}(?:重新|继续)"
    r"|已经?(?:自动|[为帮]您)?(?:调整|按新|移除|剔除|跳过|过滤)|(?:不允许|不能|不可|无法)修改.{0,2}订单|订单.{0,3}(?:不允许|不能|不可|无法)修改"
    r"|repeat|dupli[ck]|exist|process(ing|ed)|accepted|\bsuccess(?!or)|succeed|\bcreated\b(?! ?time)|already"
    r"|\bused\b|\bin use\b|unique|conflict|\bplaced\b|submitted|partial|the rest|\btaken\b(?! off)|identical"
    r"|under review|wait ?(?:buyer|seller)|waiting ?for|idempoten|order stat(?:e|us)"
    r"|\border (?:\S+ ){0,2}?(?:made|completed?|generated|saved|open|closed|cancell?ed|recorded|registered)\b"
    r"|(?:same|similar|another|second) order|\bqueued?\b|\breplay|\bre ?submi|\bdouble|\bseen\b"
    r"|\bon hold\b|(?:order|is|was|been) held\b|\bparked\b|\bawait"
    r"|(?:needs?|requires?) approval|\b(?:adjusted|substituted)\b"
    r"|\border (?:is |was |has been )?(?:locked|frozen|blocked)|(?<!be )\bordered (?:with|at|as)"
    r"|(?:do not|n't|never) .{0,12}again"
    r"|\bsome (?:of )?(?:the |these |your )?(?:items|goods|products|lines|skus)\b"
    r"|order (?:no|number|sn)\W{0,3}[a-z]*[0-9]{5}",
    _IGNORE,
)
"""Words of doubt that also hold beside a request to wait (429): the order may have been taken."""
_BEHIND_IT = re.compile(
    r"(?:支付|付款)(?!方式|渠道|通道|类型)|扣款|扣费|代扣|划扣|收款|打款|转账|结算|退款|缴费"
    r"|\b(?:un|pre|re)?pa(?:y(?:s|ing|ments?|ed)?|id)\b(?! (?:method|type|channel|mode))"
    r"|waitbuyerpay|debit|\bcharged?\b|deduct|refund|settle"
    r"|no such order\b|\border (?:do|does|did)(?: not|n't) exist"
)
"""Denied or not, an order may stand: payment comes behind it, and one that is looked for in vain was made."""
_DAMAGED = re.compile("[\ufffd\ud800-\udfff]")
_NO_DOUBT = re.compile(
    r"(?<!订单)不存在|(不|未|没有|没)成功|(?<!有)(未|没有|没)(提交|创建|生成)"
    r"|(not|n't|never|no longer) (yet )?exist\w*|non[ -]?exist\w*|unsuccess\w*|not success\w*"
    r"|(not|n't) (be |been )?(created|accepted|processed|placed|submitted)"
    r"|(?:检查|修改|更正|充值)后.{0,2}(?:重试|再试)"
    r"|(?:参数|地址|账号|账户|帐号|签名|parameter|address|account|signature)\s?(?:异常|exception)",
    _IGNORE,
)
_OF_A_PART = re.compile(
    r"部分|失败|不成功|未(下单|成功)|拒绝|缺货|库存不足|(无法|不能)下单|(下单|创建|系统)异常|下架|售罄|移除|剔除|跳过|已被?(?:取消|关闭|终止|作废)"
    r"|partial|fail|reject|unordered|out of stock|sold ?out|unavailable|removed|skipped|exception|cancell?ed"
    r"|not ordered|^(?:closed|terminated|invalid|void)$",
    _IGNORE,
)


def _spaced(text: str) -> str:
    """As the words are looked for. Names in capitals are words, too: `OUT_OF_STOCK`, `outOfStock`."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return simplified(re.sub(r"(?<![0-9])[_-]+|[_-]+(?![0-9])|\s+", " ", text))


def is_documented_refusal(text: str) -> bool:
    """One of 1688's refusals, spelt with a separator: it counts over words of doubt beside it."""
    return bool(_DOCUMENTED.search(text))


def refuses(code: int | str | None, text: str, whole: str = "") -> bool:
    """Whether code or words say that no order was made. `whole`: all that the answer says, for a cause."""
    if isinstance(code, int) and (code in _REFUSING_NUMBERS or _BARE.fullmatch(str(code))):
        return True
    said = f"{code if isinstance(code, str) else ''} {text}"
    spaced = _spaced(said)
    if _DOCUMENTED.search(said) or _BARE.search(said) or _REFUSES.search(spaced):
        return True
    causes = _ORDER_FAILED.sub(" ", f"{spaced} {_spaced(whole)}")
    return bool(_ORDER_FAILED.search(spaced) and _NO_CAUSE.fullmatch(causes))


def doubts(text: str, *, asked_to_wait: bool = False) -> bool:
    """Whether the words leave open what became of the order. `asked_to_wait`: the answer is a 429."""
    said = _spaced(text)
    if _DAMAGED.search(text) or _BEHIND_IT.search(said):
        return True
    plain = _NO_DOUBT.sub(" ", said)
    return bool(_TAKEN.search(plain) or (not asked_to_wait and _DOUBTS.search(plain)))


def refused_in_words(text: str) -> bool:
    """Whether words refuse, and none beside them leaves open what became of the request."""
    return refuses(None, text) and not doubts(text)


def speaks_of_a_part(text: str) -> bool:
    """Whether words beside order ids say that something failed."""
    return any(map(_OF_A_PART.search, (simplified(text), _spaced(text).strip())))
