//! Every sample of the contract through the roles.

use crate::aliexpress::common::{
    Gateway, buyer, contract, demo, folder, line, offer, purchase, reference, sample, shop,
    shop_with,
};
use kervan::{
    domain::{LineId, SupplierOrderId},
    marketplaces::{
        Buy, CallError, Effect, Examine, Kind, Placed, Quote, QuoteRequest, ReadStock, Retry,
        SupplierOrder, SupplierState, Verdict, Wanted,
    },
};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) const PRODUCT: &str = "aliexpress.ds.product.get";
pub(crate) const FREIGHT: &str = "aliexpress.ds.freight.query";
pub(crate) const CREATE: &str = "aliexpress.ds.order.create";
pub(crate) const ORDER: &str = "aliexpress.trade.ds.order.get";
pub(crate) const TRACKING: &str = "aliexpress.ds.order.tracking.get";
const REFRESH: &str = "/auth/token/refresh";
const VARIANT: &str = "12000027158136202";

/// Samples of calls that Kervan does not make.
const OTHERS: [&str; 8] = [
    "auth.token.create.sdk_envelope",
    "ds.address.get.success",
    "ds.feed.itemids.get.success",
    "ds.feed.itemids.get.variant",
    "ds.feedname.get.success",
    "ds.image.searchV2.success",
    "ds.product.wholesale_tier",
    "ds.text.search.success",
];

/// Samples that the tests below read.
pub(crate) const READ: [&str; 15] = [
    "auth.token.create.success",
    "auth.token.create.via_sync_wrapper",
    "auth.token.refresh.success",
    "ds.freight.query.not_deliverable",
    "ds.freight.query.success",
    "ds.member.benefit.get.success",
    "ds.order.create.address_fail",
    "ds.order.create.request",
    "ds.order.create.success",
    "ds.order.tracking.get.not_found",
    "ds.order.tracking.get.success",
    "ds.product.get.result",
    "response_demo",
    "trade.ds.order.get.foreign_order",
    "trade.ds.order.get.success",
];

async fn place(body: Value) -> Result<Placed, CallError> {
    let gateway = Arc::new(Gateway::saying(CREATE, body));
    let lines = [line(
        offer("1005004638293060", "1"),
        1,
        "",
        "14:365458#Brown",
    )];
    let (reference, buyer) = (reference(), buyer());
    let shop = shop(&gateway);
    shop.place(&purchase(&reference, &lines, &buyer)).await
}

async fn order(order: Value, tracking: Value) -> Result<SupplierOrder, CallError> {
    let gateway = Arc::new(Gateway::saying(ORDER, order).and(TRACKING, tracking));
    let id = SupplierOrderId::parse("8198352049851315").unwrap();
    shop(&gateway).supplier_order(&id).await
}

async fn quote(product: Value, freight: Value) -> Result<Quote, CallError> {
    let gateway = Arc::new(Gateway::saying(PRODUCT, product).and(FREIGHT, freight));
    let wanted = [Wanted {
        line: LineId::parse("1").unwrap(),
        offer: offer("4000903675543", VARIANT),
        quantity: 2,
    }];
    let request = QuoteRequest {
        wanted: &wanted,
        ship_to: &"US".parse().unwrap(),
    };
    shop(&gateway).quote(&request).await
}

#[test]
fn no_sample_is_left_unread() {
    let Some(folder) = folder() else { return };
    for file in std::fs::read_dir(folder.join("samples/ds")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let name = name.trim_end_matches(".json");
        assert!(
            OTHERS.contains(&name) || READ.contains(&name),
            "{name} is new"
        );
    }
}

#[tokio::test]
async fn products_give_evidence_in_both_shapes() {
    let (Some(page), Some(demo)) = (sample("ds.product.get.result"), demo(PRODUCT)) else {
        return;
    };
    for body in [page, demo] {
        let gateway = Arc::new(Gateway::saying(PRODUCT, body));
        let offers = [VARIANT, "1"].map(|variant| offer("4000903675543", variant));
        let country = "CA".parse().unwrap();
        let stock = shop(&gateway).stock(&offers, &country).await;
        let stock = stock.unwrap();
        let evidence = stock[0].as_ref().unwrap().as_ref().unwrap();
        assert_eq!((evidence.stock, evidence.cost.minor), (57, 394));
        assert_eq!(stock[1], Ok(None));
    }
}

