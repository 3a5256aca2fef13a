//! Messages: pushed as signed forms, and kept for seven days where nobody took them.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use percent_encoding::NON_ALPHANUMERIC;
use percent_encoding::utf8_percent_encode;
use serde_json::Value;
use serde_json::json;

use super::gateway::Params;
use super::gateway::Refused;
use super::signature::message_signature;
use super::state::State;
use crate::clock::later;
use crate::push::NewPush;
use crate::push::Outbox;
use crate::push::Push;
use crate::push::PushState;
use crate::push::PushView;
use crate::simulator::Pushing;

const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

impl State {
    pub(super) fn announce(&mut self, order_id: u64, topic: &str, status: &Value) {
        let data = self.order_message(order_id, status);
        self.send(topic, data);
    }

    /// A refund before shipment is paid. Its message has the refund's status where the order's is otherwise, and its number
    /// without the two letters in front.
    pub(super) fn announce_refund(&mut self, order_id: u64, digits: &str) {
        let mut data = self.order_message(order_id, &json!("refundsuccess"));
        data["refundAction"] = json!("SELLER_AGREE_REFUND");
        data["operator"] = json!("seller");
        data["refundId"] = json!(digits);
        self.send("ORDER_BUYER_VIEW_ORDER_BUYER_REFUND_IN_SALES", data);
    }

    fn order_message(&self, order_id: u64, status: &Value) -> Value {
        json!({
            "orderId": order_id,
            "currentStatus": status,
            "msgSendTime": self.now.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            "buyerMemberId": self.config.member_id,
            "sellerMemberId": "b2b-000000002",
        })
    }

    /// A parcel moves; its message names the order deep inside, as a number.
    pub(super) fn announce_trace(&mut self, order_id: u64, changed: &str) {
        let data = json!({ "OrderLogisticsTracingModel": {
            "statusChanged": changed,
            "changeTime": " ",
            "orderLogsItems": [{ "orderId": order_id, "orderEntryId": order_id }],
        }});
        self.send("LOGISTICS_BUYER_VIEW_TRACE", data);
    }

    fn send(&mut self, topic: &str, data: Value) {
        let settings = &self.config.settings;
        let Some(url) = settings.push_url.clone() else {
            return;
        };
        let gaps = usize::try_from(settings.push_retries).unwrap_or(0);
        self.outbox.add(NewPush {
            topic: topic.to_owned(),
            url,
            data: json!({ "born": self.now.as_millisecond(), "data": data }),
            due: self.now,
            gaps_ms: vec![settings.push_retry_gap_ms; gaps],
            wait_ms: settings.push_wait_ms,
        });
    }

    /// Messages that were given up, the oldest first. Taking them moves the pages.
    pub(super) fn missed_messages(&mut self, params: &Params) -> Result<Value, Refused> {
        let page = params.number("page", 1)?;
        let size = params.number("pageSize", 20)?;
        if page == 0 || !(20..=200).contains(&size) {
            return Err(Refused::missing("pageSize"));
        }
        let user = params.get("userInfo");
        let views = self.outbox.views();
        let is_missed = |view: &&PushView| {
            let born = view.data["born"]
                .as_i64()
                .and_then(|ms| Timestamp::from_millisecond(ms).ok());
            view.state == PushState::GivenUp
                && !self.confirmed.contains(&view.id)
                && born.is_some_and(|born| later(born, KEPT) > self.now)
                && user.is_none_or(|user| user == self.config.member_id)
        };
        let missed: Vec<_> = views.iter().filter(is_missed).collect();
        let place = |number| usize::try_from(number).unwrap_or(usize::MAX);
        let shown = missed
            .iter()
            .skip(place((page - 1) * size))
            .take(place(size));
        let datas: Vec<Value> = shown
            .map(|view| message(view, &self.config.member_id))
            .collect();
        Ok(json!({ "pushMessagePage": { "datas": datas, "totalCount": missed.len() } }))
    }

    pub(super) fn confirm_messages(&mut self, params: &Params) -> Result<Value, Refused> {
        let ids = params.json("msgIdList")?;
        let ids = ids
            .as_array()
            .ok_or_else(|| Refused::missing("msgIdList"))?;
        self.confirmed.extend(ids.iter().filter_map(Value::as_u64));
        Ok(json!({ "isSuccess": true }))
    }
}

impl Pushing for State {
    fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    fn take_due(&mut self, now: Timestamp) -> Vec<Push> {
        let config = &self.config;
        self.outbox.take_due(now, |push| {
            let message = message(push, &config.member_id).to_string();
            let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let signature = message_signature(&config.app_secret, &message);
            let body = format!("message={}&_aop_signature={signature}", encode(&message));
            let mut headers = HeaderMap::new();
            let form = "application/x-www-form-urlencoded;charset=UTF-8";
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(form));
            (headers, Bytes::from(body))
        })
    }
}

fn message(push: &PushView, member: &str) -> Value {
    json!({
        "msgId": push.id,
        "gmtBorn": push.data["born"],
        "type": push.topic,
        "userInfo": member,
        "data": push.data["data"],
    })
}
