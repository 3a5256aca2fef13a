//! The calls by which pushes are subscribed to (Commerce Notification API v1).

use axum::Router;
use axum::extract::Path;
use axum::extract::State as Of;
use axum::response::Response;
use axum::routing::get;
use axum::routing::post;
use axum::routing::put;
use http::StatusCode;
use http::header::LOCATION;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use super::Ebay;
use super::error;
use super::error::NOTIFICATION;
use super::notification::DELETION_TOPIC;
use super::notification::Destination;
use super::notification::ORDER_TOPIC;
use super::state::State;
use super::types::EbayOperation as Operation;
use super::types::SCOPE_NOTIFICATION;
use crate::answer::Answer;
use crate::answer::Call;
use crate::error::ControlError;
use crate::form;

const BASE: &str = "/commerce/notification/v1";
/// Topics, and whether a seller's consent is needed.
const TOPICS: [(&str, bool); 3] = [
    (DELETION_TOPIC, false),
    (ORDER_TOPIC, true),
    ("PRIORITY_LISTING_REVISION", true),
];
const SCHEMA_VERSIONS: [(&str, bool); 2] = [("0.9", true), ("1.0", false)];

/// An endpoint that was told to eBay.
#[derive(Clone)]
pub(super) struct Endpoint {
    name: String,
    status: String,
    url: String,
}

