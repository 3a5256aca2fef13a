use super::*;
use crate::domain::{
    Decision, Doubt, Event, MappedLine, Money, OfferId, OrderDetails, OrderLine, Parcel,
    ParcelLine, Part, PurchaseLine, Refusal, Remark, SupplierOrderId,
};

mod buying;
mod due;
mod open_units;
mod part;
mod tracking;
mod wanted;

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
        refunded_minor: 0,
        country: "US".parse().unwrap(),
        lines: vec![OrderLine {
            id: "1".to_owned().try_into().unwrap(),
            sku: "LAMP".to_owned(),
            quantity: 1,
            price: usd(1999),
            ship_by: None,
            shipped: 0,
            shipped_whole: false,
            cancelled: 0,
            refunded: 0,
            refunding: 0,
        }],
    };
    let key = "ebay:main/01-1".parse().unwrap();
    let mut order = Order::begin(key, at(0), &Event::Recorded { details }).unwrap();
    for event in events {
        order.apply(at(0), event).unwrap();
    }
    order
}

/// A unit of the sku is planned for the order's line.
fn planned_of(purchase: u8, sku: &str) -> Event {
    let usd = Money {
        minor: 700,
        currency: "USD".parse().unwrap(),
    };
    let line = PurchaseLine {
        line: "1".to_owned().try_into().unwrap(),
        sku: Sku::parse(sku).unwrap(),
        offer: OfferId::new("aliexpress:main".parse().unwrap(), "p", "v").unwrap(),
        quantity: 1,
        unit_cost: usd,
        shipping: usd,
        shipping_option: "STANDARD".to_owned(),
        variant_attributes: String::new(),
    };
    Event::Planned {
        purchase,
        lines: vec![line],
    }
}

fn too_much(sku: &str, units: u32) -> TooMuch {
    let sku = Sku::parse(sku).unwrap();
    TooMuch { sku, units }
}

fn planned() -> Event {
    planned_of(1, "LAMP")
}

fn placing_of(purchase: u8) -> Event {
    Event::PlacingStarted {
        purchase,
        lease_until: at(90),
    }
}

fn placing() -> Event {
    placing_of(1)
}

/// It was proven that the first purchase was not placed; it may be tried again from this second on.
fn retried_from(second: i64) -> Vec<Event> {
    let retry_at = at(second);
    let not_placed = Event::NotPlaced {
        purchase: 1,
        retry_at,
    };
    vec![planned(), placing(), not_placed]
}

/// The first purchase may have been placed, which may be settled from this second on.
fn doubted_until(second: i64) -> Vec<Event> {
    let doubt = Doubt {
        since: at(0),
        settle_at: at(second),
    };
    vec![planned(), placing(), Event::Doubted { purchase: 1, doubt }]
}

/// Placed in second 0, under these numbers of the supplier.
fn placed_under(purchase: u8, sku: &str, numbers: &[&str]) -> Vec<Event> {
    let number = |text: &&str| SupplierOrderId::parse(text).unwrap();
    let supplier_orders = numbers.iter().map(number).collect();
    let placed = Event::Placed {
        purchase,
        supplier_orders,
    };
    vec![planned_of(purchase, sku), placing_of(purchase), placed]
}

fn placed(purchase: u8, sku: &str) -> Vec<Event> {
    placed_under(purchase, sku, &["8001"])
}

fn shipped(purchase: u8, sku: &str) -> Vec<Event> {
    [placed(purchase, sku), vec![Event::Shipped { purchase }]].concat()
}

fn delivered(purchase: u8, sku: &str) -> Vec<Event> {
    [shipped(purchase, sku), vec![Event::Delivered { purchase }]].concat()
}

fn refused(purchase: u8, sku: &str) -> Vec<Event> {
    let refused = Event::Refused {
        purchase,
        refusal: Refusal::Stock,
        code: "X".to_owned(),
    };
    vec![planned_of(purchase, sku), placing_of(purchase), refused]
}

fn parcel_in(number: &str, purchase: u8, state: ParcelState) -> Parcel {
    Parcel {
        tracking_number: TrackingNumber::parse(number).unwrap(),
        carrier: "Cainiao".to_owned(),
        purchase,
        lines: vec![ParcelLine {
            line: "1".to_owned().try_into().unwrap(),
            quantity: 1,
        }],
        parts: Vec::new(),
        state,
        delivered_at: None,
    }
}

fn seen_in(number: &str, purchase: u8, state: ParcelState) -> Event {
    let parcel = parcel_in(number, purchase, state);
    Event::ParcelSeen { parcel }
}

/// A parcel of which the channel may be told from this second on.
fn seen(number: &str, purchase: u8, not_before: i64) -> Event {
    let not_before = at(not_before);
    seen_in(number, purchase, ParcelState::Seen { not_before })
}

/// A parcel of which somebody is telling the channel until this second.
fn confirming(number: &str, purchase: u8, lease_until: i64) -> Vec<Event> {
    let started = Event::ConfirmStarted {
        parcel: TrackingNumber::parse(number).unwrap(),
        lease_until: at(lease_until),
    };
    vec![seen(number, purchase, 0), started]
}

fn confirmed(number: &str, purchase: u8) -> Vec<Event> {
    let parcel = TrackingNumber::parse(number).unwrap();
    let confirmed = Event::ParcelConfirmed { parcel };
    [confirming(number, purchase, 90), vec![confirmed]].concat()
}

fn refused_parcel(number: &str, purchase: u8) -> Vec<Event> {
    let parcel = TrackingNumber::parse(number).unwrap();
    let refused = Event::ParcelRefused { parcel };
    [confirming(number, purchase, 90), vec![refused]].concat()
}

/// A parcel of parts for which another one stands.
fn not_told(number: &str, purchase: u8) -> Vec<Event> {
    vec![seen_in(number, purchase, ParcelState::NotTold)]
}

/// The order's line is a set of a lamp and a shade.
fn set() -> Event {
    mapped(&[("LAMP", 1), ("SHADE", 1)])
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
    let with = |reason| order(&[doubted_until(30), vec![raised(reason)]].concat());
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
    let shipped = changed(|details| details.fulfilled = true);
    let mut order = order(&[set(), planned(), planned_of(2, "SHADE"), shipped]);
    assert_eq!(next_buying_step(&order, at(0)), BuyingStep::GiveBack);
    // The lamp's parcel stands for the set, and the channel was told of it by us.
    let parcel = parcel_in("LP0001", 1, ParcelState::Confirmed { at: at(0) });
    order.parcels.push(parcel);
    assert_eq!(next_buying_step(&order, at(0)), BuyingStep::Place(1));
}

#[test]
fn an_open_order_is_always_due_or_in_the_attention_list() {
    let histories = [vec![], vec![planned()], vec![planned(), placing()]];
    for events in histories {
        assert!(due(&order(&events), at(0)).is_some());
    }
}
