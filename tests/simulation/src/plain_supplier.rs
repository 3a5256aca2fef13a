//! A supplier that recognises no repeat, whose orders can only be searched, and whose search lags: what 1688 and
//! Alibaba.com document. It has no wire; it stands for the protocol's other way of settling a doubt.

use crate::fault::Fault;
use crate::gate::{Gate, Touch};
use crate::monitor::Monitor;
use crate::ports::NO_ANSWER_AFTER;
use crate::stage::account;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use kervan::clock::{Clock, ManualClock};
use kervan::domain::{
    AccountId, CountryCode, Evidence, Money, OfferId, Reference, SupplierOrderId, TrackingNumber,
};
use kervan::marketplaces::alibaba::{cn1688, icbu};
use kervan::marketplaces::{
    Account, Buy, CallError, Effect, Kind, PlaceRequest, Placed, Quote, QuoteRequest, QuotedLine,
    ReadStock, Retry, Settle, SupplierOrder, SupplierParcel, SupplierState,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A search finds an order as late as the adapters of 1688 and Alibaba.com allow for.
const LISTED_WITHIN: Duration = longer(icbu::limits::LISTED_WITHIN, cn1688::limits::LISTED_WITHIN);
const SHIPS_AFTER: SignedDuration = SignedDuration::from_secs(60);
const DELIVERS_AFTER: SignedDuration = SignedDuration::from_mins(10);

const fn longer(one: Duration, other: Duration) -> Duration {
    if one.as_nanos() < other.as_nanos() {
        other
    } else {
        one
    }
}

/// The one product that it has.
pub(crate) const SHELF_PRODUCT: &str = "lamp";

/// The supplier's account.
pub(crate) fn plain_supplier() -> AccountId {
    account("aliexpress:plain")
}

#[derive(Clone)]
struct Bought {
    reference: String,
    units: u32,
    at: Timestamp,
}

#[derive(Clone)]
struct Goods {
    stock: u32,
    cost: Money,
    bought: Vec<Bought>,
    /// Its stock cannot be read, and it takes no order.
    is_ill: bool,
    /// Its stock cannot be read.
    is_hidden: bool,
}

/// What the supplier has and what was bought of it. Copies are the same shelf.
#[derive(Clone)]
pub(crate) struct Shelf(Arc<Mutex<Goods>>);

impl Shelf {
    pub(crate) fn new(stock: u32, cost: Money) -> Self {
        Self(Arc::new(Mutex::new(Goods {
            stock,
            cost,
            bought: Vec::new(),
            is_ill: false,
            is_hidden: false,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Goods> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A shelf that holds the same and goes its own way from here.
    pub(crate) fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(self.lock().clone())))
    }

    /// How often each reference was bought.
    pub(crate) fn purchases(&self) -> BTreeMap<String, u32> {
        let mut times = BTreeMap::new();
        for bought in &self.lock().bought {
            *times.entry(bought.reference.clone()).or_default() += 1;
        }
        times
    }

    /// Units bought, by reference.
    pub(crate) fn units(&self) -> Vec<(String, u32)> {
        let goods = self.lock();
        let bought = goods.bought.iter();
        bought
            .map(|one| (one.reference.clone(), one.units))
            .collect()
    }

    /// Its stock cannot be read from now on, and it takes no order; terms it still names.
    pub(crate) fn fall_ill(&self) {
        self.lock().is_ill = true;
    }

    /// Its stock can be read no longer, or again; it takes orders all the same.
    pub(crate) fn hide(&self, is_hidden: bool) {
        self.lock().is_hidden = is_hidden;
    }

    /// Units that it has now.
    pub(crate) fn stock(&self) -> u32 {
        self.lock().stock
    }

    /// Takes the units and answers the number, as often as it is asked.
    fn place(&self, reference: &str, units: u32, at: Timestamp) -> Option<String> {
        let goods = &mut *self.lock();
        if goods.is_ill {
            return None;
        }
        goods.stock = goods.stock.checked_sub(units)?;
        goods.bought.push(Bought {
            reference: reference.to_owned(),
            units,
            at,
        });
        Some(format!("PLAIN{}", goods.bought.len()))
    }

    fn find(&self, reference: &str, now: Timestamp) -> Vec<String> {
        let goods = self.lock();
        let bought = goods.bought.iter().enumerate();
        let shown = bought
            .filter(|(_, one)| one.reference == reference && one.at + LISTED_WITHIN <= now)
            .map(|(place, _)| format!("PLAIN{}", place + 1));
        shown.collect()
    }
}

/// One function's connection to the supplier.
pub(crate) struct PlainSupplier {
    pub(crate) id: AccountId,
    pub(crate) shelf: Shelf,
    pub(crate) gate: Gate,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) monitor: Monitor,
}

impl std::fmt::Debug for PlainSupplier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PlainSupplier")
    }
}

