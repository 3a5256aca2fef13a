//! Feeds (Feeds API 2021-06-30) and the storage of their documents, as strict about content types as the real one.

use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::document;
use super::error;
use super::state::State;
use super::types::AmazonOperation;
use crate::answer::Answer;
use crate::answer::Call;
use crate::clock::iso_ms;
use crate::clock::later_ms;
use crate::form;

const LISTINGS: &str = "JSON_LISTINGS_FEED";
const FEED_TYPES: [&str; 3] = [
    LISTINGS,
    "POST_ORDER_ACKNOWLEDGEMENT_DATA",
    "POST_ORDER_FULFILLMENT_DATA",
];

/// A document of the storage.
#[derive(Clone)]
pub(super) struct Upload {
    pub(super) content_type: String,
    url_ends_at: Timestamp,
    pub(super) bytes: Option<Bytes>,
}

/// A feed.
#[derive(Clone)]
pub(super) struct Feed {
    pub(super) feed_id: String,
    pub(super) feed_type: String,
    pub(super) document_id: String,
    pub(super) created_at: Timestamp,
    /// `DONE`, `FATAL` or `CANCELLED` once it has ended.
    pub(super) ended: Option<&'static str>,
    pub(super) result: Option<String>,
}

impl State {
    /// POST documents
    pub(super) fn create_document(&mut self, call: &Call) -> Answer {
        if !call.has_content_type("application/json") {
            return error::media_type();
        }
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let Some(content_type) = body["contentType"].as_str().filter(|text| !text.is_empty())
        else {
            return error::invalid("Invalid input");
        };
        let id = format!("amzn1.tortuga.4.na.{}", self.random.uuid());
        let upload = Upload {
            content_type: content_type.to_owned(),
            url_ends_at: later_ms(self.now, self.config.settings.document_url_s * 1_000),
            bytes: None,
        };
        self.uploads.insert(id.clone(), upload);
        let body = json!({ "feedDocumentId": id, "url": self.url_of(&id, call) });
        Answer::json(StatusCode::CREATED, &body)
    }

    fn url_of(&mut self, id: &str, call: &Call) -> String {
        let signature = self.random.hex(32);
        format!(
            "{}/storage/{id}?X-Amz-Expires=300&X-Amz-Signature={signature}",
            call.origin()
        )
    }

    /// PUT to the storage. The signature covers the content type letter for letter, and no header of Amazon's own.
    pub(super) fn upload(&mut self, id: &str, call: &Call) -> Answer {
        let now = self.now;
        let Some(upload) = self.uploads.get_mut(id) else {
            return error::storage(StatusCode::NOT_FOUND, "NoSuchKey");
        };
        if upload.url_ends_at <= now {
            return error::storage(StatusCode::FORBIDDEN, "AccessDenied");
        }
        let is_foreign = |name: &str| name.starts_with("x-amz-") || name == "authorization";
        let has_foreign = call.headers.keys().any(|name| is_foreign(name.as_str()));
        let given = call.headers.get(CONTENT_TYPE).map(|value| value.as_bytes());
        if has_foreign || given != Some(upload.content_type.as_bytes()) {
            return error::storage(StatusCode::FORBIDDEN, "SignatureDoesNotMatch");
        }
        upload.bytes = Some(call.body.clone());
        Answer::empty(StatusCode::OK)
    }

    /// GET from the storage.
    pub(super) fn download(&mut self, id: &str, call: &Call) -> Answer {
        let found = self
            .uploads
            .get(id)
            .filter(|upload| upload.url_ends_at > self.now);
        let has_token = call.headers.contains_key("x-amz-access-token");
        match found.and_then(|upload| upload.bytes.as_ref()) {
            Some(bytes) if !has_token => Answer::bytes(StatusCode::OK, bytes),
            _ => error::storage(StatusCode::FORBIDDEN, "AccessDenied"),
        }
    }