/// A subscription.
#[derive(Clone)]
pub(super) struct Subscription {
    topic: String,
    status: String,
    destination_id: String,
    schema_version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EndpointRequest {
    name: Option<String>,
    status: Option<String>,
    delivery_config: Option<DeliveryConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeliveryConfig {
    endpoint: Option<String>,
    verification_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SubscriptionRequest {
    topic_id: Option<String>,
    status: Option<String>,
    payload: Option<Payload>,
    destination_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    format: Option<String>,
    schema_version: Option<String>,
    delivery_protocol: Option<String>,
}

pub(super) fn router() -> Router<Ebay> {
    let at = |path: &str| format!("{BASE}{path}");
    Router::new()
        .route(&at("/config"), get(get_config).put(update_config))
        .route(&at("/topic"), get(get_topics))
        .route(
            &at("/destination"),
            get(get_destinations).post(create_destination),
        )
        .route(&at("/destination/{id}"), put(update_destination))
        .route(
            &at("/subscription"),
            get(get_subscriptions).post(create_subscription),
        )
        .route(&at("/subscription/{id}"), put(update_subscription))
        .route(&at("/subscription/{id}/enable"), post(enable_subscription))
        .route(&at("/subscription/{id}/test"), post(test_subscription))
}

async fn get_config(Of(ebay): Of<Ebay>, call: Call) -> Response {
    ebay.serve_authorized(Operation::GetConfig, &call, &[], |state| {
        match &state.alert_email {
            Some(email) => Answer::json(StatusCode::OK, &json!({ "alertEmail": email })),
            None => {
                let message = "Configuration Not Found.";
                let entry = error::entry_of(195_026, NOTIFICATION, "APPLICATION", message);
                Answer::json(StatusCode::NOT_FOUND, &json!({ "errors": [entry] }))
            }
        }
    })
}

async fn update_config(Of(ebay): Of<Ebay>, call: Call) -> Response {
    ebay.serve_authorized(Operation::UpdateConfig, &call, &[], |state| {
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let email = body["alertEmail"].as_str().unwrap_or_default();
        let parts = email.split_once('@');
        if !parts.is_some_and(|(user, host)| !user.is_empty() && host.contains('.')) {
            return refuse(400, 195_025, "Invalid or missing email.");
        }
        state.alert_email = Some(email.to_owned());
        Answer::empty(StatusCode::NO_CONTENT)
    })
}

async fn get_topics(Of(ebay): Of<Ebay>, call: Call) -> Response {
    ebay.serve_authorized(Operation::GetTopics, &call, &[], |_| {
        let topics = TOPICS
            .iter()
            .map(|(topic, of_user)| topic_json(topic, *of_user));
        page(&call, "topics", topics.collect())
    })
}

async fn get_destinations(Of(ebay): Of<Ebay>, call: Call) -> Response {
    ebay.serve_authorized(Operation::GetDestinations, &call, &[], |state| {
        let known = state.endpoints.iter().map(|(id, endpoint)| {
            json!({
                "destinationId": id,
                "name": endpoint.name,
                "status": endpoint.status,
                "deliveryConfig": { "endpoint": endpoint.url },
            })
        });
        page(&call, "destinations", known.collect())
    })
}

async fn create_destination(Of(ebay): Of<Ebay>, call: Call) -> Response {
    let proved = prove(&ebay, &call).await;
    ebay.serve_authorized(Operation::CreateDestination, &call, &[], |state| {
        if state.alert_email.is_none() {
            return no_config();
        }
        let endpoint = match endpoint(&call, proved) {
            Ok(endpoint) => endpoint,
            Err(answer) => return *answer,
        };
        if state
            .endpoints
            .values()
            .any(|known| known.url == endpoint.url)
        {
            return refuse(409, 195_021, "Destination exists for this endpoint");
        }
        let id = state.random.uuid();
        state.endpoints.insert(id.clone(), endpoint);
        let location = format!("{}{BASE}/destination/{id}", call.origin());
        Answer::empty(StatusCode::CREATED).with(LOCATION, location)
    })
}

async fn update_destination(Of(ebay): Of<Ebay>, Path(id): Path<String>, call: Call) -> Response {
    let proved = prove(&ebay, &call).await;
    ebay.serve_authorized(Operation::UpdateDestination, &call, &[], |state| {
        if !state.endpoints.contains_key(&id) {
            return refuse(404, 195_022, "Invalid or missing destination id.");
        }
        let endpoint = match endpoint(&call, proved) {
            Ok(endpoint) => endpoint,
            Err(answer) => return *answer,
        };
        let mut others = state.endpoints.iter().filter(|(other, _)| **other != id);
        if others.any(|(_, known)| known.url == endpoint.url) {
            return refuse(409, 195_021, "Destination exists for this endpoint");
        }
        state.endpoints.insert(id, endpoint);
        state.route_topics();
        Answer::empty(StatusCode::NO_CONTENT)
    })
}

async fn get_subscriptions(Of(ebay): Of<Ebay>, call: Call) -> Response {
    ebay.serve_notified(Operation::GetSubscriptions, &call, |state, of_user| {
        let theirs = state.subscriptions.iter().filter(|(_, one)| is_of_user(&one.topic) == of_user);
        let theirs = theirs.map(|(id, one)| {
            json!({
                "subscriptionId": id,
                "topicId": one.topic,
                "status": one.status,
                "creationDate": "2026-01-01T00:00:00.000Z",
                "payload": {
                    "format": "JSON", "schemaVersion": one.schema_version, "deliveryProtocol": "HTTPS",
                },
                "destinationId": one.destination_id,
            })
        });
        page(&call, "subscriptions", theirs.collect())
    })
}

async fn create_subscription(Of(ebay): Of<Ebay>, call: Call) -> Response {
    ebay.serve_notified(Operation::CreateSubscription, &call, |state, of_user| {
        if state.alert_email.is_none() {
            return no_config();
        }
        let Ok(request) = serde_json::from_slice::<SubscriptionRequest>(&call.body) else {
            return refuse(400, 195_027, "Invalid or missing topic id.");
        };
        let topic = request.topic_id.clone().unwrap_or_default();
        if !TOPICS.iter().any(|(known, _)| *known == topic) {
            return refuse(400, 195_027, "Invalid or missing topic id.");
        }
        if is_of_user(&topic) != of_user || state.config.settings.restricted_topics.contains(&topic)
        {
            return refuse(403, 195_011, "Not authorized for this topic.");
        }
        if state
            .subscriptions
            .values()
            .any(|known| known.topic == topic)
        {
            return refuse(409, 195_012, "Subscription already exists");
        }
        let subscription = match state.subscription(topic, request) {
            Ok(subscription) => subscription,
            Err(answer) => return *answer,
        };
        let id = state.random.uuid();
        state.subscriptions.insert(id.clone(), subscription);
        state.route_topics();
        let location = format!("{}{BASE}/subscription/{id}", call.origin());
        Answer::empty(StatusCode::CREATED).with(LOCATION, location)
    })
}

async fn update_subscription(Of(ebay): Of<Ebay>, Path(id): Path<String>, call: Call) -> Response {
    ebay.serve_notified(Operation::UpdateSubscription, &call, |state, of_user| {
        let Some(topic) = state.topic_of(&id, of_user) else {
            return unknown_subscription();
        };
        let Ok(request) = serde_json::from_slice::<SubscriptionRequest>(&call.body) else {
            return refuse(400, 195_006, "Invalid or missing subscription status.");
        };
        match state.subscription(topic, request) {
            Ok(subscription) => {
                state.subscriptions.insert(id, subscription);
                state.route_topics();
                Answer::empty(StatusCode::NO_CONTENT)
            }
            Err(answer) => *answer,
        }
    })
}

async fn enable_subscription(Of(ebay): Of<Ebay>, Path(id): Path<String>, call: Call) -> Response {
    ebay.serve_notified(Operation::EnableSubscription, &call, |state, of_user| {
        if state.topic_of(&id, of_user).is_none() {
            return unknown_subscription();
        }
        let destination = state
            .subscriptions
            .get(&id)
            .map(|one| one.destination_id.clone());
        if !destination.is_some_and(|id| state.is_enabled(&id)) {
            return not_enabled();
        }
        if let Some(subscription) = state.subscriptions.get_mut(&id) {
            subscription.status = "ENABLED".to_owned();
        }
        state.route_topics();
        Answer::empty(StatusCode::NO_CONTENT)
    })
}

async fn test_subscription(Of(ebay): Of<Ebay>, Path(id): Path<String>, call: Call) -> Response {
    ebay.serve_notified(Operation::TestSubscription, &call, |state, of_user| {
        let Some(topic) = state.topic_of(&id, of_user) else {
            return unknown_subscription();
        };
        state.send_test(&id, &topic);
        Answer::empty(StatusCode::ACCEPTED)
    })
}

impl Ebay {
    /// As `serve_authorized`, for calls that take the token of an application or of a seller; which, is told.
    fn serve_notified(
        &self,
        operation: Operation,
        call: &Call,
        run: impl FnOnce(&mut State, bool) -> Answer,
    ) -> Response {
        self.serve(operation, |state| {
            if state.check_token(call, &[]).is_ok() {
                return run(state, false);
            }
            match state.check_token(call, &[SCOPE_NOTIFICATION]) {
                Ok(()) => run(state, true),
                Err(answer) => *answer,
            }
        })
    }
}

impl State {
    /// Endpoints do not get pushes any more until they are updated.
    pub(super) fn mark_endpoints_down(&mut self) {
        for endpoint in self.endpoints.values_mut() {
            endpoint.status = "MARKED_DOWN".to_owned();
        }
        self.route_topics();
    }

    /// Each topic with an enabled subscription goes to that subscription's endpoint. What was registered by hand stays.
    fn route_topics(&mut self) {
        for subscription in self.subscriptions.values() {
            let endpoint = self.endpoints.get(&subscription.destination_id);
            let endpoint = endpoint.filter(|one| one.status == "ENABLED");
            match endpoint.filter(|_| subscription.status == "ENABLED") {
                Some(endpoint) => {
                    let destination = Destination {
                        endpoint: endpoint.url.clone(),
                    };
                    self.destinations
                        .insert(subscription.topic.clone(), destination);
                }
                None => {
                    self.destinations.remove(&subscription.topic);
                }
            }
        }
    }

    fn topic_of(&self, id: &str, of_user: bool) -> Option<String> {
        let subscription = self.subscriptions.get(id)?;
        (is_of_user(&subscription.topic) == of_user).then(|| subscription.topic.clone())
    }

    fn is_enabled(&self, destination: &str) -> bool {
        let endpoint = self.endpoints.get(destination);
        endpoint.is_some_and(|endpoint| endpoint.status == "ENABLED")
    }

    fn subscription(
        &self,
        topic: String,
        request: SubscriptionRequest,
    ) -> Result<Subscription, Box<Answer>> {
        let refuse = |id, message| Err(Box::new(refuse(400, id, message)));
        let status = request.status.unwrap_or_default();
        if !["ENABLED", "DISABLED"].contains(&status.as_str()) {
            return refuse(195_006, "Invalid or missing subscription status.");
        }
        let destination_id = request.destination_id.unwrap_or_default();
        if !self.endpoints.contains_key(&destination_id) {
            return refuse(195_007, "Invalid or missing destination id.");
        }
        let payload = request.payload;
        let schema_version = payload.as_ref().and_then(|one| one.schema_version.clone());
        let schema_version = schema_version.unwrap_or_default();
        if !SCHEMA_VERSIONS
            .iter()
            .any(|(known, _)| *known == schema_version)
        {
            return refuse(195_008, "Invalid or missing schema version.");
        }
        if payload.as_ref().and_then(|one| one.format.as_deref()) != Some("JSON") {
            return refuse(195_009, "Specified format is not supported for the topic.");
        }
        if payload
            .as_ref()
            .and_then(|one| one.delivery_protocol.as_deref())
            != Some("HTTPS")
        {
            return refuse(195_010, "Invalid or missing protocol");
        }
        if status == "ENABLED" && !self.is_enabled(&destination_id) {
            return Err(Box::new(not_enabled()));
        }
        Ok(Subscription {
            topic,
            status,
            destination_id,
            schema_version,
        })
    }

    /// A made-up push, to the subscription's endpoint although it is not enabled.
    fn send_test(&mut self, id: &str, topic: &str) {
        let destination = self
            .subscriptions
            .get(id)
            .map(|one| one.destination_id.clone());
        let url = destination.and_then(|id| Some(self.endpoints.get(&id)?.url.clone()));
        let Some(endpoint) = url else {
            return;
        };
        let before = self
            .destinations
            .insert(topic.to_owned(), Destination { endpoint });
        let data = if topic == DELETION_TOPIC {
            json!({ "username": "test_user", "userId": "ma8vp1jySJC", "eiasToken": "nY+sHZ2PrBmdj6wVnY+sEZ2PrA2dj6w==" })
        } else {
            json!({ "order": { "orderId": "00-00000-00000", "orderLineItems": [] } })
        };
        let (now, gaps) = (self.now, self.config.settings.order_push_gaps_ms.clone());
        self.queue(topic, data, now, gaps);
        match before {
            Some(before) => self.destinations.insert(topic.to_owned(), before),
            None => self.destinations.remove(topic),
        };
    }
}

/// Asks the endpoint of a request to prove itself; `None` where the request names none.
async fn prove(ebay: &Ebay, call: &Call) -> Option<Result<(), ControlError>> {
    let request: EndpointRequest = serde_json::from_slice(&call.body).ok()?;
    let config = request.delivery_config?;
    let (endpoint, token) = (config.endpoint?, config.verification_token?);
    if !ebay.settings().challenge_destinations {
        return Some(ebay.begin_registration(&endpoint, &token).map(|_| ()));
    }
    Some(ebay.prove_endpoint(&endpoint, &token).await.map(|_| ()))
}

fn endpoint(
    call: &Call,
    proved: Option<Result<(), ControlError>>,
) -> Result<Endpoint, Box<Answer>> {
    let refuse_with = |status, id, message| Err(Box::new(refuse(status, id, message)));
    let Ok(request) = serde_json::from_slice::<EndpointRequest>(&call.body) else {
        return refuse_with(400, 195_017, "Invalid or missing endpoint.");
    };
    let name = request.name.unwrap_or_default();
    if name.is_empty() || name.len() > 64 || name.contains('<') {
        return refuse_with(400, 195_016, "Invalid name.");
    }
    let status = request.status.unwrap_or_default();
    if !["ENABLED", "DISABLED"].contains(&status.as_str()) {
        return refuse_with(400, 195_018, "Invalid or missing destination status.");
    }
    let config = request.delivery_config;
    let url = config.as_ref().and_then(|one| one.endpoint.clone());
    let token = config.and_then(|one| one.verification_token);
    let (Some(url), true) = (url, token.is_some()) else {
        return refuse_with(400, 195_017, "Invalid or missing endpoint.");
    };
    match proved {
        Some(Ok(())) => Ok(Endpoint { name, status, url }),
        Some(Err(error)) if error.to_string().starts_with("195019") => {
            let message = "Invalid or missing verification token for this endpoint.";
            refuse_with(400, 195_019, message)
        }
        Some(Err(error)) if error.to_string().starts_with("195017") => {
            refuse_with(400, 195_017, "Invalid or missing endpoint.")
        }
        _ => {
            let message = "Challenge verification failed for requested endpoint";
            refuse_with(409, 195_020, message)
        }
    }
}

/// A page of a list, with a continuation token that is the place of the next entry.
fn page(call: &Call, name: &str, all: Vec<Value>) -> Answer {
    let query = call.uri.query();
    let limit = form::query_value(query, "limit").map_or(Some(20), |text| text.parse().ok());
    let Some(limit) = limit.filter(|limit| (10..=100).contains(limit)) else {
        return refuse(400, 195_004, "Invalid limit. Supported ranges 10 - 100.");
    };
    let token = form::query_value(query, "continuation_token");
    let Some(from) = token.map_or(Some(0_usize), |text| text.parse().ok()) else {
        return refuse(400, 195_005, "Invalid continuation token.");
    };
    let total = all.len();
    let shown: Vec<Value> = all.into_iter().skip(from).take(limit).collect();
    let path = format!("{}{}", call.origin(), call.uri.path());
    let mut body = json!({ "total": total, "href": path, "limit": limit });
    body[name] = json!(shown);
    if from + limit < total {
        let next = format!("{path}?limit={limit}&continuation_token={}", from + limit);
        body["next"] = json!(next);
    }
    Answer::json(StatusCode::OK, &body)
}

fn topic_json(topic: &str, of_user: bool) -> Value {
    let payloads = SCHEMA_VERSIONS.iter().map(|(version, deprecated)| {
        json!({
            "schemaVersion": version, "format": ["JSON"], "deliveryProtocol": "HTTPS",
            "deprecated": deprecated,
        })
    });
    let scopes = if of_user {
        vec![SCOPE_NOTIFICATION]
    } else {
        Vec::new()
    };
    json!({
        "topicId": topic,
        "description": format!("The topic {topic}."),
        "authorizationScopes": scopes,
        "status": "ENABLED",
        "context": "SELL",
        "scope": if of_user { "USER" } else { "APPLICATION" },
        "supportedPayloads": payloads.collect::<Vec<_>>(),
    })
}

fn is_of_user(topic: &str) -> bool {
    TOPICS
        .iter()
        .any(|(known, of_user)| *known == topic && *of_user)
}

fn refuse(status: u16, id: u32, message: &str) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    error::request(status, id, NOTIFICATION, message)
}

fn no_config() -> Answer {
    let message = "Please provide configurations required for notifications. Refer to /config";
    refuse(409, 195_003, message)
}

fn not_enabled() -> Answer {
    let message = "The subscription cannot be enabled since the destination is not enabled.";
    refuse(409, 195_015, message)
}

fn unknown_subscription() -> Answer {
    refuse(404, 195_013, "Invalid subscription Id.")
}
