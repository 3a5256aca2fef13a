//! What is inside feeds: listings as JSON (schemas "listings feed v2"), acknowledgements of orders as XML.

use std::collections::BTreeSet;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use super::state::Line;
use super::state::State;
use super::types::AmazonStatus;

/// The content type of reports, which are packed.
pub(super) const PACKED: &str = "application/gzip";

const MOST_MESSAGES: usize = 25_000;

pub(super) fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing into memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "Header")]
    header: Header,
    #[serde(rename = "MessageType")]
    message_type: String,
    #[serde(rename = "Message")]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Header {
    #[serde(rename = "DocumentVersion")]
    version: String,
    #[serde(rename = "MerchantIdentifier")]
    merchant: String,
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "MessageID")]
    id: u32,
    #[serde(rename = "OrderAcknowledgement")]
    acknowledgement: Acknowledgement,
}

#[derive(Deserialize)]
struct Acknowledgement {
    #[serde(rename = "AmazonOrderID")]
    order: String,
    #[serde(rename = "StatusCode")]
    status: String,
    #[serde(rename = "Item", default)]
    items: Vec<AcknowledgedItem>,
}

#[derive(Deserialize)]
struct AcknowledgedItem {
    #[serde(rename = "AmazonOrderItemCode")]
    code: String,
    #[serde(rename = "CancelReason")]
    reason: Option<String>,
}

impl State {
    /// Works a JSON_LISTINGS_FEED off. `None` where the document itself is broken: the feed is fatal.
    pub(super) fn work_off_listings(&mut self, feed_id: &str, bytes: &[u8]) -> Option<Vec<u8>> {
        let feed: Value = serde_json::from_slice(bytes).ok()?;
        let header = &feed["header"];
        let messages = feed["messages"].as_array()?;
        let is_whole = header["sellerId"] == self.config.seller_id.as_str()
            && header["version"] == "2.0"
            && (1..=MOST_MESSAGES).contains(&messages.len());
        if !is_whole {
            return None;
        }
        let (mut issues, mut ids, mut invalid) = (Vec::new(), BTreeSet::new(), 0);
        for message in messages {
            let id = message["messageId"]
                .as_u64()
                .filter(|id| (1..=2_147_483_647).contains(id))?;
            if !ids.insert(id) {
                return None;
            }
            let sku = message["sku"].as_str()?;
            let outcome = match message["operationType"].as_str() {
                Some("PATCH") if message["productType"].is_string() => {
                    self.change_of(sku, &message["patches"])
                }
                _ => Err(("4000001", "The message is invalid.".to_owned())),
            };
            match outcome {
                Ok(change) => self.accept(change),
                Err((code, text)) => {
                    invalid += 1;
                    issues.push(json!({
                        "messageId": id, "sku": sku, "code": code, "severity": "ERROR", "message": text,
                    }));
                }
            }
        }
        let report = json!({
            "header": { "sellerId": self.config.seller_id, "version": "2.0", "feedId": feed_id },
            "issues": issues,
            "summary": {
                "errors": issues.len(),
                "warnings": 0,
                "messagesProcessed": messages.len(),
                "messagesAccepted": messages.len() - invalid,
                "messagesInvalid": invalid,
            },
        });
        Some(report.to_string().into_bytes())
    }

    /// Works a POST_ORDER_ACKNOWLEDGEMENT_DATA off. `None` where the document itself is broken.
    pub(super) fn work_off_acknowledgement(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let text = std::str::from_utf8(bytes).ok()?;
        let envelope: Envelope = quick_xml::de::from_str(text).ok()?;
        let is_ours = envelope.header.merchant == self.config.seller_id
            && envelope.header.version == "1.01"
            && envelope.message_type == "OrderAcknowledgement";
        if !is_ours {
            return None;
        }
        let mut results = String::new();
        let (mut fine, mut failed) = (0, 0);
        for message in &envelope.messages {
            match self.acknowledge(&message.acknowledgement) {
                Ok(()) => fine += 1,
                Err(text) => {
                    failed += 1;
                    results.push_str(&format!(
                        "<Result><MessageID>{}</MessageID><ResultCode>Error</ResultCode><ResultMessageCode>18028</ResultMessageCode><ResultDescription>{text}</ResultDescription></Result>",
                        message.id
                    ));
                }
            }
        }
        let report = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<AmazonEnvelope xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:noNamespaceSchemaLocation=\"amzn-envelope.xsd\"><Header><DocumentVersion>1.02</DocumentVersion><MerchantIdentifier>{}</MerchantIdentifier></Header><MessageType>ProcessingReport</MessageType><Message><MessageID>1</MessageID><ProcessingReport><DocumentTransactionID>1</DocumentTransactionID><StatusCode>Complete</StatusCode><ProcessingSummary><MessagesProcessed>{}</MessagesProcessed><MessagesSuccessful>{fine}</MessagesSuccessful><MessagesWithError>{failed}</MessagesWithError><MessagesWithWarning>0</MessagesWithWarning></ProcessingSummary>{results}</ProcessingReport></Message></AmazonEnvelope>",
            self.config.seller_id,
            envelope.messages.len(),
        );
        Some(report.into_bytes())
    }

    fn acknowledge(&mut self, told: &Acknowledgement) -> Result<(), &'static str> {
        let order = self
            .orders
            .get(&told.order)
            .filter(|order| !order.happened.is_gone)
            .ok_or("The order is unknown.")?;
        if told.status == "Success" {
            return Ok(());
        }
        let is_known = |item: &AcknowledgedItem| {
            order
                .lines
                .iter()
                .any(|line| line.order_item_id == item.code)
                && item.reason.is_some()
        };
        let is_told = |line: &Line| {
            told.items
                .iter()
                .any(|item| item.code == line.order_item_id)
        };
        let mut open = order.lines.iter().filter(|line| line.kept() > 0);
        let all = told.items.iter().all(is_known) && open.all(is_told);
        if told.status != "Failure" || !all {
            return Err("The data you submitted is incomplete or invalid.");
        }
        match order.status() {
            AmazonStatus::Unshipped => self.cancel(&told.order, "MERCHANT"),
            _ => Err("The order cannot be cancelled any more."),
        }
    }
}
