"""What the sandbox sells: eight offers of two sellers, each there for a case that ordering must handle.

Names, ids, prices and stock are our invention. The first offer and the first seller's freight are set so
that the vendor's published request costs what the vendor's published answer says (documented, 2026-04).
All prices are integer fen (1/100 CNY).
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class TradeType:
    """A way to pay (1688): `code` is the `tradeType` of a create; only a supported one is allowed there."""

    code: str
    name: str
    way: str
    description: str
    supported: bool = True


@dataclass(frozen=True)
class Freight:
    """A seller's freight rule (our invention): a sum for the first pieces, one per further lot begun."""

    first_pieces: int
    first_fen: int
    further_pieces: int
    further_fen: int

    def fen(self, pieces: int) -> int:
        """Freight in fen for that many pieces; none for no piece."""
        if pieces == 0:
            return 0
        further = max(0, pieces - self.first_pieces)
        lots = -(-further // self.further_pieces)
        return self.first_fen + lots * self.further_fen


@dataclass(frozen=True)
class PromotionRule:
    """A discount in fen, or free freight, on goods of at least `from_fen`. `selected`: applied unasked."""

    promotion_id: str
    text: str
    description: str
    from_fen: int
    discount_fen: int = 0
    free_freight: bool = False
    selected: bool = False


@dataclass(frozen=True)
class Seller:
    open_id: str
    name: str
    freight: Freight
    promotions: tuple[PromotionRule, ...] = ()


@dataclass(frozen=True)
class Sku:
    """One variant of an offer. `spec_id` is None where the offer has no variants to choose from."""

    spec_id: str | None
    sku_id: int
    name: str
    price_fen: int
    stock: int


@dataclass(frozen=True)
class Offer:
    offer_id: int
    name: str
    seller: Seller
    minimum: int
    skus: tuple[Sku, ...]
    trade_types: tuple[TradeType, ...]
    promotion: PromotionRule | None = None
    freight_by_description: bool = False
    consignment: bool = False
    cross_border_pay: bool = True

    @property
    def open_offer_id(self) -> str:
        return f"OPEN{self.offer_id}"


# Credit stands first, as it does on 1688: who sends no `tradeType` may end up buying on credit.
CREDIT = TradeType("creditBuy", "诚e赊", "CREDIT", "先采购，后付款")
ESCROW = TradeType("assureTrade", "担保交易", "ASSURE", "支付宝担保，确认收货后付款给卖家")
ALIPAY = TradeType("alipay", "支付宝", "ALIPAY", "支付宝担保交易（旧）")
ALIPAY_WITHDRAWN = TradeType("alipay", "支付宝", "ALIPAY", "卖家已停用", supported=False)

YIWU = Seller(
    open_id="BBBsandboxYiwuHousehold01",
    name="义乌市晨光日用百货厂",
    freight=Freight(first_pieces=10, first_fen=600, further_pieces=5, further_fen=100),
)
SHENZHEN = Seller(
    open_id="BBBsandboxShenzhenDigital2",
    name="深圳市华强数码配件商行",
    freight=Freight(first_pieces=20, first_fen=800, further_pieces=10, further_fen=50),
    promotions=(
        PromotionRule(
            promotion_id="shop-100-5",
            text="满100元减5元",
            description="<p>全店满<b>100</b>元减5元</p>",
            from_fen=10_000,
            discount_fen=500,
            selected=True,
        ),
        PromotionRule(
            promotion_id="shop-200-post",
            text="满200元包邮",
            description="<p>全店满200元包邮</p>",
            from_fen=20_000,
            free_freight=True,
        ),
    ),
)

_OFFERS = (
    Offer(
        offer_id=610947572360,
        name="北欧风陶瓷马克杯带盖带勺",
        seller=YIWU,
        minimum=2,
        skus=(
            Sku("b266e0726506185beaf205cbae88530d", 4389017265501, "白色", 2900, 5000),
            Sku("5f1d7a84b9e34c0a9d3c1e7f60b2a845", 4389017265502, "墨绿", 3150, 1200),
        ),
        trade_types=(CREDIT, ESCROW, ALIPAY_WITHDRAWN),
    ),
    Offer(
        offer_id=628913047512,
        name="316不锈钢保温杯500ml",
        seller=YIWU,
        minimum=3,
        skus=(Sku("0c9d2f6e8b7a41539e2c5d1f4a6b8703", 4512208837410, "500ml", 1850, 800),),
        trade_types=(CREDIT, ESCROW, ALIPAY_WITHDRAWN),
    ),
    Offer(
        offer_id=671204589033,
        name="实木边几（大件物流，运费面议）",
        seller=YIWU,
        minimum=1,
        skus=(Sku("e71b3a9450cd4f6f8a2d6b0c9e135f72", 4760031598823, "胡桃木色", 12900, 3),),
        trade_types=(CREDIT, ESCROW, ALIPAY_WITHDRAWN),
        freight_by_description=True,
    ),
    Offer(
        offer_id=655830126694,
        name="加厚帆布手提袋（代销）",
        seller=YIWU,
        minimum=1,
        skus=(Sku("3a84c6d20f9b4e17b5e8d7a1c2f06943", 4655102947716, "本白", 990, 2000),),
        trade_types=(CREDIT, ESCROW, ALIPAY_WITHDRAWN),
        consignment=True,
    ),
    Offer(
        offer_id=7043215678901,
        name="真无线蓝牙耳机5.3",
        seller=SHENZHEN,
        minimum=2,
        skus=(
            Sku("9b2e4d7c1a5f48e0b3c6f8d2071e9a54", 5098812034471, "黑色", 4550, 120),
            Sku("c4f70a1e6d3b49258e9a0b5d7c2f1836", 5098812034472, "白色", 4650, 60),
        ),
        trade_types=(CREDIT, ESCROW, ALIPAY),
    ),
    Offer(
        offer_id=698450213377,
        name="Type-C快充数据线1米",
        seller=SHENZHEN,
        minimum=10,
        skus=(Sku("6d0f8e2b4c7a4913a5d1e9b3f8c20647", 4877209913305, "1米", 365, 10000),),
        trade_types=(CREDIT, ESCROW, ALIPAY),
        promotion=PromotionRule(
            promotion_id="item-1",
            text="单品立减1元",
            description="<p>单品立减1元</p>",
            from_fen=0,
            discount_fen=100,
            selected=True,
        ),
    ),
    Offer(
        offer_id=713360927845,
        name="20000毫安移动电源（仅限诚e赊）",
        seller=SHENZHEN,
        minimum=1,
        skus=(Sku("f3b6d9172e8c4a05b7d40c1e5a9f2863", 5120044718869, "22.5W", 5999, 300),),
        trade_types=(CREDIT,),
    ),
    Offer(
        offer_id=7105589340126,
        name="桌面铝合金手机支架",
        seller=SHENZHEN,
        minimum=5,
        skus=(Sku(None, 5107733012258, "默认", 1280, 4000),),
        trade_types=(CREDIT, ESCROW, ALIPAY),
        cross_border_pay=False,
    ),
)

CATALOGUE: Mapping[int, Offer] = {offer.offer_id: offer for offer in _OFFERS}
