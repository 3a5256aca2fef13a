use super::case::*;
use super::*;
use crate::decide::{BuyingStep, due, next_buying_step};
use crate::domain::{Currency, Money, OrderDetails, Phase, PurchaseState, Reason, Refusal, Sku};
use crate::store::MemoryStore;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

#[tokio::test]
async fn a_purchase_in_doubt_gets_its_numbers_and_each_leads_back_to_the_order() {
    let case = Case::of(&in_doubt()).await;
    let done = case.resolve(with_number(&["81", "82"])).await.unwrap();
    assert_eq!(
        done.after.purchases[0].supplier_orders(),
        [id("81"), id("82")]
    );
    assert_eq!(done.after.attention, None);
    assert_eq!(case.due_at().await, case.now());
    for number in ["81", "82"] {
        let key = keys::supplier_order(&"aliexpress:main".parse().unwrap(), &id(number));
        let item = case.store.get(&key).await.unwrap().unwrap();
        let owner: OrderKey = ledger::read(&item.body).unwrap();
        assert_eq!(owner, self::key());
    }
}

#[tokio::test]
async fn a_purchase_that_exists_without_a_number_gets_it_and_is_not_counted_twice() {
    let unknown = Reason::PurchaseNumberUnknown;
    let case = Case::of(&[planned(1), lease(1, at(0)), placed(1, &[]), raised(unknown)]).await;
    let done = case.resolve(with_number(&["81"])).await.unwrap();
    assert_eq!(done.after.purchases[0].supplier_orders(), [id("81")]);
    assert_eq!(done.after.attention, None);
    assert_eq!(
        case.due_at().await,
        case.now(),
        "an old purchase is looked at with the next sweep, not hours later"
    );
}

#[tokio::test]
async fn a_number_that_another_order_has_is_refused() {
    let case = Case::of(&in_doubt()).await;
    let other: OrderKey = "ebay:main/02-2".parse().unwrap();
    let place = keys::supplier_order(&"aliexpress:main".parse().unwrap(), &id("81"));
    let item = Item::new(place, 1, ledger::write(&other).unwrap());
    let only_if = Condition::Absent;
    let put = Write::Put { item, only_if };
    case.store.write(vec![put]).await.unwrap();
    let unfit = case.unfit(with_number(&["81"])).await;
    assert!(unfit.to_string().contains("ebay:main/02-2"), "{unfit}");
    assert_eq!(case.unfit(with_number(&[])).await, Unfit::Numbers);
    assert_eq!(case.unfit(with_number(&["82", "82"])).await, Unfit::Numbers);
}

#[tokio::test]
async fn a_number_that_was_mistyped_is_corrected_until_something_was_sent() {
    let correct = |numbers: &[&str]| Decision::Bought {
        purchase: 1,
        supplier_orders: numbers.iter().map(|number| id(number)).collect(),
        corrects: true,
    };
    let leads_here = async |case: &Case, number: &str| {
        let place = keys::supplier_order(&"aliexpress:main".parse().unwrap(), &id(number));
        case.store.get(&place).await.unwrap().is_some()
    };
    let case = Case::of(&in_doubt()).await;
    assert!(matches!(
        case.unfit(correct(&["81"])).await,
        Unfit::WrongState { .. }
    ));
    case.resolve(with_number(&["81", "82"])).await.unwrap();
    assert!(matches!(
        case.unfit(with_number(&["82", "83"])).await,
        Unfit::WrongState { .. }
    ));
    let done = case.resolve(correct(&["82", "83"])).await.unwrap();
    assert_eq!(
        done.after.purchases[0].supplier_orders(),
        [id("82"), id("83")]
    );
    assert!(!leads_here(&case, "81").await);
    assert!(leads_here(&case, "82").await && leads_here(&case, "83").await);
    case.record(parcel()).await.unwrap();
    assert!(matches!(
        case.unfit(correct(&["84"])).await,
        Unfit::WrongState { .. }
    ));
}

#[tokio::test]
async fn nothing_is_decided_while_a_lease_runs() {
    let case = Case::begun().await;
    case.record(planned(1)).await.unwrap();
    case.record(lease(1, at(0))).await.unwrap();
    // The lease of 90 s, and a minute by which clocks may differ.
    case.clock.advance(SignedDuration::from_secs(149));
    for decision in [
        with_number(&["81"]),
        elsewhere(&[1]),
        again(&[1]),
        cancel(&[1]),
    ] {
        let unfit = case.unfit(decision).await;
        let (purchase, until) = (1, at(150));
        assert_eq!(unfit, Unfit::Leased { purchase, until });
        assert!(
            unfit.to_string().contains("2027-01-15 08:02:30Z"),
            "{unfit}"
        );
    }
    case.clock.advance(SignedDuration::from_secs(1));
    case.resolve(cancel(&[])).await.unwrap();
}

