//! A shop's listings against the simulator: at once, and in submissions.

use crate::aliexpress::seller_simulator::{CUP, GATEWAYS, LID, World, account, axes};
use kervan::{
    domain::{ListingId, Money, Sku},
    marketplaces::{Effect, Kind, ListingUpdate, PushInBulk, PushListings, Submission},
};
use kervan_marketplaces::{
    Fault, Money as Price,
    aliexpress::{AliExpressOperation as Operation, NewListing, NewListingSku},
};
use std::time::Duration;

fn update(product: u64, code: &str, quantity: u32, minor: i64) -> ListingUpdate {
    ListingUpdate::new(
        ListingId {
            channel: account(),
            sku: Sku::parse(code).unwrap(),
            offer: product.to_string(),
        },
        quantity,
        Money {
            minor,
            currency: "USD".parse().unwrap(),
        },
    )
}

#[tokio::test]
async fn stock_and_prices_are_set_and_the_failed_list_counts() {
    for (gateway, sign_method) in GATEWAYS {
        let world = World::start(gateway, sign_method).await;
        let mut settings = world.marketplace().settings();
        settings.update_success_lies = true;
        world.marketplace().set_settings(settings);
        let mut euro = update(LID, "LID-2", 1, 100);
        euro.price = Money::parse("1.00", "EUR".parse().unwrap()).ok();
        let updates = [
            update(CUP, "CUP-RED", 9, 900),
            update(CUP, "CUP-RED", 7, 1_999),
            update(CUP, "CUP-BLUE", 0, 1_250),
            update(777, "GONE", 3, 100),
            euro,
        ];
        let outcomes = world
            .shop
            .push(&updates, jiff::Timestamp::MAX)
            .await
            .unwrap();
        assert_eq!(outcomes[..3], [Ok(()), Ok(()), Ok(())], "{gateway}");
        assert_eq!(outcomes[3].as_ref().unwrap_err().kind, Kind::NotFound);
        assert_eq!(outcomes[4].as_ref().unwrap_err().code, "other-currency");
        assert_eq!(world.shown("CUP-RED"), (7, 1_999));
        assert_eq!(world.shown("CUP-BLUE"), (0, 1_250));
        assert_eq!(world.shown("LID-2"), (500, 1_250));
        let counters = world.marketplace().counters();
        assert_eq!(counters.calls[Operation::SolutionInventoryUpdate.name()], 1);
        assert_eq!(counters.calls[Operation::SolutionPriceUpdate.name()], 1);
    }
}

#[tokio::test]
async fn what_goes_to_zero_keeps_its_price_and_asks_for_none() {
    let world = World::start("sync", None).await;
    let (_, before) = world.shown("CUP-RED");
    let prices = || {
        let calls = world.marketplace().counters().calls;
        calls.get(Operation::SolutionPriceUpdate.name()).copied()
    };
    let push = async |updates: &[ListingUpdate]| {
        let outcomes = world.shop.push(updates, jiff::Timestamp::MAX).await;
        assert!(outcomes.unwrap().iter().all(Result::is_ok));
    };
    push(&[update(CUP, "CUP-RED", 0, 1)]).await;
    assert_eq!((world.shown("CUP-RED"), prices()), ((0, before), None));
    // Beside others, the price that is set is theirs alone.
    push(&[update(CUP, "CUP-BLUE", 0, 1), update(LID, "LID-1", 3, 777)]).await;
    assert_eq!(world.shown("CUP-BLUE").0, 0);
    assert_eq!((world.shown("LID-1"), prices()), ((3, 777), Some(1)));
}

