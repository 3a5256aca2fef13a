//! Feeds: a document is put into Amazon's storage, handed in, worked off later and reported on (Feeds API 2021-06-30).
//!
//! Handing in has no key against repeats, so who got no answer looks at the feeds that there are before a repeat.

use super::{
    client::{Call, Client, date_of, encoded},
    config, convert, document,
    error::Operation,
    limits, wire,
};
use crate::{
    domain::{ChannelOrderId, LineId},
    marketplaces::{CallError, Kind, ListingUpdate, Retry, Submission},
};
use bytes::Bytes;
use http::{Method, Request, header};
use jiff::{SignedDuration, Timestamp};
use url::Url;

const FEEDS: &str = "/feeds/2021-06-30/feeds";
const DOCUMENTS: &str = "/feeds/2021-06-30/documents";
const LISTINGS_FEED: &str = "JSON_LISTINGS_FEED";
const ACKNOWLEDGEMENT_FEED: &str = "POST_ORDER_ACKNOWLEDGEMENT_DATA";

/// How far back feeds are told of: 90 days, and a little less is asked for.
const FEEDS_KEPT: SignedDuration = SignedDuration::from_hours(24 * 89);

/// What is handed in.
struct Document<'a> {
    operation: Operation,
    feed_type: &'static str,
    content_type: &'static str,
    bytes: Vec<u8>,
    marketplace_ids: Vec<&'a str>,
}

/// How far a feed is.
enum Progress {
    /// Amazon has not worked it off.
    AtWork,
    /// It is done, and this document tells how.
    Done(Vec<u8>),
}

impl Client {
    /// Hands in a JSON_LISTINGS_FEED.
    pub(super) async fn submit(&self, updates: &[ListingUpdate]) -> Result<Submission, CallError> {
        let operation = Operation::CreateListingsFeed;
        let refused = |code| {
            let fault = self.fault(operation);
            fault.not_sent(Kind::Refused, Retry::Permanent, code)
        };
        if updates.is_empty() || updates.len() > limits::MESSAGES_PER_FEED {
            return Err(refused("messages"));
        }
        let marketplace = |update| self.marketplace_of_listing(update);
        let (seller, product_type) = (&self.config.seller_id, &self.config.product_type);
        let bytes = document::listings(seller, product_type, updates, marketplace)
            .ok_or_else(|| refused("price"))?;
        let mut marketplace_ids: Vec<&str> = updates.iter().map(marketplace).collect();
        marketplace_ids.sort_unstable();
        marketplace_ids.dedup();
        self.hand_in(Document {
            operation,
            feed_type: LISTINGS_FEED,
            content_type: document::JSON,
            bytes,
            marketplace_ids,
        })
        .await
    }

    /// How many bytes of a JSON_LISTINGS_FEED an update takes at the most.
    pub(super) fn feed_bytes(&self, update: &ListingUpdate) -> usize {
        let marketplace = self.marketplace_of_listing(update);
        document::message_bytes(&self.config.product_type, update, marketplace)
    }

    /// What became of a JSON_LISTINGS_FEED; `None` while it is at work.
    pub(super) async fn report(
        &self,
        submission: &Submission,
        updates: &[ListingUpdate],
    ) -> Result<Option<Vec<Result<(), CallError>>>, CallError> {
        let fault = self.fault(Operation::DownloadFeedDocument);
        match self.progress(&submission.id).await {
            Ok(Progress::AtWork) => Ok(None),
            Ok(Progress::Done(report)) => {
                document::listings_report(fault, &submission.id, &report, updates).map(Some)
            }
            // That the feed itself ended is the answer for each of its updates.
            Err(Ended::All(error)) => Ok(Some(vec![Err(error); updates.len()])),
            Err(Ended::Call(error)) => Err(error),
        }
    }