impl PlainSupplier {
    /// Waits at the gate; an error where the call gets no answer.
    async fn ask(&self, operation: &'static str) -> Result<Fault, CallError> {
        let what = || format!("call plain supplier {operation}");
        let fault = self.gate.pass(Touch::Effect, what).await;
        match fault {
            Fault::None | Fault::Stall | Fault::Overtaken | Fault::Twice => Ok(fault),
            Fault::CrashBefore | Fault::CrashAfter => {
                self.gate.die().await;
                Ok(fault)
            }
            fault => Err(self.unanswered(operation, fault).await),
        }
    }

    async fn unanswered(&self, operation: &'static str, fault: Fault) -> CallError {
        let soon = Retry::After(Duration::from_secs(5));
        let error = |kind, effect| {
            CallError::new(&self.id, operation, kind, soon, "plain").with_effect(effect)
        };
        match fault {
            Fault::Refused => error(Kind::Unreachable, Effect::None),
            Fault::Error => error(Kind::Unavailable, Effect::Unknown),
            _ => {
                self.gate.pause(NO_ANSWER_AFTER).await;
                error(Kind::NoAnswer, Effect::Unknown)
            }
        }
    }
}

impl Account for PlainSupplier {
    fn id(&self) -> &AccountId {
        &self.id
    }

    fn read_stock(&self) -> Option<&dyn ReadStock> {
        Some(self)
    }

    fn buy(&self) -> Option<&dyn Buy> {
        Some(self)
    }
}

#[async_trait]
impl ReadStock for PlainSupplier {
    async fn stock(
        &self,
        offers: &[OfferId],
        _ship_to: &CountryCode,
    ) -> Result<Vec<Result<Option<Evidence>, CallError>>, CallError> {
        self.ask("stock").await?;
        let is_unreadable = |goods: &Goods| goods.is_ill || goods.is_hidden;
        if is_unreadable(&self.shelf.lock()) {
            return Err(self.unanswered("stock", Fault::Error).await);
        }
        let goods = self.shelf.lock();
        let evidence = Evidence {
            stock: goods.stock,
            cost: goods.cost,
            at: self.clock.now(),
        };
        Ok(offers.iter().map(|_| Ok(Some(evidence.clone()))).collect())
    }
}

#[async_trait]
impl Buy for PlainSupplier {
    async fn quote(&self, request: &QuoteRequest<'_>) -> Result<Quote, CallError> {
        self.ask("quote").await?;
        let goods = self.shelf.lock();
        let line = QuotedLine {
            unit_cost: goods.cost,
            shipping: Money::zero(goods.cost.currency),
            shipping_option: "PLAIN".to_owned(),
            variant_attributes: String::new(),
            stock: goods.stock,
        };
        let lines = request.wanted.iter().map(|_| line.clone()).collect();
        Ok(Quote { lines })
    }

