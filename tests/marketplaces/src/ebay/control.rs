//! The Rust side of the control interface; `routes` offers the same over HTTP.

use std::time::Duration;

use super::Ebay;
use super::notification::Challenge;
use super::state::Line;
use super::state::Offer;
use super::state::Order;
use super::state::State;
use super::types::CancelState;
use super::types::EbayLineView;
use super::types::EbayOrderView;
use super::types::ListingView;
use super::types::NewListing;
use super::types::NewOrder;
use super::types::PaymentStatus;
use crate::buyer;
use crate::error::ControlError;
use crate::money::Money;

impl Ebay {
    /// Offers a sku. A sku that is offered already gets a second offer.
    pub fn add_listing(&self, new: NewListing) -> ListingView {
        let state = &mut *self.state();
        let offer = Offer {
            title: new.title.unwrap_or_else(|| format!("Article {}", new.sku)),
            offer_id: new.offer_id.unwrap_or_else(|| state.random.digits(10)),
            listing_id: new.listing_id.unwrap_or_else(|| state.random.digits(12)),
            sku: new.sku,
            price: new.price,
            quantity: new.quantity,
            published: new.published,
            trading: new.trading,
            revisions: (state.today(), 0),
        };
        state.pools.insert(offer.sku.clone(), offer.quantity);
        let view = state.listing_view(&offer);
        state.offers.push(offer);
        view
    }

    /// Sets what a sku's listings have, as the seller could by hand: no revision is counted.
    pub fn set_quantity(&self, sku: &str, quantity: u32) -> Result<(), ControlError> {
        let state = &mut *self.state();
        state.pools.insert(sku.to_owned(), quantity);
        state
            .offers_of(sku)?
            .for_each(|offer| offer.quantity = quantity);
        Ok(())
    }

    /// Sets how often a sku's listings were changed today, as if it had been so.
    pub fn set_revisions(&self, sku: &str, count: u32) -> Result<(), ControlError> {
        let state = &mut *self.state();
        let today = state.today();
        state
            .offers_of(sku)?
            .for_each(|offer| offer.revisions = (today, count));
        Ok(())
    }

    /// Sets the price of a sku's listings, as the seller could by hand.
    pub fn set_price(&self, sku: &str, price: &Money) -> Result<(), ControlError> {
        let state = &mut *self.state();
        state
            .offers_of(sku)?
            .for_each(|offer| offer.price = price.clone());
        Ok(())
    }

    /// A customer buys. Takes the units off the listings, and sends one notification a line. Answers the order id.
    pub fn place_order(&self, new: NewOrder) -> Result<String, ControlError> {
        self.state().place_order(new)
    }

    /// The buyer asks to cancel; the seller has not answered yet.
    pub fn request_cancel(&self, order_id: &str, reason: &str) -> Result<(), ControlError> {
        let state = &mut *self.state();
        let now = state.now;
        let order = state.order_mut(order_id)?;
        order.cancel = CancelState::InProgress;
        order.cancel_reason = reason.to_owned();
        order.cancel_asked_at = Some(now);
        Ok(())
    }

    /// The order is cancelled and paid back.
    pub fn cancel_order(&self, order_id: &str) -> Result<(), ControlError> {
        let state = &mut *self.state();
        let now = state.now;
        let order = state.order_mut(order_id)?;
        order.cancel = CancelState::Canceled;
        order.payment = PaymentStatus::FullyRefunded;
        order.cancel_asked_at.get_or_insert(now);
        Ok(())
    }

    /// Changes the payment. An order that becomes paid is announced again, as eBay does after a failed payment.
    pub fn set_payment(&self, order_id: &str, payment: PaymentStatus) -> Result<(), ControlError> {
        let state = &mut *self.state();
        state.order_mut(order_id)?.payment = payment;
        if payment == PaymentStatus::Paid {
            state.with_order(order_id, |state, order| {
                state.announce_order(order);
                state.announce_platform("AuctionCheckoutComplete", order);
            });
        }
        Ok(())
    }

    /// A user closes the account: eBay says so until the endpoint has acknowledged it. Answers the push's id, or
    /// `None` where no endpoint is registered.
    pub fn delete_account(&self, username: &str) -> Option<u64> {
        self.state().announce_deletion(username)
    }

    /// Draws the challenge for an endpoint, for callers that deliver it themselves.
    pub fn begin_registration(
        &self,
        endpoint: &str,
        verification_token: &str,
    ) -> Result<Challenge, ControlError> {
        self.state().challenge(endpoint, verification_token)
    }