#[tokio::test]
async fn freight_gives_the_option_and_its_decimal_fee() {
    let (Some(product), Some(page), Some(demo), Some(nowhere)) = (
        sample("ds.product.get.result"),
        sample("ds.freight.query.success"),
        demo(FREIGHT),
        sample("ds.freight.query.not_deliverable"),
    ) else {
        return;
    };
    let terms = |quote: Quote| {
        let line = quote.lines.into_iter().next().unwrap();
        (
            line.shipping_option,
            line.shipping.minor,
            line.variant_attributes,
        )
    };
    let attributes = "73:175#Black Green;71:193#Polarized".to_owned();
    let found = terms(quote(product.clone(), page).await.unwrap());
    assert_eq!(
        found,
        ("CAINIAO_STANDARD".to_owned(), 17271, attributes.clone())
    );
    let found = terms(quote(product.clone(), demo).await.unwrap());
    assert_eq!(
        found,
        ("CAINIAO_FULFILLMENT_STD".to_owned(), 199, attributes)
    );
    let error = quote(product, nowhere).await.unwrap_err();
    assert_eq!(
        (error.kind, error.retry),
        (Kind::NotDeliverable, Retry::Permanent)
    );
}

#[tokio::test]
async fn orders_are_placed_or_refused_as_the_samples_say() {
    let (Some(page), Some(demo), Some(address)) = (
        sample("ds.order.create.success"),
        demo(CREATE),
        sample("ds.order.create.address_fail"),
    ) else {
        return;
    };
    let placed = place(page).await.unwrap();
    assert_eq!(placed.supplier_orders[0].as_str(), "8198352049851315");
    let placed = place(demo).await.unwrap();
    assert_eq!(placed.supplier_orders[0].as_str(), "1000000000");
    let error = place(address).await.unwrap_err();
    assert_eq!(
        (error.kind, error.effect),
        (Kind::AddressRefused, Effect::None)
    );
}

#[tokio::test]
async fn an_order_and_its_parcels_are_read() {
    let (Some(page), Some(tracking), Some(none)) = (
        sample("trade.ds.order.get.success"),
        sample("ds.order.tracking.get.success"),
        sample("ds.order.tracking.get.not_found"),
    ) else {
        return;
    };
    let found = order(page.clone(), tracking).await.unwrap();
    assert_eq!(found.state, SupplierState::Delivered);
    let parcel = &found.parcels[0];
    assert_eq!(
        parcel.tracking_number.as_str(),
        "4209795192144903600008220012159992"
    );
    let content = &parcel.contents[0];
    assert_eq!(
        (content.product.as_str(), content.quantity),
        ("1005008453688391", 1)
    );
    let untracked = order(page, none).await.unwrap();
    assert_eq!(
        untracked.parcels[0].tracking_number.as_str(),
        "LP00675700340000"
    );
    assert_eq!(untracked.parcels[0].carrier, "CAINIAO_FULFILLMENT_STD");
}

#[tokio::test]
async fn the_reference_pages_demos_of_orders_are_read() {
    let (Some(demo_order), Some(demo_tracking), Some(foreign)) = (
        demo(ORDER),
        demo(TRACKING),
        sample("trade.ds.order.get.foreign_order"),
    ) else {
        return;
    };
    let closed = order(demo_order.clone(), demo_tracking.clone())
        .await
        .unwrap();
    let code = "CANCELED".to_owned();
    assert_eq!(closed.state, SupplierState::Closed { code });
    let mut open = demo_order;
    let result = &mut open["aliexpress_trade_ds_order_get_response"]["result"];
    result["child_order_list"][0]["end_reason"] = Value::Null;
    let shipped = order(open, demo_tracking).await.unwrap();
    let content = &shipped.parcels[0].contents[0];
    assert_eq!(
        (content.product.as_str(), content.quantity),
        ("1005005511268056", 1)
    );
    assert_eq!(
        shipped.state,
        SupplierState::Delivered,
        "its one parcel was delivered"
    );
    let error = order(foreign, Value::Null).await.unwrap_err();
    assert_eq!((error.kind, error.effect), (Kind::NotFound, Effect::None));
}

