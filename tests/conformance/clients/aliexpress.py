"""Two public clients of AliExpress, unchanged, against the simulator. The first argument is its base URL.

python-aliexpress-api calls the present gateway for a buyer; aliexpress-sdk calls the old one for a shop. Both sign with
MD5, in code that is not ours.
"""

import json
import sys
import urllib.request
from urllib.parse import urlparse

# One of the packages has this file's own name.
sys.path.pop(0)

import aliexpress as seller_sdk
from aliexpress import api as seller_api
from aliexpress.api.base import TopException as SellerRefusal
from aliexpress_api import skd as buyer_sdk
from aliexpress_api.skd.api.base import RestApi, TopException

BASE = sys.argv[1].rstrip("/")
HOST, PORT = urlparse(BASE).hostname, urlparse(BASE).port
APP_KEY, APP_SECRET = "500100", "kervanSimulatedAppSecret00000001"
BUYER = "50000100a01kervanSimulatedAccessToken1"
SELLER = "50000200a03kervanSimulatedShopAccess1"
CALLED = []


def control(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{BASE}/_control{path}", data=data, headers={"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def bought(method, session=BUYER, **parameters):
    """A call of the buyer's client, whose request classes only name the method."""
    request = type("Request", (RestApi,), {"getapiname": lambda self: method})(HOST, PORT)
    for name, value in parameters.items():
        setattr(request, name, value)
    answer = request.getResponse(session)
    CALLED.append(method)
    return answer[method.replace(".", "_") + "_response"]


def sold(name, **parameters):
    """A call of the seller's client, with its own request class."""
    request = getattr(seller_api, f"Aliexpress{name}Request")(HOST, PORT)
    for field, value in parameters.items():
        setattr(request, field, value if isinstance(value, str) else json.dumps(value))
    answer = request.getResponse(SELLER)
    CALLED.append(request.getapiname())
    return answer[request.getapiname().replace(".", "_") + "_response"]


def is_true(value):
    return value in (True, "true")


def buy():
    product, sku = 1005009001, 10050090011
    usd = {"value": "5.00", "currency": "USD"}
    control(
        "/products",
        {
            "product_id": product,
            "store_id": 7,
            "skus": [{"sku_id": sku, "price": usd, "stock": 4}],
        },
    )
    found = bought("aliexpress.ds.product.get", product_id=product, ship_to_country="US")
    variants = found["result"]["ae_item_sku_info_dtos"]["ae_item_sku_info_d_t_o"]
    assert int(variants[0]["sku_available_stock"]) == 4, variants
    query = {
        "quantity": 1, "shipToCountry": "US", "productId": str(product), "selectedSkuId": str(sku),
        "language": "en_US", "locale": "en_US", "currency": "USD",
    }
    freight = bought("aliexpress.ds.freight.query", queryDeliveryReq=json.dumps(query))
    option = freight["result"]["delivery_options"]["delivery_option_d_t_o"][0]
    assert option["code"] == "CAINIAO_STANDARD", option
    address = {
        "full_name": "Alma Ashdown", "contact_person": "Alma Ashdown", "country": "US",
        "address": "12 Example Street", "city": "Vineland", "province": "New Jersey",
        "zip": "08360", "phone_country": "+1", "mobile_no": "8565550100",
    }
    item = {"product_id": product, "product_count": 2, "logistics_service_name": option["code"]}
    order = {"out_order_id": "client-1", "logistics_address": address, "product_items": [item]}
    body = json.dumps(order)
    parameter = "param_place_order_request4_open_api_d_t_o"
    created = bought("aliexpress.ds.order.create", **{parameter: body})["result"]
    assert is_true(created["is_success"]), created
    again = bought("aliexpress.ds.order.create", **{parameter: body})["result"]
    assert again["error_code"] == "REPEATED_ORDER_ERROR", again
    number = int(created["order_list"]["number"][0])
    control("/clock", {"advance_ms": 10_000})
    control(f"/orders/{number}/pay", {})
    control(f"/orders/{number}/ship", {"parcels": 1})
    single = json.dumps({"order_id": number})
    state = bought("aliexpress.trade.ds.order.get", single_order_query=single)["result"]
    assert state["order_status"] == "WAIT_BUYER_ACCEPT_GOODS", state
    tracking = bought("aliexpress.ds.order.tracking.get", ae_order_id=number, language="en_US")
    assert is_true(tracking["result"]["ret"]), tracking
    try:
        bought("aliexpress.ds.product.get", session="forged", product_id=1, ship_to_country="US")
    except TopException as refusal:
        assert refusal.errorcode == "IllegalAccessToken", refusal
    else:
        raise AssertionError("a forged session was taken")


def sell():
    product = 1005009002
    usd = {"value": "12.50", "currency": "USD"}
    control(
        "/listings",
        {"product_id": product, "skus": [{"sku_code": "MUG", "price": usd, "inventory": 9}]},
    )
    number = control("/sales", {"lines": [["MUG", 2]], "paid": True})["order_id"]
    page = sold("SolutionOrderGet", param0={"current_page": 1, "page_size": 20})["result"]
    orders = page["target_list"]["order_dto"]
    assert [int(order["order_id"]) for order in orders] == [number], page
    line = orders[0]["product_list"]["order_product_dto"][0]
    assert (line["sku_code"], line["product_count"]) == ("MUG", 2), line
    receipt = sold("SolutionOrderReceiptinfoGet", param1={"order_id": number})["result"]
    assert receipt["country"] == "US" and receipt["contact_person"], receipt
    services = sold("LogisticsRedefiningListlogisticsservice")
    names = services["result_list"]["aeop_logistics_service_result"]
    assert "CPAM" in [service["service_name"] for service in names], names
    fulfilled = sold(
        "SolutionOrderFulfill", out_ref=str(number), service_name="CPAM", send_type="all",
        logistics_no="RR123456785CN",
    )
    assert is_true(fulfilled["result"]["result_success"]), fulfilled
    info = sold("SolutionOrderInfoGet", param1={"order_id": number})["result"]["data"]
    shipments = info["logistic_info_list"]["global_aeop_tp_logistic_info_dto"]
    assert shipments[0]["logistics_no"] == "RR123456785CN", info
    skus = [{"sku_code": "MUG", "inventory": 3}]
    update = [{"product_id": product, "multiple_sku_update_list": skus}]
    done = sold("SolutionBatchProductInventoryUpdate", mutiple_product_update_list=update)
    assert is_true(done["update_success"]), done
    content = {
        "aliexpress_product_id": product,
        "multiple_sku_update_list": [{"sku_code": "MUG", "price": "9.99"}],
    }
    items = [{"item_content_id": "1", "item_content": json.dumps(content)}]
    job = sold("SolutionFeedSubmit", operation_type="PRODUCT_PRICES_UPDATE", item_list=items)
    control("/clock", {"advance_ms": 1_000})
    report = sold("SolutionFeedQuery", job_id=str(job["job_id"]))
    assert int(report["success_item_count"]) == 1, report
    shown = [sku for sku in control("/listings") if sku["sku_code"] == "MUG"][0]
    assert (shown["inventory"], shown["price"]["value"]) == (3, "9.99"), shown
    try:
        sold("SolutionFeedQuery", job_id="1")
    except SellerRefusal as refusal:
        assert refusal.subcode == "isv.invalid-parameter", refusal
    else:
        raise AssertionError("an unknown job was reported on")


buyer_sdk.setDefaultAppInfo(APP_KEY, APP_SECRET)
seller_sdk.setDefaultAppInfo(APP_KEY, APP_SECRET)
buy()
sell()
print(f"aliexpress: {len(CALLED)} calls of {len(set(CALLED))} operations: {', '.join(sorted(set(CALLED)))}")
