//! Wire ⇄ domain, pure.

use super::error::Call;
use super::wire::{
    Amount, Created, Freight, Logistics, Order, OrderPage, Payment, Product, Push, ResultAnswer,
    Shelf, ShipmentAddress, Sku, Telephone, Tracking,
};
use crate::domain::{
    Buyer, Currency, Evidence, Invalid, Money, Reference, SignalKind, SupplierOrderId,
    TrackingNumber, safe_code,
};
use crate::marketplaces::phone::phone;
use crate::marketplaces::us_states::US_STATES;
use crate::marketplaces::{
    CallError, Effect, Kind, Placed, Retry, SupplierOrder, SupplierParcel, SupplierState,
};
use jiff::Timestamp;

/// The data of a product call; [`Kind::Refused`] and the like where its inner code is not `200`.
pub(super) fn data<T: serde::de::DeserializeOwned>(
    call: &Call<'_>,
    answer: ResultAnswer<T>,
) -> Result<T, CallError> {
    let result = answer.result.ok_or_else(|| call.unreadable("result"))?;
    match result.result_code.as_deref() {
        None | Some("200") => result
            .result_data
            .ok_or_else(|| call.unreadable("result_data")),
        code => Err(call.refused(code)),
    }
}

/// A product that is on sale; [`Kind::NotFound`] where it is not.
pub(super) fn product(call: &Call<'_>, product: Product) -> Result<Product, CallError> {
    match product.status.as_deref() {
        None | Some("PRODUCT_ONLINE") => Ok(product),
        Some(_) => Err(call.ours(Kind::NotFound, Retry::Permanent, "not-online")),
    }
}

/// A variant on sale.
pub(super) fn sku<'a>(product: &'a Product, id: &str) -> Option<&'a Sku> {
    let on_sale = |sku: &&Sku| {
        sku.status
            .as_deref()
            .is_none_or(|status| status == "NORMAL")
    };
    let mut same = product
        .skus
        .iter()
        .filter(|sku| sku.sku_id.as_deref() == Some(id));
    same.find(on_sale)
}

/// What one unit costs of so many; `None` for the quantity asks for the smallest that can be ordered.
/// [`Kind::NotFound`] with `below-minimum` where so few cannot be ordered.
pub(super) fn unit_cost(
    call: &Call<'_>,
    product: &Product,
    sku: &Sku,
    quantity: Option<u32>,
) -> Result<Money, CallError> {
    // The few units of wholesale and the many of the ladder, as tiers from a number of units on.
    let mut tiers: Vec<(i64, &str, Option<&str>)> = Vec::new();
    let currency = product.currency.as_deref();
    if let Some(wholesale) = &product.wholesale_trade
        && let Some(price) = wholesale.price.as_deref()
    {
        tiers.push((wholesale.min_order_quantity.unwrap_or(1), price, currency));
    }
    for tier in &sku.ladder_price {
        if let Some(price) = tier.price.as_deref() {
            let currency = tier.currency.as_deref().or(currency);
            tiers.push((tier.min_quantity.unwrap_or(1), price, currency));
        }
    }
    // A stable order: the ladder is the variant's own and counts before wholesale from the same number on.
    tiers.sort_by_key(|(from, _, _)| *from);
    let tier = match quantity.map(i64::from) {
        None => tiers.first(),
        Some(quantity) => tiers.iter().rfind(|(from, _, _)| *from <= quantity),
    };
    match tier {
        Some((_, price, currency)) => money(call, price, *currency),
        None if tiers.is_empty() => Err(call.unreadable("ladder_price")),
        None => Err(call.ours(Kind::NotFound, Retry::Permanent, "below-minimum")),
    }
}

/// Units of a variant at each place, as `("CN", 1196)`.
pub(super) fn units_by_place(shelves: &[Shelf], sku: &str) -> Vec<(String, u32)> {
    let mut places: Vec<(String, u32)> = Vec::new();
    for shelf in shelves {
        let Some(place) = &shelf.shipping_from else {
            continue;
        };
        let same = shelf
            .inventory_list
            .iter()
            .filter(|units| units.sku_id.as_deref() == Some(sku));
        let units = same.filter_map(|units| units.inventory_count).max();
        let units = u32::try_from(units.unwrap_or(0).max(0)).unwrap_or(u32::MAX);
        places.push((place.clone(), units));
    }
    places
}

