"""Names of fields in an answer to a create, wherever they stand. Pure.

Inferred from the platform's neighbours.
"""

import re

OUR_NUMBER = ("outorderid", "outorderno")
"""Folded: small letters, without `_`. These repeat the number that we sent."""

ORDER_NUMBER = re.compile(
    r"(?:main|parent|sub|biz|ali|trade)?orders?(?:id|no|sn|code|number|list)?s?(?:str|list)?|tradeid|idofstr|payurl"
)
"""Folded likewise. What stands in such a field, but for 0, means that an order may exist."""

ORDERS = re.compile(r"(?:success_?)?orders?(?:_?list)?", re.IGNORECASE)
"""A list in such a field that is not empty means the same."""

OTHER_NUMBER = re.compile(
    r".*(trace|request|member|develop|offer|sku|spec|user|ali|open|login|seller|buyer|product|category)_?id(s|str)?"
    r"|.*(time|timestamp|date|phone|mobile)",
    re.IGNORECASE,
)
"""Long numbers in such fields name something else than an order."""

WORDS = re.compile(
    r".*(msg|message|code|info|desc|reason|status|state|error|exception|cause|detail|remark|tip|hint|note).*",
    re.IGNORECASE,
)
"""What the upstream says of the request."""

FAILED_PART = re.compile(r".*(fail|unordered|rejected).*", re.IGNORECASE)
SUCCESS = re.compile(r".*(success|succeed|created).*", re.IGNORECASE)
