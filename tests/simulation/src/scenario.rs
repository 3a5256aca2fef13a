//! What happens outside: who buys what, and what the marketplaces do meanwhile.

use crate::plain_supplier::{SHELF_PRODUCT, Shelf, plain_supplier};
use crate::stage::{NewOffer, Stage, WorldOptions, channel, second_channel, usd};
use crate::world::World;
use anyhow::Context;
use futures_util::FutureExt;
use jiff::SignedDuration;
use kervan::clock::Clock;
use kervan::domain::{
    EvidenceRule, Listing, ListingId, OfferId, OrderKey, Rules, Sku, Unavailable,
};
use kervan::flows::{catalog, ledger};
use kervan::store::{Guard, Store, Write, keys};
use kervan_marketplaces::aliexpress::AliExpressOperation;
use kervan_marketplaces::ebay::{EbayOrderView, NewOrder};
use kervan_marketplaces::{
    ControlError, Fault as WireFault, Money, OrderAction, RefundEnd, RefundOf,
};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

mod stories;

pub use stories::{named, scenarios};

/// AliExpress's product behind the first offer of every scenario.
const LAMP: u64 = 500_001;

/// Where a customer buys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// `ebay:main`
    First,
    /// `ebay:second`
    Second,
}

/// Something that happens outside of Kervan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A customer buys units of a sku.
    Buy(&'static str, u32),
    /// A customer buys units of a sku where the listing shows so many, and leaves where it does not.
    Shop(Counter, &'static str, u32),
    /// A customer buys two skus in one order.
    BuyBoth,
    /// The first order is cancelled and paid back.
    Cancel,
    /// The first order's buyer asks to cancel.
    AskToCancel,
    /// The merchant ships a unit of the first order's first line by hand.
    ShipByHand,
    /// The merchant pays the second line of the first order back, on the channel's pages.
    RefundLine,
    /// The same, and the refund fails an hour later.
    RefundLineInVain,
    /// The first order's buyer closes the account, and eBay demands that the data goes.
    Erase,
    /// Somebody who cannot sign demands the same.
    ForgeErasure,
    /// Others buy all units of the lamp at the supplier.
    SellOut,
    /// The supplier has so many lamps from now on: others buy there too, and it gets new ones.
    Stock(u32),
    /// The supplier takes ten times the price.
    RaisePrice,
    /// The supplier takes no order of the lamp any more, and does not say why.
    RefuseOrders,
    /// All access tokens end before their time.
    EndTokens,
    /// The sweep runs now.
    Sweep,
    /// The supplier's answer to the next purchase is lost, and it takes no further one until it is said to.
    LoseAnswerThenFail,
    /// Nobody gets through to the supplier's orders any more.
    CutOff,
    /// The supplier takes purchases again.
    Recover,
    /// The searchable supplier's stock cannot be read any more, and it takes no order.
    FallIll,
    /// The searchable supplier's stock cannot be read any more; it takes orders all the same.
    Hide,
    /// It can be read again.
    Show,
    /// The supplier answers nothing at all.
    Fail,
    /// Some of eBay's reads do not show the newest state.
    Lag,
    /// eBay does not push any more, and its list of orders lags.
    LosePushes,
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Buy(..) | Self::BuyBoth => "a customer buys",
            Self::Shop(Counter::First, ..) => "a customer comes",
            Self::Shop(Counter::Second, ..) => "a customer comes to the second channel",
            Self::Cancel => "the order is cancelled",
            Self::AskToCancel => "the buyer asks to cancel",
            Self::ShipByHand => "a unit is shipped by hand",
            Self::RefundLine => "a line is paid back by hand",
            Self::RefundLineInVain => "a line is paid back by hand, which fails later",
            Self::Erase => "eBay demands that the buyer's data goes",
            Self::ForgeErasure => "somebody forges such a demand",
            Self::SellOut => "others buy what the supplier has",
            Self::Stock(_) => "the supplier's stock changes",
            Self::Hide => "the searchable supplier hides its stock",
            Self::Show => "the searchable supplier shows its stock",
            Self::Fail => "the supplier answers nothing",
            Self::RaisePrice => "the supplier's price jumps",
            Self::RefuseOrders => "the supplier refuses every order",
            Self::EndTokens => "all access tokens end",
            Self::Sweep => "the sweep runs",
            Self::LoseAnswerThenFail => "the supplier begins to lose answers",
            Self::CutOff => "nobody gets through to the supplier",
            Self::Recover => "the supplier is well again",
            Self::FallIll => "the searchable supplier falls ill",
            Self::Lag => "eBay's reads begin to lag",
            Self::LosePushes => "eBay stops pushing",
        })
    }
}

