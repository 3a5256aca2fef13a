//! A merchant's whole world in one process, in which everything happens in its order and nothing fails by itself.

use crate::network::SUPPLIER_URL;
use crate::stage::{EBAY_ENDPOINT, SECOND_EBAY_ENDPOINT, Stage, WorldOptions, supplier_secret};
use jiff::{SignedDuration, Timestamp};
use kervan::Kervan;
use kervan::clock::Clock;
use kervan::domain::{OrderKey, Signal};
use kervan::flows::{self, Intake, IntakeAnswer, InventoryTask};
use kervan::handler::{self, Message};
use kervan::queue::{MemoryQueue, Queue, Received};
use kervan_marketplaces::{Amazon, Ebay, Icbu, Push, defaults};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// How long a message is hidden from others while it is worked on, as in the template.
pub(crate) const VISIBILITY: Duration = Duration::from_secs(360);

/// Kervan, both marketplaces, and the time.
pub struct World {
    /// The ports and accounts of the workers.
    pub kervan: Kervan,
    /// The door for pushes.
    pub door: kervan::Door,
    stage: Stage,
}

/// What the world stands on.
impl Deref for World {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.stage
    }
}

impl World {
    /// A world with empty shelves.
    pub fn new(options: WorldOptions) -> Self {
        let stage = Stage::new(options);
        let ports = stage.ports();
        Self {
            kervan: stage.worker(&ports),
            door: stage.door(&ports),
            stage,
        }
    }

    /// The stage, without its workers.
    pub(crate) fn into_stage(self) -> Stage {
        self.stage
    }

    /// A world that sells one lamp on eBay and can buy `stock` of them at AliExpress, with its pushes registered.
    pub async fn with_lamp(options: WorldOptions, stock: u32) -> anyhow::Result<Self> {
        let world = Self::new(options);
        world.add("LAMP-01", 19_99, 500_001, 7_00, stock).await?;
        world.register_pushes().await?;
        world.run_schedules().await?;
        world.settle().await?;
        Ok(world)
    }

    /// Answers eBay's challenge through the door and tells AliExpress where to push.
    pub async fn register_pushes(&self) -> anyhow::Result<()> {
        for (channel, ebay) in self.channels() {
            let name = channel.name();
            let endpoint = if name == "second" {
                SECOND_EBAY_ENDPOINT
            } else {
                EBAY_ENDPOINT
            };
            let token = defaults::EBAY_VERIFICATION_TOKEN;
            let challenge = ebay.begin_registration(endpoint, token)?;
            let query = challenge.url.split_once('?');
            let query = query.map_or("", |(_, query)| query).to_owned();
            let request = Intake::Challenge { query };
            let answer = flows::intake(&self.door, "ebay", name, request).await;
            let (status, body) = (answer.status.as_u16(), answer.body.as_bytes());
            ebay.finish_registration(&challenge, status, "application/json", body)?;
        }
        self.subscribe_to_suppliers();
        Ok(())
    }

    /// The merchant ships an order without Kervan and says so at eBay.
    pub async fn ship_by_hand(&self, key: &OrderKey) -> anyhow::Result<()> {
        let order = self
            .order(key)
            .await?
            .ok_or_else(|| anyhow::anyhow!("no such order"))?;
        let lines = order
            .details
            .lines
            .iter()
            .map(|line| kervan::domain::ParcelLine {
                line: line.id.clone(),
                quantity: line.quantity,
            });
        let parcel = kervan::marketplaces::ParcelToConfirm {
            tracking_number: kervan::domain::TrackingNumber::parse("BYHAND0001")?,
            carrier: "UPS".to_owned(),
            lines: lines.collect(),
            shipped_at: self.clock.now(),
            not_after: Timestamp::MAX,
        };
        let account = self.kervan.accounts.get(&key.channel).await?;
        let door = account
            .confirm_parcels()
            .ok_or_else(|| anyhow::anyhow!("not a channel"))?;
        Ok(door.confirm(&key.id, &parcel).await?)
    }

