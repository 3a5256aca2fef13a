//! AliExpress, a supplier: its dropshipping API behind one gateway (`/sync` for business, `/rest` for tokens). An account
//! whose secret says `"side": "seller"` is a shop there, a channel: see [`seller`].
//!
//! A supplier can read stock, buy and push. It has no search by our reference, no cancelling and no listing of ours: a doubt is
//! settled by the exact repeat of an order, which it recognises for 24 hours by `out_order_id`.
//!
//! Calls that nothing here needs are left out: the older `aliexpress.trade.buy.placeorder` has the same body as
//! `aliexpress.ds.order.create`, without its payment; `aliexpress.logistics.buyer.freight.calculate` wants the country
//! that the goods come from, which no product tells; wholesale prices and special notes of a product have no role.
//!
//! Sources: the dropshipping guides and the API reference of openservice.aliexpress.com.

mod address;
mod auth;
mod client;
mod config;
mod convert;
pub mod error;
mod examine;
pub mod limits;
pub mod seller;
pub mod signature;
mod wire;
mod xml;

pub use config::Config;
pub use seller::Shop;

use super::{loose, products};
use crate::domain::{
    AccountId, CountryCode, Evidence, Invalid, Money, OfferId, Reference, Signal, SignalKind,
    SupplierOrderId,
};
use crate::limiter::Traffic;
use crate::marketplaces::{
    Account, Buy, CallError, Challenge, Examine, Finding, Kind, Outside, PlaceRequest, Placed,
    PushRefused, Quote, QuoteRequest, QuotedLine, ReadStock, Retry, Settle, SupplierOrder,
    SupplierState, Unverified, VerifyPushes, Wanted,
};
use crate::secrets::Secret;
use async_trait::async_trait;
use client::{Client, FREIGHT_QUERY, ORDER_CREATE, ORDER_GET, PRODUCT_GET};
use config::Side;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The account `id`: a supplier or a channel, as its secret says. The error names the field that is wrong.
pub fn open(id: AccountId, secret: &Secret, outside: Outside) -> Result<Arc<dyn Account>, Invalid> {
    let config = Config::parse(secret)?;
    let side = config.side;
    let client = Client {
        id,
        config,
        outside,
    };
    Ok(match side {
        Side::Buyer => Arc::new(AliExpress { client }),
        Side::Seller => Arc::new(Shop::of(client)),
    })
}

/// An AliExpress account that buys.
#[derive(Debug)]
pub struct AliExpress {
    client: Client,
}

impl AliExpress {
    /// The account `id` with the credentials of its secret; see [`Config`] for the fields. The error names the field
    /// that is wrong.
    pub fn new(id: AccountId, secret: &Secret, outside: Outside) -> Result<Self, Invalid> {
        let config = Config::parse(secret)?;
        if config.side != Side::Buyer {
            return Err(Invalid::new("side", "must be buyer"));
        }
        Ok(Self {
            client: Client {
                id,
                config,
                outside,
            },
        })
    }

