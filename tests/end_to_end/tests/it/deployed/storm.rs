//! 200 orders at once while everything fails that can: processes are killed in the middle of their work, marketplaces do
//! what they are asked and never answer, and every message comes twice.

use super::kills::{KILLED, Kills, SPARED, not_cut_short};
use bytes::Bytes;
use jiff::Timestamp;
use kervan::domain::{OrderKey, Signal, SignalKind, SupplierOrderId};
use kervan::http::{Http, HttpClient};
use kervan::queue::{Outgoing, Queue};
use kervan_infra::shop::Shop;
use kervan_marketplaces::Fault;
use kervan_marketplaces::aliexpress::AliExpressOperation;
use kervan_marketplaces::ebay::{EbayOperation, NewOrder};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Customers that buy.
pub(super) const ORDERS: u32 = 200;
/// Between two customers: all of them have bought before the first order is shipped.
const BUYS_EVERY: Duration = Duration::from_millis(140);
/// A push that failed comes again after this time: soon, and not so soon that the pushes alone keep the machine busy.
const PUSHED_AGAIN_AFTER_MS: u64 = 10_000;
/// Processes are killed for so long after the first order. What a killed process had of its queue comes again only after
/// the visibility time, so the last kill decides how long the test takes.
const KILLING: Duration = Duration::from_secs(60);
/// Where a busy machine has not cut every function short by then, those that are missing are killed for at most so long.
const MOST_KILLING: Duration = Duration::from_secs(240);
/// The schedules fire every five minutes; here they fire more often, so that what is due is not waited for.
const TICKS_EVERY: Duration = Duration::from_secs(10);
/// Calls that have their effect and are not answered, of each of the two kinds, beside those whose caller is killed.
const LOST_ANSWERS: u32 = 5;
/// A call that is to hang is waited for so long; the storm may have passed.
const TRAP_PATIENCE: Duration = Duration::from_secs(3);

/// An order and what the customer put into the basket.
pub(super) struct Bought {
    pub(super) key: OrderKey,
    pub(super) lines: Vec<(String, u32)>,
}

/// What the storm did.
#[derive(Default)]
pub(super) struct Damage {
    pub(super) kills: RefCell<Kills>,
    /// Kills of a process that was seen to wait for an answer.
    pub(super) trapped: Cell<u32>,
    /// Calls that had their effect and were never answered.
    pub(super) lost_answers: Cell<u32>,
    /// Messages that were put into a queue a second time.
    pub(super) copies: Cell<u32>,
    pub(super) ticks: Cell<u32>,
}

/// Lets customers buy while everything fails; returns their orders when no more processes are killed.
pub(super) async fn storm(shop: &Shop, seed: u64, first: NewOrder, damage: &Damage) -> Vec<Bought> {
    settle_in(shop);
    let bought = RefCell::new(Vec::new());
    let started = Instant::now();
    tokio::join!(
        customers(shop, seed, first, &bought),
        lost_answers(shop, damage),
        copies(shop, started, &bought, damage),
        killer(shop, seed, started, damage),
    );
    bought.into_inner()
}

/// Pushes come twice, and the supplier knows a repeated purchase again by the numbers that it gave at first.
fn settle_in(shop: &Shop) {
    let (ebay, aliexpress) = (&shop.simulators.ebay, &shop.simulators.aliexpress);
    let mut settings = ebay.settings();
    settings.push_copies = 2;
    ebay.set_settings(settings);
    let mut settings = aliexpress.settings();
    settings.repeat_answers_first_ids = true;
    // After many failures AliExpress pushes no more, and the storm would pass over most of the tracking.
    settings.push_stop_window = 0;
    settings.push_retry_gap_ms = PUSHED_AGAIN_AFTER_MS;
    aliexpress.set_settings(settings);
}

