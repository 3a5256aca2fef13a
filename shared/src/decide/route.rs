//! Which supplier gets which line.

use crate::domain::{Currency, Exchange, LineId, Money, OfferId, Sku, Toward};

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
    /// What one unit costs, by [`landed`], in the minor units of the one currency that all candidates of a need are compared
    /// in; none where it cannot be converted.
    pub landed_minor: Option<i64>,
    /// Units that no order has taken.
    pub free: i64,
}

impl Candidate {
    /// The lowest is tried first: by rank, then by what it costs. What cannot be compared comes last of its rank.
    pub(super) fn place(&self) -> (u32, bool, Option<i64>) {
        (self.rank, self.landed_minor.is_none(), self.landed_minor)
    }
}

/// Cost and shipping of one unit in another currency, in its minor units, rounded up as all that we pay; `None` where no
/// rate counts. Shipping that is not known is left out: what an order really pays is asked before it is planned.
pub fn landed(
    cost: Money,
    shipping: Option<Money>,
    currency: Currency,
    exchange: &Exchange<'_>,
) -> Option<i64> {
    let amounts = [Some(cost), shipping].into_iter().flatten();
    let mut minors = amounts.map(|amount| {
        let converted = exchange.value(amount, currency, Toward::Cost);
        converted.ok().map(|(money, _)| money.minor)
    });
    minors.try_fold(0_i64, |sum, minor| sum.checked_add(minor?))
}

/// Units of a need that one offer fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share<'a> {
    /// Place of the need.
    pub need: usize,
    /// The offer.
    pub offer: &'a OfferId,
    /// Units, at least one.
    pub units: u32,
}

/// The chosen offers: lines of one supplier go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route<'a> {
    /// What fills the needs; shares of one supplier stand side by side.
    shares: Vec<Share<'a>>,
}

impl<'a> Route<'a> {
    /// What fills the needs, a group for each purchase.
    pub fn purchases(&self) -> impl Iterator<Item = &[Share<'a>]> {
        let same = |one: &Share<'_>, next: &Share<'_>| one.offer.supplier == next.offer.supplier;
        self.shares.chunk_by(same)
    }

    fn add(&mut self, share: Share<'a>) {
        let same = |other: &Share<'_>| other.offer.supplier == share.offer.supplier;
        let place = self.shares.iter().rposition(same);
        let place = place.map_or(self.shares.len(), |last| last + 1);
        self.shares.insert(place, share);
    }

    /// Units of an offer that earlier shares leave.
    fn left(&self, candidate: &Candidate) -> i64 {
        let of_offer = |share: &&Share<'_>| *share.offer == candidate.offer;
        let taken = self.shares.iter().filter(of_offer);
        let taken = taken.map(|share| i64::from(share.units)).sum::<i64>();
        candidate.free.saturating_sub(taken)
    }
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
pub fn route(needs: &[Need]) -> Result<Route<'_>, Unroutable> {
    let mut route = Route {
        shares: Vec::with_capacity(needs.len()),
    };
    for (place, need) in needs.iter().enumerate() {
        let wanted = i64::from(need.quantity);
        let able = need.candidates.iter();
        let able = able.filter(|candidate| route.left(candidate) >= wanted);
        if let Some(one) = able.min_by_key(|candidate| candidate.place()) {
            route.add(Share {
                need: place,
                offer: &one.offer,
                units: need.quantity,
            });
        } else {
            split(&mut route, place, need)?;
        }
    }
    Ok(route)
}

