//! Destinations, subscriptions and the messages that go to the seller's queue (Notifications API v1), and the Sellers
//! API, which is one call.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::error;
use super::orders::status_name;
use super::state::State;
use super::types::AmazonNotification;
use super::types::AmazonStatus;
use crate::answer::Answer;
use crate::answer::Call;
use crate::clock::iso_ms;
use crate::clock::later_ms;

const TYPES: [&str; 6] = [
    "ORDER_CHANGE",
    "ANY_OFFER_CHANGED",
    "LISTINGS_ITEM_STATUS_CHANGE",
    "LISTINGS_ITEM_ISSUES_CHANGE",
    "FEED_PROCESSING_FINISHED",
    "REPORT_PROCESSING_FINISHED",
];

/// Where messages go.
#[derive(Clone)]
pub(super) struct Destination {
    pub(super) name: String,
    pub(super) arn: String,
}

/// What goes there.
#[derive(Clone)]
pub(super) struct Subscription {
    pub(super) subscription_id: String,
    pub(super) destination_id: String,
    pub(super) payload_version: String,
}

/// A message in the outbox.
#[derive(Clone)]
pub(super) struct Outgoing {
    pub(super) due: Timestamp,
    pub(super) notification: AmazonNotification,
}

impl State {
    /// GET destinations
    pub(super) fn get_destinations(&self) -> Answer {
        let list = self
            .destinations
            .iter()
            .map(|(id, one)| destination_json(id, one));
        Answer::json(
            StatusCode::OK,
            &json!({ "payload": list.collect::<Vec<_>>() }),
        )
    }

    /// POST destinations
    pub(super) fn create_destination(&mut self, call: &Call) -> Answer {
        if !call.has_content_type("application/json") {
            return error::media_type();
        }
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let name = body["name"]
            .as_str()
            .filter(|name| (1..=256).contains(&name.len()));
        let arn = body["resourceSpecification"]["sqs"]["arn"].as_str();
        let is_queue = |arn: &&str| arn.starts_with("arn:aws:sqs:") && arn.split(':').count() == 6;
        let (Some(name), Some(arn)) = (name, arn.filter(is_queue)) else {
            return error::invalid("Invalid Input");
        };
        let is_there = |one: &Destination| one.arn == arn || one.name == name;
        if self.destinations.values().any(is_there) {
            return error::conflict("The destination exists already.");
        }
        let destination = Destination {
            name: name.to_owned(),
            arn: arn.to_owned(),
        };
        let id = self.random.uuid();
        let body = json!({ "payload": destination_json(&id, &destination) });
        self.destinations.insert(id, destination);
        Answer::json(StatusCode::OK, &body)
    }

    /// GET subscriptions/{notificationType}
    pub(super) fn get_subscription(&self, kind: &str) -> Answer {
        match self.subscriptions.get(kind) {
            Some(one) => Answer::json(StatusCode::OK, &subscription_json(one)),
            None => error::not_found("There is no subscription of this type."),
        }
    }

    /// POST subscriptions/{notificationType}
    pub(super) fn create_subscription(&mut self, kind: &str, call: &Call) -> Answer {
        if !call.has_content_type("application/json") {
            return error::media_type();
        }
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let (destination_id, payload_version) = (text("destinationId"), text("payloadVersion"));
        let is_known = TYPES.contains(&kind) && self.destinations.contains_key(&destination_id);
        if !is_known || payload_version.is_empty() {
            return error::invalid("Invalid Input");
        }
        if self.subscriptions.contains_key(kind) {
            return error::conflict("A subscription of this type exists already.");
        }
        let subscription = Subscription {
            subscription_id: self.random.uuid(),
            destination_id,
            payload_version,
        };
        let body = subscription_json(&subscription);
        self.subscriptions.insert(kind.to_owned(), subscription);
        Answer::json(StatusCode::OK, &body)
    }

    /// DELETE subscriptions/{notificationType}/{subscriptionId}
    pub(super) fn delete_subscription(&mut self, kind: &str, id: &str) -> Answer {
        let known = self.subscriptions.get(kind);
        if known.is_none_or(|one| one.subscription_id != id) {
            return error::not_found("There is no such subscription.");
        }
        self.subscriptions.remove(kind);
        Answer::json(StatusCode::OK, &json!({}))
    }

