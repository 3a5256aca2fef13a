//! Subscriptions over the Notification API, and what is left of the quotas over the Developer Analytics API.

use super::{Call, Caller, Client, SEGMENT};
use crate::marketplaces::{
    CallError, Kind,
    ebay::{convert, error::Operation, limits, wire},
};
use bytes::Bytes;
use http::{HeaderMap, Method, header};
use jiff::Timestamp;
use percent_encoding::utf8_percent_encode;
use serde::de::DeserializeOwned;
use std::pin::Pin;
use url::Url;

const NOTIFICATION: &str = "/commerce/notification/v1";
/// Entries of one page of a list (Notification API: 10 to 100).
const ENTRIES_PER_PAGE: u32 = 100;
/// Pages of a list that are read; what has more is taken for a circle.
const MOST_PAGES: usize = 20;

impl Client {
    /// getConfig: the address that eBay writes to; `None` where none is set.
    pub(in super::super) async fn alert_email(&self) -> Result<Option<String>, CallError> {
        let call = Call::get(Operation::GetConfig, format!("{NOTIFICATION}/config"));
        let read = self.read(&call, Caller::Application).await;
        match read {
            Ok(wire::NotificationConfig { alert_email }) => {
                Ok(alert_email.filter(|email| !email.is_empty()))
            }
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// updateConfig.
    pub(in super::super) async fn set_alert_email(&self, email: &str) -> Result<(), CallError> {
        let config = wire::NotificationConfig {
            alert_email: Some(email.to_owned()),
        };
        let (operation, path) = (Operation::UpdateConfig, format!("{NOTIFICATION}/config"));
        let body = self.json(operation, &config)?;
        let call = Call::with(operation, Method::PUT, path, body);
        self.send(&call, Caller::Application).await.map(|_| ())
    }

    /// getTopics: all that can be subscribed to.
    pub(in super::super) async fn topics(&self) -> Result<Vec<wire::Topic>, CallError> {
        self.list(Operation::GetTopics, "topic", Caller::Application)
            .await
    }

    /// getDestinations: all endpoints of the application.
    pub(in super::super) async fn destinations(&self) -> Result<Vec<wire::Destination>, CallError> {
        self.list(
            Operation::GetDestinations,
            "destination",
            Caller::Application,
        )
        .await
    }

    /// createDestination: our endpoint, which eBay asks to prove itself before it answers.
    pub(in super::super) async fn create_destination(&self) -> Result<(), CallError> {
        let path = format!("{NOTIFICATION}/destination");
        self.put_destination(Operation::CreateDestination, Method::POST, path)
            .await
    }

    /// updateDestination: our endpoint is enabled again.
    pub(in super::super) async fn enable_destination(&self, id: &str) -> Result<(), CallError> {
        let id = utf8_percent_encode(id, SEGMENT);
        let path = format!("{NOTIFICATION}/destination/{id}");
        self.put_destination(Operation::UpdateDestination, Method::PUT, path)
            .await
    }

    /// getSubscriptions: those of the application, or those of the seller.
    pub(in super::super) async fn subscriptions(
        &self,
        caller: Caller,
    ) -> Result<Vec<wire::Subscription>, CallError> {
        self.list(Operation::GetSubscriptions, "subscription", caller)
            .await
    }

    /// createSubscription, disabled at first; its id where eBay says it.
    pub(in super::super) async fn create_subscription(
        &self,
        caller: Caller,
        subscription: &wire::NewSubscription<'_>,
    ) -> Result<Option<String>, CallError> {
        let operation = Operation::CreateSubscription;
        let path = format!("{NOTIFICATION}/subscription");
        let body = self.json(operation, subscription)?;
        let call = Call::with(operation, Method::POST, path, body);
        let answer = self.send(&call, caller).await?;
        Ok(id_of_location(answer.headers()))
    }

    /// updateSubscription.
    pub(in super::super) async fn update_subscription(
        &self,
        caller: Caller,
        id: &str,
        subscription: &wire::NewSubscription<'_>,
    ) -> Result<(), CallError> {
        let operation = Operation::UpdateSubscription;
        let id = utf8_percent_encode(id, SEGMENT);
        let path = format!("{NOTIFICATION}/subscription/{id}");
        let body = self.json(operation, subscription)?;
        let call = Call::with(operation, Method::PUT, path, body);
        self.send(&call, caller).await.map(|_| ())
    }

    /// enableSubscription.
    pub(in super::super) async fn enable_subscription(
        &self,
        caller: Caller,
        id: &str,
    ) -> Result<(), CallError> {
        self.post_to_subscription(Operation::EnableSubscription, caller, id, "enable")
            .await
    }

    /// test: a made-up push of the topic, to a subscription that is disabled.
    pub(in super::super) async fn test_subscription(
        &self,
        caller: Caller,
        id: &str,
    ) -> Result<(), CallError> {
        self.post_to_subscription(Operation::TestSubscription, caller, id, "test")
            .await
    }

    /// getRateLimits (Developer Analytics API), with eBay's time where it says one. Without quotas the answer is empty.
    pub(in super::super) async fn rate_limits(
        &self,
    ) -> Result<(wire::RateLimits, Option<Timestamp>), CallError> {
        let operation = Operation::GetRateLimits;
        let path = "/developer/analytics/v1_beta/rate_limit/".to_owned();
        let call = Call::get(operation, path);
        let answer = self.send(&call, Caller::Application).await?;
        let limits = if answer.body().is_empty() {
            wire::RateLimits::default()
        } else {
            serde_json::from_slice(answer.body())
                .map_err(|error| self.fault(operation).unreadable(&error))?
        };
        Ok((limits, date(answer.headers())))
    }

    /// Asks for the application's own quotas, where a figure that is only often quoted keeps calls back: many have a
    /// larger one. At most once in a while in one process; what is learned is shared with all.
    pub(super) fn learn_quotas(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            let now = self.outside.clock.now();
            {
                let mut learned = self.quotas_learned_at.lock();
                let learned = learned.as_deref_mut().ok();
                let Some(learned) = learned else { return };
                let again = learned.and_then(|at| at.checked_add(limits::QUOTAS_KEPT).ok());
                if again.is_some_and(|again| now < again) {
                    return;
                }
                *learned = Some(now);
            }
            let Ok((told, _)) = self.rate_limits().await else {
                return;
            };
            for (name, calls_per_million_s) in convert::rates(&told) {
                let learned = self
                    .outside
                    .learned_rate(&self.account, name, calls_per_million_s);
                learned.await;
            }
        })
    }