/// Fills a need from as few offers as the ranks allow.
fn split<'a>(route: &mut Route<'a>, place: usize, need: &'a Need) -> Result<(), Unroutable> {
    let mut candidates: Vec<&Candidate> = need.candidates.iter().collect();
    candidates.sort_by_key(|candidate| candidate.place());
    let mut open = need.quantity;
    for candidate in candidates {
        let units = u32::try_from(route.left(candidate).max(0)).unwrap_or(u32::MAX);
        let units = units.min(open);
        if units > 0 {
            route.add(Share {
                need: place,
                offer: &candidate.offer,
                units,
            });
            open -= units;
        }
    }
    if open > 0 {
        return Err(Unroutable { need: place });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn candidate(supplier: &str, variant: &str, rank: u32, free: i64) -> Candidate {
        Candidate {
            offer: OfferId::new(supplier.parse().unwrap(), "p1", variant).unwrap(),
            rank,
            landed_minor: Some(100),
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

    /// Shares by supplier: the need's place, the offer, units.
    type Purchases = Vec<Vec<(usize, OfferId, u32)>>;

    fn shares(route: &Route<'_>) -> Purchases {
        let group = |group: &[Share<'_>]| {
            let shares = group.iter();
            shares
                .map(|share| (share.need, share.offer.clone(), share.units))
                .collect()
        };
        route.purchases().map(group).collect()
    }

    #[test]
    fn a_line_that_no_offer_can_fill_alone_is_split_by_rank() {
        let second = candidate("aliexpress:other", "v2", 2, 2);
        let first = candidate("aliexpress:main", "v1", 1, 2);
        let third = candidate("aliexpress:main", "v3", 3, 9);
        let offers = vec![second.clone(), first.clone()];
        let needs = [need("1", 3, offers.clone())];
        let routed = route(&needs).unwrap();
        let wanted = vec![
            vec![(0, first.offer.clone(), 2)],
            vec![(0, second.offer.clone(), 1)],
        ];
        assert_eq!(shares(&routed), wanted);
        assert_eq!(route(&[need("1", 5, offers)]), Err(Unroutable { need: 0 }));
        let needs = [need("1", 3, vec![first, second, third.clone()])];
        let routed = route(&needs).unwrap();
        assert_eq!(shares(&routed), vec![vec![(0, third.offer, 3)]]);
    }

    /// Units that are wanted; free units of each offer in the order of their ranks; the units that each offer that is used
    /// fills, by its place, or none where all together cannot.
    type Row<'a> = (u32, &'a [i64], Option<&'a [(usize, u32)]>);

    fn check(rows: &[Row<'_>]) {
        let supplier = |place: usize| format!("aliexpress:account{place}");
        for (wanted, free, filled) in rows {
            let offers = free.iter().zip(0_u32..).map(|(free, rank)| {
                let supplier = supplier(rank as usize);
                candidate(&supplier, "v1", rank, *free)
            });
            let needs = [need("1", *wanted, offers.collect())];
            let routed = route(&needs).map(|route| shares(&route));
            let expected = filled.map(|filled| -> Purchases {
                let share = |(place, units): &(usize, u32)| {
                    let offer = needs[0].candidates[*place].offer.clone();
                    vec![(0, offer, *units)]
                };
                filled.iter().map(share).collect()
            });
            let expected = expected.ok_or(Unroutable { need: 0 });
            assert_eq!(routed, expected, "{wanted} of {free:?}");
        }
    }

    #[test]
    fn a_split_takes_all_of_each_offer_in_turn_and_nothing_of_an_empty_one() {
        check(&[
            (4, &[5], Some(&[(0, 4)])),
            (5, &[5], Some(&[(0, 5)])),
            (6, &[5], None),
            (1, &[], None),
            (1, &[0], None),
            (2, &[1, 2], Some(&[(1, 2)])),
            (3, &[1, 2], Some(&[(0, 1), (1, 2)])),
            (4, &[1, 2], None),
            (2, &[1, 1, 1], Some(&[(0, 1), (1, 1)])),
            (5, &[0, -3, 2, 4, 0], Some(&[(2, 2), (3, 3)])),
            (6, &[2, -3, 4], Some(&[(0, 2), (2, 4)])),
            (7, &[2, -3, 4], None),
        ]);
    }

    #[test]
    fn the_lowest_rank_with_enough_units_is_chosen() {
        let first = candidate("aliexpress:main", "v1", 1, 1);
        let second = candidate("aliexpress:other", "v2", 2, 5);
        let needs = [need("l1", 2, vec![second.clone(), first.clone()])];
        let routed = route(&needs).unwrap();
        assert_eq!(shares(&routed), vec![vec![(0, second.offer.clone(), 2)]]);
        let needs = [need("l1", 1, vec![second, first.clone()])];
        let routed = route(&needs).unwrap();
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
            .purchases()
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

    #[test]
    fn what_cannot_be_compared_comes_last_of_its_rank() {
        let costs = |landed_minor, variant, rank| Candidate {
            landed_minor,
            ..candidate("alibaba:main", variant, rank, 9)
        };
        let (unknown, dear) = (costs(None, "v1", 1), costs(Some(900), "v2", 1));
        let (cheap, next) = (costs(Some(800), "v3", 1), costs(Some(1), "v4", 2));
        let mut offers = vec![next, unknown, dear, cheap];
        let mut chosen = Vec::new();
        while !offers.is_empty() {
            let needs = [need("1", 1, offers.clone())];
            let offer = shares(&route(&needs).unwrap())[0][0].1.clone();
            offers.retain(|candidate| candidate.offer != offer);
            chosen.push(offer.variant);
        }
        assert_eq!(chosen, ["v3", "v2", "v1", "v4"]);
    }

    /// The rule as it is written down, without a thought to speed.
    fn plainly(needs: &[Need]) -> Result<Purchases, Unroutable> {
        let mut purchases: Purchases = Vec::new();
        for (place, need) in needs.iter().enumerate() {
            let mut offers = need.candidates.clone();
            for offer in &mut offers {
                let shares = purchases.iter().flatten();
                let taken = shares.filter(|(_, id, _)| *id == offer.offer);
                offer.free -= taken.map(|(_, _, units)| i64::from(*units)).sum::<i64>();
            }
            let cost = |offer: &Candidate| offer.landed_minor.map_or(i128::MAX, i128::from);
            offers.sort_by_key(|offer| (offer.rank, cost(offer)));
            if let Some(enough) = offers
                .iter()
                .find(|offer| offer.free >= i64::from(need.quantity))
            {
                offers = vec![enough.clone()];
            }
            let mut open = i64::from(need.quantity);
            for offer in offers {
                let units = offer.free.clamp(0, open);
                open -= units;
                if units == 0 {
                    continue;
                }
                let share = (place, offer.offer, u32::try_from(units).unwrap());
                let same = |group: &&mut Vec<(usize, OfferId, u32)>| {
                    group[0].1.supplier == share.1.supplier
                };
                match purchases.iter_mut().find(same) {
                    Some(group) => group.push(share),
                    None => purchases.push(vec![share]),
                }
            }
            if open > 0 {
                return Err(Unroutable { need: place });
            }
        }
        Ok(purchases)
    }

    fn any_needs() -> impl Strategy<Value = Vec<Need>> {
        let suppliers = prop::sample::select(vec!["alibaba:a", "alibaba:b", "aliexpress:c"]);
        let offer = (suppliers, 0..3_u32);
        let terms = (0..3_u32, prop::option::of(0..3_i64), -2..8_i64);
        let offers = prop::collection::btree_map(offer, terms, 0..6);
        let needs = prop::collection::vec((1..7_u32, offers), 0..5);
        needs.prop_map(|needs| {
            let candidate = |((supplier, variant), (rank, landed_minor, free))| {
                let variant = format!("v{variant}");
                Candidate {
                    landed_minor,
                    ..candidate(supplier, &variant, rank, free)
                }
            };
            let needs = needs.into_iter();
            let need = |(quantity, offers): (u32, std::collections::BTreeMap<_, _>)| {
                need("1", quantity, offers.into_iter().map(candidate).collect())
            };
            needs.map(need).collect()
        })
    }

    proptest! {
        #[test]
        fn the_route_is_the_one_of_the_plainly_written_rule(needs in any_needs()) {
            prop_assert_eq!(route(&needs).map(|route| shares(&route)), plainly(&needs));
        }
    }
}
