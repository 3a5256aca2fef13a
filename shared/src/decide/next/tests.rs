use super::*;
use crate::domain::{
    Doubt, Event, MappedLine, Money, OfferId, OrderDetails, OrderLine, Parcel, ParcelLine, Part,
    PurchaseLine,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn order(events: &[Event]) -> Order {
    let usd = |minor| Money {
        minor,
        currency: "USD".parse().unwrap(),
    };
    let details = OrderDetails {
        bought_at: at(0),
        modified_at: at(0),
        payment: Payment::Paid,
        cancel: Cancel::No,
        fulfilled: false,
        total: usd(1999),
        fee: usd(0),
        country: "US".parse().unwrap(),
        lines: vec![OrderLine {
            id: "1".to_owned().try_into().unwrap(),
            sku: "LAMP".to_owned(),
            quantity: 1,
            price: usd(1999),
            ship_by: None,
        }],
    };
    let key = "ebay:main/01-1".parse().unwrap();
    let mut order = Order::begin(key, at(0), &Event::Recorded { details }).unwrap();
    for event in events {
        order.apply(at(0), event).unwrap();
    }
    order
}

fn planned() -> Event {
    let usd = Money {
        minor: 700,
        currency: "USD".parse().unwrap(),
    };
    let line = PurchaseLine {
        line: "1".to_owned().try_into().unwrap(),
        sku: "LAMP".to_owned().try_into().unwrap(),
        offer: OfferId::new("aliexpress:main".parse().unwrap(), "p", "v").unwrap(),
        quantity: 1,
        unit_cost: usd,
        shipping: usd,
        shipping_option: "STANDARD".to_owned(),
        variant_attributes: String::new(),
    };
    Event::Planned {
        purchase: 1,
        lines: vec![line],
    }
}

fn placing() -> Event {
    Event::PlacingStarted {
        purchase: 1,
        lease_until: at(90),
    }
}

fn mapped(parts: &[(&str, u32)]) -> Event {
    let part = |(sku, units): &(&str, u32)| Part {
        sku: Sku::parse(sku).unwrap(),
        units: *units,
    };
    Event::Mapped {
        lines: vec![MappedLine {
            line: "1".to_owned().try_into().unwrap(),
            parts: parts.iter().map(part).collect(),
        }],
    }
}

#[test]
fn a_bundle_is_bought_part_by_part() {
    let open = |events: &[Event]| -> Vec<(Option<String>, u32)> {
        let open = open_units(&order(events)).into_iter();
        open.map(|open| (open.part.map(|part| part.to_string()), open.units))
            .collect()
    };
    assert_eq!(open(&[]), [(None, 1)]);
    let set = mapped(&[("BULB", 4), ("LAMP", 2)]);
    let (bulbs, lamps) = (Some("BULB".to_owned()), Some("LAMP".to_owned()));
    let all = [(bulbs.clone(), 4), (lamps.clone(), 2)];
    assert_eq!(open(std::slice::from_ref(&set)), all);
    // One lamp is planned.
    let planned_one = [(bulbs, 4), (lamps, 1)];
    assert_eq!(open(&[set.clone(), planned()]), planned_one);
    let given_up = Event::PurchaseCancelled { purchase: 1 };
    assert_eq!(open(&[set.clone(), planned(), given_up]), all);
    // An order from before mappings were kept, and one of a sku that is no bundle.
    assert_eq!(open(&[planned()]), []);
    assert_eq!(open(&[mapped(&[("LAMP", 1)]), planned()]), []);
    let mut twice = order(std::slice::from_ref(&set));
    assert!(twice.apply(at(1), &set).is_err(), "a line is mapped once");
}

fn raised(reason: Reason) -> Event {
    Event::AttentionRaised { reason }
}

#[test]
fn an_order_is_planned_then_placed() {
    assert_eq!(next_buying_step(&order(&[]), at(0)), BuyingStep::Plan);
    assert_eq!(
        next_buying_step(&order(&[planned()]), at(0)),
        BuyingStep::Place(1)
    );
}

#[test]
fn terms_that_are_old_are_asked_for_anew() {
    let order = order(&[planned()]);
    assert_eq!(next_buying_step(&order, at(600)), BuyingStep::Place(1));
    assert_eq!(next_buying_step(&order, at(601)), BuyingStep::PlanAnew(1));
}

#[test]
fn while_a_lease_runs_nobody_else_buys_and_afterwards_the_doubt_is_settled() {
    let order = order(&[planned(), placing()]);
    assert_eq!(next_buying_step(&order, at(89)), BuyingStep::Rest);
    assert_eq!(next_buying_step(&order, at(90)), BuyingStep::Settle(1));
    assert_eq!(due(&order, at(0)), Some((at(90), Lane::Forward)));
}

#[test]
fn who_settles_takes_the_lease_too() {
    let again = Event::PlacingStarted {
        purchase: 1,
        lease_until: at(200),
    };
    let order = order(&[planned(), placing(), again]);
    assert_eq!(next_buying_step(&order, at(199)), BuyingStep::Rest);
    assert_eq!(next_buying_step(&order, at(200)), BuyingStep::Settle(1));
}

#[test]
fn a_doubt_is_settled_while_the_order_waits_for_something_else() {
    let doubt = Doubt {
        since: at(0),
        settle_at: at(30),
    };
    let events = [planned(), placing(), Event::Doubted { purchase: 1, doubt }];
    let with = |reason| order(&[events.as_slice(), &[raised(reason)]].concat());
    let other = with(Reason::CancelledAfterPurchase);
    assert_eq!(next_buying_step(&other, at(30)), BuyingStep::Settle(1));
    assert_eq!(due(&other, at(0)), Some((at(30), Lane::Forward)));
    let hopeless = with(Reason::PurchaseInDoubt);
    assert_eq!(next_buying_step(&hopeless, at(30)), BuyingStep::Rest);
    assert_eq!(due(&hopeless, at(0)), None);
}

#[test]
fn an_order_in_attention_buys_only_where_the_cause_can_pass() {
    let stock = Reason::OutOfStock {
        sku: "LAMP".to_owned().try_into().unwrap(),
    };
    assert_eq!(
        next_buying_step(&order(&[raised(stock)]), at(0)),
        BuyingStep::Plan
    );
    let refused = Reason::SupplierRefused {
        code: "X".to_owned(),
    };
    assert_eq!(
        next_buying_step(&order(&[raised(refused)]), at(0)),
        BuyingStep::Rest
    );
}

fn changed(change: impl Fn(&mut OrderDetails)) -> Event {
    let mut details = order(&[]).details;
    change(&mut details);
    Event::Changed { details }
}

#[test]
fn a_cancelled_order_is_given_back_and_never_bought() {
    let cancelled = changed(|details| details.cancel = Cancel::Done);
    let step = next_buying_step(&order(&[planned(), cancelled.clone()]), at(0));
    assert_eq!(step, BuyingStep::GiveBack);
    let step = next_buying_step(&order(&[planned(), placing(), cancelled]), at(0));
    assert_eq!(
        step,
        BuyingStep::Rest,
        "it is not yet known whether the purchase exists"
    );
}

#[test]
fn while_somebody_asks_to_cancel_nothing_is_bought_and_the_channel_is_asked_again() {
    let asked = changed(|details| details.cancel = Cancel::Requested);
    for events in [vec![asked.clone()], vec![planned(), asked]] {
        let order = order(&events);
        assert_eq!(next_buying_step(&order, at(0)), BuyingStep::Rest);
        assert_eq!(due(&order, at(0)), Some((at(1800), Lane::Forward)));
    }
}

#[test]
fn what_the_merchant_shipped_by_hand_is_not_bought_as_well() {
    let shipped = changed(|details| details.fulfilled = true);
    let stock = Reason::OutOfStock {
        sku: "LAMP".to_owned().try_into().unwrap(),
    };
    let order = order(&[raised(stock), shipped]);
    assert_eq!(next_buying_step(&order, at(0)), BuyingStep::GiveBack);
}

#[test]
fn what_we_told_of_a_set_is_not_taken_for_shipped_by_hand_and_its_other_part_is_bought() {
    let part = |sku: &str| Part {
        sku: Sku::parse(sku).unwrap(),
        units: 1,
    };
    let set = Event::Mapped {
        lines: vec![MappedLine {
            line: "1".to_owned().try_into().unwrap(),
            parts: vec![part("LAMP"), part("SHADE")],
        }],
    };
    let Event::Planned { lines, .. } = planned() else {
        panic!("a plan")
    };
    let lines = lines.into_iter().map(|line| PurchaseLine {
        sku: Sku::parse("SHADE").unwrap(),
        ..line
    });
    let shade = Event::Planned {
        purchase: 2,
        lines: lines.collect(),
    };
    let shipped = changed(|details| details.fulfilled = true);
    let mut order = order(&[set, planned(), shade, shipped]);
    assert_eq!(next_buying_step(&order, at(0)), BuyingStep::GiveBack);
    // The lamp's parcel stands for the set, and the channel was told of it by us.
    order.parcels.push(Parcel {
        tracking_number: TrackingNumber::parse("LP0001").unwrap(),
        carrier: "Cainiao".to_owned(),
        purchase: 1,
        lines: vec![ParcelLine {
            line: "1".to_owned().try_into().unwrap(),
            quantity: 1,
        }],
        parts: Vec::new(),
        state: ParcelState::Confirmed { at: at(0) },
        delivered_at: None,
    });
    assert_eq!(next_buying_step(&order, at(0)), BuyingStep::Place(1));
}

#[test]
fn an_open_order_is_always_due_or_in_the_attention_list() {
    let histories = [vec![], vec![planned()], vec![planned(), placing()]];
    for events in histories {
        assert!(due(&order(&events), at(0)).is_some());
    }
}
