//! The ports on AWS, on a local stack.

use crate::ports::lost_answers::{
    Lossy, a_read_whose_answer_is_lost_is_read_again,
    a_single_write_whose_answer_is_lost_is_a_doubt_and_applied_once,
    a_transaction_of_which_nothing_is_heard_is_a_doubt_that_its_version_settles,
    a_transaction_whose_answer_is_lost_is_applied_once,
};
use crate::ports::{cases, queue, seal, secrets, store};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use aws_sdk_sqs::types::QueueAttributeName;
use jiff::{SignedDuration, Timestamp};
use kervan::{
    aws::{self, Aws},
    clock::ManualClock,
    queue::Sqs,
    seal::Kms,
    secrets::{Secrets, SecretsManager},
    store::DynamoDb,
};
use kervan_infra::local_stack::{LocalStack, StackOptions};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn the_ports_on_aws_behave() {
    let stack = LocalStack::start(StackOptions::default()).await.unwrap();
    let aws = Aws::local(stack.endpoint());
    let clock = Arc::new(ManualClock::at(Timestamp::now()));

    let name = table(&aws).await;
    let table = DynamoDb::new(aws.dynamodb(), name, clock.clone());
    let given = store::Given {
        store: Arc::new(table),
        clock: clock.clone(),
        // Each takes some six milliseconds here; all of them are tried where everything is run.
        buyers: if std::env::var_os("KERVAN_FULL").is_some() {
            10_000
        } else {
            1_000
        },
    };
    let mut all = store::cases(given.clone());
    let lossy = Lossy::new(given, stack.endpoint(), name).await;
    all.extend(cases::cases![lossy;
        a_transaction_whose_answer_is_lost_is_applied_once,
        a_transaction_of_which_nothing_is_heard_is_a_doubt_that_its_version_settles,
        a_single_write_whose_answer_is_lost_is_a_doubt_and_applied_once,
        a_read_whose_answer_is_lost_is_read_again,
    ]);
    all.extend(queue::cases(Arc::new(Queues::new(&aws))));
    all.extend(seal::cases(Arc::new(kms(&aws).await)));
    let vault = Arc::new(Vault::new(&aws, clock));
    all.extend(secrets::cases(vault.clone()));
    all.extend(cases::cases![vault; a_secret_is_taken_from_memory_for_five_minutes]);
    cases::run("AWS", all).await;

    let calls = aws::calls();
    assert!(
        calls.dynamodb > 0 && calls.sqs > 0 && calls.kms > 0 && calls.secrets > 0,
        "{calls:?}"
    );
    stack.stop().await;
}

/// As `template.yaml` declares it.
async fn table(aws: &Aws) -> &'static str {
    let name = "ports";
    let attribute = |name: &str, kind| {
        let attribute = AttributeDefinition::builder().attribute_name(name);
        attribute.attribute_type(kind).build().unwrap()
    };
    let key = |name: &str, kind| {
        let key = KeySchemaElement::builder().attribute_name(name);
        key.key_type(kind).build().unwrap()
    };
    let whole = Projection::builder().projection_type(ProjectionType::All);
    let due = GlobalSecondaryIndex::builder()
        .index_name("due")
        .key_schema(key("due_lane", KeyType::Hash))
        .key_schema(key("due_at", KeyType::Range))
        .projection(whole.build());
    aws.dynamodb()
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("pk", ScalarAttributeType::S))
        .attribute_definitions(attribute("sk", ScalarAttributeType::S))
        .attribute_definitions(attribute("due_lane", ScalarAttributeType::S))
        .attribute_definitions(attribute("due_at", ScalarAttributeType::N))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .global_secondary_indexes(due.build().unwrap())
        .send()
        .await
        .unwrap();
    name
}

async fn kms(aws: &Aws) -> Kms {
    let client = aws.kms();
    let key = client.create_key().send().await.unwrap();
    Kms::new(client, key.key_metadata.unwrap().key_id)
}

struct Queues {
    client: aws_sdk_sqs::Client,
    made: AtomicU32,
}

impl Queues {
    fn new(aws: &Aws) -> Self {
        Self {
            client: aws.sqs(),
            made: AtomicU32::new(0),
        }
    }

    async fn create(&self, redrive: Option<String>) -> String {
        let name = format!("ports-{}", self.made.fetch_add(1, Ordering::Relaxed));
        let mut call = self.client.create_queue().queue_name(name);
        if let Some(policy) = redrive {
            call = call.attributes(QueueAttributeName::RedrivePolicy, policy);
        }
        call.send().await.unwrap().queue_url.unwrap()
    }

    async fn arn(&self, url: &str) -> String {
        let call = self.client.get_queue_attributes().queue_url(url);
        let call = call.attribute_names(QueueAttributeName::QueueArn);
        let attributes = call.send().await.unwrap().attributes.unwrap();
        attributes[&QueueAttributeName::QueueArn].clone()
    }
}

#[async_trait::async_trait]
impl queue::Queues for Queues {
    async fn make(&self, tries: u32) -> queue::Pair {
        let dead_letters = self.create(None).await;
        let policy = serde_json::json!({
            "deadLetterTargetArn": self.arn(&dead_letters).await,
            "maxReceiveCount": tries,
        });
        let queue = self.create(Some(policy.to_string())).await;
        queue::Pair {
            queue: Arc::new(Sqs::new(self.client.clone(), queue)),
            dead_letters: Arc::new(Sqs::new(self.client.clone(), dead_letters)),
        }
    }

    async fn pass(&self, seconds: i64) {
        let seconds = Duration::from_secs(seconds.unsigned_abs());
        tokio::time::sleep(seconds + Duration::from_millis(100)).await;
    }
}

struct Vault {
    client: aws_sdk_secretsmanager::Client,
    secrets: SecretsManager,
    clock: Arc<ManualClock>,
}

impl Vault {
    fn new(aws: &Aws, clock: Arc<ManualClock>) -> Self {
        Self {
            client: aws.secrets(),
            secrets: SecretsManager::new(aws.secrets(), clock.clone()),
            clock,
        }
    }
}

#[async_trait::async_trait]
impl secrets::Vault for Vault {
    fn secrets(&self) -> &dyn Secrets {
        &self.secrets
    }

    async fn put(&self, name: &str, text: &str) {
        let create = self.client.create_secret().name(name).secret_string(text);
        if create.send().await.is_err() {
            let change = self.client.put_secret_value().secret_id(name);
            change.secret_string(text).send().await.unwrap();
        }
    }
}

async fn a_secret_is_taken_from_memory_for_five_minutes(vault: Arc<Vault>) {
    use secrets::Vault as _;
    let read = async || vault.secrets.get("kept").await.unwrap().expose().to_owned();
    vault.put("kept", "old").await;
    assert_eq!(read().await, "old");
    vault.put("kept", "new").await;
    vault.clock.advance(SignedDuration::from_secs(299));
    let before = aws::calls();
    assert_eq!(read().await, "old");
    assert_eq!(aws::calls().since(before).secrets, 0);
    vault.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(read().await, "new");
    assert_eq!(aws::calls().since(before).secrets, 1);
}
