//! Orders as the Orders API 2026-01-01 writes them, and what of an order a test is shown.

use http::StatusCode;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::finances::fee_on;
use super::orders::fulfilled_by;
use super::orders::status_name;
use super::state::Line;
use super::state::Order;
use super::state::State;
use super::state::money_json;
use super::types::AmazonLineView;
use super::types::AmazonOrderView;
use super::types::AmazonPackageView;
use super::types::AmazonStatus;
use crate::actions::Hidden;
use crate::actions::Spoiled;
use crate::answer::Answer;
use crate::clock::iso_ms;
use crate::clock::later_ms;
use crate::money::Money;

/// Stands in a text for half a character, which no Rust text can hold.
const HALF: char = '\u{F8FF}';
/// How such a half is written: the first of the two code units of a picture, as in a text that was cut between them.
const HALF_WRITTEN: &str = "\\ud83d";

/// The answer to a read of orders.
pub(super) fn answer(body: &Value) -> Answer {
    let text = body.to_string();
    if text.contains(HALF) {
        let text = text.replace(HALF, HALF_WRITTEN);
        return Answer::bytes(StatusCode::OK, text.as_bytes())
            .with(CONTENT_TYPE, "application/json");
    }
    Answer::json(StatusCode::OK, body)
}

impl State {
    pub(super) fn order_json(&self, order: &Order, included: &[String]) -> Value {
        let wants = |name: &str| included.iter().any(|one| one == name);
        let status = order.status();
        let items = order
            .lines
            .iter()
            .map(|line| item_json(order, line, included));
        let mut body = json!({
            "orderId": order.order_id,
            "createdTime": iso_ms(order.created_at),
            "lastUpdatedTime": iso_ms(order.updated_at),
            "programs": order.programs,
            "salesChannel": {
                "channelName": "AMAZON",
                "marketplaceId": self.marketplace(),
                "marketplaceName": "Amazon.com",
            },
            "orderItems": items.collect::<Vec<_>>(),
        });
        let is_open = matches!(
            status,
            AmazonStatus::Unshipped | AmazonStatus::PartiallyShipped
        );
        // Before the payment nobody is told who buys and for how much.
        let is_named = !order.hides(Hidden::Masked) && !order.hides(Hidden::Buyer);
        if wants("BUYER") && order.is_paid && is_named {
            body["buyer"] = json!({ "buyerName": order.buyer.full_name });
            if !order.by_amazon && (is_open || status == AmazonStatus::Shipped) {
                body["buyer"]["buyerEmail"] = json!(order.buyer.email);
            }
        }
        let is_going = order.is_paid && status != AmazonStatus::Cancelled;
        if wants("RECIPIENT") && is_going && !order.hides(Hidden::Buyer) {
            body["recipient"] = recipient_json(order, is_open && !order.by_amazon);
        }
        if wants("PROCEEDS") && order.is_paid {
            body["proceeds"] = proceeds_json(order);
        }
        if wants("FULFILLMENT") {
            let day = |count: u64| iso_ms(later_ms(order.created_at, count * 86_400_000));
            body["fulfillment"] = json!({
                "fulfillmentStatus": status_name(status),
                "fulfilledBy": fulfilled_by(order),
                "fulfillmentServiceLevel": "STANDARD",
                "shipByWindow": { "earliestDateTime": day(0), "latestDateTime": day(3) },
                "deliverByWindow": { "earliestDateTime": day(5), "latestDateTime": day(15) },
            });
        }
        if wants("PACKAGES") && !order.by_amazon {
            body["packages"] = order.packages.iter().map(package_json).collect();
        }
        if order.happened.spoiled.contains(&Spoiled::Entry) {
            remove(&mut body, &["lastUpdatedTime"]);
        }
        body
    }
}

fn remove(body: &mut Value, names: &[&str]) {
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|name, _| !names.contains(&name.as_str()));
    }
}