    /// POST feeds. Feeds of listings are limited apart from all others.
    pub(super) fn create_feed(&mut self, call: &Call) -> Answer {
        if !call.has_content_type("application/json") {
            return error::media_type();
        }
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let feed_type = body["feedType"].as_str().unwrap_or_default();
        if !FEED_TYPES.contains(&feed_type) {
            return error::invalid("Invalid input: feedType");
        }
        let limited = if feed_type == LISTINGS {
            AmazonOperation::CreateListingsFeed
        } else {
            AmazonOperation::CreateFeed
        };
        if !self.takes_token(limited) {
            return error::too_many_requests();
        }
        let ids = body["marketplaceIds"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        let is_ours = |id: &Value| {
            self.config
                .marketplace_ids
                .iter()
                .any(|one| id == one.as_str())
        };
        if !(1..=25).contains(&ids.len()) || !ids.iter().all(is_ours) {
            return error::invalid("Invalid input: marketplaceIds");
        }
        let document_id = body["inputFeedDocumentId"].as_str().unwrap_or_default();
        let upload = self.uploads.get(document_id);
        if upload.is_none_or(|upload| upload.bytes.is_none()) {
            return error::invalid("Invalid input: inputFeedDocumentId");
        }
        let feed_id = self.random.digits(11);
        let feed = Feed {
            feed_id: feed_id.clone(),
            feed_type: feed_type.to_owned(),
            document_id: document_id.to_owned(),
            created_at: self.now,
            ended: None,
            result: None,
        };
        self.feeds.insert(feed_id.clone(), feed);
        self.counters.feeds += 1;
        Answer::json(StatusCode::ACCEPTED, &json!({ "feedId": feed_id }))
    }

    /// GET feeds/{feedId}
    pub(super) fn get_feed(&self, id: &str) -> Answer {
        match self.feeds.get(id) {
            Some(feed) => Answer::json(StatusCode::OK, &self.feed_json(feed)),
            None => error::not_found("The feed was not found."),
        }
    }

    /// GET feeds, the newest first. A token must be the only parameter.
    pub(super) fn get_feeds(&mut self, call: &Call) -> Answer {
        let query = call.uri.query();
        let given = |name: &str| form::query_value(query, name);
        let (types, since, offset, size) = match given("nextToken") {
            Some(_) if query.unwrap_or_default().contains('&') => {
                return error::invalid("nextToken must be the only parameter.");
            }
            Some(token) => {
                let mut parts = token.split('~').map(str::to_owned);
                let mut part = || parts.next().unwrap_or_default();
                (
                    part(),
                    part(),
                    part().parse().unwrap_or(0),
                    part().parse().unwrap_or(10),
                )
            }
            None => {
                let Some(types) = given("feedTypes") else {
                    return error::invalid("feedTypes is required without nextToken.");
                };
                let size = given("pageSize").map_or(Ok(10), |text| text.parse());
                let Some(size) = size.ok().filter(|size| (1..=100).contains(size)) else {
                    return error::invalid("pageSize must be between 1 and 100.");
                };
                (
                    types,
                    given("createdSince").unwrap_or_default(),
                    0_usize,
                    size,
                )
            }
        };
        let Ok(since) = (match since.as_str() {
            "" => Ok(Timestamp::MIN),
            text => text.parse(),
        }) else {
            return error::invalid("createdSince is not ISO 8601.");
        };
        let mut found: Vec<&Feed> = self
            .feeds
            .values()
            .filter(|feed| types.split(',').any(|name| name == feed.feed_type))
            .filter(|feed| feed.created_at >= since)
            .collect();
        found.sort_by(|a, b| (b.created_at, &b.feed_id).cmp(&(a.created_at, &a.feed_id)));
        let shown: Vec<Value> = found
            .iter()
            .skip(offset)
            .take(size)
            .map(|feed| self.feed_json(feed))
            .collect();
        let mut body = json!({ "feeds": shown });
        if offset + size < found.len() {
            let since = if since == Timestamp::MIN {
                String::new()
            } else {
                since.to_string()
            };
            body["nextToken"] = json!(format!("{types}~{since}~{}~{size}", offset + size));
        }
        Answer::json(StatusCode::OK, &body)
    }

    fn feed_json(&self, feed: &Feed) -> Value {
        let mut body = json!({
            "feedId": feed.feed_id,
            "feedType": feed.feed_type,
            "marketplaceIds": self.config.marketplace_ids,
            "createdTime": iso_ms(feed.created_at),
            "processingStatus": self.feed_status(feed),
        });
        if let Some(result) = &feed.result {
            body["resultFeedDocumentId"] = json!(result);
        }
        body
    }

    pub(super) fn feed_status(&self, feed: &Feed) -> &'static str {
        let works_ms = self.config.settings.feed_works_ms;
        match feed.ended {
            Some(status) => status,
            None if later_ms(feed.created_at, works_ms) <= self.now => "IN_PROGRESS",
            None => "IN_QUEUE",
        }
    }

    /// GET documents/{feedDocumentId}
    pub(super) fn get_document(&mut self, id: &str, call: &Call) -> Answer {
        let ends_at = later_ms(self.now, self.config.settings.document_url_s * 1_000);
        let Some(upload) = self.uploads.get_mut(id) else {
            return error::not_found("The document was not found.");
        };
        upload.url_ends_at = ends_at;
        let is_packed = upload.content_type == document::PACKED;
        let mut body = json!({ "feedDocumentId": id, "url": self.url_of(id, call) });
        if is_packed {
            body["compressionAlgorithm"] = json!("GZIP");
        }
        Answer::json(StatusCode::OK, &body)
    }

    /// Works feeds off whose time has come, in the order in which they were handed in.
    pub(super) fn work_off_feeds(&mut self) {
        let works_ms = self.config.settings.feed_works_ms;
        let now = self.now;
        let is_due =
            |feed: &&Feed| feed.ended.is_none() && later_ms(feed.created_at, 2 * works_ms) <= now;
        let mut due: Vec<(Timestamp, String)> = self
            .feeds
            .values()
            .filter(is_due)
            .map(|feed| (feed.created_at, feed.feed_id.clone()))
            .collect();
        due.sort_unstable();
        for (_, id) in due {
            self.work_off_feed(&id);
        }
    }

    fn work_off_feed(&mut self, id: &str) {
        let Some(feed) = self.feeds.get(id) else {
            return;
        };
        let (feed_type, document_id) = (feed.feed_type.clone(), feed.document_id.clone());
        let bytes = self
            .uploads
            .get(&document_id)
            .and_then(|upload| upload.bytes.clone());
        let bytes = bytes.unwrap_or_default();
        let report = match feed_type.as_str() {
            LISTINGS => self.work_off_listings(id, &bytes),
            _ => self.work_off_acknowledgement(&bytes),
        };
        let ended = if report.is_some() { "DONE" } else { "FATAL" };
        let result = report.map(|report| self.store_report(&report));
        if let Some(feed) = self.feeds.get_mut(id) {
            feed.ended = Some(ended);
            feed.result = result;
        }
    }

    /// Puts a report into the storage, packed as Amazon packs it.
    fn store_report(&mut self, report: &[u8]) -> String {
        let id = format!("amzn1.tortuga.4.na.{}", self.random.uuid());
        let upload = Upload {
            content_type: document::PACKED.to_owned(),
            url_ends_at: self.now,
            bytes: Some(document::packed(report).into()),
        };
        self.uploads.insert(id.clone(), upload);
        id
    }
}
