//! The Notification API: the public key, the endpoint's handshake and the signed messages.

use bytes::Bytes;
use http::HeaderMap;
use http::HeaderValue;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;

use super::error;
use super::error::NOTIFICATION;
use super::signature;
use super::state::Order;
use super::state::State;
use crate::answer::Answer;
use crate::clock::iso_ms;
use crate::clock::later_ms;
use crate::error::ControlError;
use crate::push::NewPush;
use crate::push::Outbox;
use crate::push::Push;
use crate::simulator::Pushing;

pub(super) const ORDER_TOPIC: &str = "ORDER_CONFIRMATION";
pub(super) const DELETION_TOPIC: &str = "MARKETPLACE_ACCOUNT_DELETION";

/// A registered endpoint.
#[derive(Clone)]
pub(super) struct Destination {
    pub(super) endpoint: String,
}

/// The first half of a registration: send a GET to `url`, and give what came back to `finish_registration`.
#[derive(Debug, Clone, Serialize)]
pub struct Challenge {
    /// The endpoint with `challenge_code` in its query.
    pub url: String,
    /// The endpoint as it was registered.
    pub endpoint: String,
    /// The answer that eBay will take.
    #[serde(skip)]
    expected: String,
}

impl State {
    /// GET public_key/{kid}
    pub(super) fn get_public_key(&self, kid: &str) -> Answer {
        match signature::public_key(&self.key).filter(|_| kid == self.kid) {
            Some(key) => {
                let body = json!({ "key": key, "algorithm": "ECDSA", "digest": "SHA1" });
                Answer::json(StatusCode::OK, &body)
            }
            None => error::request(
                StatusCode::NOT_FOUND,
                195_001,
                NOTIFICATION,
                "The specified key id is invalid.",
            ),
        }
    }

    /// Draws a challenge for an endpoint. The token must have the form that eBay's portal insists on.
    pub(super) fn challenge(
        &mut self,
        endpoint: &str,
        token: &str,
    ) -> Result<Challenge, ControlError> {
        let is_plain = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b'-';
        if !(32..=80).contains(&token.len()) || !token.bytes().all(is_plain) {
            let message = "195019: the verification token needs 32 to 80 letters, digits, _ or -";
            return Err(ControlError::Invalid(message.to_owned()));
        }
        if endpoint
            .parse::<http::Uri>()
            .is_ok_and(|uri| uri.authority().is_none())
        {
            let message = "195017: the endpoint must be an absolute URL";
            return Err(ControlError::Invalid(message.to_owned()));
        }
        let code = self.random.uuid();
        let joint = if endpoint.contains('?') { '&' } else { '?' };
        Ok(Challenge {
            url: format!("{endpoint}{joint}challenge_code={code}"),
            endpoint: endpoint.to_owned(),
            expected: signature::challenge_response(&code, token, endpoint),
        })
    }

    /// Judges an endpoint's answer to the challenge, and says what was wrong with it.
    pub(super) fn judge(
        &self,
        challenge: &Challenge,
        status: u16,
        content_type: &str,
        body: &[u8],
    ) -> Result<(), ControlError> {
        let refuse = |why: String| {
            let message =
                format!("195020: challenge verification failed for requested endpoint: {why}");
            Err(ControlError::Invalid(message))
        };
        if status != 200 {
            return refuse(format!("status {status}, not 200"));
        }
        let media = content_type.split(';').next().unwrap_or_default().trim();
        if !media.eq_ignore_ascii_case("application/json") {
            return refuse(format!(
                "content type \"{content_type}\", not application/json"
            ));
        }
        // A byte-order mark makes this fail, as it does at eBay.
        let Ok(answer) = serde_json::from_slice::<Value>(body) else {
            return refuse("the body is not JSON".to_owned());
        };
        if answer["challengeResponse"] != challenge.expected {
            return refuse("challengeResponse is not the expected hash".to_owned());
        }
        Ok(())
    }

    /// Takes an endpoint that has proved itself for both topics.
    pub(super) fn register(&mut self, challenge: &Challenge) {
        for topic in [ORDER_TOPIC, DELETION_TOPIC] {
            let destination = Destination {
                endpoint: challenge.endpoint.clone(),
            };
            self.destinations.insert(topic.to_owned(), destination);
        }
    }

    /// One message a line item, as eBay sends it, however often the settings say.
    pub(super) fn announce_order(&mut self, order: &Order) {
        let user_id = "simulatedSeller1";
        let username = self.config.seller.clone();
        for line in &order.lines {
            let data = json!({
                "user": { "userId": user_id, "username": username },
                "order": {
                    "orderId": order.order_id,
                    "orderLineItems": [{
                        "orderLineItemId": line.line_item_id,
                        "listingId": line.listing_id,
                        "quantity": line.quantity,
                    }],
                },
            });
            for _ in 0..self.config.settings.push_copies {
                let due = later_ms(self.now, self.config.settings.push_delay_ms);
                let gaps_ms = self.config.settings.order_push_gaps_ms.clone();
                self.queue(ORDER_TOPIC, data.clone(), due, gaps_ms);
            }
        }
    }

    /// The message that a user's account was closed. `None` where no endpoint is registered.
    pub(super) fn announce_deletion(&mut self, username: &str) -> Option<u64> {
        let data = json!({
            "username": username,
            "userId": self.random.hex(11),
            "eiasToken": format!("nY+{}==", self.random.hex(40)),
        });
        let gaps_ms = self.config.settings.deletion_push_gaps_ms.clone();
        self.queue(DELETION_TOPIC, data, self.now, gaps_ms)
    }

    pub(super) fn queue(
        &mut self,
        topic: &str,
        data: Value,
        due: Timestamp,
        gaps_ms: Vec<u64>,
    ) -> Option<u64> {
        let url = self.destinations.get(topic)?.endpoint.clone();
        let message = json!({
            "notificationId": format!("{}_{}", self.random.uuid(), self.random.uuid()),
            "eventDate": iso_ms(self.now),
            "data": data,
        });
        let wait_ms = self.config.settings.push_wait_ms;
        Some(self.outbox.add(NewPush {
            topic: topic.to_owned(),
            url,
            data: message,
            due,
            gaps_ms,
            wait_ms,
        }))
    }
}

impl Pushing for State {
    fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// Signs what is due. Every attempt is a new text with its own count and date, so each gets its own signature.
    fn take_due(&mut self, now: Timestamp) -> Vec<Push> {
        let (key, kid, config) = (&self.key, &self.kid, &self.config);
        self.outbox.take_due(now, |push| {
            if super::trading::is_platform(&push.topic) {
                return super::trading::platform_message(config, push, now);
            }
            let body = json!({
                "metadata": { "topic": push.topic, "schemaVersion": "1.0", "deprecated": false },
                "notification": {
                    "notificationId": push.data["notificationId"],
                    "eventDate": push.data["eventDate"],
                    "publishDate": iso_ms(now),
                    "publishAttemptCount": push.attempts,
                    "data": push.data["data"],
                },
            });
            let body = Bytes::from(body.to_string());
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            let signed = signature::sign(key, kid, &body);
            if let Some(value) = signed.and_then(|text| HeaderValue::from_str(&text).ok()) {
                headers.insert("x-ebay-signature", value);
            }
            (headers, body)
        })
    }
}
