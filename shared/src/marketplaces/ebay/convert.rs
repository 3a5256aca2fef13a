//! Wire ⇄ domain, pure.

mod refunds;

use refunds::{failed_refunds, refunded_minor, refunds_of};
pub(super) use refunds::{refund_reason, refund_state, refunds};

use super::{limits, wire};
use crate::{
    domain::{
        AccountId, Address, Buyer, Cancel, ChannelOrderId, CountryCode, LineId, ListingId, Money,
        OrderDetails, OrderLine, Payment, Pseudonym, SignalKind, TrackingNumber,
    },
    marketplaces::{FetchedOrder, ListingUpdate, PseudonymKey, Shown, address_lines::second_line},
};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// A field of an answer that has no meaning for us, by its path. Its value is never kept: it can be a buyer's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadField(pub(super) &'static str);

/// What a push says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PushSays {
    /// What may have changed; `None` for a topic that is not about orders or persons.
    pub(super) kind: Option<SignalKind>,
    /// When eBay sent it, where its age matters.
    pub(super) published_at: Option<Timestamp>,
}

/// Whether the parcels have to be read for how many units of a line were shipped: eBay says of a line only that a part was.
pub(super) fn is_partly_shipped(order: &wire::Order) -> bool {
    let mut lines = order.line_items.as_deref().unwrap_or_default().iter();
    lines.any(|line| {
        line.quantity > 1 && line.line_item_fulfillment_status.as_deref() == Some("IN_PROGRESS")
    })
}

/// An order as the domain has it. Unknown states are read as the ones in which nothing is bought. `parcels`: those that
/// eBay knows, where a line was shipped in part.
pub(super) fn order(
    order: &wire::Order,
    parcels: &[wire::Fulfillment],
) -> Result<FetchedOrder, BadField> {
    let contact = ship_to(order);
    let total = order
        .pricing_summary
        .as_ref()
        .and_then(|p| p.total.as_ref());
    let total = money(total, "pricingSummary.total")?;
    let fee = match &order.total_marketplace_fee {
        Some(fee) => money(Some(fee), "totalMarketplaceFee")?,
        None => Money::zero(total.currency),
    };
    let cancel = order.cancel_status.as_ref();
    // Always sent, and what stops a purchase: where it is missing nobody may guess.
    let cancel_state = cancel
        .and_then(|status| status.cancel_state.as_deref())
        .ok_or(BadField("cancelStatus.cancelState"))?;
    let lines = order.line_items.as_deref().unwrap_or_default();
    if lines.is_empty() {
        return Err(BadField("lineItems"));
    }
    let failed = failed_refunds(order);
    let lines = lines.iter().map(|one| line(one, parcels, &failed));
    let lines: Vec<OrderLine> = lines.collect::<Result<_, _>>()?;
    let details = OrderDetails {
        bought_at: time(&order.creation_date, "creationDate")?,
        modified_at: time(&order.last_modified_date, "lastModifiedDate")?,
        payment: payment(order.order_payment_status.as_deref()),
        cancel: cancelled(cancel_state, order.order_payment_status.as_deref()),
        fulfilled: order.order_fulfillment_status.as_deref() == Some("FULFILLED"),
        total,
        fee,
        refunded_minor: refunded_minor(order, total.currency)?,
        country: country(order, contact)?,
        lines,
    };
    let buyer = contact.and_then(|contact| buyer(order, contact, &details.country));
    Ok(FetchedOrder {
        details,
        buyer,
        failed_refunds: failed.into_iter().map(str::to_owned).collect(),
    })
}

/// What a verified push says. Of the data only ids are read; the order itself is asked for.
pub(super) fn push(
    push: &wire::Push,
    account: &AccountId,
    pseudonyms: &PseudonymKey,
) -> Result<PushSays, BadField> {
    let data = &push.notification.data;
    if push.metadata.topic == "MARKETPLACE_ACCOUNT_DELETION" {
        let kind = Some(SignalKind::PersonErased(persons(
            data, account, pseudonyms,
        )?));
        // An erasure has no age: it may be repeated without harm, and must not be lost however late it comes.
        return Ok(PushSays {
            kind,
            published_at: None,
        });
    }
    let id = data
        .get("order")
        .and_then(|order| order.get("orderId"))
        .or_else(|| data.get("orderId"));
    let Some(id) = id else {
        return Ok(PushSays {
            kind: None,
            published_at: None,
        });
    };
    let id = id.as_str().and_then(|id| ChannelOrderId::parse(id).ok());
    let id = id.ok_or(BadField("data.order.orderId"))?;
    let published = push.notification.publish_date.as_deref();
    let published_at = time(published.unwrap_or_default(), "notification.publishDate")?;
    Ok(PushSays {
        kind: Some(SignalKind::OrderChanged(id)),
        published_at: Some(published_at),
    })
}

