//! Wire ⇄ domain, pure.

use super::{
    wire::{Ack, Answer, ErrorEntry, Tracking},
    xml::Element,
};
use crate::{
    domain::{
        Address, Buyer, Cancel, ChannelOrderId, CountryCode, LineId, Marketplace, Money,
        OrderDetails, OrderLine, Payment, TrackingNumber,
    },
    marketplaces::{
        FetchedOrder, ListingUpdate,
        address_lines::second_line,
        carriers,
        ebay::convert::{BadField, item_id, time, with_reference},
    },
};
use jiff::Timestamp;

/// What eBay puts where it shows no phone number, e-mail address or state.
const PLACEHOLDERS: [&str; 2] = ["Invalid Request", "default"];

/// An order as the domain has it. Unknown states are read as the ones in which nothing is bought.
pub(super) fn order(order: &Element) -> Result<FetchedOrder, BadField> {
    let total = without_collected_tax(order)?;
    let address = ship_to(order);
    let transactions = transactions(order);
    let lines: Vec<OrderLine> = transactions.map(line).collect::<Result<_, _>>()?;
    if lines.is_empty() {
        return Err(BadField("TransactionArray"));
    }
    let country = address.and_then(country);
    let details = OrderDetails {
        bought_at: when(order, &["CreatedTime"], "CreatedTime")?,
        modified_at: modified_at(order)?,
        payment: payment(order),
        cancel: cancelled(order),
        fulfilled: order.value(&["ShippedTime"]).is_some(),
        total,
        fee: fee(order, total)?,
        refunded_minor: refunded_minor(order, total)?,
        country: country.ok_or(BadField("ShippingAddress.Country"))?,
        lines,
    };
    let buyer = address.and_then(|address| buyer(order, address, &details.country));
    Ok(FetchedOrder {
        details,
        buyer,
        failed_refunds: failed_refunds(order),
    })
}

/// An order's id and the time of its last change.
pub(super) fn changed(order: &Element) -> Result<(ChannelOrderId, Timestamp), BadField> {
    let id = order.value(&["OrderID"]).unwrap_or_default();
    let id = ChannelOrderId::parse(id).map_err(|_| BadField("OrderID"))?;
    Ok((id, modified_at(order)?))
}

/// An order's lines.
pub(super) fn transactions(order: &Element) -> impl Iterator<Item = &Element> + Clone {
    let array = order.child("TransactionArray").into_iter();
    array.flat_map(|array| array.all("Transaction"))
}

/// The id of a line: ItemID-TransactionID.
pub(super) fn line_id(transaction: &Element) -> Option<String> {
    if let Some(id) = transaction.value(&["OrderLineItemID"]) {
        return Some(id.to_owned());
    }
    let item = transaction.value(&["Item", "ItemID"])?;
    Some(format!("{item}-{}", transaction.value(&["TransactionID"])?))
}

/// The parcels that a line has.
pub(super) fn parcels(transaction: &Element) -> Vec<Tracking> {
    let details = transaction.child("ShippingDetails").into_iter();
    let details = details.flat_map(|details| details.all("ShipmentTrackingDetails"));
    let tracking = details.filter_map(|details| {
        Some(Tracking {
            number: details.value(&["ShipmentTrackingNumber"])?.to_owned(),
            carrier: details
                .value(&["ShippingCarrierUsed"])
                .unwrap_or("Other")
                .to_owned(),
        })
    });
    tracking.collect()
}

/// Whether one of the parcels has this number.
pub(super) fn has_parcel(parcels: &[Tracking], number: &TrackingNumber) -> bool {
    let is_it = |theirs: TrackingNumber| theirs == *number;
    parcels
        .iter()
        .any(|parcel| TrackingNumber::parse(&parcel.number).is_ok_and(is_it))
}

/// A carrier as CompleteSale takes it: eBay's code, or the carrier's own name, of letters, digits, blanks and hyphens.
pub(super) fn carrier(name: &str) -> String {
    let known = carriers::at(Marketplace::Ebay, name);
    if known.code != "Other" {
        return known.code.to_owned();
    }
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-');
    let plain: String = known.name.chars().filter(is_plain).take(50).collect();
    match plain.trim() {
        "" => "Other".to_owned(),
        plain => plain.to_owned(),
    }
}