    /// A person consents anew at AliExpress and puts the refresh token into the secret.
    pub async fn renew_supplier_consent(&self) -> anyhow::Result<()> {
        let code = self.aliexpress.consent();
        let refresh_token = self.exchange(&code).await?;
        self.secrets.put(
            "kervan/account/aliexpress/main",
            supplier_secret(SUPPLIER_URL, &refresh_token),
        );
        // Functions look at a secret again within minutes.
        self.pass(SignedDuration::from_mins(6)).await
    }

    /// The code of a consent page for a refresh token, as a merchant's own tool does it.
    async fn exchange(&self, code: &str) -> anyhow::Result<String> {
        let now = self.clock.now().as_millisecond().to_string();
        let mut parameters = vec![
            (
                "app_key".to_owned(),
                defaults::ALIEXPRESS_APP_KEY.to_owned(),
            ),
            ("code".to_owned(), code.to_owned()),
            ("sign_method".to_owned(), "sha256".to_owned()),
            ("timestamp".to_owned(), now),
        ];
        let path = "/auth/token/create";
        let signature = kervan_marketplaces::aliexpress::signature::sign(
            kervan_marketplaces::aliexpress::signature::SignMethod::Sha256,
            defaults::ALIEXPRESS_APP_SECRET,
            path,
            &parameters,
        );
        parameters.push(("sign".to_owned(), signature));
        let form: Vec<String> = parameters
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = http::Request::post(format!("{SUPPLIER_URL}/rest{path}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(bytes::Bytes::from(form.join("&")))?;
        let answer = kervan::http::Http::send(&self.network, request).await?;
        let answer: serde_json::Value = serde_json::from_slice(answer.body())?;
        let token = answer["refresh_token"].as_str();
        token
            .map(str::to_owned)
            .ok_or_else(|| anyhow::anyhow!("no refresh token in {answer}"))
    }

    /// Delivers one push by hand and returns what was answered.
    pub async fn push(&self, push: &Push) -> IntakeAnswer {
        let names = ["ebay", "alibaba"].into_iter();
        let mut named = names.filter(|name| push.url.contains(&format!("/{name}/")));
        let name = named.next().unwrap_or("aliexpress");
        let account = if push.url.ends_with("/second") {
            "second"
        } else {
            "main"
        };
        let request = Intake::Push {
            headers: push.headers.clone(),
            body: push.body.clone(),
        };
        flows::intake(&self.door, name, account, request).await
    }

    /// Lets everything happen that can happen now.
    pub async fn settle(&self) -> anyhow::Result<()> {
        while self.step().await? {}
        Ok(())
    }

    /// Lets time pass, and everything happen in its order. Schedules do not run by themselves.
    pub async fn pass(&self, time: SignedDuration) -> anyhow::Result<()> {
        let end = self.clock.now() + time;
        loop {
            self.settle().await?;
            let now = self.clock.now();
            let next = self.next_event().filter(|next| *next > now && *next < end);
            let Some(next) = next else {
                self.clock.advance(end.duration_since(now));
                return self.settle().await;
            };
            self.clock.advance(next.duration_since(now));
        }
    }

    /// Runs each schedule of the template once.
    pub async fn run_schedules(&self) -> anyhow::Result<()> {
        flows::sweep(&self.kervan).await?;
        flows::queue_due_tracking(&self.kervan).await?;
        flows::queue_due_stock(&self.kervan).await?;
        Ok(())
    }

    /// Lets time pass with the schedules running every five minutes.
    pub async fn pass_with_schedules(&self, time: SignedDuration) -> anyhow::Result<()> {
        let end = self.clock.now() + time;
        while self.clock.now() < end {
            self.run_schedules().await?;
            let left = end.duration_since(self.clock.now());
            self.pass(left.min(SignedDuration::from_mins(5))).await?;
        }
        Ok(())
    }

    /// Lets the workers look at the stock and publish it, without delivering a push.
    pub async fn look_at_stock(&self) -> anyhow::Result<()> {
        flows::queue_due_stock(&self.kervan).await?;
        self.settle_queues().await
    }

    /// Works on everything that is queued now, without delivering a push.
    pub async fn settle_queues(&self) -> anyhow::Result<()> {
        while self.work().await? {}
        Ok(())
    }

    fn next_event(&self) -> Option<Timestamp> {
        let queues = [&self.orders, &self.tracking, &self.inventory];
        let messages = queues
            .into_iter()
            .filter_map(|queue| queue.next_visible_at());
        messages
            .chain(self.ebay.next_due())
            .chain(self.second_ebay.as_ref().and_then(Ebay::next_due))
            .chain(self.aliexpress.next_due())
            .chain(self.amazon.as_ref().and_then(Amazon::next_due))
            .chain(self.alibaba.as_ref().and_then(Icbu::next_due))
            .min()
    }

    /// Delivers due pushes and works on one batch of each queue; whether there was anything.
    async fn step(&self) -> anyhow::Result<bool> {
        let now = self.clock.now();
        let mut busy = false;
        for (_, ebay) in self.channels() {
            for push in ebay.take_due_pushes(now) {
                let status = self.push(&push).await.status.as_u16();
                ebay.push_answered(push.id, Some(status));
                busy = true;
            }
        }
        for push in self.aliexpress.take_due_pushes(now) {
            let status = self.push(&push).await.status.as_u16();
            self.aliexpress.push_answered(push.id, Some(status));
            busy = true;
        }
        if let Some(alibaba) = &self.alibaba {
            for push in alibaba.take_due_pushes(now) {
                let status = self.push(&push).await.status.as_u16();
                alibaba.push_answered(push.id, Some(status));
                busy = true;
            }
        }
        if let Some(amazon) = &self.amazon {
            for notification in amazon.take_due_notifications(now) {
                let message = serde_json::from_str(&notification.body)?;
                flows::notified(&self.door, &message).await?;
                busy = true;
            }
        }
        Ok(self.work().await? || busy)
    }

    /// One batch of each queue.
    async fn work(&self) -> anyhow::Result<bool> {
        let mut busy = false;
        let kervan = &self.kervan;
        let forward = |signal: Signal| async move { flows::forward(kervan, &signal).await };
        let track = |signal: Signal| async move { flows::track(kervan, &signal).await };
        let look = |task: InventoryTask| async move { flows::inventory(kervan, &task).await };
        busy |= drain(&self.orders, forward).await?;
        busy |= drain(&self.tracking, track).await?;
        busy |= drain(&self.inventory, look).await?;
        Ok(busy)
    }
}

/// One batch, as Lambda takes it from a queue: what did not fail is deleted.
async fn drain<M, F>(queue: &Arc<MemoryQueue>, work: impl Fn(M) -> F) -> anyhow::Result<bool>
where
    M: serde::de::DeserializeOwned + Clone,
    F: Future<Output = Result<flows::Outcome, flows::FlowError>>,
{
    let received = queue.receive(10, VISIBILITY, Duration::ZERO).await?;
    if received.is_empty() {
        return Ok(false);
    }
    let messages = messages(&received);
    let port: Arc<dyn Queue> = queue.clone();
    let failed = handler::batch(&port, messages, work).await;
    for message in received
        .iter()
        .filter(|message| !failed.contains(&message.id))
    {
        queue.delete(&message.receipt).await?;
    }
    Ok(true)
}

/// What was received, as a function's event brings it.
pub(crate) fn messages(received: &[Received]) -> Vec<Message> {
    let message = |received: &Received| Message {
        id: received.id.clone(),
        receipt: received.receipt.clone(),
        body: received.body.clone(),
        deliveries: received.deliveries,
    };
    received.iter().map(message).collect()
}
