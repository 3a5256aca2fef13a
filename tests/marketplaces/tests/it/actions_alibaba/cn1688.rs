//! 1688.

use std::time::Duration;

use http::StatusCode;
use kervan_marketplaces::Clock;
use kervan_marketplaces::alibaba::cn1688::Cn1688Product;
use kervan_marketplaces::alibaba::cn1688::Cn1688Status;
use kervan_marketplaces::defaults;
use serde_json::Value;
use serde_json::json;

use crate::actions_alibaba::TRADE;
use crate::actions_alibaba::act;
use crate::actions_alibaba::control;
use crate::actions_alibaba::number;
use crate::actions_alibaba::refused;
use crate::actions_alibaba::text;
use crate::alibaba_client::CnClient;
use crate::alibaba_client::SPEC;
use crate::alibaba_client::owned;
use crate::alibaba_client::units;

const LOGISTICS: &str = "com.alibaba.logistics";

impl CnClient {
    pub(crate) async fn act(&self, action: Value) {
        act(self.cn1688.router(), action).await;
    }

    /// Places an order of two and waits until it can be read.
    pub(crate) async fn placed(&self) -> String {
        let id = text(&self.order(units(2), &[]).await["result"]["orderId"]).to_owned();
        self.clock.advance(Duration::from_secs(1));
        id
    }

    pub(crate) async fn of_order(&self, space: &str, name: &str, id: &str) -> Value {
        let params = [("webSite", "1688"), ("orderId", id)];
        self.ask(&format!("{space}/{name}"), &params).await
    }

    pub(crate) async fn read(&self, id: &str) -> Value {
        let name = "alibaba.trade.get.buyerView";
        self.of_order(TRADE, name, id).await["result"].clone()
    }

    pub(crate) async fn parcel(&self, id: &str) -> Value {
        let name = "alibaba.trade.getLogisticsInfos.buyerView";
        self.of_order(LOGISTICS, name, id).await["result"][0].clone()
    }

    pub(crate) async fn steps(&self, id: &str) -> Value {
        let name = "alibaba.trade.getLogisticsTraceInfo.buyerView";
        let trace = self.of_order(LOGISTICS, name, id).await;
        trace["logisticsTrace"][0]["logisticsSteps"].clone()
    }

    pub(crate) async fn refunds(&self, id: &str, kind: &str) -> Value {
        let name = "alibaba.trade.refund.OpQueryBatchRefundByOrderIdAndStatus";
        let params = [("orderId", id), ("queryType", kind)];
        let answer = self.ask(&format!("{TRADE}/{name}"), &params).await;
        answer["result"]["opOrderRefundModels"].clone()
    }

    pub(crate) async fn control(&self, path: &str, body: Value) -> StatusCode {
        control(self.cn1688.router(), path, &body).await.status
    }

    pub(crate) fn pushes_somewhere(&self) {
        let mut settings = self.cn1688.settings();
        settings.push_url = Some("http://127.0.0.1:9/".to_owned());
        self.cn1688.set_settings(settings);
    }

    /// Topic and status of the messages since the first `seen`.
    pub(crate) fn messages(&self, seen: usize) -> Vec<(String, String)> {
        let pushes = self.cn1688.pushes().into_iter().skip(seen);
        let told = |status: &Value| status.as_str().unwrap_or_default().to_owned();
        pushes
            .map(|push| (push.topic, told(&push.data["data"]["currentStatus"])))
            .collect()
    }
}

#[tokio::test]
async fn tax_and_import_charges_are_none_at_1688() {
    let client = CnClient::new();
    let tax = json!({ "action": "tax_on_top", "percent": 13 });
    let reason = refused(client.cn1688.router(), tax).await;
    assert!(reason.contains("no tax"), "{reason}");
    let charges = json!({ "action": "import_charges", "cents": 100 });
    let reason = refused(client.cn1688.router(), charges).await;
    assert!(reason.contains("nothing is imported"), "{reason}");
}