/// A text of the order, which ends in half a character where it was spoiled.
fn text(order: &Order, text: &str) -> String {
    let is_spoiled = order.happened.spoiled.contains(&Spoiled::Character);
    let half = is_spoiled.then_some(HALF);
    text.chars().chain(half).collect()
}

/// The sum, and where Amazon collects a tax what it is made of. The samples of the model count the tax in.
fn proceeds_json(order: &Order) -> Value {
    let mut proceeds = json!({ "grandTotal": money_json(&order.total()) });
    let goods: i64 = order.lines.iter().map(|line| line.goods().cents).sum();
    let tax = order.total().cents - goods;
    if tax > 0 {
        proceeds["breakdowns"] = json!([
            { "type": "ITEM", "subtotal": money_json(&order.money(goods)) },
            { "type": "TAX", "subtotal": money_json(&order.money(tax)) },
        ]);
    }
    proceeds
}

fn recipient_json(order: &Order, with_phone: bool) -> Value {
    if order.hides(Hidden::Address) {
        return json!({});
    }
    let mut address = address_json(order, with_phone);
    if order.hides(Hidden::Country) {
        remove(&mut address, &["countryCode"]);
    }
    if order.hides(Hidden::Masked) {
        // What an application without the restricted role is not told.
        let personal = [
            "name",
            "addressLine1",
            "addressLine2",
            "addressLine3",
            "postalCode",
            "phone",
        ];
        remove(&mut address, &personal);
    }
    json!({ "deliveryAddress": address })
}

fn address_json(order: &Order, with_phone: bool) -> Value {
    let buyer = &order.buyer;
    let mut address = json!({
        "name": text(order, &buyer.full_name),
        "addressLine1": buyer.address_line1,
        "addressLine2": buyer.address_line2.as_deref().unwrap_or_default(),
        "addressLine3": "",
        "city": buyer.city,
        "stateOrRegion": buyer.state_or_province,
        "postalCode": buyer.postal_code,
        "countryCode": buyer.country_code,
        "addressType": "RESIDENTIAL",
    });
    if with_phone {
        address["phone"] = json!(buyer.phone);
    }
    address
}

fn item_json(order: &Order, line: &Line, included: &[String]) -> Value {
    let wants = |name: &str| included.iter().any(|one| one == name);
    let mut item = json!({
        "orderItemId": line.order_item_id,
        "quantityOrdered": line.quantity,
        "product": {
            "asin": line.asin,
            "title": text(order, &line.title),
            "sellerSku": line.sku,
            "price": { "unitPrice": money_json(&line.price) },
        },
    });
    if wants("PROCEEDS") && order.is_paid {
        item["proceeds"] = item_proceeds_json(line);
    }
    if wants("FULFILLMENT") {
        let left = match order.status() {
            AmazonStatus::Cancelled => 0,
            _ => order.left(line),
        };
        item["fulfillment"] = json!({
            "quantityFulfilled": order.shipped(&line.order_item_id, None),
            "quantityUnfulfilled": left,
        });
        if let Some(number) = order.tax_reference(line) {
            item["fulfillment"]["shipping"] =
                json!({ "internationalShipping": { "iossNumber": number } });
        }
    }
    if wants("CANCELLATION") {
        if let Some(reason) = &order.cancel_request {
            item["cancellation"]["cancellationRequest"] =
                json!({ "requester": "BUYER", "cancelReason": reason });
        }
        if let Some(by) = line.cancelled_by.or(order.cancelled_by) {
            item["cancellation"]["cancellationExecution"] = json!({ "cancelledBy": by });
        }
    }
    if wants("TAX") && line.tax_cents > 0 {
        item["tax"] = json!({ "taxCollections": [{
            "model": "MARKETPLACE_FACILITATOR",
            "responsibleParty": "Amazon Services, Inc.",
        }] });
        if order.tax_reference(line).is_some() {
            item["tax"]["taxCalculationBreakdowns"] = json!([{ "reportingScheme": "IOSS" }]);
        }
    }
    item
}

