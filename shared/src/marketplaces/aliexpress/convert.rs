//! Wire ⇄ domain, pure.

use super::error::Call;
use super::wire::{
    ChildOrder, Created, DeliveryOption, Freight, Order, Product, ProductAnswer, Push, Tracking,
    TrackingDetail, Variant,
};
use crate::domain::{Currency, Evidence, Money, SupplierOrderId, TrackingNumber};
use crate::marketplaces::{
    CallError, Effect, Kind, ParcelContent, Placed, Retry, SupplierOrder, SupplierParcel,
    SupplierState,
};
use jiff::Timestamp;
use std::cmp::Reverse;

/// What a product's answer says of one variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) unit_cost: Money,
    pub(super) stock: u32,
    pub(super) variant_attributes: String,
}

impl Terms {
    /// The terms as evidence of stock.
    pub(super) const fn evidence(&self, at: Timestamp) -> Evidence {
        Evidence {
            stock: self.stock,
            cost: self.unit_cost,
            at,
        }
    }
}

/// A product that is on sale; [`Kind::NotFound`] where it is not.
pub(super) fn product(call: &Call<'_>, answer: ProductAnswer) -> Result<Product, CallError> {
    let code = answer.rsp_code.as_deref();
    let Some(product) = answer.result.filter(|_| matches!(code, None | Some("200"))) else {
        return Err(match code {
            None | Some("200") => call.unreadable("result"),
            Some(_) => call.refused(code, answer.rsp_msg.as_deref()),
        });
    };
    let base = product.ae_item_base_info_dto.as_ref();
    let status = base.and_then(|base| base.product_status_type.as_deref());
    match status {
        Some(status) if !status.eq_ignore_ascii_case("onSelling") => {
            Err(call.ours(Kind::NotFound, Retry::Permanent, "not-on-sale"))
        }
        _ => Ok(product),
    }
}

/// The terms of one variant of a product; `None` where the variant is gone.
pub(super) fn terms(
    call: &Call<'_>,
    product: &Product,
    variant: &str,
    currency: Currency,
) -> Result<Option<Terms>, CallError> {
    let same = |known: &&Variant| known.sku_id.as_deref() == Some(variant);
    let Some(found) = product.ae_item_sku_info_dtos.iter().find(same) else {
        return Ok(None);
    };
    let stock = found.sku_available_stock;
    let stock = stock.ok_or_else(|| call.unreadable("sku_available_stock"))?;
    let price = found.offer_sale_price.as_ref().or(found.sku_price.as_ref());
    let price = price.ok_or_else(|| call.unreadable("offer_sale_price"))?;
    Ok(Some(Terms {
        unit_cost: money(call, price, found.currency_code.as_deref(), currency)?,
        stock: u32::try_from(stock.max(0)).unwrap_or(u32::MAX),
        variant_attributes: found.sku_attr.clone().unwrap_or_default(),
    }))
}

/// The code and the fee of the shipping option to take: of the options with tracking the cheapest, of equally cheap ones
/// the quickest; one without tracking only where there is no other, because its parcel cannot be confirmed to the
/// customer.
pub(super) fn shipping(
    call: &Call<'_>,
    freight: &Freight,
    currency: Currency,
) -> Result<(String, Money), CallError> {
    if freight.success == Some(false) {
        return Err(call.refused(freight.code.as_deref(), freight.msg.as_deref()));
    }
    let options = freight.delivery_options.iter();
    let usable: Vec<_> = options
        .filter_map(|option| Some((option, option.code.as_deref()?)))
        .collect();
    if usable.is_empty() {
        return Err(call.ours(Kind::NotDeliverable, Retry::Permanent, "no-option"));
    }
    let mut other_currency = None;
    let mut priced = Vec::new();
    for (option, code) in usable {
        match fee(call, option, currency) {
            Ok(fee) => priced.push((option, code, fee)),
            Err(error) => other_currency = Some(error),
        }
    }
    let rank = |(option, code, fee): &(&DeliveryOption, &str, Money)| {
        let tracked = option.tracking == Some(true);
        let days = option.max_delivery_days.unwrap_or(i64::MAX);
        (Reverse(tracked), fee.minor, days, (*code).to_owned())
    };
    match priced.into_iter().min_by_key(rank) {
        Some((_, code, fee)) => Ok((code.to_owned(), fee)),
        None => Err(other_currency.unwrap_or_else(|| call.unreadable("delivery_options"))),
    }
}

