//! The products of one message, asked for side by side where one call tells of one.

use super::{CallError, Kind};
use crate::domain::OfferId;
use futures_util::{StreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// Calls at once for one message. Ten messages are worked on side by side, and an answer can have a megabyte.
const AT_ONCE: usize = 8;

/// Asks for each product of the offers once. After an error that would meet all of them, as a spent limit or a supplier that is
/// ill, no further one is asked for: it has the same error.
pub(super) async fn side_by_side<'a, T, F, A>(
    offers: &'a [OfferId],
    ask: F,
) -> BTreeMap<&'a str, Result<T, CallError>>
where
    F: Fn(&'a str) -> A,
    A: Future<Output = Result<T, CallError>>,
{
    let products: BTreeSet<&str> = offers.iter().map(|offer| offer.product.as_str()).collect();
    let refused = Mutex::new(None::<CallError>);
    let known = || refused.lock().unwrap_or_else(PoisonError::into_inner);
    let (ask, known) = (&ask, &known);
    let answer = |product| async move {
        let earlier = known().clone();
        let answer = match earlier {
            Some(error) => Err(error),
            None => ask(product).await,
        };
        if let Err(error) = &answer
            && meets_all(error.kind)
        {
            known().get_or_insert_with(|| error.clone());
        }
        (product, answer)
    };
    let answers: Vec<_> = products.into_iter().map(answer).collect();
    stream::iter(answers)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await
}

const fn meets_all(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::NotFound | Kind::NotDeliverable | Kind::OutOfStock | Kind::Refused | Kind::Unreadable
    )
}

/// The answer about an offer's product.
pub(super) fn of<'a, T>(
    answers: &'a BTreeMap<&str, Result<T, CallError>>,
    offer: &OfferId,
) -> Result<Option<&'a T>, CallError> {
    let answer = answers.get(offer.product.as_str());
    let answer = answer.map(|answer| answer.as_ref().map_err(Clone::clone));
    answer.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marketplaces::Retry;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    fn offers(products: usize) -> Vec<OfferId> {
        let offer = |number: usize| {
            let supplier = "aliexpress:main".parse().unwrap();
            OfferId::new(supplier, &format!("{:03}", number / 2), &number.to_string()).unwrap()
        };
        (0..2 * products).map(offer).collect()
    }

    #[tokio::test]
    async fn each_product_is_asked_for_once_and_eight_side_by_side() {
        let (now, most, all) = (
            AtomicUsize::new(0),
            AtomicUsize::new(0),
            AtomicUsize::new(0),
        );
        let offers = offers(20);
        let ask = |product: &str| {
            let product = product.to_owned();
            let (now, most, all) = (&now, &most, &all);
            async move {
                all.fetch_add(1, Ordering::Relaxed);
                most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(1)).await;
                now.fetch_sub(1, Ordering::Relaxed);
                Ok(product)
            }
        };
        let answers = side_by_side(&offers, ask).await;
        assert_eq!(
            (all.into_inner(), most.into_inner(), answers.len()),
            (20, 8, 20)
        );
        for offer in &offers {
            assert_eq!(of(&answers, offer).unwrap(), Some(&offer.product));
        }
    }

    /// The sixth of twenty products is refused: how many were asked for, and which have no answer.
    async fn refused_at_the_sixth(kind: Kind) -> (usize, Vec<usize>) {
        let offers = offers(20);
        let asked = AtomicUsize::new(0);
        let ask = |product: &str| {
            let (number, asked) = (product.parse::<usize>().unwrap(), &asked);
            async move {
                asked.fetch_add(1, Ordering::Relaxed);
                let retry = Retry::After(Duration::from_secs(1));
                let account = "aliexpress:main".parse().unwrap();
                let error = CallError::new(&account, "stock", kind, retry, "wrong");
                if number == 5 { Err(error) } else { Ok(number) }
            }
        };
        let answers = side_by_side(&offers, ask).await;
        let refused = |number: &usize| of(&answers, &offers[2 * number]).is_err();
        let refused = (0..20).filter(refused).collect();
        (asked.into_inner(), refused)
    }

    #[tokio::test]
    async fn what_would_meet_all_stops_what_was_not_asked_for_and_keeps_what_was_answered() {
        let (asked, refused) = refused_at_the_sixth(Kind::Throttled).await;
        assert_eq!(asked, 6);
        assert_eq!(refused, (5..20).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn what_is_wrong_with_one_product_is_its_own() {
        assert_eq!(refused_at_the_sixth(Kind::Unreadable).await, (20, vec![5]));
    }
}
