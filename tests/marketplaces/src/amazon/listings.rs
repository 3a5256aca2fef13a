//! getListingsItem and patchListingsItem (Listings Items API 2021-08-01). Accepted is not applied: that comes later.

use http::StatusCode;
use serde_json::Value;
use serde_json::json;

use super::error;
use super::state::Listing;
use super::state::State;
use super::state::money_json;
use crate::answer::Answer;
use crate::answer::Call;
use crate::clock::iso_ms;
use crate::clock::later_ms;
use crate::form;
use crate::money::Money;

/// A change of a listing that was accepted.
#[derive(Debug, Clone, Default)]
pub(super) struct Change {
    pub(super) sku: String,
    pub(super) quantity: Option<u32>,
    pub(super) price: Option<Money>,
    /// `Some(None)` where a `replace` left the lead time out.
    pub(super) lead_time_days: Option<Option<u32>>,
}

/// Why a change is invalid: Amazon's code, severity ERROR, and a message.
pub(super) type Issue = (&'static str, String);

impl State {
    /// GET items/{sellerId}/{sku}
    pub(super) fn get_listing(&self, seller_id: &str, sku: &str, call: &Call) -> Answer {
        if let Err(answer) = self.check_listing_call(seller_id, call) {
            return *answer;
        }
        let Some(listing) = self.listings.get(sku) else {
            return error::not_found("The SKU was not found.");
        };
        let included = form::query_value(call.uri.query(), "includedData");
        let included = included.unwrap_or_else(|| "summaries".to_owned());
        let mut body = json!({ "sku": sku });
        for name in included.split(',') {
            match name {
                "summaries" => body[name] = json!([self.summary(listing)]),
                "attributes" => body[name] = self.attributes(listing),
                "issues" => body[name] = json!([]),
                "offers" => {
                    body[name] = json!([{
                        "marketplaceId": self.marketplace(),
                        "offerType": "B2C",
                        "price": money_json(&listing.price),
                    }]);
                }
                "fulfillmentAvailability" => {
                    body[name] = json!([{
                        "fulfillmentChannelCode": "DEFAULT",
                        "quantity": listing.quantity,
                    }]);
                }
                _ => return error::invalid("includedData has an unknown value."),
            }
        }
        Answer::json(StatusCode::OK, &body)
    }

    fn summary(&self, listing: &Listing) -> Value {
        json!({
            "marketplaceId": self.marketplace(),
            "asin": listing.asin,
            "productType": "PRODUCT",
            "conditionType": "new_new",
            "status": ["BUYABLE", "DISCOVERABLE"],
            "itemName": listing.title,
            "createdDate": iso_ms(self.now),
            "lastUpdatedDate": iso_ms(self.now),
        })
    }

    fn attributes(&self, listing: &Listing) -> Value {
        let mut availability =
            json!({ "fulfillment_channel_code": "DEFAULT", "quantity": listing.quantity });
        if let Some(days) = listing.lead_time_days {
            availability["lead_time_to_ship_max_days"] = json!(days);
        }
        let price: Value = serde_json::from_str(&listing.price.decimal()).unwrap_or_default();
        json!({
            "fulfillment_availability": [availability],
            "purchasable_offer": [{
                "marketplace_id": self.marketplace(),
                "currency": listing.price.currency,
                "audience": "ALL",
                "our_price": [{ "schedule": [{ "value_with_tax": price }] }],
            }],
        })
    }

    fn check_listing_call(&self, seller_id: &str, call: &Call) -> Result<(), Box<Answer>> {
        if seller_id != self.config.seller_id {
            return Err(Box::new(error::unauthorized("")));
        }
        let ids = form::query_value(call.uri.query(), "marketplaceIds").unwrap_or_default();
        let are_known = ids
            .split(',')
            .all(|id| self.config.marketplace_ids.iter().any(|m| m == id));
        if !are_known {
            return Err(Box::new(error::invalid(
                "marketplaceIds is missing or invalid.",
            )));
        }
        Ok(())
    }

    /// PATCH items/{sellerId}/{sku}
    pub(super) fn patch_listing(&mut self, seller_id: &str, sku: &str, call: &Call) -> Answer {
        if let Err(answer) = self.check_listing_call(seller_id, call) {
            return *answer;
        }
        if !call.has_content_type("application/json") {
            return error::media_type();
        }
        let Ok(body) = serde_json::from_slice::<Value>(&call.body) else {
            return error::invalid("The request body is not valid JSON.");
        };
        let has_shape = body["productType"]
            .as_str()
            .is_some_and(|name| !name.is_empty())
            && body["patches"]
                .as_array()
                .is_some_and(|patches| !patches.is_empty());
        if !has_shape {
            return error::invalid("productType and patches are required.");
        }
        let submission = self.random.hex(32);
        let (status, issues) = match self.change_of(sku, &body["patches"]) {
            Ok(change) => {
                self.accept(change);
                ("ACCEPTED", Vec::new())
            }
            Err((code, message)) => ("INVALID", vec![issue_json(code, &message)]),
        };
        let answer =
            json!({ "sku": sku, "status": status, "submissionId": submission, "issues": issues });
        Answer::json(StatusCode::OK, &answer)
    }

    /// Notes a change, to be seen later.
    pub(super) fn accept(&mut self, change: Change) {
        let due = later_ms(self.now, self.config.settings.listing_applies_after_ms);
        self.changes.push((due, change));
    }

    /// What patches change, or Amazon's issue with them.
    pub(super) fn change_of(&self, sku: &str, patches: &Value) -> Result<Change, Issue> {
        let listing = self.listings.get(sku);
        let listing = listing.ok_or(("13013", "This SKU does not exist.".to_owned()))?;
        let mut change = Change {
            sku: sku.to_owned(),
            ..Change::default()
        };
        for patch in patches.as_array().into_iter().flatten() {
            let op = patch["op"].as_str().unwrap_or_default();
            if !["add", "replace", "merge"].contains(&op) {
                return Err(invalid("op"));
            }
            let value = patch["value"].as_array().filter(|value| value.len() == 1);
            let value = &value.ok_or_else(|| invalid("value"))?[0];
            match patch["path"].as_str() {
                Some("/attributes/fulfillment_availability") => {
                    availability(op, value, &mut change)?;
                }
                Some("/attributes/purchasable_offer") => {
                    if value["marketplace_id"] != self.marketplace().as_str() {
                        return Err(invalid("purchasable_offer.marketplace_id"));
                    }
                    change.price = Some(offer_price(value, listing)?);
                }
                _ => return Err(invalid("path")),
            }
        }
        Ok(change)
    }

    pub(super) fn work_off_changes(&mut self) {
        let now = self.now;
        let (due, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.changes)
            .into_iter()
            .partition(|(at, _)| *at <= now);
        self.changes = later;
        for (_, change) in due {
            let Some(listing) = self.listings.get_mut(&change.sku) else {
                continue;
            };
            listing.quantity = change.quantity.unwrap_or(listing.quantity);
            listing.lead_time_days = change.lead_time_days.unwrap_or(listing.lead_time_days);
            listing.changes += 1;
            if let Some(price) = change.price {
                listing.price = price;
            }
        }
    }
}

/// `merge` keeps what is not sent, `replace` and `add` lose it.
fn availability(op: &str, value: &Value, change: &mut Change) -> Result<(), Issue> {
    if value["fulfillment_channel_code"] != "DEFAULT" {
        return Err(invalid("fulfillment_availability.fulfillment_channel_code"));
    }
    let number = |name: &str| value[name].as_u64().and_then(|n| u32::try_from(n).ok());
    let quantity = number("quantity");
    change.quantity = Some(quantity.ok_or_else(|| invalid("fulfillment_availability.quantity"))?);
    let lead_time = number("lead_time_to_ship_max_days");
    if op != "merge" || lead_time.is_some() {
        change.lead_time_days = Some(lead_time);
    }
    Ok(())
}

fn offer_price(value: &Value, listing: &Listing) -> Result<Money, Issue> {
    let bad = || invalid("purchasable_offer.our_price");
    let currency = value["currency"].as_str().unwrap_or_default();
    if currency != listing.price.currency {
        return Err(invalid("purchasable_offer.currency"));
    }
    let prices = value["our_price"]
        .as_array()
        .filter(|list| list.len() == 1)
        .ok_or_else(bad)?;
    let schedule = prices[0]["schedule"]
        .as_array()
        .filter(|list| list.len() == 1);
    let amount = &schedule.ok_or_else(bad)?[0]["value_with_tax"];
    let Value::Number(amount) = amount else {
        return Err(bad());
    };
    let price = Money::parse(&amount.to_string(), currency).ok_or_else(bad)?;
    Some(price).filter(|price| price.cents > 0).ok_or_else(bad)
}

fn invalid(attribute: &str) -> Issue {
    (
        "90000900",
        format!("The attributes are invalid: {attribute}."),
    )
}

fn issue_json(code: &str, message: &str) -> Value {
    json!({
        "code": code,
        "message": message,
        "severity": "ERROR",
        "attributeNames": [],
        "categories": ["INVALID_ATTRIBUTE"],
    })
}