async fn customers(shop: &Shop, seed: u64, first: NewOrder, bought: &RefCell<Vec<Bought>>) {
    let baskets = (1..ORDERS).map(|index| shop.ebay_basket(seed, index));
    for basket in std::iter::once(first).chain(baskets) {
        let lines = basket.lines.iter();
        let lines = lines
            .map(|line| (line.sku.clone(), line.quantity))
            .collect();
        let key = shop.buy(basket).unwrap();
        bought.borrow_mut().push(Bought { key, lines });
        sleep(BUYS_EVERY).await;
    }
}

/// Purchases and confirmations that happen and are not answered, while nobody is killed for it.
async fn lost_answers(shop: &Shop, damage: &Damage) {
    let (ebay, aliexpress) = (&shop.simulators.ebay, &shop.simulators.aliexpress);
    let after = Fault::TimeoutAfter;
    for _ in 0..LOST_ANSWERS {
        sleep(Duration::from_secs(2)).await;
        aliexpress.fail_next(AliExpressOperation::OrderCreate, after, 1);
        ebay.fail_next(EbayOperation::CreateShippingFulfillment, after, 1);
        damage.lost_answers.set(damage.lost_answers.get() + 2);
    }
}

/// Every signal a second time: of each customer's order, and of each supplier's order when it is first seen.
async fn copies(shop: &Shop, started: Instant, bought: &RefCell<Vec<Bought>>, damage: &Damage) {
    let orders = shop.queue(&shop.deployment.queues.orders);
    let tracking = shop.queue(&shop.deployment.queues.tracking);
    let mut copied = BTreeSet::new();
    while started.elapsed() < KILLING {
        let is_new = |order: &&Bought| !copied.contains(order.key.id.as_str());
        let keys = bought
            .borrow()
            .iter()
            .filter(is_new)
            .map(|order| order.key.clone())
            .collect::<Vec<_>>();
        let signals = keys.into_iter().map(|key| {
            copied.insert(key.id.as_str().to_owned());
            Signal {
                account: key.channel,
                kind: SignalKind::OrderChanged(key.id),
                seen_at: Timestamp::now(),
            }
        });
        send(&orders, signals.collect(), damage).await;
        let supplied = shop.simulators.aliexpress.orders().into_iter();
        let supplied = supplied.map(|order| order.order_id.to_string());
        let signals = supplied
            .filter(|id| copied.insert(id.clone()))
            .map(|id| Signal {
                account: "aliexpress:main".parse().unwrap(),
                kind: SignalKind::SupplierOrderChanged(SupplierOrderId::parse(&id).unwrap()),
                seen_at: Timestamp::now(),
            });
        let signals = signals.collect();
        send(&tracking, signals, damage).await;
        sleep(Duration::from_secs(1)).await;
    }
}

async fn send(queue: &dyn Queue, signals: Vec<Signal>, damage: &Damage) {
    let body = |signal: &Signal| Outgoing::now(serde_json::to_string(signal).unwrap());
    let messages = signals.iter().map(body).collect::<Vec<_>>();
    let count = u32::try_from(messages.len()).unwrap();
    // In a storm the stack does not answer everybody in time; what was not put in twice then comes once.
    if queue.send(messages).await.is_ok() {
        damage.copies.set(damage.copies.get() + count);
    }
}

/// Kills at random moments: first a process of each function that is picked at random, then twice all of a function of
/// which one is known to wait for an answer, and again.
async fn killer(shop: &Shop, seed: u64, started: Instant, damage: &Damage) {
    let mut random = Random(seed);
    let mut turn = 0;
    let mut targets = KILLED.to_vec();
    while started.elapsed() < MOST_KILLING {
        let pause = Duration::from_millis(100 + random.below(900));
        sleep(pause).await;
        if started.elapsed() >= KILLING {
            targets = not_cut_short(shop);
            if targets.is_empty() {
                return;
            }
        }
        let function = targets[turn % targets.len()];
        if (turn / KILLED.len()).is_multiple_of(3) {
            let number = random.below(u64::from(u32::MAX)) as usize;
            damage.kills.borrow_mut().one_of(shop, function, number);
        } else {
            trap(shop, function, &mut random, damage).await;
        }
        turn += 1;
    }
}

