//! Pushes of order events, and the rule that stops them ("How to use Webhook"; retries and the stop rule as the
//! sister platform documents them).

use bytes::Bytes;
use http::HeaderMap;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use serde_json::json;

use super::signature::push_authorization;
use super::state::State;
use crate::push::NewPush;
use crate::push::Outbox;
use crate::push::Push;
use crate::simulator::Pushing;

/// DROPSHIPPER_ORDER_STATUS_UPDATE
const MESSAGE_TYPE: u32 = 53;
/// The stop rule waits for this many answers, so that one early failure does not end everything.
const STOP_RULE_MINIMUM: usize = 10;

/// What a push can say of an order.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    Created,
    Paid,
    PaymentFailed,
    Shipped,
    Confirmed,
    Closed,
}

impl Event {
    fn name(self) -> &'static str {
        match self {
            Self::Created => "OrderCreated",
            Self::Paid => "PaymentAuthorized",
            Self::PaymentFailed => "paymentFailedEvent",
            Self::Shipped => "OrderShipped",
            Self::Confirmed => "OrderConfirmed",
            Self::Closed => "OrderClosed",
        }
    }
}

impl State {
    pub(super) fn announce(&mut self, order_id: u64, event: Event, at: Timestamp) {
        let settings = &self.config.settings;
        let Some(url) = settings.push_url.clone() else {
            return;
        };
        if self.counters.push_stopped {
            return;
        }
        let gaps = usize::try_from(settings.push_retries).unwrap_or(0);
        let buyer_id: u64 = self.config.seller_id.parse().unwrap_or(0);
        self.outbox.add(NewPush {
            topic: event.name().to_owned(),
            url,
            data: json!({ "buyerId": buyer_id, "orderId": order_id, "orderStatus": event.name() }),
            due: at,
            gaps_ms: vec![settings.push_retry_gap_ms; gaps],
            wait_ms: settings.push_wait_ms,
        });
    }
}

impl Pushing for State {
    fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    fn take_due(&mut self, now: Timestamp) -> Vec<Push> {
        let config = &self.config;
        self.outbox.take_due(now, |push| {
            let body = json!({
                "seller_id": config.seller_id,
                "message_type": MESSAGE_TYPE,
                "data": push.data,
                "timestamp": now.as_second(),
                "site": "ae_global",
            });
            let body = Bytes::from(body.to_string());
            let signature = push_authorization(&config.app_key, &config.app_secret, &body);
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            if let Ok(value) = HeaderValue::from_str(&signature) {
                headers.insert(AUTHORIZATION, value);
            }
            (headers, body)
        })
    }

    fn note_answer(&mut self, id: u64, status: Option<u16>, now: Timestamp) -> bool {
        if !self.outbox.answered(id, status, now) {
            return false;
        }
        let window = usize::try_from(self.config.settings.push_stop_window).unwrap_or(0);
        let is_good = status.is_some_and(|status| (200..300).contains(&status));
        self.push_answers.push_back(is_good);
        while self.push_answers.len() > window {
            self.push_answers.pop_front();
        }
        let failures = self.push_answers.iter().filter(|good| !**good).count();
        let seen = self.push_answers.len();
        if seen >= STOP_RULE_MINIMUM.min(window) && failures * 2 > seen {
            self.counters.push_stopped = true;
            self.outbox.give_up_pending();
        }
        true
    }
}