fn item_proceeds_json(line: &Line) -> Value {
    let currency = &*line.price.currency;
    let nothing = money_json(&Money::new(0, currency));
    let (goods, amount) = (line.goods(), line.amount());
    let mut parts = vec![
        json!({ "type": "ITEM", "subtotal": money_json(&goods) }),
        json!({ "type": "SHIPPING", "subtotal": nothing }),
    ];
    if amount.cents > goods.cents {
        let tax = money_json(&Money::new(amount.cents - goods.cents, currency));
        let of_item = json!({ "subtype": "ITEM", "value": tax });
        parts.push(json!({ "type": "TAX", "subtotal": tax, "detailedBreakdowns": [of_item] }));
    }
    json!({ "proceedsTotal": money_json(&amount), "breakdowns": parts })
}

fn package_json(package: &AmazonPackageView) -> Value {
    let items = package.lines.iter();
    let items = items.map(|(id, units)| json!({ "orderItemId": id, "quantity": units }));
    let carrier = package
        .carrier_name
        .as_ref()
        .unwrap_or(&package.carrier_code);
    json!({
        "packageReferenceId": package.reference,
        "packageStatus": { "status": "IN_TRANSIT" },
        "carrier": carrier,
        "shipTime": iso_ms(package.shipped_at),
        "trackingNumber": package.tracking_number,
        "packageItems": items.collect::<Vec<_>>(),
    })
}

impl Order {
    fn hides(&self, what: Hidden) -> bool {
        self.happened.hidden.contains(&what)
    }

    /// The number that has to stand on a line's parcel.
    fn tax_reference(&self, line: &Line) -> Option<&str> {
        let number = self.happened.tax_reference.as_deref();
        number.filter(|_| line.tax_cents > 0)
    }

    /// What a test is shown.
    pub(super) fn view(&self, now: Timestamp) -> AmazonOrderView {
        let happened = &self.happened;
        let lines = self.lines.iter().enumerate();
        let goods: i64 = self.lines.iter().map(|line| line.goods().cents).sum();
        AmazonOrderView {
            order_id: self.order_id.clone(),
            created_at: self.created_at,
            updated_at: self.updated_at,
            status: self.status(),
            cancel_requested: self.cancel_request.is_some(),
            buyer: self.buyer.clone(),
            lines: lines
                .map(|(place, line)| self.line_view(place, line, now))
                .collect(),
            total: self.total(),
            fee: self.money(fee_on(goods)),
            tells_fee: !happened.tells_no_fee,
            tax_reference: happened.tax_reference.clone(),
            packages: self.packages.clone(),
            refunds: self.refund_views(now),
            by_amazon: self.by_amazon,
            under_review: happened.under_review,
            never_paid: happened.never_paid,
            hidden: happened.hidden.clone(),
            vanished: happened.is_gone,
        }
    }

    fn line_view(&self, place: usize, line: &Line, now: Timestamp) -> AmazonLineView {
        let by_hand = self.packages.iter().filter(|package| package.by_hand);
        let shipped_by_hand: u32 = by_hand
            .flat_map(|package| &package.lines)
            .filter(|(id, _)| *id == line.order_item_id)
            .map(|(_, units)| units)
            .sum();
        let shipped = self.shipped(&line.order_item_id, None);
        let cancelled = match self.cancelled_by {
            Some(_) => line.quantity,
            None => line.cancelled,
        };
        let price_cents = line.goods().cents;
        let refunded_cents = self.refunded(place, Some(now));
        AmazonLineView {
            order_item_id: line.order_item_id.clone(),
            sku: line.sku.clone(),
            quantity: line.quantity,
            shipped,
            shipped_by_api: shipped - shipped_by_hand,
            shipped_by_hand,
            cancelled,
            cancelled_by: line.cancelled_by.or(self.cancelled_by),
            price_cents,
            tax_cents: line.tax_cents,
            refunded_cents,
            refunded_whole: price_cents > 0 && refunded_cents >= price_cents,
        }
    }
}