    /// GET marketplaceParticipations
    pub(super) fn participations(&self) -> Answer {
        let one = |id: &String| {
            json!({
                "marketplace": {
                    "id": id,
                    "countryCode": "US",
                    "name": "Amazon.com",
                    "defaultCurrencyCode": "USD",
                    "defaultLanguageCode": "en_US",
                    "domainName": "www.amazon.com",
                },
                "storeName": "Kervan demo store",
                "participation": { "isParticipating": true, "hasSuspendedListings": false },
            })
        };
        let list: Vec<Value> = self.config.marketplace_ids.iter().map(one).collect();
        Answer::json(StatusCode::OK, &json!({ "payload": list }))
    }

    /// Puts an ORDER_CHANGE into the outbox, where somebody subscribed to it.
    pub(super) fn announce(&mut self, order_id: &str, change: &str) {
        let arn = self
            .subscriptions
            .get("ORDER_CHANGE")
            .and_then(|one| self.destinations.get(&one.destination_id))
            .map(|destination| destination.arn.clone());
        let order = self.orders.get(order_id);
        let order = order.filter(|order| !order.happened.is_gone);
        let (Some(arn), Some(order)) = (arn, order) else {
            return;
        };
        let is_asked = order.cancel_request.is_some();
        let items = order.lines.iter().map(|line| {
            json!({
                "OrderItemId": line.order_item_id,
                "SellerSKU": line.sku,
                "Quantity": line.quantity,
                "QuantityShipped": order.shipped(&line.order_item_id, None),
                "IsBuyerRequestedCancel": is_asked,
            })
        });
        let summary = json!({
            "MarketplaceId": self.marketplace(),
            "OrderStatus": v0_status(order.status()),
            "PurchaseDate": iso_ms(order.created_at),
            "DestinationPostalCode": order.buyer.postal_code,
            "FulfillmentType": if order.by_amazon { "AFN" } else { "MFN" },
            "OrderType": "StandardOrder",
            "OrderItems": items.collect::<Vec<_>>(),
        });
        let id = self.random.uuid();
        let body = json!({
            "NotificationVersion": "1.0",
            "NotificationType": "ORDER_CHANGE",
            "PayloadVersion": "1.0",
            "EventTime": iso_ms(self.now),
            "Payload": { "OrderChangeNotification": {
                "NotificationLevel": "OrderLevel",
                "SellerId": self.config.seller_id,
                "AmazonOrderId": order_id,
                "OrderChangeType": change,
                "OrderChangeTrigger": {
                    "TimeOfOrderChange": iso_ms(self.now),
                    "ChangeReason": status_name(self.orders[order_id].status()),
                },
                "Summary": summary,
            } },
            "NotificationMetadata": {
                "ApplicationId": "amzn1.sellerapps.app.kervan-demo",
                "SubscriptionId": "kervan-demo-subscription",
                "PublishTime": iso_ms(self.now),
                "NotificationId": id,
            },
        });
        let notification = AmazonNotification {
            id,
            notification_type: "ORDER_CHANGE".to_owned(),
            queue_arn: arn,
            body: body.to_string(),
        };
        let due = later_ms(self.now, self.config.settings.notification_delay_ms);
        for _ in 0..self.config.settings.notification_copies {
            let notification = notification.clone();
            self.outbox.push(Outgoing { due, notification });
        }
    }
}

/// The notifications still speak of an order as version 0 does.
fn v0_status(status: AmazonStatus) -> &'static str {
    match status {
        AmazonStatus::Pending => "Pending",
        AmazonStatus::Unshipped => "Unshipped",
        AmazonStatus::PartiallyShipped => "PartiallyShipped",
        AmazonStatus::Shipped => "Shipped",
        AmazonStatus::Cancelled => "Canceled",
    }
}

fn destination_json(id: &str, destination: &Destination) -> Value {
    json!({
        "destinationId": id,
        "name": destination.name,
        "resource": { "sqs": { "arn": destination.arn } },
    })
}

fn subscription_json(subscription: &Subscription) -> Value {
    json!({ "payload": {
        "subscriptionId": subscription.subscription_id,
        "payloadVersion": subscription.payload_version,
        "destinationId": subscription.destination_id,
    } })
}