    /// A product as stock sees it: none where no variant of it can be had.
    async fn known(&self, id: &str, ship_to: &str) -> Result<Option<wire::Product>, CallError> {
        match self.client.product(id, ship_to, Traffic::Stock).await {
            Ok(product) => Ok(Some(product)),
            // Gone, or not for this country.
            Err(error) if matches!(error.kind, Kind::NotFound | Kind::NotDeliverable) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn quoted_line(
        &self,
        wanted: &Wanted,
        product: &wire::Product,
        ship_to: &str,
    ) -> Result<QuotedLine, CallError> {
        let config = &self.client.config;
        let call = self.client.call(PRODUCT_GET);
        let terms = convert::terms(&call, product, &wanted.offer.variant, config.currency)?;
        let terms =
            terms.ok_or_else(|| call.ours(Kind::NotFound, Retry::Permanent, "variant-gone"))?;
        let query = wire::DeliveryQuery {
            quantity: wanted.quantity,
            ship_to_country: ship_to,
            product_id: &wanted.offer.product,
            selected_sku_id: &wanted.offer.variant,
            language: &config.language,
            locale: &config.language,
            currency: config.currency.code(),
        };
        let freight = self.client.freight(&query).await;
        let call = self.client.call(FREIGHT_QUERY);
        let shipping =
            freight.and_then(|freight| convert::shipping(&call, &freight, config.currency));
        let (shipping_option, shipping) = match shipping {
            // Units that are not there are not deliverable either; the stock is the answer that helps.
            Err(error) if error.kind == Kind::NotDeliverable && terms.stock < wanted.quantity => {
                (String::new(), Money::zero(config.currency))
            }
            shipping => shipping?,
        };
        Ok(QuotedLine {
            unit_cost: terms.unit_cost,
            shipping,
            shipping_option,
            variant_attributes: terms.variant_attributes,
            stock: terms.stock,
        })
    }

    fn check_age(&self, push: &wire::Push) -> Result<Timestamp, PushRefused> {
        let bad = PushRefused::new(StatusCode::BAD_REQUEST, "the push has no timestamp");
        let sent = convert::pushed_at(push).ok_or(bad)?;
        let now = self.client.outside.clock.now();
        let limit = |duration| SignedDuration::try_from(duration).unwrap_or(SignedDuration::ZERO);
        let age = now.duration_since(sent);
        if age > limit(limits::OLDEST_PUSH) || age < -limit(limits::PUSH_AHEAD) {
            return Err(PushRefused::new(StatusCode::UNAUTHORIZED, "stale"));
        }
        Ok(now)
    }
}

impl Account for AliExpress {
    fn id(&self) -> &AccountId {
        &self.client.id
    }

    fn read_stock(&self) -> Option<&dyn ReadStock> {
        Some(self)
    }

    fn buy(&self) -> Option<&dyn Buy> {
        Some(self)
    }

    fn verify_pushes(&self) -> Option<&dyn VerifyPushes> {
        Some(self)
    }

    fn examine(&self) -> Option<&dyn Examine> {
        Some(self)
    }
}

#[async_trait]
impl Examine for AliExpress {
    async fn examine(&self) -> Vec<Finding> {
        examine::buyer(&self.client).await
    }
}

#[async_trait]
impl ReadStock for AliExpress {
    async fn stock(
        &self,
        offers: &[OfferId],
        ship_to: &CountryCode,
    ) -> Result<Vec<Result<Option<Evidence>, CallError>>, CallError> {
        let ship_to = address::country(ship_to);
        let at = self.client.outside.clock.now();
        let products = products::side_by_side(offers, |id| self.known(id, ship_to)).await;
        let call = self.client.call(PRODUCT_GET);
        let currency = self.client.config.currency;
        let answer = |offer: &OfferId| {
            let Some(Some(product)) = products::of(&products, offer)? else {
                return Ok(None);
            };
            let terms = convert::terms(&call, product, &offer.variant, currency)?;
            Ok(terms.map(|terms| terms.evidence(at)))
        };
        Ok(offers.iter().map(answer).collect())
    }
}

#[async_trait]
impl Buy for AliExpress {
    async fn quote(&self, request: &QuoteRequest<'_>) -> Result<Quote, CallError> {
        let ship_to = address::country(request.ship_to);
        let mut products = BTreeMap::new();
        let mut lines = Vec::new();
        for wanted in request.wanted {
            let id = wanted.offer.product.as_str();
            if !products.contains_key(id) {
                products.insert(id, self.client.product(id, ship_to, Traffic::Orders).await?);
            }
            if let Some(product) = products.get(id) {
                lines.push(self.quoted_line(wanted, product, ship_to).await?);
            }
        }
        Ok(Quote { lines })
    }

    async fn place(&self, request: &PlaceRequest<'_>) -> Result<Placed, CallError> {
        let call = self.client.call(ORDER_CREATE);
        let currency = self.client.config.currency;
        let in_currency = |line: &crate::domain::PurchaseLine| line.unit_cost.currency == currency;
        if !request.lines.iter().all(in_currency) {
            return Err(call.ours(Kind::Refused, Retry::Permanent, "other-currency"));
        }
        let items = request.lines.iter().map(|line| {
            Ok(wire::ProductItem {
                product_id: client::number(&call, &line.offer.product)?,
                product_count: line.quantity,
                sku_attr: &line.variant_attributes,
                logistics_service_name: &line.shipping_option,
            })
        });
        let order = wire::PlaceOrder {
            out_order_id: request.reference.as_str(),
            logistics_address: address::logistics_address(&call, request.buyer)?,
            product_items: items.collect::<Result<_, _>>()?,
        };
        let clock = &self.client.outside.clock;
        let in_time = || request.in_time(&self.client.id, clock.now());
        let national = address::national_address(request.buyer);
        let created = self
            .client
            .create(&order, national.as_deref(), &in_time)
            .await?;
        convert::placed(&call, &created)
    }

    fn settle(&self) -> Settle {
        Settle::Repeat {
            after: limits::REPEAT_AFTER,
            within: limits::REPEAT_WITHIN,
        }
    }

    async fn look_up(
        &self,
        _reference: &Reference,
        _since: Timestamp,
    ) -> Result<Option<Placed>, CallError> {
        let call = self.client.call(ORDER_GET);
        Err(call.ours(Kind::Misconfigured, Retry::Person, "look-up-not-offered"))
    }

    async fn supplier_order(&self, id: &SupplierOrderId) -> Result<SupplierOrder, CallError> {
        let order = self.client.order(id).await?;
        let state = convert::state(&self.client.call(ORDER_GET), &order)?;
        let moved = matches!(
            state,
            SupplierState::PartlyShipped | SupplierState::Shipped | SupplierState::Delivered
        );
        let tracking = if moved {
            self.client.tracking(id).await?
        } else {
            None
        };
        let parcels = if moved {
            convert::parcels(&state, &order, tracking.as_ref())
        } else {
            Vec::new()
        };
        Ok(SupplierOrder {
            contents: convert::contents(&order),
            ..convert::supplier_order(state, parcels)
        })
    }
}

#[async_trait]
impl VerifyPushes for AliExpress {
    async fn verify(&self, push: Unverified) -> Result<Vec<Signal>, PushRefused> {
        let config = &self.client.config;
        let authorization = push.header("authorization").unwrap_or_default().to_owned();
        let push = push.check(|body| {
            let (key, secret) = (&config.app_key, &config.app_secret);
            if signature::push_is_authentic(key, secret, body, &authorization) {
                return Ok(());
            }
            let reason = "the Authorization header does not fit the body";
            Err(PushRefused::new(StatusCode::UNAUTHORIZED, reason))
        })?;
        let bad = PushRefused::new(StatusCode::BAD_REQUEST, "the push cannot be read");
        let push: wire::Push = serde_json::from_slice(push.body()).map_err(|_| bad.clone())?;
        let seen_at = self.check_age(&push)?;
        // One application has many accounts; each push names its own.
        let of_another = matches!(
            (&config.seller_id, &push.seller_id),
            (Some(ours), Some(theirs)) if ours != theirs
        );
        let order = push.data.and_then(|data| data.order_id);
        let Some(order) = order.filter(|_| !of_another) else {
            return Ok(Vec::new());
        };
        let order = SupplierOrderId::parse(&order).map_err(|_| bad)?;
        Ok(vec![Signal {
            account: self.client.id.clone(),
            kind: SignalKind::SupplierOrderChanged(order),
            seen_at,
        }])
    }

    fn challenge(&self, _query: &str) -> Option<Result<Challenge, PushRefused>> {
        None
    }
}

#[cfg(test)]
mod tests;
