//! Wire ⇄ domain, pure.

#[cfg(test)]
mod tests;

use super::{limits, sites, wire};
use crate::domain::Marketplace;
use crate::{
    domain::{
        Address, Buyer, Cancel, ChannelOrderId, CountryCode, Currency, LineId, Money, OrderDetails,
        OrderLine, Payment, TrackingNumber,
    },
    marketplaces::{
        FetchedOrder, ListingUpdate, ParcelToConfirm, Shown, address_lines::second_line, carriers,
    },
};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// A field of an answer that has no meaning for us, by its path. Its value is never kept: it can be a buyer's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadField(pub(super) &'static str);

/// Programs whose parcels are not the seller's to send: Amazon collects them, wants its own label, or the customer comes
/// to a shop. Nothing may be bought for them, and `confirmShipment` refuses them.
const NOT_OURS_TO_SHIP: [(&str, BadField); 4] = [
    ("AMAZON_EASY_SHIP", BadField("programs.AMAZON_EASY_SHIP")),
    (
        "DELIVERY_BY_AMAZON",
        BadField("programs.DELIVERY_BY_AMAZON"),
    ),
    ("FBM_SHIP_PLUS", BadField("programs.FBM_SHIP_PLUS")),
    ("IN_STORE_PICK_UP", BadField("programs.IN_STORE_PICK_UP")),
];

/// What an order's status says.
struct Standing {
    payment: Payment,
    cancel: Cancel,
    fulfilled: bool,
}

impl Standing {
    /// Whether something may be bought for it: then everything must be said.
    fn is_open(&self) -> bool {
        self.payment == Payment::Paid && self.cancel != Cancel::Done && !self.fulfilled
    }
}

/// An order as the domain has it. Unknown states are read as the ones in which nothing is bought.
pub(super) fn order(order: &wire::Order, fee: u32) -> Result<FetchedOrder, BadField> {
    let standing = standing(order)?;
    if standing.is_open() {
        let kept = |(name, _): &&(&str, BadField)| order.programs.iter().any(|p| p == name);
        if let Some((_, field)) = NOT_OURS_TO_SHIP.iter().find(kept) {
            return Err(*field);
        }
    }
    let currency = currency(order)?;
    let lines = lines(order, &standing, currency)?;
    // Every line was cancelled, though the order does not say so yet.
    let is_cancelled = |line: &OrderLine| line.cancelled >= line.quantity;
    let cancel = if lines.iter().all(is_cancelled) {
        Cancel::Done
    } else {
        standing.cancel
    };
    let total = total(order, &standing, currency, &lines)?;
    let country = country(order)?;
    let details = OrderDetails {
        bought_at: time(order.created_time.as_deref(), "createdTime")?,
        modified_at: time(order.last_updated_time.as_deref(), "lastUpdatedTime")?,
        payment: standing.payment,
        cancel,
        fulfilled: standing.fulfilled,
        total,
        fee: kept_by_amazon(order, total, fee)?,
        // An order does not tell of refunds.
        refunded_minor: 0,
        country,
        lines,
    };
    let buyer = buyer(order, &details.country);
    Ok(FetchedOrder {
        details,
        buyer,
        failed_refunds: Vec::new(),
    })
}

/// The marketplace on which an order was bought.
pub(super) fn marketplace_of(order: &wire::Order) -> Option<&str> {
    order.sales_channel.as_ref()?.marketplace_id.as_deref()
}

fn standing(order: &wire::Order) -> Result<Standing, BadField> {
    let fulfillment = order.fulfillment.as_ref();
    let status = fulfillment.and_then(|fulfillment| fulfillment.fulfillment_status.as_deref());
    // Asked for with every order, and what says whether something is bought: nobody may guess.
    let status = status.ok_or(BadField("fulfillment.fulfillmentStatus"))?;
    let mut standing = Standing {
        payment: match status {
            "UNSHIPPED" | "PARTIALLY_SHIPPED" | "SHIPPED" => Payment::Paid,
            // Until the payment is authorised there is no address either.
            _ => Payment::Pending,
        },
        cancel: match status {
            "CANCELLED" | "UNFULFILLABLE" => Cancel::Done,
            _ if order.order_items.iter().any(asks_to_cancel) => Cancel::Requested,
            _ => Cancel::No,
        },
        fulfilled: status == "SHIPPED",
    };
    match fulfillment.and_then(|fulfillment| fulfillment.fulfilled_by.as_deref()) {
        Some("MERCHANT") => {}
        // Amazon sends it from its own stock; for us it is as good as sent.
        Some("AMAZON") => standing.fulfilled = true,
        _ if standing.is_open() => return Err(BadField("fulfillment.fulfilledBy")),
        _ => {}
    }
    Ok(standing)
}

