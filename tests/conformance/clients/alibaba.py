"""A public client of Alibaba.com's gateway, unchanged, against the simulator. The first argument is its base URL.

lazop-sdk is the official client of the gateway family; it signs with HMAC-SHA256, in code that is not ours.
"""

import json
import os
import sys
import tempfile
import urllib.request

# The client writes a log below the home folder as soon as it is loaded.
os.environ["HOME"] = tempfile.mkdtemp()

from lazop_sdk import LazopClient, LazopRequest

BASE = sys.argv[1].rstrip("/")
APP_KEY, APP_SECRET = "500200", "kervanSimulatedAppSecret00000002"
ACCESS, REFRESH = "50000200a01kervanSimulatedAccessToken2", "50001200b02kervanSimulatedRefreshTok2"
PRODUCT, SKU, COMPANY = 1600927009001, 16009270090011, "c8G3/aQ=="
ADDRESS = {
    "zip": "10012",
    "country": "United States of America",
    "country_code": "US",
    "province": "New York",
    "province_code": "NY",
    "city": "New York",
    "address": "1 Example Street & Co. (späti)",
    "contact_person": "Alma Ashdown",
    "telephone": {"country": "+1", "area": "", "number": "5550100200"},
}
CALLED = []


def control(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{BASE}/_control{path}", data=data, headers={"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def call(path, session=ACCESS, secret=APP_SECRET, method="POST", **parameters):
    request = LazopRequest(path, method)
    for name, value in parameters.items():
        request.add_api_param(name, value if isinstance(value, str) else json.dumps(value))
    answer = LazopClient(f"{BASE}/rest", APP_KEY, secret).execute(request, session)
    CALLED.append(path)
    return answer.body


def good(path, **parameters):
    answer = call(path, **parameters)
    assert answer["code"] == "0", answer
    return answer


def buy():
    control(
        "/products",
        {
            "product_id": PRODUCT,
            "company": COMPANY,
            "skus": [{"sku_id": SKU, "tiers": [[1, "3.69"], [50, "2.5"]], "stock": {"CN": 60}}],
            "carriers": [{"code": "EX_FEDEX", "from": "CN", "fee": "4.67", "days": "5-9"}],
        },
    )
    query = {"product_id": str(PRODUCT), "country": "US"}
    product = good("/eco/buyer/product/description", method="GET", query_req=query)["result"]["result_data"]
    assert product["eCompanyId"] == COMPANY and product["skus"][0]["sku_id"] == str(SKU)
    shelves = good("/eco/buyer/product/inventory", inv_req={"product_id": str(PRODUCT)})
    assert shelves["result"]["result_data"][0]["inventory_list"][0]["inventory_count"] == "60"
    ways = good(
        "/order/freight/calculate",
        e_company_id=COMPANY,
        destination_country="US",
        address={"zip": "10012", "country": {"code": "US", "name": "United States"}, "address": "1 Example Street"},
        logistics_product_list=[
            {"product_id": str(PRODUCT), "sku_id": str(SKU), "quantity": "2", "country_code": "US"}
        ],
    )["value"]
    assert ways[0]["fee"] == {"amount": "4.67", "currency": "USD"}

    def order(carrier):
        return call(
            "/buynow/order/create",
            channel_refer_id="SO-1001",
            product_list=[{"product_id": str(PRODUCT), "sku_id": str(SKU), "quantity": "2"}],
            logistics_detail={"shipment_address": ADDRESS, "dispatch_location": "CN", "carrier_code": carrier},
            remark="handle with care",
        )

    browsing = good(
        "/shipping/freight/calculate", product_id=str(PRODUCT), quantity="2", destination_country="US"
    )["value"]
    assert order(browsing[0]["vendor_code"])["code"] == "4028", "a carrier for browsing is none for an order"
    trade_id = order(ways[0]["vendor_code"])["value"]["trade_id"]
    shown = control(f"/orders/{trade_id}")
    assert shown["address"]["address"] == ADDRESS["address"], "the signature was over the very text"
    return trade_id


def follow(trade_id):
    payment = {
        "order_id_list": [trade_id],
        "payment_method": "CREDIT_CARD",
        "user_ip": "203.0.113.7",
        "user_agent": "Mozilla/5.0",
        "accept_language": "en-US,en;q=0.9",
        "screen_resolution": "1920*1080",
        "is_pc": True,
        "isv_drop_shipper_registration_time": 1616595118627,
    }
    assert good("/alibaba/dropshipping/order/pay", param_order_pay_request=payment)["value"]["status"] == "PAY_SUCCESS"
    again = good("/alibaba/dropshipping/order/pay", param_order_pay_request=payment)
    assert again["value"]["status"] == "PAY_FAILED", "a failed payment is a good answer"
    control("/clock", {"advance_ms": 5000})
    control(f"/orders/{trade_id}/ship", {"parcels": 2})
    order = good("/alibaba/order/get", e_trade_id=trade_id)["value"]
    assert order["trade_status"] == "wait_confirm_receipt"
    assert order["total_amount"] == {"amount": "12.05", "currency": "USD"}
    assert len(good("/order/logistics/tracking/get", trade_id=trade_id)["tracking_list"]) == 2
    listed = good("/alibaba/order/list", role="buyer", start_page="0", page_size="20")["value"]
    assert listed["total_count"] == "1" and listed["order_list"][0]["trade_id"] == trade_id
    past = good("/alibaba/order/list", role="buyer", start_page="1", page_size="20")["value"]
    assert past["order_list"] == []


def refusals():
    assert call("/alibaba/order/get", secret="wrong", e_trade_id="1")["code"] == "IncompleteSignature"
    assert call("/alibaba/order/get", session=None, e_trade_id="1")["code"] == "IllegalAccessToken"
    assert call("/no/such/path")["code"] == "InvalidApiPath"
    token = good("/auth/token/refresh", session=None, refresh_token=REFRESH)
    assert token["expires_in"] == "864000", "numbers are text"
    assert call("/alibaba/order/list", session=token["access_token"], role="buyer")["code"] == "0"
    assert call("/auth/token/refresh", session=None, refresh_token=REFRESH)["code"] == "IllegalRefreshToken"


follow(buy())
refusals()
print(f"lazop-sdk: {len(CALLED)} calls of {len(set(CALLED))} APIs: {', '.join(sorted(set(CALLED)))}")
