//! Wire ⇄ domain, pure.

use super::super::error::Call;
use super::pacific;
use super::wire::{Amount, ChildOrder, LogisticInfo, Order, OrdersPage, Receipt, Updated};
use crate::domain::{
    Address, Buyer, Cancel, ChannelOrderId, CountryCode, Currency, LineId, ListingId, Money,
    OrderDetails, OrderLine, ParcelLine, Payment, TrackingNumber,
};
use crate::marketplaces::{CallError, FetchedOrder, Kind, ListingUpdate, OrderPage, Retry};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A field of an answer that has no meaning for us. Its value is never kept: it can be a buyer's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadField(pub(super) &'static str);

/// When a shipment is declared once more that could not be yet.
const NOT_YET: Retry = Retry::After(Duration::from_secs(300));

/// A page of orders that changed until `until`. Nothing may be lost of it, so an entry that cannot be read is an error.
pub(super) fn page(
    call: &Call<'_>,
    answer: OrdersPage,
    (page, page_size): (u32, u32),
    (until, now): (Timestamp, Timestamp),
) -> Result<OrderPage, CallError> {
    if answer.success == Some(false) {
        return Err(call.refused(answer.error_code.as_deref(), None));
    }
    let said = answer.success.is_some() || answer.total_count.is_some();
    if !said && answer.target_list.is_empty() {
        return Err(call.unreadable("target_list"));
    }
    let count = answer.target_list.len();
    let mut orders = Vec::with_capacity(count);
    for entry in answer.target_list {
        let entry = entry.ok_or_else(|| call.unreadable("order_dto"))?;
        let id = entry.order_id.as_deref().map(ChannelOrderId::parse);
        let Some(Ok(id)) = id else {
            return Err(call.unreadable("order_id"));
        };
        let changed = entry.gmt_update.as_deref();
        let changed = changed.and_then(|text| pacific::instant(text, now));
        // Without a time it has changed at some time of the span; it is looked at again with the next one.
        orders.push((id, changed.unwrap_or(until)));
    }
    let pages = answer.total_page.or_else(|| {
        let total = u64::try_from(answer.total_count?).ok()?;
        i64::try_from(total.div_ceil(u64::from(page_size.max(1)))).ok()
    });
    let more = match pages {
        Some(pages) => i64::from(page) < pages,
        None => count >= usize::try_from(page_size).unwrap_or(usize::MAX),
    };
    Ok(OrderPage {
        orders,
        // An empty page has none behind it, whatever the count says.
        next: (more && count > 0).then(|| (page + 1).to_string()),
    })
}

/// An order as the domain has it. Unknown states are read as the ones in which nothing is bought.
pub(super) fn order(
    order: &Order,
    receipt: Option<&Receipt>,
    now: Timestamp,
) -> Result<FetchedOrder, BadField> {
    let total = order.order_amount.as_ref();
    let total = money(total.or(order.init_oder_amount.as_ref()), "order_amount")?;
    let status = order.order_status.as_deref();
    let status = status.ok_or(BadField("order_status"))?;
    let lines = lines(order)?;
    let time = |text: &Option<String>, field| {
        let text = text.as_deref().ok_or(BadField(field))?;
        pacific::instant(text, now).ok_or(BadField(field))
    };
    let bought_at = time(&order.gmt_create, "gmt_create")?;
    let ship_by = match status {
        "WAIT_SELLER_SEND_GOODS" | "SELLER_PART_SEND_GOODS" => {
            time(&order.over_time_left, "over_time_left").ok()
        }
        _ => None,
    };
    let country = receipt.and_then(|receipt| receipt.country.as_deref());
    let own = order.receipt_address.as_ref();
    let country = country.or_else(|| own?.country.as_deref());
    let details = OrderDetails {
        bought_at,
        modified_at: match &order.gmt_modified {
            Some(_) => time(&order.gmt_modified, "gmt_modified")?,
            None => bought_at,
        },
        payment: payment(status, order),
        cancel: cancel(status, order),
        fulfilled: is_fulfilled(status, order),
        total,
        fee: lines
            .iter()
            .try_fold(Money::zero(total.currency), |sum, line| sum.plus(line.fee))
            .unwrap_or(Money::zero(total.currency)),
        // Told only to who asks for it, and not asked for yet.
        refunded_minor: 0,
        country: country_code(country.unwrap_or_default())?,
        lines: lines
            .into_iter()
            .map(|line| OrderLine {
                ship_by,
                ..line.line
            })
            .collect(),
    };
    let buyer = receipt.and_then(|receipt| buyer(receipt, order, &details.country));
    Ok(FetchedOrder {
        details,
        buyer,
        failed_refunds: Vec::new(),
    })
}

