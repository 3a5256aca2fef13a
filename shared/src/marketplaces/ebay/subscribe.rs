//! How the account's pushes are subscribed to: the Notification API's topics, and for accounts whose orders are read
//! over the Trading API its platform notifications. Everything is looked at first and only what is missing is made, so it
//! can be repeated, and goes on where it was broken off.

use super::{
    Ebay,
    client::{Caller, Client},
    config::OrdersApi,
    error::Operation,
    trading::EVENTS,
    wire,
};
use crate::marketplaces::{
    CallError, Kind, Retry, Subscribe, SubscribeStep, SubscribeTo, Subscribed,
};
use async_trait::async_trait;

/// The topics that are understood: the first is demanded of every application, the second tells of orders.
pub(super) const TOPICS: [&str; 2] = ["MARKETPLACE_ACCOUNT_DELETION", "ORDER_CONFIRMATION"];

#[async_trait]
impl Subscribe for Ebay {
    async fn subscribe(&self, to: &SubscribeTo) -> Result<Vec<Subscribed>, CallError> {
        let client = &self.client;
        see_to_alert_email(client, to.alert_email.as_deref()).await?;
        let destination = see_to_destination(client).await?;
        let topics = client.topics().await?;
        let mut done = Vec::new();
        for topic_id in TOPICS {
            let step = match topics.iter().find(|topic| topic.topic_id == topic_id) {
                Some(topic) => see_to_topic(client, topic, &destination).await?,
                None => SubscribeStep::NotAllowed("no-such-topic".to_owned()),
            };
            let topic = topic_id.to_owned();
            done.push(Subscribed { topic, done: step });
        }
        if client.config.orders == OrdersApi::Trading {
            done.extend(see_to_events(client).await?);
        }
        Ok(done)
    }
}

/// Without an address eBay takes no subscription (error 195003).
async fn see_to_alert_email(client: &Client, wanted: Option<&str>) -> Result<(), CallError> {
    let known = client.alert_email().await?;
    match (known.as_deref(), wanted) {
        (None, None) => {
            let fault = client.fault(Operation::UpdateConfig);
            Err(fault.not_sent(Kind::Misconfigured, Retry::Person, "alert-email"))
        }
        (known, Some(wanted)) if known != Some(wanted) => client.set_alert_email(wanted).await,
        _ => Ok(()),
    }
}

/// The id of our endpoint, which is enabled then.
async fn see_to_destination(client: &Client) -> Result<String, CallError> {
    // eBay knows an endpoint that came in between (error 195021), or whose answer was lost.
    for is_last in [false, true] {
        if let Some(known) = our_destination(client).await? {
            if known.status.as_deref() != Some("ENABLED") {
                client.enable_destination(&known.destination_id).await?;
            }
            return Ok(known.destination_id);
        }
        if is_last {
            break;
        }
        match client.create_destination().await {
            Err(error) if error.code != "195021" => return Err(error),
            _ => {}
        }
    }
    Err(client
        .fault(Operation::CreateDestination)
        .unsaid("destinationId"))
}

/// Our endpoint, as eBay knows it.
pub(super) async fn our_destination(
    client: &Client,
) -> Result<Option<wire::Destination>, CallError> {
    let all = client.destinations().await?;
    let is_ours = |known: &wire::Destination| {
        known.delivery_config["endpoint"].as_str() == Some(client.config.endpoint.as_str())
    };
    Ok(all.into_iter().find(is_ours))
}

/// Who subscribes to a topic: topics of a seller's doings take the seller's token.
pub(super) fn subscriber(topic: &wire::Topic) -> Caller {
    match topic.scope.as_deref() {
        Some("USER") => Caller::Seller,
        _ => Caller::Application,
    }
}

