//! What a channel still wants of an order, as each adapter reads it once others have shipped, cancelled or paid back a part.

use crate::aliexpress::seller_simulator::{GATEWAYS, World as Shop};
use crate::amazon::simulator::World as AmazonWorld;
use crate::ebay::common::{World as EbayWorld, order_id};
use kervan::domain::{Cancel, OrderDetails, OrderLine};
use kervan::marketplaces::ReadOrders;
use kervan_marketplaces::amazon::AmazonNewOrder;
use kervan_marketplaces::ebay::{NewListing, NewOrder};
use kervan_marketplaces::{FeeReport, Money, OrderAction, Party, RefundEnd, RefundOf};
use serde_json::{Value, json};
use std::time::Duration;

/// Of each line: shipped, cancelled, paid back or about to be.
fn units(details: &OrderDetails) -> Vec<(u32, u32, u32)> {
    let lines = details.lines.iter();
    let gone = |line: &OrderLine| {
        let back = line.refunded + line.refunding;
        (line.shipped, line.cancelled, back)
    };
    lines.map(gone).collect()
}

const NOTHING: (u32, u32, u32) = (0, 0, 0);

fn by_hand(units: u32) -> OrderAction {
    OrderAction::ShipByHand { line: 0, units }
}

fn refund(of: RefundOf, ends: RefundEnd) -> OrderAction {
    OrderAction::Refund { of, ends }
}

struct Ebay {
    world: EbayWorld,
    order: String,
}

impl Ebay {
    /// An order of two lamps and a desk.
    async fn with_order(more: &Value) -> Self {
        let world = EbayWorld::start(more).await;
        for (sku, item) in [("LAMP", "110000000001"), ("DESK", "110000000002")] {
            world.simulators.ebay.add_listing(NewListing {
                listing_id: Some(item.to_owned()),
                ..NewListing::new(sku, Money::usd(1_999), 9)
            });
        }
        let new = NewOrder::of([("LAMP", 2), ("DESK", 1)]);
        let order = world.simulators.ebay.place_order(new).unwrap();
        world.pass(Duration::from_secs(5));
        Self { world, order }
    }

    fn act(&self, action: &OrderAction) {
        self.world.simulators.ebay.act(&self.order, action).unwrap();
    }

    async fn units(&self) -> Vec<(u32, u32, u32)> {
        let order = self.world.ebay.order(&order_id(&self.order)).await;
        units(&order.unwrap().details)
    }
}

#[tokio::test]
async fn ebays_sell_api_tells_units_by_the_parcels_and_refunds_by_the_line() {
    let shop = Ebay::with_order(&json!({})).await;
    assert_eq!(shop.units().await, [NOTHING, NOTHING]);
    let reads = || shop.world.simulators.ebay.counters().calls["getOrder"];
    let parcels = || {
        let calls = shop.world.simulators.ebay.counters().calls;
        calls.get("getShippingFulfillments").copied().unwrap_or(0)
    };
    assert_eq!(
        (reads(), parcels()),
        (1, 0),
        "parcels are read only where they tell something"
    );
    shop.act(&by_hand(1));
    assert_eq!(shop.units().await, [(1, 0, 0), NOTHING]);
    assert_eq!(parcels(), 1);
    shop.act(&by_hand(1));
    assert_eq!(shop.units().await, [(2, 0, 0), NOTHING]);
    assert_eq!(parcels(), 1);

    let part = RefundOf::Part {
        line: 1,
        cents: 1_998,
    };
    shop.act(&refund(part, RefundEnd::Paid));
    assert_eq!(
        shop.units().await[1],
        NOTHING,
        "a cent is left of the price"
    );
    let rest = RefundOf::Part { line: 1, cents: 1 };
    shop.act(&refund(rest, RefundEnd::Pending));
    assert_eq!(shop.units().await[1], (0, 0, 1));
}

