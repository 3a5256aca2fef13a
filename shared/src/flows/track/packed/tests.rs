use super::*;
use crate::domain::{
    Cancel, Event, MappedLine, Money, OfferId, OrderDetails, OrderLine, Payment, TrackingNumber,
};

fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

fn line_id() -> LineId {
    LineId::parse("1").unwrap()
}

fn usd(minor: i64) -> Money {
    let currency = "USD".parse().unwrap();
    Money { minor, currency }
}

/// An order of so many sets, each of two mugs and a plate, in one purchase; or, without a mapping, of mugs.
fn order(sets: u32, is_mapped: bool) -> Order {
    let at = Timestamp::UNIX_EPOCH;
    let details = OrderDetails {
        bought_at: at,
        modified_at: at,
        payment: Payment::Paid,
        cancel: Cancel::No,
        fulfilled: false,
        total: usd(99_99),
        fee: usd(0),
        refunded_minor: 0,
        country: "US".parse().unwrap(),
        lines: vec![OrderLine {
            id: line_id(),
            sku: "SET".to_owned(),
            quantity: sets,
            price: usd(99_99),
            ship_by: None,
            shipped: 0,
            shipped_whole: false,
            cancelled: 0,
            refunded: 0,
            refunding: 0,
        }],
    };
    let part = |text, units| Part {
        sku: sku(text),
        units,
    };
    let mapped = Event::Mapped {
        lines: vec![MappedLine {
            line: line_id(),
            parts: vec![part("MUG", 2), part("PLATE", 1)],
        }],
    };
    let bought = |text, product, quantity| PurchaseLine {
        line: line_id(),
        sku: sku(text),
        offer: OfferId::new("aliexpress:main".parse().unwrap(), product, "1").unwrap(),
        quantity,
        unit_cost: usd(1_00),
        shipping: usd(0),
        shipping_option: "STANDARD".to_owned(),
        variant_attributes: String::new(),
    };
    let key = "ebay:main/01-1".parse().unwrap();
    let mut order = Order::begin(key, at, &Event::Recorded { details }).unwrap();
    let lines = if is_mapped {
        order.apply(at, &mapped).unwrap();
        vec![bought("MUG", "7", 2 * sets), bought("PLATE", "8", sets)]
    } else {
        vec![bought("MUG", "7", sets)]
    };
    let planned = Event::Planned { purchase: 1, lines };
    order.apply(at, &planned).unwrap();
    order
}

/// A parcel seen after the others, with units of products; without any the supplier does not say what is in it.
fn see(order: &mut Order, contents: &[(&str, u32)]) -> Parcel {
    let number = format!("PARCEL{}", order.parcels.len() + 1);
    let content = |(product, quantity): &(&str, u32)| ParcelContent {
        product: (*product).to_owned(),
        variant: None,
        quantity: *quantity,
    };
    let parcel = SupplierParcel {
        tracking_number: TrackingNumber::parse(&number).unwrap(),
        carrier: "UPS".to_owned(),
        contents: contents.iter().map(content).collect(),
        delivered: false,
    };
    let now = Timestamp::UNIX_EPOCH;
    let new = new_parcel(
        order,
        &order.purchases[0],
        &parcel,
        &[],
        &order.parcels,
        now,
    );
    let seen = Event::ParcelSeen {
        parcel: new.clone(),
    };
    order.apply(now, &seen).unwrap();
    new
}

fn told(parcel: &Parcel) -> u32 {
    parcel.lines.iter().map(|line| line.quantity).sum()
}

#[test]
fn a_set_is_told_with_the_parcel_that_completes_its_leading_part() {
    let mut order = order(2, true);
    // The plates come first: nothing is told of them.
    let plates = see(&mut order, &[("8", 2)]);
    assert_eq!((told(&plates), &plates.state), (0, &ParcelState::NotTold));
    assert_eq!(plates.parts[0].quantity, 2);
    // One mug is half of a set's mugs, and three are one and a half.
    let one = see(&mut order, &[("7", 1)]);
    assert_eq!((told(&one), &one.state), (0, &ParcelState::NotTold));
    let three = see(&mut order, &[("7", 3)]);
    assert_eq!(told(&three), 2);
    assert!(matches!(three.state, ParcelState::Seen { .. }));
    // More than was bought is not told of.
    let more = see(&mut order, &[("7", 4)]);
    assert_eq!(told(&more), 0);
}

#[test]
fn a_set_in_one_parcel_is_told_once() {
    for contents in [&[][..], &[("7", 4), ("8", 2)][..]] {
        let mut order = order(2, true);
        let parcel = see(&mut order, contents);
        let line = ParcelLine {
            line: line_id(),
            quantity: 2,
        };
        assert_eq!(parcel.lines, [line]);
        assert_eq!(parcel.parts.len(), 2);
    }
}

#[test]
fn whatever_the_parcels_hold_all_sets_are_told_and_no_more() {
    for first in 0..=6_u32 {
        for second in 0..=6 - first {
            let mut order = order(3, true);
            let mut all = 0;
            for (mugs, plates) in [(first, 0), (second, 3), (6 - first - second, 0)] {
                let contents = [("7", mugs), ("8", plates)];
                let held: Vec<_> = contents.into_iter().filter(|(_, n)| *n > 0).collect();
                if !held.is_empty() {
                    all += told(&see(&mut order, &held));
                }
            }
            assert_eq!(all, 3, "{first} and {second} mugs first");
        }
    }
}

#[test]
fn an_order_without_a_mapping_is_told_unit_by_unit() {
    let mut order = order(3, false);
    assert_eq!(told(&see(&mut order, &[("7", 1)])), 1);
    let rest = see(&mut order, &[]);
    assert_eq!((told(&rest), rest.parts.len()), (2, 0));
}
