//! Refunds, taxes and fees at Amazon.

use http::StatusCode;
use kervan_marketplaces::Money;
use serde_json::Value;
use serde_json::json;

use super::LEDGER;
use super::World;
use super::ship;
use super::status;
use crate::amazon::client::Client;

fn refund(of: Value, ends: &str) -> Value {
    json!({ "action": "refund", "of": of, "ends": ends })
}

#[tokio::test]
async fn a_line_paid_back_is_in_the_ledger_alone() {
    let world = World::new().await;
    let whole_line = refund(json!({ "part": "line", "line": 0 }), "paid");
    world.refused(whole_line.clone(), "charges the buyer").await;
    world.act(ship(1, 1)).await;
    world.client.pass_s(60);
    let before = world.read().await;
    world.act(whole_line.clone()).await;
    assert_eq!(world.read().await, before, "no order shows a refund");
    world.client.pass_s(180);
    let ledger = world.ledger().await;
    assert_eq!(ledger.len(), 2);
    assert_eq!(ledger[0]["description"], "Order Payment");
    let back = &ledger[1];
    assert_eq!(
        (&back["transactionType"], &back["description"]),
        (&json!("Refund"), &json!("Refund Order"))
    );
    assert_eq!(back["transactionStatus"], "RELEASED");
    assert_eq!(back["postedDate"], "2026-11-02T12:11:00.000Z");
    let amount = json!({ "currencyCode": "USD", "currencyAmount": -39.98 });
    assert_eq!(back["totalAmount"], amount);
    assert_eq!(
        back["relatedIdentifiers"][0]["relatedIdentifierValue"],
        world.id.as_str()
    );
    let item = &back["items"][0];
    assert_eq!(
        (&item["contexts"][0]["sku"], &item["totalAmount"]),
        (&json!("LAMP"), &amount)
    );
    let line = &world.view().lines[0];
    assert_eq!((line.refunded_cents, line.refunded_whole), (3998, true));
    world.refused(whole_line, "nothing is left").await;
}

#[tokio::test]
async fn a_refund_waits_two_hours_before_the_ledger_has_it() {
    let world = World::new().await;
    world.act(ship(0, 2)).await;
    world.client.pass_s(60);
    world
        .act(refund(json!({ "part": "line", "line": 0 }), "pending"))
        .await;
    world.client.pass_s(7_199);
    let token = world.client.fresh().await;
    let world = World {
        client: Client {
            token,
            ..world.client
        },
        ..world
    };
    assert_eq!(world.ledger().await.len(), 1);
    assert!(!world.view().refunds[0].is_paid);
    assert_eq!(world.view().lines[0].refunded_cents, 0);
    assert_eq!(
        world.client.amazon.next_due(),
        Some(world.view().refunds[0].paid_at)
    );
    world.client.pass_s(1 + 121);
    assert_eq!(world.ledger().await.len(), 2);
    assert!(world.view().refunds[0].is_paid && world.view().lines[0].refunded_whole);
    world
        .refused(
            refund(json!({ "part": "line", "line": 0 }), "fails_later"),
            "no refund that fails",
        )
        .await;
}

#[tokio::test]
async fn a_part_or_all_of_an_order_can_be_paid_back() {
    let world = World::new().await;
    world.act(ship(0, 1)).await;
    world.client.pass_s(60);
    let part = |cents: i64| refund(json!({ "part": "part", "line": 0, "cents": cents }), "paid");
    world.refused(part(3999), "between 1 and 3998").await;
    world.act(part(998)).await;
    let line = &world.view().lines[0];
    assert_eq!((line.refunded_cents, line.refunded_whole), (998, false));
    world.client.pass_s(60);
    world.act(refund(json!({ "part": "order" }), "paid")).await;
    world.client.pass_s(180);
    let ledger = world.ledger().await;
    let amounts = ledger
        .iter()
        .map(|one| one["totalAmount"]["currencyAmount"].clone());
    let amounts: Vec<_> = amounts.collect();
    assert_eq!(amounts, [json!(16.99), json!(-9.98), json!(-35.0)]);
    assert_eq!(ledger[2]["items"].as_array().unwrap().len(), 2);
    assert_eq!(status(&world.read().await), "PARTIALLY_SHIPPED");
    assert!(world.view().lines.iter().all(|line| line.refunded_whole));
}