    async fn place(&self, request: &PlaceRequest<'_>) -> Result<Placed, CallError> {
        let reference = request.reference.as_str().to_owned();
        let units: u32 = request.lines.iter().map(|line| line.quantity).sum();
        request.in_time(&self.id, self.clock.now())?;
        let mut call = self.monitor.call("place");
        self.monitor
            .placing(&mut call, reference.clone(), u64::from(units));
        let what = || "call plain supplier place".to_owned();
        let fault = self.gate.pass(Touch::Effect, what).await;
        let _in_flight = self.monitor.called(&call, fault);
        let (shelf, clock) = (self.shelf.clone(), self.clock.clone());
        let place = move || shelf.place(&reference, units, clock.now());
        let placed = match fault {
            Fault::None | Fault::Overtaken => place(),
            // Nothing recognises a repeat here, so what goes out twice buys twice: no network does that to a request
            // that was answered. And only the function's time-out keeps one that stood still from buying.
            Fault::Twice => place(),
            Fault::CrashBefore | Fault::Stall => {
                self.gate.die().await;
                None
            }
            Fault::CrashAfter => {
                place();
                self.gate.die().await;
                None
            }
            Fault::TimeoutDone => {
                place();
                return Err(self.unanswered("place", fault).await);
            }
            Fault::Late => {
                let at = self.clock.now() + self.gate.late_by();
                let late = async move {
                    place();
                };
                self.gate.detach(at, Box::pin(late));
                return Err(self.unanswered("place", fault).await);
            }
            Fault::TimeoutNotDone | Fault::Error | Fault::Refused => {
                return Err(self.unanswered("place", fault).await);
            }
        };
        let refused = || {
            let (kind, retry) = (Kind::OutOfStock, Retry::Permanent);
            CallError::new(&self.id, "place", kind, retry, "no-units")
        };
        let number = placed.ok_or_else(refused)?;
        Ok(Placed {
            supplier_orders: SupplierOrderId::parse(&number).into_iter().collect(),
        })
    }

    fn settle(&self) -> Settle {
        Settle::LookUp {
            listed_within: LISTED_WITHIN,
        }
    }

    async fn look_up(
        &self,
        reference: &Reference,
        _since: Timestamp,
    ) -> Result<Option<Placed>, CallError> {
        self.ask("look_up").await?;
        let found = self.shelf.find(reference.as_str(), self.clock.now());
        let ids: Vec<_> = found
            .iter()
            .filter_map(|id| SupplierOrderId::parse(id).ok())
            .collect();
        Ok((!ids.is_empty()).then_some(Placed {
            supplier_orders: ids,
        }))
    }

    async fn supplier_order(&self, id: &SupplierOrderId) -> Result<SupplierOrder, CallError> {
        self.ask("order").await?;
        let number = id.as_str().trim_start_matches("PLAIN").parse::<usize>();
        let goods = self.shelf.lock();
        let order = number.ok().and_then(|number| goods.bought.get(number - 1));
        let missing = || {
            let retry = Retry::Permanent;
            CallError::new(&self.id, "order", Kind::NotFound, retry, "no-such-order")
        };
        let order = order.ok_or_else(missing)?;
        let age = self.clock.now().duration_since(order.at);
        let state = if age < SHIPS_AFTER {
            SupplierState::Processing
        } else if age < DELIVERS_AFTER {
            SupplierState::Shipped
        } else {
            SupplierState::Delivered
        };
        let parcel = SupplierParcel {
            tracking_number: TrackingNumber::parse(&format!("{id}000000"))
                .map_err(|_| missing())?,
            carrier: "Plain Post".to_owned(),
            contents: Vec::new(),
            delivered: state == SupplierState::Delivered,
        };
        let parcels = if state == SupplierState::Processing {
            Vec::new()
        } else {
            vec![parcel]
        };
        Ok(SupplierOrder {
            state,
            parcels,
            contents: Vec::new(),
        })
    }
}
