"""What the sandbox sells: forty offers of four sellers, each there for a case that ordering must handle.

The offers are in `offers.json`. Names, ids, prices and stock are our invention. The first offer and the first
seller's freight are set so that the vendor's published request costs what the vendor's published answer says
(documented, 2026-04). All prices are integer fen (1/100 CNY).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import md5
from importlib.resources import files
from itertools import product
from typing import Any

Bilingual = tuple[str, str | None]
"""A seller's text, and its translation into English where there is one."""


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
    ships_from: str
    freight: Freight
    promotions: tuple[PromotionRule, ...] = ()


@dataclass(frozen=True)
class Sku:
    """One variant of an offer: a value for each of its dimensions.

    `spec_id` is None where the offer has no variants to choose from. `price_fen` is the list price where the
    offer has no price ranges. `member_fen`: what is paid of it. `retail_fen`: the price for just one piece.
    """

    spec_id: str | None
    sku_id: int
    values: tuple[Bilingual, ...]
    price_fen: int
    stock: int
    member_fen: int | None = None
    retail_fen: int | None = None


@dataclass(frozen=True)
class PriceRange:
    """List and member price from so many pieces of the whole offer on, its specs added up."""

    start: int
    price_fen: int
    member_fen: int | None = None


@dataclass(frozen=True)
class Offer:
    """`lot`: quantities are multiples of it. `lenient`: a preview does not insist on the minimum.

    `image`: an address other than that of our drawing; None for our drawing, "" for no picture.
    """

    offer_id: int
    title: Bilingual
    seller: Seller
    minimum: int
    skus: tuple[Sku, ...]
    trade_types: tuple[TradeType, ...]
    unit: Bilingual = ("件", "piece")
    dimensions: tuple[Bilingual, ...] = ()
    price_ranges: tuple[PriceRange, ...] = ()
    lot: int | None = None
    lenient: bool = False
    mixed_batch: bool = False
    status: str = "published"
    image: str | None = None
    promotion: PromotionRule | None = None
    freight_by_description: bool = False
    consignment: bool = False
    cross_border_pay: bool = True

    @property
    def open_offer_id(self) -> str:
        return f"OPEN{self.offer_id}"

    def unit_prices(self, sku: Sku, pieces: int) -> tuple[int, int]:
        """List price and what is paid of it, in fen a piece, where `pieces` of the offer are bought."""
        if pieces == 1 and sku.retail_fen:
            return sku.retail_fen, sku.retail_fen
        reached = [each for each in self.price_ranges if each.start <= pieces] or self.price_ranges[:1]
        price = reached[-1] if reached else sku
        return price.price_fen, price.price_fen if price.member_fen is None else price.member_fen


# Credit stands first, as it does on 1688: who sends no `tradeType` may end up buying on credit.
CREDIT = TradeType("creditBuy", "诚e赊", "CREDIT", "先采购，后付款")
ESCROW = TradeType("assureTrade", "担保交易", "ASSURE", "支付宝担保，确认收货后付款给卖家")
ALIPAY = TradeType("alipay", "支付宝", "ALIPAY", "支付宝担保交易（旧）")
ALIPAY_WITHDRAWN = TradeType("alipay", "支付宝", "ALIPAY", "卖家已停用", supported=False)

YIWU = Seller(
    open_id="BBBsandboxYiwuHousehold01",
    name="义乌市晨光日用百货厂",
    ships_from="浙江省义乌市",
    freight=Freight(first_pieces=10, first_fen=600, further_pieces=5, further_fen=100),
)
SHENZHEN = Seller(
    open_id="BBBsandboxShenzhenDigital2",
    name="深圳市华强数码配件商行",
    ships_from="广东省深圳市",
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

GUANGZHOU = Seller(
    open_id="BBBsandboxGuangzhouClothing3",
    name="广州市沙河服饰批发行",
    ships_from="广东省广州市",
    freight=Freight(first_pieces=5, first_fen=700, further_pieces=5, further_fen=200),
)
JINJIANG = Seller(
    open_id="BBBsandboxJinjiangShoes04",
    name="晋江市步步高鞋业有限公司",
    ships_from="福建省晋江市",
    freight=Freight(first_pieces=12, first_fen=1200, further_pieces=12, further_fen=900),
)
_SELLERS = {"yiwu": YIWU, "shenzhen": SHENZHEN, "guangzhou": GUANGZHOU, "jinjiang": JINJIANG}

_ITEM_PROMOTION = PromotionRule(
    promotion_id="item-1",
    text="单品立减1元",
    description="<p>单品立减1元</p>",
    from_fen=0,
    discount_fen=100,
    selected=True,
)


def _offer_of(row: Mapping[str, Any]) -> Offer:
    """An offer as `offers.json` has it; what a row leaves out is as in `Offer`."""
    seller = _SELLERS[row["seller"]]
    alipay = ALIPAY if seller is SHENZHEN else ALIPAY_WITHDRAWN
    plain = ("minimum", "lot", "lenient", "mixed_batch", "status", "image")
    flags = ("freight_by_description", "consignment", "cross_border_pay")
    return Offer(
        offer_id=row["id"],
        title=_bilingual(row["title"]),
        seller=seller,
        unit=_bilingual(row["unit"]),
        dimensions=tuple(_bilingual(name) for name, _ in row["dimensions"]),
        price_ranges=tuple(PriceRange(*each) for each in row.get("price_ranges", ())),
        skus=_skus_of(row),
        trade_types=(CREDIT,) if row.get("credit_only") else (CREDIT, ESCROW, alipay),
        promotion=_ITEM_PROMOTION if row.get("promotion") else None,
        **{name: row[name] for name in (*plain, *flags) if name in row},
    )


def _skus_of(row: Mapping[str, Any]) -> tuple[Sku, ...]:
    """Every combination of values that is not a hole: `but` has what one, by its values, has of its own.

    `ids`: the specs' and skus' ids, in order, where they are fixed; else they follow from offer and values.
    """
    fixed = iter(row.get("ids", ()))
    found: list[Sku] = []
    for values in product(*(map(_bilingual, values) for _, values in row["dimensions"])):
        key = "/".join(value for value, _ in values)
        own = row.get("but", {}).get(key, {})
        if own is None:
            continue
        digest = md5(f"{row['id']}/{key}".encode(), usedforsecurity=False).hexdigest()
        spec_id, sku_id = next(fixed, (digest, 5_300_000_000_000 + int(digest[:9], 16) % 10**11))
        facts = {name: own.get(name, row.get(name)) for name in ("stock", "member_fen", "retail_fen")}
        price_fen = own.get("price_fen", row.get("price_fen", 0))
        found.append(Sku(spec_id if values else None, sku_id, values, price_fen, **facts))
    return tuple(found)


def _bilingual(text: str | list[str]) -> Bilingual:
    """Two texts, or one without translation."""
    return (text, None) if isinstance(text, str) else (text[0], text[1])


CATALOGUE: Mapping[int, Offer] = {
    row["id"]: _offer_of(row)
    for row in json.loads(files("xportcn_server.sandbox").joinpath("offers.json").read_text("utf-8"))
}
