//! Wire ⇄ domain, pure.

use super::config::Place;
use super::error::Call;
use super::wire::{
    AddressParam, Created, CreatedAnswer, DetailAnswer, Logistics, Message, Order, PaidAnswer,
    Preview, Product, ProductItem, Trace,
};
use crate::domain::{
    Buyer, Currency, Evidence, Money, Reference, SignalKind, SupplierOrderId, TrackingNumber,
    safe_code,
};
use crate::marketplaces::{
    CallError, Effect, Kind, ParcelContent, Placed, Retry, SupplierParcel, SupplierState,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The variant of an offer that has none.
pub(super) const NO_VARIANT: &str = "-";

/// A product that is on sale; [`Kind::NotFound`] where it is not.
pub(super) fn product(call: &Call<'_>, answer: DetailAnswer) -> Result<Product, CallError> {
    let outer = answer.result.ok_or_else(|| call.unreadable("result"))?;
    let code = outer.code.as_deref();
    if outer.success == Some(false) || !matches!(code, None | Some("200")) {
        return Err(call.refused(code, None));
    }
    let product = outer
        .result
        .ok_or_else(|| call.unreadable("result.result"))?;
    match product.status.as_deref() {
        None | Some("published") => Ok(product),
        Some(_) => Err(call.ours(Kind::NotFound, Retry::Permanent, "not-published")),
    }
}

/// Stock and price of a variant; `None` where it is gone.
pub(super) fn evidence(
    call: &Call<'_>,
    product: &Product,
    variant: &str,
    at: Timestamp,
) -> Result<Option<Evidence>, CallError> {
    let same = |sku: &&super::wire::ProductSku| sku.spec_id.as_deref() == Some(variant);
    let (stock, price) = match product.product_sku_infos.iter().find(same) {
        Some(sku) => (
            sku.amount_on_sale,
            sku.price.as_ref().or(sku.consign_price.as_ref()),
        ),
        None if variant == NO_VARIANT && product.product_sku_infos.is_empty() => {
            let Some(sale) = &product.product_sale_info else {
                return Err(call.unreadable("productSaleInfo"));
            };
            let first = sale.price_range_list.first();
            (
                sale.amount_on_sale,
                first.and_then(|range| range.price.as_ref()),
            )
        }
        None => return Ok(None),
    };
    let stock = stock.ok_or_else(|| call.unreadable("amountOnSale"))?;
    let price = price.ok_or_else(|| call.unreadable("price"))?;
    Ok(Some(Evidence {
        stock: u32::try_from(stock.max(0)).unwrap_or(u32::MAX),
        cost: yuan(call, price)?,
        at,
    }))
}

/// Who sells it, as far as the product says: an order is of one seller.
pub(super) fn seller(product: &Product, offer: &str) -> String {
    match &product.seller_open_id {
        Some(seller) => format!("seller:{seller}"),
        None => format!("offer:{offer}"),
    }
}

/// The trade mode to take: the first of the wanted ones that every part of the order offers.
pub(super) fn trade_type(
    call: &Call<'_>,
    parts: &[Preview],
    wanted: &[String],
) -> Result<String, CallError> {
    let offers = |part: &Preview, mode: &String| {
        let mut modes = part.trade_mode_name_list.iter().flatten();
        modes.any(|offered| offered == mode)
    };
    let mut fitting = wanted
        .iter()
        .filter(|mode| parts.iter().all(|part| offers(part, mode)));
    match fitting.next() {
        Some(mode) if !parts.is_empty() => Ok(mode.clone()),
        // An empty list means that the order can be placed on the site only.
        _ => Err(call.ours(Kind::NotFound, Retry::Permanent, "no-trade-type")),
    }
}

/// What the goods of a preview cost, and everything else that is paid with them.
pub(super) fn sums(call: &Call<'_>, parts: &[Preview]) -> Result<(Money, Money), CallError> {
    let nothing = Money::zero(renminbi(call)?);
    let (mut goods, mut all) = (nothing, nothing);
    for part in parts {
        if part.status == Some(false) {
            return Err(call.refused(part.result_code.as_deref(), None));
        }
        let part_goods = match part.sum_payment_no_carriage {
            Some(sum) => fen(call, sum)?,
            None => cargo(call, part)?,
        };
        let part_all = match part.sum_payment {
            Some(sum) => fen(call, sum)?,
            None => {
                let carriage = fen(call, part.sum_carriage.unwrap_or(0))?;
                let sum = part_goods.plus(carriage);
                sum.ok_or_else(|| call.unreadable("sumPayment"))?
            }
        };
        let sum = goods.plus(part_goods).zip(all.plus(part_all));
        (goods, all) = sum.ok_or_else(|| call.unreadable("sumPayment"))?;
    }
    let rest = all.minus(goods).filter(|rest| rest.minor >= 0);
    // A discount on the whole is not shared out: it is money that is left over.
    Ok((goods, rest.unwrap_or(nothing)))
}

fn cargo(call: &Call<'_>, part: &Preview) -> Result<Money, CallError> {
    let missing = || call.unreadable("sumPaymentNoCarriage");
    let first = Money::zero(renminbi(call)?);
    if part.cargo_list.is_empty() {
        return Err(missing());
    }
    part.cargo_list.iter().try_fold(first, |sum, line| {
        let amount = line.amount.as_deref().ok_or_else(missing)?;
        sum.plus(yuan(call, amount)?).ok_or_else(missing)
    })
}

/// The price of one unit, a whole number of fen that is never below the part of the sum.
pub(super) fn unit_cost(goods: Money, quantity: u32) -> Money {
    let quantity = i64::from(quantity.max(1));
    let minor = goods.minor / quantity + i64::from(goods.minor % quantity != 0);
    Money { minor, ..goods }
}

fn renminbi(call: &Call<'_>) -> Result<Currency, CallError> {
    "CNY".parse().map_err(|_| call.unreadable("currency"))
}

/// A whole number of fen.
fn fen(call: &Call<'_>, minor: i64) -> Result<Money, CallError> {
    let fits = (0..=1_000_000_000_000_000).contains(&minor);
    if !fits {
        return Err(call.unreadable("amount"));
    }
    Ok(Money {
        minor,
        currency: renminbi(call)?,
    })
}

/// Yuan as a decimal number. Some are written by way of floating point (`0.30000000000000004`): from the seventh digit on
/// that is noise. What is left below a fen counts as a whole one.
fn yuan(call: &Call<'_>, decimal: &str) -> Result<Money, CallError> {
    let unreadable = || call.unreadable("amount");
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(unreadable());
    }
    let meant = &fraction[..fraction.len().min(6)];
    let (kept, rest) = meant.split_at(meant.len().min(2));
    let money = Money::parse(&format!("{whole}.{kept}"), renminbi(call)?);
    let money = money.map_err(|_| unreadable())?;
    fen(
        call,
        money.minor + i64::from(rest.bytes().any(|b| b != b'0')),
    )
}

