//! The documents of feeds: what is handed in, and the reports of what became of it.

#[cfg(test)]
mod tests;

use super::{convert, error::Fault, limits, loose, wire};
use crate::{
    domain::{ChannelOrderId, LineId},
    marketplaces::{CallError, ListingUpdate},
};
use flate2::read::GzDecoder;
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Read;

/// What is sent with a document of listings, byte for byte in both calls: the upload is signed over it.
pub(super) const JSON: &str = "application/json; charset=UTF-8";
/// The same for a document of orders.
pub(super) const XML: &str = "text/xml; charset=UTF-8";

#[derive(Serialize)]
struct Listings<'a> {
    header: Header<'a>,
    messages: Vec<Message<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Header<'a> {
    seller_id: &'a str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    message_id: usize,
    sku: &'a str,
    operation_type: &'static str,
    product_type: &'a str,
    patches: wire::Patches<'a>,
}

/// A JSON_LISTINGS_FEED of these updates. A message's id is the place of its update, counted from 1; of a listing that
/// is there twice only the last is sent, because messages have no order. `None` where a price cannot be written.
pub(super) fn listings<'a>(
    seller_id: &str,
    product_type: &str,
    updates: &'a [ListingUpdate],
    marketplace_of: impl Fn(&'a ListingUpdate) -> &'a str,
) -> Option<Vec<u8>> {
    let mut messages = Vec::with_capacity(updates.len());
    let last = last_places(updates);
    for (place, update) in updates.iter().enumerate() {
        if last[place] == place {
            let marketplace = marketplace_of(update);
            messages.push(message(place + 1, product_type, update, marketplace)?);
        }
    }
    let header = Header {
        seller_id,
        version: "2.0",
    };
    serde_json::to_vec(&Listings { header, messages }).ok()
}

fn message<'a>(
    message_id: usize,
    product_type: &'a str,
    update: &'a ListingUpdate,
    marketplace: &'a str,
) -> Option<Message<'a>> {
    Some(Message {
        message_id,
        sku: update.listing.sku.as_str(),
        operation_type: "PATCH",
        product_type,
        patches: convert::patches(update, marketplace)?,
    })
}

/// How many bytes an update takes in a JSON_LISTINGS_FEED at the most: with the longest number, and a comma behind it.
/// None where it cannot be written, and nothing is handed in.
pub(super) fn message_bytes(
    product_type: &str,
    update: &ListingUpdate,
    marketplace: &str,
) -> usize {
    let longest = message(limits::MESSAGES_PER_FEED, product_type, update, marketplace);
    let written = longest.and_then(|message| serde_json::to_vec(&message).ok());
    written.map_or(0, |bytes| bytes.len() + 1)
}

/// For each update the place of the last one of its listing.
pub(super) fn last_places(updates: &[ListingUpdate]) -> Vec<usize> {
    let mut last = BTreeMap::new();
    for (place, update) in updates.iter().enumerate() {
        last.insert(&update.listing, place);
    }
    let place_of = |update: &ListingUpdate| last.get(&update.listing).copied().unwrap_or(0);
    updates.iter().map(place_of).collect()
}

#[derive(Deserialize)]
struct ListingsReport {
    header: Option<ReportHeader>,
    #[serde(default, deserialize_with = "loose::list")]
    issues: Vec<wire::Issue>,
    summary: Option<Summary>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReportHeader {
    #[serde(default, deserialize_with = "loose::text")]
    feed_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    #[serde(default, deserialize_with = "loose::whole")]
    messages_accepted: Option<i64>,
}

/// What a report says of each update. An update of which it says nothing has succeeded only where the summary counts as
/// many successes; otherwise nobody knows.
pub(super) fn listings_report(
    fault: Fault<'_>,
    feed_id: &str,
    report: &[u8],
    updates: &[ListingUpdate],
) -> Result<Vec<Result<(), CallError>>, CallError> {
    let report: ListingsReport =
        serde_json::from_slice(report).map_err(|error| fault.unreadable(&error))?;
    let about = report.header.and_then(|header| header.feed_id);
    if about.is_some_and(|about| about != feed_id) {
        return Err(fault.meaningless("header.feedId"));
    }
    let mut failed: BTreeMap<usize, CallError> = BTreeMap::new();
    let mut of_all = None;
    for issue in &report.issues {
        if !is_error(issue) {
            continue;
        }
        let error = fault.refused(issue.code.as_deref().unwrap_or("issue"));
        match issue.message_id.map(usize::try_from) {
            // Of several issues the first is the cause.
            Some(Ok(id)) => {
                failed.entry(id).or_insert(error);
            }
            Some(Err(_)) | None => {
                of_all.get_or_insert(error);
            }
        }
    }
    let accepted = report.summary.and_then(|summary| summary.messages_accepted);
    let last = last_places(updates);
    let is_sent = |place: &usize| last[*place] == *place;
    let unnamed = (0..updates.len())
        .filter(is_sent)
        .filter(|place| !failed.contains_key(&(place + 1)))
        .count();
    let all_said = accepted.is_some_and(|count| usize::try_from(count).is_ok_and(|n| n >= unnamed));
    let outcome = |place: &usize| match (failed.get(&(place + 1)), &of_all) {
        (Some(error), _) => Err(error.clone()),
        (None, _) if all_said => Ok(()),
        (None, Some(error)) => Err(error.clone()),
        (None, None) => Err(fault.unsaid("summary.messagesAccepted")),
    };
    Ok(last.iter().map(outcome).collect())
}

/// Whether an issue means that nothing was done. A severity of tomorrow is no warning.
pub(super) fn is_error(issue: &wire::Issue) -> bool {
    !matches!(issue.severity.as_deref(), Some("WARNING" | "INFO"))
}

/// A POST_ORDER_ACKNOWLEDGEMENT_DATA feed that says that these lines cannot be sent. The order of the elements counts
/// (Amazon's OrderAcknowledgement.xsd). `None` never happens but by a defect of the writer.
pub(super) fn cancellation(
    seller_id: &str,
    order: &ChannelOrderId,
    lines: &[LineId],
) -> Option<Vec<u8>> {
    let mut writer = Writer::new(Vec::new());
    writer
        .write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))
        .ok()?;
    let envelope = writer
        .create_element("AmazonEnvelope")
        .with_attribute(("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"))
        .with_attribute(("xsi:noNamespaceSchemaLocation", "amzn-envelope.xsd"));
    envelope
        .write_inner_content(|envelope| {
            let header = envelope.create_element("Header");
            header.write_inner_content(|header| {
                text(header, "DocumentVersion", "1.01")?;
                text(header, "MerchantIdentifier", seller_id)
            })?;
            text(envelope, "MessageType", "OrderAcknowledgement")?;
            let message = envelope.create_element("Message");
            message.write_inner_content(|message| {
                text(message, "MessageID", "1")?;
                let acknowledgement = message.create_element("OrderAcknowledgement");
                acknowledgement.write_inner_content(|inside| refusal(inside, order, lines))?;
                Ok(())
            })?;
            Ok(())
        })
        .ok()?;
    Some(writer.into_inner())
}

