use super::*;
use crate::clock::ManualClock;
use crate::context::{Accounts, Queues};
use crate::domain::SupplierOrderId;
use crate::http::NoNetwork;
use crate::marketplaces::{Account, Kind, Notification};
use crate::queue::{MemoryQueue, Queue};
use crate::seal::MemorySeal;
use crate::secrets::MemorySecrets;
use crate::store::MemoryStore;
use async_trait::async_trait;
use std::sync::{Arc, Mutex};

/// A supplier that keeps what nobody took, a message a page.
#[derive(Debug)]
struct Postbox {
    id: AccountId,
    kept: Mutex<Vec<Notification>>,
    gives_up: bool,
}

impl Postbox {
    fn with(orders: &[&str], gives_up: bool) -> Arc<Self> {
        let id: AccountId = "alibaba:cn".parse().unwrap();
        let message = |order: &&str| Notification {
            id: format!("message-{order}"),
            signals: vec![Signal {
                account: id.clone(),
                kind: SignalKind::SupplierOrderChanged(SupplierOrderId::parse(order).unwrap()),
                seen_at: Timestamp::UNIX_EPOCH,
            }],
        };
        let mut kept: Vec<_> = orders.iter().map(message).collect();
        // One that says nothing to us is taken as well, or it would be given for ever.
        kept.push(Notification {
            id: "about-products".to_owned(),
            signals: Vec::new(),
        });
        let kept = Mutex::new(kept);
        Arc::new(Self { id, kept, gives_up })
    }
}

impl Account for Postbox {
    fn id(&self) -> &AccountId {
        &self.id
    }

    fn pull_missed(&self) -> Option<&dyn PullMissed> {
        Some(self)
    }
}

#[async_trait]
impl PullMissed for Postbox {
    async fn missed(&self) -> Result<Vec<Notification>, CallError> {
        let kept = self.kept.lock().unwrap();
        Ok(kept.iter().take(1).cloned().collect())
    }

    async fn take(&self, ids: &[String]) -> Result<(), CallError> {
        if self.gives_up {
            let retry = Retry::After(std::time::Duration::from_secs(1));
            let (operation, kind) = ("take", Kind::Unavailable);
            return Err(CallError::new(&self.id, operation, kind, retry, "down"));
        }
        self.kept
            .lock()
            .unwrap()
            .retain(|kept| !ids.contains(&kept.id));
        Ok(())
    }
}

fn kervan(postbox: Arc<Postbox>) -> (Kervan, Arc<MemoryQueue>) {
    let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
    let tracking = Arc::new(MemoryQueue::new(clock.clone()));
    let other: Arc<dyn Queue> = Arc::new(MemoryQueue::new(clock.clone()));
    let secrets = Arc::new(MemorySecrets::new());
    let network = Arc::new(NoNetwork);
    let accounts = Accounts::new(Vec::new(), "", secrets, network, clock.clone(), None);
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let queues = Queues {
        orders: other.clone(),
        tracking: tracking.clone(),
        inventory: other,
    };
    let accounts = accounts.with_account(postbox);
    let kervan = Kervan::new(clock, store, Arc::new(MemorySeal::new()), queues, accounts);
    (kervan, tracking)
}

#[tokio::test]
async fn what_a_supplier_could_not_push_is_queued_and_then_taken() {
    let postbox = Postbox::with(&["81", "82"], false);
    let (kervan, tracking) = kervan(postbox.clone());
    assert_eq!(sweep(&kervan).await.unwrap(), 2);
    let bodies = tracking.bodies();
    assert!(
        bodies[0].contains("81") && bodies[1].contains("82"),
        "{bodies:?}"
    );
    assert!(
        postbox.kept.lock().unwrap().is_empty(),
        "every page was taken"
    );
    assert_eq!(sweep(&kervan).await.unwrap(), 0);
}

#[tokio::test]
async fn what_could_not_be_taken_is_queued_again_and_never_lost() {
    let postbox = Postbox::with(&["81"], true);
    let (kervan, tracking) = kervan(postbox.clone());
    for sweeps in 1..=2 {
        sweep(&kervan).await.unwrap();
        assert_eq!(tracking.bodies().len(), sweeps, "once a sweep");
    }
    assert_eq!(postbox.kept.lock().unwrap().len(), 2);
}