async fn see_to_topic(
    client: &Client,
    topic: &wire::Topic,
    destination: &str,
) -> Result<SubscribeStep, CallError> {
    let Some(schema) = schema(topic) else {
        return Ok(SubscribeStep::NotAllowed("no-payload".to_owned()));
    };
    let (caller, id) = (subscriber(topic), topic.topic_id.as_str());
    match subscribed(client, caller, id, schema, destination).await {
        // The scope is not in the consent, or eBay has not released the topic to this application.
        Err(error) if matches!(error.code.as_str(), "195011" | "1100") => {
            Ok(SubscribeStep::NotAllowed(error.code))
        }
        // The topic is no more.
        Err(error) if error.code == "195014" => Ok(SubscribeStep::NotAllowed(error.code)),
        outcome => outcome,
    }
}

async fn subscribed(
    client: &Client,
    caller: Caller,
    topic: &str,
    schema: &str,
    destination: &str,
) -> Result<SubscribeStep, CallError> {
    let wanted = |topic_id, status| wire::NewSubscription {
        topic_id,
        status,
        payload: wire::Payload {
            format: "JSON",
            schema_version: schema,
            delivery_protocol: "HTTPS",
        },
        destination_id: destination,
    };
    if let Some(known) = find(client, caller, topic).await? {
        let id = &known.subscription_id;
        let is_ours = known.destination_id.as_deref() == Some(destination);
        return match known.status.as_deref() {
            Some("ENABLED") if is_ours => Ok(SubscribeStep::Existed),
            _ if is_ours => {
                begin(client, caller, id).await?;
                Ok(SubscribeStep::Changed)
            }
            _ => {
                let wanted = wanted(None, "ENABLED");
                client.update_subscription(caller, id, &wanted).await?;
                Ok(SubscribeStep::Changed)
            }
        };
    }
    let created = client
        .create_subscription(caller, &wanted(Some(topic), "DISABLED"))
        .await;
    let id = match created {
        Ok(Some(id)) => Some(id),
        // It came in between, or eBay does not say its name.
        Ok(None) => None,
        Err(error) if error.code == "195012" => None,
        Err(error) => return Err(error),
    };
    let id = match id {
        Some(id) => id,
        None => {
            let known = find(client, caller, topic).await?;
            let fault = client.fault(Operation::CreateSubscription);
            known
                .ok_or_else(|| fault.unsaid("subscriptionId"))?
                .subscription_id
        }
    };
    begin(client, caller, &id).await?;
    Ok(SubscribeStep::Created)
}

/// Tries a subscription while it is disabled, then enables it. What comes of the try shows at the door; a try that cannot
/// be asked for keeps nobody from being told of orders.
async fn begin(client: &Client, caller: Caller, id: &str) -> Result<(), CallError> {
    if let Err(error) = client.test_subscription(caller, id).await {
        tracing::warn!(%error, "A subscription could not be tried before it was enabled.");
    }
    client.enable_subscription(caller, id).await
}

async fn find(
    client: &Client,
    caller: Caller,
    topic: &str,
) -> Result<Option<wire::Subscription>, CallError> {
    let all = client.subscriptions(caller).await?;
    Ok(all.into_iter().find(|known| known.topic_id == topic))
}

/// The version of a topic's JSON that is not on its way out, else any.
fn schema(topic: &wire::Topic) -> Option<&str> {
    let payloads = topic.supported_payloads.as_deref().unwrap_or_default();
    let fits = |payload: &&wire::SupportedPayload| {
        let formats = payload.format.as_deref();
        let is_json = formats.is_none_or(|formats| formats.iter().any(|format| format == "JSON"));
        is_json
            && payload
                .delivery_protocol
                .as_deref()
                .is_none_or(|it| it == "HTTPS")
    };
    let mut fitting = payloads.iter().filter(fits);
    let lasting = fitting
        .clone()
        .find(|payload| payload.deprecated != Some(true));
    lasting
        .or_else(|| fitting.next())?
        .schema_version
        .as_deref()
}

async fn see_to_events(client: &Client) -> Result<Vec<Subscribed>, CallError> {
    let known = client.sent_events().await?;
    if known.len() < EVENTS.len() {
        client.send_events().await?;
    }
    let step = |event| match known.contains(event) {
        true => SubscribeStep::Existed,
        false => SubscribeStep::Created,
    };
    let done = EVENTS.iter().map(|event| Subscribed {
        topic: (*event).to_owned(),
        done: step(event),
    });
    Ok(done.collect())
}
