"""The public client python-amazon-sp-api, unmodified, against the simulated Amazon whose base URL is the first argument.

Only the hosts are replaced: the client's endpoint and the token server's.
"""

import io
import json
import sys
import urllib.request

from sp_api.api import Feeds, ListingsItems, Notifications, Orders, Sellers
from sp_api.auth import AccessTokenClient
from sp_api.base import Marketplaces, SellingApiException, SellingApiForbiddenException

BASE = sys.argv[1].rstrip("/")
HOST = BASE.removeprefix("http://")
SELLER = "A1KERVANDEMO01"
MARKETPLACE = Marketplaces.US.marketplace_id
CREDENTIALS = {
    "refresh_token": "Atzr|SIMULATEDREFRESHTOKEN00000001",
    "lwa_app_id": "amzn1.application-oa2-client.0000000000kervan000000000001",
    "lwa_client_secret": "amzn1.oa2-cs.v1.0000000000kervan000000000000000001",
}
CALLED = []

AccessTokenClient.scheme = "http://"
AccessTokenClient.host = HOST


def client(kind, **options):
    made = kind(credentials=CREDENTIALS, marketplace=Marketplaces.US, **options)
    # The client takes the host from the ninth letter on, as after https://; an empty user name fills the gap.
    made.endpoint = f"http://@{HOST}"
    return made