/// What an answer of ReviseInventoryStatus says of one of its updates.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Revised<'a> {
    /// It was made.
    Made,
    /// It was refused for this.
    Refused(&'a ErrorEntry),
    /// The answer does not say.
    Unsaid,
}

/// What an answer says of one update. Errors name their item in a parameter, by its id or its sku; one that names none
/// is of all. No item is twice in a call, so an ItemID is enough.
pub(super) fn revised<'a>(
    update: &ListingUpdate,
    all: &[&ListingUpdate],
    answer: &'a Answer,
) -> Revised<'a> {
    let names = |error: &ErrorEntry, update: &ListingUpdate| {
        let item = item_id(&update.listing).unwrap_or_default();
        error.parameters.iter().any(|(id, value)| {
            value == item || (id == "SKU" && value == update.listing.sku.as_str())
        })
    };
    if answer.ack == Ack::Success {
        return Revised::Made;
    }
    if let Some(error) = answer.errors.iter().find(|error| names(error, update)) {
        return Revised::Refused(error);
    }
    let is_of_nobody = |error: &&ErrorEntry| !all.iter().any(|other| names(error, other));
    if let Some(error) = answer.errors.iter().find(is_of_nobody) {
        return Revised::Refused(error);
    }
    let is_echo = |status: &Element| {
        let sku = status.value(&["SKU"]);
        status.value(&["ItemID"]) == item_id(&update.listing)
            && sku.is_none_or(|sku| sku == update.listing.sku.as_str())
    };
    let is_echoed = answer.root.all("InventoryStatus").any(is_echo);
    match answer.ack {
        Ack::PartialFailure if is_echoed => Revised::Made,
        _ => Revised::Unsaid,
    }
}

/// The orders that a platform notification is about, by the name that the order has everywhere where it is said. Nothing
/// else of a notification is read.
pub(in super::super) fn push_orders(said: &Element) -> Result<Vec<ChannelOrderId>, BadField> {
    let arrays = [("TransactionArray", "Transaction"), ("OrderArray", "Order")];
    let within = arrays
        .iter()
        .flat_map(|(array, one)| said.all(array).flat_map(|array| array.all(one)));
    let direct = said.all("Transaction").chain(said.all("Order"));
    let mut orders = Vec::new();
    for about in within.chain(direct).chain([said]) {
        let item = about.value(&["Item", "ItemID"]);
        let item = item.or_else(|| said.value(&["Item", "ItemID"]));
        let line = || Some(format!("{}-{}", item?, about.value(&["TransactionID"])?));
        let named = [
            ["ContainingOrder", "OrderID"].as_slice(),
            &["ContainingOrder", "ExtendedOrderID"],
            &["ExtendedOrderID"],
            &["OrderID"],
            &["OrderLineItemID"],
        ];
        let id = named.iter().find_map(|path| about.value(path));
        let Some(id) = id.map(str::to_owned).or_else(line) else {
            continue;
        };
        let id = ChannelOrderId::parse(&id).map_err(|_| BadField("OrderID"))?;
        if !orders.contains(&id) {
            orders.push(id);
        }
    }
    Ok(orders)
}

fn when(order: &Element, path: &[&str], field: &'static str) -> Result<Timestamp, BadField> {
    time(order.value(path).unwrap_or_default(), field)
}

/// The last change that the order shows; what was only shipped since may not move the checkout's.
fn modified_at(order: &Element) -> Result<Timestamp, BadField> {
    let path = ["CheckoutStatus", "LastModifiedTime"];
    let modified = when(order, &path, "CheckoutStatus.LastModifiedTime")?;
    let shipped = order.value(&["ShippedTime"]);
    let shipped = shipped.and_then(|text| time(text, "ShippedTime").ok());
    Ok(shipped.map_or(modified, |shipped| shipped.max(modified)))
}

