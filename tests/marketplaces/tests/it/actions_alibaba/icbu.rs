//! Alibaba.com.

use std::time::Duration;

use http::StatusCode;
use kervan_marketplaces::Clock;
use kervan_marketplaces::defaults;
use serde_json::Value;
use serde_json::json;

use crate::actions_alibaba::act;
use crate::actions_alibaba::control;
use crate::actions_alibaba::number;
use crate::actions_alibaba::refused;
use crate::actions_alibaba::text;
use crate::alibaba_client::IcbuClient;
use crate::alibaba_client::owned;

impl IcbuClient {
    pub(crate) async fn act(&self, action: Value) {
        act(self.icbu.router(), action).await;
    }

    /// Places an order of two and waits until it can be read.
    pub(crate) async fn placed(&self) -> String {
        let id = text(&self.order(|_, _| ()).await["value"]["trade_id"]).to_owned();
        self.clock.advance(Duration::from_secs(1));
        id
    }

    pub(crate) async fn read(&self, id: &str) -> Value {
        let answer = self.ask("/alibaba/order/get", &[("e_trade_id", id)]).await;
        answer["value"].clone()
    }

    pub(crate) async fn tracked(&self, id: &str) -> Value {
        let path = "/order/logistics/tracking/get";
        let answer = self.ask(path, &[("trade_id", id)]).await;
        answer["tracking_list"][0].clone()
    }

    pub(crate) async fn refresh(&self) -> Value {
        let params = owned(&[("refresh_token", defaults::ALIBABA_REFRESH_TOKEN)]);
        let got = self
            .send("/auth/token/refresh", params, defaults::ALIBABA_APP_SECRET)
            .await;
        got.json()
    }

    /// The statuses that were pushed.
    pub(crate) fn topics(&self) -> Vec<String> {
        let pushes = self.icbu.pushes().into_iter();
        pushes.map(|push| push.topic).collect()
    }
}

#[tokio::test]
async fn an_order_at_alibaba_com_tells_tax_duty_and_the_sellers_sum_only_once_it_is_placed() {
    let client = IcbuClient::new();
    let before = client.placed().await;
    client
        .act(json!({ "action": "tax_on_top", "percent": 20 }))
        .await;
    client
        .act(json!({ "action": "import_charges", "cents": 150 }))
        .await;
    client
        .act(json!({ "action": "charge_more", "percent": 10 }))
        .await;
    let goods = json!([{ "product_id": "5", "sku_id": "51", "quantity": "2" }]);
    let freight = [
        ("e_company_id", "c8G3=="),
        ("destination_country", "US"),
        ("logistics_product_list", &goods.to_string()),
    ];
    let quoted = client.ask("/order/freight/calculate", &freight).await;
    assert_eq!(quoted["value"][0]["fee"]["amount"], "4.67");
    let answer = client.order(|_, _| ()).await;
    assert_eq!(
        answer["value"].as_object().unwrap().len(),
        2,
        "no sum: {answer}"
    );
    client.clock.advance(Duration::from_secs(1));
    let order = client.read(text(&answer["value"]["trade_id"])).await;
    let amounts = [
        ("product_total_amount", "7.38"),
        ("shipment_fee", "4.67"),
        // A fifth of the goods, and a tenth of goods and freight, rounded up.
        ("vat_amount", "1.48"),
        ("duty_amount", "1.50"),
        ("adjust_amount", "1.21"),
        ("total_amount", "16.24"),
    ];
    for (name, amount) in amounts {
        assert_eq!(
            order[name],
            json!({ "amount": amount, "currency": "USD" }),
            "{name}"
        );
    }
    let untouched = client.read(&before).await;
    assert_eq!(untouched["total_amount"]["amount"], "12.05");
    assert_eq!(untouched["vat_amount"]["amount"], "0.00");
    let view = &client.icbu.orders()[1];
    assert_eq!((view.quoted_cents, view.total_cents), (1_205, 1_624));
    assert_eq!(
        (view.vat_cents, view.duty_cents, view.adjusted_cents),
        (148, 150, 121)
    );
}

