//! The Rust side of the control interface; `routes` offers the same over HTTP.

use jiff::Timestamp;

use super::Amazon;
use super::happenings::Happened;
use super::state::Line;
use super::state::Listing;
use super::state::Order;
use super::state::State;
use super::types::AmazonBucket;
use super::types::AmazonFeedView;
use super::types::AmazonListingView;
use super::types::AmazonNewListing;
use super::types::AmazonNewOrder;
use super::types::AmazonNotification;
use super::types::AmazonOperation;
use super::types::AmazonOrderView;
use super::types::AmazonStatus;
use crate::buyer;
use crate::error::ControlError;
use crate::money::Money;

impl Amazon {
    /// Offers a sku, or offers it anew.
    pub fn add_listing(&self, new: AmazonNewListing) -> AmazonListingView {
        let state = &mut *self.state();
        let listing = Listing {
            title: new.title.unwrap_or_else(|| format!("Article {}", new.sku)),
            asin: format!("B0{}", state.random.hex(8).to_uppercase()),
            sku: new.sku,
            price: new.price,
            quantity: new.quantity,
            lead_time_days: new.lead_time_days,
            changes: 0,
        };
        let view = listing_view(&listing);
        state.listings.insert(listing.sku.clone(), listing);
        view
    }

    /// Sets what a listing has, as the seller could by hand.
    pub fn set_quantity(&self, sku: &str, quantity: u32) -> Result<(), ControlError> {
        self.with_listing(sku, |listing| listing.quantity = quantity)
    }

    /// Sets a listing's price, as the seller could by hand.
    pub fn set_price(&self, sku: &str, price: &Money) -> Result<(), ControlError> {
        self.with_listing(sku, |listing| listing.price = price.clone())
    }

    fn with_listing(
        &self,
        sku: &str,
        change: impl FnOnce(&mut Listing),
    ) -> Result<(), ControlError> {
        let state = &mut *self.state();
        let listing = state.listings.get_mut(sku);
        change(listing.ok_or_else(|| ControlError::unknown("sku", sku))?);
        Ok(())
    }

    /// A customer buys. Takes the units off the listings and announces the order. Answers the order id.
    pub fn place_order(&self, new: AmazonNewOrder) -> Result<String, ControlError> {
        self.state().place_order(new)
    }

    /// A pending order's payment is authorised: it becomes unshipped.
    pub fn pay_order(&self, order_id: &str) -> Result<(), ControlError> {
        let state = &mut *self.state();
        let known = state.orders.get(order_id);
        if known.is_some_and(|order| order.happened.never_paid) {
            return Err(ControlError::Conflict("it is never paid".to_owned()));
        }
        let order = state.order_mut(order_id)?;
        order.is_paid = true;
        order.happened.under_review = false;
        state.announce(order_id, "OrderStatusChange");
        Ok(())
    }

    /// The buyer asks to cancel; the seller has not answered yet.
    pub fn request_cancel(&self, order_id: &str, reason: &str) -> Result<(), ControlError> {
        let state = &mut *self.state();
        state.order_mut(order_id)?.cancel_request = Some(reason.to_owned());
        state.announce(order_id, "BuyerRequestedChange");
        Ok(())
    }

    /// The order is cancelled, by its buyer.
    pub fn cancel_order(&self, order_id: &str) -> Result<(), ControlError> {
        let state = &mut *self.state();
        let order = state.order_mut(order_id)?;
        if !order.packages.is_empty() {
            return Err(ControlError::Conflict("the order is shipped".to_owned()));
        }
        let cancelled = state.cancel(order_id, "BUYER");
        cancelled.map_err(|problem| ControlError::Conflict(problem.to_owned()))
    }

    /// The user consents again, with the same refresh token.
    pub fn restore_consent(&self) {
        self.state().refresh_revoked = false;
    }

    /// Sets an operation's token bucket: `None` for none at all. It begins full.
    pub fn set_bucket(&self, operation: AmazonOperation, bucket: Option<AmazonBucket>) {
        let state = &mut *self.state();
        state.buckets.insert(operation, bucket);
        state.levels.remove(&operation);
    }

    /// All customers' orders, oldest first.
    pub fn orders(&self) -> Vec<AmazonOrderView> {
        let state = self.state();
        let orders = state.orders.values();
        let mut views: Vec<_> = orders.map(|order| order.view(state.now)).collect();
        views.sort_by(|a, b| (a.created_at, &a.order_id).cmp(&(b.created_at, &b.order_id)));
        views
    }

    /// One customer's order.
    pub fn order(&self, order_id: &str) -> Option<AmazonOrderView> {
        let state = self.state();
        let order = state.orders.get(order_id)?;
        Some(order.view(state.now))
    }

    /// All listings.
    pub fn listings(&self) -> Vec<AmazonListingView> {
        self.state().listings.values().map(listing_view).collect()
    }

    /// What a customer sees of a sku now. `None` for an unknown sku.
    pub fn listed_quantity(&self, sku: &str) -> Option<u32> {
        self.state()
            .listings
            .get(sku)
            .map(|listing| listing.quantity)
    }

