"""The offer id in a 1688 link, wherever the link stands in a text. Pure: nothing is fetched to read a link.

The id is in `detail.1688.com/offer/<digits>.html`, `m.1688.com/offer/<digits>.html` and
`detail.m.1688.com/page/index.html?offerId=<digits>`, and in any of these percent-encoded inside another
link. The links of `qr.1688.com/s/…` and `dj.1688.com/…` hold none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

_ID = r"[1-9][0-9]{0,18}"
_BARE = re.compile(_ID)
# The host begins where a link begins, so that `evil-detail.1688.com` is no host of these. A link that begins
# unencoded goes on so: in `https://detail.1688.com%2Foffer@evil.example` the host is the last.
_START = (
    r"(?:(?P<plain>https?://)|https?%(?P<deep>(?:25){0,3})3a(?:%(?P=deep)2f){2}"
    r"|(?<![a-z0-9.@/%_\\-])|(?<=%3d))"
)
_END = r"(?::(?:443|80))?(?(plain)/|(?(deep)%(?P=deep)2f|(?:/|%(?P<bare>(?:25){0,3})2f)))"
_LINK = re.compile(rf"{_START}(?P<host>(?:detail|detail\.m|m)\.1688\.com){_END}", re.IGNORECASE)
_SHARED = re.compile(rf"{_START}(?:qr|dj)\.1688\.com{_END}", re.IGNORECASE)
_MOST_REST = 4000  # characters of a link; no argument is longer
_REST = re.compile(rf"[^\s\"'<>「」，。；、！？（）【】]{{0,{_MOST_REST}}}")
_OFFER = re.compile(rf"offer/({_ID})(?:\.html?(?![a-z0-9])|(?!\.?[a-z0-9_%-]))", re.IGNORECASE)
# Today's offers have 12 or 13 digits. A number inside a link follows one of its signs.
_LOOSE = re.compile(r"(?<![A-Za-z0-9_/=%&?#.+-])[1-9][0-9]{11,12}(?![A-Za-z0-9_%/=-]|\.[A-Za-z0-9])")
_PAGE = re.compile(r"page/index\.html?\?", re.IGNORECASE)
_FIELD = re.compile(rf"(?<![a-z0-9_-])(offerid|skuid)=({_ID})(?![a-z0-9_%-])", re.IGNORECASE)


@dataclass(frozen=True)
class OfferLink:
    """An offer, and the option that a link points at, where it names one. Ids are digits."""

    offer_id: str
    sku_id: str | None = None


def offer_in(text: str) -> OfferLink | None:
    """The one offer that a text names: as bare digits, or by a link among other words.

    `None` where it names none, or several different ones, be it as a number beside a link: the first is not
    meant more than the second. `why_no_offer` says which.
    """
    bare = text.strip()
    if _BARE.fullmatch(bare):
        return OfferLink(bare)
    found = list(dict.fromkeys(_links(text)))
    if not found or _several(text, found):
        return None
    skus = {link.sku_id for link in found if link.sku_id}
    return OfferLink(found[0].offer_id, skus.pop() if len(skus) == 1 else None)


def is_share_link(text: str) -> bool:
    """Whether the text holds a link of 1688's apps that names no offer until it is opened."""
    return _SHARED.search(text) is not None


def why_no_offer(text: str) -> str:
    """For a text in which `offer_in` finds none: what to give instead, with an example."""
    if _several(text, list(_links(text))):
        return "names several offers; give one at a time, such as 610947572360"
    if is_share_link(text):
        return (
            "is a share link, which does not hold the offer's number; open it and paste the address of the "
            "opened page, such as https://detail.1688.com/offer/610947572360.html"
        )
    return (
        "holds no link to a 1688 offer; give the offer's number, such as 610947572360, or its link, such as "
        "https://detail.1688.com/offer/610947572360.html"
    )


def _several(text: str, links: list[OfferLink]) -> bool:
    """Whether the links, and the numbers beside them, name different offers. The links' SKUs are none."""
    offers, skus = {link.offer_id for link in links}, {link.sku_id for link in links}
    return bool(links) and len(offers | set(_LOOSE.findall(text)) - skus) > 1


def _links(text: str) -> Iterator[OfferLink]:
    for link in _LINK.finditer(text):
        deep = link["deep"] if link["bare"] is None else link["bare"]
        level = 0 if deep is None else 1 + len(deep) // 2
        rest_match = _REST.match(text, link.end())
        rest = rest_match[0] if rest_match else ""
        if len(rest) == _MOST_REST:  # an id at the cut may go on behind it
            rest = re.sub(r"[A-Za-z0-9%._-]+$", "", rest)
        for _ in range(level):  # an `&` of an outer link ends the inner one
            rest = unquote(rest.partition("&")[0])
        yield from _offers(link["host"].lower(), rest)


def _offers(host: str, rest: str) -> Iterator[OfferLink]:
    """`rest`: what follows the host's slash, decoded."""
    path, _, query = rest.partition("#")[0].partition("?")
    fields = [(name.lower(), value) for name, value in _FIELD.findall(query)]
    skus = {value for name, value in fields if name == "skuid"}
    sku_id = skus.pop() if len(skus) == 1 else None
    if host == "detail.m.1688.com":
        if _PAGE.match(path + "?"):
            yield from (OfferLink(value, sku_id) for name, value in fields if name == "offerid")
    elif offer := _OFFER.match(path):
        yield OfferLink(offer[1], sku_id)