#[tokio::test]
async fn a_doubt_is_bought_again_under_the_same_reference_in_a_new_window() {
    let case = Case::of(&in_doubt()).await;
    let reference = case.order().await.purchases[0].reference.clone();
    assert_eq!(case.unfit(again(&[])).await, Unfit::InDoubt(1));
    let done = case.resolve(again(&[1])).await.unwrap();
    assert_eq!(
        next_buying_step(&done.after, case.now()),
        BuyingStep::Place(1)
    );
    assert_eq!(case.due_at().await, case.now());
    case.record(lease(1, case.now())).await.unwrap();
    let order = case.order().await;
    assert_eq!(order.purchases[0].reference, reference);
    let PurchaseState::Placing { first_sent_at, .. } = &order.purchases[0].state else {
        panic!("{order:?}");
    };
    assert_eq!(*first_sent_at, case.now());
}

#[tokio::test]
async fn a_purchase_that_the_supplier_closed_is_given_up_and_planned_anew() {
    let case = Case::of(&[
        planned(1),
        lease(1, at(0)),
        placed(1, &["81"]),
        raised(closed()),
    ])
    .await;
    let unfit = case.unfit(again(&[])).await;
    assert_eq!(unfit.to_string(), "purchase 1 is at aliexpress:main as 81");
    let done = case.resolve(again(&[1])).await.unwrap();
    assert_eq!(done.after.purchases[0].state, PurchaseState::Cancelled);
    assert_eq!(done.after.attention, None);
    assert_eq!(next_buying_step(&done.after, case.now()), BuyingStep::Plan);
    case.record(planned(2)).await.unwrap();
    case.check().await;
}

#[tokio::test]
async fn what_was_sent_is_not_bought_again() {
    let sent = [planned(1), lease(1, at(0)), placed(1, &["81"]), parcel()];
    let case = Case::of(&[&sent[..], &[raised(closed())]].concat()).await;
    assert_eq!(case.unfit(again(&[1])).await, Unfit::OnItsWay(1));
}

#[tokio::test]
async fn offers_that_refused_may_be_asked_again_once_a_person_says_so() {
    for (refusal, reason) in [
        (
            Refusal::Address,
            Reason::AddressRefused { code: "X".into() },
        ),
        (Refusal::Other, Reason::SupplierRefused { code: "X".into() }),
        (
            Refusal::Stock,
            Reason::OutOfStock {
                sku: Sku::parse("LAMP").unwrap(),
            },
        ),
    ] {
        let events = [planned(1), lease(1, at(0)), refused(1, refusal)];
        let case = Case::of(&[&events[..], &[raised(reason)]].concat()).await;
        let done = case.resolve(again(&[])).await.unwrap();
        assert_eq!(done.after.decided.refusals_lifted_to, 1);
        assert_eq!(next_buying_step(&done.after, case.now()), BuyingStep::Plan);
        assert_eq!(case.due_at().await, case.now());
    }
}

#[tokio::test]
async fn a_loss_is_accepted_up_to_an_amount_of_the_orders_currency() {
    let case = Case::of(&[raised(Reason::WouldLose { margin_minor: -300 })]).await;
    let accept = |loss: Money| Decision::BuyAgain {
        not_at_supplier: Vec::new(),
        accepted_loss: Some(loss),
    };
    let usd_currency: Currency = "USD".parse().unwrap();
    let euro = Money {
        currency: "EUR".parse().unwrap(),
        ..usd(500)
    };
    for wrong in [euro, usd(-500)] {
        assert_eq!(case.unfit(accept(wrong)).await, Unfit::Loss(usd_currency));
    }
    assert_eq!(case.order().await.least_margin_minor(), 0);
    let done = case.resolve(accept(usd(500))).await.unwrap();
    assert_eq!(done.after.least_margin_minor(), -500);
    assert_eq!(next_buying_step(&done.after, case.now()), BuyingStep::Plan);
    // What was accepted stands until another amount is.
    case.record(raised(Reason::NoRate)).await.unwrap();
    let done = case.resolve(again(&[])).await.unwrap();
    assert_eq!(done.after.least_margin_minor(), -500);
}