fn payment(order: &Element) -> Payment {
    let is = |path: &[&str], word: &str| order.value(path) == Some(word);
    let paid = order.value(&["PaidTime"]).is_some()
        && is(&["CheckoutStatus", "eBayPaymentStatus"], "NoPaymentFailure")
        && is(&["CheckoutStatus", "Status"], "Complete")
        && matches!(order.value(&["OrderStatus"]), Some("Completed" | "Shipped"));
    if paid {
        Payment::Paid
    } else {
        Payment::Pending
    }
}

/// `CancelStatus` is only there where somebody asked, in newer versions always; `OrderStatus` says it too.
fn cancelled(order: &Element) -> Cancel {
    match order.value(&["OrderStatus"]) {
        Some("Cancelled") => return Cancel::Done,
        Some("CancelPending") => return Cancel::Requested,
        _ => {}
    }
    match order.value(&["CancelStatus"]) {
        None | Some("NotApplicable" | "CancelRejected") => Cancel::No,
        Some(
            "CancelComplete"
            | "CancelClosedForCommitment"
            | "CancelClosedNoRefund"
            | "CancelClosedUnknownRefund"
            | "CancelClosedWithRefund",
        ) => Cancel::Done,
        Some(_) => Cancel::Requested,
    }
}

fn line(transaction: &Element) -> Result<OrderLine, BadField> {
    let id = line_id(transaction).ok_or(BadField("OrderLineItemID"))?;
    let quantity = transaction.value(&["QuantityPurchased"]);
    let quantity: u32 = quantity
        .and_then(|text| text.parse().ok())
        .filter(|quantity| *quantity > 0)
        .ok_or(BadField("QuantityPurchased"))?;
    let price = money(transaction.child("TransactionPrice"), "TransactionPrice")?;
    let sku = transaction.value(&["Variation", "SKU"]);
    let sku = sku.or_else(|| transaction.value(&["Item", "SKU"]));
    let path = [
        "ShippingServiceSelected",
        "ShippingPackageInfo",
        "HandleByTime",
    ];
    let ship_by = transaction.value(&path);
    Ok(OrderLine {
        id: LineId::parse(&id).map_err(|_| BadField("OrderLineItemID"))?,
        sku: sku.unwrap_or_default().to_owned(),
        quantity,
        // eBay's is that of one unit.
        price: price.times(quantity).ok_or(BadField("TransactionPrice"))?,
        ship_by: ship_by.map(|text| time(text, "HandleByTime")).transpose()?,
        // eBay tells of a line that all of it was sent, and not how many units of it.
        shipped: match transaction.value(&["ShippedTime"]) {
            Some(_) => quantity,
            None => 0,
        },
        shipped_whole: true,
        // Whole orders only are cancelled, and a refund does not say of which line it is.
        cancelled: 0,
        refunded: 0,
        refunding: 0,
    })
}

fn money(amount: Option<&Element>, field: &'static str) -> Result<Money, BadField> {
    let amount = amount.ok_or(BadField(field))?;
    let currency = amount.attribute("currencyID").ok_or(BadField(field))?;
    let currency = currency.parse().map_err(|_| BadField(field))?;
    Money::parse(amount.text(), currency).map_err(|_| BadField(field))
}

/// What the customer pays, without the taxes that eBay collects and pays to the state: from version 1307 of the schema on,
/// `Total` holds them (KB 5216).
fn without_collected_tax(order: &Element) -> Result<Money, BadField> {
    let mut total = money(order.child("Total"), "Total")?;
    for line in transactions(order) {
        let taxes = line.all("eBayCollectAndRemitTaxes");
        for tax in taxes.filter_map(|taxes| taxes.child("TotalTaxAmount")) {
            let field = "eBayCollectAndRemitTaxes.TotalTaxAmount";
            let tax = money(Some(tax), field)?;
            total = total.minus(tax).ok_or(BadField(field))?;
        }
    }
    Ok(total)
}

/// What eBay keeps of the lines, where it says so: in its own currency, which need not be the order's. A fee that cannot be
/// read is not none.
fn fee(order: &Element, total: Money) -> Result<Money, BadField> {
    let field = "FinalValueFee";
    let fees = transactions(order).filter_map(|line| line.child(field));
    let fees = fees.map(|fee| money(Some(fee), field));
    let sum = fees.reduce(|sum, fee| sum?.plus(fee?).ok_or(BadField(field)));
    sum.unwrap_or(Ok(Money::zero(total.currency)))
}

