use super::*;
use crate::command::price::fixture::{listing, now, put, shop, usd};
use kervan::domain::Published;

/// What is told of this listing, whose supplier has five at this cost.
async fn told(listing: Listing, cost: &str) -> String {
    let store = shop().await;
    put(&store, &listing, cost).await;
    let mut out = Vec::new();
    show(&store, &listing.id.sku, now(), false, &mut out)
        .await
        .unwrap();
    String::from_utf8(out).unwrap()
}

fn published(quantity: u32, price: &str) -> Listing {
    Listing {
        published: Some(Published {
            quantity,
            price: usd(price),
            at: now(),
        }),
        ..listing("LAMP", price, None)
    }
}

#[tokio::test]
async fn what_a_listing_should_show_is_what_is_published() {
    let text = told(published(5, "15"), "10").await;
    assert!(text.contains("as it should be"), "{text}");
    // The rules come to another price, and no person is needed for it.
    let text = told(published(5, "15"), "12").await;
    assert!(text.contains("should be 5 at 18.00 USD"), "{text}");
    // They come to one that is held, and the old one would lose.
    let text = told(published(5, "15"), "20").await;
    assert!(
        text.contains("should be 0, because each sale at 15.00 USD would lose"),
        "{text}"
    );
    let text = told(published(0, "15"), "20").await;
    assert!(
        text.contains("as it should be: each sale would lose"),
        "{text}"
    );
}

#[tokio::test]
async fn a_listing_without_a_price_is_not_said_to_be_published() {
    let mut none = listing("LAMP", "15", None);
    none.price = Money::zero("EUR".parse().unwrap());
    // No rate is known, so the rules come to nothing.
    let text = told(none, "10").await;
    assert!(
        text.contains("is not published, because it has no price yet"),
        "{text}"
    );
}

#[tokio::test]
async fn a_listing_whose_last_update_has_no_answer_is_not_said_to_be_new() {
    let new = listing("LAMP", "15", None);
    let text = told(new.clone(), "10").await;
    assert!(text.contains("nothing is known to be published"), "{text}");
    for unanswered in [
        Listing {
            doubt_until: Some(now()),
            ..new.clone()
        },
        Listing {
            revisions: new.revisions.with_one_more(now()),
            ..new
        },
    ] {
        let text = told(unanswered, "10").await;
        assert!(text.contains("what it shows is not known"), "{text}");
    }
}

#[tokio::test]
async fn a_price_that_a_person_has_refused_is_not_said_to_be_held() {
    let text = told(listing("LAMP", "15", Some(("30", true))), "20").await;
    assert!(text.contains("a person has said no to 30.00 USD"), "{text}");
    let text = told(listing("LAMP", "15", Some(("30", false))), "20").await;
    assert!(text.contains("30.00 USD is held for a person"), "{text}");
}
