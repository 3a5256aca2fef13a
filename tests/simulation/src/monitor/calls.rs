//! Calls to marketplaces, watched before they are sent and as long as they are on their way.

use super::{Monitor, PUSH_SLACK};
use crate::fault::Fault;
use bytes::Bytes;
use kervan::clock::Clock;
use kervan::domain::{AccountId, Listing, Part, Sku};
use kervan::store::keys;
use kervan_marketplaces::Ebay;
use kervan_marketplaces::ebay::ListingView;

/// The port in [`crate::network::SECOND_EBAY_URL`].
const SECOND_EBAY_PORT: u16 = 6;

/// A call to a marketplace, as far as the monitor cares.
pub(crate) struct Call {
    /// The operation, for the trace.
    pub(crate) name: String,
    /// What only one function at a time may do: place this reference, renew this account's token.
    alone: Option<String>,
    /// A channel that is told quantities, with them by offer.
    told: Option<(AccountId, Vec<(String, u32)>)>,
}

/// Counts a call as long as its function waits for the answer.
pub(crate) struct InFlight {
    monitor: Monitor,
    alone: String,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.monitor.lock();
        if let Some(calls) = state.in_flight.get_mut(&self.alone) {
            *calls -= 1;
        }
    }
}

impl Monitor {
    /// A function has decided to call a marketplace: I2 of a purchase that it places.
    pub(crate) fn calling(&self, request: &http::Request<Bytes>) -> Call {
        let path = request.uri().path().to_owned();
        let body = String::from_utf8_lossy(request.body());
        let mut call = self.call(&path);
        if path.ends_with("/sync") {
            let field = |name: &str| {
                let mut parts = url::form_urlencoded::parse(request.body());
                let part = parts.find(|(key, _)| key == name);
                part.map(|(_, value)| value.into_owned())
            };
            call.name = field("method").unwrap_or_default();
            if call.name == "aliexpress.ds.order.create" {
                let order = field("param_place_order_request4_open_api_d_t_o").unwrap_or_default();
                let order: Result<serde_json::Value, _> = serde_json::from_str(&order);
                let order = order.unwrap_or_default();
                let reference = order["out_order_id"].to_string().replace('"', "");
                let items = order["product_items"].as_array().into_iter().flatten();
                let units = items
                    .filter_map(|item| item["product_count"].as_u64())
                    .sum();
                self.placing(&mut call, reference, units);
            }
        } else if path.ends_with("/auth/token/refresh") {
            call.alone = Some(format!(
                "renewing a token of port {:?}",
                request.uri().port_u16()
            ));
        } else if path.ends_with("/bulk_update_price_quantity") {
            call.told = self.channel_at(request.uri().port_u16());
            if let Some((_, told)) = &mut call.told {
                *told = quantities(&body);
            }
            self.shows_what_is_known(&call);
        }
        call
    }

    /// A call of this name, about which nothing is known yet.
    pub(crate) fn call(&self, name: &str) -> Call {
        Call {
            name: name.to_owned(),
            alone: None,
            told: None,
        }
    }

    /// I2: who places has the lease, and nobody else is at it. I9: what is placed is wanted.
    pub(crate) fn placing(&self, call: &mut Call, reference: String, units: u64) {
        self.only_wanted(&reference, u32::try_from(units).unwrap_or(u32::MAX));
        let (run, now) = (self.gate.current(), self.clock.now());
        let mut broken = Vec::new();
        {
            let state = self.lock();
            match state.leases.get(&reference) {
                Some(lease) if lease.holder != run => {
                    broken.push("a purchase is placed without its lease");
                }
                Some(lease) if lease.until <= now => {
                    broken.push("a purchase is placed under a lease that has run out");
                }
                Some(lease) if !lease.may_buy => {
                    broken.push("a purchase is placed for an order that is not to be bought");
                }
                None => broken.push("a purchase is placed that nobody planned"),
                Some(_) => {}
            }
        }
        for what in broken {
            self.report("I2", format!("{what} ({reference})"));
        }
        call.alone = Some(reference);
    }

    /// The call goes out: I2 of what only one may do at a time, and I5 of a quantity that it raises. The answer is kept
    /// until the function has its own.
    pub(crate) fn called(&self, call: &Call, fault: Fault) -> Option<InFlight> {
        self.raises_on_fresh_evidence(call);
        // A process that stood still directly before the call may meet another's: no check of ours could come later, and
        // the marketplace knows the repeat. What was bought is counted all the same.
        if fault == Fault::Stall {
            return None;
        }
        let alone = call.alone.clone()?;
        let calls = {
            let mut state = self.lock();
            let calls = state.in_flight.entry(alone.clone()).or_default();
            *calls += 1;
            *calls
        };
        if calls > 1 {
            self.report("I2", format!("two functions at once: {alone}"));
        }
        let monitor = self.clone();
        Some(InFlight { monitor, alone })
    }

    /// The channel whose account is at this port.
    fn channel_at(&self, port: Option<u16>) -> Option<(AccountId, Vec<(String, u32)>)> {
        let (channel, _) = self.channel_of(port)?;
        Some((channel.clone(), Vec::new()))
    }

