//! Orders: placed, paid, listed, read and tracked.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::gateway::Params;
use super::gateway::Refused;
use super::gateway::text;
use super::state::Order;
use super::state::State;
use super::state::amount;
use super::state::decimal;
use super::types::ReferenceShown;
use super::types::TradeStatus;
use crate::clock::later_ms;

/// 5,000 dollars and 0.30 dollars, in hundredths of a cent.
const DEAREST: i64 = 50_000_000;
const CHEAPEST: i64 = 3_000;

impl State {
    /// Places an order. A reference that was used before is taken like any other: nothing documents that it is not.
    pub(super) fn order_create(&mut self, params: &Params) -> Result<Value, Refused> {
        let reference = params.required("channel_refer_id")?.to_owned();
        let goods = params.json("product_list")?;
        let goods = goods.as_array().filter(|goods| !goods.is_empty());
        let goods = goods.ok_or_else(|| Refused::missing("product_list"))?;
        let logistics = params.json("logistics_detail")?;
        let address = &logistics["shipment_address"];
        for name in [
            "country",
            "country_code",
            "city",
            "address",
            "contact_person",
        ] {
            text(address, name)?;
        }
        let country = text(address, "country_code")?;
        if country == "UK" {
            return Err(Refused::new("10010", "logistics route not found"));
        }
        let from = logistics["dispatch_location"]
            .as_str()
            .unwrap_or("CN")
            .to_owned();
        let carrier = text(&logistics, "carrier_code")?.to_owned();
        let mut lines = Vec::new();
        let mut fee = 0;
        let mut company: Option<String> = None;
        for line in goods {
            let (line, line_fee, seller) = self.line(line, (&from, &carrier, country))?;
            if company.get_or_insert_with(|| seller.clone()) != &seller {
                return Err(Refused::invalid("product_list"));
            }
            lines.push(line);
            fee = line_fee;
        }
        let order = Order {
            trade_id: 234_193_410_001_000_001 + 2 * self.random.below(9_000_000_000),
            reference: reference.clone(),
            properties: params.get("properties").map_or(Value::Null, |_| {
                params.json("properties").unwrap_or(Value::Null)
            }),
            remark: params.get("remark").unwrap_or_default().to_owned(),
            status: TradeStatus::Unpay,
            created_at: self.now,
            modified_at: self.now,
            paid_at: None,
            lines,
            from,
            carrier,
            fee,
            address: address.clone(),
            parcels: Vec::new(),
        };
        if order.goods() > DEAREST {
            return Err(Refused::new("480006", "order amount exceeds limit"));
        }
        if order.goods() + order.fee < CHEAPEST {
            return Err(Refused::new("430013", "order amount too small"));
        }
        Ok(self.open(order))
    }

    fn open(&mut self, order: Order) -> Value {
        for (product, sku, units, _) in &order.lines {
            let product = self.products.get_mut(product);
            let skus = product
                .into_iter()
                .flat_map(|product| product.new.skus.iter_mut());
            for known in skus.filter(|known| known.sku_id == *sku) {
                if let Some(stock) = known.stock.get_mut(&order.from) {
                    *stock = stock.saturating_sub(*units);
                }
            }
            self.counters.units_bought += u64::from(*units);
        }
        let id = order.trade_id;
        let made = self
            .counters
            .orders_by_reference
            .entry(order.reference.clone());
        *made.or_default() += 1;
        self.counters.orders += 1;
        self.orders.insert(id, order);
        self.announce(id, TradeStatus::Unpay);
        json!({ "value": {
            "trade_id": id.to_string(),
            "pay_url": format!("https://biz.alibaba.example.invalid/ta/detail.htm?orderId={id}"),
        }})
    }

