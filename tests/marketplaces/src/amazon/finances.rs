//! listTransactions (Finances API 2024-06-19): the ledger. It has what the Orders API never shows, refunds made by hand and
//! Amazon's fee. The names of its parts are those of the model's example and of answers that were recorded in public
//! issues; parts below these are left out, because nothing documents their names.

use std::collections::BTreeMap;

use http::StatusCode;
use jiff::Timestamp;
use serde_json::Number;
use serde_json::Value;
use serde_json::json;

use super::error;
use super::refunds::Refund;
use super::state::Line;
use super::state::Order;
use super::state::State;
use super::types::AmazonPackageView;
use crate::answer::Answer;
use crate::answer::Call;
use crate::clock::iso_ms;
use crate::clock::later_ms;
use crate::form;
use crate::money::Money;

const TWO_MINUTES_MS: i64 = 120_000;
/// Days between the two ends of a search, beyond which the answer is empty.
const MOST_MS: i64 = 180 * 86_400_000;
/// Transactions on a page.
const PAGE: usize = 500;
/// Amazon's fee in hundredths of the price, as of most categories.
const FEE_PERCENT: i64 = 15;
/// The store where orders that the merchant ships are found only without its id.
const US: &str = "ATVPDKIKX0DER";
const PARAMETERS: [&str; 7] = [
    "postedAfter",
    "postedBefore",
    "marketplaceId",
    "transactionStatus",
    "relatedIdentifierName",
    "relatedIdentifierValue",
    "nextToken",
];

type Refused = Box<Answer>;

/// What is kept of a price.
pub(super) fn fee_on(cents: i64) -> i64 {
    (cents * FEE_PERCENT + 50) / 100
}

/// A movement of money.
struct Transaction<'a> {
    order: &'a Order,
    posted_at: Timestamp,
    what: What<'a>,
}

enum What<'a> {
    Shipment(&'a AmazonPackageView),
    Refund(&'a Refund),
}

/// A line's part of a movement.
struct Part<'a> {
    line: &'a Line,
    units: u32,
    cents: i64,
}

impl State {
    /// GET transactions
    pub(super) fn list_transactions(&self, call: &Call) -> Answer {
        match self.listed(call) {
            Ok(payload) => Answer::json(StatusCode::OK, &json!({ "payload": payload })),
            Err(answer) => *answer,
        }
    }

    fn listed(&self, call: &Call) -> Result<Value, Refused> {
        let query = call.uri.query().unwrap_or_default();
        let search: BTreeMap<String, String> = form::parse(query.as_bytes()).into_iter().collect();
        let given = |name: &str| search.get(name).map(String::as_str);
        let known = |name: &&String| PARAMETERS.contains(&name.as_str());
        if let Some(name) = search.keys().find(|name| !known(name)) {
            return Err(refused(&format!("Unknown parameter {name}.")));
        }
        let skipped = match given("nextToken").map(str::parse) {
            None => 0,
            Some(Ok(skipped)) => skipped,
            Some(Err(_)) => return Err(refused("The nextToken is invalid.")),
        };
        let found = self.matching_transactions(&given)?;
        let shown = found.iter().skip(skipped).take(PAGE);
        let shown: Vec<Value> = shown.map(|one| self.transaction_json(one)).collect();
        let mut payload = json!({ "transactions": shown });
        if found.len() > skipped + PAGE {
            payload["nextToken"] = json!((skipped + PAGE).to_string());
        }
        Ok(payload)
    }

