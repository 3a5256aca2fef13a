//! What a buyer reads: orders, parcels, and where they were.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde_json::Value;
use serde_json::json;

use super::gateway::Params;
use super::gateway::Refused;
use super::state::Line;
use super::state::Order;
use super::state::State;
use super::state::yuan;
use super::types::Cn1688Status;
use crate::clock::later_ms;

const CHINA_HOURS: i8 = 8;
const LARGEST_PAGE: usize = 50;

impl State {
    /// The buyer's orders, the newest first; pages count from 1.
    pub(super) fn order_list(&mut self, params: &Params) -> Result<Value, Refused> {
        let place = |number| usize::try_from(number).unwrap_or(usize::MAX);
        let page = place(params.number("page", 1)?);
        let size = place(params.number("pageSize", 20)?);
        if page == 0 || !(1..=LARGEST_PAGE).contains(&size) {
            return Err(Refused::missing("page"));
        }
        let since = params.get("createStartTime").map(time).transpose()?;
        let past = params.get("isHis") == Some("true");
        let wanted = params
            .get("outOrderId")
            .filter(|_| self.config.settings.searches_references);
        let mut orders: Vec<&Order> = self
            .orders
            .values()
            .filter(|order| self.is_visible(order) && !past)
            .filter(|order| since.is_none_or(|since| order.created_at >= since))
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
        params.required("webSite")?;
        let order = self.order(params)?;
        // The page types this flag as text.
        Ok(json!({ "result": self.order_json(order), "success": "true" }))
    }

    /// Before shipment this is an error that is none.
    pub(super) fn logistics(&mut self, params: &Params) -> Result<Value, Refused> {
        params.required("webSite")?;
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
                "status": if parcel.signed { "SIGN" } else { "TRANSPORT" },
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
        params.required("webSite")?;
        let order = self.order(params)?;
        if order.parcels.is_empty() {
            let body = json!({ "success": false, "errorCode": "404", "errorMessage": "no trace" });
            return Err(Refused::Service(body));
        }
        let steps = order.parcels.iter().map(|parcel| {
            json!({
                "logisticsId": parcel.logistics_id,
                "logisticsBillNo": parcel.number,
                "orderId": order.order_id,
                "logisticsSteps": [{ "acceptTime": "2026-11-02 21:55:33", "remark": "揽件扫描" }],
            })
        });
        Ok(json!({ "logisticsTrace": steps.collect::<Vec<_>>(), "success": true }))
    }

    fn order_json(&self, order: &Order) -> Value {
        // What a reader by way of floating point makes of a number of 19 digits.
        #[allow(clippy::cast_precision_loss, reason = "the loss is what is shown")]
        let rounded = |id: u64| format!("{:.0}", id as f64).parse::<u64>().unwrap_or(id);
        let number = |fen: i64| yuan(fen).parse::<f64>().unwrap_or(0.0);
        let item = |line: &Line| {
            let sent = order
                .parcels
                .iter()
                .any(|parcel| parcel.items.iter().any(|(item, _)| *item == line.item_id));
            let status = match order.status {
                Cn1688Status::WaitBuyerReceive if !sent => Cn1688Status::WaitSellerSend,
                status => status,
            };
            json!({
                "productID": line.offer_id,
                "specId": line.spec_id,
                "quantity": line.units,
                "price": number(line.price),
                "itemAmount": number(line.price * i64::from(line.units)),
                "status": status,
                "subItemID": rounded(line.item_id),
                "subItemIDString": line.item_id.to_string(),
            })
        };
        let mut base = json!({
            "id": rounded(order.order_id),
            "idOfStr": order.order_id.to_string(),
            "status": order.status,
            "totalAmount": number(order.goods() + order.carriage),
            "shippingFee": number(order.carriage),
            "createTime": china_time(order.created_at),
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
        json!({ "baseInfo": base, "productItems": order.lines.iter().map(item).collect::<Vec<_>>() })
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

fn china_time(at: Timestamp) -> String {
    let there = Offset::constant(CHINA_HOURS).to_datetime(at);
    format!("{}+0800", there.strftime("%Y%m%d%H%M%S%3f"))
}
