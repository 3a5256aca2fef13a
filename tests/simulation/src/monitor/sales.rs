//! What customers buy, held against what the supplier has and what the table knows.

use super::Monitor;
use crate::oversold::{Known, Sale, Sales};
use crate::plain_supplier::{Shelf, plain_supplier};
use crate::stage::second_supplier;
use jiff::Timestamp;
use kervan::clock::Clock;
use kervan::domain::{AccountId, EvidenceRule, Offer, Order, OrderKey, Phase, Sku};
use kervan::flows::catalog;
use kervan_marketplaces::ebay::{CancelState, EbayOrderView};
use std::collections::BTreeMap;

impl Monitor {
    /// The merchant's rule, as it stands in the table.
    pub(crate) fn evidence_rule(&self) -> EvidenceRule {
        self.lock().mirror.evidence
    }

    /// What customers got so far.
    pub(crate) fn sales(&self) -> Sales {
        self.lock().books.sales
    }

    /// Whether the stock of a sku, or of a part of it, is due to be refreshed: the next schedule reads it.
    pub(crate) fn is_due(&self, sku: &str, now: Timestamp) -> bool {
        let parts = Sku::parse(sku).map(|sku| self.parts_of(&sku));
        let parts = parts.unwrap_or_default();
        let state = self.lock();
        state.mirror.offers.values().any(|stored| {
            let is_part = parts.iter().any(|part| part.sku == stored.offer.sku);
            is_part && stored.due.as_ref().is_some_and(|due| due.at <= now)
        })
    }

    /// A listing showed too little, and its customer left.
    pub(crate) fn turned_away(&self) {
        self.lock().books.sales.turned_away += 1;
    }

    /// The table says this of the offers now.
    pub(super) fn note_known(&self, known: BTreeMap<Sku, Vec<Known>>) {
        let now = self.clock.now();
        let sold = self.sold_orders();
        let orders = self.orders_now();
        for (sku, offers) in known {
            let unreserved = self.unreserved(&sku, &sold, &orders, None);
            self.lock().books.note(&sku, now, offers, unreserved);
        }
    }

    fn sold_orders(&self) -> Vec<(AccountId, EbayOrderView)> {
        let orders = |(channel, ebay): &(AccountId, kervan_marketplaces::Ebay)| {
            let channel = channel.clone();
            let orders = ebay.orders().into_iter();
            orders.map(move |order| (channel.clone(), order))
        };
        self.channels.iter().flat_map(orders).collect()
    }

    /// A customer has bought what a listing showed. I5 where Kervan knew better. A bundle is sold as its parts.
    pub(crate) fn sold(
        &self,
        bought: &OrderKey,
        sku: &str,
        units: u32,
        is_on_its_way: bool,
        at: Timestamp,
    ) -> Sales {
        let mut came = Sales::default();
        let Ok(sku) = Sku::parse(sku) else {
            return came;
        };
        for part in self.parts_of(&sku) {
            let sale = Sale {
                units: i64::from(units) * i64::from(part.units),
                real: 0,
                open: 0,
                is_on_its_way,
                at,
            };
            came.add(self.part_sold(bought, &part.sku, sale));
        }
        if came.within_rule > 0 {
            let what = format!(
                "{sku} was sold by {}, and Kervan knew better",
                bought.channel
            );
            self.report("I5", what);
        }
        came
    }