def control(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{BASE}/_control{path}", data=data, headers={"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def called(name, answer):
    CALLED.append(name)
    return answer.payload


def pass_time(seconds):
    control("/clock", {"advance_ms": seconds * 1000})


def orders():
    control("/listings", {"sku": "LAMP", "price": {"value": "19.99", "currency": "USD"}, "quantity": 500})
    placed = [control("/orders", {"lines": [{"sku": "LAMP", "quantity": 2}]})["order_id"] for _ in range(3)]
    pass_time(180)
    api = client(Orders, version="2026-01-01")
    search = {
        "lastUpdatedAfter": "2020-01-01T00:00:00Z",
        "marketplaceIds": MARKETPLACE,
        "fulfilledBy": "MERCHANT",
        "maxResultsPerPage": 2,
    }
    found, answer = [], api.search_orders(**search)
    while True:
        found += [order["orderId"] for order in called("searchOrders", answer)["orders"]]
        if not answer.next_token:
            break
        answer = api.search_orders(**search, paginationToken=answer.next_token)
    assert set(placed) <= set(found), (placed, found)
    order = called("getOrder", api.get_order(placed[0], includedData="RECIPIENT,PROCEEDS,FULFILLMENT"))["order"]
    assert order["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"
    assert order["proceeds"]["grandTotal"] == {"amount": "39.98", "currencyCode": "USD"}
    assert order["recipient"]["deliveryAddress"]["countryCode"] == "US"
    return placed[0], order


def shipment(order_id, order):
    api = client(Orders, version="v0")
    item = order["orderItems"][0]
    detail = {
        "packageReferenceId": "1",
        "carrierCode": "UPS",
        "trackingNumber": "1Z999AA10123456784",
        "shipDate": order["lastUpdatedTime"],
        "orderItems": [{"orderItemId": item["orderItemId"], "quantity": 2}],
    }
    for _ in range(2):
        answer = api.confirm_shipment(order_id, marketplaceId=MARKETPLACE, packageDetail=detail)
        called("confirmShipment", answer)
    shown = control(f"/orders/{order_id}")
    assert shown["status"] == "SHIPPED" and len(shown["packages"]) == 1, shown
    assert shown["packages"][0]["edits"] == 1
    try:
        wrong = {**detail, "packageReferenceId": 1}
        api.confirm_shipment(order_id, marketplaceId=MARKETPLACE, packageDetail=wrong)
    except SellingApiException as error:
        assert "packageDetail.packageReferenceId" in error.message, error.message
    else:
        raise AssertionError("a bare number passed as packageReferenceId")


def patches(quantity, price):
    offer = {"marketplace_id": MARKETPLACE, "currency": "USD", "our_price": [{"schedule": [{"value_with_tax": price}]}]}
    stock = {"fulfillment_channel_code": "DEFAULT", "quantity": quantity}
    return [
        {"op": "merge", "path": "/attributes/fulfillment_availability", "value": [stock]},
        {"op": "merge", "path": "/attributes/purchasable_offer", "value": [offer]},
    ]


def listings():
    api = client(ListingsItems)
    body = {"productType": "PRODUCT", "patches": patches(7, 17.5)}
    answer = api.patch_listings_item(SELLER, "LAMP", marketplaceIds=[MARKETPLACE], body=body)
    assert called("patchListingsItem", answer)["status"] == "ACCEPTED"
    pass_time(1)
    answer = api.get_listings_item(SELLER, "LAMP", marketplaceIds=[MARKETPLACE], includedData="fulfillmentAvailability,offers")
    shown = called("getListingsItem", answer)
    assert shown["fulfillmentAvailability"][0]["quantity"] == 7, shown
    assert shown["offers"][0]["price"]["amount"] == "17.50", shown


def feeds():
    api = client(Feeds)
    message = {"messageId": 1, "sku": "LAMP", "operationType": "PATCH", "productType": "PRODUCT", "patches": patches(9, 18)}
    feed = {"header": {"sellerId": SELLER, "version": "2.0"}, "messages": [message]}
    file = io.StringIO(json.dumps(feed))
    document = api.create_feed_document(file, "application/json; charset=UTF-8")
    document_id = called("createFeedDocument", document)["feedDocumentId"]
    answer = api.create_feed("JSON_LISTINGS_FEED", document_id, marketplaceIds=[MARKETPLACE])
    feed_id = called("createFeed", answer)["feedId"]
    listed = called("getFeeds", api.get_feeds(feedTypes="JSON_LISTINGS_FEED"))["feeds"]
    assert [one["feedId"] for one in listed] == [feed_id], listed
    pass_time(5)
    done = called("getFeed", api.get_feed(feed_id))
    assert done["processingStatus"] == "DONE", done
    report = json.loads(api.get_feed_document(done["resultFeedDocumentId"]))
    CALLED.append("getFeedDocument")
    assert report["summary"]["messagesAccepted"] == 1, report


def notifications():
    api = client(Notifications)
    arn = "arn:aws:sqs:us-east-1:123456789012:public-client"
    made = called("createDestination", api.create_destination("public-client", arn=arn))
    listed = called("getDestinations", api.get_destinations())
    assert made["destinationId"] in [one["destinationId"] for one in listed]
    subscribed = api.create_subscription("ORDER_CHANGE", destination_id=made["destinationId"])
    subscribed = called("createSubscription", subscribed)
    found = called("getSubscription", api.get_subscription("ORDER_CHANGE"))
    assert found["subscriptionId"] == subscribed["subscriptionId"]
    order_id = control("/orders", {"lines": [{"sku": "LAMP", "quantity": 1}]})["order_id"]
    taken = control("/notifications/take", {})
    body = json.loads(taken[-1]["body"])
    change = body["Payload"]["OrderChangeNotification"]
    assert (change["AmazonOrderId"], change["SellerId"]) == (order_id, SELLER), body
    # Amazon's model says that this operation is grantless; the client sends the seller's token.
    try:
        api.delete_notification_subscription("ORDER_CHANGE", found["subscriptionId"])
    except SellingApiForbiddenException:
        CALLED.append("deleteSubscriptionById")
    else:
        raise AssertionError("a seller's token passed for a grantless operation")


def main():
    shipment(*orders())
    listings()
    feeds()
    notifications()
    seller = called("getMarketplaceParticipations", client(Sellers).get_marketplace_participation())
    assert seller[0]["marketplace"]["id"] == MARKETPLACE
    control("/tokens/expire", {})
    try:
        client(Sellers).get_marketplace_participation()
    except SellingApiForbiddenException as error:
        assert "expired" in str(error.error), error.error
    else:
        raise AssertionError("an expired token passed")
    print(f"amazon: python-amazon-sp-api called {', '.join(dict.fromkeys(CALLED))} ({len(CALLED)} calls)")


main()
