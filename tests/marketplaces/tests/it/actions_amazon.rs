//! What the world does to orders at Amazon, done over HTTP and read through Amazon's own API.

mod money;

use axum::body::Body;
use http::Method;
use http::Request;
use http::StatusCode;
use kervan_marketplaces::Money;
use kervan_marketplaces::Takes;
use kervan_marketplaces::amazon::AmazonNewListing;
use kervan_marketplaces::amazon::AmazonNewOrder;
use kervan_marketplaces::amazon::AmazonOrderView;
use kervan_marketplaces::amazon::AmazonStatus;
use serde_json::Value;
use serde_json::json;
use std::time::Duration;
use tower::ServiceExt;

use crate::amazon::client::Client;
use crate::amazon::client::ORDERS;
use crate::amazon::client::detail;
use crate::common::Got;
use crate::common::encode;

/// Everything that a read of an order can ask for.
pub(crate) const ALL: &str =
    "includedData=BUYER,RECIPIENT,PROCEEDS,CANCELLATION,FULFILLMENT,PACKAGES,TAX";
pub(crate) const LEDGER: &str = "/finances/2024-06-19/transactions";

struct World {
    client: Client,
    id: String,
}

impl World {
    /// An order of two lamps and a vase.
    async fn new() -> Self {
        Self::of(AmazonNewOrder::of([("LAMP", 2), ("VASE", 1)])).await
    }

    async fn of(order: AmazonNewOrder) -> Self {
        let client = Client::new().await;
        let vase = AmazonNewListing::new("VASE", Money::usd(500), 9);
        client.amazon.add_listing(vase);
        let id = client.amazon.place_order(order).unwrap();
        client.pass_s(600);
        Self { client, id }
    }

    async fn try_to(&self, action: Value) -> Got {
        let path = format!("/orders/{}/act", self.id);
        self.client
            .control(Method::POST, &path, Some(&action))
            .await
    }

    async fn act(&self, action: Value) {
        let got = self.try_to(action.clone()).await;
        assert_eq!(got.status, StatusCode::OK, "{action}");
        assert_eq!(got.json()["order_id"], self.id.as_str());
    }

    /// That an action is refused, in which words, and that it changes nothing.
    async fn refused(&self, action: Value, because: &str) {
        let before = json!(self.view());
        let got = self.try_to(action.clone()).await;
        assert_eq!(got.status, StatusCode::CONFLICT, "{action}");
        let error = got.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(because), "{error}");
        assert_eq!(json!(self.view()), before);
    }

    fn view(&self) -> AmazonOrderView {
        self.client.amazon.order(&self.id).unwrap()
    }

    async fn read(&self) -> Value {
        let got = self
            .client
            .get(&format!("{ORDERS}/{}?{ALL}", self.id))
            .await;
        assert_eq!(got.status, StatusCode::OK);
        got.json()["order"].clone()
    }

    async fn list(&self) -> Got {
        let search = format!("{ORDERS}?lastUpdatedAfter=2026-11-01T00:00:00Z&{ALL}");
        self.client.get(&search).await
    }

    async fn ledger(&self) -> Vec<Value> {
        let of_order = format!(
            "relatedIdentifierName=ORDER_ID&relatedIdentifierValue={}",
            self.id
        );
        let got = self.client.get(&format!("{LEDGER}?{of_order}")).await;
        assert_eq!(got.status, StatusCode::OK);
        got.json()["payload"]["transactions"]
            .as_array()
            .unwrap()
            .clone()
    }
}

fn status(order: &Value) -> &str {
    order["fulfillment"]["fulfillmentStatus"].as_str().unwrap()
}

/// Units of a line that are sent, and that are still to be sent.
fn sent(order: &Value, line: usize) -> (u64, u64) {
    let units = &order["orderItems"][line]["fulfillment"];
    let unit = |name: &str| units[name].as_u64().unwrap();
    (unit("quantityFulfilled"), unit("quantityUnfulfilled"))
}

fn ship(line: usize, units: u32) -> Value {
    json!({ "action": "ship_by_hand", "line": line, "units": units })
}

fn hide(what: &str) -> Value {
    json!({ "action": "hide", "what": what })
}