/// Where the order itself says that it goes.
pub(super) fn country(order: &Order) -> Option<CountryCode> {
    let theirs = order.receipt_address.as_ref()?.country.as_deref()?;
    country_code(theirs).ok()
}

/// Whether nothing of the order is left to send, so that nobody needs to know where it goes.
pub(super) fn is_over(order: &Order) -> bool {
    let status = order.order_status.as_deref().unwrap_or_default();
    status == "FINISH" || is_fulfilled(status, order)
}

/// Risk control holds the money back for a day after the customer has paid; what is frozen may never come.
fn payment(status: &str, order: &Order) -> Payment {
    let frozen = order.frozen_status.as_deref() == Some("IN_FROZEN");
    match status {
        _ if frozen => Payment::Pending,
        "WAIT_SELLER_SEND_GOODS"
        | "SELLER_PART_SEND_GOODS"
        | "WAIT_BUYER_ACCEPT_GOODS"
        | "FUND_PROCESSING"
        | "FINISH"
        | "IN_ISSUE"
        | "IN_CANCEL" => Payment::Paid,
        _ => Payment::Pending,
    }
}

/// A dispute over an order can end with all its money paid back, as a request to cancel can.
fn cancel(status: &str, order: &Order) -> Cancel {
    let disputed = order.issue_status.as_deref() == Some("IN_ISSUE");
    match status {
        "FINISH" if !has_moved(order) => Cancel::Done,
        "IN_CANCEL" | "IN_ISSUE" => Cancel::Requested,
        _ if disputed => Cancel::Requested,
        _ => Cancel::No,
    }
}

fn is_fulfilled(status: &str, order: &Order) -> bool {
    matches!(
        order.logistics_status.as_deref(),
        Some("SELLER_SEND_GOODS" | "BUYER_ACCEPT_GOODS")
    ) || matches!(status, "WAIT_BUYER_ACCEPT_GOODS" | "FUND_PROCESSING")
}

/// Whether anything of it was sent: an order that is never paid or never sent ends as FINISH too.
fn has_moved(order: &Order) -> bool {
    !order.logistic_info_list.is_empty()
        || matches!(
            order.logistics_status.as_deref(),
            Some("SELLER_SEND_PART_GOODS" | "SELLER_SEND_GOODS" | "BUYER_ACCEPT_GOODS")
        )
}

struct Line {
    line: OrderLine,
    fee: Money,
}

fn lines(order: &Order) -> Result<Vec<Line>, BadField> {
    if order.child_order_list.is_empty() {
        return Err(BadField("child_order_list"));
    }
    let children = order.child_order_list.iter();
    children
        .map(|child| line(child.as_ref().ok_or(BadField("child_order_list"))?, order))
        .collect()
}

/// Whether a line was sent, whole, and whether it ended without being sent. AliExpress does not tell how many units of a
/// line were sent. One that ended counts as sent where anything of the order was: there is nothing left to do with it
/// either way.
fn ended(child: &ChildOrder, order: &Order) -> (bool, bool) {
    match child.order_status.as_deref() {
        Some("WAIT_BUYER_ACCEPT_GOODS" | "FUND_PROCESSING") => (true, false),
        Some("FINISH") => {
            let has_moved = has_moved(order);
            (has_moved, !has_moved)
        }
        _ => (false, false),
    }
}

