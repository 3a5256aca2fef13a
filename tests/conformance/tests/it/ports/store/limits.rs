//! Limits that many processes share, each with a limiter of its own over one table.

use super::Given;
use crate::ports::cases::{self, Case};
use jiff::{SignedDuration, Timestamp};
use kervan::clock::{Clock, ManualClock};
use kervan::domain::AccountId;
use kervan::limiter::{Limit, Limiter, NotAllowed, Traffic};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

/// Processes that call at once.
const WORKERS: usize = 16;

pub(super) fn cases(given: Given) -> Vec<Case> {
    cases::cases![given;
        sixteen_workers_stay_inside_the_limit_in_every_span_of_time,
        orders_find_calls_left_however_much_stock_traffic_there_is,
        two_hundred_callers_come_through_at_the_speed_of_the_limit,
        what_one_worker_hears_of_a_limit_counts_for_all,
    ]
}

/// A clock that only the test moves. Who sleeps waits in real time, so that workers really collide.
#[derive(Debug)]
struct Standing(ManualClock);

#[async_trait::async_trait]
impl Clock for Standing {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

struct Processes {
    clock: Arc<Standing>,
    limiters: Vec<Arc<Limiter>>,
}

impl Processes {
    fn new(given: &Given) -> Self {
        let clock = Arc::new(Standing(ManualClock::at(given.clock.now())));
        let limiter = |_| Arc::new(Limiter::new(given.store.clone(), clock.clone()));
        Self {
            limiters: (0..WORKERS).map(limiter).collect(),
            clock,
        }
    }

    fn pass(&self, ms: i64) {
        self.clock.0.advance(SignedDuration::from_millis(ms));
    }

    /// All take as much as they get, at the same moment.
    async fn take_all(&self, operation: &'static str, limit: Limit, traffic: Traffic) -> u32 {
        let workers = self.limiters.iter().cloned().map(|limiter| {
            tokio::spawn(async move {
                let mut taken = 0;
                while take(&limiter, operation, limit, traffic).await.is_ok() {
                    taken += 1;
                }
                taken
            })
        });
        let mut sum = 0;
        for worker in workers.collect::<Vec<_>>() {
            sum += worker.await.unwrap();
        }
        sum
    }
}

/// Takes one call, or says how long to wait.
async fn take(
    limiter: &Limiter,
    operation: &'static str,
    limit: Limit,
    traffic: Traffic,
) -> Result<(), Duration> {
    let account: AccountId = "amazon:limits".parse().unwrap();
    match limiter.take(&account, operation, limit, traffic).await {
        Ok(()) => Ok(()),
        Err(NotAllowed::Empty(wait)) => Err(wait),
        Err(NotAllowed::Store(error)) => panic!("{error}"),
    }
}

const fn per_second(calls: u32, burst: u32) -> Limit {
    Limit {
        calls,
        per: Duration::from_secs(1),
        burst,
    }
}

async fn sixteen_workers_stay_inside_the_limit_in_every_span_of_time(given: Given) {
    for (operation, limit) in [("small", per_second(4, 6)), ("large", per_second(40, 120))] {
        let processes = Processes::new(&given);
        let (mut at_ms, mut taken): (i64, Vec<(i64, i64)>) = (0, Vec::new());
        for step_ms in [0, 10, 700, 40, 260, 3_000, 90, 1_500, 5, 20_000, 333] {
            processes.pass(step_ms);
            at_ms += step_ms;
            let calls = processes.take_all(operation, limit, Traffic::Orders).await;
            taken.push((at_ms, i64::from(calls)));
        }
        assert!(
            taken[0].1 > 0 && taken[5].1 > 0,
            "nothing was given: {taken:?}"
        );
        for (first, (from, _)) in taken.iter().enumerate() {
            let mut sum = 0;
            for (until, calls) in &taken[first..] {
                sum += calls;
                let flowed_in = (until - from) * i64::from(limit.calls) / 1_000;
                assert!(
                    sum <= i64::from(limit.burst) + flowed_in,
                    "{operation}: {taken:?}"
                );
            }
        }
    }
}

async fn orders_find_calls_left_however_much_stock_traffic_there_is(given: Given) {
    let processes = Processes::new(&given);
    let limit = per_second(2, 20);
    for _ in 0..5 {
        processes.take_all("both", limit, Traffic::Stock).await;
        processes.pass(400);
    }
    processes.take_all("both", limit, Traffic::Stock).await;
    let orders = processes.take_all("both", limit, Traffic::Orders).await;
    assert!(
        orders >= 10,
        "half of the bucket is theirs, and they got {orders}"
    );
}

async fn two_hundred_callers_come_through_at_the_speed_of_the_limit(given: Given) {
    const CALLERS: usize = 200;
    let processes = Processes::new(&given);
    let limit = per_second(2, 4);
    let start = processes.clock.now();
    let mut waiting: BinaryHeap<_> = (0..CALLERS)
        .map(|caller| Reverse((start, caller)))
        .collect();
    let (mut tries, mut served) = (0, Vec::new());
    while let Some(Reverse((at, caller))) = waiting.pop() {
        let now = processes.clock.now();
        processes
            .clock
            .0
            .advance(at.duration_since(now).max(SignedDuration::ZERO));
        tries += 1;
        let limiter = &processes.limiters[caller % WORKERS];
        match take(limiter, "drain", limit, Traffic::Orders).await {
            Ok(()) => served.push(caller),
            Err(wait) => waiting.push(Reverse((processes.clock.now() + wait, caller))),
        }
    }
    let took = processes.clock.now().duration_since(start).as_secs();
    assert_eq!(served.len(), CALLERS);
    // 196 callers that come two a second, each of whom was told its moment once.
    assert!((97..=99).contains(&took), "{took} s");
    assert!(tries <= 2 * CALLERS, "{tries} tries");
}

async fn what_one_worker_hears_of_a_limit_counts_for_all(given: Given) {
    let processes = Processes::new(&given);
    let account: AccountId = "amazon:limits".parse().unwrap();
    let (one, other) = (&processes.limiters[0], &processes.limiters[1]);
    let limit = per_second(10, 10);
    take(other, "heard", limit, Traffic::Orders).await.unwrap();
    one.empty(&account, "heard", limit, Duration::from_secs(30))
        .await
        .unwrap();
    assert!(take(other, "heard", limit, Traffic::Orders).await.is_err());
    processes.pass(30_000);
    take(other, "heard", limit, Traffic::Orders).await.unwrap();

    let slow = per_second(10, 1);
    one.learn(&account, "learned", 100_000).await.unwrap();
    take(other, "learned", slow, Traffic::Orders).await.unwrap();
    let wait = take(other, "learned", slow, Traffic::Orders)
        .await
        .unwrap_err();
    assert_eq!(wait, Duration::from_secs(10));
}
