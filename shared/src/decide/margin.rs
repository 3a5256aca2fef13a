//! Whether a purchase loses money.

use crate::domain::{Exchange, LossRule, Money, NoRate, Rate, Toward};

/// What is left of an order after its purchases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Margin {
    /// In the order's currency; negative for a loss.
    pub left: Money,
    /// The rates that were used, each once.
    pub rates: Vec<Rate>,
}

/// What the customer pays, less what the channel keeps, less what the goods cost with their shipping. Costs in other
/// currencies are converted, upward. A cost that is not known (`None`) is too large to be summed.
pub fn margin(
    total: Money,
    fee: Money,
    costs: impl IntoIterator<Item = Option<Money>>,
    exchange: &Exchange<'_>,
) -> Result<Margin, NoRate> {
    let (mut left, mut rates) = (total, Vec::new());
    for cost in [Some(fee)].into_iter().chain(costs) {
        let cost = cost.ok_or(NoRate::TooLarge)?;
        let cost = exchange.convert(cost, total.currency, Toward::Cost)?;
        left = left.minus(cost.money).ok_or(NoRate::TooLarge)?;
        for rate in cost.rates {
            if !rates.contains(&rate) {
                rates.push(rate);
            }
        }
    }
    Ok(Margin { left, rates })
}

/// The most that an order of this total may lose by the rule: not negative, in the total's currency. An amount that no
/// rate converts allows nothing.
pub fn most_loss(rule: &LossRule, total: Money, exchange: &Exchange<'_>) -> Money {
    let amount = rule.most.map(|most| {
        let converted = exchange.value(most.0, total.currency, Toward::Proceeds);
        converted.map_or(0, |(money, _)| money.minor)
    });
    let part = rule.most_percent.map(|percent| {
        let part = i128::from(total.minor.max(0)) * i128::from(percent.0) / 10_000;
        i64::try_from(part).unwrap_or(0)
    });
    let minor = amount.into_iter().chain(part).min().unwrap_or(0).max(0);
    Money { minor, ..total }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Amount, Hundredths, Rates};
    use jiff::{SignedDuration, Timestamp};

    fn money(minor: i64, currency: &str) -> Money {
        Money {
            minor,
            currency: currency.parse().unwrap(),
        }
    }

    fn rates() -> Rates {
        let mut rates = Rates::default();
        let (from, to) = ("EUR".parse().unwrap(), "USD".parse().unwrap());
        let value = "1.1".parse().unwrap();
        let rate = Rate::new(from, to, value, "ECB", Timestamp::UNIX_EPOCH).unwrap();
        assert!(rates.take(rate, Timestamp::UNIX_EPOCH));
        rates
    }

    fn exchange(rates: &Rates) -> Exchange<'_> {
        Exchange {
            rates,
            now: Timestamp::UNIX_EPOCH,
            most_age: SignedDuration::from_hours(96),
        }
    }

    #[test]
    fn fee_and_all_costs_are_taken_off() {
        let costs = [Some(money(700, "USD")), Some(money(150, "USD"))];
        let rates = Rates::default();
        let (total, fee) = (money(1999, "USD"), money(260, "USD"));
        let left = margin(total, fee, costs, &exchange(&rates)).unwrap();
        assert_eq!(left.left, money(889, "USD"));
        assert!(left.rates.is_empty());
    }

    #[test]
    fn a_cost_in_another_currency_is_converted_upward_and_never_guessed() {
        let (total, fee) = (money(1999, "USD"), money(0, "USD"));
        let costs = [Some(money(701, "EUR")), Some(money(1, "EUR"))];
        let rates = rates();
        let left = margin(total, fee, costs, &exchange(&rates)).unwrap();
        // 7.711 and 0.011 USD.
        assert_eq!(left.left, money(1999 - 772 - 2, "USD"));
        assert_eq!(left.rates.len(), 1, "the rate is named once");
        let none = Rates::default();
        assert!(margin(total, fee, costs, &exchange(&none)).is_err());
        let too_large = margin(total, fee, [None], &exchange(&none));
        assert_eq!(too_large, Err(NoRate::TooLarge));
    }

    #[test]
    fn what_is_left_is_negative_for_a_loss() {
        let rates = Rates::default();
        // Total, fee and cost, and what is left.
        let rows = [
            (1999, 0, 0, 1999),
            (1999, 260, 1738, 1),
            (1999, 260, 1739, 0),
            (1999, 260, 1740, -1),
            (0, 10, 20, -30),
        ];
        for (total, fee, cost, wanted) in rows {
            let costs = [Some(money(cost, "USD"))];
            let (total, fee) = (money(total, "USD"), money(fee, "USD"));
            let left = margin(total, fee, costs, &exchange(&rates)).unwrap();
            assert_eq!(left.left, money(wanted, "USD"), "{total}, {fee}, {cost}");
        }
    }

    #[test]
    fn a_fee_in_another_currency_is_converted_too_and_each_rate_is_named_once() {
        let mut rates = rates();
        let (from, to) = ("GBP".parse().unwrap(), "USD".parse().unwrap());
        let value = "1.25".parse().unwrap();
        let pounds = Rate::new(from, to, value, "ECB", Timestamp::UNIX_EPOCH).unwrap();
        assert!(rates.take(pounds, Timestamp::UNIX_EPOCH));
        let (total, fee) = (money(1999, "USD"), money(100, "GBP"));
        let costs = [("EUR", 100), ("GBP", 200), ("EUR", 300), ("USD", 400)];
        let costs = costs.map(|(currency, minor)| Some(money(minor, currency)));
        let left = margin(total, fee, costs, &exchange(&rates)).unwrap();
        assert_eq!(left.left, money(1999 - 125 - 110 - 250 - 330 - 400, "USD"));
        let named: Vec<_> = left.rates.iter().map(|rate| rate.from.code()).collect();
        assert_eq!(named, ["GBP", "EUR"]);
    }

    #[test]
    fn the_lower_of_both_limits_of_a_loss_counts_and_none_allows_nothing() {
        let rates = rates();
        // The order's total, the most as money and in hundredths of a percent, and what may be lost.
        let rows = [
            (2000, None, None, 0),
            (2000, Some((500, "USD")), None, 500),
            (2000, Some((500, "EUR")), None, 550),
            // 5.511 USD: what may be lost is rounded down.
            (2000, Some((501, "EUR")), None, 551),
            (2000, Some((500, "CNY")), None, 0),
            (2000, Some((500, "CNY")), Some(5000), 0),
            (2000, None, Some(1000), 200),
            (2000, None, Some(10_000), 2000),
            (2000, None, Some(0), 0),
            // A tenth of 19.99 USD is 1.999.
            (1999, None, Some(1000), 199),
            (2000, Some((500, "EUR")), Some(5000), 550),
            (2000, Some((500, "USD")), Some(1000), 200),
            (2000, Some((200, "USD")), Some(1000), 200),
            (2000, Some((199, "USD")), Some(1000), 199),
            (-2000, None, Some(1000), 0),
            (2000, Some((-1, "USD")), None, 0),
        ];
        for (total, most, percent, wanted) in rows {
            let rule = LossRule {
                most: most.map(|(minor, currency)| Amount(money(minor, currency))),
                most_percent: percent.map(Hundredths),
            };
            let total = money(total, "USD");
            let loss = most_loss(&rule, total, &exchange(&rates));
            assert_eq!(loss, money(wanted, "USD"), "{rule:?} of {total}");
        }
    }
}