fn asks_to_cancel(item: &wire::OrderItem) -> bool {
    let cancellation = item.cancellation.as_ref();
    !is_cancelled(item) && cancellation.is_some_and(|one| is_there(&one.cancellation_request))
}

fn is_cancelled(item: &wire::OrderItem) -> bool {
    let cancellation = item.cancellation.as_ref();
    cancellation.is_some_and(|one| is_there(&one.cancellation_execution))
}

fn is_there(value: &Option<serde_json::Value>) -> bool {
    value.as_ref().is_some_and(|value| !value.is_null())
}

/// The lines that shall be sent. A cancelled one is left out, and one of no units, which is how older answers say it.
fn lines(
    order: &wire::Order,
    standing: &Standing,
    currency: Currency,
) -> Result<Vec<OrderLine>, BadField> {
    if order.order_items.is_empty() {
        return Err(BadField("orderItems"));
    }
    let window = order
        .fulfillment
        .as_ref()
        .and_then(|f| f.ship_by_window.as_ref());
    let ship_by = window.and_then(|window| window.latest_date_time.as_deref());
    let ship_by = ship_by
        .map(|text| time(Some(text), "fulfillment.shipByWindow"))
        .transpose()?;
    let fulfillment = order.fulfillment.as_ref();
    let status = fulfillment.and_then(|fulfillment| fulfillment.fulfillment_status.as_deref());
    let is_partly_shipped = status == Some("PARTIALLY_SHIPPED");
    let mut lines = Vec::with_capacity(order.order_items.len());
    for item in &order.order_items {
        let field = BadField("orderItems.quantityOrdered");
        let quantity = item.quantity_ordered.ok_or(field)?;
        let quantity = u32::try_from(quantity).map_err(|_| field)?;
        // How older answers say that a line was cancelled.
        if quantity == 0 {
            continue;
        }
        let id = item.order_item_id.as_deref().unwrap_or_default();
        let sku = item
            .product
            .as_ref()
            .and_then(|product| product.seller_sku.clone());
        lines.push(OrderLine {
            id: LineId::parse(id).map_err(|_| BadField("orderItems.orderItemId"))?,
            sku: sku.unwrap_or_default(),
            quantity,
            price: line_price(item, quantity, standing, currency)?,
            ship_by,
            shipped: shipped(item, quantity, is_partly_shipped)?,
            shipped_whole: false,
            cancelled: if is_cancelled(item) { quantity } else { 0 },
            // An order does not tell of refunds.
            refunded: 0,
            refunding: 0,
        });
    }
    Ok(lines)
}

/// Units of a line that Amazon counts as shipped. Of an order that was shipped in part it has to say so: nobody may guess.
fn shipped(
    item: &wire::OrderItem,
    quantity: u32,
    is_partly_shipped: bool,
) -> Result<u32, BadField> {
    let field = BadField("orderItems.fulfillment.quantityFulfilled");
    let fulfilled = item
        .fulfillment
        .as_ref()
        .and_then(|it| it.quantity_fulfilled);
    if fulfilled.is_none() && is_partly_shipped {
        return Err(field);
    }
    let fulfilled = u32::try_from(fulfilled.unwrap_or(0)).map_err(|_| field)?;
    Ok(fulfilled.min(quantity))
}

/// What the customer pays for the line without shipping and tax. Before the payment there may be no amounts.
fn line_price(
    item: &wire::OrderItem,
    quantity: u32,
    standing: &Standing,
    currency: Currency,
) -> Result<Money, BadField> {
    let field = "orderItems.proceeds";
    if let Some(amount) = part(item, "ITEM") {
        return money(amount, field);
    }
    let price = item
        .product
        .as_ref()
        .and_then(|product| product.price.as_ref());
    match price.and_then(|price| price.unit_price.as_ref()) {
        Some(unit) => {
            let unit = money(unit, "orderItems.product.price.unitPrice")?;
            unit.times(quantity).ok_or(BadField(field))
        }
        None if standing.is_open() && !is_cancelled(item) => Err(BadField(field)),
        None => Ok(Money::zero(currency)),
    }
}

