//! Orders: placed and paid.

use std::str::FromStr;

use serde_json::Value;
use serde_json::json;

use super::gateway::Params;
use super::gateway::Refused;
use super::gateway::text;
use super::state::Order;
use super::state::State;
use super::state::amount;
use super::types::TradeStatus;

/// 5,000 dollars and 0.30 dollars, in hundredths of a cent.
const DEAREST: i64 = 50_000_000;
const CHEAPEST: i64 = 3_000;
/// Orders of one payment.
const MOST_PAID_AT_ONCE: usize = 10;

impl State {
    /// Places an order. A reference that was used before is taken like any other: nothing documents that it is not.
    pub(super) fn order_create(&mut self, params: &Params) -> Result<Value, Refused> {
        let reference = params.required("channel_refer_id")?.to_owned();
        let goods = params.json("product_list")?;
        let goods = goods.as_array().filter(|goods| !goods.is_empty());
        let goods = goods.ok_or_else(|| Refused::missing("product_list"))?;
        let logistics = params.json("logistics_detail")?;
        let address = &logistics["shipment_address"];
        let country = country_of(address)?;
        let from = logistics["dispatch_location"]
            .as_str()
            .unwrap_or("CN")
            .to_owned();
        let carrier = text(&logistics, "carrier_code")?.to_owned();
        // Which code refuses the order of a blocked account is not documented; this is the one of a buyer who may not buy
        // here.
        if self.supply.is_blocked {
            return Err(Refused::new("110001", "unauthorized buyer"));
        }
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
        let mut order = Order {
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
            vat: 0,
            duty: 0,
            adjusted: 0,
            paid: None,
            refunded: 0,
            address: address.clone(),
            parcels: Vec::new(),
        };
        if order.goods() > DEAREST {
            return Err(Refused::new("480006", "order amount exceeds limit"));
        }
        if order.goods() + order.fee < CHEAPEST {
            return Err(Refused::new("430013", "order amount too small"));
        }
        // A fault in the seller's own freight, which nothing else here leads to.
        if self.supply.take_refusal() {
            return Err(Refused::new("4016", "freight template service error"));
        }
        self.surcharge(&mut order);
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
        check_payer(&request)?;
        let ids = request["order_id_list"]
            .as_array()
            .filter(|ids| !ids.is_empty());
        let ids = ids.ok_or_else(|| Refused::missing("order_id_list"))?;
        if ids.len() > MOST_PAID_AT_ONCE {
            return Err(Refused::invalid("order_id_list"));
        }
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
}

/// The country of an address that has what an address needs.
fn country_of(address: &Value) -> Result<&str, Refused> {
    for name in [
        "country",
        "country_code",
        "city",
        "address",
        "contact_person",
    ] {
        text(address, name)?;
    }
    match text(address, "country_code")? {
        "UK" => Err(Refused::new("10010", "logistics route not found")),
        country => Ok(country),
    }
}

/// What a payment tells of who pays, and how.
fn check_payer(request: &Value) -> Result<(), Refused> {
    let names = [
        "payment_method",
        "user_ip",
        "user_agent",
        "accept_language",
        "screen_resolution",
    ];
    for name in names {
        text(request, name)?;
    }
    // The platform's own sample sends both as texts.
    let is_flag = |value: &Value| value.is_boolean() || is_text_of::<bool>(value);
    let is_time = |value: &Value| value.is_u64() || is_text_of::<u64>(value);
    if !is_flag(&request["is_pc"]) || !is_time(&request["isv_drop_shipper_registration_time"]) {
        return Err(Refused::invalid("param_order_pay_request"));
    }
    if !["CREDIT_CARD", "PAYPAL"].contains(&text(request, "payment_method")?) {
        return Err(Refused::invalid("payment_method"));
    }
    Ok(())
}

/// Whether a value is a text that holds such a thing.
fn is_text_of<T: FromStr>(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.parse::<T>().is_ok())
}