fn line(child: &ChildOrder, order: &Order) -> Result<Line, BadField> {
    let id = child.child_order_id.as_deref().or(child.id.as_deref());
    let id = LineId::parse(id.unwrap_or_default()).map_err(|_| BadField("child_order_id"))?;
    let quantity = child
        .product_count
        .and_then(|count| u32::try_from(count).ok());
    let quantity = quantity
        .filter(|quantity| *quantity > 0)
        .ok_or(BadField("product_count"))?;
    let price = money(child.product_price.as_ref(), "product_price")?;
    let price = price.times(quantity).ok_or(BadField("product_price"))?;
    let (shipped, cancelled) = ended(child, order);
    Ok(Line {
        line: OrderLine {
            id,
            sku: child.sku_code.clone().unwrap_or_default(),
            quantity,
            price,
            ship_by: None,
            shipped: if shipped { quantity } else { 0 },
            shipped_whole: true,
            cancelled: if cancelled { quantity } else { 0 },
            refunded: 0,
            refunding: 0,
        },
        fee: fee(price, child.escrow_fee_rate.as_deref()),
    })
}

/// What AliExpress keeps of a line: its rate is a part of 1. A rate that is all of it is a placeholder.
fn fee(price: Money, rate: Option<&str>) -> Money {
    let none = Money::zero(price.currency);
    let Some((whole, fraction)) = rate.and_then(|rate| rate.split_once('.')) else {
        return none;
    };
    let digits = fraction.bytes().all(|b| b.is_ascii_digit());
    if !whole.trim_start_matches('0').is_empty() || !digits || fraction.len() > 6 {
        return none;
    }
    let Ok(millionths) = format!("{fraction:0<6}").parse::<i64>() else {
        return none;
    };
    let taken = price.minor.checked_mul(millionths);
    let rounded_up = taken.map(|taken| (taken + 999_999) / 1_000_000);
    rounded_up.map_or(none, |minor| Money { minor, ..price })
}

fn money(amount: Option<&Amount>, field: &'static str) -> Result<Money, BadField> {
    let amount = amount.ok_or(BadField(field))?;
    let currency: Currency = amount
        .currency_code
        .as_deref()
        .and_then(|code| code.parse().ok())
        .ok_or(BadField(field))?;
    let decimal = amount.amount.as_deref().ok_or(BadField(field))?;
    let money = Money::parse(decimal, currency).map_err(|_| BadField(field))?;
    if money.minor < 0 {
        return Err(BadField(field));
    }
    Ok(money)
}

/// The country in ISO's words. AliExpress has a word of its own for the United Kingdom, and writes some with three
/// letters.
fn country_code(theirs: &str) -> Result<CountryCode, BadField> {
    let iso = match theirs.trim() {
        "UK" => "GB",
        "SRB" => "RS",
        "MNE" => "ME",
        "GGY" => "GG",
        "JEY" => "JE",
        "ALA" => "AX",
        code => code,
    };
    iso.parse().map_err(|_| BadField("country"))
}

/// The buyer; `None` where AliExpress shows too little to send anything.
fn buyer(receipt: &Receipt, order: &Order, country: &CountryCode) -> Option<Buyer> {
    let clean = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
    let needed = |text: &Option<String>| Some(clean(text)).filter(|text| !text.is_empty());
    let line1 = needed(&receipt.address).or_else(|| needed(&receipt.detail_address))?;
    let line2 = Some(clean(&receipt.address2)).filter(|line2| *line2 != line1);
    let own = needed(&receipt.mobile_no)
        .or_else(|| Some(clean(&receipt.phone_area) + &needed(&receipt.phone_number)?));
    let abroad = clean(&receipt.phone_country);
    let abroad = abroad.trim_start_matches(['+', '0']);
    let phone = own.map(|number| match abroad {
        _ if number.starts_with('+') => number,
        "" => number,
        code => format!("+{code}{number}"),
    });
    Some(Buyer {
        name: needed(&receipt.contact_person)?,
        phone: phone.unwrap_or_default(),
        email: String::new(),
        account_name: clean(&order.buyerloginid),
        address: Address {
            line1,
            line2: line2.unwrap_or_default(),
            city: needed(&receipt.city)?,
            region: clean(&receipt.province),
            postal_code: clean(&receipt.zip),
            country: country.clone(),
        },
    })
}

