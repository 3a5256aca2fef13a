//! The stories that are played, one for each way in which things go wrong.

use super::{Action, Counter, LAMP, Scenario};
use crate::stage::NewOffer;
use kervan::domain::Unavailable;

/// The product behind the second offer, and behind the second sku.
const OTHER: u64 = 500_002;

/// When the first customer buys, unless a scenario says otherwise.
const BOUGHT_MS: i64 = 190_000;

const fn offer(product: u64, stock: u32, rank: u32) -> NewOffer {
    NewOffer {
        product,
        cost: 7_00,
        stock,
        rank,
        at_second: false,
    }
}

fn scenario(name: &'static str, about: &'static str) -> Scenario {
    Scenario {
        name,
        about,
        goods: vec![("LAMP-01", vec![offer(LAMP, 5, 1)])],
        bundle: None,
        plain: None,
        second_supplier: false,
        second_channel: false,
        revisions: 0,
        evidence: None,
        unavailable: Unavailable::Wait,
        parcels: 1,
        // So that the schedules run soon after a lease has run out, and meet who still holds on to it.
        actions: vec![(BOUGHT_MS, Action::Buy("LAMP-01", 1))],
        disturbance: None,
        calm_ends: &["done"],
    }
}

/// All stories.
pub fn scenarios() -> Vec<Scenario> {
    use Counter::{First, Second};
    let at_second = |offer: NewOffer| NewOffer {
        at_second: true,
        ..offer
    };
    vec![
        scenario("plain", "One customer buys one lamp."),
        Scenario {
            goods: vec![
                ("LAMP-01", vec![offer(LAMP, 5, 1)]),
                ("MUG-02", vec![at_second(offer(OTHER, 5, 1))]),
            ],
            second_supplier: true,
            actions: vec![(BOUGHT_MS, Action::BuyBoth)],
            ..scenario("two-suppliers", "One order is bought from two suppliers.")
        },
        Scenario {
            goods: vec![(
                "LAMP-01",
                vec![offer(LAMP, 2, 1), at_second(offer(OTHER, 2, 2))],
            )],
            second_supplier: true,
            actions: vec![(BOUGHT_MS, Action::Buy("LAMP-01", 3))],
            ..scenario(
                "split-line",
                "One line is bought from two offers, two units and one.",
            )
        },
        Scenario {
            actions: vec![(900, Action::SellOut), (1_000, Action::Buy("LAMP-01", 1))],
            calm_ends: &["out_of_stock"],
            ..scenario(
                "out-of-stock",
                "The lamp is gone before the customer buys it.",
            )
        },
        Scenario {
            goods: vec![("LAMP-01", vec![offer(LAMP, 5, 1), offer(OTHER, 5, 2)])],
            disturbance: Some(Action::SellOut),
            ..scenario(
                "stock-drop",
                "The first offer sells out at any moment; there is a second.",
            )
        },
        Scenario {
            disturbance: Some(Action::RaisePrice),
            ..scenario("price-jump", "The supplier's price jumps at any moment.")
        },
        Scenario {
            disturbance: Some(Action::Cancel),
            ..scenario("cancel", "The order is cancelled at any moment.")
        },
        Scenario {
            disturbance: Some(Action::AskToCancel),
            actions: vec![
                (1_000, Action::Buy("LAMP-01", 1)),
                (3 * 3_600_000, Action::Cancel),
            ],
            ..scenario("cancel-asked", "The buyer asks to cancel at any moment.")
        },
        Scenario {
            disturbance: Some(Action::ShipByHand),
            actions: vec![(BOUGHT_MS, Action::Buy("LAMP-01", 2))],
            ..scenario(
                "partly-by-hand",
                "One of two units is shipped by hand at any moment.",
            )
        },
        Scenario {
            goods: vec![
                ("LAMP-01", vec![offer(LAMP, 5, 1)]),
                ("MUG-02", vec![offer(OTHER, 5, 1)]),
            ],
            disturbance: Some(Action::RefundLine),
            actions: vec![(BOUGHT_MS, Action::BuyBoth)],
            ..scenario(
                "line-refunded",
                "One of two lines is paid back by hand at any moment.",
            )
        },
        Scenario {
            goods: vec![
                ("LAMP-01", vec![offer(LAMP, 5, 1)]),
                ("MUG-02", vec![offer(OTHER, 5, 1)]),
            ],
            disturbance: Some(Action::RefundLineInVain),
            actions: vec![(BOUGHT_MS, Action::BuyBoth)],
            ..scenario(
                "refund-in-vain",
                "One of two lines is paid back by hand at any moment, and the refund fails.",
            )
        },
        Scenario {
            goods: vec![
                ("LAMP-01", vec![offer(LAMP, 5, 1)]),
                ("MUG-02", vec![offer(OTHER, 5, 1)]),
            ],
            unavailable: Unavailable::SendTheRest,
            actions: vec![(900, Action::SellOut), (BOUGHT_MS, Action::BuyBoth)],
            calm_ends: &["lines_missing"],
            ..scenario(
                "send-the-rest",
                "One of two lines cannot be had, and the other is sent without it.",
            )
        },
        Scenario {
            goods: vec![("LAMP-01", vec![offer(LAMP, 5, 1), offer(OTHER, 5, 2)])],
            disturbance: Some(Action::RefuseOrders),
            ..scenario(
                "refusal",
                "The first supplier refuses from any moment on; there is a second offer.",
            )
        },
        Scenario {
            disturbance: Some(Action::EndTokens),
            ..scenario("token-ends", "All access tokens end at any moment.")
        },
        Scenario {
            disturbance: Some(Action::Erase),
            ..scenario(
                "erasure",
                "eBay demands at any moment that the buyer's data goes.",
            )
        },
        Scenario {
            disturbance: Some(Action::ForgeErasure),
            ..scenario("forgery", "Somebody who cannot sign demands the same.")
        },
        Scenario {
            parcels: 2,
            actions: vec![(BOUGHT_MS, Action::Buy("LAMP-01", 2))],
            ..scenario(
                "two-parcels",
                "The supplier sends two units in two parcels.",
            )
        },
        Scenario {
            goods: vec![("LAMP-01", vec![offer(LAMP, 1, 1)])],
            actions: vec![
                (1_000, Action::Buy("LAMP-01", 1)),
                (1_001, Action::Buy("LAMP-01", 1)),
            ],
            calm_ends: &["done", "out_of_stock"],
            ..scenario("last-unit", "Two customers buy the last lamp at once.")
        },
        Scenario {
            actions: vec![(1_000, Action::Buy("LAMP-01", 1)), (1_500, Action::Sweep)],
            ..scenario(
                "sweep-meets-push",
                "The sweep finds the order while its push comes in.",
            )
        },
        Scenario {
            plain: Some(5),
            goods: vec![("LAMP-01", Vec::new())],
            ..scenario(
                "search-only",
                "The supplier recognises no repeat; its orders can be searched.",
            )
        },
        Scenario {
            goods: vec![("LAMP-01", vec![offer(LAMP, 3, 1), offer(OTHER, 1, 2)])],
            // Shortly before the schedules run, so that they cannot heal what goes wrong after them.
            actions: vec![
                (250_000, Action::Buy("LAMP-01", 1)),
                (250_100, Action::Buy("LAMP-01", 2)),
                (250_200, Action::Buy("LAMP-01", 1)),
            ],
            disturbance: Some(Action::EndTokens),
            calm_ends: &["done", "done", "done"],
            ..scenario(
                "rush",
                "Three customers buy all there is, and all access tokens end at any moment.",
            )
        },
        Scenario {
            actions: vec![
                (500, Action::LosePushes),
                (240_000, Action::Buy("LAMP-01", 1)),
            ],
            ..scenario("no-pushes", "eBay pushes nothing, and lists an order late.")
        },
        Scenario {
            actions: vec![
                (500, Action::Lag),
                (600, Action::CutOff),
                (1_000, Action::Buy("LAMP-01", 1)),
                (400_000, Action::Recover),
                (3 * 3_600_000, Action::Cancel),
            ],
            disturbance: Some(Action::AskToCancel),
            calm_ends: &["done"],
            ..scenario(
                "lagging-reads",
                "The buyer asks to cancel, and some of eBay's reads do not show it.",
            )
        },
        Scenario {
            actions: vec![
                (500, Action::CutOff),
                (1_000, Action::Buy("LAMP-01", 1)),
                (600_000, Action::RaisePrice),
                (1_500_000, Action::Recover),
            ],
            calm_ends: &["would_lose"],
            ..scenario(
                "cut-off",
                "Nobody gets through to the supplier, and its price jumps meanwhile.",
            )
        },
        Scenario {
            plain: Some(5),
            goods: vec![("LAMP-01", Vec::new())],
            actions: vec![
                (700_000, Action::FallIll),
                (3 * 3_600_000, Action::Buy("LAMP-01", 2)),
            ],
            calm_ends: &["out_of_stock"],
            ..scenario(
                "old-evidence",
                "The supplier's stock cannot be read for hours.",
            )
        },
        Scenario {
            actions: vec![
                (500, Action::LoseAnswerThenFail),
                (1_000, Action::Buy("LAMP-01", 1)),
                (25 * 3_600_000, Action::Recover),
            ],
            calm_ends: &["purchase_in_doubt"],
            ..scenario(
                "day-of-outage",
                "An answer is lost, and the supplier is ill for longer than it remembers.",
            )
        },
        Scenario {
            second_channel: true,
            goods: vec![("LAMP-01", vec![offer(LAMP, 2, 1)])],
            actions: vec![
                (BOUGHT_MS, Action::Shop(First, "LAMP-01", 1)),
                (BOUGHT_MS + 20_000, Action::Shop(First, "LAMP-01", 1)),
                (BOUGHT_MS + 20_000, Action::Shop(Second, "LAMP-01", 1)),
                (BOUGHT_MS + 90_000, Action::Shop(Second, "LAMP-01", 1)),
                (BOUGHT_MS + 600_000, Action::Shop(First, "LAMP-01", 1)),
            ],
            calm_ends: &["done", "out_of_stock", "done"],
            ..scenario(
                "two-channels",
                "The same lamps are sold on two channels; two customers take the last one at once.",
            )
        },
        Scenario {
            second_channel: true,
            second_supplier: true,
            goods: vec![
                ("LAMP-01", vec![offer(LAMP, 3, 1)]),
                ("MUG-02", vec![at_second(offer(OTHER, 2, 1))]),
            ],
            bundle: Some(("SET-03", &[("LAMP-01", 2), ("MUG-02", 1)])),
            actions: vec![
                (BOUGHT_MS, Action::Shop(First, "SET-03", 1)),
                (BOUGHT_MS, Action::Shop(Second, "LAMP-01", 2)),
                (BOUGHT_MS + 20_000, Action::Shop(Second, "SET-03", 1)),
                (BOUGHT_MS + 90_000, Action::Shop(First, "MUG-02", 1)),
                (BOUGHT_MS + 600_000, Action::Shop(Second, "LAMP-01", 1)),
            ],
            calm_ends: &["out_of_stock", "done", "done", "done"],
            ..scenario(
                "bundle",
                "A set of two lamps and a mug, and the lamps alone, are sold on two channels at once; there are three lamps.",
            )
        },
        Scenario {
            second_channel: true,
            goods: vec![("LAMP-01", vec![offer(LAMP, 4, 1)])],
            disturbance: Some(Action::Stock(1)),
            actions: vec![
                (BOUGHT_MS, Action::Shop(First, "LAMP-01", 1)),
                (BOUGHT_MS, Action::Shop(Second, "LAMP-01", 1)),
                (BOUGHT_MS + 90_000, Action::Shop(Second, "LAMP-01", 1)),
                (BOUGHT_MS + 700_000, Action::Shop(First, "LAMP-01", 1)),
                (BOUGHT_MS + 780_000, Action::Shop(Second, "LAMP-01", 1)),
            ],
            calm_ends: &["done", "done", "done", "done"],
            ..scenario(
                "drop-two-channels",
                "The supplier's stock falls to one at any moment while customers buy on two channels.",
            )
        },
        Scenario {
            plain: Some(8),
            goods: vec![("LAMP-01", Vec::new())],
            evidence: Some([20, 40, 80]),
            actions: vec![
                (400_000, Action::Shop(First, "LAMP-01", 1)),
                (900_000, Action::Hide),
                // Not fresh; then half of it counts; then nothing does; then it is known again.
                (2_700_000, Action::Shop(First, "LAMP-01", 1)),
                (4_500_000, Action::Shop(First, "LAMP-01", 4)),
                (7_500_000, Action::Shop(First, "LAMP-01", 1)),
                (7_600_000, Action::Show),
                (10_200_000, Action::Shop(First, "LAMP-01", 1)),
            ],
            calm_ends: &["done", "done", "done"],
            ..scenario(
                "stale",
                "The supplier's stock cannot be read for two hours; what is shown falls by the merchant's rule.",
            )
        },
        Scenario {
            goods: vec![("LAMP-01", vec![offer(LAMP, 5, 1)])],
            actions: vec![
                (BOUGHT_MS, Action::Shop(First, "LAMP-01", 1)),
                (1_500_000, Action::Fail),
                (
                    25 * 3_600_000 + 2_400_000,
                    Action::Shop(First, "LAMP-01", 1),
                ),
                (26 * 3_600_000, Action::Recover),
                (28 * 3_600_000, Action::Shop(First, "LAMP-01", 1)),
            ],
            calm_ends: &["done", "done"],
            ..scenario(
                "supplier-day-off",
                "The supplier answers nothing for a day: nothing is shown at its end, and it comes back.",
            )
        },
        Scenario {
            goods: vec![("LAMP-01", vec![offer(LAMP, 9, 1)])],
            revisions: 234,
            actions: vec![
                (BOUGHT_MS, Action::Shop(First, "LAMP-01", 1)),
                (400_000, Action::Stock(7)),
                (1_200_000, Action::Stock(5)),
                (2_400_000, Action::Stock(4)),
                (3_600_000, Action::Stock(3)),
                (4_800_000, Action::Shop(First, "LAMP-01", 1)),
                (5_000_000, Action::Stock(0)),
                (9_000_000, Action::Shop(First, "LAMP-01", 1)),
            ],
            calm_ends: &["done", "done"],
            ..scenario(
                "budget",
                "The day's changes of a listing are used up: what is sold then takes it to zero, and shows no unit too many.",
            )
        },
    ]
}

/// A scenario by its name.
pub fn named(name: &str) -> Option<Scenario> {
    scenarios().into_iter().find(|one| one.name == name)
}
