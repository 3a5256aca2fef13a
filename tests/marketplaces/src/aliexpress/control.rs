//! The Rust side of the control interface; `routes` offers the same over HTTP.

use std::time::Duration;

use jiff::Timestamp;

use super::AliExpress;
use super::state::Order;
use super::state::Product;
use super::state::Sku;
use super::state::State;
use super::types::DeliveryOption;
use super::types::NewProduct;
use super::types::OrderStatus;
use super::types::SkuView;
use super::types::SupplierLineView;
use super::types::SupplierOrderView;
use crate::clock::later;
use crate::error::ControlError;
use crate::money::Money;
use crate::simulator::Marketplace;

/// The life of a code of the consent page.
const CODE_LIFE: Duration = Duration::from_secs(180);

impl AliExpress {
    /// Puts a product on sale, or replaces it.
    pub fn add_product(&self, new: NewProduct) -> Result<(), ControlError> {
        if new.skus.is_empty() {
            let message = "a product needs at least one sku";
            return Err(ControlError::Invalid(message.to_owned()));
        }
        let delivery = if new.delivery.is_empty() {
            vec![usual_delivery()]
        } else {
            new.delivery
        };
        let product = Product {
            product_id: new.product_id,
            title: new
                .title
                .unwrap_or_else(|| format!("Product {}", new.product_id)),
            store_id: new.store_id,
            skus: new
                .skus
                .into_iter()
                .map(|new| Sku { new, sold: 0 })
                .collect(),
            delivery,
            not_to: new.not_to,
            on_sale: true,
            takes_orders: true,
        };
        self.state().products.insert(product.product_id, product);
        Ok(())
    }

    /// Takes a product off sale, or puts it back.
    pub fn set_on_sale(&self, product_id: u64, on_sale: bool) -> Result<(), ControlError> {
        let state = &mut *self.state();
        let product = state.products.get_mut(&product_id);
        product
            .ok_or_else(|| ControlError::unknown("product", product_id))?
            .on_sale = on_sale;
        Ok(())
    }

    /// The store sells the product and takes no order of it; or takes them again.
    pub fn set_takes_orders(&self, product_id: u64, takes: bool) -> Result<(), ControlError> {
        let state = &mut *self.state();
        let product = state.products.get_mut(&product_id);
        product
            .ok_or_else(|| ControlError::unknown("product", product_id))?
            .takes_orders = takes;
        Ok(())
    }

    /// Sets the units that the store has.
    pub fn set_stock(&self, product_id: u64, sku_id: u64, stock: u32) -> Result<(), ControlError> {
        let state = &mut *self.state();
        let sku = state.sku_mut(product_id, sku_id);
        sku.ok_or_else(|| ControlError::unknown("sku", sku_id))?
            .new
            .stock = stock;
        Ok(())
    }

    /// Sets the price.
    pub fn set_price(
        &self,
        product_id: u64,
        sku_id: u64,
        price: &Money,
    ) -> Result<(), ControlError> {
        let state = &mut *self.state();
        let sku = state.sku_mut(product_id, sku_id);
        sku.ok_or_else(|| ControlError::unknown("sku", sku_id))?
            .new
            .price = price.clone();
        Ok(())
    }

    /// All variants on offer.
    pub fn skus(&self) -> Vec<SkuView> {
        let state = self.state();
        let products = state.products.values();
        products
            .flat_map(|product| product.skus.iter().map(|sku| sku_view(product, sku)))
            .collect()
    }

    /// The units that the store has. `None` for an unknown sku.
    pub fn stock(&self, product_id: u64, sku_id: u64) -> Option<u32> {
        self.state()
            .sku(product_id, sku_id)
            .map(|sku| sku.new.stock)
    }

    /// The merchant pays the order on the site.
    pub fn pay(&self, order_id: u64) -> Result<(), ControlError> {
        self.step(order_id, OrderStatus::PlaceOrderSuccess, |state, now| {
            state.pay(order_id, now)
        })
    }

    /// The store ships a paid order in `parcels` parcels.
    pub fn ship(&self, order_id: u64, parcels: u32) -> Result<(), ControlError> {
        self.step(order_id, OrderStatus::WaitSellerSendGoods, |state, now| {
            state.ship(order_id, parcels, now);
        })
    }

    /// All parcels of an order arrive.
    pub fn deliver(&self, order_id: u64) -> Result<(), ControlError> {
        self.step(order_id, OrderStatus::WaitBuyerAcceptGoods, |state, now| {
            state.deliver(order_id, now);
        })
    }