    /// The channel at this port, with its marketplace.
    pub(super) fn channel_of(&self, port: Option<u16>) -> Option<&(AccountId, Ebay)> {
        let is_second = port == Some(SECOND_EBAY_PORT);
        self.channels.get(usize::from(is_second))
    }

    /// The listings that a call tells of: view, what the table has of it, and the quantity.
    fn told_listings(&self, call: &Call) -> Vec<(ListingView, Option<Listing>, u32)> {
        let Some((channel, told)) = &call.told else {
            return Vec::new();
        };
        let ebay = self.channels.iter().find(|(id, _)| id == channel);
        let views = ebay.map(|(_, ebay)| ebay.listings()).unwrap_or_default();
        let state = self.lock();
        let listing = |view: &ListingView| {
            let mut listings = state.mirror.listings.values();
            let is_it = |one: &&Listing| {
                let id = &one.id;
                id.channel == *channel && id.offer == view.offer_id && id.sku.as_str() == view.sku
            };
            listings.find(is_it).cloned()
        };
        let told = told.iter().filter_map(|(offer, quantity)| {
            let view = views.iter().find(|view| view.offer_id == *offer)?;
            Some((view.clone(), listing(view), *quantity))
        });
        told.collect()
    }

    /// I5: a channel is told of no more than the table has said to be free since the function began that tells it, less the
    /// listing's buffer. Worthless evidence counts as none.
    fn shows_what_is_known(&self, call: &Call) {
        let rule = self.evidence_rule();
        let run = self.gate.current();
        for (view, listing, quantity) in self.told_listings(call) {
            let Ok(sku) = Sku::parse(&view.sku) else {
                continue;
            };
            let parts = self.parts_of(&sku);
            let most = {
                let state = self.lock();
                let began = state.began.get(&run).copied();
                let most_of = |part: &Part| {
                    let most = state.books.most_free(&part.sku, began?, &rule)?;
                    Some(most / i64::from(part.units))
                };
                let most: Option<Vec<i64>> = parts.iter().map(most_of).collect();
                most.and_then(|most| most.into_iter().min()).unwrap_or(0)
            };
            let (buffer, cap) = listing.map_or((0, u32::MAX), |one| (one.buffer, one.cap));
            let most = (most - i64::from(buffer)).clamp(0, i64::from(cap));
            if i64::from(quantity) > most {
                let what = format!("{sku} is to show {quantity}, and {most} were free");
                self.report("I5", what);
            }
        }
    }

    /// Units of a listing's sku that were sold and not reserved while this function worked.
    fn sold_unheard(&self, view: &ListingView) -> i64 {
        let parts = Sku::parse(&view.sku).map(|sku| self.parts_of(&sku));
        let state = self.lock();
        let Some(began) = state.began.get(&self.gate.current()).copied() else {
            return 0;
        };
        let of_part = |part: &Part| {
            let units = i64::from(part.units);
            let unreserved = state.books.most_unreserved(&part.sku, began);
            (unreserved + units - 1) / units
        };
        let units = parts.unwrap_or_default();
        units.iter().map(of_part).max().unwrap_or(0)
    }

    fn raises_on_fresh_evidence(&self, call: &Call) {
        let fresh = self.evidence_rule().fresh() + PUSH_SLACK;
        let now = self.clock.now();
        for (view, listing, quantity) in self.told_listings(call) {
            // A quantity is told as a whole. Over a sale that nobody has heard of yet, or that the channel has taken off what
            // it shows by itself, one that was meant to fall can rise.
            let before = listing.and_then(|listing| {
                let state = self.lock();
                state.shown_before.get(&keys::listing(&listing.id)).copied()
            });
            if i64::from(quantity) <= i64::from(view.quantity) + self.sold_unheard(&view)
                || quantity <= before.unwrap_or(0)
            {
                continue;
            }
            let sku = &view.sku;
            let offers = self.offers_now();
            let is_fresh = |part: &Part| {
                let of_part = offers.iter().filter(|stored| stored.offer.sku == part.sku);
                let mut evidence = of_part.filter_map(|stored| stored.offer.evidence.as_ref());
                evidence.any(|evidence| now.duration_since(evidence.at) <= fresh)
            };
            let parts = Sku::parse(sku).map(|sku| self.parts_of(&sku));
            if !parts.unwrap_or_default().iter().all(is_fresh) {
                self.report("I5", format!("old evidence raises {sku} to {quantity}"));
            }
        }
    }
}

/// The offers and quantities of a bulk update.
fn quantities(body: &str) -> Vec<(String, u32)> {
    let update: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let requests = update["requests"].as_array().cloned().unwrap_or_default();
    let offers = |request: &serde_json::Value| request["offers"].as_array().cloned();
    let offers = requests.iter().filter_map(offers).flatten();
    let quantity = |offer: serde_json::Value| {
        let id = offer["offerId"].as_str()?.to_owned();
        let units = offer["availableQuantity"].as_u64()?;
        Some((id, u32::try_from(units).ok()?))
    };
    offers.filter_map(quantity).collect()
}
