//! What the account can do, call by call: read stock, buy, be looked at.

use super::super::examine;
use super::client::{CREATE_ORDER, DETAIL, GET_ORDER, LIST_ORDERS, PREVIEW, number};
use super::wire::{AddressParam, Cargo, Order, Preview, Product};
use super::{Cn1688, convert, limits};
use crate::domain::{
    CountryCode, Evidence, Money, OfferId, PurchaseLine, Reference, SupplierOrderId,
};
use crate::limiter::Traffic;
use crate::marketplaces::{
    Buy, CallError, Examine, Finding, Kind, PlaceRequest, Placed, Quote, QuoteRequest, QuotedLine,
    ReadStock, Retry, Settle, SupplierOrder, SupplierState, Wanted, products,
};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::time::Duration;

/// Longer than terms last, so that the purchase is planned on a new preview.
const NEW_TERMS: Retry = Retry::After(Duration::from_secs(900));

impl Cn1688 {
    async fn known(&self, product: &str, traffic: Traffic) -> Result<Option<Product>, CallError> {
        match self.client.product(product, traffic).await {
            Ok(product) => Ok(Some(product)),
            // Gone: no variant of it can be had.
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn quoted_line(&self, wanted: &Wanted) -> Result<QuotedLine, CallError> {
        let (offer, quantity) = (&wanted.offer, wanted.quantity);
        let call = self.client.call(DETAIL);
        let gone = || call.ours(Kind::NotFound, Retry::Permanent, "variant-gone");
        let product = self.known(&offer.product, Traffic::Orders).await?;
        let product = product.ok_or_else(gone)?;
        let now = self.client.outside.clock.now();
        let evidence = convert::evidence(&call, &product, &offer.variant, now)?;
        let Evidence { stock, cost, .. } = evidence.ok_or_else(gone)?;
        let seller = convert::seller(&product, &offer.product);
        let line = |unit_cost, shipping, shipping_option| QuotedLine {
            unit_cost,
            shipping,
            shipping_option,
            variant_attributes: seller.clone(),
            stock,
        };
        if stock < quantity {
            return Ok(line(cost, Money { minor: 0, ..cost }, String::new()));
        }
        let call = self.client.call(PREVIEW);
        let cargo = [Cargo {
            offer_id: number(&call, &offer.product)?,
            spec_id: spec(&offer.variant),
            quantity,
        }];
        let address = convert::address(&self.client.config.address);
        let parts = self.client.preview(&address, &cargo).await?;
        let mode = convert::trade_type(&call, &parts, &self.client.config.trade_types)?;
        let (goods, rest) = convert::sums(&call, &parts)?;
        Ok(line(convert::unit_cost(goods, quantity), rest, mode))
    }

    /// Previews the whole order as it would be placed. Of several lines the trade mode can be another than of each alone,
    /// and a price can have risen since it was quoted.
    async fn previewed(
        &self,
        request: &PlaceRequest<'_>,
        address: &AddressParam,
        cargo: &[Cargo<'_>],
    ) -> Result<String, CallError> {
        let call = self.client.call(PREVIEW);
        let parts: Vec<Preview> = self.client.preview(address, cargo).await?;
        let (goods, rest) = convert::sums(&call, &parts)?;
        let quoted = |line: &PurchaseLine| {
            let goods = line.unit_cost.times(line.quantity)?;
            goods.plus(line.shipping)
        };
        let nothing = Some(Money { minor: 0, ..goods });
        let quoted = request
            .lines
            .iter()
            .fold(nothing, |sum, line| sum?.plus(quoted(line)?));
        let Some(quoted) = quoted else {
            return Err(call.ours(Kind::Refused, Retry::Permanent, "other-currency"));
        };
        if goods
            .plus(rest)
            .is_none_or(|cost| cost.minor > quoted.minor)
        {
            return Err(call.ours(Kind::Refused, NEW_TERMS, "dearer-than-quoted"));
        }
        convert::trade_type(&call, &parts, &self.client.config.trade_types)
    }

    /// Pays an order that exists. Whatever becomes of the payment, the order stays placed; without its payment it shows as
    /// unpaid, which a person is told of.
    async fn pay(&self, placed: &Placed, request: &PlaceRequest<'_>) {
        let Some(channel) = &self.client.config.pay else {
            return;
        };
        let (account, clock) = (&self.client.id, &self.client.outside.clock);
        let in_time = || request.in_time(account, clock.now());
        for order in &placed.supplier_orders {
            let paid = self.client.pay(order, request.reference, channel, &in_time);
            match paid.await {
                Ok(()) => tracing::info!(%account, supplier_order = %order, "An order was paid."),
                Err(error) => {
                    tracing::warn!(%account, supplier_order = %order, %error, "An order was placed and not paid.");
                }
            }
        }
    }

    /// Orders with our reference, each once. The error says that the list did not hold what it promised, so that nothing
    /// is proven by what is not in it.
    async fn orders(
        &self,
        reference: &Reference,
        since: Timestamp,
        past: bool,
    ) -> Result<Vec<Order>, CallError> {
        let call = self.client.call(LIST_ORDERS);
        let mut seen = BTreeSet::new();
        let mut orders = Vec::new();
        for page in 1..=limits::MOST_PAGES {
            let answer = self.client.orders(reference, since, page, past).await?;
            let total = answer
                .total_record
                .and_then(|total| usize::try_from(total).ok());
            let total = total.ok_or_else(|| call.unreadable("totalRecord"))?;
            let before = seen.len();
            for order in answer.result {
                let id = convert::order_id(&order).map(str::to_owned);
                if seen.insert(id.ok_or_else(|| call.unreadable("idOfStr"))?) {
                    orders.push(order);
                }
            }
            if seen.len() >= total {
                return Ok(orders);
            }
            if seen.len() == before {
                return Err(call.unreadable("result"));
            }
        }
        Err(call.ours(Kind::Refused, Retry::Person, "too-many-orders"))
    }
}

/// The variant's id in an order; none for a product without variants.
fn spec(variant: &str) -> Option<&str> {
    (variant != convert::NO_VARIANT).then_some(variant)
}

#[async_trait]
impl ReadStock for Cn1688 {
    /// `ship_to` does not matter: everything goes to one place.
    async fn stock(
        &self,
        offers: &[OfferId],
        _ship_to: &CountryCode,
    ) -> Result<Vec<Result<Option<Evidence>, CallError>>, CallError> {
        let at = self.client.outside.clock.now();
        let call = self.client.call(DETAIL);
        let ask = |id| self.known(id, Traffic::Stock);
        let products = products::side_by_side(offers, ask).await;
        let answer = |offer: &OfferId| match products::of(&products, offer)? {
            Some(Some(known)) => convert::evidence(&call, known, &offer.variant, at),
            _ => Ok(None),
        };
        Ok(offers.iter().map(answer).collect())
    }
}

#[async_trait]
impl Buy for Cn1688 {
    async fn quote(&self, request: &QuoteRequest<'_>) -> Result<Quote, CallError> {
        if self.client.config.to_buyers && request.ship_to.as_str() != "CN" {
            let call = self.client.call(PREVIEW);
            return Err(call.ours(Kind::NotDeliverable, Retry::Permanent, "not-in-china"));
        }
        let mut lines = Vec::new();
        for wanted in request.wanted {
            lines.push(self.quoted_line(wanted).await?);
        }
        Ok(Quote { lines })
    }

    /// One seller, and no more variants than an order takes. Where a product does not name its seller, it is ordered
    /// alone.
    fn takes_together(&self, lines: &[PurchaseLine], next: &PurchaseLine) -> bool {
        let same_seller = |line: &PurchaseLine| line.variant_attributes == next.variant_attributes;
        lines.len() < limits::LINES_PER_ORDER && lines.iter().all(same_seller)
    }

    async fn place(&self, request: &PlaceRequest<'_>) -> Result<Placed, CallError> {
        let call = self.client.call(CREATE_ORDER);
        if !(1..=limits::LINES_PER_ORDER).contains(&request.lines.len()) {
            return Err(call.ours(Kind::Refused, Retry::Permanent, "number-of-lines"));
        }
        let config = &self.client.config;
        let address = if config.to_buyers {
            convert::buyer_address(&call, request.buyer)?
        } else {
            convert::address(&config.address)
        };
        let cargo = request.lines.iter().map(|line| {
            Ok(Cargo {
                offer_id: number(&call, &line.offer.product)?,
                spec_id: spec(&line.offer.variant),
                quantity: line.quantity,
            })
        });
        let cargo: Vec<Cargo<'_>> = cargo.collect::<Result<_, CallError>>()?;
        let mode = self.previewed(request, &address, &cargo).await?;
        let clock = &self.client.outside.clock;
        let in_time = || request.in_time(&self.client.id, clock.now());
        let created = self
            .client
            .create(request.reference, (&address, &cargo), &mode, &in_time);
        let (answer, root) = created.await?;
        let placed = convert::placed(&call, &answer, &root)?;
        self.pay(&placed, request).await;
        Ok(placed)
    }

    fn settle(&self) -> Settle {
        Settle::LookUp {
            listed_within: limits::LISTED_WITHIN,
        }
    }

    /// Asks for the orders with our reference. The filter is not trusted: an order counts only where it shows the
    /// reference itself, and one that shows none proves nothing.
    async fn look_up(
        &self,
        reference: &Reference,
        since: Timestamp,
    ) -> Result<Option<Placed>, CallError> {
        let span = |duration| SignedDuration::try_from(duration).unwrap_or_default();
        let age = self.client.outside.clock.now().duration_since(since);
        let since = since
            .saturating_sub(span(limits::SEARCH_MARGIN))
            .unwrap_or(since);
        let mut orders = self.orders(reference, since, false).await?;
        if age > span(limits::PAST_AFTER) {
            orders.extend(self.orders(reference, since, true).await?);
        }
        let call = self.client.call(GET_ORDER);
        let (mut ours, mut nameless) = (Vec::new(), false);
        for listed in &orders {
            let id = convert::order_id(listed).unwrap_or_default();
            let is_ours = match convert::is_ours(listed, reference) {
                None => convert::is_ours(&self.client.order(id).await?, reference),
                known => known,
            };
            match is_ours {
                Some(true) => {
                    let id = SupplierOrderId::parse(id);
                    ours.push(id.map_err(|_| call.unreadable("idOfStr"))?);
                }
                Some(false) => {}
                None => nameless = true,
            }
        }
        if !ours.is_empty() {
            return Ok(Some(Placed {
                supplier_orders: ours,
            }));
        }
        if nameless {
            return Err(call.ours(Kind::Refused, Retry::Person, "reference-not-shown"));
        }
        Ok(None)
    }

    async fn supplier_order(&self, id: &SupplierOrderId) -> Result<SupplierOrder, CallError> {
        let order = self.client.order(id.as_str()).await?;
        let mut state = convert::state(&self.client.call(GET_ORDER), &order)?;
        let moved = matches!(
            state,
            SupplierState::PartlyShipped | SupplierState::Shipped | SupplierState::Delivered
        );
        // A parcel to the forwarder is none to the customer: its number would tell them of a town in China, and that it
        // has arrived. The purchase arrives without a number, and a person enters the forwarder's.
        let mut parcels = Vec::new();
        if moved {
            let logistics = self.client.logistics(id).await?;
            let untold = logistics
                .iter()
                .any(|parcel| parcel.logistics_bill_no.is_none());
            let trace = if untold {
                self.client.trace(id).await?
            } else {
                Vec::new()
            };
            parcels = convert::parcels(&order, &logistics, &trace);
            let all_signed = !logistics.is_empty()
                && logistics
                    .iter()
                    .all(|parcel| parcel.status.as_deref() == Some("SIGN"));
            if state == SupplierState::Shipped && all_signed {
                state = SupplierState::Delivered;
            }
        }
        if state == SupplierState::Delivered {
            parcels
                .iter_mut()
                .for_each(|parcel| parcel.delivered = true);
        }
        if !self.client.config.to_buyers {
            parcels.clear();
        }
        Ok(SupplierOrder {
            state,
            parcels,
            contents: convert::all_contents(&order),
        })
    }
}

#[async_trait]
impl Examine for Cn1688 {
    async fn examine(&self) -> Vec<Finding> {
        let client = &self.client;
        let now = client.outside.clock.now();
        let (outcome, headers) = client.probe().await;
        let skew = SignedDuration::try_from(limits::CLOCK_SKEW).unwrap_or_default();
        let mut findings = vec![examine::reached(
            &client.config.base,
            outcome.as_ref().err(),
        )];
        let session = client.session().await.map(|_| ());
        findings.push(examine::token(&client.outside, &client.id, session).await);
        findings.extend(examine::consent(client.config.refresh_token_ends, now));
        if let Some(headers) = headers {
            findings.push(examine::clock(&headers, now, skew));
        }
        findings.push(examine::permission(outcome.as_ref().err()));
        if client.config.pay.is_none() {
            let to_do = "Pay on the site, or put `pay` into the secret.";
            findings.push(Finding::warning(
                "payment",
                "Orders are placed and not paid.",
                to_do,
            ));
        }
        findings
    }
}