fn part<'a>(item: &'a wire::OrderItem, kind: &str) -> Option<&'a wire::Money> {
    let breakdowns = item.proceeds.as_ref()?.breakdowns.iter();
    let mut of_kind = breakdowns.filter(|part| part.kind.as_deref() == Some(kind));
    of_kind.find_map(|part| part.subtotal.as_ref())
}

fn grand_total(order: &wire::Order) -> Option<&wire::Money> {
    order.proceeds.as_ref()?.grand_total.as_ref()
}

fn total(
    order: &wire::Order,
    standing: &Standing,
    currency: Currency,
    lines: &[OrderLine],
) -> Result<Money, BadField> {
    let field = BadField("proceeds.grandTotal");
    match grand_total(order) {
        Some(total) => money(total, field.0),
        None if standing.is_open() => Err(field),
        None => lines
            .iter()
            .try_fold(Money::zero(currency), |sum, line| sum.plus(line.price))
            .ok_or(field),
    }
}

/// The order's currency: of its total, of a price, or, where nothing is said yet, of its marketplace.
fn currency(order: &wire::Order) -> Result<Currency, BadField> {
    let price = |item: &'_ wire::OrderItem| {
        let product = item.product.as_ref()?;
        product
            .price
            .as_ref()?
            .unit_price
            .as_ref()?
            .currency_code
            .clone()
    };
    let said = grand_total(order)
        .and_then(|total| total.currency_code.clone())
        .or_else(|| order.order_items.iter().find_map(price))
        .or_else(|| {
            let site = sites::of(marketplace_of(order)?)?;
            Some(site.currency.to_owned())
        });
    let field = BadField("proceeds.grandTotal.currencyCode");
    said.ok_or(field)?.parse().map_err(|_| field)
}

/// What of the total is not the seller's: the tax, which Amazon or the seller pays on, and the referral fee, which the
/// API does not say with an order. `fee`: hundredths of a percent of the total, rounded up.
fn kept_by_amazon(order: &wire::Order, total: Money, fee: u32) -> Result<Money, BadField> {
    let field = BadField("proceeds.grandTotal");
    let referral = (i128::from(total.minor.max(0)) * i128::from(fee) + 9_999) / 10_000;
    let referral = Money {
        minor: i64::try_from(referral).map_err(|_| field)?,
        currency: total.currency,
    };
    let mut sum = referral;
    for tax in order
        .order_items
        .iter()
        .filter_map(|item| part(item, "TAX"))
    {
        let tax = money(tax, "orderItems.proceeds")?;
        sum = sum.plus(tax).ok_or(field)?;
    }
    Ok(sum)
}

fn money(amount: &wire::Money, field: &'static str) -> Result<Money, BadField> {
    let bad = BadField(field);
    let currency = amount.currency_code.as_deref().ok_or(bad)?;
    let currency = currency.parse().map_err(|_| bad)?;
    Money::parse(amount.amount.as_deref().ok_or(bad)?, currency).map_err(|_| bad)
}

fn address(order: &wire::Order) -> Option<&wire::CustomerAddress> {
    order.recipient.as_ref()?.delivery_address.as_ref()
}

/// The parcel's country; the marketplace's where the address is not shown (yet, or any more).
fn country(order: &wire::Order) -> Result<CountryCode, BadField> {
    let field = BadField("recipient.deliveryAddress.countryCode");
    let shipped = address(order).and_then(|address| address.country_code.as_deref());
    let code = match shipped.map(str::to_ascii_uppercase) {
        // Amazon's older texts and some answers write the United Kingdom so; ISO and suppliers write GB.
        Some(code) if code == "UK" => "GB".to_owned(),
        Some(code) => code,
        None => {
            let site = marketplace_of(order).and_then(sites::of);
            site.ok_or(field)?.country.to_owned()
        }
    };
    code.parse().map_err(|_| field)
}