#[tokio::test]
async fn the_ledger_is_as_strict_as_its_model() {
    let world = World::new().await;
    world.act(ship(0, 2)).await;
    world.client.pass_s(180);
    for (query, status, found) in [
        ("", 400, 0),
        ("postedAfter=soon", 400, 0),
        ("postedAfter=2026-11-02T12:12:30Z", 400, 0),
        (
            "relatedIdentifierName=REFUND_ID&relatedIdentifierValue=1",
            400,
            0,
        ),
        (
            "postedAfter=2026-11-02T00:00:00Z&postedBefore=2026-11-02T12:13:00Z",
            400,
            0,
        ),
        ("postedAfter=2026-11-02T00:00:00Z&sort=asc", 400, 0),
        ("postedAfter=2026-11-02T00:00:00Z", 200, 1),
        (
            "postedAfter=2026-11-02T00:00:00Z&transactionStatus=DEFERRED",
            200,
            0,
        ),
        ("postedAfter=2026-01-02T00:00:00Z", 200, 0),
        // So Amazon documents it for orders that the merchant ships in the United States.
        (
            "postedAfter=2026-11-02T00:00:00Z&marketplaceId=ATVPDKIKX0DER",
            200,
            0,
        ),
    ] {
        let got = world.client.get(&format!("{LEDGER}?{query}")).await;
        assert_eq!(got.status.as_u16(), status, "{query}");
        let list = got.json()["payload"]["transactions"].clone();
        assert_eq!(list.as_array().map_or(0, Vec::len), found, "{query}");
    }
}

#[tokio::test]
async fn a_tax_that_amazon_collects_is_in_the_sum_and_has_its_own_part() {
    let world = World::new().await;
    world
        .act(json!({ "action": "collect_tax", "cents_a_line": 250, "reference": null }))
        .await;
    let order = world.read().await;
    assert_eq!(order["proceeds"]["grandTotal"]["amount"], "49.98");
    let tax = json!({ "amount": "5.00", "currencyCode": "USD" });
    assert_eq!(
        order["proceeds"]["breakdowns"][1],
        json!({ "type": "TAX", "subtotal": tax })
    );
    let line = &order["orderItems"][0];
    let of_line = json!({ "amount": "2.50", "currencyCode": "USD" });
    let part = json!({ "type": "TAX", "subtotal": of_line,
        "detailedBreakdowns": [{ "subtype": "ITEM", "value": of_line }] });
    assert_eq!(line["proceeds"]["breakdowns"][2], part);
    assert_eq!(line["proceeds"]["proceedsTotal"]["amount"], "42.48");
    assert_eq!(
        line["proceeds"]["breakdowns"][0]["subtotal"]["amount"],
        "39.98"
    );
    let collected = json!({ "taxCollections": [{ "model": "MARKETPLACE_FACILITATOR",
        "responsibleParty": "Amazon Services, Inc." }] });
    assert_eq!(line["tax"], collected);
    assert!(line["fulfillment"].get("shipping").is_none());
    assert_eq!(world.view().lines[0].tax_cents, 250);
    let nothing = json!({ "action": "collect_tax", "cents_a_line": 0, "reference": null });
    assert_eq!(
        world.try_to(nothing).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
}

#[tokio::test]
async fn an_ioss_number_stands_with_each_line() {
    let world = World::new().await;
    let number = "IM3720000000";
    world
        .act(json!({ "action": "collect_tax", "cents_a_line": 250, "reference": number }))
        .await;
    let order = world.read().await;
    for line in [0, 1] {
        let line = &order["orderItems"][line];
        let shipping = json!({ "internationalShipping": { "iossNumber": number } });
        assert_eq!(line["fulfillment"]["shipping"], shipping);
        let schemes = json!([{ "reportingScheme": "IOSS" }]);
        assert_eq!(line["tax"]["taxCalculationBreakdowns"], schemes);
    }
    assert_eq!(world.view().tax_reference.as_deref(), Some(number));
}

#[tokio::test]
async fn a_fee_is_told_by_the_ledger_or_not_at_all() {
    let world = World::new().await;
    let report = |how: &str| json!({ "action": "report_fee", "how": how });
    world.act(ship(0, 2)).await;
    world.client.pass_s(180);
    world.act(report("never")).await;
    assert_eq!(world.ledger().await, Vec::<Value>::new());
    world.act(report("on_request")).await;
    let sale = world.ledger().await[0].clone();
    assert_eq!(sale["transactionType"], "Shipment");
    assert_eq!(sale["totalAmount"]["currencyAmount"], 33.98);
    let expenses = &sale["breakdowns"][1];
    assert_eq!(expenses["breakdownType"], "Expenses");
    assert_eq!(expenses["breakdowns"][0]["breakdownType"], "AmazonFees");
    assert_eq!(
        expenses["breakdowns"][0]["breakdownAmount"]["currencyAmount"],
        -6.0
    );
    assert!(
        !world.read().await.to_string().contains("ee\":"),
        "no order tells a fee"
    );
    assert_eq!(world.view().fee, Money::usd(675));
    world.refused(report("always"), "only the ledger").await;
    world
        .refused(report("other_currency"), "another currency")
        .await;
}
