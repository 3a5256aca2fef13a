//! Calls to marketplaces, watched before they are sent and as long as they are on their way.

use super::{Monitor, PUSH_SLACK};
use crate::fault::Fault;
use bytes::Bytes;
use kervan::clock::Clock;
use kervan::domain::EvidenceRule;
use kervan::domain::Offer;
use kervan::flows::ledger;

/// A call to a marketplace, as far as the monitor cares.
pub(crate) struct Call {
    /// The operation, for the trace.
    pub(crate) name: String,
    /// What only one function at a time may do: place this reference, renew this account's token.
    alone: Option<String>,
    raises: Vec<(String, u32)>,
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
                let reference = order.map(|order| order["out_order_id"].to_string());
                let reference = reference.unwrap_or_default().replace('"', "");
                self.placing(&mut call, reference);
            }
        } else if path.ends_with("/auth/token/refresh") {
            call.alone = Some(format!(
                "renewing a token of port {:?}",
                request.uri().port_u16()
            ));
        } else if path.ends_with("/bulk_update_price_quantity") {
            call.raises = quantities(&body);
        }
        call
    }

    /// A call of this name, about which nothing is known yet.
    pub(crate) fn call(&self, name: &str) -> Call {
        Call {
            name: name.to_owned(),
            alone: None,
            raises: Vec::new(),
        }
    }

    /// I2: who places has the lease, and nobody else is at it.
    pub(crate) fn placing(&self, call: &mut Call, reference: String) {
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

    fn raises_on_fresh_evidence(&self, call: &Call) {
        for (sku, quantity) in &call.raises {
            let views = self.ebay.listings();
            let shown = views.iter().find(|view| view.sku == *sku);
            if shown.is_none_or(|view| *quantity <= view.quantity) {
                continue;
            }
            let fresh = EvidenceRule::default().fresh() + PUSH_SLACK;
            let now = self.clock.now();
            let is_fresh = self.store.items().into_iter().any(|item| {
                let of_sku = item.key.pk == format!("SKU#{sku}");
                let offer = ledger::read::<Offer>(&item.body).ok();
                let evidence = offer.filter(|_| of_sku).and_then(|offer| offer.evidence);
                evidence.is_some_and(|evidence| now.duration_since(evidence.at) <= fresh)
            });
            if !is_fresh {
                self.report("I5", format!("old evidence raises {sku} to {quantity}"));
            }
        }
    }
}

/// The skus and quantities of a bulk update.
fn quantities(body: &str) -> Vec<(String, u32)> {
    let update: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let requests = update["requests"].as_array().cloned().unwrap_or_default();
    let quantity = |request: &serde_json::Value| {
        let sku = request["sku"].as_str()?.to_owned();
        let offers = request["offers"].as_array()?;
        let units = offers.first()?["availableQuantity"].as_u64()?;
        Some((sku, u32::try_from(units).ok()?))
    };
    requests.iter().filter_map(quantity).collect()
}