fn refusal(
    writer: &mut Writer<Vec<u8>>,
    order: &ChannelOrderId,
    lines: &[LineId],
) -> std::io::Result<()> {
    text(writer, "AmazonOrderID", order.as_str())?;
    text(writer, "StatusCode", "Failure")?;
    for line in lines {
        let item = writer.create_element("Item");
        item.write_inner_content(|item| {
            text(item, "AmazonOrderItemCode", line.as_str())?;
            text(item, "CancelReason", "NoInventory")
        })?;
    }
    Ok(())
}

fn text(writer: &mut Writer<Vec<u8>>, name: &str, content: &str) -> std::io::Result<()> {
    let element = writer.create_element(name);
    element.write_text_content(BytesText::new(content))?;
    Ok(())
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "Message", default)]
    messages: Vec<ReportMessage>,
}

#[derive(Deserialize)]
struct ReportMessage {
    #[serde(rename = "ProcessingReport")]
    report: Option<ProcessingReport>,
}

#[derive(Deserialize)]
struct ProcessingReport {
    #[serde(rename = "ProcessingSummary")]
    summary: Option<ProcessingSummary>,
    #[serde(rename = "Result", default)]
    results: Vec<ReportResult>,
}

#[derive(Deserialize)]
struct ProcessingSummary {
    #[serde(rename = "MessagesSuccessful")]
    successful: Option<String>,
    #[serde(rename = "MessagesWithError")]
    with_error: Option<String>,
}

#[derive(Deserialize)]
struct ReportResult {
    #[serde(rename = "ResultCode")]
    code: Option<String>,
    #[serde(rename = "ResultMessageCode")]
    message_code: Option<String>,
}

/// What a processing report says of a feed of one message.
pub(super) fn cancellation_report(fault: Fault<'_>, report: &[u8]) -> Result<(), CallError> {
    let report = std::str::from_utf8(report).map_err(|_| fault.garbled("not-xml"))?;
    let envelope: Envelope =
        quick_xml::de::from_str(report).map_err(|_| fault.garbled("not-xml"))?;
    let reports = || {
        envelope
            .messages
            .iter()
            .filter_map(|message| message.report.as_ref())
    };
    let mut failed = reports()
        .flat_map(|report| &report.results)
        .filter(|result| result.code.as_deref().map(str::trim) == Some("Error"));
    if let Some(result) = failed.next() {
        let code = result.message_code.as_deref().unwrap_or("Error").trim();
        return Err(fault.refused(code));
    }
    let count = |text: &Option<String>| -> u64 {
        let text = text.as_deref().unwrap_or_default();
        text.trim().parse().unwrap_or(0)
    };
    let summaries = || reports().filter_map(|report| report.summary.as_ref());
    if summaries().any(|summary| count(&summary.with_error) > 0) {
        return Err(fault.refused("MessagesWithError"));
    }
    if summaries().any(|summary| count(&summary.successful) > 0) {
        return Ok(());
    }
    Err(fault.unsaid("ProcessingSummary"))
}

/// A report's bytes, unpacked where they are packed, which the storage may have undone already.
pub(super) fn unpacked(
    fault: Fault<'_>,
    bytes: &[u8],
    compression: Option<&str>,
) -> Result<Vec<u8>, CallError> {
    let is_packed = bytes.starts_with(&[0x1f, 0x8b]);
    match compression {
        None if !is_packed => return Ok(bytes.to_vec()),
        Some("GZIP") if !is_packed => return Ok(bytes.to_vec()),
        None | Some("GZIP") => {}
        Some(_) => return Err(fault.meaningless("compressionAlgorithm")),
    }
    let mut text = Vec::new();
    let mut limited = GzDecoder::new(bytes).take(limits::LARGEST_REPORT_BYTES + 1);
    limited
        .read_to_end(&mut text)
        .map_err(|_| fault.garbled("gzip"))?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > limits::LARGEST_REPORT_BYTES {
        return Err(fault.meaningless("report-too-large"));
    }
    Ok(text)
}
