"""The PyPI package `ebaysdk`, unmodified, against the simulated eBay's Trading API; only the host is replaced.

Usage: python ebay.py http://127.0.0.1:PORT
"""

import base64
import json
import sys
import urllib.parse
import urllib.request

from ebaysdk.exception import ConnectionError
from ebaysdk.trading import Connection

BASE = sys.argv[1]
APP_ID = "KervanSim-Orders-SBX-100000001-20000002"
CERT_ID = "SBX-300000000003-4444-4555-8666-7777"
REFRESH_TOKEN = "v^1.1#i^1#p^3#r^1#SIMULATEDREFRESHTOKEN"
called = []


def control(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{BASE}/_control/{path}", data=data, headers=headers)
    return json.load(urllib.request.urlopen(request))


def token():
    pair = base64.b64encode(f"{APP_ID}:{CERT_ID}".encode()).decode()
    form = {"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN}
    headers = {
        "authorization": f"Basic {pair}",
        "content-type": "application/x-www-form-urlencoded",
    }
    data = urllib.parse.urlencode(form).encode()
    request = urllib.request.Request(f"{BASE}/identity/v1/oauth2/token", data=data, headers=headers)
    return json.load(urllib.request.urlopen(request))["access_token"]


def connection(iaf_token):
    made = Connection(
        domain=urllib.parse.urlparse(BASE).netloc,
        config_file=None,
        appid=APP_ID,
        certid=CERT_ID,
        devid="50000005-6666-4777-8888-999999999999",
        iaf_token=iaf_token,
        siteid="0",
        compatibility="1451",
    )
    # The simulator speaks plain HTTP.
    made.config.set("https", False, force=True)
    return made


trading = connection(token())


def execute(call, fields):
    called.append(call)
    return trading.execute(call, fields).dict()


def refused(call, fields, code, by=trading):
    called.append(call)
    try:
        by.execute(call, fields)
    except ConnectionError as error:
        errors = error.response.dict()["Errors"]
        errors = errors if isinstance(errors, list) else [errors]
        assert errors[0]["ErrorCode"] == code, errors
        return
    raise AssertionError(f"{call} was not refused with {code}")


price = {"value": "19.99", "currency": "USD"}
plain = control("listings", {"sku": "SDK-LAMP", "price": price, "quantity": 5})
chair = control("listings", {"sku": "SDK-CHAIR", "price": price, "quantity": 5, "trading": True})
order = control("orders", {"lines": [{"sku": "SDK-CHAIR", "quantity": 2}]})["order_id"]
now = control("clock", {"advance_ms": 10_000})["now"]

assert execute("GeteBayOfficialTime", {})["Ack"] == "Success"
answer = execute("GetOrders", {"OrderIDArray": {"OrderID": order}, "OrderRole": "Seller"})
found = answer["OrderArray"]["Order"]
found = found[0] if isinstance(found, list) else found
lines = found["TransactionArray"]["Transaction"]
line = lines[0] if isinstance(lines, list) else lines
assert line["Variation"]["SKU"] == "SDK-CHAIR", line
assert line["TransactionPrice"]["value"] == "19.99", line

page = execute(
    "GetOrders",
    {
        "ModTimeFrom": now[:11] + "00:00:00.000Z",
        "ModTimeTo": now,
        "OrderStatus": "All",
        "Pagination": {"EntriesPerPage": 1, "PageNumber": 1},
    },
)
assert int(page["PaginationResult"]["TotalNumberOfEntries"]) >= 1, page

shipment = {
    "ShippedTime": now,
    "ShipmentTrackingDetails": [
        {"ShipmentTrackingNumber": "PARCEL0002", "ShippingCarrierUsed": "Other"}
    ],
}
sale = {"OrderLineItemID": line["OrderLineItemID"], "Shipped": "true", "Shipment": shipment}
for _ in range(2):
    assert execute("CompleteSale", sale)["Ack"] == "Success"
assert len(control(f"orders/{order}")["fulfillments"]) == 1

item = {"ItemID": chair["listing_id"], "SKU": "SDK-CHAIR", "Quantity": 3, "StartPrice": "18.50"}
assert execute("ReviseInventoryStatus", {"InventoryStatus": [item]})["Ack"] == "Success"
listing = next(one for one in control("listings") if one["sku"] == "SDK-CHAIR")
assert (listing["quantity"], listing["price"]["value"]) == (3, "18.50"), listing
made_elsewhere = {"ItemID": plain["listing_id"], "SKU": "SDK-LAMP", "Quantity": 1}
refused("ReviseInventoryStatus", {"InventoryStatus": [made_elsewhere]}, "21919474")

preferences = {
    "ApplicationDeliveryPreferences": {
        "ApplicationEnable": "Enable",
        "ApplicationURL": "https://hooks.example.com/ebay",
        "DeviceType": "Platform",
    },
    "UserDeliveryPreferenceArray": {
        "NotificationEnable": {"EventType": "FixedPriceTransaction", "EventEnable": "Enable"}
    },
}
assert execute("SetNotificationPreferences", preferences)["Ack"] == "Success"
told = execute("GetNotificationPreferences", {"PreferenceLevel": "Application"})
told = told["ApplicationDeliveryPreferences"]
assert told["ApplicationURL"] == "https://hooks.example.com/ebay", told
refused("GeteBayOfficialTime", {}, "21916984", by=connection("not-a-token"))

print(f"ebaysdk: {len(called)} calls: {', '.join(dict.fromkeys(called))}")