#[tokio::test]
async fn units_shipped_by_hand_are_fulfilled_and_have_a_package() {
    let world = World::new().await;
    world.act(ship(0, 1)).await;
    let order = world.read().await;
    assert_eq!(status(&order), "PARTIALLY_SHIPPED");
    assert_eq!((sent(&order, 0), sent(&order, 1)), ((1, 1), (0, 1)));
    assert_eq!(order["lastUpdatedTime"], "2026-11-02T12:10:00.000Z");
    let package = &order["packages"][0];
    assert_eq!(package["packageItems"][0]["quantity"], 1);
    assert!(
        package["trackingNumber"]
            .as_str()
            .unwrap()
            .starts_with("9400")
    );

    // What Amazon's call tells goes beside it, and no unit can be told twice.
    let line = world.view().lines[0].order_item_id.clone();
    let twice = world.client.confirm(&world.id, &detail(&line, 2)).await;
    assert_eq!(twice.status, StatusCode::BAD_REQUEST);
    let rest = world.client.confirm(&world.id, &detail(&line, 1)).await;
    assert_eq!(rest.status, StatusCode::NO_CONTENT);
    let view = &world.view().lines[0];
    assert_eq!((view.shipped_by_api, view.shipped_by_hand), (1, 1));
    world.refused(ship(0, 1), "0 units are left").await;
    world.act(ship(1, 1)).await;
    assert_eq!(status(&world.read().await), "SHIPPED");
    let got = world.try_to(ship(7, 1)).await;
    assert_eq!(got.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_not_paid_or_not_the_sellers_to_ship_is_not_shipped_by_hand() {
    let pending = World::of(AmazonNewOrder::one("LAMP", 1).pending()).await;
    pending.refused(ship(0, 1), "not paid").await;
    let amazons = World::new().await;
    amazons.act(json!({ "action": "fulfil_by_channel" })).await;
    amazons.refused(ship(0, 1), "Amazon ships").await;
}

#[tokio::test]
async fn a_cancelled_line_says_by_whom_and_is_not_to_be_sent() {
    for (by, name) in [
        ("buyer", "BUYER"),
        ("seller", "MERCHANT"),
        ("marketplace", "AMAZON"),
    ] {
        let world = World::new().await;
        let cancel = |line: usize| json!({ "action": "cancel_line", "line": line, "by": by });
        world.act(cancel(0)).await;
        let order = world.read().await;
        assert_eq!(status(&order), "UNSHIPPED");
        let line = &order["orderItems"][0];
        assert_eq!(
            line["cancellation"]["cancellationExecution"],
            json!({ "cancelledBy": name })
        );
        assert_eq!(
            (&line["quantityOrdered"], sent(&order, 0)),
            (&json!(2), (0, 0))
        );
        assert_eq!(line["proceeds"]["proceedsTotal"]["amount"], "0.00");
        assert!(order["orderItems"][1].get("cancellation").is_none());
        assert_eq!(order["proceeds"]["grandTotal"]["amount"], "5.00");
        let view = &world.view().lines[0];
        assert_eq!((view.cancelled, view.cancelled_by), (2, Some(name)));
        world.refused(cancel(0), "the line is cancelled").await;

        // A parcel that holds the line is refused whole.
        let both = json!([
            { "orderItemId": view.order_item_id, "quantity": 2 },
            { "orderItemId": world.view().lines[1].order_item_id, "quantity": 1 },
        ]);
        let mut told = detail("", 1);
        told["orderItems"] = both;
        let got = world.client.confirm(&world.id, &told).await;
        assert_eq!(got.status, StatusCode::BAD_REQUEST);
        world.act(ship(1, 1)).await;
        assert_eq!(status(&world.read().await), "SHIPPED");
        world.refused(cancel(1), "shipped").await;
    }
}

#[tokio::test]
async fn an_order_whose_lines_are_all_cancelled_is_cancelled() {
    let world = World::new().await;
    for line in [0, 1] {
        world
            .act(json!({ "action": "cancel_line", "line": line, "by": "buyer" }))
            .await;
    }
    assert_eq!(status(&world.read().await), "CANCELLED");
    world
        .refused(
            json!({ "action": "cancel_order", "by": "buyer" }),
            "cancelled already",
        )
        .await;
}

#[tokio::test]
async fn a_cancelled_order_says_by_whom_on_each_line() {
    for (by, name) in [
        ("buyer", "BUYER"),
        ("seller", "MERCHANT"),
        ("marketplace", "AMAZON"),
    ] {
        let world = World::new().await;
        let cancel = json!({ "action": "cancel_order", "by": by });
        world.act(cancel.clone()).await;
        let order = world.read().await;
        assert_eq!(status(&order), "CANCELLED");
        for line in [0, 1] {
            let execution = &order["orderItems"][line]["cancellation"]["cancellationExecution"];
            assert_eq!(execution["cancelledBy"], name);
            assert_eq!(sent(&order, line), (0, 0));
        }
        assert_eq!(world.view().status, AmazonStatus::Cancelled);
        let shipped = World::new().await;
        shipped.act(ship(0, 1)).await;
        shipped.refused(cancel, "shipped").await;
    }
    let pending = World::of(AmazonNewOrder::one("LAMP", 1).pending()).await;
    pending
        .refused(
            json!({ "action": "cancel_order", "by": "seller" }),
            "pending",
        )
        .await;
    pending
        .act(json!({ "action": "cancel_order", "by": "marketplace" }))
        .await;
}

#[tokio::test]
async fn another_address_is_shown_and_moves_the_order() {
    let world = World::new().await;
    let mut buyer = json!(world.view().buyer);
    buyer["address_line1"] = json!("7 Other Street");
    buyer["city"] = json!("Albany");
    world.client.pass_s(60);
    let change = json!({ "action": "change_address", "buyer": buyer });
    world.act(change.clone()).await;
    let order = world.read().await;
    let address = &order["recipient"]["deliveryAddress"];
    assert_eq!(
        (&address["addressLine1"], &address["city"]),
        (&json!("7 Other Street"), &json!("Albany"))
    );
    assert_eq!(order["lastUpdatedTime"], "2026-11-02T12:11:00.000Z");
    world.act(ship(0, 2)).await;
    world.act(ship(1, 1)).await;
    world.refused(change, "over").await;
}

#[tokio::test]
async fn an_order_keeps_its_id_and_stays_one() {
    let world = World::new().await;
    world
        .refused(json!({ "action": "change_id" }), "one id")
        .await;
    let merge = json!({ "action": "merge_into", "order_id": "111-1111111-1111111" });
    world.refused(merge, "one order of two").await;
    let path = "/orders/111-1111111-1111111/act";
    let got = world
        .client
        .control(Method::POST, path, Some(&ship(0, 1)))
        .await;
    assert_eq!(got.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn withheld_data_is_absent() {
    let world = World::new().await;
    let whole = world.read().await;
    world.act(hide("country")).await;
    let address = world.read().await["recipient"]["deliveryAddress"].clone();
    assert!(address.get("countryCode").is_none() && address["name"].is_string());
    world.act(hide("masked")).await;
    let order = world.read().await;
    let left: Vec<_> = order["recipient"]["deliveryAddress"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(left, ["addressType", "city", "stateOrRegion"]);
    assert!(order.get("buyer").is_none());
    world.act(hide("address")).await;
    assert_eq!(world.read().await["recipient"], json!({}));
    assert_eq!(
        world.read().await["lastUpdatedTime"],
        whole["lastUpdatedTime"]
    );

    let world = World::new().await;
    world.act(hide("buyer")).await;
    let order = world.read().await;
    assert!(order.get("buyer").is_none() && order.get("recipient").is_none());
    assert_eq!(status(&order), "UNSHIPPED");
    let listed = world.list().await.json()["orders"][0].clone();
    assert_eq!(listed, order);
}

#[tokio::test]
async fn an_order_that_is_never_paid_or_under_review_is_pending() {
    let never = json!({ "action": "never_paid" });
    let review = json!({ "action": "review" });
    let world = World::new().await;
    world.act(review.clone()).await;
    let order = world.read().await;
    assert_eq!(status(&order), "PENDING");
    assert!(order.get("recipient").is_none() && order.get("proceeds").is_none());
    assert!(world.view().under_review);
    world.client.amazon.pay_order(&world.id).unwrap();
    assert_eq!(status(&world.read().await), "UNSHIPPED");
    assert!(!world.view().under_review);
    world.act(ship(0, 1)).await;
    world.refused(review, "shipped").await;
    world.refused(never.clone(), "shipped").await;

    let world = World::of(AmazonNewOrder::one("LAMP", 1).pending()).await;
    world.act(never).await;
    let pay = world
        .client
        .control(Method::POST, &format!("/orders/{}/pay", world.id), None)
        .await;
    assert_eq!(pay.status, StatusCode::CONFLICT);
    assert_eq!(status(&world.read().await), "PENDING");
    assert!(world.view().never_paid);
}

#[tokio::test]
async fn an_order_that_amazon_ships_says_so_and_shows_less_of_its_buyer() {
    let world = World::new().await;
    world.act(json!({ "action": "fulfil_by_channel" })).await;
    let order = world.read().await;
    assert_eq!(order["fulfillment"]["fulfilledBy"], "AMAZON");
    assert!(order.get("packages").is_none() && order["buyer"].get("buyerEmail").is_none());
    assert!(order["recipient"]["deliveryAddress"].get("phone").is_none());
    assert!(world.view().by_amazon);
    let shipped = World::new().await;
    shipped.act(ship(0, 1)).await;
    shipped
        .refused(json!({ "action": "fulfil_by_channel" }), "shipped")
        .await;
}

#[tokio::test]
async fn an_order_that_vanished_is_in_no_answer() {
    let world = World::new().await;
    world.act(ship(0, 1)).await;
    let line = world.view().lines[0].order_item_id.clone();
    world.client.pass_s(180);
    world.act(json!({ "action": "vanish" })).await;
    let got = world.client.get(&format!("{ORDERS}/{}", world.id)).await;
    assert_eq!(got.status, StatusCode::NOT_FOUND);
    assert_eq!(world.list().await.json()["orders"], json!([]));
    assert!(world.ledger().await.is_empty());
    let got = world.client.confirm(&world.id, &detail(&line, 1)).await;
    assert_eq!(got.status, StatusCode::NOT_FOUND);
    assert!(world.view().vanished);
}

#[tokio::test]
async fn a_spoiled_entry_lacks_its_time_in_every_read() {
    let world = World::new().await;
    world
        .act(json!({ "action": "spoil", "what": "entry" }))
        .await;
    let order = world.read().await;
    assert!(order.get("lastUpdatedTime").is_none() && order["createdTime"].is_string());
    let listed = world.list().await.json()["orders"][0].clone();
    assert!(listed.get("lastUpdatedTime").is_none());
    assert_eq!(listed["orderId"], world.id.as_str());
}

#[tokio::test]
async fn half_a_character_stands_in_every_read() {
    let world = World::new().await;
    world
        .act(json!({ "action": "spoil", "what": "character" }))
        .await;
    let one = world
        .client
        .get(&format!("{ORDERS}/{}?{ALL}", world.id))
        .await;
    for got in [one, world.list().await] {
        assert_eq!(got.headers["content-type"], "application/json");
        let text = std::str::from_utf8(&got.body).unwrap();
        assert!(text.contains(r#""title":"Article LAMP\ud83d""#), "{text}");
        assert_eq!(text.matches(r"\ud83d").count(), 3, "two titles and a name");
        assert!(serde_json::from_str::<Value>(text).is_err());
        let whole = text.replace(r"\ud83d", "");
        assert!(serde_json::from_str::<Value>(&whole).is_ok());
    }
}

#[tokio::test]
async fn the_oldest_order_of_a_page_moves_while_a_reader_turns_it() {
    let world = World::new().await;
    for _ in 0..2 {
        world.client.place(1);
        world.client.pass_s(60);
    }
    world.client.pass_s(300);
    let habits = json!({ "moves_while_paged": true });
    let set = world
        .client
        .control(Method::PATCH, "/lists", Some(&habits))
        .await;
    assert_eq!(set.status, StatusCode::OK);
    let shown = world
        .client
        .control(Method::GET, "/lists", None)
        .await
        .json();
    assert_eq!(
        shown,
        json!({ "moves_while_paged": true, "page_takes_ms": 0 })
    );
    let search = format!("{ORDERS}?lastUpdatedAfter=2026-11-01T00:00:00Z");
    let first = world
        .client
        .get(&format!("{search}&maxResultsPerPage=2"))
        .await
        .json();
    assert_eq!(first["orders"][0]["orderId"], world.id.as_str());
    let told = first["orders"][0]["lastUpdatedTime"].clone();
    assert_ne!(world.read().await["lastUpdatedTime"], told);
    let next = encode(first["pagination"]["nextToken"].as_str().unwrap());
    let second = world
        .client
        .get(&format!("{search}&paginationToken={next}"))
        .await
        .json();
    assert_eq!(
        second["orders"].as_array().unwrap().len(),
        1,
        "a token skips nothing"
    );
    let view = world.view().updated_at;
    world.client.pass_s(300);
    let again = world.client.get(&search).await.json();
    assert_eq!(
        again["orders"][2]["orderId"],
        world.id.as_str(),
        "it is the newest now"
    );
    assert_eq!(world.view().updated_at, view, "the last page moves nothing");
}

#[tokio::test]
async fn a_page_takes_its_time_and_a_single_read_does_not() {
    let world = World::new().await;
    let habits = json!({ "page_takes_ms": 1_500 });
    world
        .client
        .control(Method::PATCH, "/lists", Some(&habits))
        .await;
    let list = format!("{ORDERS}?lastUpdatedAfter=2026-11-01T00:00:00Z");
    let single = format!("{ORDERS}/{}", world.id);
    for (path, takes) in [(list, Some(1_500)), (single, None)] {
        let request = Request::get(path)
            .header("x-amz-access-token", &world.client.token)
            .body(Body::empty())
            .unwrap();
        let response = world.client.amazon.router().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let found = response.extensions().get::<Takes>();
        assert_eq!(
            found.copied(),
            takes.map(|ms| Takes(Duration::from_millis(ms)))
        );
    }
}

#[tokio::test]
async fn what_is_no_action_is_an_error_that_lists_them() {
    let world = World::new().await;
    let got = world.try_to(json!({ "action": "explode" })).await;
    assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY);
    let error = got.json()["error"].as_str().unwrap().to_owned();
    assert!(
        error.contains("ship_by_hand") && error.contains("vanish"),
        "{error}"
    );
}
