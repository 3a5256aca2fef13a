//! What is set up once: a destination for the application, a subscription for the seller; and a look at all of it
//! (Notifications API v1, Sellers API v1).

use super::{
    client::{Call, Client, date_of, encoded},
    error::Operation,
    limits, wire,
};
use crate::marketplaces::{
    CallError, Effect, Finding, Kind, Retry, SubscribeStep, SubscribeTo, Subscribed,
};
use bytes::Bytes;
use http::{Method, Response};

const DESTINATIONS: &str = "/notifications/v1/destinations";
const SUBSCRIPTIONS: &str = "/notifications/v1/subscriptions";

/// The notifications that are wanted, with the version of what they carry.
const TOPICS: [(&str, &str); 1] = [("ORDER_CHANGE", "1.0")];

impl Client {
    /// Sees to it that Amazon writes to the queue. Its policy must let Amazon's account 437568002678 do so.
    pub(super) async fn subscribe(&self, to: &SubscribeTo) -> Result<Vec<Subscribed>, CallError> {
        let Some(arn) = &to.queue_arn else {
            let fault = self.fault(Operation::CreateDestination);
            return Err(fault.not_sent(Kind::Misconfigured, Retry::Person, "queue-arn-missing"));
        };
        let destination = self.destination(arn).await?;
        let mut done = Vec::with_capacity(TOPICS.len());
        for (topic, version) in TOPICS {
            let step = match self.see_to(topic, version, &destination).await {
                Ok(step) => step,
                // The application has not the role for this topic; the others may still be had.
                Err(error) if error.kind == Kind::Misconfigured => {
                    SubscribeStep::NotAllowed(error.code)
                }
                Err(error) => return Err(error),
            };
            done.push(Subscribed {
                topic: topic.to_owned(),
                done: step,
            });
        }
        Ok(done)
    }