#[tokio::test]
async fn an_order_that_is_no_longer_wanted_is_not_bought_again() {
    let refused_once = Reason::SupplierRefused { code: "X".into() };
    let cancelled = |order: &mut OrderDetails| order.cancel = crate::domain::Cancel::Done;
    let asked = |order: &mut OrderDetails| order.cancel = crate::domain::Cancel::Requested;
    let shipped = |order: &mut OrderDetails| order.fulfilled = true;
    for (event, unfit) in [
        (changed(cancelled), Unfit::NotWanted("cancelled")),
        (changed(asked), Unfit::NotWanted("asked to be cancelled")),
        (changed(shipped), Unfit::NotWanted("already shipped")),
        (Event::BuyerErased, Unfit::BuyerErased),
    ] {
        let case = Case::of(&[raised(refused_once.clone()), event]).await;
        assert_eq!(case.unfit(again(&[])).await, unfit);
    }
}

#[tokio::test]
async fn what_is_bought_elsewhere_is_never_bought_and_ends_once_it_is_shipped() {
    for events in [
        vec![planned(1), raised(Reason::NoRate)],
        in_doubt(),
        vec![raised(Reason::WouldLose { margin_minor: -1 })],
    ] {
        let case = Case::of(&events).await;
        let done = case.resolve(elsewhere(&[])).await.unwrap();
        assert_eq!(done.after.attention, None);
        assert_eq!(case.due_at().await, case.now());
        // It is not bought now nor later, and is looked at again every half hour.
        let now = case.now();
        assert_eq!(next_buying_step(&done.after, now), BuyingStep::Rest);
        let (next, _) = due(&done.after, now).unwrap();
        assert_eq!(next.duration_since(now), SignedDuration::from_mins(30));
        assert_eq!(case.unfit(again(&[])).await, Unfit::BoughtElsewhere);
        assert_eq!(case.unfit(elsewhere(&[])).await, Unfit::BoughtElsewhere);
        case.record(changed(|details| details.fulfilled = true))
            .await
            .unwrap();
        let order = case.order().await;
        assert_eq!(next_buying_step(&order, now), BuyingStep::GiveBack);
    }
}

#[tokio::test]
async fn what_kervan_has_bought_is_tracked_on_beside_what_is_bought_elsewhere() {
    let line = |line: &str, sku: &str| Event::Planned {
        purchase: 1,
        lines: vec![bought_line(line, sku)],
    };
    let placed_one = [line("1", "LAMP"), lease(1, at(0)), placed(1, &["81"])];
    let mut order = Order::begin(key(), at(0), &Event::Recorded { details: details() }).unwrap();
    let stuck = raised(Reason::SupplierRefused { code: "X".into() });
    for event in [&placed_one[..], &[stuck]].concat() {
        order.apply(at(0), &event).unwrap();
    }
    let told = Told {
        decision: elsewhere(&[]),
        reason: Remark::parse("the vase comes from the shop").unwrap(),
        by: Remark::parse("anna").unwrap(),
    };
    let steps = steps(&order, &told, at(1000)).unwrap();
    let names: Vec<_> = steps.events.iter().map(Event::name).collect();
    assert_eq!(names, ["resolved", "attention_cleared"]);
}

#[tokio::test]
async fn nothing_is_left_to_buy_elsewhere_where_everything_is_bought() {
    let events = [planned(1), lease(1, at(0)), placed(1, &["81"])];
    let case = Case::of(&events).await;
    assert_eq!(case.unfit(elsewhere(&[])).await, Unfit::NothingToBuy);
    let case = Case::of(&[&events[..], &[raised(closed())]].concat()).await;
    assert!(matches!(
        case.unfit(elsewhere(&[])).await,
        Unfit::AtSupplier { purchase: 1, .. }
    ));
    let done = case.resolve(elsewhere(&[1])).await.unwrap();
    assert_eq!(done.after.attention, None);
}

#[tokio::test]
async fn a_cancelled_order_ends_and_its_units_are_free_again() {
    for events in [
        vec![],
        vec![planned(1), raised(Reason::NoRate)],
        in_doubt(),
        vec![planned(1), lease(1, at(0)), refused(1, Refusal::Other)],
    ] {
        let case = Case::of(&events).await;
        let done = case.resolve(cancel(&[])).await.unwrap();
        assert_eq!(done.after.phase, Phase::Cancelled);
        for line in [bought_line("1", "LAMP"), bought_line("2", "VASE")] {
            assert_eq!(case.counter(&line, "free").await, STOCK);
        }
        assert_eq!(case.unfit(cancel(&[])).await, Unfit::Over("cancelled"));
    }
}