#[tokio::test]
async fn an_order_at_1688_costs_more_than_its_preview_and_its_answer_said() {
    let client = CnClient::new();
    client.pushes_somewhere();
    client
        .act(json!({ "action": "charge_more", "percent": 25 }))
        .await;
    let address = json!({ "addressId": 7 }).to_string();
    let cargo = units(2).to_string();
    let params = [("addressParam", &*address), ("cargoParamList", &*cargo)];
    let preview = client
        .ask(&format!("{TRADE}/alibaba.createOrder.preview"), &params)
        .await;
    assert_eq!(preview["orderPreviewResuslt"][0]["sumPayment"], 4_410);
    let answer = client.order(units(2), &[]).await["result"].clone();
    assert_eq!(answer["totalSuccessAmount"], 4_410);
    assert_eq!(answer["postFee"], 800);
    client.clock.advance(Duration::from_secs(1));
    let id = text(&answer["orderId"]);
    let base = client.read(id).await["baseInfo"].clone();
    // A quarter of 44.10 and rounded up, on the freight, which is what sellers change.
    assert_eq!(
        (&base["totalAmount"], &base["shippingFee"]),
        (&json!(55.13), &json!(19.03))
    );
    let told = [
        "ORDER_BUYER_VIEW_BUYER_MAKE",
        "ORDER_BUYER_VIEW_ORDER_PRICE_MODIFY",
    ];
    let messages = client.messages(0);
    assert_eq!(
        messages.iter().map(|(topic, _)| topic).collect::<Vec<_>>(),
        told
    );
    assert_eq!(messages[1].1, "waitbuyerpay");
    let path = format!("/orders/{id}/freight");
    assert_eq!(
        client.control(&path, json!({ "fen": 0 })).await,
        StatusCode::OK
    );
    let base = client.read(id).await["baseInfo"].clone();
    assert_eq!(base["totalAmount"], 36.1);
    client.cn1688.pay(number(id)).unwrap();
    assert_eq!(
        client.control(&path, json!({ "fen": 100 })).await,
        StatusCode::CONFLICT
    );
    let view = client.cn1688.order(number(id)).unwrap();
    assert_eq!(
        (view.told_fen, view.total_fen, view.paid_fen),
        (4_410, 3_610, Some(3_610))
    );
}

#[tokio::test]
async fn a_1688_account_that_is_frozen_neither_orders_nor_pays() {
    let client = CnClient::new();
    let id = client.placed().await;
    client
        .act(json!({ "action": "block_account", "is_blocked": true }))
        .await;
    let answer = client.order(units(1), &[]).await;
    assert_eq!(
        (&answer["success"], &answer["code"]),
        (&json!(false), &json!("ACCOUNT_FROZEN"))
    );
    let pay = async || {
        let request = json!({ "orderId": number(&id), "payChannel": "alipay" }).to_string();
        let api = format!("{TRADE}/alibaba.trade.pay.protocolPay.preparePay");
        client
            .ask(&api, &[("tradeWithholdPreparePayParam", &request)])
            .await["result"]
            .clone()
    };
    assert_eq!(pay().await["code"], "ACCOUNT_FROZEN");
    assert_eq!(client.read(&id).await["baseInfo"]["status"], "waitbuyerpay");
    client
        .act(json!({ "action": "block_account", "is_blocked": false }))
        .await;
    assert_eq!(pay().await["success"], true);
    assert_eq!(client.cn1688.counters().orders, 1);
}

#[tokio::test]
async fn one_order_at_1688_is_refused_and_the_next_is_placed() {
    let client = CnClient::new();
    client.act(json!({ "action": "refuse_next_order" })).await;
    assert_eq!(
        client.order(units(10), &[]).await["code"],
        "500_004",
        "not an order yet"
    );
    assert_eq!(client.order(units(1), &[]).await["code"], "500_006");
    assert_eq!(client.order(units(1), &[]).await["success"], true);
    let wrong = client
        .ask(
            &format!("{TRADE}/alibaba.trade.createCrossOrder"),
            &[("flow", "usual")],
        )
        .await;
    assert_eq!(
        wrong["error_code"], "gw.ParamMissing",
        "a flow that is none"
    );
}