    /// JSON_LISTINGS_FEEDs since a time, the newest first.
    pub(super) async fn submissions(&self, since: Timestamp) -> Result<Vec<Submission>, CallError> {
        let fault = self.fault(Operation::GetFeeds);
        let oldest = self.outside.clock.now().checked_sub(FEEDS_KEPT);
        let since = oldest.map_or(since, |oldest| since.max(oldest));
        let mut path = format!(
            "{FEEDS}?feedTypes={LISTINGS_FEED}&pageSize={}&createdSince={}",
            limits::FEEDS_PER_PAGE,
            encoded(&convert::iso(since))
        );
        let mut found = Vec::new();
        for _ in 0..limits::FEED_PAGES {
            let answer: wire::Feeds = self.read(&Call::get(Operation::GetFeeds, path)).await?;
            for feed in answer.feeds {
                let id = feed
                    .feed_id
                    .ok_or_else(|| fault.meaningless("feeds.feedId"))?;
                let at = convert::time(feed.created_time.as_deref(), "feeds.createdTime");
                let at = at.map_err(|field| fault.meaningless(field.0))?;
                found.push(Submission { id, at });
            }
            let Some(next) = answer.next_token else {
                found.sort_by_key(|submission| std::cmp::Reverse(submission.at));
                return Ok(found);
            };
            // The token must be the only parameter.
            path = format!("{FEEDS}?nextToken={}", encoded(&next));
        }
        // A list that is not whole would look as if something had not been handed in.
        Err(fault.garbled("too-many-feeds"))
    }

    /// Hands in that an order cannot be filled, unless it is cancelled already. The report is read where Amazon is quick
    /// with it; where it is not, the order itself shows later what became of it.
    pub(super) async fn cancel(
        &self,
        id: &ChannelOrderId,
        lines: &[LineId],
    ) -> Result<(), CallError> {
        let operation = Operation::CreateFeed;
        let fault = self.fault(operation);
        let order = self.read_order(id, "FULFILLMENT").await?;
        let status = order.fulfillment.as_ref();
        match status.and_then(|fulfillment| fulfillment.fulfillment_status.as_deref()) {
            Some("CANCELLED") => return Ok(()),
            Some("SHIPPED" | "PARTIALLY_SHIPPED") => return Err(fault.refused("order-shipped")),
            _ => {}
        }
        let lines = match lines {
            [] => {
                let ids = order
                    .order_items
                    .iter()
                    .map(|item| item.order_item_id.as_deref());
                let parsed = ids.map(|id| LineId::parse(id.unwrap_or_default()));
                let bad = |_| {
                    self.fault(Operation::GetOrder)
                        .meaningless("orderItems.orderItemId")
                };
                parsed.collect::<Result<Vec<_>, _>>().map_err(bad)?
            }
            lines => lines.to_vec(),
        };
        let bytes = document::cancellation(&self.config.seller_id, id, &lines)
            .ok_or_else(|| fault.not_sent(Kind::Refused, Retry::Permanent, "request"))?;
        let marketplace = convert::marketplace_of(&order);
        let handed_in = self
            .hand_in(Document {
                operation,
                feed_type: ACKNOWLEDGEMENT_FEED,
                content_type: document::XML,
                bytes,
                marketplace_ids: vec![marketplace.unwrap_or(self.config.main_marketplace())],
            })
            .await?;
        self.look_at_cancellation(&handed_in.id).await
    }

