//! The Rust side of the control interface; `routes` offers the same over HTTP.

use super::Cn1688;
use super::state::Order;
use super::state::Parcel;
use super::state::Product;
use super::types::Cn1688OrderView;
use super::types::Cn1688Product;
use super::types::Cn1688Sku;
use super::types::Cn1688Status;
use crate::actions::Party;
use crate::error::ControlError;

impl Cn1688 {
    /// Puts a product on sale, or replaces it.
    pub fn add_product(&self, new: Cn1688Product) -> Result<(), ControlError> {
        let id = new.offer_id;
        self.state().products.insert(
            id,
            Product {
                new,
                published: true,
            },
        );
        Ok(())
    }

    /// Takes a product off sale, or puts it back.
    pub fn set_published(&self, offer_id: u64, published: bool) -> Result<(), ControlError> {
        let state = &mut *self.state();
        let product = state.products.get_mut(&offer_id);
        product
            .ok_or_else(|| ControlError::unknown("product", offer_id))?
            .published = published;
        Ok(())
    }

    /// Sets the units that the seller has.
    pub fn set_stock(&self, offer_id: u64, spec_id: &str, stock: u32) -> Result<(), ControlError> {
        self.change_sku(offer_id, spec_id, |sku| sku.stock = stock)
    }

    /// Sets the price of one, in fen.
    pub fn set_price(&self, offer_id: u64, spec_id: &str, fen: i64) -> Result<(), ControlError> {
        self.change_sku(offer_id, spec_id, |sku| sku.price_fen = fen)
    }

    fn change_sku(
        &self,
        offer_id: u64,
        spec_id: &str,
        change: impl FnOnce(&mut Cn1688Sku),
    ) -> Result<(), ControlError> {
        let state = &mut *self.state();
        let product = state.products.get_mut(&offer_id);
        let mut skus = product
            .into_iter()
            .flat_map(|product| product.new.skus.iter_mut());
        let sku = skus.find(|sku| sku.spec_id == spec_id);
        change(sku.ok_or_else(|| ControlError::unknown("sku", spec_id))?);
        Ok(())
    }

    /// The buyer pays an order on the site.
    pub fn pay(&self, order_id: u64) -> Result<(), ControlError> {
        self.step(
            order_id,
            Cn1688Status::WaitBuyerPay,
            Cn1688Status::WaitSellerSend,
        )
    }

    /// The seller sends a paid order, so many of its lines in each parcel; lines that are left over follow with the next
    /// call.
    pub fn ship(&self, order_id: u64, lines: usize) -> Result<(), ControlError> {
        let state = &mut *self.state();
        let (id, number) = (state.random.digits(14), state.random.digits(13));
        let order = state.orders.get_mut(&order_id);
        let order = order.ok_or_else(|| ControlError::unknown("order", order_id))?;
        if !matches!(
            order.status,
            Cn1688Status::WaitSellerSend | Cn1688Status::WaitBuyerReceive
        ) {
            return Err(ControlError::Conflict(format!(
                "the order is {:?}",
                order.status
            )));
        }
        let sent = |item: u64| {
            let mut items = order.parcels.iter().flat_map(|parcel| &parcel.items);
            items.any(|(known, _)| *known == item)
        };
        let rest = order.lines.iter().filter(|line| !sent(line.item_id));
        let items: Vec<_> = rest
            .take(lines.max(1))
            .map(|line| (line.item_id, line.units))
            .collect();
        order.parcels.push(Parcel {
            logistics_id: format!("LP{id}"),
            number,
            signed: false,
            failed: false,
            steps: Vec::new(),
            items,
        });
        state.enter(order_id, Cn1688Status::WaitBuyerReceive);
        state.announce_trace(order_id, "CONSIGN");
        Ok(())
    }

    /// All parcels of an order are signed for where they go.
    pub fn deliver(&self, order_id: u64) -> Result<(), ControlError> {
        let state = &mut *self.state();
        let order = state.orders.get_mut(&order_id);
        let order = order.ok_or_else(|| ControlError::unknown("order", order_id))?;
        order
            .parcels
            .iter_mut()
            .for_each(|parcel| parcel.signed = true);
        state.announce_trace(order_id, "SIGN");
        Ok(())
    }

    /// The seller puts another freight on an unpaid order, in fen, with its message.
    pub fn set_freight(&self, order_id: u64, fen: i64) -> Result<(), ControlError> {
        self.state().change_freight(order_id, fen)
    }

    /// Closes an order that was not sent; one that was paid is paid back.
    pub fn close(&self, order_id: u64, by: Party) -> Result<(), ControlError> {
        self.state().close(order_id, by)
    }

    /// Puts an order into any status, with its message.
    pub fn set_status(&self, order_id: u64, status: Cn1688Status) -> Result<(), ControlError> {
        let state = &mut *self.state();
        if !state.orders.contains_key(&order_id) {
            return Err(ControlError::unknown("order", order_id));
        }
        state.enter(order_id, status);
        Ok(())
    }

    fn step(
        &self,
        order_id: u64,
        from: Cn1688Status,
        to: Cn1688Status,
    ) -> Result<(), ControlError> {
        let state = &mut *self.state();
        let order = state.orders.get(&order_id);
        let status = order
            .ok_or_else(|| ControlError::unknown("order", order_id))?
            .status;
        if status != from {
            return Err(ControlError::Conflict(format!(
                "the order is {status:?}, not {from:?}"
            )));
        }
        state.enter(order_id, to);
        Ok(())
    }

    /// All orders, oldest first.
    pub fn orders(&self) -> Vec<Cn1688OrderView> {
        let mut views: Vec<_> = self.state().orders.values().map(view).collect();
        views.sort_by_key(|order| (order.created_at, order.purchase, order.order_id));
        views
    }

    /// One order.
    pub fn order(&self, order_id: u64) -> Option<Cn1688OrderView> {
        self.state().orders.get(&order_id).map(view)
    }
}

fn view(order: &Order) -> Cn1688OrderView {
    let lines = order.lines.iter();
    let parcels = order.parcels.iter();
    let failed = order.parcels.iter().filter(|parcel| parcel.failed);
    let events = |parcel: &Parcel| -> Vec<(String, String)> {
        let steps = parcel.steps.iter();
        steps
            .map(|(_, text)| (parcel.number.clone(), text.clone()))
            .collect()
    };
    Cn1688OrderView {
        order_id: order.order_id,
        out_order_id: order.reference.clone(),
        purchase: order.purchase,
        status: order.status,
        created_at: order.created_at,
        lines: lines
            .map(|line| (line.offer_id, line.spec_id.clone(), line.units))
            .collect(),
        trade_type: order.trade_type.clone(),
        message: order.message.clone(),
        address: order.address.clone(),
        parcels: parcels
            .map(|parcel| (parcel.number.clone(), parcel.signed))
            .collect(),
        events: order.parcels.iter().flat_map(events).collect(),
        failed: failed.map(|parcel| parcel.number.clone()).collect(),
        told_fen: order.told,
        total_fen: order.total(),
        paid_fen: order.paid,
        refunded_fen: order.refund.as_ref().map_or(0, |refund| refund.fen),
        closed_by: order.closed.as_ref().map(|closed| closed.by),
    }
}