#[tokio::test]
async fn a_seller_at_alibaba_com_changes_the_sum_of_an_unpaid_order_and_of_no_other() {
    let client = IcbuClient::new();
    let id = client.placed().await;
    let path = format!("/orders/{id}/adjust");
    let adjust = async |cents: i64| {
        let body = json!({ "cents": cents });
        control(client.icbu.router(), &path, &body).await.status
    };
    assert_eq!(adjust(-105).await, StatusCode::OK);
    let order = client.read(&id).await;
    assert_eq!(order["adjust_amount"]["amount"], "-1.05");
    assert_eq!(order["total_amount"]["amount"], "11.00");
    client.icbu.pay(number(&id)).unwrap();
    assert_eq!(adjust(500).await, StatusCode::CONFLICT);
    assert_eq!(
        client.icbu.order(number(&id)).unwrap().paid_cents,
        Some(1_100)
    );
}

#[tokio::test]
async fn alibaba_com_refuses_a_blocked_buyer_and_one_order_for_its_own_reason() {
    let client = IcbuClient::new();
    let code = async || {
        client
            .order(|goods, _| goods[0]["quantity"] = json!("1"))
            .await["code"]
            .clone()
    };
    client
        .act(json!({ "action": "block_account", "is_blocked": true }))
        .await;
    assert_eq!(code().await, "110001");
    assert_eq!(code().await, "110001", "until it is lifted");
    let list = client
        .ask("/alibaba/order/list", &[("role", "buyer")])
        .await;
    assert_eq!(list["code"], "0", "reading goes on");
    client
        .act(json!({ "action": "block_account", "is_blocked": false }))
        .await;
    client.act(json!({ "action": "refuse_next_order" })).await;
    assert_eq!(code().await, "4016");
    assert_eq!(code().await, "0", "one and no other");
    assert_eq!(client.icbu.counters().orders, 1);
}

#[tokio::test]
async fn an_order_at_alibaba_com_is_closed_and_a_paid_one_frozen_before() {
    let client = IcbuClient::new();
    let mut settings = client.icbu.settings();
    settings.push_url = Some("http://127.0.0.1:9/".to_owned());
    client.icbu.set_settings(settings);
    let close = |id: &str| json!({ "action": "close_order", "order_id": id });
    let unpaid = client.placed().await;
    client.act(close(&unpaid)).await;
    assert_eq!(client.read(&unpaid).await["trade_status"], "trade_close");
    assert_eq!(client.topics(), ["unpay", "trade_close"]);
    let paid = client.placed().await;
    client.icbu.pay(number(&paid)).unwrap();
    client.act(close(&paid)).await;
    assert_eq!(client.read(&paid).await["trade_status"], "trade_close");
    assert_eq!(
        client.topics()[2..],
        ["unpay", "undeliver", "frozen", "trade_close"]
    );
    let view = client.icbu.order(number(&paid)).unwrap();
    assert_eq!((view.paid_cents, view.refunded_cents), (Some(1_205), 1_205));
    let again = refused(client.icbu.router(), close(&paid)).await;
    assert!(again.contains("TradeClose"), "{again}");
}

#[tokio::test]
async fn tracking_at_alibaba_com_shows_what_carriers_write_and_no_delivery_of_a_parcel_that_comes_back()
 {
    for (action, words) in [
        ("refuse_parcel", "refused"),
        ("return_parcel", "To Original Sender"),
    ] {
        let client = IcbuClient::new();
        let id = client.placed().await;
        let write = json!({ "action": "tracking_event", "order_id": id, "text": "Arrived at local facility" });
        let early = refused(client.icbu.router(), write.clone()).await;
        assert!(early.contains("no parcel"), "{early}");
        client.icbu.pay(number(&id)).unwrap();
        client.icbu.ship(number(&id), 1).unwrap();
        client.act(write).await;
        client.clock.advance(Duration::from_secs(3_600));
        client
            .act(json!({ "action": action, "order_id": id }))
            .await;
        let parcel = client.tracked(&id).await;
        assert_eq!(parcel["current_event_code"], "IN_TRANSIT");
        let events = parcel["event_list"].as_array().unwrap();
        assert_eq!(events.len(), 3);
        assert!(
            text(&events[0]["event_name"]).contains(words),
            "the latest first: {events:?}"
        );
        assert_eq!(events[0]["event_time"], "2026-11-02 13:00:01");
        assert_eq!(events[1]["event_name"], "Arrived at local facility");
        assert_eq!(
            client.read(&id).await["trade_status"],
            "wait_confirm_receipt"
        );
        assert!(client.icbu.order(number(&id)).unwrap().parcels[0].failed);
    }
}

