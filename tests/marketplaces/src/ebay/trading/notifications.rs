//! Platform notifications: which are sent, and how they look.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::HeaderMap;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use serde_json::json;

use super::Done;
use super::VERSION;
use super::invalid;
use super::orders::line_id;
use super::xml::Node;
use super::xml::escape;
use super::xml::leaf;
use crate::clock::iso_ms;
use crate::clock::later_ms;
use crate::ebay::signature::platform_signature;
use crate::ebay::state::Order;
use crate::ebay::state::State;
use crate::ebay::types::EbayConfig;
use crate::push::NewPush;
use crate::push::PushView;

/// Events that can be asked for; those that this marketplace has reason to send come first.
const EVENTS: [&str; 5] = [
    "FixedPriceTransaction",
    "AuctionCheckoutComplete",
    "ItemSold",
    "ItemMarkedShipped",
    "ItemClosed",
];

/// Where platform notifications go, and which.
#[derive(Clone, Default)]
pub(in crate::ebay) struct Platform {
    url: Option<String>,
    is_enabled: bool,
    events: BTreeSet<String>,
}

/// Whether a topic of the outbox is one of these events.
pub(in crate::ebay) fn is_platform(topic: &str) -> bool {
    EVENTS.contains(&topic)
}

impl State {
    pub(super) fn set_preferences(&mut self, request: &Node) -> Done {
        if let Some(application) = request.child("ApplicationDeliveryPreferences") {
            if let Some(url) = application.text_of("ApplicationURL") {
                let is_url = url.starts_with("https://") || url.starts_with("http://");
                if !is_url {
                    return Err(invalid("ApplicationURL"));
                }
                self.platform.url = Some(url.to_owned());
            }
            match application.text_of("ApplicationEnable") {
                Some("Enable") => self.platform.is_enabled = true,
                Some("Disable") => self.platform.is_enabled = false,
                None => {}
                Some(_) => return Err(invalid("ApplicationEnable")),
            }
            if application
                .text_of("DeviceType")
                .is_some_and(|device| device != "Platform")
            {
                return Err(invalid("DeviceType"));
            }
        }
        let user = request.child("UserDeliveryPreferenceArray");
        for one in user
            .into_iter()
            .flat_map(|user| user.all("NotificationEnable"))
        {
            let event = one
                .text_of("EventType")
                .filter(|event| EVENTS.contains(event));
            let event = event.ok_or_else(|| invalid("EventType"))?;
            match one.text_of("EventEnable") {
                Some("Enable") => self.platform.events.insert(event.to_owned()),
                Some("Disable") => self.platform.events.remove(event),
                _ => return Err(invalid("EventEnable")),
            };
        }
        Ok(String::new())
    }

    pub(super) fn get_preferences(&self, request: &Node) -> Done {
        match request.text_of("PreferenceLevel") {
            Some("Application") => {
                let enabled = if self.platform.is_enabled {
                    "Enable"
                } else {
                    "Disable"
                };
                let url = self
                    .platform
                    .url
                    .as_ref()
                    .map(|url| leaf("ApplicationURL", url));
                Ok(format!(
                    "<ApplicationDeliveryPreferences>{}{}<DeviceType>Platform</DeviceType></ApplicationDeliveryPreferences>",
                    leaf("ApplicationEnable", enabled),
                    url.unwrap_or_default(),
                ))
            }
            Some("User") => {
                let events = EVENTS.map(|event| {
                    let is_on = self.platform.events.contains(event);
                    let inner = leaf("EventType", event)
                        + &leaf("EventEnable", if is_on { "Enable" } else { "Disable" });
                    format!("<NotificationEnable>{inner}</NotificationEnable>")
                });
                let events = events.concat();
                Ok(format!(
                    "<UserDeliveryPreferenceArray>{events}</UserDeliveryPreferenceArray>"
                ))
            }
            _ => Err(invalid("PreferenceLevel")),
        }
    }

    /// One message a line, where the event is asked for.
    pub(in crate::ebay) fn announce_platform(&mut self, event: &str, order: &Order) {
        let Some(url) = self.platform.url.clone() else {
            return;
        };
        if !self.platform.is_enabled || !self.platform.events.contains(event) {
            return;
        }
        let settings = &self.config.settings;
        for line in &order.lines {
            for _ in 0..settings.push_copies {
                self.outbox.add(NewPush {
                    topic: event.to_owned(),
                    url: url.clone(),
                    data: json!({
                        "orderId": order.order_id,
                        "itemId": line.listing_id,
                        "transactionId": line.line_item_id,
                        "lineId": line_id(line),
                        "sku": line.sku,
                        "quantity": line.quantity,
                    }),
                    due: later_ms(self.now, settings.push_delay_ms),
                    gaps_ms: settings.order_push_gaps_ms.clone(),
                    wait_ms: settings.push_wait_ms,
                });
            }
        }
    }
}

/// A message as it is sent now: its signature is of the time of sending.
pub(in crate::ebay) fn platform_message(
    config: &EbayConfig,
    push: &PushView,
    now: Timestamp,
) -> (HeaderMap, Bytes) {
    let timestamp = iso_ms(now);
    let signature = platform_signature(
        &timestamp,
        &config.dev_id,
        &config.client_id,
        &config.client_secret,
    );
    let text = |field: &str| match &push.data[field] {
        serde_json::Value::String(text) => escape(text).into_owned(),
        other => other.to_string(),
    };
    let event = &push.topic;
    let body = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Header><ebl:RequesterCredentials soapenv:mustUnderstand="0" xmlns:ebl="urn:ebay:apis:eBLBaseComponents"><ebl:NotificationSignature>{signature}</ebl:NotificationSignature></ebl:RequesterCredentials></soapenv:Header><soapenv:Body><GetItemTransactionsResponse xmlns="urn:ebay:apis:eBLBaseComponents"><Timestamp>{timestamp}</Timestamp><Ack>Success</Ack><CorrelationID>{}</CorrelationID><Version>{VERSION}</Version><NotificationEventName>{event}</NotificationEventName><RecipientUserID>{}</RecipientUserID><Item><ItemID>{}</ItemID></Item><TransactionArray><Transaction><QuantityPurchased>{}</QuantityPurchased><TransactionID>{}</TransactionID><ContainingOrder><OrderID>{}</OrderID></ContainingOrder><Variation><SKU>{}</SKU></Variation><OrderLineItemID>{}</OrderLineItemID></Transaction></TransactionArray></GetItemTransactionsResponse></soapenv:Body></soapenv:Envelope>"#,
        push.id,
        escape(&config.seller),
        text("itemId"),
        text("quantity"),
        text("transactionId"),
        text("orderId"),
        text("sku"),
        text("lineId"),
    );
    let mut headers = HeaderMap::new();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/xml;charset=utf-8"),
    );
    let action = format!("\"https://developer.ebay.com/notification/{event}\"");
    if let Ok(action) = HeaderValue::from_str(&action) {
        headers.insert("soapaction", action);
    }
    (headers, Bytes::from(body))
}
