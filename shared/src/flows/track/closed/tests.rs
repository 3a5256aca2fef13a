use super::*;
use crate::domain::{
    LineId, OfferId, PurchaseLine, PurchaseState, Reference, Sku, SupplierOrderId,
};
use jiff::Timestamp;

fn number(text: &str) -> SupplierOrderId {
    SupplierOrderId::parse(text).unwrap()
}

fn line(line: &str, sku: &str, variant: &str, quantity: u32) -> PurchaseLine {
    let money = crate::domain::Money::zero("USD".parse().unwrap());
    PurchaseLine {
        line: LineId::parse(line).unwrap(),
        sku: Sku::parse(sku).unwrap(),
        offer: OfferId::new("aliexpress:main".parse().unwrap(), "1005", variant).unwrap(),
        quantity,
        unit_cost: money,
        shipping: money,
        shipping_option: String::new(),
        variant_attributes: String::new(),
    }
}

/// A purchase of two lines that has these numbers.
fn purchase(numbers: &[&str]) -> Purchase {
    let key = "ebay:main/01-1".parse().unwrap();
    Purchase {
        number: 1,
        reference: Reference::of(&key, 1),
        lines: vec![line("1", "LAMP", "a", 2), line("2", "VASE", "b", 1)],
        terms_at: Timestamp::UNIX_EPOCH,
        state: PurchaseState::Placed {
            supplier_orders: numbers.iter().map(|text| number(text)).collect(),
            at: Timestamp::UNIX_EPOCH,
        },
        closed: Vec::new(),
    }
}

fn answer(is_closed: bool, contents: &[(Option<&str>, u32)]) -> SupplierOrder {
    let state = if is_closed {
        let code = "CANCELED".to_owned();
        SupplierState::Closed { code }
    } else {
        SupplierState::Processing
    };
    let contents = contents.iter().map(|(variant, quantity)| ParcelContent {
        product: "1005".to_owned(),
        variant: variant.map(str::to_owned),
        quantity: *quantity,
    });
    SupplierOrder {
        state,
        parcels: Vec::new(),
        contents: contents.collect(),
    }
}

/// The numbers that were found closed, with line and units of what was in them.
fn found(purchase: &Purchase, answers: &[SupplierOrder]) -> Vec<(String, Vec<(String, u32)>)> {
    let events = closed_orders(purchase, answers).into_iter();
    let event = |event| {
        let Event::SupplierOrderClosed {
            supplier_order,
            lines,
            ..
        } = event
        else {
            panic!("{event:?}")
        };
        let lines = lines.iter().map(|one| (one.line.to_string(), one.quantity));
        (supplier_order.as_str().to_owned(), lines.collect())
    };
    events.map(event).collect()
}

#[test]
fn one_closed_order_of_several_is_told_with_what_was_in_it() {
    let both = purchase(&["81", "82"]);
    let vase = |units| answer(true, &[(Some("b"), units)]);
    let told = |lines: &[(&str, u32)]| {
        let lines = lines
            .iter()
            .map(|(line, units)| ((*line).to_owned(), *units));
        vec![("82".to_owned(), lines.collect::<Vec<_>>())]
    };
    let lamp = answer(false, &[(Some("a"), 2)]);
    assert_eq!(found(&both, &[lamp.clone(), vase(1)]), told(&[("2", 1)]));
    let all = answer(true, &[(Some("a"), 2), (Some("b"), 1)]);
    assert_eq!(
        found(&both, &[lamp.clone(), all]),
        told(&[("1", 2), ("2", 1)])
    );
    assert_eq!(found(&both, &[lamp.clone(), answer(true, &[])]), told(&[]));
    // What does not fit the purchase says nothing.
    assert_eq!(found(&both, &[lamp.clone(), vase(2)]), told(&[]));
    let other = answer(true, &[(Some("c"), 1)]);
    assert_eq!(found(&both, &[lamp.clone(), other]), told(&[]));
    assert!(found(&both, &[lamp.clone(), lamp]).is_empty());
}

#[test]
fn a_closed_order_is_told_once_and_a_purchase_that_is_one_order_not_at_all() {
    let vase = || answer(true, &[(Some("b"), 1)]);
    let mut both = purchase(&["81", "82"]);
    both.closed.push(ClosedOrder {
        supplier_order: number("82"),
        lines: Vec::new(),
    });
    assert!(found(&both, &[answer(false, &[]), vase()]).is_empty());
    assert!(found(&purchase(&["82"]), &[vase()]).is_empty());
}