#[tokio::test]
async fn tokens_are_read_in_every_shape_and_null_is_none() {
    let names = [
        ("auth.token.create.success", Some("ACCESS_TOKEN_EXAMPLE")),
        (
            "auth.token.create.via_sync_wrapper",
            Some("ACCESS_TOKEN_EXAMPLE"),
        ),
        ("auth.token.refresh.success", None),
    ];
    for (name, session) in names {
        let Some(mut token) = sample(name) else {
            return;
        };
        if let Some(inner) = token.get("/auth/token/create_response") {
            token = json!({"/auth/token/refresh_response": inner});
        }
        let gateway = Arc::new(Gateway::saying(PRODUCT, json!({"result": {}})).and(REFRESH, token));
        let stock = shop(&gateway)
            .stock(&[offer("1", "1")], &"US".parse().unwrap())
            .await;
        match session {
            Some(session) => assert_eq!(gateway.sent_to(PRODUCT)["session"], session),
            None => {
                let error = stock.unwrap().remove(0).unwrap_err();
                assert_eq!(error.kind, Kind::Unreadable);
            }
        }
    }
}

#[tokio::test]
async fn a_members_benefits_tell_whether_orders_are_paid() {
    let Some(page) = sample("ds.member.benefit.get.success") else {
        return;
    };
    let paid = async |body: Value| {
        let gateway = Arc::new(Gateway::saying("aliexpress.ds.member.benefit.get", body));
        let secret = json!({"environment": "production", "app_key": "1", "app_secret": "2",
                            "refresh_token": "3", "pay": true});
        let clock =
            kervan::clock::ManualClock::at(jiff::Timestamp::from_second(1_790_000_000).unwrap());
        let findings = shop_with(&secret, gateway, Arc::new(clock)).examine().await;
        let payment = findings
            .into_iter()
            .find(|finding| finding.what == "payment");
        payment.unwrap().verdict
    };
    assert_eq!(paid(page.clone()).await, Verdict::Good);
    let mut refused = page;
    refused["aliexpress_ds_member_benefit_get"]["result"][0]["canBenefit"] = json!("false");
    assert_eq!(paid(refused).await, Verdict::Bad);
}

#[tokio::test]
async fn every_error_sample_has_its_axes() {
    let Some(samples) = contract("samples/errors.json") else {
        return;
    };
    let body = |name: &str| samples["body"][name].clone();
    let refused = async |name: &str| {
        let error = place(body(name)).await.unwrap_err();
        (error.kind, error.effect)
    };
    assert_eq!(
        refused("signature").await,
        (Kind::Misconfigured, Effect::None)
    );
    assert_eq!(
        refused("api_call_limit").await,
        (Kind::Throttled, Effect::None)
    );
    assert_eq!(
        refused("illegal_access_token").await,
        (Kind::ConsentEnded, Effect::None)
    );
    assert_eq!(
        refused("iop_business_error").await,
        (Kind::NotFound, Effect::None)
    );
    let limited = place(body("top_rate_limit")).await.unwrap_err();
    assert_eq!(
        limited.retry,
        Retry::After(std::time::Duration::from_secs(3))
    );
    let ended = body("rest_gop_error");
    let gateway = Arc::new(Gateway::saying(PRODUCT, Value::Null).and(REFRESH, ended));
    let stock = shop(&gateway)
        .stock(&[offer("1", "1")], &"US".parse().unwrap())
        .await;
    let error = stock.unwrap().remove(0).unwrap_err();
    assert_eq!(error.kind, Kind::ConsentEnded);
}