    /// Fills in what the supplier has and what others wait for, and judges.
    fn part_sold(&self, bought: &OrderKey, sku: &Sku, sale: Sale) -> Sales {
        let (sold, orders) = (self.sold_orders(), self.orders_now());
        let (mut offers, mut products, mut real) = (Vec::new(), Vec::new(), 0);
        for stored in self.offers_now() {
            let (free, offer) = (stored.counter(catalog::FREE), stored.offer);
            if offer.sku != *sku {
                continue;
            }
            real += i64::from(self.real_stock(&offer));
            products.push(offer.id.product.clone());
            offers.extend(offer.evidence.map(|evidence| Known {
                evidence_at: evidence.at,
                free,
            }));
        }
        let at_supplier = self.units_bought();
        let open = sold.iter().map(|(channel, order)| {
            if is_it(bought, channel, order) || !waits(channel, order, &orders) {
                return 0;
            }
            let wanted = self.units_of(sku, order);
            let known = at_supplier.iter().filter(|((key, product), _)| {
                is_it(key, channel, order) && products.contains(product)
            });
            let known: i64 = known.map(|(_, units)| i64::from(*units)).sum();
            wanted - known.min(wanted)
        });
        let sale = Sale {
            real,
            open: open.sum(),
            ..sale
        };
        let rule = self.evidence_rule();
        let before = self.unreserved(sku, &sold, &orders, Some(bought));
        let mut state = self.lock();
        state.books.note(sku, sale.at, offers.clone(), before);
        let came = state.books.sold(sku, sale, &rule);
        let after = before + sale.units;
        state.books.note(sku, sale.at, offers, after);
        came
    }

    /// Units of a sku that an order wants, its bundles' parts among them.
    fn units_of(&self, sku: &Sku, order: &EbayOrderView) -> i64 {
        let lines = order.lines.iter().map(|line| {
            let parts = Sku::parse(&line.sku).map(|sold| self.parts_of(&sold));
            let parts = parts.unwrap_or_default().into_iter();
            let units = parts.filter(|part| part.sku == *sku).map(|part| part.units);
            i64::from(line.quantity) * units.map(i64::from).sum::<i64>()
        });
        lines.sum()
    }

    /// Units of a sku that were sold and that no purchase holds, but for one order.
    fn unreserved(
        &self,
        sku: &Sku,
        sold: &[(AccountId, EbayOrderView)],
        orders: &[Order],
        but_for: Option<&OrderKey>,
    ) -> i64 {
        let counted = sold.iter().filter(|(channel, order)| {
            but_for.is_none_or(|key| !is_it(key, channel, order)) && waits(channel, order, orders)
        });
        let missing = counted.map(|(channel, order)| {
            let known = orders.iter().find(|one| is_it(&one.key, channel, order));
            let purchases = known.map_or(&[][..], |known| known.purchases.as_slice());
            let holding = purchases.iter().filter(|one| {
                one.is_live() || matches!(one.state, kervan::domain::PurchaseState::Planned { .. })
            });
            let lines = holding.flat_map(|one| &one.lines);
            let held = lines.filter(|line| line.sku == *sku);
            let held: i64 = held.map(|line| i64::from(line.quantity)).sum();
            (self.units_of(sku, order) - held).max(0)
        });
        missing.sum()
    }

    /// What the supplier really has.
    fn real_stock(&self, offer: &Offer) -> u32 {
        if offer.id.supplier == plain_supplier() {
            return self.shelf.as_ref().map_or(0, Shelf::stock);
        }
        let place = usize::from(offer.id.supplier == second_supplier());
        let numbers = (offer.id.product.parse(), offer.id.variant.parse());
        let (Some(supplier), (Ok(product), Ok(variant))) = (self.suppliers.get(place), numbers)
        else {
            return 0;
        };
        supplier.stock(product, variant).unwrap_or(0)
    }
}

fn is_it(key: &OrderKey, channel: &AccountId, order: &EbayOrderView) -> bool {
    key.channel == *channel && key.id.as_str() == order.order_id
}

/// Whether the order still wants units: one that is over, or that a person has to decide, does not.
fn waits(channel: &AccountId, order: &EbayOrderView, orders: &[Order]) -> bool {
    let mut known = orders.iter().filter(|one| is_it(&one.key, channel, order));
    let is_open = |known: &Order| known.phase == Phase::Open && known.attention.is_none();
    order.cancel != CancelState::Canceled && known.next().is_none_or(is_open)
}
