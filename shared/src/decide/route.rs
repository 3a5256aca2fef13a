//! Which supplier gets which line.

use crate::domain::{LineId, Money, OfferId, Sku};

/// Units of a sku that a line needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The channel's line.
    pub line: LineId,
    /// What is needed.
    pub sku: Sku,
    /// Units.
    pub quantity: u32,
    /// Offers that can fill it, in any order.
    pub candidates: Vec<Candidate>,
}

/// An offer that may fill a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Which offer.
    pub offer: OfferId,
    /// Lower is tried first.
    pub rank: u32,
    /// Cost of one unit by the latest evidence.
    pub cost: Money,
    /// Units that no order has taken.
    pub free: i64,
}

/// The chosen offers, a group for each purchase: lines of one supplier go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Place of the need, and the offer that fills it, by supplier.
    pub purchases: Vec<Vec<(usize, OfferId)>>,
}

/// A need that no offer can fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unroutable {
    /// Place of the need.
    pub need: usize,
}

/// Chooses for every need the offer of the lowest rank, then cost, that has enough free units, and groups by supplier.
/// Two lines of one sku do not get the same units twice.
pub fn route(needs: &[Need]) -> Result<Route, Unroutable> {
    let mut taken: Vec<(&OfferId, i64)> = Vec::new();
    let mut purchases: Vec<Vec<(usize, OfferId)>> = Vec::new();
    for (place, need) in needs.iter().enumerate() {
        let mut candidates: Vec<&Candidate> = need.candidates.iter().collect();
        candidates.sort_by_key(|candidate| (candidate.rank, candidate.cost.minor));
        let left = |candidate: &Candidate| {
            let used = taken.iter().filter(|(offer, _)| **offer == candidate.offer);
            candidate.free - used.map(|(_, units)| units).sum::<i64>()
        };
        let chosen = candidates
            .into_iter()
            .find(|candidate| left(candidate) >= i64::from(need.quantity))
            .ok_or(Unroutable { need: place })?;
        taken.push((&chosen.offer, i64::from(need.quantity)));
        let entry = (place, chosen.offer.clone());
        let same = |group: &&mut Vec<(usize, OfferId)>| {
            group
                .iter()
                .any(|(_, offer)| offer.supplier == chosen.offer.supplier)
        };
        match purchases.iter_mut().find(same) {
            Some(group) => group.push(entry),
            None => purchases.push(vec![entry]),
        }
    }
    Ok(Route { purchases })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(supplier: &str, variant: &str, rank: u32, free: i64) -> Candidate {
        Candidate {
            offer: OfferId::new(supplier.parse().unwrap(), "p1", variant).unwrap(),
            rank,
            cost: Money {
                minor: 100,
                currency: "USD".parse().unwrap(),
            },
            free,
        }
    }

    fn need(line: &str, quantity: u32, candidates: Vec<Candidate>) -> Need {
        Need {
            line: LineId::parse(line).unwrap(),
            sku: Sku::parse("LAMP").unwrap(),
            quantity,
            candidates,
        }
    }

    #[test]
    fn the_lowest_rank_with_enough_units_is_chosen() {
        let first = candidate("aliexpress:main", "v1", 1, 1);
        let second = candidate("aliexpress:other", "v2", 2, 5);
        let routed = route(&[need("l1", 2, vec![second.clone(), first.clone()])]).unwrap();
        assert_eq!(routed.purchases, vec![vec![(0, second.offer.clone())]]);
        let routed = route(&[need("l1", 1, vec![second, first.clone()])]).unwrap();
        assert_eq!(routed.purchases, vec![vec![(0, first.offer)]]);
    }

    #[test]
    fn lines_of_one_supplier_go_together() {
        let a = candidate("aliexpress:main", "v1", 1, 9);
        let b = candidate("aliexpress:other", "v2", 1, 9);
        let c = candidate("aliexpress:main", "v3", 1, 9);
        let needs = [
            need("1", 1, vec![a]),
            need("2", 1, vec![b]),
            need("3", 1, vec![c]),
        ];
        let places: Vec<Vec<usize>> = route(&needs)
            .unwrap()
            .purchases
            .iter()
            .map(|group| group.iter().map(|(place, _)| *place).collect())
            .collect();
        assert_eq!(places, vec![vec![0, 2], vec![1]]);
    }

    #[test]
    fn two_lines_cannot_take_the_last_unit() {
        let last = candidate("aliexpress:main", "v1", 1, 1);
        let needs = [need("1", 1, vec![last.clone()]), need("2", 1, vec![last])];
        assert_eq!(route(&needs), Err(Unroutable { need: 1 }));
    }
}