#[tokio::test]
async fn many_products_go_in_calls_of_twenty_and_a_lost_one_leaves_the_rest_unsent() {
    let world = World::start("sync", None).await;
    let mut updates = Vec::new();
    for product_id in 1..=45 {
        let skus = vec![NewListingSku {
            sku_code: format!("S-{product_id}"),
            price: Price::usd(100),
            inventory: 1,
        }];
        world
            .marketplace()
            .add_listing(NewListing { product_id, skus })
            .unwrap();
        updates.push(update(product_id, &format!("S-{product_id}"), 5, 200));
    }
    let outcomes = world
        .shop
        .push(&updates, jiff::Timestamp::MAX)
        .await
        .unwrap();
    assert!(outcomes.iter().all(Result::is_ok));
    let calls = |world: &World| {
        world.marketplace().counters().calls[Operation::SolutionInventoryUpdate.name()]
    };
    assert_eq!((calls(&world), world.shown("S-45")), (3, (5, 200)));

    // The price of the first call is lost after its effect; nothing of the others goes out.
    world
        .marketplace()
        .fail_next(Operation::SolutionPriceUpdate, Fault::TimeoutAfter, 1);
    let outcomes = world
        .shop
        .push(&updates, jiff::Timestamp::MAX)
        .await
        .unwrap();
    let effects: Vec<_> = outcomes
        .iter()
        .map(|outcome| outcome.as_ref().err().map(axes))
        .collect();
    assert_eq!(effects[0], Some((Kind::NoAnswer, Effect::Unknown)));
    world
        .marketplace()
        .fail_next(Operation::SolutionInventoryUpdate, Fault::TimeoutBefore, 1);
    let error = world
        .shop
        .push(&updates, jiff::Timestamp::MAX)
        .await
        .unwrap_err();
    assert_eq!(axes(&error), (Kind::NoAnswer, Effect::Unknown));
}

#[tokio::test]
async fn submissions_are_worked_off_and_found_again() {
    for (gateway, sign_method) in GATEWAYS {
        let world = World::start(gateway, sign_method).await;
        let began = world.now();
        let updates = [
            update(CUP, "CUP-RED", 3, 300),
            update(777, "GONE", 1, 100),
            update(LID, "LID-1", 4, 400),
        ];
        let submission = world.shop.submit(&updates).await.unwrap();
        assert_eq!(world.shop.report(&submission, &updates).await, Ok(None));
        world.pass(1);
        let report = world
            .shop
            .report(&submission, &updates)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((&report[0], &report[2]), (&Ok(()), &Ok(())), "{gateway}");
        assert_eq!(report[1].as_ref().unwrap_err().kind, Kind::NotFound);
        assert_eq!(world.shown("LID-1"), (4, 400));

        let found = world.shop.submissions(began).await.unwrap();
        let ids: Vec<_> = found.iter().map(|found| found.id.clone()).collect();
        let halves: Vec<_> = submission.id.split('+').rev().map(str::to_owned).collect();
        assert_eq!(ids, halves);
        // One half of it is no success.
        let half = world
            .shop
            .report(&found[1], &updates)
            .await
            .unwrap()
            .unwrap();
        let error = half[0].as_ref().unwrap_err();
        assert_eq!(
            (&*error.code, error.effect),
            ("half-submission", Effect::Happened)
        );
        let of_another = Submission {
            id: "feed-1".to_owned(),
            at: began,
        };
        let refused = world.shop.report(&of_another, &updates).await.unwrap_err();
        assert_eq!(axes(&refused), (Kind::Refused, Effect::None));
        let later = world.now() + Duration::from_secs(7_200);
        assert_eq!(world.shop.submissions(later).await, Ok(Vec::new()));
    }
}

#[tokio::test]
async fn a_submission_whose_answer_is_lost_is_found() {
    let world = World::start("sync", None).await;
    let updates = [update(CUP, "CUP-RED", 3, 300)];
    let lost = Fault::TimeoutAfter;
    world
        .marketplace()
        .fail_next(Operation::SolutionFeedSubmit, lost, 1);
    let error = world.shop.submit(&updates).await.unwrap_err();
    assert_eq!(error.effect, Effect::Unknown);
    let found = world.shop.submissions(world.now()).await.unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].id.starts_with('S'));
}
