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

    def masked_line(self, name: str) -> str:
        """Recipient and city, the phone masked, and the name that the owner gave the address."""
        shown = min(3, len(self.mobile) // 3)
        mobile = f"{self.mobile[:shown]}****{self.mobile[-shown:]}"
        return " ".join(f"{self.full_name}, {mobile}, {self.city} (saved address: {name})".split())


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
    message: str | None
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
    trade_types: tuple[str, ...]
    promotions: tuple[Promotion, ...]
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
    flow: str | None
    trade_type: str | None
    promotion_id: str | None
    groups: tuple[ShownGroup, ...]
    warnings: tuple[ShownWarning, ...]
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


def is_order_id(text: str) -> bool:
    """Whether this can be an id that the upstream gave an order (inferred): `0` and `null` name no order."""
    return _ORDER_ID.fullmatch(text) is not None


_SIGNS = str.maketrans(
    dict.fromkeys("“”„‟«»「」『』〝〞'‘’‚‛`´", '"')
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
    | {"×": "x", "✕": "x", "、": ",", "。": ".", "【": "[", "】": "]", "·": ".", "•": "."}
)
_LOOSE_SPACE = re.compile(r"(?<![0-9A-Za-z]) | (?![0-9A-Za-z])")


def echoed(text: str) -> str:
    """A text as it is compared when it comes back through a model, which exchanges signs for their likes:
    full and half width, quotation marks, dashes, `×` and `x`, spaces beside anything but letters and digits.
    """
    return _LOOSE_SPACE.sub("", folded(folded(text).translate(_SIGNS)))