    async fn put_destination(
        &self,
        operation: Operation,
        method: Method,
        path: String,
    ) -> Result<(), CallError> {
        let destination = wire::NewDestination {
            name: "kervan",
            status: "ENABLED",
            delivery_config: wire::DeliveryConfig {
                endpoint: &self.config.endpoint,
                // eBay makes the hash of the challenge with it; that is what it is for.
                verification_token: self.config.verification_token.expose(),
            },
        };
        let body = self.json(operation, &destination)?;
        let call = Call::with(operation, method, path, body);
        self.send(&call, Caller::Application).await.map(|_| ())
    }

    async fn post_to_subscription(
        &self,
        operation: Operation,
        caller: Caller,
        id: &str,
        what: &str,
    ) -> Result<(), CallError> {
        let id = utf8_percent_encode(id, SEGMENT);
        let path = format!("{NOTIFICATION}/subscription/{id}/{what}");
        let call = Call::with(operation, Method::POST, path, Bytes::new());
        self.send(&call, caller).await.map(|_| ())
    }

    /// All pages of a list.
    async fn list<T: DeserializeOwned>(
        &self,
        operation: Operation,
        of: &str,
        caller: Caller,
    ) -> Result<Vec<T>, CallError> {
        let first = format!("{NOTIFICATION}/{of}?limit={ENTRIES_PER_PAGE}");
        let mut path = first.clone();
        let mut all = Vec::new();
        for _ in 0..MOST_PAGES {
            let page: wire::Listed<T> = self.read(&Call::get(operation, path), caller).await?;
            all.extend(page.items.unwrap_or_default());
            let Some(next) = page.next.filter(|next| !next.is_empty()) else {
                return Ok(all);
            };
            // Only the token is taken from it: where it leads is not believed.
            let token = continuation(&next);
            let token = token.ok_or_else(|| self.fault(operation).meaningless("next"))?;
            let token = utf8_percent_encode(&token, SEGMENT);
            path = format!("{first}&continuation_token={token}");
        }
        Err(self.fault(operation).meaningless("next"))
    }
}

fn continuation(next: &str) -> Option<String> {
    let base = Url::parse("https://api.ebay.com").ok()?;
    let next = base.join(next).ok()?;
    let mut pairs = next.query_pairs();
    let (_, token) = pairs.find(|(name, _)| name == "continuation_token")?;
    (!token.is_empty()).then(|| token.into_owned())
}

/// The id at the end of a `Location`.
fn id_of_location(headers: &HeaderMap) -> Option<String> {
    let location = headers.get(header::LOCATION)?.to_str().ok()?;
    let id = location.split('?').next()?.rsplit('/').next()?;
    (!id.is_empty()).then(|| id.to_owned())
}

/// The time at which an answer was made, by its `Date`.
fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(header::DATE)?.to_str().ok()?;
    jiff::fmt::rfc2822::parse(text)
        .ok()
        .map(|zoned| zoned.timestamp())
}