/// A story.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// For the command line.
    pub name: &'static str,
    /// In a sentence.
    pub about: &'static str,
    /// What is on sale: sku, and its offers.
    goods: Vec<(&'static str, Vec<NewOffer>)>,
    /// What is on sale as a bundle of them: sku, and its parts with their units.
    bundle: Option<(&'static str, &'static [(&'static str, u32)])>,
    /// Units that the searchable supplier has of the lamp; none: there is no such supplier.
    plain: Option<u32>,
    second_supplier: bool,
    second_channel: bool,
    /// Changes of the first listing that were made today before the story begins.
    revisions: u32,
    /// What old evidence is worth, in minutes: fresh, fades, worthless. None: the default.
    evidence: Option<[u32; 3]>,
    /// What becomes of an order of which not everything can be had.
    unavailable: Unavailable,
    parcels: u32,
    /// What happens when, in milliseconds.
    pub(crate) actions: Vec<(i64, Action)>,
    /// What happens besides, once, at any moment.
    pub(crate) disturbance: Option<Action>,
    /// How each order ends where nothing fails.
    pub calm_ends: &'static [&'static str],
}

impl Scenario {
    /// The merchant's rules.
    fn rules(&self) -> Rules {
        let mut rules = Rules::default();
        if let Some([fresh_minutes, fades_minutes, worthless_minutes]) = self.evidence {
            rules.evidence = EvidenceRule {
                fresh_minutes,
                fades_minutes,
                worthless_minutes,
            };
        }
        rules.orders.unavailable = self.unavailable;
        rules
    }

    /// The stage before the first customer: evidence is fresh, listings are published, pushes are registered.
    async fn prepare(&self) -> anyhow::Result<(Stage, Option<Shelf>)> {
        let mut options = WorldOptions {
            second_supplier: self.second_supplier,
            second_channel: self.second_channel,
            ..WorldOptions::default()
        };
        options.aliexpress.settings.parcels = self.parcels;
        options.aliexpress.settings.delivers_after_ms = Some(600_000);
        let world = World::new(options);
        for (sku, offers) in &self.goods {
            world.list(sku, 49_99, offers).await?;
        }
        if let Some((sku, parts)) = self.bundle {
            world.list_bundle(sku, 99_99, parts).await?;
        }
        let rules = self.rules();
        if rules != Rules::default() {
            kervan::flows::rules::set(&*world.store, &rules).await?;
        }
        world.register_pushes().await?;
        world.run_schedules().await?;
        world.settle().await?;
        let stage = world.into_stage();
        if self.revisions > 0 {
            use_up(&stage, self.revisions).await?;
        }
        let shelf = match self.plain {
            Some(stock) => Some(put_on_shelf(&stage, stock).await?),
            None => None,
        };
        Ok((stage, shelf))
    }
}

/// A stage with its shelf.
type Prepared = (Stage, Option<Shelf>);

/// The stage of a scenario before its first customer, prepared once in this process and copied for each schedule.
///
/// # Errors
/// Where it cannot be prepared.
pub(crate) fn prepared(scenario: &Scenario) -> anyhow::Result<Prepared> {
    static PREPARED: Mutex<BTreeMap<&'static str, Arc<Prepared>>> = Mutex::new(BTreeMap::new());
    let known = || PREPARED.lock().unwrap_or_else(PoisonError::into_inner);
    let found = known().get(scenario.name).cloned();
    let prepared = match found {
        Some(prepared) => prepared,
        None => {
            let prepared = Arc::new(prepare_under_guard(scenario)?);
            // Two threads that prepare the same scenario at once come to the same stage.
            known().insert(scenario.name, prepared.clone());
            prepared
        }
    };
    let (stage, shelf) = &*prepared;
    Ok((stage.fork(), shelf.as_ref().map(Shelf::fork)))
}

/// Prepares on a thread of its own: there every guard stands, whatever was taken away from the caller's.
fn prepare_under_guard(scenario: &Scenario) -> anyhow::Result<Prepared> {
    let prepare = || scenario.prepare().now_or_never();
    let prepared = std::thread::scope(|scope| scope.spawn(prepare).join());
    let prepared = prepared.map_err(|_| anyhow::anyhow!("preparing the scenario panicked"))?;
    prepared.context("the stage waits for something while it is prepared")?
}

/// The lamp's listing was changed so often today, as eBay and the table have counted.
async fn use_up(stage: &Stage, revisions: u32) -> anyhow::Result<()> {
    let sku = Sku::parse("LAMP-01")?;
    let now = stage.clock.now();
    stage.ebay.set_revisions(sku.as_str(), revisions)?;
    for stored in catalog::load(&*stage.store, &sku).await?.listings {
        let mut listing = stored.listing;
        listing.revisions =
            (0..revisions).fold(listing.revisions, |used, _| used.with_one_more(now));
        let write = Write::Update {
            key: keys::listing(&listing.id),
            set_body: Some(ledger::write(&listing)?),
            set_due: None,
            add: Vec::new(),
            only_if: vec![Guard::Version(stored.version)],
        };
        stage.store.write(vec![write]).await?;
    }
    Ok(())
}

/// A customer buys where the listing shows enough; nothing where it does not.
pub(crate) fn buy_shown(
    stage: &Stage,
    counter: Counter,
    sku: &str,
    units: u32,
) -> anyhow::Result<Option<OrderKey>> {
    let (channel, ebay) = match (counter, &stage.second_ebay) {
        (Counter::Second, Some(second)) => (second_channel(), second),
        (Counter::Second, None) => anyhow::bail!("there is no second channel"),
        (Counter::First, _) => (channel(), &stage.ebay),
    };
    let mut order = NewOrder::one(sku, units);
    order.buyer = Some(crate::stage::known_buyer());
    match ebay.place_order(order) {
        Ok(id) => Ok(Some(OrderKey {
            channel,
            id: id.try_into()?,
        })),
        Err(ControlError::OutOfStock { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The lamp at the supplier without a wire. The catalogue knows nothing of its stock before somebody has asked.
async fn put_on_shelf(stage: &Stage, stock: u32) -> anyhow::Result<Shelf> {
    let sku = Sku::parse("LAMP-01")?;
    let views = stage.ebay.listings();
    let offer = views.first().map(|view| view.offer_id.clone());
    let listing = Listing::new(
        ListingId {
            channel: channel(),
            sku,
            offer: offer.unwrap_or_default(),
        },
        usd(49_99)?,
    );
    let id = OfferId::new(plain_supplier(), SHELF_PRODUCT, "one")?;
    stage.offer(&listing, id, 1).await?;
    Ok(Shelf::new(stock, usd(7_00)?))
}

/// Does what an action says, as far as it concerns the marketplaces.
pub(crate) fn act(stage: &Stage, shelf: Option<&Shelf>, action: Action) -> anyhow::Result<()> {
    let first = || stage.ebay.orders().into_iter().next();
    match action {
        Action::Buy(sku, units) => {
            let mut order = NewOrder::one(sku, units);
            order.oversell = true;
            order.buyer = Some(crate::stage::known_buyer());
            stage.buy_as(order)?;
        }
        Action::BuyBoth => {
            let mut order = NewOrder::of([("LAMP-01", 1), ("MUG-02", 1)]);
            order.oversell = true;
            order.buyer = Some(crate::stage::known_buyer());
            stage.buy_as(order)?;
        }
        Action::Cancel => {
            if let Some(order) = first() {
                stage.ebay.cancel_order(&order.order_id)?;
            }
        }
        Action::AskToCancel => {
            if let Some(order) = first() {
                stage.ebay.request_cancel(&order.order_id, "BUYER_ASKED")?;
            }
        }
        Action::ShipByHand => {
            let action = OrderAction::ShipByHand { line: 0, units: 1 };
            happens(stage, first(), &action);
        }
        Action::RefundLine | Action::RefundLineInVain => {
            let ends = match action {
                Action::RefundLine => RefundEnd::Paid,
                _ => RefundEnd::FailsLater,
            };
            let of = RefundOf::Line { line: 1 };
            happens(stage, first(), &OrderAction::Refund { of, ends });
        }
        Action::Erase => {
            stage
                .ebay
                .delete_account(&crate::stage::known_buyer().username);
        }
        Action::SellOut => stage.aliexpress.set_stock(LAMP, LAMP * 10 + 1, 0)?,
        Action::Stock(units) => stage.aliexpress.set_stock(LAMP, LAMP * 10 + 1, units)?,
        Action::Hide => shelf.into_iter().for_each(|shelf| shelf.hide(true)),
        Action::Show => shelf.into_iter().for_each(|shelf| shelf.hide(false)),
        Action::Fail => {
            let any = AliExpressOperation::Any;
            let fault = WireFault::ServerError;
            stage.aliexpress.fail_next(any, fault, 1_000_000);
        }
        Action::RaisePrice => {
            let price = Money::usd(70_00);
            stage.aliexpress.set_price(LAMP, LAMP * 10 + 1, &price)?;
        }
        Action::RefuseOrders => stage.aliexpress.set_takes_orders(LAMP, false)?,
        Action::EndTokens => stage.aliexpress.expire_access_tokens(),
        Action::LoseAnswerThenFail => {
            let create = AliExpressOperation::OrderCreate;
            stage
                .aliexpress
                .fail_next(create, WireFault::TimeoutAfter, 1);
            stage
                .aliexpress
                .fail_next(create, WireFault::ServerError, 1_000);
        }
        Action::CutOff => {
            let create = AliExpressOperation::OrderCreate;
            stage
                .aliexpress
                .fail_next(create, WireFault::Refused, 1_000);
        }
        Action::FallIll => shelf.into_iter().for_each(Shelf::fall_ill),
        Action::Lag => {
            let mut settings = stage.ebay.settings();
            settings.order_lag_ms = 900_000;
            stage.ebay.set_settings(settings);
        }
        Action::LosePushes => {
            let mut settings = stage.ebay.settings();
            settings.push_delay_ms = 30 * 24 * 3_600_000;
            settings.orders_list_visible_after_ms = 90_000;
            stage.ebay.set_settings(settings);
        }
        Action::Recover => stage.aliexpress.clear_faults(),
        Action::Sweep | Action::ForgeErasure | Action::Shop(..) => {}
    }
    Ok(())
}

/// Something happens to an order, where there is one and it can: nothing is shipped by hand that was shipped already.
fn happens(stage: &Stage, order: Option<EbayOrderView>, action: &OrderAction) {
    if let Some(order) = order {
        let _ = stage.ebay.act(&order.order_id, action);
    }
}

/// When an action happens.
pub(crate) fn after(ms: i64) -> SignedDuration {
    SignedDuration::from_millis(ms)
}