/// The buyer; `None` where Amazon shows too little to send anything: before the payment, long after the delivery, or to
/// an application without the role.
fn buyer(order: &wire::Order, country: &CountryCode) -> Option<Buyer> {
    let address = address(order)?;
    let given = order.buyer.as_ref();
    let name = address
        .name
        .clone()
        .or_else(|| address.company_name.clone())
        .or_else(|| given?.buyer_name.clone())?;
    let lines = [
        &address.address_line1,
        &address.address_line2,
        &address.address_line3,
    ];
    // Some customers leave the first line free; suppliers want it filled.
    let mut lines = lines.into_iter().flatten().cloned();
    let line1 = lines.next().or_else(|| street(address))?;
    let lines: Vec<String> = lines.collect();
    let city = [
        &address.city,
        &address.municipality,
        &address.district_or_county,
    ];
    let region = [&address.state_or_region, &address.district_or_county];
    let first = |of: &[&Option<String>]| of.iter().find_map(|text| (*text).clone());
    let (city, region) = (first(&city)?, first(&region).unwrap_or_default());
    let extended = address.extended_fields.as_ref();
    let rest = [
        extended.and_then(|fields| fields.complement.as_deref()),
        extended.and_then(|fields| fields.neighborhood.as_deref()),
        address.municipality.as_deref(),
        address.district_or_county.as_deref(),
    ];
    let company = address.company_name.as_deref().into_iter();
    let lines = company.chain(lines.iter().map(String::as_str));
    let parts = lines.chain(rest.into_iter().flatten());
    let line2 = second_line(parts, &[&name, &line1, &city, &region]);
    // The alias is all that Amazon tells of who the buyer is.
    let email = given
        .and_then(|buyer| buyer.buyer_email.clone())
        .unwrap_or_default();
    Some(Buyer {
        name,
        phone: address.phone.clone().unwrap_or_default(),
        account_name: email.clone(),
        email,
        address: Address {
            line1,
            line2,
            city,
            region,
            postal_code: address.postal_code.clone().unwrap_or_default(),
            country: country.clone(),
        },
    })
}

/// The street as Brazil's addresses name it in parts.
fn street(address: &wire::CustomerAddress) -> Option<String> {
    let fields = address.extended_fields.as_ref()?;
    let number = fields.street_number.as_deref().unwrap_or_default();
    let street = format!("{} {number}", fields.street_name.as_deref()?);
    Some(street.trim().to_owned())
}

/// Whether Amazon has a parcel of this number.
pub(super) fn has_parcel(order: &wire::Order, number: &TrackingNumber) -> bool {
    let is_parcel = |package: &&wire::OrderPackage| {
        let status = package.package_status.as_ref();
        let is_cancelled = status.and_then(|s| s.status.as_deref()) == Some("CANCELLED");
        let theirs = package.tracking_number.as_deref().unwrap_or_default();
        !is_cancelled && TrackingNumber::parse(theirs).is_ok_and(|theirs| theirs == *number)
    };
    order.packages.iter().find(is_parcel).is_some()
}

/// The request that confirms a parcel. `latest`: a time that is sure to be in Amazon's past.
pub(super) fn confirmation<'a>(
    order: &ChannelOrderId,
    marketplace_id: &'a str,
    parcel: &'a ParcelToConfirm,
    latest: Timestamp,
) -> wire::ConfirmShipment<'a> {
    let carrier = carriers::at(Marketplace::Amazon, &parcel.carrier);
    let name = Some(carrier.name).filter(|name| !name.trim().is_empty());
    let carrier_name = (carrier.code == "Other").then(|| name.unwrap_or_else(|| "Other".into()));
    wire::ConfirmShipment {
        marketplace_id,
        package_detail: wire::PackageDetail {
            package_reference_id: package_reference(order, &parcel.tracking_number),
            carrier_code: carrier.code,
            carrier_name,
            tracking_number: parcel.tracking_number.as_str(),
            ship_date: iso(parcel.shipped_at.min(latest)),
            order_items: items_once(parcel),
        },
    }
}

/// The number of a parcel within its order, derived from both, so that a repeat edits the package and never adds one.
/// 1 to 2^31-1: Amazon says "positive" and no end.
fn package_reference(order: &ChannelOrderId, number: &TrackingNumber) -> String {
    let digest = Sha256::digest(format!("{order}\n{number}"));
    let first = [digest[0], digest[1], digest[2], digest[3]];
    ((u32::from_be_bytes(first) >> 1).max(1)).to_string()
}

