//! The Rust side of the control interface; `routes` offers the same over HTTP.

use super::Icbu;
use super::state::Order;
use super::state::Product;
use super::types::IcbuOrderView;
use super::types::IcbuParcelView;
use super::types::IcbuProduct;
use super::types::TradeStatus;
use crate::error::ControlError;

impl Icbu {
    /// Puts a product on sale, or replaces it.
    pub fn add_product(&self, new: IcbuProduct) -> Result<(), ControlError> {
        if new.skus.is_empty() || new.skus.iter().any(|sku| sku.tiers.is_empty()) {
            let message = "a product needs a sku, and a sku needs a price";
            return Err(ControlError::Invalid(message.to_owned()));
        }
        let id = new.product_id;
        self.state()
            .products
            .insert(id, Product { new, online: true });
        Ok(())
    }

    /// Takes a product off sale, or puts it back.
    pub fn set_online(&self, product_id: u64, online: bool) -> Result<(), ControlError> {
        let state = &mut *self.state();
        let product = state.products.get_mut(&product_id);
        product
            .ok_or_else(|| ControlError::unknown("product", product_id))?
            .online = online;
        Ok(())
    }

    /// Sets the units at a place.
    pub fn set_stock(
        &self,
        product_id: u64,
        sku_id: u64,
        place: &str,
        units: u32,
    ) -> Result<(), ControlError> {
        let state = &mut *self.state();
        let product = state.products.get_mut(&product_id);
        let mut skus = product
            .into_iter()
            .flat_map(|product| product.new.skus.iter_mut());
        let sku = skus.find(|sku| sku.sku_id == sku_id);
        let sku = sku.ok_or_else(|| ControlError::unknown("sku", sku_id))?;
        sku.stock.insert(place.to_owned(), units);
        Ok(())
    }

    /// The buyer pays an order on the site.
    pub fn pay(&self, trade_id: u64) -> Result<(), ControlError> {
        self.step(trade_id, TradeStatus::Unpay, TradeStatus::Undeliver)
    }

    /// The seller sends a paid order in so many parcels.
    pub fn ship(&self, trade_id: u64, parcels: u32) -> Result<(), ControlError> {
        self.step(
            trade_id,
            TradeStatus::Undeliver,
            TradeStatus::WaitConfirmReceipt,
        )?;
        let state = &mut *self.state();
        let numbers: Vec<_> = (0..parcels.max(1))
            .map(|_| state.random.digits(12))
            .collect();
        if let Some(order) = state.orders.get_mut(&trade_id) {
            let parcel = |tracking_number| IcbuParcelView {
                tracking_number,
                delivered_at: None,
                failed: false,
                events: Vec::new(),
            };
            order.parcels = numbers.into_iter().map(parcel).collect();
        }
        Ok(())
    }

    /// All parcels of an order arrive; the platform confirms the order later, by `confirm`.
    pub fn deliver(&self, trade_id: u64) -> Result<(), ControlError> {
        let state = &mut *self.state();
        let now = state.now;
        let order = state.orders.get_mut(&trade_id);
        let order = order.ok_or_else(|| ControlError::unknown("order", trade_id))?;
        for parcel in &mut order.parcels {
            parcel.delivered_at.get_or_insert(now);
        }
        Ok(())
    }

    /// The buyer confirms that an order has arrived.
    pub fn confirm(&self, trade_id: u64) -> Result<(), ControlError> {
        self.step(
            trade_id,
            TradeStatus::WaitConfirmReceipt,
            TradeStatus::TradeSuccess,
        )
    }

    /// The seller puts a sum on an unpaid order, or takes it off where it is below zero; in cents.
    pub fn adjust(&self, trade_id: u64, cents: i64) -> Result<(), ControlError> {
        self.state().adjust(trade_id, cents)
    }

    /// Puts an order into any status, with its push.
    pub fn set_status(&self, trade_id: u64, status: TradeStatus) -> Result<(), ControlError> {
        let state = &mut *self.state();
        if !state.orders.contains_key(&trade_id) {
            return Err(ControlError::unknown("order", trade_id));
        }
        state.enter(trade_id, status);
        Ok(())
    }

    fn step(&self, trade_id: u64, from: TradeStatus, to: TradeStatus) -> Result<(), ControlError> {
        let state = &mut *self.state();
        let order = state.orders.get(&trade_id);
        let status = order
            .ok_or_else(|| ControlError::unknown("order", trade_id))?
            .status;
        if status != from {
            return Err(ControlError::Conflict(format!(
                "the order is {status:?}, not {from:?}"
            )));
        }
        state.enter(trade_id, to);
        Ok(())
    }

    /// All orders, oldest first.
    pub fn orders(&self) -> Vec<IcbuOrderView> {
        let mut views: Vec<_> = self.state().orders.values().map(view).collect();
        views.sort_by_key(|order| (order.created_at, order.trade_id));
        views
    }

    /// One order.
    pub fn order(&self, trade_id: u64) -> Option<IcbuOrderView> {
        self.state().orders.get(&trade_id).map(view)
    }
}

fn view(order: &Order) -> IcbuOrderView {
    let lines = order.lines.iter();
    IcbuOrderView {
        trade_id: order.trade_id,
        channel_refer_id: order.reference.clone(),
        status: order.status,
        created_at: order.created_at,
        paid_at: order.paid_at,
        lines: lines
            .map(|(product, sku, units, _)| (*product, *sku, *units))
            .collect(),
        dispatch_location: order.from.clone(),
        carrier_code: order.carrier.clone(),
        address: order.address.clone(),
        parcels: order.parcels.clone(),
        quoted_cents: (order.goods() + order.fee) / 100,
        vat_cents: order.vat / 100,
        duty_cents: order.duty / 100,
        adjusted_cents: order.adjusted / 100,
        total_cents: order.total() / 100,
        paid_cents: order.paid.map(|paid| paid / 100),
        refunded_cents: order.refunded / 100,
    }
}