    /// All feeds, oldest first.
    pub fn feeds(&self) -> Vec<AmazonFeedView> {
        let state = self.state();
        let view = |feed: &super::feeds::Feed| {
            let upload = state.uploads.get(&feed.document_id);
            let bytes = upload
                .and_then(|upload| upload.bytes.clone())
                .unwrap_or_default();
            AmazonFeedView {
                feed_id: feed.feed_id.clone(),
                feed_type: feed.feed_type.clone(),
                created_at: feed.created_at,
                status: state.feed_status(feed).to_owned(),
                document: String::from_utf8_lossy(&bytes).into_owned(),
            }
        };
        let mut views: Vec<_> = state.feeds.values().map(view).collect();
        views.sort_by_key(|feed| feed.created_at);
        views
    }

    /// Ends a feed that is not done, as Amazon does now and then: FATAL or CANCELLED, without a report.
    pub fn end_feed(&self, feed_id: &str, is_fatal: bool) -> Result<(), ControlError> {
        let state = &mut *self.state();
        let feed = state.feeds.get_mut(feed_id);
        let feed = feed.ok_or_else(|| ControlError::unknown("feed", feed_id))?;
        if feed.ended.is_some() {
            return Err(ControlError::Conflict("the feed has ended".to_owned()));
        }
        feed.ended = Some(if is_fatal { "FATAL" } else { "CANCELLED" });
        Ok(())
    }

    /// Takes the messages out of the outbox that are due at `now`, oldest first. Whoever takes them plays the queue.
    pub fn take_due_notifications(&self, now: Timestamp) -> Vec<AmazonNotification> {
        let state = &mut *self.state();
        let (due, later): (Vec<_>, Vec<_>) = std::mem::take(&mut state.outbox)
            .into_iter()
            .partition(|one| one.due <= now);
        state.outbox = later;
        state.counters.notifications += u64::try_from(due.len()).unwrap_or(u64::MAX);
        due.into_iter().map(|one| one.notification).collect()
    }
}

impl State {
    /// The order to be changed; the time of its last change moves.
    fn order_mut(&mut self, order_id: &str) -> Result<&mut Order, ControlError> {
        let now = self.now;
        let order = self.orders.get_mut(order_id);
        let order = order.ok_or_else(|| ControlError::unknown("order", order_id))?;
        order.updated_at = now;
        Ok(order)
    }

    /// Cancels an order of which nothing is sent, and announces it.
    pub(super) fn cancel(&mut self, order_id: &str, by: &'static str) -> Result<(), &'static str> {
        let now = self.now;
        let order = self
            .orders
            .get_mut(order_id)
            .ok_or("The order is unknown.")?;
        if order.status() == AmazonStatus::Cancelled {
            return Err("The order is cancelled already.");
        }
        order.cancelled_by = Some(by);
        order.updated_at = now;
        self.announce(order_id, "OrderStatusChange");
        Ok(())
    }

    fn place_order(&mut self, new: AmazonNewOrder) -> Result<String, ControlError> {
        if new.lines.is_empty() || new.lines.iter().any(|line| line.quantity == 0) {
            let message = "an order needs lines, and each at least one unit";
            return Err(ControlError::Invalid(message.to_owned()));
        }
        let mut lines = Vec::with_capacity(new.lines.len());
        for line in &new.lines {
            let listing = self.listings.get(&line.sku);
            let listing = listing.ok_or_else(|| ControlError::unknown("sku", &line.sku))?;
            if listing.quantity < line.quantity && !new.oversell {
                return Err(ControlError::OutOfStock {
                    sku: line.sku.clone(),
                    available: listing.quantity,
                    wanted: line.quantity,
                });
            }
            lines.push(Line {
                order_item_id: String::new(),
                sku: listing.sku.clone(),
                title: listing.title.clone(),
                asin: listing.asin.clone(),
                price: listing.price.clone(),
                quantity: line.quantity,
                cancelled: 0,
                cancelled_by: None,
                tax_cents: 0,
            });
        }
        for line in &mut lines {
            line.order_item_id = self.random.digits(14);
            if let Some(listing) = self.listings.get_mut(&line.sku) {
                let beyond = line.quantity.saturating_sub(listing.quantity);
                self.counters.units_oversold += u64::from(beyond);
                listing.quantity = listing.quantity.saturating_sub(line.quantity);
            }
        }
        let buyer = new
            .buyer
            .unwrap_or_else(|| buyer::made_up(&mut self.random));
        let (middle, last) = (self.random.digits(7), self.random.digits(7));
        let order_id = format!("{:03}-{middle}-{last}", 101 + self.orders.len() % 899);
        let order = Order {
            order_id: order_id.clone(),
            created_at: self.now,
            updated_at: self.now,
            is_paid: new.paid,
            cancelled_by: None,
            cancel_request: None,
            by_amazon: new.by_amazon,
            programs: new.programs,
            buyer,
            lines,
            packages: Vec::new(),
            happened: Happened::default(),
        };
        self.orders.insert(order_id.clone(), order);
        self.announce(&order_id, "OrderStatusChange");
        Ok(order_id)
    }
}

fn listing_view(listing: &Listing) -> AmazonListingView {
    AmazonListingView {
        sku: listing.sku.clone(),
        asin: listing.asin.clone(),
        price: listing.price.clone(),
        quantity: listing.quantity,
        lead_time_days: listing.lead_time_days,
        changes: listing.changes,
    }
}
