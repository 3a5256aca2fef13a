//! What a buyer reads: orders, and where their parcels are.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::gateway::Params;
use super::gateway::Refused;
use super::gateway::text;
use super::state::Order;
use super::state::State;
use super::state::decimal;
use super::types::IcbuParcelView;
use super::types::ReferenceShown;
use super::types::TradeStatus;
use crate::clock::later_ms;

/// The statuses that the page lists; orders here pass over some of them.
const STATUSES: [&str; 12] = [
    "to_be_audited",
    "unpay",
    "paying",
    "paid",
    "captured",
    "undeliver",
    "delivering",
    "wait_confirm_receipt",
    "trade_close",
    "trade_success",
    "frozen",
    "charge_back",
];

impl State {
    /// The buyer's orders, the newest first; pages count from 0.
    pub(super) fn order_list(&mut self, params: &Params) -> Result<Value, Refused> {
        if params.required("role")? != "buyer" {
            return Err(Refused::invalid("role"));
        }
        let number = |name, usual| match params.get(name) {
            Some(text) => text.parse::<usize>().map_err(|_| Refused::invalid(name)),
            None => Ok(usual),
        };
        let page = number("start_page", 0)?;
        let size = number("page_size", 10)?.clamp(1, self.config.settings.orders_per_page);
        let created = span(params, "create_date_start", "create_date_end")?;
        let modified = span(params, "modified_date_start", "modified_date_end")?;
        let status = params.get("status");
        if status.is_some_and(|status| !STATUSES.contains(&status)) {
            return Err(Refused::invalid("status"));
        }
        let mut orders: Vec<&Order> = self
            .orders
            .values()
            .filter(|order| self.is_visible(order) && created.contains(&order.created_at))
            .filter(|order| modified.contains(&order.modified_at))
            .filter(|order| status.is_none_or(|status| json!(order.status) == status))
            .collect();
        orders.sort_by_key(|order| std::cmp::Reverse((order.created_at, order.trade_id)));
        let shown = self.config.settings.reference_shown == ReferenceShown::InList;
        let listed = orders.iter().skip(page.saturating_mul(size)).take(size);
        let listed = listed.map(|order| {
            let mut entry = json!({
                "trade_id": order.trade_id.to_string(),
                "trade_status": order.status,
                "create_date": date(order.created_at),
                "modify_date": date(order.modified_at),
            });
            if shown {
                entry["channel_refer_id"] = json!(order.reference);
            }
            entry
        });
        Ok(json!({ "value": {
            "total_count": orders.len().to_string(),
            "order_list": listed.collect::<Vec<_>>(),
        }}))
    }

    /// The page's sample shows tax, duty and the seller's own sum in every order. Whether the whole holds them its sample
    /// does not settle; here it is what is paid.
    pub(super) fn order_get(&mut self, params: &Params) -> Result<Value, Refused> {
        let order = self.order(params.required("e_trade_id")?)?;
        let lines = order.lines.iter().map(|(product, sku, units, price)| {
            json!({
                "product_id": product.to_string(),
                "sku_id": sku.to_string(),
                "quantity": format!("{units}.0000"),
                "unit_price": { "amount": decimal(*price, 4), "currency": "USD" },
            })
        });
        let money = |amount| json!({ "amount": decimal(amount, 2), "currency": "USD" });
        let mut value = json!({
            "trade_id": order.trade_id.to_string(),
            "trade_status": order.status,
            "fulfillment_channel": "TAD",
            "dropshipping": "true",
            "create_date": date(order.created_at),
            "shipping_address": order.address,
            "order_products": lines.collect::<Vec<_>>(),
            "product_total_amount": money(order.goods()),
            "shipment_fee": money(order.fee),
            "vat_amount": money(order.vat),
            "duty_amount": money(order.duty),
            "adjust_amount": money(order.adjusted),
            "total_amount": money(order.total()),
            "carrier": { "code": order.carrier, "name": order.carrier },
        });
        if self.config.settings.reference_shown != ReferenceShown::Nowhere {
            value["channel_refer_id"] = json!(order.reference);
            value["properties"] = order.properties.clone();
            value["remark"] = json!(order.remark);
        }
        Ok(json!({ "value": value }))
    }

