//! What is told first.

use crate::domain::Money;

/// How urgent it is to tell a channel of a listing; the most urgent is the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// It shows what is not there at all: the next customer would buy it.
    ToZero,
    /// It shows more than there is, or nobody knows what it shows.
    Fall,
    /// It shows less than there is: sales are missed.
    Rise,
    /// Only its price is another.
    Price,
    /// It shows what it should.
    None,
}

impl Urgency {
    /// How urgent it is to change a listing from what it shows, where that is known, to what it should show.
    pub fn of(shown: Option<(u32, Money)>, wanted: (u32, Money)) -> Self {
        let quantity = wanted.0;
        match shown {
            Some(shown) if shown == wanted => Self::None,
            // What is not on sale has its price with its next unit.
            Some((0, _)) if quantity == 0 => Self::None,
            Some((before, _)) if before == quantity => Self::Price,
            Some((before, _)) if before < quantity => Self::Rise,
            _ if quantity == 0 => Self::ToZero,
            _ => Self::Fall,
        }
    }

    /// Whether it may wait: nothing is sold meanwhile that is not there.
    pub const fn may_wait(self) -> bool {
        matches!(self, Self::Rise | Self::Price)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn usd(minor: i64) -> Money {
        Money {
            minor,
            currency: "USD".parse().unwrap(),
        }
    }

    #[test]
    fn zero_comes_first_and_a_price_last() {
        let of = |before: u32, after: u32| {
            let price = usd(i64::from(before == after) * 100 + 900);
            Urgency::of(Some((before, usd(900))), (after, price))
        };
        let mut all = [of(5, 5), of(5, 6), of(515, 514), of(1, 0)];
        all.sort();
        let order = [
            Urgency::ToZero,
            Urgency::Fall,
            Urgency::Rise,
            Urgency::Price,
        ];
        assert_eq!(all, order);
    }

    #[test]
    fn a_price_waits_for_the_next_unit() {
        let of = |before, after| Urgency::of(Some((before, usd(900))), (after, usd(800)));
        assert_eq!((of(0, 0), of(0, 1)), (Urgency::None, Urgency::Rise));
    }

    #[test]
    fn what_nobody_knows_may_show_too_much() {
        assert_eq!(Urgency::of(None, (0, usd(900))), Urgency::ToZero);
        assert_eq!(Urgency::of(None, (7, usd(900))), Urgency::Fall);
    }

    proptest! {
        #[test]
        fn what_lowers_never_waits(before in 0_u32..9, after in 0_u32..9, old in 1_i64..4, new in 1_i64..4) {
            let urgency = Urgency::of(Some((before, usd(old))), (after, usd(new)));
            prop_assert_eq!(after < before, urgency <= Urgency::Fall);
            let is_same = before == after && (old == new || after == 0);
            prop_assert_eq!(is_same, urgency == Urgency::None);
        }
    }
}
