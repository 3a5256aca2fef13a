//! What a buyer reads: orders, parcels, and where they were.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde_json::Value;
use serde_json::json;

use super::gateway::Params;
use super::gateway::Refused;
use super::state::Line;
use super::state::Order;
use super::state::Parcel;
use super::state::State;
use super::state::yuan;
use super::types::Cn1688Status;
use crate::actions::Party;
use crate::clock::later_ms;

const CHINA_HOURS: i8 = 8;
const LARGEST_PAGE: usize = 50;
/// The statuses that the page lists; `confirm_goods` is one that orders here pass over.
const STATUSES: [&str; 7] = [
    "waitbuyerpay",
    "waitsellersend",
    "waitbuyerreceive",
    "confirm_goods",
    "success",
    "cancel",
    "terminated",
];

impl State {
    /// The buyer's orders, the newest first; pages count from 1.
    pub(super) fn order_list(&mut self, params: &Params) -> Result<Value, Refused> {
        let place = |number| usize::try_from(number).unwrap_or(usize::MAX);
        let page = place(params.number("page", 1)?);
        let size = place(params.number("pageSize", 20)?);
        if page == 0 || !(1..=LARGEST_PAGE).contains(&size) {
            return Err(Refused::missing("page"));
        }
        let created = span(params, "createStartTime", "createEndTime")?;
        let modified = span(params, "modifyStartTime", "modifyEndTime")?;
        let status = params.get("orderStatus");
        if status.is_some_and(|status| !STATUSES.contains(&status)) {
            return Err(Refused::missing("orderStatus"));
        }
        let past = params.get("isHis") == Some("true");
        let wanted = params
            .get("outOrderId")
            .filter(|_| self.config.settings.searches_references);
        let mut orders: Vec<&Order> = self
            .orders
            .values()
            .filter(|order| self.is_visible(order) && !past)
            .filter(|order| created.contains(&order.created_at))
            .filter(|order| modified.contains(&order.modified_at))
            .filter(|order| status.is_none_or(|status| json!(order.status) == status))
            .filter(|order| wanted.is_none_or(|wanted| order.reference.as_deref() == Some(wanted)))
            .collect();
        orders.sort_by_key(|order| std::cmp::Reverse((order.created_at, order.order_id)));
        let listed = orders
            .iter()
            .skip((page - 1).saturating_mul(size))
            .take(size);
        let listed: Vec<Value> = listed.map(|order| self.order_json(order)).collect();
        Ok(json!({ "result": listed, "totalRecord": orders.len() }))
    }

    pub(super) fn order_get(&mut self, params: &Params) -> Result<Value, Refused> {
        check_site(params)?;
        let order = self.order(params)?;
        // The page types this flag as text.
        Ok(json!({ "result": self.order_json(order), "success": "true" }))
    }

    /// Before shipment this is an error that is none.
    pub(super) fn logistics(&mut self, params: &Params) -> Result<Value, Refused> {
        check_site(params)?;
        let order = self.order(params)?;
        if order.parcels.is_empty() {
            let body =
                json!({ "success": false, "errorCode": "500_2", "errorMessage": "not shipped" });
            return Err(Refused::Service(body));
        }
        let hidden = self.config.settings.number_in_trace_only;
        let parcels = order.parcels.iter().map(|parcel| {
            let entries: Vec<String> = parcel
                .items
                .iter()
                .map(|(item, _)| item.to_string())
                .collect();
            let goods = parcel.items.iter().map(|(item, units)| {
                json!({
                    "logisticsId": parcel.logistics_id,
                    "tradeOrderId": order.order_id,
                    "tradeOrderItemId": item,
                    "quantity": f64::from(*units),
                })
            });
            let mut entry = json!({
                "logisticsId": parcel.logistics_id,
                "orderEntryIds": entries.join(","),
                "status": logistics_status(parcel),
                "logisticsCompanyId": "8",
                "logisticsCompanyName": "中通快递(ZTO)",
                "logisticsOrderGoods": goods.collect::<Vec<_>>(),
            });
            if !hidden {
                entry["logisticsBillNo"] = json!(parcel.number);
            }
            entry
        });
        Ok(json!({ "result": parcels.collect::<Vec<_>>() }))
    }

    pub(super) fn trace(&mut self, params: &Params) -> Result<Value, Refused> {
        check_site(params)?;
        let order = self.order(params)?;
        if order.parcels.is_empty() {
            let body = json!({ "success": false, "errorCode": "404", "errorMessage": "no trace" });
            return Err(Refused::Service(body));
        }
        let steps = order.parcels.iter().map(|parcel| {
            // The oldest first, in China's time without a zone.
            let mut steps =
                vec![json!({ "acceptTime": "2026-11-02 21:55:33", "remark": "揽件扫描" })];
            steps.extend(parcel.steps.iter().map(|(at, text)| {
                let there = Offset::constant(CHINA_HOURS).to_datetime(*at);
                let at = there.strftime("%Y-%m-%d %H:%M:%S").to_string();
                json!({ "acceptTime": at, "remark": text })
            }));
            json!({
                "logisticsId": parcel.logistics_id,
                "logisticsBillNo": parcel.number,
                "orderId": order.order_id,
                "logisticsSteps": steps,
            })
        });
        Ok(json!({ "logisticsTrace": steps.collect::<Vec<_>>(), "success": true }))
    }