/// Whether AliExpress has a parcel of this number.
pub(super) fn has_parcel(parcels: &[LogisticInfo], number: &TrackingNumber) -> bool {
    parcels
        .iter()
        .filter_map(|parcel| parcel.logistics_no.as_deref())
        .any(|theirs| TrackingNumber::parse(theirs).is_ok_and(|theirs| theirs == *number))
}

/// `send_type` of a parcel. A shipment that was declared as `all` is the last, so it is `all` only where nothing can be
/// left: AliExpress does not say what was in the parcels before, but each held one unit at least. The error proves that
/// nothing was sent: an order can be shipped in some of its states only (page "Order Management Errors").
pub(super) fn send_type(
    call: &Call<'_>,
    order: &Order,
    parcel: &[ParcelLine],
) -> Result<&'static str, CallError> {
    match order.order_status.as_deref().unwrap_or_default() {
        "WAIT_SELLER_SEND_GOODS"
        | "SELLER_PART_SEND_GOODS"
        | "IN_ISSUE"
        | "IN_CANCEL"
        | "IN_FROZEN" => {}
        "WAIT_BUYER_ACCEPT_GOODS" | "FUND_PROCESSING" | "FINISH" => {
            return Err(call.ours(Kind::Refused, Retry::Permanent, "already-shipped"));
        }
        _ => return Err(call.ours(Kind::Refused, NOT_YET, "not-to-ship-yet")),
    }
    let lines = lines(order).map_err(|field| call.ours(Kind::Unreadable, NOT_YET, field.0))?;
    let in_parcel = |wanted: &Line| {
        let of_line = parcel.iter().filter(|part| part.line == wanted.line.id);
        let sent: u64 = of_line.map(|part| u64::from(part.quantity)).sum();
        sent.min(u64::from(wanted.line.quantity))
    };
    let sent: u64 = lines.iter().map(in_parcel).sum();
    let wanted: u64 = lines.iter().map(|line| u64::from(line.line.quantity)).sum();
    let before: BTreeSet<&str> = order
        .logistic_info_list
        .iter()
        .filter_map(|parcel| parcel.logistics_no.as_deref())
        .collect();
    let nothing_is_left = sent.saturating_add(before.len() as u64) >= wanted;
    Ok(if nothing_is_left { "all" } else { "part" })
}

/// Updates of one product that go into one call or one item, by their places in what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Portion {
    /// The product.
    pub(super) product: u64,
    /// Counts from 0 where a product has more skus than a call takes.
    pub(super) part: usize,
    /// Places in what was asked for.
    pub(super) places: Vec<usize>,
}

impl Portion {
    /// Its name in a submission; the same for the same updates in the same order.
    pub(super) fn name(&self) -> String {
        format!("{}-{}", self.product, self.part)
    }
}

/// For each update the place of the last one of its listing. A call or a submission can hold thousands, so they are not
/// compared one with another.
fn last_places(updates: &[ListingUpdate]) -> Vec<usize> {
    let mut last = BTreeMap::new();
    for (place, update) in updates.iter().enumerate() {
        last.insert(&update.listing, place);
    }
    let place_of = |update: &ListingUpdate| last.get(&update.listing).copied().unwrap_or(0);
    updates.iter().map(place_of).collect()
}

