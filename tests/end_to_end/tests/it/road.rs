//! The road of an order, from the customer's click to the delivered parcel.

use jiff::SignedDuration;
use kervan::domain::{ParcelState, Phase, PurchaseState};
use kervan_end_to_end::{World, WorldOptions};

#[tokio::test]
async fn an_order_is_bought_shipped_confirmed_and_done() {
    let world = World::with_lamp(WorldOptions::default(), 10).await.unwrap();
    let key = world.buy("LAMP-01", 2).unwrap();
    world.pass(SignedDuration::from_secs(5)).await.unwrap();
    let order = world
        .order(&key)
        .await
        .unwrap()
        .expect("the order was recorded");
    assert!(
        matches!(order.purchases[0].state, PurchaseState::Placed { .. }),
        "{order:?}"
    );
    world.pass(SignedDuration::from_mins(5)).await.unwrap();
    let order = world.order(&key).await.unwrap().unwrap();
    assert!(
        matches!(order.parcels[0].state, ParcelState::Confirmed { .. }),
        "{order:?}"
    );
    world.pass(SignedDuration::from_hours(2)).await.unwrap();
    let order = world.order(&key).await.unwrap().unwrap();
    assert_eq!(order.phase, Phase::Done);
    let bought = world.aliexpress.orders();
    assert_eq!(bought.len(), 1);
    assert_eq!(bought[0].lines[0].quantity, 2);
    let sold = world.ebay.order(key.id.as_str()).unwrap();
    assert_eq!(sold.fulfillments.len(), 1);
    assert_eq!(sold.lines[0].shipped, 2);
}