#[tokio::test]
async fn an_order_with_goods_at_a_supplier_is_cancelled_only_where_the_person_says_so_of_each() {
    let late = raised(Reason::CancelledAfterPurchase);
    let events = [planned(1), lease(1, at(0)), placed(1, &["81"])];
    let shipped = Event::Shipped { purchase: 1 };
    let delivered = Event::Delivered { purchase: 1 };
    for more in [vec![], vec![shipped], vec![delivered]] {
        let case = Case::of(&[&events[..], &more, std::slice::from_ref(&late)].concat()).await;
        assert!(matches!(
            case.unfit(cancel(&[])).await,
            Unfit::AtSupplier { purchase: 1, .. }
        ));
        assert_eq!(case.unfit(cancel(&[1, 9])).await, Unfit::NoSuchPurchase(9));
        let done = case.resolve(cancel(&[1])).await.unwrap();
        assert_eq!(done.after.phase, Phase::Cancelled);
    }
}

#[tokio::test]
async fn a_shipment_confirmed_by_hand_ends_the_waiting() {
    let code = "36".to_owned();
    let sent = [planned(1), lease(1, at(0)), placed(1, &["81"])];
    let refused = raised(Reason::TrackingRefused { code });
    let case = Case::of(&[&sent[..], &[parcel(), refused]].concat()).await;
    let done = case.resolve(Decision::ConfirmedByHand).await.unwrap();
    assert_eq!(
        (done.after.phase, done.after.attention),
        (Phase::Open, None)
    );

    let arrived = Event::Delivered { purchase: 1 };
    let missing = raised(Reason::TrackingMissing);
    let case = Case::of(&[&sent[..], &[arrived, missing]].concat()).await;
    let done = case.resolve(Decision::ConfirmedByHand).await.unwrap();
    assert_eq!(done.after.phase, Phase::Done);

    let case = Case::of(&in_doubt()).await;
    let unfit = case.unfit(Decision::ConfirmedByHand).await;
    assert!(unfit.to_string().contains("purchase_in_doubt"), "{unfit}");
}

#[tokio::test]
async fn a_decision_ends_no_other_cause() {
    let unpaid = raised(Reason::PurchaseUnpaid);
    let case = Case::of(&[planned(1), lease(1, at(0)), placed(1, &["81"]), unpaid]).await;
    let unfit = case.unfit(again(&[])).await;
    assert!(unfit.to_string().contains("purchase_unpaid"), "{unfit}");
    let case = Case::of(&[planned(1)]).await;
    let unfit = case.unfit(again(&[])).await;
    assert_eq!(unfit, Unfit::NotTheCause(None));
}

/// A store in which a worker writes the order whenever somebody is about to.
#[derive(Debug)]
struct Busy {
    store: Arc<MemoryStore>,
    times: std::sync::atomic::AtomicUsize,
}

#[async_trait::async_trait]
impl Store for Busy {
    async fn get(&self, key: &crate::store::Key) -> Result<Option<Item>, crate::store::StoreError> {
        self.store.get(key).await
    }

    async fn query(
        &self,
        pk: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<crate::store::Page, crate::store::StoreError> {
        self.store.query(pk, prefix, after, limit).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), crate::store::WriteError> {
        use std::sync::atomic::Ordering;
        let left = self.times.load(Ordering::Relaxed);
        if left > 0 {
            self.times.store(left - 1, Ordering::Relaxed);
            let mut order = ledger::load(&*self.store, &key()).await.unwrap().unwrap();
            let event = changed(|_| {});
            ledger::record_in_haste(&*self.store, at(1), &mut order, &[event], Vec::new())
                .await
                .unwrap();
        }
        self.store.write(writes).await
    }

    async fn due(
        &self,
        lane: &str,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Item>, crate::store::StoreError> {
        self.store.due(lane, from, until, limit).await
    }
}

#[tokio::test]
async fn a_worker_that_comes_between_makes_the_decision_be_thought_over_once() {
    for (times, fits) in [(1, true), (2, false)] {
        let case = Case::of(&in_doubt()).await;
        let busy = Busy {
            store: case.store.clone(),
            times: times.into(),
        };
        let told = Told {
            decision: cancel(&[]),
            reason: Remark::parse("the customer wrote").unwrap(),
            by: Remark::parse("anna").unwrap(),
        };
        let done = resolve(&busy, &*case.clock, &key(), &told).await;
        match done {
            Ok(done) => assert!(fits && done.after.phase == Phase::Cancelled),
            Err(error) => assert!(!fits && matches!(error, ResolveError::Overtaken), "{error}"),
        }
        case.check().await;
    }
}

#[tokio::test]
async fn an_order_of_an_earlier_version_is_read() {
    let mut order = serde_json::to_value(Case::of(&[planned(1)]).await.order().await).unwrap();
    order.as_object_mut().unwrap().remove("decided").unwrap();
    let read: Order = serde_json::from_value(order).unwrap();
    assert_eq!(read.decided, crate::domain::Decided::default());
}