/// The most units that one order can take: an order is sent from one place.
pub(super) fn stock(places: &[(String, u32)], allowed: &[String]) -> u32 {
    let usable = places.iter().filter(|(place, _)| allowed.contains(place));
    usable.map(|(_, units)| *units).max().unwrap_or(0)
}

/// The evidence of a variant.
pub(super) const fn evidence(stock: u32, cost: Money, at: Timestamp) -> Evidence {
    Evidence { stock, cost, at }
}

/// The carrier to take and its fee: the cheapest, of equally cheap ones the quickest; `None` where there is none.
pub(super) fn carrier(
    call: &Call<'_>,
    options: &[Freight],
) -> Result<Option<(String, Money)>, CallError> {
    let mut priced = Vec::new();
    let mut unreadable = None;
    for option in options {
        let (Some(code), Some(Amount { amount, currency })) = (&option.vendor_code, &option.fee)
        else {
            continue;
        };
        match money(
            call,
            amount.as_deref().unwrap_or_default(),
            currency.as_deref(),
        ) {
            Ok(fee) => priced.push((fee, days(option), code)),
            Err(error) => unreadable = Some(error),
        }
    }
    let best = priced
        .into_iter()
        .min_by_key(|(fee, days, code)| (fee.minor, *days, (*code).clone()));
    match (best, unreadable) {
        (Some((fee, _, code)), _) => Ok(Some((code.clone(), fee))),
        (None, Some(error)) => Err(error),
        (None, None) => Ok(None),
    }
}

/// The longest time, of `3-9` or `10~15` days.
fn days(option: &Freight) -> u32 {
    let text = option.delivery_time.as_deref().unwrap_or_default();
    let numbers = text.split(|c: char| !c.is_ascii_digit());
    numbers
        .filter_map(|digits| digits.parse().ok())
        .max()
        .unwrap_or(u32::MAX)
}

/// A price or fee in US dollars. Prices of single units have digits below the cent: they count as the next whole one, so
/// that nothing is bought for more than was reckoned.
fn money(call: &Call<'_>, decimal: &str, currency: Option<&str>) -> Result<Money, CallError> {
    let dollars: Currency = "USD".parse().map_err(|_| call.unreadable("currency"))?;
    if currency != Some(dollars.code()) {
        // A price in a currency that nobody asked for is no price: it would be compared with others.
        return Err(call.ours(Kind::Refused, Retry::Permanent, "other-currency"));
    }
    let unreadable = |_: Invalid| call.unreadable("amount");
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    let (cents, rest) = fraction.split_at_checked(2).unwrap_or((fraction, ""));
    if !rest.bytes().all(|b| b.is_ascii_digit()) {
        return Err(call.unreadable("amount"));
    }
    let money = Money::parse(&format!("{whole}.{cents}"), dollars).map_err(unreadable)?;
    let up = i64::from(rest.bytes().any(|b| b != b'0'));
    match money.minor.checked_add(up) {
        Some(minor) if money.minor >= 0 => Ok(Money { minor, ..money }),
        _ => Err(call.unreadable("amount")),
    }
}

/// The country in Alibaba.com's words: it knows the United Kingdom only as GB.
pub(super) fn country(code: &str) -> &str {
    match code {
        "UK" => "GB",
        code => code,
    }
}

/// The country's English name; its code where it is none of the table.
pub(super) fn country_name(code: &str) -> &str {
    let known = COUNTRIES.iter().find(|(known, _)| *known == code);
    known.map_or(code, |(_, name)| name)
}

