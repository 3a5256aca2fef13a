//! aliexpress.trade.ds.order.get and aliexpress.ds.order.tracking.get.

use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::Value;
use serde_json::json;

use super::catalogue::store_name;
use super::catalogue::text_of;
use super::envelope::GatewayError;
use super::gateway::Params;
use super::purchase::amount;
use super::state::Line;
use super::state::Order;
use super::state::State;
use super::types::OrderStatus;
use super::types::ParcelView;
use crate::clock::later_ms;

/// Order times are written as US Pacific without a zone; here the winter offset all year.
const PACIFIC_HOURS: i8 = -8;

impl State {
    pub(super) fn order_get(&mut self, params: &Params) -> Result<Value, GatewayError> {
        let query = params.json("single_order_query")?;
        let id: u64 = text_of(&query["order_id"])
            .parse()
            .map_err(|_| GatewayError::remote("isv.invalid-parameter", "Invalid parameter."))?;
        let delay = self.config.settings.order_visible_after_ms;
        // An order that the read side does not know yet looks the same as one of another account.
        let visible = self
            .orders
            .get(&id)
            .is_some_and(|order| later_ms(order.created_at, delay) <= self.now);
        let Some(order) = visible.then(|| self.orders.remove(&id)).flatten() else {
            let message = "Insufficient permission.";
            return Err(GatewayError::remote("isv.insufficient-permission", message));
        };
        let result = self.order_json(&order);
        self.orders.insert(id, order);
        Ok(json!({ "result": result }))
    }

    fn order_json(&mut self, order: &Order) -> Value {
        let children: Vec<Value> = order
            .lines
            .iter()
            .map(|line| self.child_json(order, line))
            .collect();
        let logistics: Vec<Value> = order
            .parcels
            .iter()
            .map(|parcel| {
                json!({ "logistics_no": parcel.mail_no, "logistics_service": parcel.service })
            })
            .collect();
        let cost = order.cost();
        let mut result = json!({
            "gmt_create": local_time(order.created_at),
            "order_status": order.status,
            "logistics_status": logistics_status(order),
            "user_order_amount": amount(&cost),
            "order_amount": amount(&cost),
            "child_order_list": children,
            "store_info": {
                "store_id": self.loose(order.store_id),
                "store_name": store_name(order.store_id),
                "store_url": format!("https://www.aliexpress.example.invalid/store/{}", order.store_id),
            },
        });
        if !logistics.is_empty() {
            result["logistics_info_list"] = json!(logistics);
        }
        if let Some(paid_at) = order.paid_at {
            result["order_paidtime_string"] = json!(local_time(paid_at));
        }
        if order.status == OrderStatus::PlaceOrderSuccess {
            let elapsed_s = self.now.as_second() - order.created_at.as_second();
            let elapsed_s = u64::try_from(elapsed_s).unwrap_or(0);
            let left_s = self.config.settings.pay_timeout_s.saturating_sub(elapsed_s);
            result["pay_timeout_second"] = self.loose(left_s);
        }
        result
    }

    fn child_json(&mut self, order: &Order, line: &Line) -> Value {
        let (goods, fee) = (line.money(line.goods().cents + line.more_cents), line.fee());
        // Recorded answers have the tax in `actual_fee`, where the page speaks of goods and delivery alone.
        let all = line.money(line.cost_cents());
        let mut child = json!({
            "product_id": self.loose(line.product_id),
            "product_name": line.title,
            "product_count": self.loose(u64::from(line.quantity)),
            "product_price": amount(&line.price),
            "sku_id": line.sku_id.to_string(),
            "sale_fee": amount(&goods),
            "shipping_fee": amount(&fee),
            "actual_shipping_fee": amount(&fee),
            "actual_fee": amount(&all),
        });
        if line.taxed_on_top {
            child["price_include_tax"] = json!("false");
            child["already_include_tax"] = json!("false");
            child["actual_tax_fee"] = amount(&line.money(line.tax_cents));
        }
        if let Some(reason) = &order.end_reason {
            child["end_reason"] = json!(reason);
        }
        child
    }

    pub(super) fn tracking_get(&mut self, params: &Params) -> Result<Value, GatewayError> {
        params.required("language")?;
        let id = params.required("ae_order_id")?.parse::<u64>().ok();
        let order = id.and_then(|id| self.orders.get(&id));
        let Some(order) = order.filter(|order| !order.parcels.is_empty()) else {
            return Ok(json!({ "result": {
                "ret": self.loose_bool(false),
                "code": "1001",
                "msg": "TRACKING DATA NOT FOUND",
            }}));
        };
        let lines: Vec<Value> = order
            .parcels
            .iter()
            .map(|parcel| parcel_json(order, parcel))
            .collect();
        Ok(json!({ "result": {
            "ret": self.loose_bool(true),
            "code": "",
            "msg": "",
            "data": { "tracking_detail_line_list": lines },
        }}))
    }
}

fn parcel_json(order: &Order, parcel: &ParcelView) -> Value {
    let mut events = vec![(parcel.shipped_at, "Shipped", "Your package left the store.")];
    let written = parcel.events.iter();
    events.extend(written.map(|event| (event.at, &*event.name, &*event.text)));
    let delivered_at = parcel.delivered_at.iter();
    events.extend(delivered_at.map(|at| (*at, "Delivery update", "Package delivered")));
    events.sort_by_key(|(at, ..)| *at);
    // The newest stands first.
    let newest_first = events.into_iter().rev();
    let nodes: Vec<Value> = newest_first.map(node_json).collect();
    let items: Vec<Value> = parcel
        .items
        .iter()
        .filter_map(|(sku_id, units)| {
            let line = order.lines.iter().find(|line| line.sku_id == *sku_id)?;
            Some(json!({
                "item_id": line.product_id,
                "sku_id": sku_id,
                "quantity": units,
                "item_title": line.title,
                "sku_desc": line.sku_attr,
            }))
        })
        .collect();
    json!({
        "mail_no": parcel.mail_no,
        "carrier_name": parcel.carrier,
        "eta_time_stamps": later_ms(parcel.shipped_at, 15 * 86_400_000).as_millisecond(),
        "detail_node_list": nodes,
        "package_item_list": items,
    })
}

/// An event of a parcel. Some have a name and no words.
fn node_json((at, name, text): (Timestamp, &str, &str)) -> Value {
    let mut node = json!({ "time_stamp": at.as_millisecond(), "tracking_name": name });
    if !text.is_empty() {
        node["tracking_detail_desc"] = json!(text);
    }
    node
}

fn logistics_status(order: &Order) -> &'static str {
    match order.status {
        OrderStatus::PlaceOrderSuccess => "NO_LOGISTICS",
        OrderStatus::WaitSellerSendGoods => "WAIT_SELLER_SEND_GOODS",
        OrderStatus::SellerPartSendGoods => "SELLER_SEND_PART_GOODS",
        OrderStatus::WaitBuyerAcceptGoods => "SELLER_SEND_GOODS",
        OrderStatus::Finish if order.end_reason.is_some() => "NO_LOGISTICS",
        OrderStatus::Finish => "BUYER_ACCEPT_GOODS",
    }
}

fn local_time(at: Timestamp) -> String {
    let civil = Offset::constant(PACIFIC_HOURS).to_datetime(at);
    civil.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
