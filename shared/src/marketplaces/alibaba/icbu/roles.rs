//! What the account can do, call by call: read stock, buy, be looked at.

use super::super::examine;
use super::client::{DESCRIPTION, FREIGHT, ORDER_CREATE, ORDER_GET, ORDER_LIST};
use super::convert::Names;
use super::wire::{LogisticsDetail, OrderProduct, Product, Shelf};
use super::{Icbu, convert, limits};
use crate::domain::{
    CountryCode, Evidence, Money, OfferId, PurchaseLine, Reference, SupplierOrderId,
};
use crate::marketplaces::{
    Buy, CallError, Examine, Finding, Kind, PlaceRequest, Placed, Quote, QuoteRequest, QuotedLine,
    ReadStock, Retry, Settle, SupplierOrder, SupplierState, Wanted, products,
};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// A product and what lies where of it; none where it is gone.
type Known = Option<(Product, Vec<Shelf>)>;

impl Icbu {
    async fn known(&self, product: &str, country: &str) -> Result<Known, CallError> {
        let found = match self.client.product(product, country).await {
            Ok(found) => found,
            // Gone, or not for this country: no variant of it can be had.
            Err(error) if matches!(error.kind, Kind::NotFound | Kind::NotDeliverable) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let shelves = self.client.inventory(product).await?;
        Ok(Some((found, shelves)))
    }

    fn seen(
        &self,
        known: &Known,
        offer: &OfferId,
        at: Timestamp,
    ) -> Result<Option<Evidence>, CallError> {
        let Some((product, shelves)) = known else {
            return Ok(None);
        };
        let Some(sku) = convert::sku(product, &offer.variant) else {
            return Ok(None);
        };
        let cost = convert::unit_cost(&self.client.call(DESCRIPTION), product, sku, None)?;
        let places = convert::units_by_place(shelves, &offer.variant);
        let stock = convert::stock(&places, &self.client.config.dispatch_from);
        Ok(Some(convert::evidence(stock, cost, at)))
    }

    async fn quoted_line(&self, wanted: &Wanted, to: &str) -> Result<QuotedLine, CallError> {
        let call = self.client.call(DESCRIPTION);
        let (offer, quantity) = (&wanted.offer, wanted.quantity);
        let gone = |code| call.ours(Kind::NotFound, Retry::Permanent, code);
        let known = self.known(&offer.product, to).await?;
        let (product, shelves) = known.ok_or_else(|| gone("product-gone"))?;
        let sku = convert::sku(&product, &offer.variant).ok_or_else(|| gone("variant-gone"))?;
        let unit_cost = convert::unit_cost(&call, &product, sku, Some(quantity))?;
        let company = product.company.clone();
        let company = company.ok_or_else(|| call.unreadable("eCompanyId"))?;
        let places = convert::units_by_place(&shelves, &offer.variant);
        let allowed = &self.client.config.dispatch_from;
        let line = |stock, (shipping_option, shipping)| QuotedLine {
            unit_cost,
            shipping,
            shipping_option,
            variant_attributes: company.clone(),
            stock,
        };
        let mut none_has_so_many = true;
        for from in allowed {
            let here = places.iter().find(|(place, _)| place == from);
            let Some((_, units)) = here.filter(|(_, units)| *units >= quantity) else {
                continue;
            };
            none_has_so_many = false;
            let way = self.way(&company, wanted, (from, to)).await?;
            if let Some((carrier, fee)) = way {
                return Ok(line(
                    *units,
                    (convert::shipping_option(from, &carrier), fee),
                ));
            }
        }
        if none_has_so_many {
            // Units that are not there are not deliverable either; the stock is the answer that helps.
            let stock = convert::stock(&places, allowed);
            return Ok(line(
                stock,
                (
                    String::new(),
                    Money {
                        minor: 0,
                        ..unit_cost
                    },
                ),
            ));
        }
        let call = self.client.call(FREIGHT);
        Err(call.ours(Kind::NotDeliverable, Retry::Permanent, "no-carrier"))
    }

    /// The carrier from a place, and its fee; none where nothing goes from there.
    async fn way(
        &self,
        company: &str,
        wanted: &Wanted,
        (from, to): (&str, &str),
    ) -> Result<Option<(String, Money)>, CallError> {
        let (offer, quantity) = (&wanted.offer, wanted.quantity);
        let goods = (offer.product.as_str(), offer.variant.as_str(), quantity);
        match self.client.freight(company, goods, (from, to)).await {
            Ok(options) => convert::carrier(&self.client.call(FREIGHT), &options),
            Err(error) if error.kind == Kind::NotDeliverable => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Pays an order that exists. Whatever becomes of the payment, the order stays placed; without its payment it shows as
    /// unpaid, which a person is told of.
    async fn pay(&self, placed: &Placed, request: &PlaceRequest<'_>) {
        let Some(payer) = &self.client.config.payer else {
            return;
        };
        let clock = &self.client.outside.clock;
        let in_time = || request.in_time(&self.client.id, clock.now());
        for order in &placed.supplier_orders {
            let account = &self.client.id;
            match self.client.pay(order, payer, &in_time).await {
                Ok(()) => tracing::info!(%account, supplier_order = %order, "An order was paid."),
                Err(error) => {
                    tracing::warn!(%account, supplier_order = %order, %error, "An order was placed and not paid.");
                }
            }
        }
    }

    /// All orders since a time, each once. The error says that the list did not hold what it promised, so that nothing
    /// is proven by what is not in it.
    async fn orders_since(&self, since: Timestamp) -> Result<Vec<super::wire::Order>, CallError> {
        let call = self.client.call(ORDER_LIST);
        let mut seen = BTreeSet::new();
        let mut orders = Vec::new();
        for page in 0..limits::MOST_PAGES {
            let answer = self.client.orders(since, page).await?;
            let total = convert::total(&call, &answer)?;
            let before = seen.len();
            for order in answer.order_list {
                let id = order.trade_id.clone();
                let id = id.ok_or_else(|| call.unreadable("trade_id"))?;
                if seen.insert(id) {
                    orders.push(order);
                }
            }
            if seen.len() >= total {
                return Ok(orders);
            }
            if seen.len() == before {
                return Err(call.unreadable("order_list"));
            }
        }
        Err(call.ours(Kind::Refused, Retry::Person, "too-many-orders"))
    }
}

#[async_trait]
impl ReadStock for Icbu {
    async fn stock(
        &self,
        offers: &[OfferId],
        ship_to: &CountryCode,
    ) -> Result<Vec<Result<Option<Evidence>, CallError>>, CallError> {
        let country = convert::country(ship_to.as_str());
        let at = self.client.outside.clock.now();
        let products = products::side_by_side(offers, |id| self.known(id, country)).await;
        let answer = |offer: &OfferId| {
            let known = products::of(&products, offer)?;
            self.seen(known.unwrap_or(&None), offer, at)
        };
        Ok(offers.iter().map(answer).collect())
    }
}

#[async_trait]
impl Buy for Icbu {
    async fn quote(&self, request: &QuoteRequest<'_>) -> Result<Quote, CallError> {
        let to = convert::country(request.ship_to.as_str());
        let mut lines = Vec::new();
        for wanted in request.wanted {
            lines.push(self.quoted_line(wanted, to).await?);
        }
        Ok(Quote { lines })
    }

    /// One seller, one place, one carrier, and no more than the dearest order.
    fn takes_together(&self, lines: &[PurchaseLine], next: &PurchaseLine) -> bool {
        let alike = |line: &PurchaseLine| {
            line.variant_attributes == next.variant_attributes
                && line.shipping_option == next.shipping_option
        };
        let goods = |line: &PurchaseLine| line.unit_cost.times(line.quantity);
        let mut costs = lines.iter().chain([next]).map(goods);
        let sum = costs.try_fold(0_i64, |sum, cost| sum.checked_add(cost?.minor));
        lines.iter().all(alike) && sum.is_some_and(|sum| sum <= limits::DEAREST_ORDER_CENTS)
    }

    async fn place(&self, request: &PlaceRequest<'_>) -> Result<Placed, CallError> {
        let call = self.client.call(ORDER_CREATE);
        let Some(first) = request.lines.first() else {
            return Err(convert::not_one_order(&call, "no-lines"));
        };
        if request
            .lines
            .iter()
            .any(|line| line.unit_cost.currency.code() != "USD")
        {
            return Err(convert::not_one_order(&call, "other-currency"));
        }
        let together = |line: &PurchaseLine| {
            (&line.variant_attributes, &line.shipping_option)
                == (&first.variant_attributes, &first.shipping_option)
        };
        if !request.lines.iter().all(together) {
            return Err(convert::not_one_order(&call, "several-sellers"));
        }
        let way = convert::place_and_carrier(&first.shipping_option);
        let (from, carrier) = way.ok_or_else(|| convert::not_one_order(&call, "no-carrier"))?;
        let logistics = LogisticsDetail {
            shipment_address: convert::address(&call, request.buyer)?,
            dispatch_location: from,
            carrier_code: carrier,
        };
        let product = |line| {
            let line: &PurchaseLine = line;
            OrderProduct {
                product_id: &line.offer.product,
                sku_id: &line.offer.variant,
                quantity: line.quantity.to_string(),
            }
        };
        let products: Vec<_> = request.lines.iter().map(product).collect();
        let clock = &self.client.outside.clock;
        let in_time = || request.in_time(&self.client.id, clock.now());
        let created = self
            .client
            .create(request.reference, &products, &logistics, &in_time)
            .await?;
        let placed = convert::placed(&call, &created)?;
        self.pay(&placed, request).await;
        Ok(placed)
    }

    fn settle(&self) -> Settle {
        Settle::LookUp {
            listed_within: limits::LISTED_WITHIN,
        }
    }

    /// Reads every order since the first sending. No page says where an order shows our reference; one that shows none
    /// at all could be ours, so then nothing is proven and a person looks.
    async fn look_up(
        &self,
        reference: &Reference,
        since: Timestamp,
    ) -> Result<Option<Placed>, CallError> {
        let margin = SignedDuration::try_from(limits::SEARCH_MARGIN).unwrap_or_default();
        let since = since.saturating_sub(margin).unwrap_or(since);
        let call = self.client.call(ORDER_GET);
        let (mut ours, mut nameless) = (Vec::new(), false);
        for listed in self.orders_since(since).await? {
            let id = listed.trade_id.clone().unwrap_or_default();
            let names = match convert::names(&listed, reference) {
                Names::None => convert::names(&self.client.order(&id).await?, reference),
                names => names,
            };
            match names {
                Names::This => {
                    let id = SupplierOrderId::parse(&id);
                    ours.push(id.map_err(|_| call.unreadable("trade_id"))?);
                }
                Names::Other => {}
                Names::None => nameless = true,
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
        let state = convert::state(&self.client.call(ORDER_GET), &order)?;
        let moved = matches!(
            state,
            SupplierState::PartlyShipped | SupplierState::Shipped | SupplierState::Delivered
        );
        let mut parcels = Vec::new();
        if moved {
            parcels = convert::parcels(&self.client.tracking(id).await?);
        }
        // The seller's own number can be another than the carrier's, and telling a channel of both would be two shipments.
        // So it counts only for what has arrived without ever being tracked.
        if parcels.is_empty() && state == SupplierState::Delivered {
            parcels = convert::entered_parcels(&self.client.logistics(id).await?);
        }
        Ok(convert::supplier_order(state, parcels))
    }
}

#[async_trait]
impl Examine for Icbu {
    async fn examine(&self) -> Vec<Finding> {
        let client = &self.client;
        let (outcome, headers) = client.probe().await;
        let skew = SignedDuration::try_from(limits::CLOCK_SKEW).unwrap_or_default();
        let mut findings = vec![examine::reached(
            &client.config.base,
            outcome.as_ref().err(),
        )];
        let session = client.session().await.map(|_| ());
        findings.push(examine::token(&client.outside, &client.id, session).await);
        if let Some(headers) = headers {
            findings.push(examine::clock(&headers, client.outside.clock.now(), skew));
        }
        findings.push(examine::permission(outcome.as_ref().err()));
        if client.config.payer.is_none() {
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