/// Has a call of the function hang, before or after its effect, and kills the function meanwhile.
async fn trap(shop: &Shop, function: &'static str, random: &mut Random, damage: &Damage) {
    let (ebay, aliexpress) = (&shop.simulators.ebay, &shop.simulators.aliexpress);
    let has_effect = random.below(2) == 0;
    let fault = if has_effect {
        Fault::TimeoutAfter
    } else {
        Fault::TimeoutBefore
    };
    let calls = || match function {
        "webhook-intake" => calls_of(&ebay.counters().calls, EbayOperation::GetPublicKey.name()),
        "order-sweeper" => calls_of(&ebay.counters().calls, EbayOperation::GetOrders.name()),
        "tracking-updater" => calls_of(
            &ebay.counters().calls,
            EbayOperation::CreateShippingFulfillment.name(),
        ),
        _ => calls_of(
            &aliexpress.counters().calls,
            AliExpressOperation::OrderCreate.name(),
        ),
    };
    let before = calls();
    match function {
        "webhook-intake" => {
            // A new process asks for the key of the push's signature.
            damage.kills.borrow_mut().all_of(shop, function);
            ebay.fail_next(EbayOperation::GetPublicKey, Fault::TimeoutBefore, 1);
        }
        "order-sweeper" => {
            ebay.fail_next(EbayOperation::GetOrders, Fault::TimeoutBefore, 1);
            tick(shop, function).await;
        }
        "tracking-updater" => ebay.fail_next(EbayOperation::CreateShippingFulfillment, fault, 1),
        _ => aliexpress.fail_next(AliExpressOperation::OrderCreate, fault, 1),
    }
    let armed = Instant::now();
    while calls() == before && armed.elapsed() < TRAP_PATIENCE {
        sleep(Duration::from_millis(20)).await;
    }
    if calls() == before {
        return;
    }
    // The door gives up after a second and a half.
    sleep(SPARED + Duration::from_millis(50 + random.below(250))).await;
    let killed = damage.kills.borrow_mut().all_of(shop, function);
    damage
        .trapped
        .set(damage.trapped.get() + u32::from(killed > 0));
    let with_effect = has_effect && ["order-forwarder", "tracking-updater"].contains(&function);
    damage
        .lost_answers
        .set(damage.lost_answers.get() + u32::from(with_effect));
}

fn calls_of(calls: &std::collections::BTreeMap<String, u64>, operation: &str) -> u64 {
    calls.get(operation).copied().unwrap_or_default()
}

/// Fires the schedules until it is dropped.
pub(super) async fn ticks(shop: &Shop, damage: &Damage) {
    loop {
        sleep(TICKS_EVERY).await;
        for function in ["order-sweeper", "tracking-updater"] {
            let fired = tick(shop, function).await;
            damage.ticks.set(damage.ticks.get() + u32::from(fired));
        }
    }
}

/// Invokes a function as its schedule does: asynchronously, without messages. Says whether that was taken.
async fn tick(shop: &Shop, function: &str) -> bool {
    let url = format!(
        "{}/2015-03-31/functions/{}/invocations",
        shop.stack().endpoint(),
        shop.deployment.function_name(function)
    );
    let request = http::Request::post(url)
        .header("x-amz-invocation-type", "Event")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0",
        )
        .body(Bytes::from_static(b"{}"))
        .unwrap();
    let client = HttpClient::new(Duration::from_secs(30)).unwrap();
    let answer = client.send(request).await;
    answer.is_ok_and(|answer| answer.status() == http::StatusCode::ACCEPTED)
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (value ^ (value >> 31)) % bound.max(1)
    }
}
