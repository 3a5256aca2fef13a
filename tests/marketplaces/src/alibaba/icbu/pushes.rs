//! Pushes of order events, as on the sister platform.

use bytes::Bytes;
use http::HeaderMap;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use serde_json::json;

use super::state::State;
use super::types::TradeStatus;
use crate::aliexpress::signature::push_authorization;
use crate::push::NewPush;
use crate::push::Outbox;
use crate::push::Push;
use crate::simulator::Pushing;

/// An order's status has changed.
const MESSAGE_TYPE: u32 = 3;

impl State {
    pub(super) fn announce(&mut self, trade_id: u64, status: TradeStatus) {
        let settings = &self.config.settings;
        let Some(url) = settings.push_url.clone() else {
            return;
        };
        let gaps = usize::try_from(settings.push_retries).unwrap_or(0);
        let data = json!({
            "status": status,
            "trade_id_str": trade_id.to_string(),
            "status_update_time": self.now.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        });
        self.outbox.add(NewPush {
            topic: data["status"].as_str().unwrap_or_default().to_owned(),
            url,
            data,
            due: self.now,
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
                "site": "icbu_global",
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
}