/// The address of an order. What cannot be an address there is [`Kind::AddressRefused`] with a code such as `US.province`.
pub(super) fn address(call: &Call<'_>, buyer: &Buyer) -> Result<ShipmentAddress, CallError> {
    let at = &buyer.address;
    let country_code = country(at.country.as_str());
    let refused = |field: &str| {
        let code = format!("{country_code}.{field}");
        call.ours(Kind::AddressRefused, Retry::Permanent, &code)
    };
    let region = one_line(&at.region);
    let (province, province_code) = match country_code {
        "US" => US_STATES
            .iter()
            .find(|(short, long)| {
                region.eq_ignore_ascii_case(short) || region.eq_ignore_ascii_case(long)
            })
            .map(|(short, long)| ((*long).to_owned(), (*short).to_owned()))
            .ok_or_else(|| refused("province"))?,
        _ => (region, String::new()),
    };
    let (calling_code, number) = phone(country_code, &buyer.phone);
    let address = ShipmentAddress {
        zip: one_line(&at.postal_code),
        country: country_name(country_code).to_owned(),
        country_code: country_code.to_owned(),
        province,
        province_code,
        city: one_line(&at.city),
        address: one_line(&at.line1),
        alternate_address: one_line(&at.line2),
        contact_person: one_line(&buyer.name),
        telephone: (!number.is_empty()).then_some(Telephone {
            country: calling_code,
            area: String::new(),
            number,
        }),
    };
    let needed = [
        ("contact_person", &address.contact_person),
        ("address", &address.address),
        ("city", &address.city),
    ];
    match needed.iter().find(|(_, text)| text.is_empty()) {
        Some((field, _)) => Err(refused(field)),
        None => Ok(address),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The shipping option of a quote: from where, and by which carrier.
pub(super) fn shipping_option(from: &str, carrier: &str) -> String {
    format!("{from}/{carrier}")
}

/// The place and the carrier of a shipping option.
pub(super) fn place_and_carrier(option: &str) -> Option<(&str, &str)> {
    let (place, carrier) = option.split_once('/')?;
    (!place.is_empty() && !carrier.is_empty()).then_some((place, carrier))
}

/// The order that was placed. Without its number nobody knows which it is, so it is looked up.
pub(super) fn placed(call: &Call<'_>, created: &Created) -> Result<Placed, CallError> {
    let id = created.trade_id.as_deref().map(SupplierOrderId::parse);
    match id {
        Some(Ok(id)) => Ok(Placed {
            supplier_orders: vec![id],
        }),
        _ => Err(call.unreadable("trade_id")),
    }
}

/// Whether an order is paid.
pub(super) fn paid(call: &Call<'_>, payment: &Payment) -> Result<(), CallError> {
    match (payment.status.as_deref(), payment.reason_code.as_deref()) {
        (Some("PAY_SUCCESS"), _) => Ok(()),
        (Some("PAY_FAILED"), Some(reason)) => Err(call.refused(Some(reason))),
        (Some("PAY_FAILED"), None) => Err(call.ours(Kind::Refused, Retry::Person, "PAY_FAILED")),
        _ => Err(call.unreadable("status")),
    }
}

/// What an order's own words say of whose reference it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// Ours.
    This,
    /// Another.
    Other,
    /// None.
    None,
}

/// Whether an order shows our reference in any of the fields that we put it into.
pub(super) fn names(order: &Order, reference: &Reference) -> Names {
    let properties = order.properties.as_ref();
    let shown = [
        order.channel_refer_id.as_deref(),
        properties.and_then(|properties| properties.order_id.as_deref()),
        order.remark.as_deref(),
    ];
    let mut shown = shown.into_iter().flatten().peekable();
    if shown.peek().is_none() {
        Names::None
    } else if shown.any(|text| text == reference.as_str()) {
        Names::This
    } else {
        Names::Other
    }
}

/// How many orders the whole list has; an error where it does not say, because then nothing is proven by its end.
pub(super) fn total(call: &Call<'_>, page: &OrderPage) -> Result<usize, CallError> {
    let total = page
        .total_count
        .and_then(|total| usize::try_from(total).ok());
    total.ok_or_else(|| call.unreadable("total_count"))
}

/// How far an order is. A status that nobody documents is one on its way.
pub(super) fn state(call: &Call<'_>, order: &Order) -> Result<SupplierState, CallError> {
    let status = order.trade_status.as_deref();
    let status = status.ok_or_else(|| call.unreadable("trade_status"))?;
    Ok(match status {
        "unpay" => SupplierState::Unpaid,
        // The seller has begun to send.
        "delivering" => SupplierState::PartlyShipped,
        "wait_confirm_receipt" => SupplierState::Shipped,
        "trade_success" => SupplierState::Delivered,
        // A frozen order is one about which there is a dispute: a person has to see why.
        "trade_close" | "frozen" | "charge_back" => SupplierState::Closed {
            code: safe_code(status),
        },
        _ => SupplierState::Processing,
    })
}

/// The parcels of an order, each number once.
pub(super) fn parcels(tracking: &[Tracking]) -> Vec<SupplierParcel> {
    let mut parcels: Vec<SupplierParcel> = Vec::new();
    for parcel in tracking.iter().filter_map(parcel) {
        let number = &parcel.tracking_number;
        match parcels
            .iter_mut()
            .find(|known| known.tracking_number == *number)
        {
            Some(known) => known.delivered |= parcel.delivered,
            None => parcels.push(parcel),
        }
    }
    parcels
}

fn parcel(tracking: &Tracking) -> Option<SupplierParcel> {
    let number = tracking.tracking_number.as_deref()?;
    let events = tracking.event_list.iter();
    let codes = events.filter_map(|event| event.event_code.as_deref());
    let mut codes = codes.chain(tracking.current_event_code.as_deref());
    Some(SupplierParcel {
        tracking_number: TrackingNumber::parse(number).ok()?,
        carrier: tracking.carrier.clone().unwrap_or_default(),
        contents: Vec::new(),
        delivered: codes.any(|code| code.eq_ignore_ascii_case("DELIVERED")),
    })
}

/// The numbers that the seller entered, for an order that has arrived without ever being tracked.
pub(super) fn entered_parcels(logistics: &Logistics) -> Vec<SupplierParcel> {
    let vouchers = logistics.shipping_order_list.iter();
    let vouchers = vouchers.filter_map(|shipping| shipping.voucher.as_ref());
    let tracked: Vec<Tracking> = vouchers
        .map(|voucher| Tracking {
            carrier: voucher.service_provider.clone(),
            tracking_number: voucher.tracking_number.clone(),
            current_event_code: Some("DELIVERED".to_owned()),
            event_list: Vec::new(),
        })
        .collect();
    parcels(&tracked)
}

/// An order with its parcels put together: parcels arrive with their order, and an order with its last parcel.
pub(super) fn supplier_order(
    mut state: SupplierState,
    mut parcels: Vec<SupplierParcel>,
) -> SupplierOrder {
    if state == SupplierState::Delivered {
        parcels
            .iter_mut()
            .for_each(|parcel| parcel.delivered = true);
    }
    let all_arrived = !parcels.is_empty() && parcels.iter().all(|parcel| parcel.delivered);
    if state == SupplierState::Shipped && all_arrived {
        state = SupplierState::Delivered;
    }
    SupplierOrder {
        state,
        parcels,
        // A purchase is one order here: it has all of it.
        contents: Vec::new(),
    }
}

/// The refusal of an order that was not sent, because its lines do not make one.
pub(super) fn not_one_order(call: &Call<'_>, code: &str) -> CallError {
    call.ours(Kind::Refused, Retry::Permanent, code)
        .with_effect(Effect::None)
}

/// What a push is about; nothing where it is about no order.
pub(super) fn signal(push: &Push) -> Result<Option<SignalKind>, Invalid> {
    let order = push
        .data
        .as_ref()
        .and_then(|data| data.trade_id_str.as_deref());
    let order = order.map(SupplierOrderId::parse).transpose()?;
    Ok(order.map(SignalKind::SupplierOrderChanged))
}

/// When a push was sent; the platform writes seconds, but its other times are milliseconds.
pub(super) fn pushed_at(push: &Push) -> Option<Timestamp> {
    let number = push.timestamp?;
    if number.unsigned_abs() >= 100_000_000_000 {
        return Timestamp::from_millisecond(number).ok();
    }
    Timestamp::from_second(number).ok()
}

/// Names of the countries that are shipped to most.
const COUNTRIES: &[(&str, &str)] = &[
    ("US", "United States of America"),
    ("GB", "United Kingdom"),
    ("CA", "Canada"),
    ("AU", "Australia"),
    ("NZ", "New Zealand"),
    ("DE", "Germany"),
    ("FR", "France"),
    ("IT", "Italy"),
    ("ES", "Spain"),
    ("PT", "Portugal"),
    ("NL", "Netherlands"),
    ("BE", "Belgium"),
    ("LU", "Luxembourg"),
    ("IE", "Ireland"),
    ("AT", "Austria"),
    ("CH", "Switzerland"),
    ("DK", "Denmark"),
    ("SE", "Sweden"),
    ("NO", "Norway"),
    ("FI", "Finland"),
    ("PL", "Poland"),
    ("CZ", "Czech Republic"),
    ("SK", "Slovakia"),
    ("HU", "Hungary"),
    ("RO", "Romania"),
    ("BG", "Bulgaria"),
    ("GR", "Greece"),
    ("TR", "Turkey"),
    ("IL", "Israel"),
    ("AE", "United Arab Emirates"),
    ("SA", "Saudi Arabia"),
    ("JP", "Japan"),
    ("KR", "South Korea"),
    ("SG", "Singapore"),
    ("MY", "Malaysia"),
    ("IN", "India"),
    ("MX", "Mexico"),
    ("BR", "Brazil"),
    ("CL", "Chile"),
    ("CO", "Colombia"),
    ("ZA", "South Africa"),
];

#[cfg(test)]
mod tests;