    /// What a search finds, the oldest first.
    fn matching_transactions<'a>(
        &self,
        given: &impl Fn(&str) -> Option<&'a str>,
    ) -> Result<Vec<Transaction<'_>>, Refused> {
        let related = match (
            given("relatedIdentifierName"),
            given("relatedIdentifierValue"),
        ) {
            (None, None) => None,
            (Some(name @ ("ORDER_ID" | "FINANCIAL_EVENT_GROUP_ID")), Some(value)) => {
                Some((name, value))
            }
            _ => return Err(refused("The related identifier is invalid.")),
        };
        let time = |name: &str| {
            let parsed = given(name).map(|text| text.parse::<Timestamp>());
            let invalid = |_| refused(&format!("{name} is not ISO 8601."));
            parsed.transpose().map_err(invalid)
        };
        let latest = Timestamp::from_millisecond(self.now.as_millisecond() - TWO_MINUTES_MS);
        let latest = latest.unwrap_or(Timestamp::MIN);
        let after = time("postedAfter")?;
        if after.is_none() && related.is_none() {
            return Err(refused("Start date cannot be null"));
        }
        let before = time("postedBefore")?;
        let until = before.unwrap_or(latest);
        if until > latest || after.is_some_and(|after| after >= until) {
            return Err(refused("The dates are invalid."));
        }
        let is_too_long =
            |from: Timestamp| until.as_millisecond() - from.as_millisecond() > MOST_MS;
        if after.is_some_and(is_too_long) {
            return Ok(Vec::new());
        }
        let is_listed = |one: &Transaction| {
            let is_related = match related {
                None => true,
                Some(("ORDER_ID", id)) => one.order.order_id == id,
                // No group is closed here.
                Some(_) => false,
            };
            let is_there = match given("marketplaceId") {
                None => true,
                Some(US) if !one.order.by_amazon => false,
                Some(id) => id == self.marketplace(),
            };
            let is_released = given("transactionStatus").is_none_or(|status| status == "RELEASED");
            let is_in_time = after.is_none_or(|after| after <= one.posted_at);
            is_related && is_there && is_released && is_in_time && one.posted_at < until
        };
        let mut found = self.transactions();
        found.retain(is_listed);
        found.sort_by_key(|one| (one.posted_at, one.id()));
        Ok(found)
    }

    fn transactions(&self) -> Vec<Transaction<'_>> {
        let delay = self.config.settings.ledger_visible_after_ms;
        let mut all = Vec::new();
        for order in self.orders.values().filter(|one| !one.happened.is_gone) {
            let sold = order.packages.iter();
            let sold = sold.filter(|_| !order.happened.tells_no_fee);
            let sold = sold.map(|package| (package.confirmed_at, What::Shipment(package)));
            let refunds = order.happened.refunds.iter();
            let refunds = refunds.map(|refund| (refund.paid_at, What::Refund(refund)));
            for (posted_at, what) in sold.chain(refunds) {
                if later_ms(posted_at, delay) <= self.now {
                    all.push(Transaction {
                        order,
                        posted_at,
                        what,
                    });
                }
            }
        }
        all
    }

    fn transaction_json(&self, one: &Transaction) -> Value {
        let (kind, description, name, number) = match one.what {
            What::Shipment(package) => (
                "Shipment",
                "Order Payment",
                "SHIPMENT_ID",
                &package.reference,
            ),
            What::Refund(refund) => ("Refund", "Refund Order", "REFUND_ID", &refund.refund_id),
        };
        let parts = one.parts();
        let cents = parts.iter().map(|part| part.cents).sum();
        let is_refund = matches!(one.what, What::Refund(_));
        let (total, breakdowns) = breakdowns_json(one.order, cents, is_refund);
        let items = parts.iter().map(|part| {
            let (total, breakdowns) = breakdowns_json(one.order, part.cents, is_refund);
            json!({
                "description": part.line.title,
                "totalAmount": total,
                "breakdowns": breakdowns,
                "contexts": [{
                    "contextType": "ProductContext",
                    "asin": part.line.asin,
                    "sku": part.line.sku,
                    "quantityShipped": part.units,
                    "fulfillmentNetwork": if one.order.by_amazon { "AFN" } else { "MFN" },
                }],
            })
        });
        json!({
            "sellingPartnerMetadata": {
                "sellingPartnerId": self.config.seller_id,
                "accountType": "Standard Orders",
                "marketplaceId": self.marketplace(),
            },
            "relatedIdentifiers": [
                related_json("ORDER_ID", &one.order.order_id),
                related_json(name, number),
            ],
            "transactionType": kind,
            "transactionId": one.id(),
            "transactionStatus": "RELEASED",
            "description": description,
            "postedDate": iso_ms(one.posted_at),
            "totalAmount": total,
            "marketplaceDetails": {
                "marketplaceId": self.marketplace(),
                "marketplaceName": "Amazon.com",
            },
            "items": items.collect::<Vec<_>>(),
            "breakdowns": breakdowns,
        })
    }
}

impl<'a> Transaction<'a> {
    fn id(&self) -> String {
        let order_id = &self.order.order_id;
        match self.what {
            What::Shipment(package) => format!("{order_id}-S-{}", package.reference),
            What::Refund(refund) => format!("{order_id}-R-{}", refund.refund_id),
        }
    }

    fn parts(&self) -> Vec<Part<'a>> {
        let lines = &self.order.lines;
        match self.what {
            What::Shipment(package) => {
                let part = |(id, units): &(String, u32)| {
                    let line = lines.iter().find(|line| line.order_item_id == *id)?;
                    let cents = line.price.times(*units).cents;
                    Some(Part {
                        line,
                        units: *units,
                        cents,
                    })
                };
                package.lines.iter().filter_map(part).collect()
            }
            What::Refund(refund) => {
                let part = |(place, cents): &(usize, i64)| {
                    let line = lines.get(*place)?;
                    Some(Part {
                        line,
                        units: line.quantity,
                        cents: *cents,
                    })
                };
                refund.lines.iter().filter_map(part).collect()
            }
        }
    }
}

/// The sum of a movement and what it is made of. Which part of its fee Amazon gives back with a refund depends on the
/// category and is left out.
fn breakdowns_json(order: &Order, cents: i64, is_refund: bool) -> (Value, Value) {
    let part = |kind: &str, cents: i64, parts: Vec<Value>| {
        let amount = currency_json(&order.money(cents));
        json!({ "breakdownType": kind, "breakdownAmount": amount, "breakdowns": parts })
    };
    if is_refund {
        let goods = part("ProductCharges", -cents, Vec::new());
        let parts = vec![part("Expenses", -cents, vec![goods])];
        return (currency_json(&order.money(-cents)), json!(parts));
    }
    let fee = fee_on(cents);
    let goods = part("ProductCharges", cents, Vec::new());
    let kept = part("AmazonFees", -fee, Vec::new());
    let parts = vec![
        part("Sales", cents, vec![goods]),
        part("Expenses", -fee, vec![kept]),
    ];
    (currency_json(&order.money(cents - fee)), json!(parts))
}

/// Money as the Finances API writes it: the amount is a number.
fn currency_json(money: &Money) -> Value {
    let number: Option<Number> = serde_json::from_str(&money.decimal()).ok();
    json!({ "currencyCode": money.currency, "currencyAmount": number })
}

fn related_json(name: &str, value: &str) -> Value {
    json!({ "relatedIdentifierName": name, "relatedIdentifierValue": value })
}

fn refused(message: &str) -> Refused {
    Box::new(error::invalid(message))
}
