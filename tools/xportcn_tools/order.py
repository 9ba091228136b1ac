"""What was asked for, in canonical form. Pure.

The request is fixed at preview and stored; create is built from the stored one and the pinned terms, so
that nothing can reach the upstream that was not shown.
"""

import re
import unicodedata
from dataclasses import dataclass

_ORDER_ID = re.compile(r"(?=.*[1-9])[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Item:
    """A line as it was asked for. `offer_id` is a string of digits outside and an integer on the wire."""

    offer_id: str
    quantity: int
    spec_id: str | None = None
    seller_open_id: str | None = None
    product_no: str | None = None
    container: str | None = None


@dataclass(frozen=True)
class Address:
    """Where the goods go. `district_code` (GB/T 2260) wins over the texts upstream, silently (1688)."""

    full_name: str
    mobile: str
    province: str
    city: str
    address: str
    area: str | None = None
    town: str | None = None
    post_code: str | None = None
    phone: str | None = None
    district_code: str | None = None

    def one_line(self) -> str:
        """The `ship_to` that is shown and echoed: everything that is sent, in one line."""
        place = [self.province, self.city, self.area, self.town, self.address]
        parts = [
            self.full_name,
            " / ".join(filter(None, [self.mobile, self.phone])),
            " ".join(filter(None, place)),
            self.post_code,
            f"district {self.district_code}" if self.district_code else None,
        ]
        return " ".join(", ".join(filter(None, parts)).split())

    def masked_line(self, name: str | None) -> str:
        """Recipient and city, the phone masked, and the name of a saved address."""
        shown = min(3, len(self.mobile) // 3)
        mobile = f"{self.mobile[:shown]}****{self.mobile[-shown:]}"
        saved = f" (saved address: {name})" if name else ""
        return " ".join(f"{self.full_name}, {mobile}, {self.city}{saved}".split())


ERASED = "erased: name, address and message of this order were forgotten"
"""In the place of `ship_to`, once the personal data of an order is erased."""


@dataclass(frozen=True)
class OrderRequest:
    """A whole preview request. What is `None` was not asked for and is not sent."""

    out_order_id: str
    items: tuple[Item, ...]
    address: Address
    flow: str | None = None
    trade_type: str | None = None
    promotion_id: str | None = None
    message: str | None = None
    dropshipping: bool | None = None
    address_name: str | None = None

    def ship_to(self) -> str:
        """What is shown and echoed: the whole address, or of a saved one only who and where."""
        if self.address_name is None:
            return self.address.one_line()
        return self.address.masked_line(self.address_name)

    def goods_key(self) -> list[tuple[str, str, int]]:
        """The cart: offers, specs and quantities, whatever their order."""
        totals: dict[tuple[str, str], int] = {}
        for item in self.items:
            goods = (item.offer_id, (item.spec_id or "").lower())
            totals[goods] = totals.get(goods, 0) + item.quantity
        return [(offer, spec, quantity) for (offer, spec), quantity in sorted(totals.items())]

    def offers_key(self) -> list[tuple[str, int]]:
        """The cart by its offers alone, whatever their specs."""
        totals: dict[str, int] = {}
        for item in self.items:
            totals[item.offer_id] = totals.get(item.offer_id, 0) + item.quantity
        return sorted(totals.items())

    def may_be_same_goods(self, other: "OrderRequest") -> bool:
        """Whether the carts are equal as far as both name a spec. One without a spec can be any of its offer:
        the upstream may name none where the product cannot be read.
        """
        theirs = {(offer, spec): count for offer, spec, count in other.goods_key()}
        unmatched: dict[str, int] = {}
        for offer, spec, count in self.goods_key():
            more = max(0, count - theirs.get((offer, spec), 0)) if spec else 0
            unmatched[offer] = unmatched.get(offer, 0) + more
        # As many pieces on both sides: what fits one way fits the other way, too.
        return self.offers_key() == other.offers_key() and all(
            count <= theirs.get((offer, ""), 0) for offer, count in unmatched.items()
        )


@dataclass(frozen=True)
class AccountFields:
    """Request fields that the account's owner sets once; sent when set."""

    ali_id: str | None = None
    user_id: str | None = None
    staff_name: str | None = None
    developer_id: int | None = None
    platform_order: int | None = None


@dataclass(frozen=True)
class Pinned:
    """What moves money and would otherwise be left to the platform's choice."""

    flow: str | None = None
    trade_type: str | None = None
    promotion_id: str | None = None


NO_FIELDS = AccountFields()


@dataclass(frozen=True)
class Line:
    """A line as it was priced and will be ordered, with its item's position in the request. Money in fen.

    `unit_price` is `None` where the upstream gave no whole fen. The names are `None` where the product could
    not be read; `title` and `option` are the seller's own words, and terms of the deal.
    """

    offer_id: str
    spec_id: str | None
    sku_id: str | None
    quantity: int
    unit_price: int | None
    amount: int
    message: str | None = None
    position: int = 0
    product_no: str | None = None
    title: str | None = None
    title_translated: str | None = None
    option: str | None = None
    option_translated: str | None = None
    unit: str | None = None
    image: str | None = None

    @property
    def url(self) -> str:
        return offer_url(self.offer_id)

    @property
    def less(self) -> int:
        """What the upstream takes off quantity times unit price, in fen; 0 where it names no unit price."""
        return 0 if self.unit_price is None else max(0, self.unit_price * self.quantity - self.amount)

    @property
    def goods(self) -> tuple[str, str]:
        """Offer and spec, as goods are compared."""
        return self.offer_id, (self.spec_id or "").lower()


@dataclass(frozen=True)
class Promotion:
    """A promotion on offer. `discount` in fen."""

    promotion_id: str | None
    text: str | None
    selected: bool | None
    discount: int | None


@dataclass(frozen=True)
class ShownGroup:
    """One order to come, as a preview showed it. Money in fen."""

    payable: int
    goods: int
    freight: int
    lines: tuple[Line, ...]
    trade_types: tuple[str, ...] = ()
    promotions: tuple[Promotion, ...] = ()
    seller_open_id: str | None = None


@dataclass(frozen=True)
class ShownWarning:
    """Something that a person should know before approving: a code of the contract, and a sentence."""

    code: str
    message: str


@dataclass(frozen=True)
class ShownPreview:
    """What a person saw and approved, without the handles for it. Money in fen.

    `goods_echo`: the one line that says what is bought; empty where an older program made the preview.
    """

    payable: int
    goods: int
    freight: int
    fees: int
    discount: int
    ship_to: str
    flow: str | None = None
    trade_type: str | None = None
    promotion_id: str | None = None
    groups: tuple[ShownGroup, ...] = ()
    warnings: tuple[ShownWarning, ...] = ()
    goods_echo: str = ""

    @property
    def lines(self) -> list[Line]:
        """The lines of all groups."""
        return [line for group in self.groups for line in group.lines]


def offer_url(offer_id: str) -> str:
    """The page of an offer, where a person can look at it."""
    return f"https://detail.1688.com/offer/{offer_id}.html"


def folded(text: str) -> str:
    """NFKC with runs of white space as one space: two spellings of one address are equal."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


# Traditional characters of places and of what the upstream says, each before its simplified form.
_PAIRS = (
    "區区縣县鎮镇鄉乡號号樓楼棟栋廣广東东灣湾臺台門门龍龙雲云貴贵蘇苏陝陕遼辽寧宁肅肃慶庆濱滨網网華华國国層层單单園园"
    "莊庄陽阳陰阴長长豐丰開开發发蕭萧餘余橋桥馬马漢汉吳吴漁渔島岛澤泽滬沪嶺岭連连營营錦锦濟济煙烟濰潍萊莱棗枣灘滩贛赣"
    "閩闽晉晋衛卫禪禅鄭郑許许瀋沈齊齐爾尔倫伦陳陈溫温紹绍麗丽義义諸诸蘭兰鹽盐無无錫锡揚扬銅铜蕪芜廈厦歐欧鐵铁匯汇寶宝"
    "黃黄靜静閔闵楊杨順顺懷怀頭头溝沟羅罗畢毕節节達达資资樂乐瀘泸遠远綿绵內内維维壯壮圖图車车場场廠厂業业學学醫医紅红"
    "綠绿藍蓝銀银會会廳厅環环興兴榮荣趙赵劉刘張张孫孙鄧邓葉叶譚谭蔣蒋韓韩馮冯賀贺郵邮務务員员應应對对從从來来個个們们"
    "時时書书貿贸進进運运過过還还鐘钟鋼钢聯联勝胜勢势強强徑径後后復复愛爱戰战擁拥據据數数條条極极機机櫻樱歸归氣气決决"
    "鄲郸滄沧呂吕烏乌峯峰彥彦撫抚崗岗鴨鸭綏绥遷迁巖岩鷹鹰饒饶頂顶峽峡荊荆岡冈鹹咸嶽岳婁娄欽钦亞亚貢贡壩坝納纳頗颇薩萨則则"
    "隴陇樹树衞卫瑪玛別别沖冲淺浅測测滿满潔洁潤润燈灯爐炉獅狮獻献瓊琼畫画異异瘋疯盤盘礦矿禮礼種种積积穩稳筆笔簡简紀纪純纯級级紡纺經经綜综"
    "織织繞绕罷罢聖圣聲声職职脈脉腳脚臨临舊旧艦舰藝艺藥药蘆芦蝦虾術术裝装見见規规視视覽览觀观計计訓训記记設设訪访詩诗"
    "話话語语誠诚說说調调護护讓让豔艳貝贝財财貨货買买費费賓宾賢贤賽赛軌轨軍军輕轻輪轮轉转辦办農农邊边邏逻鄰邻醬酱釋释"
    "針针鈴铃鉛铅錢钱鍋锅鍾钟鏡镜閣阁關关隊队階阶際际陸陆隨随險险隱隐雙双雜杂雞鸡電电霧雾靈灵韻韵響响項项預预領领顏颜"
    "風风飛飞飯饭飾饰館馆駐驻騰腾驛驿驗验鬧闹魚鱼魯鲁鮮鲜鳳凤鳴鸣鵬鹏鶴鹤麥麦黨党龜龟澗涧澀涩漲涨灤滦汙污湞浈涼凉沒没"
    "洩泄涇泾淨净淚泪淵渊渾浑湧涌準准潛潜潰溃澆浇濃浓濕湿瀏浏瀝沥瀾澜"
    "訂订複复處处請请絡络態态誤误結结獲获試试嘗尝產产創创衝冲統统執执緩缓斷断庫库參参簽签權权額额賣卖購购採采範范團团動动傳传輸输變变價价確确認认繫系絕绝誌志屆届導导課课敗败將将歷历錄录佔占鎖锁讀读寫写載载濾滤檢检審审編编碼码"
    "類类間间鍵键當当與与於于為为這这現现實实總总點点選选擇择擋挡終终啟启閉闭讚赞贈赠籤签夠够稱称題题組组報报齡龄給给該该輯辑遞递續续補补償偿贖赎賬账戶户帳账餽馈觸触閑闲驅驱協协議议貼贴識识軟软體体稅税暫暂換换"
)
_SIMPLE = str.maketrans(dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True)))


def simplified(text: str | None) -> str:
    """A text as it is compared: folded, in small letters, traditional characters simplified (those of places
    and of refusals).
    """
    return folded(text or "").casefold().translate(_SIMPLE)


def is_order_id(text: str) -> bool:
    """Whether this can be an id that the upstream gave an order (inferred): `0` and `null` name no order."""
    return _ORDER_ID.fullmatch(text) is not None


_SIGNS = str.maketrans(
    dict.fromkeys("“”„‟«»「」『』〝〞'‘’‚‛`´", '"')
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
    | {"×": "x", "✕": "x", "、": ",", "。": ".", "【": "[", "】": "]", "·": ".", "•": "."}
)
_LOOSE_SPACE = re.compile(r"(?<![0-9A-Za-z]) | (?![0-9A-Za-z])")
_TIMES = re.compile(r"(?<![^;])([0-9]+) ?[xX] ?")  # 2×「…, 2 X offer …


def echoed(text: str) -> str:
    """A text as it is compared when it comes back through a model, which exchanges signs for their likes:
    full and half width, quotation marks, dashes, `×` and `x`, spaces beside it and beside anything but
    letters and digits.
    """
    return _TIMES.sub(r"\1x", _LOOSE_SPACE.sub("", folded(folded(text).translate(_SIGNS))))