/// Which of these listings one call sets together with the first, by their places: so many products, and so many variants
/// of each.
pub(super) fn one_call(listings: &[&ListingId], products: usize, skus: usize) -> Vec<usize> {
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    let mut places = Vec::new();
    for (place, listing) in listings.iter().enumerate() {
        let product = listing.offer.as_str();
        let has_room = match taken.get(product) {
            Some(variants) => *variants < skus,
            None => taken.len() < products,
        };
        if has_room {
            *taken.entry(product).or_default() += 1;
            places.push(place);
        }
    }
    places
}

/// The updates by product, no listing twice: of a listing that comes twice the last counts. An update that cannot be
/// sent has its error in its place.
pub(super) fn portions(
    call: &Call<'_>,
    updates: &[ListingUpdate],
    currency: Currency,
    skus_at_once: usize,
) -> (Vec<Portion>, BTreeMap<usize, CallError>) {
    let mut products: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    let mut unsent = BTreeMap::new();
    let last = last_places(updates);
    for (place, update) in updates.iter().enumerate() {
        if last[place] != place {
            continue;
        }
        if update.price.is_some_and(|price| price.currency != currency) {
            let error = call.ours(Kind::Refused, Retry::Permanent, "other-currency");
            unsent.insert(place, error);
            continue;
        }
        match super::super::client::number(call, &update.listing.offer) {
            Ok(product) => products.entry(product).or_default().push(place),
            Err(error) => drop(unsent.insert(place, error)),
        }
    }
    let portions = products.into_iter().flat_map(|(product, places)| {
        let parts: Vec<Vec<usize>> = places
            .chunks(skus_at_once.max(1))
            .map(<[usize]>::to_vec)
            .collect();
        parts
            .into_iter()
            .enumerate()
            .map(move |(part, places)| Portion {
                product,
                part,
                places,
            })
    });
    (portions.collect(), unsent)
}

/// Which portions go into one call: at most as many as it takes, no product twice.
pub(super) fn calls(portions: Vec<Portion>, at_once: usize) -> Vec<Vec<Portion>> {
    let mut calls: Vec<Vec<Portion>> = Vec::new();
    for portion in portions {
        let is_open = |call: &&mut Vec<Portion>| {
            call.len() < at_once && call.iter().all(|other| other.product != portion.product)
        };
        match calls.iter_mut().find(is_open) {
            Some(call) => call.push(portion),
            None => calls.push(vec![portion]),
        }
    }
    calls
}

/// What an answer says of one product. The failed list counts, whatever `update_success` says; a product that is in
/// neither list may have been updated or not.
pub(super) fn updated(call: &Call<'_>, answer: &Updated, product: u64) -> Result<(), CallError> {
    let product = product.to_string();
    let is_it = |id: &Option<String>| id.as_deref() == Some(product.as_str());
    for failed in &answer.update_failed_list {
        // Whose failure this is nobody can tell, so it may be anybody's.
        let failed = failed
            .as_ref()
            .ok_or_else(|| call.unreadable("update_failed_list"))?;
        if is_it(&failed.product_id) {
            return Err(call.refused(failed.error_code.as_deref(), None));
        }
    }
    let mut succeeded = answer.update_successful_list.iter();
    if succeeded.any(|entry| is_it(&entry.product_id)) {
        return Ok(());
    }
    match answer.update_error_code.as_deref() {
        Some(code) => Err(call.refused(Some(code), None)),
        None => Err(call.unreadable(match answer.update_success {
            Some(_) => "update_successful_list",
            None => "update_success",
        })),
    }
}

/// An update that a later one of the same listing replaced has that one's outcome; one that nothing was said of has no
/// success.
pub(super) fn whole(
    call: &Call<'_>,
    updates: &[ListingUpdate],
    outcomes: &BTreeMap<usize, Result<(), CallError>>,
) -> Vec<Result<(), CallError>> {
    last_places(updates)
        .iter()
        .map(|place| {
            let outcome = outcomes.get(place);
            outcome.map_or_else(|| Err(call.unreadable("unsaid")), Clone::clone)
        })
        .collect()
}

#[cfg(test)]
mod tests;