/// The API that a listing was made through, which is the only one that can change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListedBy {
    /// The Inventory API: the listing's `offer` is an offerId.
    Inventory,
    /// The Trading API: the listing's `offer` is `item:` and an ItemID.
    Trading,
}

/// Updates that go into one call. Numbers count in the list of all updates.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UpdateCall {
    /// Over which API.
    pub(super) by: ListedBy,
    /// Which updates, at least one.
    pub(super) updates: Vec<usize>,
}

/// The ItemID of a listing of the Trading API; `None` for one of the Inventory API.
pub(super) fn item_id(listing: &ListingId) -> Option<&str> {
    listing.offer.strip_prefix("item:")
}

/// Whether an order id is the older name of an order of one line, ItemID-TransactionID.
pub(super) fn is_line_name(id: &ChannelOrderId) -> bool {
    let is_number = |text: &str| text.len() >= 6 && text.bytes().all(|b| b.is_ascii_digit());
    id.as_str()
        .split_once('-')
        .is_some_and(|(item, transaction)| {
            is_number(item) && (transaction == "0" || is_number(transaction))
        })
}

/// Which updates go into one call. Of the Inventory API: those of one sku. Of the Trading API: those of different items,
/// because an item that comes twice is refused, and an error that names an item is then that of one update. At most as
/// many as a call takes, and no listing twice: of one that comes twice the last counts, so the earlier ones are left to
/// it.
pub(super) fn calls_of(updates: &[ListingUpdate]) -> Vec<UpdateCall> {
    let mut calls: Vec<UpdateCall> = Vec::new();
    for (number, update) in updates.iter().enumerate() {
        let is_replaced = |later: &ListingUpdate| later.listing == update.listing;
        if updates[number + 1..].iter().any(is_replaced) {
            continue;
        }
        let item = item_id(&update.listing);
        let by = match item {
            Some(_) => ListedBy::Trading,
            None => ListedBy::Inventory,
        };
        let fits = |call: &&mut UpdateCall| {
            let mut others = call.updates.iter().map(|n| &updates[*n].listing);
            call.by == by
                && match by {
                    ListedBy::Inventory => {
                        call.updates.len() < limits::OFFERS_PER_UPDATE
                            && others.all(|other| other.sku == update.listing.sku)
                    }
                    ListedBy::Trading => {
                        call.updates.len() < limits::ITEMS_PER_REVISION
                            && others.all(|other| item_id(other) != item)
                    }
                }
        };
        match calls.iter_mut().find(fits) {
            Some(call) => call.updates.push(number),
            None => calls.push(UpdateCall {
                by,
                updates: vec![number],
            }),
        }
    }
    calls
}

/// What an offer shows; `None` where it is not among its sku's.
pub(super) fn shown(offers: &wire::Offers, listing: &ListingId) -> Result<Option<Shown>, BadField> {
    let mut offers = offers.offers.iter();
    let Some(offer) = offers.find(|offer| offer.offer_id == listing.offer) else {
        return Ok(None);
    };
    let quantity = offer.available_quantity;
    let price = offer.pricing_summary.as_ref();
    Ok(Some(Shown {
        quantity: quantity.ok_or(BadField("offers.availableQuantity"))?,
        price: money(
            price.and_then(|summary| summary.price.as_ref()),
            "offers.pricingSummary.price",
        )?,
    }))
}