#[tokio::test]
async fn a_refund_of_a_line_that_fails_at_ebay_leaves_it_to_be_sent() {
    let shop = Ebay::with_order(&json!({})).await;
    let desk = RefundOf::Line { line: 1 };
    shop.act(&refund(desk, RefundEnd::FailsLater));
    assert_eq!(shop.units().await[1], (0, 0, 1), "it is under way");
    let order = shop.world.ebay.order(&order_id(&shop.order)).await.unwrap();
    assert_eq!(
        (
            order.details.lines[1].refunded,
            order.details.lines[1].refunding
        ),
        (0, 1)
    );
    shop.world.pass(Duration::from_secs(120));
    assert_eq!(shop.units().await[1], NOTHING);
}

#[tokio::test]
async fn ebays_trading_api_tells_of_a_line_only_that_all_of_it_was_sent() {
    let shop = Ebay::with_order(&json!({ "orders": "trading" })).await;
    shop.act(&by_hand(1));
    assert_eq!(shop.units().await, [NOTHING, NOTHING]);
    shop.act(&by_hand(1));
    assert_eq!(shop.units().await, [(2, 0, 0), NOTHING]);
}

#[tokio::test]
async fn amazon_tells_units_that_were_shipped_and_lines_that_were_cancelled() {
    let world = AmazonWorld::start().await;
    let (id, _) = world.place(AmazonNewOrder::one("LAMP-1/+&=?", 2));
    world.pass(10);
    let amazon = &world.simulators.amazon;
    let read = async || world.amazon.order(&id).await.unwrap().details;
    assert_eq!(units(&read().await), [NOTHING]);
    amazon.act(id.as_str(), &by_hand(1)).unwrap();
    assert_eq!(units(&read().await), [(1, 0, 0)]);
    assert!(!read().await.fulfilled);

    let (id, _) = world.place(AmazonNewOrder::one("LAMP-1/+&=?", 2));
    world.pass(10);
    let cancel = OrderAction::CancelLine {
        line: 0,
        by: Party::Seller,
    };
    amazon.act(id.as_str(), &cancel).unwrap();
    let details = world.amazon.order(&id).await.unwrap().details;
    assert_eq!(units(&details), [(0, 2, 0)]);
    assert_eq!(details.cancel, Cancel::Done);
}

#[tokio::test]
async fn a_shop_of_aliexpress_tells_lines_that_were_sent_or_ended() {
    for (gateway, sign_method) in GATEWAYS {
        let world = Shop::start(gateway, sign_method).await;
        let (number, id) = world.sold(&[("CUP-RED", 2), ("LID-1", 1)]);
        world.pass(5);
        let act = |action: &OrderAction| {
            let number = number.to_string();
            world.simulators.aliexpress.act(&number, action).unwrap();
        };
        let read = async || units(&world.shop.order(&id).await.unwrap().details);
        assert_eq!(read().await, [NOTHING, NOTHING]);
        let line = RefundOf::Line { line: 1 };
        act(&refund(line, RefundEnd::Paid));
        assert_eq!(read().await, [NOTHING, (0, 1, 0)], "{gateway}");
        act(&by_hand(2));
        assert_eq!(read().await[0], (2, 0, 0), "{gateway}");
    }
}

#[tokio::test]
async fn tax_that_ebay_collects_is_no_revenue_at_either_of_its_apis() {
    for orders in ["fulfillment", "trading"] {
        let shop = Ebay::with_order(&json!({ "orders": orders })).await;
        let read = async || {
            let order = shop.world.ebay.order(&order_id(&shop.order)).await;
            order.unwrap().details
        };
        assert_eq!(read().await.total.to_string(), "59.97 USD", "{orders}");
        shop.act(&OrderAction::CollectTax {
            cents_a_line: 2_15,
            reference: None,
        });
        assert_eq!(read().await.total.to_string(), "59.97 USD", "{orders}");
        shop.act(&OrderAction::ReportFee {
            how: FeeReport::Always,
        });
        assert!(read().await.fee.minor > 7_00, "{orders}");
        shop.act(&OrderAction::ReportFee {
            how: FeeReport::OtherCurrency,
        });
        let fee = read().await.fee;
        assert_eq!((fee.currency.code(), fee.minor > 7_00), ("EUR", true));
        let back = refund(
            RefundOf::Part {
                line: 0,
                cents: 5_00,
            },
            RefundEnd::Paid,
        );
        shop.act(&back);
        assert_eq!(read().await.refunded_minor, 5_00, "{orders}");
    }
}
