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

/// Units of a need that one offer fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Place of the need.
    pub need: usize,
    /// The offer.
    pub offer: OfferId,
    /// Units, at least one.
    pub units: u32,
}

/// The chosen offers, a group for each purchase: lines of one supplier go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// What fills the needs, by supplier.
    pub purchases: Vec<Vec<Share>>,
}

/// A need that all offers together cannot fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unroutable {
    /// Place of the need.
    pub need: usize,
}

/// Chooses for every need the offer of the lowest rank, then cost, that has enough free units, and groups by supplier.
/// Where none has enough, the need is split over several in that order: two parcels are better than none. Two lines of one
/// sku do not get the same units twice.
pub fn route(needs: &[Need]) -> Result<Route, Unroutable> {
    let mut taken: Vec<(&OfferId, i64)> = Vec::new();
    let mut purchases: Vec<Vec<Share>> = Vec::new();
    for (place, need) in needs.iter().enumerate() {
        for (offer, units) in fill(need, &taken).ok_or(Unroutable { need: place })? {
            taken.push((offer, i64::from(units)));
            let share = Share {
                need: place,
                offer: offer.clone(),
                units,
            };
            let same = |group: &&mut Vec<Share>| group[0].offer.supplier == offer.supplier;
            match purchases.iter_mut().find(same) {
                Some(group) => group.push(share),
                None => purchases.push(vec![share]),
            }
        }
    }
    Ok(Route { purchases })
}

/// The offers that fill a need with what is left of them: one, or as few as the ranks allow. `None`: not enough.
fn fill<'a>(need: &'a Need, taken: &[(&OfferId, i64)]) -> Option<Vec<(&'a OfferId, u32)>> {
    let left = |candidate: &Candidate| {
        let used = taken.iter().filter(|(offer, _)| **offer == candidate.offer);
        candidate.free - used.map(|(_, units)| units).sum::<i64>()
    };
    let mut candidates: Vec<&Candidate> = need.candidates.iter().collect();
    candidates.sort_by_key(|candidate| (candidate.rank, candidate.cost.minor));
    let wanted = i64::from(need.quantity);
    if let Some(one) = candidates.iter().find(|one| left(one) >= wanted) {
        return Some(vec![(&one.offer, need.quantity)]);
    }
    let (mut shares, mut open) = (Vec::new(), need.quantity);
    for candidate in candidates {
        let units = u32::try_from(left(candidate).max(0)).unwrap_or(u32::MAX);
        let units = units.min(open);
        if units > 0 {
            shares.push((&candidate.offer, units));
            open -= units;
        }
    }
    (open == 0).then_some(shares)
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

    fn shares(route: &Route) -> Vec<Vec<(usize, OfferId, u32)>> {
        let group = |group: &Vec<Share>| {
            let shares = group.iter();
            shares
                .map(|share| (share.need, share.offer.clone(), share.units))
                .collect()
        };
        route.purchases.iter().map(group).collect()
    }

    #[test]
    fn a_line_that_no_offer_can_fill_alone_is_split_by_rank() {
        let second = candidate("aliexpress:other", "v2", 2, 2);
        let first = candidate("aliexpress:main", "v1", 1, 2);
        let third = candidate("aliexpress:main", "v3", 3, 9);
        let offers = vec![second.clone(), first.clone()];
        let routed = route(&[need("1", 3, offers.clone())]).unwrap();
        let wanted = vec![
            vec![(0, first.offer.clone(), 2)],
            vec![(0, second.offer.clone(), 1)],
        ];
        assert_eq!(shares(&routed), wanted);
        assert_eq!(route(&[need("1", 5, offers)]), Err(Unroutable { need: 0 }));
        let routed = route(&[need("1", 3, vec![first, second, third.clone()])]).unwrap();
        assert_eq!(shares(&routed), vec![vec![(0, third.offer, 3)]]);
    }

    #[test]
    fn the_lowest_rank_with_enough_units_is_chosen() {
        let first = candidate("aliexpress:main", "v1", 1, 1);
        let second = candidate("aliexpress:other", "v2", 2, 5);
        let routed = route(&[need("l1", 2, vec![second.clone(), first.clone()])]).unwrap();
        assert_eq!(shares(&routed), vec![vec![(0, second.offer.clone(), 2)]]);
        let routed = route(&[need("l1", 1, vec![second, first.clone()])]).unwrap();
        assert_eq!(shares(&routed), vec![vec![(0, first.offer, 1)]]);
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
            .map(|group| group.iter().map(|share| share.need).collect())
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