fn fee(call: &Call<'_>, option: &DeliveryOption, currency: Currency) -> Result<Money, CallError> {
    match option.shipping_fee_cent.as_deref() {
        Some(fee) => money(call, fee, option.shipping_fee_currency.as_deref(), currency),
        None if option.free_shipping == Some(true) => Ok(Money::zero(currency)),
        None => Err(call.unreadable("shipping_fee_cent")),
    }
}

fn money(
    call: &Call<'_>,
    decimal: &str,
    currency: Option<&str>,
    wanted: Currency,
) -> Result<Money, CallError> {
    if currency.is_none_or(|code| code != wanted.code()) {
        // A price in a currency that nobody asked for is no price: it would be compared with others.
        return Err(call.ours(Kind::Refused, Retry::Permanent, "other-currency"));
    }
    let money = Money::parse(decimal, wanted).map_err(|_| call.unreadable("amount"))?;
    if money.minor < 0 {
        return Err(call.unreadable("amount"));
    }
    Ok(money)
}

/// What became of an order. Only `is_success` counts: `error_msg` may be filled although the order exists and only its
/// payment failed.
pub(super) fn placed(call: &Call<'_>, created: &Created) -> Result<Placed, CallError> {
    let code = created.error_code.as_deref();
    let repeated = code.is_some_and(|code| code.eq_ignore_ascii_case("REPEATED_ORDER_ERROR"));
    let success = created.is_success == Some(true);
    let numbers = created.order_list.iter().map(|id| {
        let id = id
            .as_deref()
            .filter(|id| id.bytes().all(|b| b.is_ascii_digit()));
        id.and_then(|id| SupplierOrderId::parse(id).ok())
    });
    let numbers: Option<Vec<_>> = numbers.collect();
    match (numbers, success || repeated) {
        // A number that cannot be read would be lost for good; the exact repeat gives all of them again.
        (None, _) => Err(call.unreadable("order_list")),
        (Some(numbers), true) if repeated || !numbers.is_empty() => Ok(Placed {
            supplier_orders: numbers,
        }),
        (Some(_), true) => Err(call.unreadable("order_list")),
        (Some(numbers), false) if created.is_success.is_none() || code.is_none() => {
            let effect = if numbers.is_empty() {
                Effect::Unknown
            } else {
                Effect::Happened
            };
            Err(call.unreadable("is_success").with_effect(effect))
        }
        (Some(numbers), false) => {
            let error = call.refused(code, None);
            // A refusal that names orders has placed a part.
            Err(if numbers.is_empty() {
                error
            } else {
                CallError {
                    retry: Retry::Person,
                    effect: Effect::Happened,
                    ..error
                }
            })
        }
    }
}

/// How far an order is. `order_status` and `logistics_status` overtake each other, so the one that is further counts.
pub(super) fn state(call: &Call<'_>, order: &Order) -> Result<SupplierState, CallError> {
    let Some(status) = order.order_status.as_deref() else {
        return Err(call.unreadable("order_status"));
    };
    if let Some(code) = cancelled(&order.child_order_list) {
        return Ok(closed(code));
    }
    let logistics = order.logistics_status.as_deref().unwrap_or_default();
    let moved = match logistics {
        "SELLER_SEND_PART_GOODS" => SupplierState::PartlyShipped,
        "SELLER_SEND_GOODS" => SupplierState::Shipped,
        "BUYER_ACCEPT_GOODS" => SupplierState::Delivered,
        _ => SupplierState::Processing,
    };
    Ok(match (status, moved) {
        ("IN_CANCEL", _) => closed(status),
        // An order that is never paid or never sent ends as FINISH too.
        ("FINISH", SupplierState::Processing) if order.logistics_info_list.is_empty() => {
            closed(status)
        }
        ("FINISH", _) => SupplierState::Delivered,
        ("PLACE_ORDER_SUCCESS", SupplierState::Processing) => SupplierState::Unpaid,
        ("SELLER_PART_SEND_GOODS", SupplierState::Processing) => SupplierState::PartlyShipped,
        ("WAIT_BUYER_ACCEPT_GOODS", SupplierState::Processing | SupplierState::PartlyShipped) => {
            SupplierState::Shipped
        }
        (_, moved) => moved,
    })
}

fn closed(code: &str) -> SupplierState {
    SupplierState::Closed {
        code: crate::domain::safe_code(code),
    }
}