    /// The list is at the root.
    pub(super) fn tracking(&mut self, params: &Params) -> Result<Value, Refused> {
        let order = self.order(params.required("trade_id")?)?;
        let parcels = order.parcels.iter().map(|parcel| {
            let events = events(parcel);
            json!({
                "carrier": "FEDEX",
                "tracking_number": parcel.tracking_number,
                "current_event_code": events[0]["event_code"],
                "event_list": events,
            })
        });
        Ok(json!({ "tracking_list": parcels.collect::<Vec<_>>() }))
    }

    pub(super) fn logistics(&mut self, params: &Params) -> Result<Value, Refused> {
        let order = self.order(params.required("trade_id")?)?;
        let detailed = params.get("data_select") == Some("logistic_order");
        let parcels = order.parcels.iter().filter(|_| detailed).map(|parcel| {
            json!({ "voucher": {
                "tracking_number": parcel.tracking_number,
                "service_provider": order.carrier,
                "logistics_type": "EXPRESS",
            }})
        });
        Ok(json!({ "value": {
            "logistic_status": if order.status == TradeStatus::TradeSuccess { "CONFIRM_RECEIPT" } else { "UNDELIVERED" },
            "shipping_order_list": parcels.collect::<Vec<_>>(),
        }}))
    }

    fn is_visible(&self, order: &Order) -> bool {
        let delay = self.config.settings.order_visible_after_ms;
        later_ms(order.created_at, delay) <= self.now
    }

    fn order(&self, id: &str) -> Result<&Order, Refused> {
        let id: Option<u64> = id.parse().ok();
        let order = id.and_then(|id| self.orders.get(&id));
        let order = order.filter(|order| self.is_visible(order));
        order.ok_or_else(|| Refused::new("ORDER_NOT_FOUND", "the order is not found"))
    }
}

/// What happened to a parcel, the latest first. No page lists the codes, and its samples know two: what a carrier writes
/// of a parcel that was not delivered is one on its way, whatever the words say.
fn events(parcel: &IcbuParcelView) -> Vec<Value> {
    let event = |code: &str, name: &str, at: &str| json!({ "event_code": code, "event_name": name, "event_time": at });
    let first = "2026-11-02 12:00:00";
    if parcel.events.is_empty() {
        let is_there = parcel.delivered_at.is_some();
        return vec![match is_there {
            true => event("DELIVERED", "Delivered", first),
            false => event("IN_TRANSIT", "In Transit", first),
        }];
    }
    let written = parcel.events.iter();
    let mut all: Vec<_> = written
        .map(|(at, text)| (*at, "IN_TRANSIT", text.as_str()))
        .collect();
    all.extend(parcel.delivered_at.map(|at| (at, "DELIVERED", "Delivered")));
    // Stable, so that of one moment what was written later comes first.
    all.reverse();
    all.sort_by_key(|(at, _, _)| std::cmp::Reverse(*at));
    let mut events: Vec<_> = all
        .into_iter()
        .map(|(at, code, text)| event(code, text, &at.strftime("%Y-%m-%d %H:%M:%S").to_string()))
        .collect();
    events.push(event("IN_TRANSIT", "In Transit", first));
    events
}

/// From one time to another, both of them included; all of time where neither is asked for.
fn span(
    params: &Params,
    from: &'static str,
    to: &'static str,
) -> Result<RangeInclusive<Timestamp>, Refused> {
    let time = |name, usual| match params.get(name) {
        Some(_) => {
            let filter = params.json(name)?;
            let ms = text(&filter, "date_timestamp")?.parse().ok();
            let at = ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
            at.ok_or_else(|| Refused::invalid(name))
        }
        None => Ok(usual),
    };
    Ok(time(from, Timestamp::MIN)?..=time(to, Timestamp::MAX)?)
}

fn date(at: Timestamp) -> Value {
    json!({
        "format_date": at.strftime("%b. %d, %Y, %H:%M:%S UTC.").to_string(),
        "timestamp": at.as_millisecond().to_string(),
    })
}
