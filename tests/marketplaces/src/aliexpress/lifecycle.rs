//! What becomes of an order: paid or closed, shipped, delivered; by hand, or by itself as time goes by.

use std::time::Duration;

use jiff::Timestamp;

use super::pushes::Event;
use super::state::Order;
use super::state::Sku;
use super::state::State;
use super::types::AliExpressSettings;
use super::types::OrderStatus;
use super::types::ParcelView;
use crate::clock::later;
use crate::clock::later_ms;

/// What an order does next by itself, and when.
enum Next {
    Pay,
    Close,
    Ship,
    Deliver,
}

impl State {
    /// Lets everything happen that was due by `now`, each at its own time.
    pub(super) fn move_orders(&mut self, now: Timestamp) {
        self.now = now;
        loop {
            let due = self
                .open_orders()
                .filter_map(|order| {
                    let (at, next) = next(order, &self.config.settings)?;
                    Some((at, order.order_id, next))
                })
                .filter(|(at, _, _)| *at <= now)
                .min_by_key(|(at, id, _)| (*at, *id));
            let Some((at, id, next)) = due else {
                return;
            };
            match next {
                Next::Pay => self.pay(id, at),
                Next::Close => self.close(id, "buyer_pay_timeout", at),
                Next::Ship => self.ship(id, self.config.settings.parcels, at),
                Next::Deliver => self.deliver(id, at),
            }
        }
    }

    /// When the next order does something by itself.
    pub(super) fn next_event(&self) -> Option<Timestamp> {
        let settings = &self.config.settings;
        self.open_orders()
            .filter_map(|order| next(order, settings))
            .map(|(at, _)| at)
            .min()
    }

    fn open_orders(&self) -> impl Iterator<Item = &Order> {
        self.open.iter().filter_map(|id| self.orders.get(id))
    }

    pub(super) fn pay(&mut self, order_id: u64, at: Timestamp) {
        if let Some(order) = self.orders.get_mut(&order_id) {
            order.status = OrderStatus::WaitSellerSendGoods;
            order.paid_at = Some(at);
            self.announce(order_id, Event::Paid, at);
        }
    }

    /// Ends an order without delivery. The goods go back on sale.
    pub(super) fn close(&mut self, order_id: u64, reason: &str, at: Timestamp) {
        let Some(order) = self.orders.get_mut(&order_id) else {
            return;
        };
        order.status = OrderStatus::Finish;
        order.end_reason = Some(reason.to_owned());
        self.open.remove(&order_id);
        let lines = order.lines.clone();
        for line in lines {
            if let Some(sku) = self.sku_mut(line.product_id, line.sku_id) {
                sku.new.stock = sku.new.stock.saturating_add(line.quantity);
                sku.sold = sku.sold.saturating_sub(u64::from(line.quantity));
            }
        }
        self.announce(order_id, Event::Closed, at);
    }

    /// Sends everything, in at most so many parcels as there are units.
    pub(super) fn ship(&mut self, order_id: u64, parcels: u32, at: Timestamp) {
        let Some(order) = self.orders.get(&order_id) else {
            return;
        };
        let units: Vec<u64> = order
            .lines
            .iter()
            .flat_map(|line| (0..line.quantity).map(|_| line.sku_id))
            .collect();
        let delivery = order.lines.first().map(|line| line.delivery.clone());
        let count = usize::try_from(parcels)
            .unwrap_or(1)
            .clamp(1, units.len().max(1));
        let each = units.len().div_ceil(count).max(1);
        let mut sent = Vec::new();
        for chunk in units.chunks(each) {
            let mut items: Vec<(u64, u32)> = Vec::new();
            for sku_id in chunk {
                match items.iter_mut().find(|(seen, _)| seen == sku_id) {
                    Some((_, count)) => *count += 1,
                    None => items.push((*sku_id, 1)),
                }
            }
            sent.push(ParcelView {
                mail_no: format!("LP{}", self.random.digits(14)),
                service: delivery
                    .as_ref()
                    .map_or_else(String::new, |one| one.code.clone()),
                carrier: delivery
                    .as_ref()
                    .map_or_else(String::new, |one| one.company.clone()),
                shipped_at: at,
                delivered_at: None,
                refused_at: None,
                returned_at: None,
                items,
                events: Vec::new(),
            });
        }
        if let Some(order) = self.orders.get_mut(&order_id) {
            order.parcels = sent;
            order.status = OrderStatus::WaitBuyerAcceptGoods;
        }
        self.announce(order_id, Event::Shipped, at);
    }

    /// Brings every parcel that was neither refused nor sent back. Where none arrives, the order stays as it is.
    pub(super) fn deliver(&mut self, order_id: u64, at: Timestamp) {
        self.open.remove(&order_id);
        let Some(order) = self.orders.get_mut(&order_id) else {
            return;
        };
        let mut arrives = false;
        for parcel in &mut order.parcels {
            if parcel.refused_at.or(parcel.returned_at).is_none() {
                parcel.delivered_at.get_or_insert(at);
                arrives = true;
            }
        }
        if arrives {
            order.status = OrderStatus::Finish;
            self.announce(order_id, Event::Confirmed, at);
        }
    }

    pub(super) fn sku(&self, product_id: u64, sku_id: u64) -> Option<&Sku> {
        let product = self.products.get(&product_id)?;
        product.skus.iter().find(|sku| sku.new.sku_id == sku_id)
    }

    pub(super) fn sku_mut(&mut self, product_id: u64, sku_id: u64) -> Option<&mut Sku> {
        let product = self.products.get_mut(&product_id)?;
        product.skus.iter_mut().find(|sku| sku.new.sku_id == sku_id)
    }
}

fn next(order: &Order, settings: &AliExpressSettings) -> Option<(Timestamp, Next)> {
    match order.status {
        OrderStatus::PlaceOrderSuccess => {
            let closes_at = later(
                order.created_at,
                Duration::from_secs(settings.pay_timeout_s),
            );
            let paid_at = settings
                .merchant_pays_after_ms
                .map(|ms| later_ms(order.created_at, ms));
            match paid_at.filter(|paid_at| *paid_at < closes_at) {
                Some(paid_at) => Some((paid_at, Next::Pay)),
                None => Some((closes_at, Next::Close)),
            }
        }
        OrderStatus::WaitSellerSendGoods => {
            let at = later_ms(order.paid_at?, settings.ships_after_ms?);
            Some((at, Next::Ship))
        }
        OrderStatus::WaitBuyerAcceptGoods => {
            let shipped_at = order.parcels.iter().map(|parcel| parcel.shipped_at).max()?;
            Some((
                later_ms(shipped_at, settings.delivers_after_ms?),
                Next::Deliver,
            ))
        }
        OrderStatus::SellerPartSendGoods | OrderStatus::Finish => None,
    }
}