    /// The store closes an order that is not shipped; `reason` becomes the `end_reason` of its lines.
    pub fn close(&self, order_id: u64, reason: &str) -> Result<(), ControlError> {
        let state = &mut *self.state();
        let order = state.orders.get(&order_id);
        let status = order
            .ok_or_else(|| ControlError::unknown("order", order_id))?
            .status;
        if matches!(
            status,
            OrderStatus::PlaceOrderSuccess | OrderStatus::WaitSellerSendGoods
        ) {
            state.close(order_id, reason, state.now);
            Ok(())
        } else {
            Err(ControlError::Conflict(format!("the order is {status:?}")))
        }
    }

    fn step(
        &self,
        order_id: u64,
        from: OrderStatus,
        act: impl FnOnce(&mut State, Timestamp),
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
        act(state, state.now);
        Ok(())
    }

    /// A code as the consent page gives it: for /auth/token/create, once, within three minutes.
    pub fn consent(&self) -> String {
        let state = &mut *self.state();
        let code = format!("3_{}_{}", state.config.app_key, state.random.hex(24));
        state
            .tokens
            .codes
            .insert(code.clone(), later(state.now, CODE_LIFE));
        code
    }

    /// The same for the shop.
    pub fn consent_as_seller(&self) -> String {
        let state = &mut *self.state();
        let code = format!("3_{}_{}", state.config.app_key, state.random.hex(24));
        let ends_at = later(state.now, CODE_LIFE);
        state.seller.tokens.codes.insert(code.clone(), ends_at);
        code
    }

    /// The access and refresh token that are valid now, as an operator would copy them.
    pub fn current_tokens(&self) -> (Option<String>, Option<String>) {
        let state = self.state();
        let now = state.now;
        let live = state
            .tokens
            .access
            .iter()
            .filter(|(_, ends_at)| **ends_at > now);
        let newest = live
            .max_by_key(|(_, ends_at)| **ends_at)
            .map(|(token, _)| token.clone());
        (newest, state.tokens.refresh.clone())
    }

    /// Where order events are pushed to from now on; `None` pushes nothing.
    pub fn set_push_url(&self, url: Option<String>) {
        self.state().settings_mut().push_url = url;
    }

    /// Starts pushing again after the stop rule has stopped it, as an operator does on AliExpress's console.
    pub fn resume_pushes(&self) {
        let state = &mut *self.state();
        state.counters.push_stopped = false;
        state.push_answers.clear();
    }

    /// All orders at stores, oldest first.
    pub fn orders(&self) -> Vec<SupplierOrderView> {
        let mut views: Vec<_> = self.state().orders.values().map(order_view).collect();
        views.sort_by_key(|order| (order.created_at, order.purchase, order.order_id));
        views
    }

    /// One order at a store.
    pub fn order(&self, order_id: u64) -> Option<SupplierOrderView> {
        self.state().orders.get(&order_id).map(order_view)
    }
}

fn usual_delivery() -> DeliveryOption {
    DeliveryOption {
        code: "CAINIAO_STANDARD".to_owned(),
        company: "AliExpress standard shipping".to_owned(),
        fee_cents: 199,
        min_days: 7,
        max_days: 15,
    }
}

fn sku_view(product: &Product, sku: &Sku) -> SkuView {
    SkuView {
        product_id: product.product_id,
        store_id: product.store_id,
        sku_id: sku.new.sku_id,
        sku_attr: sku.new.sku_attr.clone(),
        price: sku.new.price.clone(),
        stock: sku.new.stock,
        sold: sku.sold,
    }
}

fn order_view(order: &Order) -> SupplierOrderView {
    let lines = order.lines.iter().map(|line| SupplierLineView {
        product_id: line.product_id,
        sku_id: line.sku_id,
        quantity: line.quantity,
        price: line.price.clone(),
        delivery: line.delivery.code.clone(),
    });
    SupplierOrderView {
        order_id: order.order_id,
        out_order_id: order.out_order_id.clone(),
        purchase: order.purchase,
        store_id: order.store_id,
        status: order.status,
        end_reason: order.end_reason.clone(),
        created_at: order.created_at,
        paid_at: order.paid_at,
        cost: order.cost(),
        tax: order.money(order.lines.iter().map(|line| line.tax_cents).sum()),
        import_charges: order.money(order.import_cents),
        more_than_told: order.money(order.lines.iter().map(|line| line.more_cents).sum()),
        lines: lines.collect(),
        address: order.address.clone(),
        parcels: order.parcels.clone(),
    }
}
