//! Whether a purchase loses money.

use crate::domain::Money;

/// What is left of an order after its purchases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Margin {
    /// Known; negative for a loss.
    Known(Money),
    /// Proceeds and costs have different currencies, and no rate is known.
    NoRate,
}

/// What the customer pays, less what the channel keeps, less what the goods cost with their shipping.
pub fn margin(total: Money, fee: Money, costs: impl IntoIterator<Item = Option<Money>>) -> Margin {
    let left = costs
        .into_iter()
        .try_fold(total.minus(fee), |left, cost| Some(left?.minus(cost?)));
    left.flatten().map_or(Margin::NoRate, Margin::Known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(minor: i64, currency: &str) -> Money {
        Money {
            minor,
            currency: currency.parse().unwrap(),
        }
    }

    #[test]
    fn fee_and_all_costs_are_taken_off() {
        let costs = [Some(money(700, "USD")), Some(money(150, "USD"))];
        let left = margin(money(1999, "USD"), money(260, "USD"), costs);
        assert_eq!(left, Margin::Known(money(889, "USD")));
    }

    #[test]
    fn a_cost_in_another_currency_is_not_guessed() {
        let left = margin(
            money(1999, "USD"),
            money(0, "USD"),
            [Some(money(700, "EUR"))],
        );
        assert_eq!(left, Margin::NoRate);
        assert_eq!(
            margin(money(1999, "USD"), money(0, "USD"), [None]),
            Margin::NoRate
        );
    }
}