/// The address of the configuration.
pub(super) fn address(place: &Place) -> AddressParam {
    match place {
        Place::Saved(id) => AddressParam {
            address_id: Some(*id),
            ..AddressParam::default()
        },
        Place::Written(written) => {
            let written = (**written).clone();
            AddressParam {
                address_id: None,
                full_name: written.full_name,
                mobile: written.mobile,
                phone: written.phone,
                post_code: written.post_code,
                province_text: written.province,
                city_text: written.city,
                area_text: written.area,
                town_text: written.town,
                address: written.address,
            }
        }
    }
}

/// A buyer in China. What cannot be an address there is [`Kind::AddressRefused`] with a code such as `CN.mobile`.
pub(super) fn buyer_address(call: &Call<'_>, buyer: &Buyer) -> Result<AddressParam, CallError> {
    let at = &buyer.address;
    if at.country.as_str() != "CN" {
        return Err(call.ours(Kind::NotDeliverable, Retry::Permanent, "not-in-china"));
    }
    let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mobile: String = buyer.phone.chars().filter(char::is_ascii_digit).collect();
    let mobile = mobile.strip_prefix("0086").unwrap_or(&mobile);
    let mobile = match mobile.strip_prefix("86") {
        Some(national) if national.len() == 11 => national,
        _ => mobile,
    };
    let address = AddressParam {
        address_id: None,
        full_name: line(&buyer.name),
        mobile: mobile.to_owned(),
        phone: String::new(),
        post_code: line(&at.postal_code),
        province_text: line(&at.region),
        city_text: line(&at.city),
        area_text: line(&at.line2),
        town_text: String::new(),
        address: line(&at.line1),
    };
    let needed = [
        ("full_name", &address.full_name),
        ("mobile", &address.mobile),
        ("province", &address.province_text),
        ("city", &address.city_text),
        ("address", &address.address),
    ];
    match needed.iter().find(|(_, text)| text.is_empty()) {
        Some((field, _)) => {
            let code = format!("CN.{field}");
            Err(call.ours(Kind::AddressRefused, Retry::Permanent, &code))
        }
        None => Ok(address),
    }
}

