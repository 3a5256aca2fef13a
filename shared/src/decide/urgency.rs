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

    /// Units and price that are shown, if known, units and price that should be, and how urgent that is.
    type Row = (Option<(u32, i64)>, (u32, i64), Urgency);

    fn check(rows: &[Row]) {
        for (shown, wanted, urgency) in rows {
            let money = |(quantity, minor): (u32, i64)| (quantity, usd(minor));
            let of = Urgency::of(shown.map(money), money(*wanted));
            assert_eq!(of, *urgency, "{shown:?} to {wanted:?}");
        }
    }

    #[test]
    fn what_shows_too_much_is_a_fall_and_what_shows_too_little_a_rise() {
        check(&[
            (Some((5, 900)), (6, 900), Urgency::Rise),
            (Some((5, 900)), (6, 800), Urgency::Rise),
            (Some((0, 900)), (1, 900), Urgency::Rise),
            (Some((5, 900)), (5, 900), Urgency::None),
            (Some((5, 900)), (4, 900), Urgency::Fall),
            (Some((5, 900)), (4, 800), Urgency::Fall),
            (Some((5, 900)), (1, 900), Urgency::Fall),
            (Some((5, 900)), (0, 900), Urgency::ToZero),
            (Some((1, 900)), (0, 800), Urgency::ToZero),
        ]);
    }

    #[test]
    fn a_price_waits_for_the_next_unit() {
        check(&[
            (Some((5, 900)), (5, 800), Urgency::Price),
            (Some((1, 900)), (1, 901), Urgency::Price),
            (Some((0, 900)), (0, 800), Urgency::None),
            (Some((0, 900)), (0, 900), Urgency::None),
            (Some((0, 900)), (1, 800), Urgency::Rise),
        ]);
    }

    #[test]
    fn what_nobody_knows_may_show_too_much() {
        check(&[
            (None, (0, 900), Urgency::ToZero),
            (None, (1, 900), Urgency::Fall),
            (None, (7, 900), Urgency::Fall),
        ]);
    }

    #[test]
    fn only_what_sells_nothing_that_is_not_there_may_wait() {
        let rows = [
            (Urgency::ToZero, false),
            (Urgency::Fall, false),
            (Urgency::Rise, true),
            (Urgency::Price, true),
        ];
        for (urgency, wanted) in rows {
            assert_eq!(urgency.may_wait(), wanted, "{urgency:?}");
        }
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