    /// Judges the answer to a challenge; a right one registers the endpoint for all topics.
    pub fn finish_registration(
        &self,
        challenge: &Challenge,
        status: u16,
        content_type: &str,
        body: &[u8],
    ) -> Result<(), ControlError> {
        let state = &mut *self.state();
        state.judge(challenge, status, content_type, body)?;
        state.register(challenge);
        Ok(())
    }

    /// Registers an endpoint over the network: GET with `challenge_code`, then as `finish_registration`.
    pub async fn register_endpoint(
        &self,
        endpoint: &str,
        verification_token: &str,
    ) -> Result<(), ControlError> {
        let challenge = self.prove_endpoint(endpoint, verification_token).await?;
        self.state().register(&challenge);
        Ok(())
    }

    /// Asks an endpoint over the network to prove itself.
    pub(super) async fn prove_endpoint(
        &self,
        endpoint: &str,
        verification_token: &str,
    ) -> Result<Challenge, ControlError> {
        let challenge = self.begin_registration(endpoint, verification_token)?;
        let failed = |error: reqwest::Error| {
            ControlError::Invalid(format!("195020: no answer to the challenge: {error}"))
        };
        let client = crate::serve::http_client().map_err(failed)?;
        let wait = Duration::from_millis(self.settings().push_wait_ms);
        let response = client
            .get(&challenge.url)
            .timeout(wait)
            .send()
            .await
            .map_err(failed)?;
        let status = response.status().as_u16();
        let content_type = response
            .headers()
            .get(http::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let body = response.bytes().await.map_err(failed)?;
        self.state()
            .judge(&challenge, status, &content_type, &body)?;
        Ok(challenge)
    }

    /// Forgets the endpoint; nothing is pushed any more.
    pub fn unregister_endpoint(&self) {
        self.state().destinations.clear();
    }

    /// The user consents again, with the same refresh token.
    pub fn restore_consent(&self) {
        self.state().refresh_revoked = false;
    }

    /// Ends a listing, as the seller could by hand: nothing revises it any more.
    pub fn end_listing(&self, sku: &str) -> Result<(), ControlError> {
        let state = &mut *self.state();
        state
            .offers_of(sku)?
            .for_each(|offer| offer.published = false);
        Ok(())
    }

    /// eBay marks the endpoints down, as after a day without answers.
    pub fn mark_endpoints_down(&self) {
        self.state().mark_endpoints_down();
    }

    /// All customers' orders, oldest first, whether or not the API shows them yet.
    pub fn orders(&self) -> Vec<EbayOrderView> {
        let state = &mut *self.state();
        state.settle_refunds();
        let mut views: Vec<_> = state.orders.values().map(order_view).collect();
        views.sort_by(|a, b| (a.created_at, &a.order_id).cmp(&(b.created_at, &b.order_id)));
        views
    }

    /// One customer's order.
    pub fn order(&self, order_id: &str) -> Option<EbayOrderView> {
        let state = &mut *self.state();
        state.settle_refunds();
        state.orders.get(order_id).map(order_view)
    }

    /// All offers.
    pub fn listings(&self) -> Vec<ListingView> {
        let state = self.state();
        state
            .offers
            .iter()
            .map(|offer| state.listing_view(offer))
            .collect()
    }

    /// What a customer sees of a sku now: the units of its first offer. `None` for an unknown sku.
    pub fn listed_quantity(&self, sku: &str) -> Option<u32> {
        let state = self.state();
        let offer = state.offers.iter().find(|offer| offer.sku == sku)?;
        Some(state.listed_quantity(offer))
    }
}

impl State {
    fn offers_of<'a>(
        &'a mut self,
        sku: &'a str,
    ) -> Result<impl Iterator<Item = &'a mut Offer>, ControlError> {
        if self.offers.iter().any(|offer| offer.sku == sku) {
            Ok(self.offers.iter_mut().filter(move |offer| offer.sku == sku))
        } else {
            Err(ControlError::unknown("sku", sku))
        }
    }

    /// The order to be changed; its modification date moves.
    pub(super) fn order_mut(&mut self, order_id: &str) -> Result<&mut Order, ControlError> {
        let now = self.now;
        let order = self.orders.get_mut(order_id);
        let order = order.ok_or_else(|| ControlError::unknown("order", order_id))?;
        order.before = None;
        order.before = Some((now, Box::new(order.clone())));
        order.modified_at = now;
        Ok(order)
    }

    fn with_order(&mut self, order_id: &str, act: impl FnOnce(&mut Self, &Order)) {
        if let Some(order) = self.orders.remove(order_id) {
            act(self, &order);
            self.orders.insert(order_id.to_owned(), order);
        }
    }

    fn place_order(&mut self, new: NewOrder) -> Result<String, ControlError> {
        if new.lines.is_empty() || new.lines.iter().any(|line| line.quantity == 0) {
            let message = "an order needs lines, and each at least one unit";
            return Err(ControlError::Invalid(message.to_owned()));
        }
        let mut lines = Vec::with_capacity(new.lines.len());
        for line in &new.lines {
            let offer = self
                .offers
                .iter()
                .find(|offer| offer.sku == line.sku && offer.published);
            let offer = offer.ok_or_else(|| ControlError::unknown("sku", &line.sku))?;
            let available = self.listed_quantity(offer);
            if available < line.quantity && !new.oversell {
                return Err(ControlError::OutOfStock {
                    sku: line.sku.clone(),
                    available,
                    wanted: line.quantity,
                });
            }
            lines.push(Line {
                line_item_id: String::new(),
                sku: offer.sku.clone(),
                title: offer.title.clone(),
                listing_id: offer.listing_id.clone(),
                price: offer.price.clone(),
                quantity: line.quantity,
                shipped: 0,
                shipped_by_hand: 0,
                tax_cents: 0,
                tax_reference: None,
            });
        }
        for line in &mut lines {
            line.line_item_id = self.random.digits(14);
            self.take_units(&line.sku, line.quantity);
        }
        let buyer = new
            .buyer
            .unwrap_or_else(|| buyer::made_up(&mut self.random));
        let number = u64::try_from(self.orders.len()).unwrap_or(0) + 1001;
        let order_id = format!(
            "{:02}-{:05}-{}",
            10 + number % 20,
            number,
            self.random.digits(5)
        );
        let order = Order {
            order_id: order_id.clone(),
            created_at: self.now,
            modified_at: self.now,
            payment: new.payment,
            cancel: CancelState::NoneRequested,
            cancel_reason: String::new(),
            cancel_asked_at: None,
            buyer,
            lines,
            fulfillments: Vec::new(),
            refunds: Vec::new(),
            sales_record: number,
            cancelled_by: None,
            hidden: None,
            is_reviewed: false,
            fee_report: self.config.settings.fee_report,
            is_fulfilled_by_ebay: false,
            is_gone: false,
            spoiled: None,
            before: None,
        };
        self.announce_order(&order);
        self.announce_platform("FixedPriceTransaction", &order);
        if order.payment == PaymentStatus::Paid {
            self.announce_platform("AuctionCheckoutComplete", &order);
        }
        self.orders.insert(order_id.clone(), order);
        Ok(order_id)
    }

    fn take_units(&mut self, sku: &str, units: u32) {
        let Some(place) = self
            .offers
            .iter()
            .position(|offer| offer.sku == sku && offer.published)
        else {
            return;
        };
        let available = self.listed_quantity(&self.offers[place]);
        self.counters.units_oversold += u64::from(units.saturating_sub(available));
        self.offers[place].quantity = self.offers[place].quantity.saturating_sub(units);
        if let Some(pool) = self.pools.get_mut(sku) {
            *pool = pool.saturating_sub(units);
        }
    }

    fn listing_view(&self, offer: &Offer) -> ListingView {
        let (day, count) = offer.revisions;
        ListingView {
            sku: offer.sku.clone(),
            title: offer.title.clone(),
            offer_id: offer.offer_id.clone(),
            listing_id: offer.listing_id.clone(),
            price: offer.price.clone(),
            quantity: self.listed_quantity(offer),
            pool_quantity: self.pools.get(&offer.sku).copied().unwrap_or(0),
            offer_quantity: offer.quantity,
            revisions_today: if day == self.today() { count } else { 0 },
            published: offer.published,
        }
    }
}

fn order_view(order: &Order) -> EbayOrderView {
    let lines = order.lines.iter().map(|line| EbayLineView {
        line_item_id: line.line_item_id.clone(),
        sku: line.sku.clone(),
        listing_id: line.listing_id.clone(),
        quantity: line.quantity,
        shipped: line.shipped,
        shipped_by_hand: line.shipped_by_hand,
        cost: line.cost(),
        refunded_cents: order
            .refunds_of(line)
            .filter(|refund| refund.status != "FAILED")
            .map(|refund| refund.amount.cents)
            .sum(),
    });
    EbayOrderView {
        order_id: order.order_id.clone(),
        created_at: order.created_at,
        last_modified_at: order.modified_at,
        payment: order.payment,
        fulfillment: order.fulfillment_status(),
        cancel: order.cancel,
        buyer: order.buyer.clone(),
        lines: lines.collect(),
        total: order.total(),
        tax: order.tax(),
        fee: order.true_fee(),
        is_gone: order.is_gone,
        fulfillments: order.fulfillments.clone(),
        refunds: order.refunds.clone(),
    }
}