#[tokio::test]
async fn one_of_two_orders_of_a_split_purchase_is_closed() {
    let client = CnClient::new();
    let apart = Cn1688Product {
        part: 1,
        ..Cn1688Product::simple(7, "seller-1", SPEC, 100, 9)
    };
    client.cn1688.add_product(apart).unwrap();
    client.pushes_somewhere();
    let line = |offer: u64| json!({ "offerId": offer, "specId": SPEC, "quantity": 1 });
    let answer = client
        .order(json!([line(5), line(7)]), &[("outOrderId", "SO-1")])
        .await;
    let orders = answer["result"]["orderList"].clone();
    let (first, second) = (text(&orders[0]["orderId"]), text(&orders[1]["orderId"]));
    client.clock.advance(Duration::from_secs(1));
    client
        .act(json!({ "action": "close_order", "order_id": second }))
        .await;
    let api = format!("{TRADE}/alibaba.trade.getBuyerOrderList");
    let list = client.ask(&api, &[("outOrderId", "SO-1")]).await;
    let of = |id: &str| {
        let mut all = list["result"].as_array().unwrap().iter();
        all.find(|order| order["baseInfo"]["idOfStr"] == id)
            .unwrap()
            .clone()
    };
    assert_eq!(of(first)["baseInfo"]["status"], "waitbuyerpay");
    assert!(of(first)["baseInfo"].get("closeReason").is_none());
    let base = &of(second)["baseInfo"];
    assert_eq!(
        (
            &base["status"],
            &base["closeReason"],
            &base["closeOperateType"]
        ),
        (
            &json!("cancel"),
            &json!("sellerGoodsLack"),
            &json!("CLOSE_TRADE_BY_SELLER")
        )
    );
    assert_eq!(of(second)["productItems"][0]["status"], "cancel");
    let closed = (
        "ORDER_BUYER_VIEW_ORDER_SELLER_CLOSE".to_owned(),
        "cancel".to_owned(),
    );
    assert_eq!(client.messages(2), [closed]);
    let again = json!({ "action": "close_order", "order_id": second });
    let reason = refused(client.cn1688.router(), again).await;
    assert!(reason.contains("Cancel"), "{reason}");
}

#[tokio::test]
async fn each_who_closes_an_unpaid_order_at_1688_has_a_message_and_a_reason_of_its_own() {
    for (by, topic, reason, kind) in [
        (
            "buyer",
            "BUYER_CLOSE",
            "buyerCancel",
            "CLOSE_TRADE_BY_BUYER",
        ),
        (
            "seller",
            "SELLER_CLOSE",
            "sellerGoodsLack",
            "CLOSE_TRADE_BY_SELLER",
        ),
        (
            "marketplace",
            "BOPS_CLOSE",
            "BUYER_NO_PAY",
            "CLOSE_TRADE_BY_BOPS",
        ),
    ] {
        let client = CnClient::new();
        client.pushes_somewhere();
        let id = client.placed().await;
        let path = format!("/orders/{id}/close");
        assert_eq!(
            client.control(&path, json!({ "by": by })).await,
            StatusCode::OK
        );
        let base = client.read(&id).await["baseInfo"].clone();
        assert_eq!(
            (text(&base["closeReason"]), text(&base["closeOperateType"])),
            (reason, kind)
        );
        let topic = format!("ORDER_BUYER_VIEW_ORDER_{topic}");
        assert_eq!(client.messages(1), [(topic, "cancel".to_owned())]);
    }
}

#[tokio::test]
async fn the_buyers_own_cancelling_at_1688_has_the_buyers_message() {
    let client = CnClient::new();
    client.pushes_somewhere();
    let id = client.placed().await;
    client.clock.advance(Duration::from_secs(10));
    let params = [
        ("webSite", "1688"),
        ("tradeID", &id),
        ("cancelReason", "other"),
    ];
    let answer = client
        .ask(&format!("{TRADE}/alibaba.trade.cancel"), &params)
        .await;
    assert_eq!(answer["success"], true);
    let topic = "ORDER_BUYER_VIEW_ORDER_BUYER_CLOSE".to_owned();
    assert_eq!(client.messages(1), [(topic, "cancel".to_owned())]);
    assert_eq!(client.read(&id).await["baseInfo"]["closeReason"], "other");
}

#[tokio::test]
async fn a_paid_order_at_1688_is_paid_back_before_it_is_sent() {
    let client = CnClient::new();
    client.pushes_somewhere();
    let id = client.placed().await;
    assert_eq!(client.refunds(&id, "3").await, json!([]));
    client.cn1688.pay(number(&id)).unwrap();
    client
        .act(json!({ "action": "close_order", "order_id": id }))
        .await;
    let order = client.read(&id).await;
    let base = &order["baseInfo"];
    assert_eq!(
        (&base["status"], &base["refundStatus"]),
        (&json!("cancel"), &json!("refundsuccess"))
    );
    assert_eq!(
        (&base["refund"], &base["refundPayment"]),
        (&json!(44.1), &json!(4_410))
    );
    let line = &order["productItems"][0];
    assert_eq!(
        (&line["refund"], &line["refundStatus"]),
        (&json!(36.1), &json!("REFUND_SUCCESS"))
    );
    let refunds = client.refunds(&id, "3").await;
    assert_eq!(
        (&refunds[0]["refundPayment"], &refunds[0]["refundCarriage"]),
        (&json!(3_610), &json!(800))
    );
    assert_eq!(
        (&refunds[0]["status"], &refunds[0]["refundId"]),
        (&json!("refundsuccess"), &base["refundId"])
    );
    assert_eq!(
        client.refunds(&id, "1").await,
        json!([]),
        "none is under way"
    );
    let message =
        |topic: &str, status: &str| (format!("ORDER_BUYER_VIEW_ORDER_{topic}"), status.to_owned());
    let expected = [
        message("BUYER_REFUND_IN_SALES", "refundsuccess"),
        message("SELLER_CLOSE", "cancel"),
    ];
    assert_eq!(client.messages(2), expected);
    let pushed = client.cn1688.pushes()[2].data["data"]["refundId"].clone();
    assert_eq!(format!("TQ{}", text(&pushed)), text(&base["refundId"]));
    assert_eq!(
        client.cn1688.order(number(&id)).unwrap().refunded_fen,
        4_410
    );
}