/// Which of these listings one call sets together with the first, by their places.
pub(super) fn one_call(listings: &[&ListingId]) -> Vec<usize> {
    let Some(first) = listings.first() else {
        return Vec::new();
    };
    let all = listings.iter().enumerate();
    if item_id(first).is_none() {
        let of_sku = all.filter(|(_, it)| item_id(it).is_none() && it.sku == first.sku);
        let places = of_sku.map(|(place, _)| place);
        return places.take(limits::OFFERS_PER_UPDATE).collect();
    }
    let mut items = BTreeSet::new();
    let others = all.filter(|(_, it)| item_id(it).is_some_and(|item| items.insert(item)));
    let places = others.map(|(place, _)| place);
    places.take(limits::ITEMS_PER_REVISION).collect()
}

/// One call's request, of updates of one sku. The pool is set with the offers, because a listing shows no more than
/// either; it is what the largest of them needs. `None` for no update.
pub(super) fn bulk_update<'a>(updates: &[&'a ListingUpdate]) -> Option<wire::BulkUpdate<'a>> {
    let quantity = updates.iter().map(|update| update.quantity).max()?;
    let offers = updates.iter().map(|update| wire::OfferUpdate {
        offer_id: &update.listing.offer,
        available_quantity: update.quantity,
        price: update.price.map(|price| wire::Amount {
            value: price.decimal(),
            currency: price.currency.code().to_owned(),
        }),
    });
    Some(wire::BulkUpdate {
        requests: [wire::SkuUpdate {
            sku: updates.first()?.listing.sku.as_str(),
            ship_to_location_availability: wire::Pool { quantity },
            offers: offers.collect(),
        }],
    })
}

/// What an answer says of one update: its offer's entry, or the first failure of its sku. `None` where it says nothing.
pub(super) fn outcome_of<'a>(
    update: &ListingUpdate,
    answer: &'a wire::BulkUpdated,
) -> Option<&'a wire::OfferUpdated> {
    let is_fine = |entry: &&wire::OfferUpdated| (200..300).contains(&entry.status_code);
    let of_sku = answer.responses.iter().find(|entry| {
        let is_skus = entry.sku.as_deref() == Some(update.listing.sku.as_str());
        entry.offer_id.is_none() && is_skus && !is_fine(entry)
    });
    let is_offers = |entry: &&wire::OfferUpdated| {
        entry.offer_id.as_deref() == Some(update.listing.offer.as_str())
    };
    // An offer that is named twice has failed where one of the two has.
    let mut of_offer = answer.responses.iter().filter(is_offers);
    let failed = of_offer.clone().find(|entry| !is_fine(entry));
    failed.or(of_sku).or_else(|| of_offer.next())
}