/// The parcel's lines, each once.
fn items_once(parcel: &ParcelToConfirm) -> Vec<wire::ConfirmShipmentItem<'_>> {
    let mut items: Vec<wire::ConfirmShipmentItem<'_>> = Vec::with_capacity(parcel.lines.len());
    for line in &parcel.lines {
        let id = line.line.as_str();
        match items.iter_mut().find(|known| known.order_item_id == id) {
            Some(known) => known.quantity = known.quantity.saturating_add(line.quantity),
            None => items.push(wire::ConfirmShipmentItem {
                order_item_id: id,
                quantity: line.quantity,
            }),
        }
    }
    items
}

/// What sets a listing: `merge`, because `replace` takes away the parts that are not sent, a lead time say.
pub(super) fn patches<'a>(
    update: &ListingUpdate,
    marketplace_id: &'a str,
) -> Option<wire::Patches<'a>> {
    let merge = |path, value| wire::Patch {
        op: "merge",
        path,
        value: [value],
    };
    let availability = wire::Availability {
        fulfillment_channel_code: "DEFAULT",
        quantity: update.quantity,
    };
    let mut patches = vec![merge(
        "/attributes/fulfillment_availability",
        wire::Patched::Availability(availability),
    )];
    if let Some(price) = update.price {
        let offer = wire::PurchasableOffer {
            marketplace_id,
            currency: price.currency.code(),
            audience: "ALL",
            our_price: [wire::OurPrice {
                schedule: [wire::Schedule {
                    // Written as the decimal that it is: with at most 15 digits, JSON's number holds it exactly.
                    value_with_tax: price.decimal().parse().ok()?,
                }],
            }],
        };
        let offer = wire::Patched::Offer(offer);
        patches.push(merge("/attributes/purchasable_offer", offer));
    }
    Some(patches)
}

/// What a listing shows at a marketplace: the units that the seller sends, and the price for everybody, which is what
/// [`patches`] sets. A price reduced for a time, or for business customers, is none of ours.
pub(super) fn shown(item: &wire::ListingsItem, marketplace_id: &str) -> Result<Shown, BadField> {
    let mut availability = item.fulfillment_availability.iter();
    let own = availability.find(|it| it.fulfillment_channel_code.as_deref() == Some("DEFAULT"));
    let quantity = own.and_then(|it| u32::try_from(it.quantity?).ok());
    let offers = item.attributes.iter().flat_map(|it| &it.purchasable_offer);
    let mut ours = offers.filter(|offer| {
        offer.marketplace_id.as_deref() == Some(marketplace_id)
            && offer.audience.as_deref().is_none_or(|it| it == "ALL")
    });
    let bad = BadField("attributes.purchasable_offer");
    let offer = ours.next().ok_or(bad)?;
    let schedule = offer.our_price.first().and_then(|it| it.schedule.first());
    let amount = schedule
        .and_then(|it| it.value_with_tax.as_ref())
        .ok_or(bad)?;
    let currency = offer.currency.as_deref().and_then(|it| it.parse().ok());
    Ok(Shown {
        quantity: quantity.ok_or(BadField("fulfillmentAvailability.quantity"))?,
        price: Money::parse(&amount.to_string(), currency.ok_or(bad)?).map_err(|_| bad)?,
    })
}

/// The place of the last update of the same listing: it is the one that counts.
pub(super) fn last_of(updates: &[ListingUpdate], place: usize) -> usize {
    let is_same = |update: &ListingUpdate| update.listing == updates[place].listing;
    updates.iter().rposition(is_same).unwrap_or(place)
}

/// The bounds of a search: what is kept by Amazon, and what its clock takes for the past. `None` where nothing is left.
pub(super) fn span(
    from: Timestamp,
    until: Timestamp,
    now: Timestamp,
) -> Option<(Timestamp, Timestamp)> {
    let kept = jiff::SignedDuration::from_hours(24 * limits::ORDERS_KEPT_DAYS);
    let from = from.max(now.checked_sub(kept).ok()?);
    let until = until.min(now.checked_sub(limits::SPAN_ENDS_BEFORE).ok()?);
    (from < until).then_some((from, until))
}

/// A time as Amazon's examples write it: UTC, whole seconds. What is finer is cut off.
pub(super) fn iso(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Amazon's time, as read from `field`.
pub(super) fn time(text: Option<&str>, field: &'static str) -> Result<Timestamp, BadField> {
    let bad = BadField(field);
    text.ok_or(bad)?.parse().map_err(|_| bad)
}