/// What became of an order. A number that is there counts, whatever the flags say: the page's own samples show
/// `success: false` beside one.
pub(super) fn placed(
    call: &Call<'_>,
    answer: &CreatedAnswer,
    root: &Value,
) -> Result<Placed, CallError> {
    let Some(created) = &answer.result else {
        return Err(match answer.success {
            Some(false) => call.refusal(root),
            _ => call.unreadable("result"),
        });
    };
    let numbers = created
        .order_list
        .iter()
        .map(|part| part.order_id.as_deref());
    let numbers: Vec<_> = match (&created.order_id, created.order_list.is_empty()) {
        (Some(id), true) => vec![Some(id.as_str())],
        (Some(id), false) => numbers.chain([Some(id.as_str())]).collect(),
        (None, _) => numbers.collect(),
    };
    let mut ids: Vec<SupplierOrderId> = Vec::new();
    for number in &numbers {
        let digits = number.filter(|id| id.bytes().all(|b| b.is_ascii_digit()));
        let id = digits.and_then(|id| SupplierOrderId::parse(id).ok());
        // A number that cannot be read would be lost for good; a search gives all of them again.
        let id = id.ok_or_else(|| call.unreadable("orderId"))?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    match (ids.is_empty(), created.failed_offer_list.first()) {
        (true, _) => Err(not_placed(call, answer, created, root)),
        (false, None) => Ok(Placed {
            supplier_orders: ids,
        }),
        // A part of the lines was ordered. Only a person can put that right.
        (false, Some(failed)) => {
            let code = failed.error_code.as_deref();
            let code = code.filter(|code| super::error::meaning(code).is_some());
            let error = call.ours(
                Kind::Refused,
                Retry::Person,
                code.unwrap_or("partly-placed"),
            );
            Err(error.with_effect(Effect::Happened))
        }
    }
}

fn not_placed(
    call: &Call<'_>,
    answer: &CreatedAnswer,
    created: &Created,
    root: &Value,
) -> CallError {
    if answer.success != Some(false) && created.success != Some(false) {
        return call.unreadable("orderId");
    }
    let failed = created.failed_offer_list.first();
    let failed = failed.and_then(|failed| failed.error_code.as_deref());
    match created.code.as_deref().or(failed) {
        Some(code) => call.refused(Some(code), created.message.as_deref()),
        None => call.refusal(root),
    }
}

/// Whether an order is paid. `paySuccess` may be false after a time-out although the money went: the order's own state
/// tells later.
pub(super) fn paid(call: &Call<'_>, answer: &PaidAnswer) -> Result<(), CallError> {
    let paid = answer.result.as_ref();
    let paid = paid.ok_or_else(|| call.unreadable("result"))?;
    let by = paid.result.as_ref().and_then(|by| by.pay_success);
    match (paid.success, by) {
        (Some(true), Some(true)) => Ok(()),
        (Some(false), _) => Err(call.refused(paid.code.as_deref(), None)),
        _ => Err(call.unreadable("paySuccess")),
    }
}

/// The number of an order, by preference as the text that it is also given as.
pub(super) fn order_id(order: &Order) -> Option<&str> {
    let base = order.base_info.as_ref()?;
    base.id_of_str.as_deref().or(base.id.as_deref())
}

/// Whether an order is ours; `None` where it shows no reference.
pub(super) fn is_ours(order: &Order, reference: &Reference) -> Option<bool> {
    let shown = order.base_info.as_ref()?.out_order_id.as_deref()?;
    Some(shown == reference.as_str())
}

/// How far an order is.
pub(super) fn state(call: &Call<'_>, order: &Order) -> Result<SupplierState, CallError> {
    let base = order.base_info.as_ref();
    let status = base.and_then(|base| base.status.as_deref());
    let status = status.ok_or_else(|| call.unreadable("status"))?;
    let mut items = order.product_items.iter();
    let waits = |item: &ProductItem| item.status.as_deref() == Some("waitsellersend");
    let sent = |item: &ProductItem| item.status.as_deref() == Some("waitbuyerreceive");
    Ok(match status {
        "waitbuyerpay" => SupplierState::Unpaid,
        "waitsellersend" if items.any(sent) => SupplierState::PartlyShipped,
        "waitsellersend" => SupplierState::Processing,
        "waitbuyerreceive" if items.any(waits) => SupplierState::PartlyShipped,
        "waitbuyerreceive" => SupplierState::Shipped,
        "confirm_goods" | "success" => SupplierState::Delivered,
        "cancel" | "terminated" => SupplierState::Closed {
            code: safe_code(status),
        },
        _ => SupplierState::Processing,
    })
}

/// The parcels of an order. The carrier's number can stand in the trace alone.
pub(super) fn parcels(
    order: &Order,
    logistics: &[Logistics],
    trace: &[Trace],
) -> Vec<SupplierParcel> {
    let mut parcels: Vec<SupplierParcel> = Vec::new();
    let shared = entries_in_many(logistics);
    for shipment in logistics {
        if shipment.status.as_deref() == Some("CANCEL") {
            continue;
        }
        let traced = trace
            .iter()
            .find(|step| step.logistics_id.is_some() && step.logistics_id == shipment.logistics_id)
            .and_then(|step| step.logistics_bill_no.as_deref());
        let number = shipment.logistics_bill_no.as_deref().or(traced);
        let Some(Ok(tracking_number)) = number.map(TrackingNumber::parse) else {
            continue;
        };
        let contents = contents(order, shipment, &shared);
        let delivered = shipment.status.as_deref() == Some("SIGN");
        let same = parcels
            .iter_mut()
            .find(|known| known.tracking_number == tracking_number);
        match same {
            Some(known) => {
                known.delivered |= delivered;
                known.contents.extend(contents);
            }
            None => parcels.push(SupplierParcel {
                tracking_number,
                carrier: shipment.logistics_company_name.clone().unwrap_or_default(),
                contents,
                delivered,
            }),
        }
    }
    parcels
}

/// Lines that are in more than one parcel: how many units of them are in which is not said by the line alone.
fn entries_in_many(logistics: &[Logistics]) -> BTreeSet<&str> {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for entry in logistics.iter().flat_map(entries) {
        *counts.entry(entry).or_default() += 1;
    }
    let many = counts.into_iter().filter(|(_, count)| *count > 1);
    many.map(|(entry, _)| entry).collect()
}

fn entries(shipment: &Logistics) -> impl Iterator<Item = &str> {
    let ids = shipment.order_entry_ids.as_deref().unwrap_or_default();
    ids.split(',').map(str::trim).filter(|id| !id.is_empty())
}

/// What was bought with an order; empty where that is not told of all of it.
pub(super) fn all_contents(order: &Order) -> Vec<ParcelContent> {
    let items = order.product_items.iter();
    let contents = items.map(|item| content(item, item.quantity?));
    contents.collect::<Option<_>>().unwrap_or_default()
}

fn content(item: &ProductItem, quantity: i64) -> Option<ParcelContent> {
    Some(ParcelContent {
        product: item.product_id.clone()?,
        variant: Some(
            item.spec_id
                .clone()
                .unwrap_or_else(|| NO_VARIANT.to_owned()),
        ),
        quantity: u32::try_from(quantity).ok()?,
    })
}

/// What is in a parcel; empty where that is not told of all of it.
fn contents(order: &Order, shipment: &Logistics, shared: &BTreeSet<&str>) -> Vec<ParcelContent> {
    let item_of = |id: &str| {
        order.product_items.iter().find(|item| {
            item.sub_item_id_string.as_deref() == Some(id)
                || item.sub_item_id.as_deref() == Some(id)
        })
    };
    let goods = shipment.logistics_order_goods.iter().map(|goods| {
        content(
            item_of(goods.trade_order_item_id.as_deref()?)?,
            goods.quantity?,
        )
    });
    if !shipment.logistics_order_goods.is_empty() {
        return goods.collect::<Option<_>>().unwrap_or_default();
    }
    let whole = entries(shipment).map(|id| {
        let item = item_of(id).filter(|_| !shared.contains(id))?;
        content(item, item.quantity?)
    });
    whole.collect::<Option<_>>().unwrap_or_default()
}

/// What a message is about: every order that its data names. Types come and go, so the fields decide.
pub(super) fn signals(message: &Message) -> Vec<SignalKind> {
    let mut found = Vec::new();
    // Data is an object, now and then as text.
    match &message.data {
        Value::String(text) => {
            let data: Value = serde_json::from_str(text).unwrap_or_default();
            order_ids(&data, 0, &mut found);
        }
        data => order_ids(data, 0, &mut found),
    }
    found.sort();
    found.dedup();
    let ids = found
        .iter()
        .filter_map(|id| SupplierOrderId::parse(id).ok());
    ids.map(SignalKind::SupplierOrderChanged).collect()
}

/// Deeper than any message is.
const DEEPEST: usize = 8;

fn order_ids(value: &Value, depth: usize, found: &mut Vec<String>) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Array(entries) => entries
            .iter()
            .for_each(|entry| order_ids(entry, depth + 1, found)),
        Value::Object(fields) => {
            for (name, field) in fields {
                match (name.as_str(), field) {
                    ("orderId", Value::Number(number)) if number.is_u64() => {
                        found.push(number.to_string());
                    }
                    ("orderId", Value::String(text))
                        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) =>
                    {
                        found.push(text.clone());
                    }
                    (_, field) => order_ids(field, depth + 1, found),
                }
            }
        }
        _ => {}
    }
}

/// A time as 1688 writes it, in China's zone: `20180802211113000+0800`.
pub(super) fn time(at: Timestamp) -> String {
    let there = at
        .saturating_add(SignedDuration::from_hours(8))
        .unwrap_or(at);
    format!("{}+0800", there.strftime("%Y%m%d%H%M%S%3f"))
}

#[cfg(test)]
mod tests;
