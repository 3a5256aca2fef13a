"""A public client of 1688, unchanged, against the simulator. The first argument is its base URL.

open-1688 is made of the official client; it signs with HMAC-SHA1, in code that is not ours.
"""

import json
import sys
import urllib.parse
import urllib.request

from aop.api import (
    AlibabaTradeFastCreateOrderParam,
    AlibabaTradeGetBuyerOrderListParam,
    AlibabaTradeGetBuyerViewParam,
    AlibabaTradeGetLogisticsTraceInfoBuyerViewParam,
    BaseApi,
)
from aop.exceptions import ApiError
from aop.structure import Address, AppInfo, Cargo

BASE = sys.argv[1].rstrip("/")
DOMAIN = urllib.parse.urlparse(BASE).netloc
APP = AppInfo("1000000", "kervanSim3")
ACCESS = "kervan-simulated-access-token-3"
OFFER, SPEC = 554456009001, "b266e0726506185beaf205cbae88530d"
CALLED = []


def control(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{BASE}/_control{path}", data=data, headers={"content-type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def call(request):
    CALLED.append(request.get_api_uri().rsplit("/", 1)[1])
    return request.get_response()


class Api(BaseApi):
    """An API that the client has no class for; its base class signs and sends it."""

    def __init__(self, uri, **parameters):
        BaseApi.__init__(self, APP, DOMAIN)
        self.__dict__.update(parameters, access_token=ACCESS)
        self._BaseApi__uri = uri

    def get_api_uri(self):
        return self._BaseApi__uri

    def need_sign(self):
        return True


def refused(request, code):
    try:
        call(request)
    except ApiError as error:
        # The class keeps its fields only, in the order of its arguments.
        assert code in str(error), str(error)
    else:
        raise AssertionError(f"not refused with {code}")


def buy():
    control(
        "/products",
        {
            "offer_id": OFFER,
            "seller": "b2b-1",
            "skus": [{"spec_id": SPEC, "sku_id": 1, "price_fen": 1805, "stock": 9}],
        },
    )
    detail = Api(
        "1/com.alibaba.fenxiao.crossborder/product.search.queryProductDetail",
        offerDetailParam=json.dumps({"offerId": OFFER, "country": "en"}),
    )
    assert call(detail)["result"]["result"]["productSkuInfos"][0]["price"] == "18.05"
    address = Address(None, "张三", "13800000000", "", "310000", "杭州市", "浙江省", "滨江区", "", "网商路699号 & 谢谢", None)
    cargo = Cargo()
    cargo.add(OFFER, SPEC, 2)
    preview = Api(
        "1/com.alibaba.trade/alibaba.createOrder.preview",
        addressParam=address.get_data(),
        cargoParamList=cargo.get_data(),
        flow="general",
    )
    part = call(preview)["orderPreviewResuslt"][0]
    assert (part["sumPayment"], part["sumCarriage"], part["cargoList"][0]["finalUnitPrice"]) == (4410, 800, 18.05)
    fast = call(AlibabaTradeFastCreateOrderParam(APP, ACCESS, address, cargo, domain=DOMAIN, message="请尽快发货"))
    cross = Api(
        "1/com.alibaba.trade/alibaba.trade.createCrossOrder",
        addressParam=address.get_data(),
        cargoParamList=cargo.get_data(),
        flow="general",
        tradeType=part["tradeModeNameList"][0],
        outOrderId="SO-1001",
    )
    order = call(cross)["result"]["orderId"]
    assert int(order) > 2**53 and order != fast["result"]["orderId"]
    shown = control(f"/orders/{order}")
    assert shown["address"]["address"] == "网商路699号 & 谢谢", "the signature was over the very text"
    return order


def follow(order):
    control("/clock", {"advance_ms": 5000})
    listed = call(AlibabaTradeGetBuyerOrderListParam(APP, ACCESS, DOMAIN, page="1", page_size="20"))
    assert listed["totalRecord"] == 2
    view = AlibabaTradeGetBuyerViewParam(APP, ACCESS, order, domain=DOMAIN, web_site="1688")
    base = call(view)["result"]["baseInfo"]
    assert (base["idOfStr"], base["status"], base["outOrderId"]) == (order, "waitbuyerpay", "SO-1001")
    assert str(base["id"]) != order, "the number lost its last digits, the text did not"
    trace = AlibabaTradeGetLogisticsTraceInfoBuyerViewParam(APP, ACCESS, order, domain=DOMAIN)
    assert call(trace)["errorCode"] == "404", "there is no trace yet"
    control(f"/orders/{order}/pay", {})
    control(f"/orders/{order}/ship", {"lines": 1})
    assert call(view)["result"]["baseInfo"]["status"] == "waitbuyerreceive"
    assert call(trace)["logisticsTrace"][0]["logisticsBillNo"].isdigit()


def refusals():
    wrong = AppInfo("1000000", "wrong")
    refused(AlibabaTradeGetBuyerOrderListParam(wrong, ACCESS, DOMAIN), "gw.SignatureInvalid")
    refused(AlibabaTradeGetBuyerOrderListParam(AppInfo("7", "x"), ACCESS, DOMAIN), "gw.AppKeyNotFound")
    refused(AlibabaTradeGetBuyerOrderListParam(APP, "old", DOMAIN), "401")
    refused(Api("1/com.alibaba.trade/no.such.api"), "gw.APIUnsupported")
    # A name that begins another one: the joined texts are sorted, not the names.
    listed = Api("1/com.alibaba.trade/alibaba.trade.getBuyerOrderList", page="1", pageSize="20", param="{", paramList="[")
    assert call(listed)["totalRecord"] == 2


follow(buy())
refusals()
print(f"open-1688: {len(CALLED)} calls of {len(set(CALLED))} APIs: {', '.join(sorted(set(CALLED)))}")