#[tokio::test]
async fn an_order_at_1688_that_is_sent_is_not_closed() {
    let client = CnClient::new();
    let id = client.placed().await;
    client.cn1688.pay(number(&id)).unwrap();
    client.cn1688.ship(number(&id), 1).unwrap();
    let close = json!({ "action": "close_order", "order_id": id });
    let reason = refused(client.cn1688.router(), close).await;
    assert!(reason.contains("WaitBuyerReceive"), "{reason}");
    let nobody = json!({ "action": "close_order", "order_id": "1" });
    let got = control(client.cn1688.router(), "/supplier/act", &nobody).await;
    assert_eq!(got.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn traces_at_1688_are_what_carriers_write_and_a_parcel_that_comes_back_was_not_signed_for() {
    for (action, words) in [("refuse_parcel", "拒收"), ("return_parcel", "退件已签收")] {
        let client = CnClient::new();
        client.pushes_somewhere();
        let id = client.placed().await;
        let left = "快件已被【杭州西湖区】代收点代收，请及时取件";
        let write = json!({ "action": "tracking_event", "order_id": id, "text": left });
        let early = refused(client.cn1688.router(), write.clone()).await;
        assert!(early.contains("no parcel"), "{early}");
        client.cn1688.pay(number(&id)).unwrap();
        client.cn1688.ship(number(&id), 1).unwrap();
        client.act(write).await;
        assert_eq!(client.parcel(&id).await["status"], "TRANSPORT");
        client.clock.advance(Duration::from_secs(3_600));
        client
            .act(json!({ "action": action, "order_id": id }))
            .await;
        assert_eq!(client.parcel(&id).await["status"], "UNSIGN");
        let steps = client.steps(&id).await;
        assert_eq!(
            steps[1],
            json!({ "acceptTime": "2026-11-02 20:00:01", "remark": left })
        );
        assert!(
            text(&steps[2]["remark"]).contains(words),
            "the oldest first: {steps}"
        );
        let pushes = client.cn1688.pushes();
        let changed = |push: &Value| push["OrderLogisticsTracingModel"]["statusChanged"].clone();
        let last = pushes.last().unwrap();
        assert_eq!(last.topic, "LOGISTICS_BUYER_VIEW_TRACE");
        assert_eq!(changed(&last.data["data"]), "FAILED");
        let view = client.cn1688.order(number(&id)).unwrap();
        assert_eq!(view.status, Cn1688Status::WaitBuyerReceive);
        assert_eq!((view.failed.len(), view.events.len()), (1, 2));
    }
}

#[tokio::test]
async fn a_consent_at_1688_ends_with_its_refresh_token() {
    let client = CnClient::new();
    client
        .act(json!({ "action": "end_consent", "in_s": 3_600 }))
        .await;
    let refresh = async || {
        let path = format!("http/1/system.oauth2/getToken/{}", defaults::CN1688_APP_KEY);
        let params = owned(&[
            ("grant_type", "refresh_token"),
            ("client_id", defaults::CN1688_APP_KEY),
            ("client_secret", defaults::CN1688_APP_SECRET),
            ("refresh_token", defaults::CN1688_REFRESH_TOKEN),
        ]);
        client
            .send(&path, params, defaults::CN1688_APP_SECRET)
            .await
            .json()
    };
    assert!(refresh().await["access_token"].is_string());
    client.clock.advance(Duration::from_secs(3_601));
    assert_eq!(refresh().await["error"], "invalid_grant");
    let api = format!("{TRADE}/alibaba.trade.getBuyerOrderList");
    assert_eq!(
        client.ask(&api, &[]).await["totalRecord"],
        0,
        "an access token lives to its own end"
    );
    client.cn1688.revoke_consent();
    let action = json!({ "action": "end_consent", "in_s": 1 });
    let reason = refused(client.cn1688.router(), action).await;
    assert!(reason.contains("no consent"), "{reason}");
}