    /// Reads a cancellation's report where it is there soon. What cannot be read now is no failure: it was handed in.
    async fn look_at_cancellation(&self, feed_id: &str) -> Result<(), CallError> {
        for _ in 0..limits::CANCEL_LOOKS {
            self.outside.clock.sleep(limits::CANCEL_LOOK_PAUSE).await;
            match self.progress(feed_id).await {
                Ok(Progress::AtWork) => {}
                Ok(Progress::Done(report)) => {
                    let fault = self.fault(Operation::DownloadFeedDocument);
                    return document::cancellation_report(fault, &report);
                }
                Err(Ended::All(error)) => return Err(error),
                Err(Ended::Call(error)) => {
                    tracing::warn!(%error, "A cancellation's report could not be read.");
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// createFeedDocument, the upload, createFeed. Until the last of them nothing has an effect.
    async fn hand_in(&self, document: Document<'_>) -> Result<Submission, CallError> {
        let place = wire::NewFeedDocument {
            content_type: document.content_type,
        };
        let operation = Operation::CreateFeedDocument;
        let call = self.call_with(operation, Method::POST, DOCUMENTS.to_owned(), &place)?;
        let place: wire::FeedDocument = self.read(&call).await?;
        let fault = self.fault(operation);
        let document_id = place
            .feed_document_id
            .ok_or_else(|| fault.meaningless("feedDocumentId"))?;
        let url = self.storage_url(place.url.as_deref());
        let url = url.ok_or_else(|| fault.meaningless("url"))?;
        self.upload(&url, document.content_type, document.bytes)
            .await?;
        let feed = wire::NewFeed {
            feed_type: document.feed_type,
            marketplace_ids: document.marketplace_ids,
            input_feed_document_id: &document_id,
        };
        let operation = document.operation;
        let call = self.call_with(operation, Method::POST, FEEDS.to_owned(), &feed)?;
        let answer = self.send(&call).await?;
        let fault = self.fault(operation);
        let created: wire::CreatedFeed =
            serde_json::from_slice(answer.body()).map_err(|error| fault.unreadable(&error))?;
        Ok(Submission {
            id: created.feed_id.ok_or_else(|| fault.unsaid("feedId"))?,
            at: date_of(answer.headers()).unwrap_or_else(|| self.outside.clock.now()),
        })
    }

    /// Puts the document into the storage. The URL is signed over the content type, letter for letter; a header of ours
    /// that is signed too would break it, so there is none, and above all no token.
    async fn upload(
        &self,
        url: &Url,
        content_type: &'static str,
        bytes: Vec<u8>,
    ) -> Result<(), CallError> {
        let request = Request::put(url.as_str())
            .header(header::CONTENT_TYPE, content_type)
            .body(Bytes::from(bytes));
        self.store(Operation::UploadFeedDocument, request)
            .await
            .map(|_| ())
    }

    /// A call of the storage.
    async fn store(
        &self,
        operation: Operation,
        request: http::Result<Request<Bytes>>,
    ) -> Result<Bytes, CallError> {
        let fault = self.fault(operation);
        let request = request.map_err(|_| fault.meaningless("url"))?;
        let answer = self.outside.http.send(request).await;
        let answer = answer.map_err(|error| fault.no_answer(&error))?;
        if answer.status().is_success() {
            return Ok(answer.into_body());
        }
        let wait = limits::FAULT_WAIT;
        Err(fault.answered(answer.status(), answer.body(), wait))
    }

    /// A URL of the storage, where it is one to which a merchant's prices may go.
    fn storage_url(&self, url: Option<&str>) -> Option<Url> {
        let url = Url::parse(url?).ok()?;
        let is_safe = url.scheme() == "https" || (self.config.is_local && config::is_safe(&url));
        is_safe.then_some(url)
    }

    /// getFeed, and once it is done, its report.
    async fn progress(&self, feed_id: &str) -> Result<Progress, Ended> {
        let fault = self.fault(Operation::GetFeed);
        let path = format!("{FEEDS}/{}", encoded(feed_id));
        let feed: wire::Feed = self.read(&Call::get(Operation::GetFeed, path)).await?;
        let report = match feed.processing_status.as_deref() {
            Some(status @ ("CANCELLED" | "FATAL")) => match feed.result_feed_document_id {
                // A fatal one may have a report of the messages that were worked off.
                Some(report) if status == "FATAL" => report,
                _ => return Err(Ended::All(fault.feed_ended(status))),
            },
            Some("DONE") => {
                let unsaid = || Ended::All(fault.unsaid("resultFeedDocumentId"));
                feed.result_feed_document_id.ok_or_else(unsaid)?
            }
            // In queue, in progress, or a status of tomorrow.
            Some(_) => return Ok(Progress::AtWork),
            None => return Err(fault.meaningless("processingStatus").into()),
        };
        let path = format!("{DOCUMENTS}/{}", encoded(&report));
        let call = Call::get(Operation::GetFeedDocument, path);
        let place: wire::FeedDocument = self.read(&call).await?;
        let fault = self.fault(Operation::GetFeedDocument);
        let url = self.storage_url(place.url.as_deref());
        let url = url.ok_or_else(|| fault.meaningless("url"))?;
        let operation = Operation::DownloadFeedDocument;
        let request = Request::get(url.as_str()).body(Bytes::new());
        let bytes = self.store(operation, request).await?;
        let compression = place.compression_algorithm.as_deref();
        let report = document::unpacked(self.fault(operation), &bytes, compression)?;
        Ok(Progress::Done(report))
    }
}

/// Why there is no progress to tell of.
enum Ended {
    /// The feed itself ended without a report.
    All(CallError),
    /// It could not be asked for.
    Call(CallError),
}

impl From<CallError> for Ended {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}
