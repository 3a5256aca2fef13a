//! Whatever workers do and persons decide, in whatever order.

use super::case::*;
use super::*;
use crate::decide::{BuyingStep, next_buying_step};
use crate::domain::{Doubt, LineId, PartLine, Phase, PurchaseState, Reason, Refusal, Sku};
use jiff::SignedDuration;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Deed {
    Worker(Event),
    Lease(u8),
    Person(Decision),
    Wait,
}

fn deed() -> impl Strategy<Value = Deed> {
    let purchase = 1_u8..4;
    let numbers = prop::collection::vec(80_u8..86, 0..3);
    let gone = prop::collection::vec(1_u8..4, 0..3);
    let line = prop::sample::select(vec!["1", "2", "3"]);
    let line = line.prop_map(|id| LineId::parse(id).unwrap());
    let lines = prop::collection::vec(line, 1..3);
    let number = |ids: Vec<u8>| ids.iter().map(|n| id(&n.to_string())).collect::<Vec<_>>();
    let reasons = prop::sample::select(vec![
        Reason::PurchaseInDoubt,
        Reason::PurchaseNumberUnknown,
        Reason::PurchaseUnpaid,
        closed(),
        Reason::NoRate,
        Reason::TooLarge,
        Reason::WouldLose { margin_minor: -5 },
        Reason::CancelledAfterPurchase,
        Reason::TrackingMissing,
    ]);
    prop_oneof![
        3 => purchase.clone().prop_map(|n| Deed::Worker(planned(n))),
        3 => purchase.clone().prop_map(Deed::Lease),
        2 => (purchase.clone(), numbers.clone()).prop_map(move |(purchase, ids)| Deed::Worker(
            Event::Placed { purchase, supplier_orders: number(ids) }
        )),
        1 => purchase.clone().prop_map(|n| Deed::Worker(refused(n, Refusal::Stock))),
        1 => purchase.clone().prop_map(|purchase| {
            let doubt = Doubt { since: at(0), settle_at: at(30) };
            Deed::Worker(Event::Doubted { purchase, doubt })
        }),
        1 => purchase.clone().prop_map(|purchase| Deed::Worker(Event::Shipped { purchase })),
        1 => purchase.clone().prop_map(|purchase| Deed::Worker(Event::Delivered { purchase })),
        1 => any::<bool>().prop_map(|is| Deed::Worker(changed(|details| details.fulfilled = is))),
        3 => reasons.prop_map(|reason| Deed::Worker(raised(reason))),
        1 => Just(Deed::Worker(Event::AttentionCleared)),
        3 => Just(Deed::Wait),
        2 => (purchase, numbers, any::<bool>()).prop_map(move |(purchase, ids, corrects)| Deed::Person(
            Decision::Bought { purchase, supplier_orders: number(ids), corrects }
        )),
        2 => gone.clone().prop_map(|gone| Deed::Person(elsewhere(&gone))),
        3 => gone.clone().prop_map(|gone| Deed::Person(again(&gone))),
        1 => gone.clone().prop_map(|gone| Deed::Person(cancel(&gone))),
        4 => (lines, gone, 0_u8..3).prop_map(|(lines, not_at_supplier, which)| {
            Deed::Person(match which {
                0 => Decision::CancelLines { lines, not_at_supplier },
                1 => Decision::LinesElsewhere { lines, not_at_supplier },
                _ => Decision::LinesAgain { lines, not_at_supplier },
            })
        }),
        1 => Just(Deed::Person(Decision::SendTheRest)),
        2 => (1_u8..4, 80_u8..86, any::<bool>()).prop_map(|(purchase, number, is_told)| {
            Deed::Worker(half_closed(purchase, &number.to_string(), is_told))
        }),
        1 => Just(Deed::Person(Decision::ConfirmedByHand)),
    ]
}

/// One order of a purchase is closed, and it held the vases where that is told.
fn half_closed(purchase: u8, number: &str, is_told: bool) -> Event {
    let vases = PartLine {
        line: LineId::parse("2").unwrap(),
        sku: Sku::parse("VASE").unwrap(),
        quantity: u32::try_from(UNITS).unwrap(),
    };
    Event::SupplierOrderClosed {
        purchase,
        supplier_order: id(number),
        lines: is_told.then_some(vases).into_iter().collect(),
    }
}

/// What can never be, whatever a person decides.
async fn live_through(deeds: Vec<Deed>) {
    let case = Case::begun().await;
    for deed in deeds {
        let before = case.order().await;
        match deed {
            Deed::Wait => case.clock.advance(SignedDuration::from_hours(1)),
            // What does not fit the state is refused as a misfit.
            Deed::Worker(event) if before.phase == Phase::Open => {
                let _ = case.record(event).await;
            }
            Deed::Lease(number) if before.phase == Phase::Open => {
                let _ = case.record(lease(number, case.now())).await;
            }
            Deed::Worker(_) | Deed::Lease(_) => {}
            Deed::Person(decision) => {
                let leased = |state: &PurchaseState| matches!(state, PurchaseState::Placing { lease_until, .. } if *lease_until > case.now());
                let may = !before.purchases.iter().any(|p| leased(&p.state));
                match case.resolve(decision).await {
                    Ok(done) => {
                        assert!(may, "decided under a lease: {before:?}");
                        let given_up = &done.after.decided.lines;
                        let step = next_buying_step(&done.after, case.now());
                        if given_up.len() == 2 {
                            assert!(!matches!(step, BuyingStep::Plan | BuyingStep::Place(_)));
                        }
                        if done.after.decided.bought_elsewhere {
                            let step = next_buying_step(&done.after, case.now());
                            assert!(!matches!(step, BuyingStep::Plan | BuyingStep::Place(_)));
                        }
                    }
                    Err(ResolveError::Unfit(_)) => assert_eq!(case.order().await, before),
                    Err(other) => panic!("{other}"),
                }
            }
        }
        case.check().await;
    }
}

proptest! {
    #[test]
    fn whatever_is_decided_history_units_and_waiting_hold(deeds in prop::collection::vec(deed(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(live_through(deeds));
    }
}