/// A time as eBay writes it: UTC with milliseconds. What is finer is cut off.
pub(super) fn iso_ms(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// eBay's time, as read from `field`.
pub(super) fn time(text: &str, field: &'static str) -> Result<Timestamp, BadField> {
    text.parse().map_err(|_| BadField(field))
}

/// Whether eBay's parcel is the one with this number. With tracking, the parcel's id is the number too.
pub(super) fn is_parcel(parcel: &wire::Fulfillment, number: &TrackingNumber) -> bool {
    [&parcel.shipment_tracking_number, &parcel.fulfillment_id]
        .into_iter()
        .flatten()
        .any(|text| TrackingNumber::parse(text).is_ok_and(|theirs| theirs == *number))
}

/// The rates of the APIs that are used, by the names of their limits, in calls of a million seconds. Of an API's quotas the
/// largest counts, less a tenth that may come at once; a method with a smaller one of its own is refused by eBay.
pub(super) fn rates(limits: &wire::RateLimits) -> Vec<(&'static str, u64)> {
    let mut rates: Vec<(&'static str, u64)> = Vec::new();
    for api in limits.rate_limits.as_deref().unwrap_or_default() {
        let context = api
            .api_context
            .as_deref()
            .unwrap_or_default()
            .to_lowercase();
        let name = api.api_name.as_deref().unwrap_or_default().to_lowercase();
        let bucket = match (context.as_str(), name.as_str()) {
            ("sell", "fulfillment") => "fulfillment",
            ("sell", "inventory") => "inventory",
            ("tradingapi", _) => "trading",
            _ => continue,
        };
        let resources = api.resources.as_deref().unwrap_or_default().iter();
        let all = resources.flat_map(|resource| resource.rates.as_deref().unwrap_or_default());
        let per_million_s = all.filter_map(|rate| {
            let window_s = rate.time_window.filter(|window_s| *window_s > 0)?;
            let calls = rate.limit?.saturating_mul(900_000);
            Some(calls / window_s).filter(|rate| *rate > 0)
        });
        rates.extend(per_million_s.max().map(|rate| (bucket, rate)));
    }
    rates
}

fn payment(status: Option<&str>) -> Payment {
    match status {
        // A part paid back leaves the rest to be sent.
        Some("PAID" | "PARTIALLY_REFUNDED") => Payment::Paid,
        // After a failure the customer may pay again; what was paid back in full is cancelled.
        _ => Payment::Pending,
    }
}

/// A request can still be declined, so only a decided one closes an order. Words of tomorrow count as a request: nothing
/// is bought on them.
fn cancelled(cancel_state: &str, payment: Option<&str>) -> Cancel {
    match (cancel_state, payment) {
        ("CANCELED", _) | (_, Some("FULLY_REFUNDED")) => Cancel::Done,
        ("NONE_REQUESTED", _) => Cancel::No,
        _ => Cancel::Requested,
    }
}

/// Units of a line in parcels that eBay knows. A word of tomorrow is not taken for "nothing was shipped".
fn shipped(line: &wire::LineItem, parcels: &[wire::Fulfillment]) -> Result<u32, BadField> {
    match line.line_item_fulfillment_status.as_deref() {
        Some("FULFILLED") => Ok(line.quantity),
        Some("IN_PROGRESS") if line.quantity > 1 => {
            let lines = parcels.iter().flat_map(|parcel| parcel.line_items.iter());
            let lines = lines.flatten();
            let of_line = lines.filter(|one| one.line_item_id == line.line_item_id);
            let units = of_line.map(|one| one.quantity.unwrap_or(1));
            match units.fold(0, u32::saturating_add) {
                // The list of parcels can lag behind the order.
                0 => Err(BadField("fulfillments.lineItems")),
                // The other half of "a part was shipped" is that a part was not.
                units => Ok(units.min(line.quantity - 1)),
            }
        }
        Some("NOT_STARTED" | "IN_PROGRESS") | None => Ok(0),
        Some(_) => Err(BadField("lineItems.lineItemFulfillmentStatus")),
    }
}

fn line(
    line: &wire::LineItem,
    parcels: &[wire::Fulfillment],
    failed: &[&str],
) -> Result<OrderLine, BadField> {
    if line.quantity == 0 {
        return Err(BadField("lineItems.quantity"));
    }
    let price = line.discounted_line_item_cost.as_ref();
    let price = price.or(line.line_item_cost.as_ref());
    let ship_by = line
        .line_item_fulfillment_instructions
        .as_ref()
        .and_then(|instructions| instructions.ship_by_date.as_deref());
    let price = money(price, "lineItems.lineItemCost")?;
    let (paid, under_way) = refunds_of(line, price.currency, failed)?;
    // What was paid back up to the price alone may be the shipping: the goods are still to be sent.
    let delivery = line
        .delivery_cost
        .as_ref()
        .and_then(|cost| cost.shipping_cost.as_ref());
    let delivery = delivery.map(|cost| money(Some(cost), "lineItems.deliveryCost"));
    let delivery = delivery.transpose()?.map_or(0, |cost| cost.minor);
    let whole = price.minor.saturating_add(delivery);
    let is_whole = |minor: i64| whole > 0 && minor >= whole;
    let is_refunded = is_whole(paid.minor);
    let is_refunding = is_whole(paid.minor.saturating_add(under_way.minor)) && !is_refunded;
    Ok(OrderLine {
        id: LineId::parse(&line.line_item_id).map_err(|_| BadField("lineItems.lineItemId"))?,
        sku: line.sku.clone().unwrap_or_default(),
        quantity: line.quantity,
        price,
        ship_by: ship_by
            .map(|text| time(text, "lineItems.shipByDate"))
            .transpose()?,
        shipped: shipped(line, parcels)?,
        shipped_whole: false,
        // eBay cancels whole orders only.
        cancelled: 0,
        refunded: if is_refunded { line.quantity } else { 0 },
        refunding: if is_refunding { line.quantity } else { 0 },
    })
}

pub(super) fn money(amount: Option<&wire::Amount>, field: &'static str) -> Result<Money, BadField> {
    let amount = amount.ok_or(BadField(field))?;
    let currency = amount.currency.parse().map_err(|_| BadField(field))?;
    Money::parse(&amount.value, currency).map_err(|_| BadField(field))
}

fn ship_to(order: &wire::Order) -> Option<(&wire::ShippingStep, &wire::Contact)> {
    let instructions = order.fulfillment_start_instructions.as_deref()?;
    instructions.iter().find_map(|instruction| {
        let step = instruction.shipping_step.as_ref()?;
        Some((step, step.ship_to.as_ref()?))
    })
}

/// The parcel's country; the buyer's tax country where there is no parcel address (eBay's own warehouse, a pick-up).
fn country(
    order: &wire::Order,
    contact: Option<(&wire::ShippingStep, &wire::Contact)>,
) -> Result<CountryCode, BadField> {
    let shipped = contact
        .and_then(|(_, contact)| contact.contact_address.as_ref())
        .and_then(|address| address.country_code.as_deref());
    let taxed = order
        .buyer
        .as_ref()
        .and_then(|buyer| buyer.tax_address.as_ref())
        .and_then(|address| address.country_code.as_deref());
    let field = BadField("shipTo.contactAddress.countryCode");
    shipped.or(taxed).ok_or(field)?.parse().map_err(|_| field)
}

/// The buyer; `None` where eBay shows too little to send anything, as it does 90 days after the sale.
fn buyer(
    order: &wire::Order,
    (step, contact): (&wire::ShippingStep, &wire::Contact),
    country: &CountryCode,
) -> Option<Buyer> {
    let address = contact.contact_address.as_ref()?;
    let needed = |text: &Option<String>| Some(clean(text)).filter(|text| !text.is_empty());
    let line1 = needed(&address.address_line1)?;
    let reference = clean(&step.ship_to_reference_id);
    let name = needed(&contact.full_name)?;
    let city = needed(&address.city)?;
    let region = Some(clean(&address.state_or_province)).filter(|region| region != "default");
    let region = region.unwrap_or_default();
    let rest = [
        clean(&contact.company_name),
        clean(&address.address_line2),
        clean(&address.county),
    ];
    let rest = rest.iter().map(String::as_str);
    let line2 = second_line(rest, &[&name, &line1, &city, &region]);
    let line2 = with_reference(&line1, line2, &reference);
    let username = order.buyer.as_ref().map(|buyer| clean(&buyer.username));
    Some(Buyer {
        name,
        phone: contact
            .primary_phone
            .as_ref()
            .map(|phone| clean(&phone.phone_number))
            .filter(|phone| phone != "Invalid Request")
            .unwrap_or_default(),
        email: clean(&contact.email),
        account_name: username.unwrap_or_default(),
        address: Address {
            line1,
            line2,
            city,
            region,
            postal_code: clean(&address.postal_code),
            country: country.clone(),
        },
    })
}

/// A second address line that names the reference: a parcel for eBay's international shipping is matched to its buyer by
/// this number alone.
pub(super) fn with_reference(line1: &str, line2: String, reference: &str) -> String {
    if reference.is_empty() || line1.contains(reference) || line2.contains(reference) {
        return line2;
    }
    format!("{line2} Reference {reference}").trim().to_owned()
}

fn clean(text: &Option<String>) -> String {
    text.as_deref().unwrap_or_default().trim().to_owned()
}

fn persons(
    data: &serde_json::Value,
    account: &AccountId,
    pseudonyms: &PseudonymKey,
) -> Result<Vec<Pseudonym>, BadField> {
    let mut persons = Vec::with_capacity(3);
    for field in ["username", "userId", "eiasToken"] {
        let name = data.get(field).and_then(|name| name.as_str());
        let name = name.map(str::trim).filter(|name| !name.is_empty());
        let Some(person) = name.and_then(|name| pseudonyms.of(account, name)) else {
            continue;
        };
        // Where eBay shows the id in the name's place, two of them are the same.
        if !persons.contains(&person) {
            persons.push(person);
        }
    }
    if persons.is_empty() {
        return Err(BadField("data.userId"));
    }
    Ok(persons)
}