fn refunds(order: &Element) -> impl Iterator<Item = &Element> {
    let refunds = order.at(&["MonetaryDetails", "Refunds"]).into_iter();
    refunds.flat_map(|refunds| refunds.all("Refund"))
}

fn has_failed(refund: &Element) -> bool {
    refund.value(&["RefundStatus"]) == Some("Failed")
}

/// The ids of refunds that failed.
fn failed_refunds(order: &Element) -> Vec<String> {
    let failed = refunds(order).filter(|refund| has_failed(refund));
    let ids = failed.filter_map(|refund| refund.value(&["ReferenceID"]));
    ids.map(str::to_owned).collect()
}

/// What was paid back, or is about to be.
fn refunded_minor(order: &Element, total: Money) -> Result<i64, BadField> {
    let mut sum = 0_i64;
    for refund in refunds(order) {
        if has_failed(refund) {
            continue;
        }
        let amount = money(refund.child("RefundAmount"), "RefundAmount")?;
        if amount.currency != total.currency {
            return Err(BadField("RefundAmount.currencyID"));
        }
        sum = sum.saturating_add(amount.minor);
    }
    Ok(sum)
}

/// Where the parcel goes: to eBay's own warehouse where the order is for its international shipping.
fn ship_to(order: &Element) -> Option<&Element> {
    let path = [
        "MultiLegShippingDetails",
        "SellerShipmentToLogisticsProvider",
        "ShipToAddress",
    ];
    order.at(&path).or_else(|| order.child("ShippingAddress"))
}

fn country(address: &Element) -> Option<CountryCode> {
    let country = |name| address.value(&[name]).and_then(|code| code.parse().ok());
    // Answers were seen that have the code in the name's place.
    country("Country").or_else(|| country("CountryName"))
}

/// The buyer; `None` where eBay shows too little to send anything.
fn buyer(order: &Element, address: &Element, country: &CountryCode) -> Option<Buyer> {
    let text = |name| {
        let text: Option<&str> = address.value(&[name]);
        text.filter(|text| !PLACEHOLDERS.contains(text))
            .unwrap_or_default()
            .to_owned()
    };
    let needed = |name| Some(text(name)).filter(|text| !text.is_empty());
    let email = transactions(order).find_map(|line| line.value(&["Buyer", "Email"]));
    let (name, line1, city) = (needed("Name")?, needed("Street1")?, needed("CityName")?);
    let region = text("StateOrProvince");
    let rest = [text("CompanyName"), text("Street2"), text("County")];
    let rest = rest.iter().map(String::as_str);
    let line2 = second_line(rest, &[&name, &line1, &city, &region]);
    Some(Buyer {
        name,
        phone: text("Phone"),
        email: email
            .filter(|email| !PLACEHOLDERS.contains(email))
            .unwrap_or_default()
            .to_owned(),
        account_name: order.value(&["BuyerUserID"]).unwrap_or_default().to_owned(),
        address: Address {
            line2: with_reference(&line1, line2, &text("ReferenceID")),
            line1,
            city,
            region,
            postal_code: text("PostalCode"),
            country: country.clone(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marketplaces::ebay::trading::xml;

    #[test]
    fn company_and_county_are_said_in_the_second_line() {
        let order = "<Order><BuyerUserID>buyer_one</BuyerUserID><ShippingAddress><Name>Ann Example</Name>\
            <Street1>1 Test Rd</Street1><Street2>Flat 2</Street2><CityName>Testville</CityName>\
            <StateOrProvince>default</StateOrProvince><PostalCode>AB1 2CD</PostalCode>\
            <CompanyName>Example Ltd</CompanyName><County>Surrey</County></ShippingAddress></Order>";
        let order = xml::parse(order.as_bytes()).ok().unwrap();
        let address = ship_to(&order).unwrap();
        let buyer = buyer(&order, address, &"GB".parse().unwrap()).unwrap();
        assert_eq!(buyer.address.line1, "1 Test Rd");
        assert_eq!(buyer.address.line2, "Example Ltd, Flat 2, Surrey");
    }
}
