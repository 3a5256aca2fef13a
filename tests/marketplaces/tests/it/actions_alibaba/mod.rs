//! What happens on the sellers' side of Alibaba's two platforms: done over HTTP, and read through the platforms' own APIs.

mod cn1688;
mod icbu;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use http::StatusCode;
use kervan_marketplaces::Clock;
use kervan_marketplaces::Takes;
use kervan_marketplaces::alibaba::icbu::TradeStatus;
use serde_json::Value;
use serde_json::json;
use tower::ServiceExt;

use crate::alibaba_client::CnClient;
use crate::alibaba_client::IcbuClient;
use crate::common::Got;
use crate::common::call;

pub(crate) const TRADE: &str = "com.alibaba.trade";

pub(crate) async fn control(router: Router, path: &str, body: &Value) -> Got {
    let request = Request::post(format!("/_control{path}"))
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    call(router, request).await
}

pub(crate) async fn act(router: Router, action: Value) {
    let got = control(router, "/supplier/act", &action).await;
    assert_eq!(got.status, StatusCode::OK, "{action}: {:?}", got.body);
}

/// The reason of a refusal.
pub(crate) async fn refused(router: Router, action: Value) -> String {
    let got = control(router, "/supplier/act", &action).await;
    assert_eq!(got.status, StatusCode::CONFLICT, "{action}");
    got.json()["error"].as_str().unwrap().to_owned()
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

pub(crate) fn number(id: &str) -> u64 {
    id.parse().unwrap()
}

#[tokio::test]
async fn calls_at_both_platforms_take_as_long_as_was_said() {
    let slow = json!({ "action": "slow_calls", "takes_ms": 700 });
    let (icbu, cn) = (IcbuClient::new(), CnClient::new());
    icbu.act(slow.clone()).await;
    cn.act(slow).await;
    for (router, path) in [
        (icbu.icbu.router(), "/rest/alibaba/order/list".to_owned()),
        (
            cn.cn1688.router(),
            format!("/openapi/param2/1/{TRADE}/alibaba.trade.getBuyerOrderList/1"),
        ),
    ] {
        let request = Request::post(path).body(Body::empty()).unwrap();
        let answer = router.oneshot(request).await.unwrap();
        let takes = answer.extensions().get::<Takes>().copied();
        assert_eq!(takes, Some(Takes(Duration::from_millis(700))));
    }
}

#[tokio::test]
async fn lists_at_both_platforms_look_at_each_filter_and_refuse_a_status_that_is_none() {
    let client = IcbuClient::new();
    let id = client.placed().await;
    let list = async |name: &str, value: &str| {
        let params = [("role", "buyer"), (name, value)];
        client.ask("/alibaba/order/list", &params).await
    };
    let now = client.clock.now().as_millisecond() + 1;
    let then = json!({ "date_timestamp": now.to_string() }).to_string();
    assert_eq!(list("status", "unpayed").await["code"], "InvalidParameter");
    assert_eq!(
        list("status", "charge_back").await["value"]["total_count"],
        "0"
    );
    assert_eq!(
        list("create_date_end", &then).await["value"]["total_count"],
        "1"
    );
    assert_eq!(
        list("modified_date_start", &then).await["value"]["total_count"],
        "0"
    );
    client.clock.advance(Duration::from_secs(1));
    client
        .icbu
        .set_status(number(&id), TradeStatus::Frozen)
        .unwrap();
    assert_eq!(
        list("modified_date_start", &then).await["value"]["total_count"],
        "1"
    );

    let client = CnClient::new();
    client.placed().await;
    let list = async |name: &str, value: &str| {
        let api = format!("{TRADE}/alibaba.trade.getBuyerOrderList");
        client.ask(&api, &[(name, value)]).await
    };
    assert_eq!(
        list("orderStatus", "paid").await["error_code"],
        "gw.ParamMissing"
    );
    assert_eq!(list("orderStatus", "success").await["totalRecord"], 0);
    assert_eq!(list("orderStatus", "waitbuyerpay").await["totalRecord"], 1);
    assert_eq!(
        list("createEndTime", "20261102195959000+0800").await["totalRecord"],
        0
    );
    assert_eq!(
        list("modifyStartTime", "20261102200001000+0800").await["totalRecord"],
        0
    );
    assert_eq!(
        list("modifyEndTime", "20261102200001000+0800").await["totalRecord"],
        1
    );
}

#[tokio::test]
async fn both_gateways_answer_another_method_in_their_own_words() {
    let put = |path: &str| Request::put(path).body(Body::empty()).unwrap();
    let icbu = call(
        IcbuClient::new().icbu.router(),
        put("/rest/alibaba/order/list"),
    )
    .await;
    assert_eq!(icbu.json()["code"], "InvalidApiPath");
    let cn = call(
        CnClient::new().cn1688.router(),
        put("/openapi/param2/1/a/b/c"),
    )
    .await;
    assert_eq!(cn.json()["error_code"], "gw.APIUnsupported");
}