    fn order_json(&self, order: &Order) -> Value {
        let mut base = json!({
            "id": rounded(order.order_id),
            "idOfStr": order.order_id.to_string(),
            "status": order.status,
            "totalAmount": number(order.total()),
            "shippingFee": number(order.carriage),
            "createTime": china_time(order.created_at),
            "modifyTime": china_time(order.modified_at),
            "sellerID": order.seller,
            "tradeType": "50060",
        });
        if let Some(reference) = order
            .reference
            .as_ref()
            .filter(|_| self.config.settings.shows_references)
        {
            base["outOrderId"] = json!(reference);
        }
        if let Some(closed) = &order.closed {
            base["closeReason"] = json!(closed.reason);
            base["closeOperateType"] = json!(match closed.by {
                Party::Buyer => "CLOSE_TRADE_BY_BUYER",
                Party::Seller => "CLOSE_TRADE_BY_SELLER",
                Party::Marketplace => "CLOSE_TRADE_BY_BOPS",
            });
        }
        if let Some(refund) = &order.refund {
            // Yuan in one field, fen in the other.
            base["refund"] = json!(number(refund.fen));
            base["refundPayment"] = json!(refund.fen);
            base["refundStatus"] = json!("refundsuccess");
            base["refundId"] = json!(refund.id);
        }
        let items = order.lines.iter().map(|line| item_json(order, line));
        json!({ "baseInfo": base, "productItems": items.collect::<Vec<_>>() })
    }

    fn is_visible(&self, order: &Order) -> bool {
        let delay = self.config.settings.order_visible_after_ms;
        later_ms(order.created_at, delay) <= self.now
    }

    fn order(&self, params: &Params) -> Result<&Order, Refused> {
        let id = params.required("orderId")?.parse().unwrap_or(0);
        let order = self.orders.get(&id).filter(|order| self.is_visible(order));
        order.ok_or_else(|| {
            let code = "ORDER_NOT_EXIST";
            Refused::Service(
                json!({ "success": "false", "errorCode": code, "errorMessage": "refused" }),
            )
        })
    }
}

fn item_json(order: &Order, line: &Line) -> Value {
    let sent = order
        .parcels
        .iter()
        .any(|parcel| parcel.items.iter().any(|(item, _)| *item == line.item_id));
    let status = match order.status {
        Cn1688Status::WaitBuyerReceive if !sent => Cn1688Status::WaitSellerSend,
        status => status,
    };
    let amount = line.price * i64::from(line.units);
    let mut item = json!({
        "productID": line.offer_id,
        "specId": line.spec_id,
        "quantity": line.units,
        "price": number(line.price),
        "itemAmount": number(amount),
        "status": status,
        "subItemID": rounded(line.item_id),
        "subItemIDString": line.item_id.to_string(),
    });
    if let Some(refund) = &order.refund {
        item["refund"] = json!(number(amount));
        item["refundStatus"] = json!("REFUND_SUCCESS");
        item["refundId"] = json!(refund.id);
    }
    item
}

/// What a reader by way of floating point makes of a number of 19 digits.
#[allow(clippy::cast_precision_loss, reason = "the loss is what is shown")]
fn rounded(id: u64) -> u64 {
    format!("{:.0}", id as f64).parse::<u64>().unwrap_or(id)
}

/// Yuan as a number.
fn number(fen: i64) -> f64 {
    yuan(fen).parse().unwrap_or(0.0)
}

/// No status stands for a parcel that comes back: it is one that was not signed for as it should.
fn logistics_status(parcel: &Parcel) -> &'static str {
    match (parcel.failed, parcel.signed) {
        (true, _) => "UNSIGN",
        (false, true) => "SIGN",
        (false, false) => "TRANSPORT",
    }
}

/// The site that a call means, one of two.
pub(super) fn check_site(params: &Params) -> Result<(), Refused> {
    match params.required("webSite")? {
        "1688" | "alibaba" => Ok(()),
        _ => Err(Refused::missing("webSite")),
    }
}

/// From one time to another, both of them included; all of time where neither is asked for.
fn span(params: &Params, from: &str, to: &str) -> Result<RangeInclusive<Timestamp>, Refused> {
    let from = params.get(from).map(time).transpose()?;
    let to = params.get(to).map(time).transpose()?;
    Ok(from.unwrap_or(Timestamp::MIN)..=to.unwrap_or(Timestamp::MAX))
}

/// `20180802211113000+0800`
fn time(text: &str) -> Result<Timestamp, Refused> {
    let read = || {
        let digits = text
            .strip_suffix("+0800")
            .filter(|digits| digits.len() == 17)?;
        let civil = DateTime::strptime("%Y%m%d%H%M%S", &digits[..14]).ok()?;
        Offset::constant(CHINA_HOURS).to_timestamp(civil).ok()
    };
    read().ok_or_else(|| Refused::Gateway("gw.ParamMissing", "a time is not one".to_owned()))
}

pub(super) fn china_time(at: Timestamp) -> String {
    let there = Offset::constant(CHINA_HOURS).to_datetime(at);
    format!("{}+0800", there.strftime("%Y%m%d%H%M%S%3f"))
}