    /// The id of the destination for a queue, made where there is none.
    async fn destination(&self, arn: &str) -> Result<String, CallError> {
        if let Some(id) = self.known_destination(arn).await? {
            return Ok(id);
        }
        let operation = Operation::CreateDestination;
        let body = wire::NewDestination {
            name: format!("kervan-{}", self.account.name()),
            resource_specification: wire::NewResource {
                sqs: wire::NewQueue { arn },
            },
        };
        let call = self.call_with(operation, Method::POST, DESTINATIONS.to_owned(), &body)?;
        let made = self
            .read::<wire::Payload<wire::Destination>>(&call.grantless())
            .await;
        let fault = self.fault(operation);
        match made {
            Ok(made) => {
                let id = made.payload.destination_id;
                id.ok_or_else(|| fault.unsaid("payload.destinationId"))
            }
            // It is there already, by another's call or by one of ours whose answer was lost.
            Err(error) if may_exist(&error) => {
                let known = self.known_destination(arn).await?;
                known.ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    async fn known_destination(&self, arn: &str) -> Result<Option<String>, CallError> {
        let call = Call::get(Operation::GetDestinations, DESTINATIONS.to_owned()).grantless();
        let answer: wire::Payload<Vec<wire::Destination>> = self.read(&call).await?;
        let is_ours = |destination: &wire::Destination| {
            let queue = destination.resource.as_ref().and_then(|r| r.sqs.as_ref());
            queue.and_then(|queue| queue.arn.as_deref()) == Some(arn)
        };
        let ours = answer.payload.into_iter().find(is_ours);
        Ok(ours.and_then(|destination| destination.destination_id))
    }

    /// Makes a subscription, or changes it where it leads elsewhere: Amazon has one of a type for a seller, so the old
    /// one must go first.
    async fn see_to(
        &self,
        topic: &str,
        version: &'static str,
        destination: &str,
    ) -> Result<SubscribeStep, CallError> {
        let mut step = SubscribeStep::Created;
        if let Some(known) = self.subscription(topic, version).await? {
            if known.destination_id.as_deref() == Some(destination) {
                return Ok(SubscribeStep::Existed);
            }
            let missing = || {
                let fault = self.fault(Operation::GetSubscription);
                fault.meaningless("payload.subscriptionId")
            };
            let id = known.subscription_id.ok_or_else(missing)?;
            self.unsubscribe(topic, &id).await?;
            step = SubscribeStep::Changed;
        }
        let operation = Operation::CreateSubscription;
        let body = wire::NewSubscription {
            payload_version: version,
            destination_id: destination,
        };
        let path = format!("{SUBSCRIPTIONS}/{topic}");
        let call = self.call_with(operation, Method::POST, path, &body)?;
        let made = self.read::<wire::Payload<wire::Subscription>>(&call).await;
        match made {
            Ok(_) => Ok(step),
            Err(error) if may_exist(&error) => match self.subscription(topic, version).await? {
                Some(known) if known.destination_id.as_deref() == Some(destination) => Ok(step),
                _ => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// getSubscription; `None` where there is none.
    async fn subscription(
        &self,
        topic: &str,
        version: &str,
    ) -> Result<Option<wire::Subscription>, CallError> {
        let path = format!("{SUBSCRIPTIONS}/{topic}?payloadVersion={version}");
        let call = Call::get(Operation::GetSubscription, path);
        match self.read::<wire::Payload<wire::Subscription>>(&call).await {
            Ok(answer) => Ok(Some(answer.payload)),
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn unsubscribe(&self, topic: &str, id: &str) -> Result<(), CallError> {
        let path = format!("{SUBSCRIPTIONS}/{topic}/{}", encoded(id));
        let call = Call::delete(Operation::DeleteSubscription, path).grantless();
        match self.send(&call).await {
            Err(error) if error.kind != Kind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Looks at the account from outside; nothing is changed.
    pub(super) async fn examine(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        findings.push(self.seller_token().await);
        let operation = Operation::GetMarketplaceParticipations;
        let path = "/sellers/v1/marketplaceParticipations".to_owned();
        let answer = self.send(&Call::get(operation, path)).await;
        findings.push(reachability(&answer));
        if let Ok(answer) = &answer {
            findings.push(self.clock(answer));
            findings.push(self.participation(answer));
        }
        let call = Call::get(Operation::GetDestinations, DESTINATIONS.to_owned()).grantless();
        findings.push(destinations(self.send(&call).await));
        for (topic, version) in TOPICS {
            findings.push(subscription(self.subscription(topic, version).await));
        }
        findings
    }

    async fn seller_token(&self) -> Finding {
        let what = "credentials";
        match self.auth.user_token().await {
            Ok(_) => Finding::good(
                what,
                "Login with Amazon gives access tokens for the seller.",
            ),
            Err(error) => {
                let to_do = match error.kind {
                    Kind::ConsentEnded => {
                        "Let the seller authorise the application again and put the new refresh_token into the secret."
                    }
                    Kind::Misconfigured => {
                        "Compare client_id, client_secret and refresh_token with Seller Central; the client secret may have been rotated."
                    }
                    _ => "Try again later; the fault is not in the set-up.",
                };
                Finding::bad(
                    what,
                    format!("There is no access token: {}.", error.code),
                    to_do,
                )
            }
        }
    }

    /// Amazon's clock against ours: a search must end two minutes before its time.
    fn clock(&self, answer: &Response<Bytes>) -> Finding {
        let what = "clock";
        let Some(theirs) = date_of(answer.headers()) else {
            let says = "Amazon's answer tells no time.";
            return Finding::warning(what, says, "Compare the clock with another source.");
        };
        let apart = self.outside.clock.now().duration_since(theirs).abs();
        let seconds = apart.as_secs();
        if apart <= limits::CLOCK_DIFFERENCE {
            return Finding::good(what, format!("Ours and Amazon's are {seconds} s apart."));
        }
        let says = format!("Ours and Amazon's are {seconds} s apart.");
        Finding::bad(
            what,
            says,
            "Set the clock: searches for orders would be refused or leave orders out.",
        )
    }

    fn participation(&self, answer: &Response<Bytes>) -> Finding {
        let what = "participation";
        type Participations = wire::Payload<Vec<wire::MarketplaceParticipation>>;
        let Ok(answer) = serde_json::from_slice::<Participations>(answer.body()) else {
            let says = "Amazon's list of marketplaces cannot be read.";
            return Finding::warning(what, says, "Try again later.");
        };
        let (mut missing, mut suspended) = (Vec::new(), Vec::new());
        for id in &self.config.marketplace_ids {
            let is_meant = |one: &&wire::MarketplaceParticipation| {
                let marketplace = one.marketplace.as_ref();
                marketplace.and_then(|marketplace| marketplace.id.as_ref()) == Some(id)
            };
            let found = answer.payload.iter().find(is_meant);
            let found = found.and_then(|one| one.participation.as_ref());
            if found.and_then(|one| one.is_participating) != Some(true) {
                missing.push(id.as_str());
            } else if found.and_then(|one| one.has_suspended_listings) == Some(true) {
                suspended.push(id.as_str());
            }
        }
        if !missing.is_empty() {
            let says = format!("The seller does not sell on {}.", missing.join(", "));
            return Finding::bad(
                what,
                says,
                "Correct marketplace_ids in the secret, or register there.",
            );
        }
        if !suspended.is_empty() {
            let says = format!("Listings on {} are inactive.", suspended.join(", "));
            return Finding::warning(
                what,
                says,
                "Look at the account's listing status in Seller Central.",
            );
        }
        let count = self.config.marketplace_ids.len();
        Finding::good(
            what,
            format!("The seller sells on all {count} configured marketplaces."),
        )
    }
}

/// Whether an error leaves it open that the thing is there: a conflict says so, silence does not deny it.
fn may_exist(error: &CallError) -> bool {
    error.effect == Effect::Unknown
}

fn reachability(answer: &Result<Response<Bytes>, CallError>) -> Finding {
    let what = "reachability";
    let error = match answer {
        Ok(_) => return Finding::good(what, "The Selling Partner API answers."),
        Err(error) => error,
    };
    let says = format!("The Selling Partner API does not serve us: {}.", error.code);
    let to_do = match error.kind {
        Kind::Unreachable | Kind::NoAnswer => {
            "See to it that the function can reach the Internet, and that the environment's URL is right."
        }
        Kind::Misconfigured => {
            "Compare the region with the seller's marketplaces, and give the application the roles that it lacks."
        }
        Kind::Throttled => "Wait: this call is allowed once a minute.",
        Kind::ConsentEnded | Kind::TokenInvalid => "See to the credentials first.",
        _ => "Try again later; the fault is Amazon's.",
    };
    match error.kind {
        Kind::Throttled => Finding::warning(what, says, to_do),
        _ => Finding::bad(what, says, to_do),
    }
}

fn destinations(answer: Result<Response<Bytes>, CallError>) -> Finding {
    let what = "application";
    match answer {
        Ok(_) => Finding::good(what, "The application may manage notifications."),
        Err(error) => Finding::bad(
            what,
            format!(
                "The application may not manage notifications: {}.",
                error.code
            ),
            "Compare client_id and client_secret with the developer console; notifications are granted to every application.",
        ),
    }
}

fn subscription(found: Result<Option<wire::Subscription>, CallError>) -> Finding {
    let what = "subscriptions";
    match found {
        Ok(Some(_)) => Finding::good(what, "Changes of orders are subscribed to."),
        Ok(None) => Finding::warning(
            what,
            "Changes of orders are not subscribed to; the sweep still finds them, minutes later.",
            "Subscribe, naming the queue that Amazon shall write to.",
        ),
        Err(error) => Finding::bad(
            what,
            format!("The subscription cannot be read: {}.", error.code),
            "See to the other findings first, then look again.",
        ),
    }
}
