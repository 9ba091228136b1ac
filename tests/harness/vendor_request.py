"""The vendor's published request for a preview, which tests send as it stands."""

from collections.abc import Mapping

VENDOR_EXAMPLE_REQUEST: Mapping[str, object] = {
    "flow": "fenxiaonew",
    "addressParam": {
        "fullName": "张三",
        "mobile": "13800138000",
        "phone": "",
        "postCode": "310000",
        "provinceText": "长河街道",
        "cityText": "杭州市",
        "areaText": "滨江区",
        "townText": "浙江省",
        "address": "网商路699号",
        "districtCode": "330108",
    },
    "cargoParamList": [
        {"offerId": 610947572360, "specId": "b266e0726506185beaf205cbae88530d", "quantity": 2.0},
    ],
}
"""The form of the vendor's published request (documented, 2026-04): province and town are swapped, the
district code is right, the phone is empty, the quantity has a point. The ids and the person are ours."""
