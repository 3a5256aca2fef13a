use super::*;
use crate::{clock::ManualClock, seal::MemorySeal, store::MemoryStore};
use futures_util::future::join_all;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

const LIFE_S: i64 = 86_400;

/// A table, a seal and a clock that several processes share.
#[derive(Clone)]
struct World {
    store: Arc<MemoryStore>,
    seal: Arc<MemorySeal>,
    clock: Arc<ManualClock>,
    account: AccountId,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at("2026-11-02T08:00:00Z".parse().unwrap()));
        Self {
            store: Arc::new(MemoryStore::new(clock.clone())),
            seal: Arc::new(MemorySeal::new()),
            clock,
            account: "aliexpress:main".parse().unwrap(),
        }
    }

    fn process(&self) -> TokenStore {
        TokenStore::new(self.store.clone(), self.seal.clone(), self.clock.clone())
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }
}

/// An authorisation server. Each refresh token works once and gives the next one, unless it is told otherwise.
struct Server {
    clock: Arc<ManualClock>,
    life_s: i64,
    calls: AtomicUsize,
    sent: Mutex<Vec<String>>,
    next_answers: Mutex<Vec<CallError>>,
    gate: Semaphore,
}

impl Server {
    fn new(world: &World) -> Self {
        Self {
            clock: world.clock.clone(),
            life_s: LIFE_S,
            calls: AtomicUsize::new(0),
            sent: Mutex::default(),
            next_answers: Mutex::default(),
            gate: Semaphore::new(1000),
        }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn fails_once(&self, world: &World, kind: Kind, retry: Retry, effect: Effect) {
        let error = CallError::new(&world.account, "refresh", kind, retry, "x");
        self.next_answers
            .lock()
            .unwrap()
            .push(error.with_effect(effect));
    }
}

#[async_trait]
impl Refresh for Server {
    async fn refresh(&self, refresh_token: &Secret) -> Result<FreshToken, CallError> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        self.sent
            .lock()
            .unwrap()
            .push(refresh_token.expose().to_owned());
        let now = self.clock.now();
        self.gate.acquire().await.unwrap().forget();
        if let Some(error) = self.next_answers.lock().unwrap().pop() {
            return Err(error);
        }
        Ok(FreshToken {
            access: secret(&format!("access-{number}")),
            expires_at: now + SignedDuration::from_secs(self.life_s),
            refresh: Some(secret(&format!("refresh-{number}"))),
        })
    }
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

async fn get(world: &World, process: &TokenStore, server: &Server) -> Result<String, CallError> {
    let token = process
        .access(&world.account, &secret("seed"), server)
        .await;
    token.map(|token| token.expose().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_callers_of_one_process_ask_once_and_all_get_the_token() {
    let world = World::new();
    let (process, server) = (Arc::new(world.process()), Arc::new(Server::new(&world)));
    let callers = (0..16).map(|_| {
        let (world, process, server) = (world.clone(), process.clone(), server.clone());
        tokio::spawn(async move { get(&world, &process, &server).await })
    });
    for token in join_all(callers).await {
        assert_eq!(token.unwrap().unwrap(), "access-1");
    }
    assert_eq!(server.calls(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_processes_ask_once_and_the_others_come_back() {
    let world = World::new();
    let server = Arc::new(Server::new(&world));
    let callers = (0..16).map(|_| {
        let (world, server) = (world.clone(), server.clone());
        tokio::spawn(async move {
            let process = world.process();
            for _ in 0..1_000_000 {
                match get(&world, &process, &server).await {
                    Ok(token) => return token,
                    Err(error) => {
                        assert_eq!(error.code, "renewal-under-way");
                        assert_eq!(error.effect, Effect::None);
                        tokio::task::yield_now().await;
                    }
                }
            }
            panic!("never got a token");
        })
    });
    for token in join_all(callers).await {
        assert_eq!(token.unwrap(), "access-1");
    }
    assert_eq!(server.calls(), 1);
}

#[tokio::test]
async fn a_token_is_renewed_half_an_hour_early_with_the_newest_refresh_token() {
    let world = World::new();
    let (process, server) = (world.process(), Server::new(&world));
    get(&world, &process, &server).await.unwrap();
    world.pass(LIFE_S - 1801);
    assert_eq!(get(&world, &process, &server).await.unwrap(), "access-1");
    world.pass(1);
    assert_eq!(get(&world, &process, &server).await.unwrap(), "access-2");
    assert_eq!(*server.sent.lock().unwrap(), ["seed", "refresh-1"]);
    let other = world.process();
    assert_eq!(get(&world, &other, &server).await.unwrap(), "access-2");
}

#[tokio::test]
async fn a_token_of_ten_seconds_is_used_for_nine() {
    let world = World::new();
    let process = world.process();
    let server = Server {
        life_s: 10,
        ..Server::new(&world)
    };
    get(&world, &process, &server).await.unwrap();
    world.pass(8);
    assert_eq!(get(&world, &process, &server).await.unwrap(), "access-1");
    world.pass(1);
    assert_eq!(get(&world, &process, &server).await.unwrap(), "access-2");
}

#[tokio::test]
async fn while_another_renews_the_old_token_is_used_to_its_end() {
    let world = World::new();
    let server = Arc::new(Server {
        gate: Semaphore::new(1),
        ..Server::new(&world)
    });
    let (first, second) = (world.process(), world.process());
    get(&world, &first, &server).await.unwrap();
    world.pass(LIFE_S - 60);
    let renewing = {
        let (world, server) = (world.clone(), server.clone());
        tokio::spawn(async move { get(&world, &first, &server).await })
    };
    while server.calls() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(get(&world, &second, &server).await.unwrap(), "access-1");
    server.gate.add_permits(1);
    assert_eq!(renewing.await.unwrap().unwrap(), "access-2");
    assert_eq!(get(&world, &second, &server).await.unwrap(), "access-2");
    assert_eq!(server.calls(), 2);
}

#[tokio::test]
async fn a_new_seed_replaces_everything_and_an_old_one_does_not_come_back() {
    let world = World::new();
    let (old, new, server) = (world.process(), world.process(), Server::new(&world));
    get(&world, &old, &server).await.unwrap();
    let token = new.access(&world.account, &secret("seed-2"), &server).await;
    assert_eq!(token.unwrap().expose(), "access-2");
    let late = world.process();
    assert_eq!(get(&world, &late, &server).await.unwrap(), "access-2");
    assert_eq!(*server.sent.lock().unwrap(), ["seed", "seed-2"]);
    // Who puts the old one back on purpose is heard once nobody can mean it by mistake.
    world.pass(3601);
    assert_eq!(
        get(&world, &world.process(), &server).await.unwrap(),
        "access-3"
    );
    assert_eq!(server.sent.lock().unwrap().last().unwrap(), "seed");
}

#[tokio::test]
async fn an_ended_consent_is_asked_for_once_until_the_seed_changes() {
    let world = World::new();
    let (process, server) = (world.process(), Server::new(&world));
    server.fails_once(&world, Kind::ConsentEnded, Retry::Person, Effect::None);
    for _ in 0..5 {
        let error = get(&world, &world.process(), &server).await.unwrap_err();
        assert_eq!(
            (error.kind, error.retry),
            (Kind::ConsentEnded, Retry::Person)
        );
        world.pass(3600);
    }
    assert_eq!(server.calls(), 1);
    let token = process
        .access(&world.account, &secret("seed-2"), &server)
        .await;
    assert_eq!(token.unwrap().expose(), "access-2");
}

#[tokio::test]
async fn a_token_outlives_its_consent() {
    let world = World::new();
    let (process, server) = (world.process(), Server::new(&world));
    get(&world, &process, &server).await.unwrap();
    world.pass(LIFE_S - 600);
    server.fails_once(&world, Kind::ConsentEnded, Retry::Person, Effect::None);
    assert_eq!(get(&world, &process, &server).await.unwrap(), "access-1");
    world.pass(599);
    assert_eq!(get(&world, &process, &server).await.unwrap(), "access-1");
    world.pass(1);
    let error = get(&world, &process, &server).await.unwrap_err();
    assert_eq!((error.kind, server.calls()), (Kind::ConsentEnded, 2));
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_token_after_the_lease() {
    let world = World::new();
    let (process, server) = (world.process(), Server::new(&world));
    server.fails_once(&world, Kind::NoAnswer, SOON, Effect::Unknown);
    let error = get(&world, &process, &server).await.unwrap_err();
    assert_eq!((error.kind, error.effect), (Kind::NoAnswer, Effect::None));
    let error = get(&world, &process, &server).await.unwrap_err();
    assert_eq!(error.code, "renewal-under-way");
    world.pass(30);
    assert_eq!(get(&world, &process, &server).await.unwrap(), "access-2");
    assert_eq!(*server.sent.lock().unwrap(), ["seed", "seed"]);
}

#[tokio::test]
async fn a_failed_renewal_is_not_repeated_at_once() {
    let world = World::new();
    let (process, server) = (world.process(), Server::new(&world));
    server.fails_once(&world, Kind::Misconfigured, Retry::Person, Effect::None);
    assert!(get(&world, &process, &server).await.is_err());
    let error = get(&world, &world.process(), &server).await.unwrap_err();
    assert_eq!(error.retry, Retry::After(LONGEST_PAUSE));
    assert_eq!(server.calls(), 1);
    world.pass(60);
    assert_eq!(get(&world, &process, &server).await.unwrap(), "access-2");
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_for_all_who_had_it() {
    let world = World::new();
    let (one, two, server) = (world.process(), world.process(), Server::new(&world));
    get(&world, &one, &server).await.unwrap();
    get(&world, &two, &server).await.unwrap();
    let bad = secret("access-1");
    one.refused(&world.account, &bad).await.unwrap();
    assert_eq!(get(&world, &one, &server).await.unwrap(), "access-2");
    two.refused(&world.account, &bad).await.unwrap();
    assert_eq!(get(&world, &two, &server).await.unwrap(), "access-2");
    assert_eq!(server.calls(), 2);
}

#[tokio::test]
async fn tokens_of_a_holder_whose_lease_ran_out_are_kept_where_nobody_has_newer_ones() {
    let world = World::new();
    let server = Arc::new(Server {
        gate: Semaphore::new(0),
        ..Server::new(&world)
    });
    let slow = {
        let (world, server, process) = (world.clone(), server.clone(), world.process());
        tokio::spawn(async move { get(&world, &process, &server).await })
    };
    while server.calls() < 1 {
        tokio::task::yield_now().await;
    }
    world.pass(31);
    let second = {
        let (world, server, process) = (world.clone(), server.clone(), world.process());
        tokio::spawn(async move { get(&world, &process, &server).await })
    };
    while server.calls() < 2 {
        tokio::task::yield_now().await;
    }
    // The slow one's answer comes first; the second is told that the token was used.
    server.gate.add_permits(1);
    assert_eq!(slow.await.unwrap().unwrap(), "access-1");
    server.fails_once(&world, Kind::ConsentEnded, Retry::Person, Effect::None);
    server.gate.add_permits(1);
    assert_eq!(second.await.unwrap().unwrap(), "access-1");
}

#[tokio::test]
async fn nothing_secret_is_stored_openly_or_printed() {
    let world = World::new();
    let (process, server) = (world.process(), Server::new(&world));
    get(&world, &process, &server).await.unwrap();
    let items = format!("{:?} {process:?}", world.store.items());
    for hidden in ["access-1", "refresh-1", "\"seed\""] {
        assert!(!items.contains(hidden), "{hidden} in {items}");
    }
}