    /// A line of an order, checked against the catalogue; with the carrier's fee and the seller.
    #[allow(clippy::type_complexity, reason = "used once, in the function above")]
    fn line(
        &mut self,
        line: &Value,
        (from, carrier, country): (&str, &str, &str),
    ) -> Result<((u64, u64, u32, i64), i64, String), Refused> {
        let units = text(line, "quantity")?.parse::<u32>().ok();
        let units = units.filter(|units| *units > 0);
        let units = units.ok_or_else(|| Refused::invalid("quantity"))?;
        let wanted = text(line, "sku_id")?;
        let product = self.product(text(line, "product_id")?)?;
        if !product.online {
            return Err(Refused::new("130106", "product invalid"));
        }
        if product.new.not_to.iter().any(|to| to == country) {
            return Err(Refused::new("120019", "product restricted"));
        }
        let sku = product
            .new
            .skus
            .iter()
            .find(|sku| sku.sku_id.to_string() == wanted);
        let sku = sku.ok_or_else(|| Refused::new("10005", "SKU not found"))?;
        let tier = sku.tiers.iter().rfind(|(least, _)| *least <= units);
        let (_, price) = tier.ok_or_else(|| Refused::new("410006", "quantity below minimum"))?;
        let price = amount(price).ok_or_else(|| Refused::new("10007", "no SKU cost"))?;
        let Some(stock) = sku.stock.get(from) else {
            return Err(Refused::new("10012", "dispatch location invalid"));
        };
        let way = product
            .new
            .carriers
            .iter()
            .find(|way| way.code == carrier && way.from == from);
        let way = way.ok_or_else(|| Refused::new("4028", "order vendor code not match"))?;
        let fee = amount(&way.fee).unwrap_or(0);
        let line = (product.new.product_id, sku.sku_id, units, price);
        let seller = product.new.company.clone();
        if *stock < units {
            self.counters.refused_out_of_stock += 1;
            return Err(Refused::new("130703", "insufficient inventory"));
        }
        Ok((line, fee, seller))
    }

    /// A payment that fails is a good answer with another status.
    pub(super) fn order_pay(&mut self, params: &Params) -> Result<Value, Refused> {
        let request = params.json("param_order_pay_request")?;
        let names = [
            "payment_method",
            "user_ip",
            "user_agent",
            "accept_language",
            "screen_resolution",
        ];
        for name in names {
            text(&request, name)?;
        }
        if !request["is_pc"].is_boolean() || !request["isv_drop_shipper_registration_time"].is_u64()
        {
            return Err(Refused::invalid("param_order_pay_request"));
        }
        let ids = request["order_id_list"]
            .as_array()
            .filter(|ids| !ids.is_empty());
        let ids = ids.ok_or_else(|| Refused::missing("order_id_list"))?;
        let ids = ids
            .iter()
            .map(|id| id.as_str().and_then(|id| id.parse().ok()));
        let ids: Option<Vec<u64>> = ids.collect();
        let ids = ids.ok_or_else(|| Refused::invalid("order_id_list"))?;
        let unpaid = |id: &u64| {
            let order = self.orders.get(id);
            order.is_some_and(|order| order.status == TradeStatus::Unpay)
        };
        let failed = |code: &str| {
            json!({ "value": {
                "status": "PAY_FAILED",
                "reason_code": code,
                "reason_message": "made up for tests",
                "pay_url": "https://biz.alibaba.example.invalid/",
            }})
        };
        if !ids.iter().all(unpaid) {
            return Ok(failed("ORDER_STATUS_INVALID"));
        }
        if !self.config.settings.has_paid_before {
            return Ok(failed("NEVER_PAY_SUCCESS_IN_DROPSHIPER"));
        }
        if self.config.settings.pay_fails {
            return Ok(failed("CARD_DECLINED"));
        }
        for id in ids {
            self.counters.payments += 1;
            self.enter(id, TradeStatus::Undeliver);
        }
        Ok(json!({ "value": { "status": "PAY_SUCCESS" } }))
    }

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
        let since = match params.get("create_date_start") {
            Some(_) => {
                let filter = params.json("create_date_start")?;
                let ms = text(&filter, "date_timestamp")?.parse().ok();
                let at = ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
                at.ok_or_else(|| Refused::invalid("create_date_start"))?
            }
            None => Timestamp::MIN,
        };
        let status = params.get("status");
        let mut orders: Vec<&Order> = self
            .orders
            .values()
            .filter(|order| self.is_visible(order) && order.created_at >= since)
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
            "total_amount": money(order.goods() + order.fee),
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
            let code = if parcel.delivered_at.is_some() {
                "DELIVERED"
            } else {
                "IN_TRANSIT"
            };
            json!({
                "carrier": "FEDEX",
                "tracking_number": parcel.tracking_number,
                "current_event_code": code,
                "event_list": [{ "event_code": code, "event_time": "2026-11-02 12:00:00" }],
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

fn date(at: Timestamp) -> Value {
    json!({
        "format_date": at.strftime("%b. %d, %Y, %H:%M:%S UTC.").to_string(),
        "timestamp": at.as_millisecond().to_string(),
    })
}
