//! What a test does to the shop: products, customers, the course of their orders.

use super::ListingSku;
use super::ListingSkuView;
use super::NewListing;
use super::NewSale;
use super::SaleStatus;
use super::SaleView;
use super::sale::Line;
use super::sale::Order;
use crate::actions::FeeReport;
use crate::aliexpress::AliExpress;
use crate::buyer::made_up;
use crate::error::ControlError;

impl AliExpress {
    /// Puts a product into the shop, or replaces it.
    pub fn add_listing(&self, new: NewListing) -> Result<(), ControlError> {
        if new.skus.is_empty() {
            return Err(ControlError::Invalid(
                "a product needs at least one sku".to_owned(),
            ));
        }
        let skus = new.skus.into_iter().map(|sku| ListingSku {
            sku_code: sku.sku_code,
            price: sku.price,
            inventory: sku.inventory,
        });
        self.state()
            .seller
            .listings
            .insert(new.product_id, skus.collect());
        Ok(())
    }

    /// What the shop shows now.
    pub fn listings(&self) -> Vec<ListingSkuView> {
        let state = self.state();
        let listings = state.seller.listings.iter();
        listings
            .flat_map(|(product_id, skus)| skus.iter().map(move |sku| (product_id, sku)))
            .map(|(product_id, sku)| ListingSkuView {
                product_id: *product_id,
                sku_code: sku.sku_code.clone(),
                price: sku.price.clone(),
                inventory: sku.inventory,
            })
            .collect()
    }

    /// A customer buys. The order's id; an error where the shop does not offer so much.
    pub fn sell(&self, sale: NewSale) -> Result<u64, ControlError> {
        let state = &mut *self.state();
        if sale.lines.is_empty() {
            return Err(ControlError::Invalid(
                "a sale needs at least one line".to_owned(),
            ));
        }
        let mut lines = Vec::new();
        for (code, quantity) in &sale.lines {
            let mut all = state.seller.listings.iter();
            let found = all.find_map(|(id, skus)| {
                let sku = skus.iter().find(|sku| sku.sku_code == *code)?;
                Some((*id, sku))
            });
            let (product_id, sku) = found.ok_or_else(|| ControlError::unknown("sku", code))?;
            if *quantity == 0 || sku.inventory < *quantity {
                return Err(ControlError::OutOfStock {
                    sku: code.clone(),
                    available: sku.inventory,
                    wanted: *quantity,
                });
            }
            state.seller.next_child += 1;
            lines.push(Line {
                child_id: state.seller.next_child,
                product_id,
                sku_code: code.clone(),
                quantity: *quantity,
                price: sku.price.clone(),
                by_hand: 0,
                cancelled: false,
                ended: false,
                refunds: Vec::new(),
            });
        }
        for line in &lines {
            let skus = state.seller.listings.get_mut(&line.product_id);
            let mut skus = skus.into_iter().flatten();
            if let Some(sku) = skus.find(|sku| sku.sku_code == line.sku_code) {
                sku.inventory = sku.inventory.saturating_sub(line.quantity);
            }
        }
        let buyer = sale.buyer.unwrap_or_else(|| made_up(&mut state.random));
        let order_id = state.random.digits(16).parse().unwrap_or(1);
        let order = Order {
            order_id,
            status: if sale.paid {
                SaleStatus::WaitSellerSendGoods
            } else {
                SaleStatus::PlaceOrderSuccess
            },
            lines,
            buyer,
            shipments: Vec::new(),
            all_sent: false,
            created_at: state.now,
            modified_at: state.now,
            end_reason: None,
            listed_end: None,
            never_paid: false,
            hidden: None,
            spoiled: Vec::new(),
            fee: FeeReport::Always,
            vanished: false,
            by_warehouse: false,
        };
        state.seller.orders.insert(order_id, order);
        Ok(order_id)
    }

    /// Puts a customer's order into a state: it is paid, held, to be cancelled, received. A reason makes its end one
    /// without goods.
    pub fn set_sale_status(
        &self,
        order_id: u64,
        status: SaleStatus,
        end_reason: Option<&str>,
    ) -> Result<(), ControlError> {
        let state = &mut *self.state();
        let order = state.seller.orders.get_mut(&order_id);
        let order = order.ok_or_else(|| ControlError::unknown("sale", order_id))?;
        let stays_unpaid = matches!(status, SaleStatus::PlaceOrderSuccess | SaleStatus::Finish);
        if order.never_paid && !stays_unpaid {
            let message = "nobody ever pays this order";
            return Err(ControlError::Conflict(message.to_owned()));
        }
        order.status = status;
        order.end_reason = end_reason.map(str::to_owned);
        order.modified_at = state.now;
        Ok(())
    }

    /// A customer's order.
    pub fn sale(&self, order_id: u64) -> Option<SaleView> {
        self.state().seller.orders.get(&order_id).map(view)
    }

    /// All customers' orders by their ids.
    pub fn sales(&self) -> Vec<SaleView> {
        self.state().seller.orders.values().map(view).collect()
    }
}

fn view(order: &Order) -> SaleView {
    let lines = order.lines.iter();
    SaleView {
        order_id: order.order_id,
        status: order.status,
        lines: lines
            .map(|line| (line.child_id, line.sku_code.clone(), line.quantity))
            .collect(),
        units: order.line_views(),
        end_reason: order.end_reason.clone(),
        fee_report: order.fee,
        hidden: order.hidden,
        vanished: order.vanished,
        by_warehouse: order.by_warehouse,
        buyer: order.buyer.clone(),
        shipments: order.shipments.clone(),
        created_at: order.created_at,
        modified_at: order.modified_at,
    }
}