/// The reason why all lines ended without goods; `None` where at least one goes on. The words of `end_reason` are not
/// documented beyond `CANCELED`, so they are told apart by what they speak of.
fn cancelled(children: &[ChildOrder]) -> Option<&str> {
    let ended = |child: &ChildOrder| {
        let reason = child.end_reason.as_deref().unwrap_or_default();
        let reason = reason.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| reason.contains(word));
        has(&["cancel", "close", "timeout", "reject", "refund", "risk"])
            && !has(&["accept", "confirm"])
    };
    let first = children.first().filter(|_| children.iter().all(ended))?;
    first.end_reason.as_deref()
}

/// The parcels of an order. Numbers that no channel would take are left out: the order stays readable.
pub(super) fn parcels(
    state: &SupplierState,
    order: &Order,
    tracking: Option<&Tracking>,
) -> Vec<SupplierParcel> {
    let details = tracking.and_then(|tracking| tracking.data.as_ref());
    let details = details.map_or(&[][..], |data| &data.tracking_detail_line_list);
    let mut parcels: Vec<SupplierParcel> = Vec::new();
    for parcel in details.iter().filter_map(parcel) {
        let same = parcels
            .iter_mut()
            .find(|known| known.tracking_number == parcel.tracking_number);
        match same {
            Some(known) => {
                known.contents.extend(parcel.contents);
                known.delivered |= parcel.delivered;
            }
            None => parcels.push(parcel),
        }
    }
    // The order's own number can be the platform's, where the tracking has the carrier's: telling a channel of both would
    // be two shipments. So it counts only for what has arrived without ever being tracked.
    if !parcels.is_empty() || *state != SupplierState::Delivered {
        return parcels;
    }
    for info in &order.logistics_info_list {
        let number = info.logistics_no.as_deref();
        let Some(Ok(tracking_number)) = number.map(TrackingNumber::parse) else {
            continue;
        };
        if parcels
            .iter()
            .all(|known| known.tracking_number != tracking_number)
        {
            parcels.push(SupplierParcel {
                tracking_number,
                carrier: info.logistics_service.clone().unwrap_or_default(),
                contents: Vec::new(),
                delivered: false,
            });
        }
    }
    parcels
}

fn parcel(detail: &TrackingDetail) -> Option<SupplierParcel> {
    let tracking_number = TrackingNumber::parse(detail.mail_no.as_deref()?).ok()?;
    let contents = detail.package_item_list.iter().map(|item| {
        let quantity = u32::try_from(item.quantity?).ok()?;
        let (product, variant) = (item.item_id.clone()?, item.sku_id.clone());
        Some(ParcelContent {
            product,
            variant,
            quantity,
        })
    });
    let arrived = |text: &str| is_delivery(&text.to_lowercase());
    let mut nodes = detail.detail_node_list.iter();
    Some(SupplierParcel {
        tracking_number,
        carrier: detail.carrier_name.clone().unwrap_or_default(),
        // A list with a gap says nothing about the rest.
        contents: contents.collect::<Option<_>>().unwrap_or_default(),
        delivered: nodes.any(|node| node.tracking_detail_desc.as_deref().is_some_and(arrived)),
    })
}

/// Whether a carrier's sentence says that the parcel has arrived, and not that it will, or that it did not.
fn is_delivery(sentence: &str) -> bool {
    let sentence = sentence.trim().trim_end_matches(['.', '!']);
    let arrived = sentence.ends_with("delivered")
        || sentence.starts_with("delivered,")
        || sentence.contains("delivered successfully")
        || sentence.contains("successfully delivered")
        || sentence.contains("delivered to recipient")
        || sentence.contains("delivered to the recipient");
    let denied = [
        "not ",
        "undelivered",
        "be delivered",
        "cannot",
        "unable",
        "out for",
    ];
    arrived && !denied.iter().any(|word| sentence.contains(word))
}

/// What was bought with an order; empty where that is not told of all of it.
pub(super) fn contents(order: &Order) -> Vec<ParcelContent> {
    let children = order.child_order_list.iter();
    let contents = children.map(|child| {
        Some(ParcelContent {
            product: child.product_id.clone()?,
            variant: child.sku_id.clone(),
            quantity: u32::try_from(child.product_count?).ok()?,
        })
    });
    contents.collect::<Option<_>>().unwrap_or_default()
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
        contents: Vec::new(),
    }
}

/// When a push was sent; AliExpress writes seconds, but its other times are milliseconds.
pub(super) fn pushed_at(push: &Push) -> Option<Timestamp> {
    let number = push.timestamp?;
    if number.unsigned_abs() >= 100_000_000_000 {
        return Timestamp::from_millisecond(number).ok();
    }
    Timestamp::from_second(number).ok()
}

#[cfg(test)]
mod tests;