#[tokio::test]
async fn a_delivery_at_alibaba_com_stands_among_the_events_at_its_time() {
    let client = IcbuClient::new();
    let id = client.placed().await;
    client.icbu.pay(number(&id)).unwrap();
    client.icbu.ship(number(&id), 1).unwrap();
    client
        .act(json!({ "action": "tracking_event", "order_id": id, "text": "Out for delivery" }))
        .await;
    client.clock.advance(Duration::from_secs(60));
    client.icbu.deliver(number(&id)).unwrap();
    let parcel = client.tracked(&id).await;
    assert_eq!(parcel["current_event_code"], "DELIVERED");
    assert_eq!(parcel["event_list"][1]["event_name"], "Out for delivery");
}

#[tokio::test]
async fn a_consent_at_alibaba_com_tells_its_end_and_ends() {
    let client = IcbuClient::new();
    client
        .act(json!({ "action": "end_consent", "in_s": 3_600 }))
        .await;
    client.clock.advance(Duration::from_secs(600));
    let params = owned(&[("refresh_token", defaults::ALIBABA_REFRESH_TOKEN)]);
    let path = "/auth/token/refresh";
    let secret = defaults::ALIBABA_APP_SECRET;
    let tokens = client.send(path, params, secret).await.json();
    assert_eq!(tokens["refresh_expires_in"], "3000");
    client.clock.advance(Duration::from_secs(3_001));
    let params = owned(&[("refresh_token", text(&tokens["refresh_token"]))]);
    let late = client.send(path, params, secret).await.json();
    assert_eq!(late["code"], "IllegalRefreshToken");
    assert_eq!(client.refresh().await["code"], "IllegalRefreshToken");
    let list = client
        .ask("/alibaba/order/list", &[("role", "buyer")])
        .await;
    assert_eq!(list["code"], "0", "an access token lives to its own end");
    client.icbu.revoke_consent();
    let action = json!({ "action": "end_consent", "in_s": 1 });
    let reason = refused(client.icbu.router(), action).await;
    assert!(reason.contains("no consent"), "{reason}");
}

#[tokio::test]
async fn a_payment_at_alibaba_com_may_be_written_as_the_platforms_own_sample_is() {
    let client = IcbuClient::new();
    let id = client.placed().await;
    let pay = async |change: fn(&mut Value)| {
        let mut request = json!({
            "order_id_list": [id], "payment_method": "CREDIT_CARD", "user_ip": "203.0.113.7",
            "user_agent": "x", "accept_language": "en", "screen_resolution": "1*1",
            "is_pc": "true", "isv_drop_shipper_registration_time": "1616595118627",
        });
        change(&mut request);
        let params = [("param_order_pay_request", &*request.to_string())];
        client.ask("/alibaba/dropshipping/order/pay", &params).await
    };
    let refusals: [fn(&mut Value); 3] = [
        |request| request["is_pc"] = json!("yes"),
        |request| request["payment_method"] = json!("CHEQUE"),
        |request| request["order_id_list"] = Value::from(vec!["1"; 11]),
    ];
    for change in refusals {
        assert_eq!(pay(change).await["code"], "InvalidParameter");
    }
    assert_eq!(pay(|_| ()).await["value"]["status"], "PAY_SUCCESS");
}
