//! aliexpress.ds.order.create: the one call that spends money.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use super::address;
use super::catalogue::text_of;
use super::envelope::GatewayError;
use super::gateway::Params;
use super::pushes::Event;
use super::state::Line;
use super::state::Order;
use super::state::State;
use super::state::part_of;
use super::types::OrderStatus;
use crate::clock::later;
use crate::money::Money;

const REQUEST: &str = "param_place_order_request4_open_api_d_t_o";

/// Why the business code refuses a purchase: `error_code` and `error_msg`, with HTTP 200.
type Refusal = (&'static str, String);

impl State {
    pub(super) fn order_create(&mut self, params: &Params) -> Result<Value, GatewayError> {
        let request = params.json(REQUEST)?;
        let extend = match params.get("ds_extend_request") {
            Some(_) => params.json("ds_extend_request")?,
            None => json!({}),
        };
        let Some(items) = list_of(&request["product_items"]).filter(|items| !items.is_empty())
        else {
            return Err(GatewayError::missing("product_items"));
        };
        if !request["logistics_address"].is_object() {
            return Err(GatewayError::missing("logistics_address"));
        }
        let reference = Some(text_of(&request["out_order_id"])).filter(|text| !text.is_empty());
        if let Some(answer) = self.repeated(reference.as_deref()) {
            return Ok(answer);
        }
        match self.buy(&request, &extend, items, reference) {
            Ok(answer) => Ok(answer),
            Err((code, message)) => Ok(json!({ "result": {
                "is_success": self.loose_bool(false),
                "error_code": code,
                "error_msg": message,
            }})),
        }
    }

    /// The answer to a reference that bought something within the window. After it, the same reference buys again.
    fn repeated(&mut self, reference: Option<&str>) -> Option<Value> {
        let (bought_at, ids) = self.purchases.get(reference?)?;
        let window = Duration::from_secs(self.config.settings.repeat_window_s);
        if later(*bought_at, window) <= self.now {
            return None;
        }
        let ids = ids.clone();
        self.counters.repeats_recognised += 1;
        if self.config.settings.repeat_answers_first_ids {
            return Some(self.success(&ids, None));
        }
        Some(json!({ "result": {
            "is_success": self.loose_bool(false),
            "error_code": "REPEATED_ORDER_ERROR",
            "error_msg": "the order is repeated",
        }}))
    }

    fn buy(
        &mut self,
        request: &Value,
        extend: &Value,
        items: &[Value],
        reference: Option<String>,
    ) -> Result<Value, Refusal> {
        if self.terms.account_blocked {
            let message = "The user account is disabled";
            return Err(("USER_ACCOUNT_DISABLED", message.to_owned()));
        }
        let address = &request["logistics_address"];
        let extra = &extend["trade_extra_param"];
        if let Some(message) = address::complaint(address, extra) {
            let code = "B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL";
            return Err((code, message.to_owned()));
        }
        let country = text_of(&address["country"]);
        let mut stores: BTreeMap<u64, Vec<Line>> = BTreeMap::new();
        for item in items {
            let (store_id, line) = self.line(item, &country)?;
            stores.entry(store_id).or_default().push(line);
        }
        let pay_currency = text_of(&extend["payment"]["pay_currency"]);
        check_currencies(&stores, &pay_currency)?;
        if std::mem::take(&mut self.terms.refuses_next) {
            return Err(cannot_be_placed());
        }
        self.take_stock(stores.values().flatten())?;
        self.purchase_count += 1;
        let ids: Vec<u64> = stores
            .into_iter()
            .map(|(store_id, lines)| self.open(store_id, lines, reference.as_deref(), address))
            .collect();
        match reference {
            Some(reference) => {
                let made = self
                    .counters
                    .purchases_by_out_order_id
                    .entry(reference.clone());
                *made.or_default() += 1;
                self.purchases.insert(reference, (self.now, ids.clone()));
            }
            None => self.counters.purchases_without_reference += 1,
        }
        let try_to_pay = extend["payment"]["try_to_pay"].as_bool().unwrap_or(false)
            || extend["payment"]["try_to_pay"] == "true";
        let message = self.pay_at_once(&ids, try_to_pay);
        Ok(self.success(&ids, message))
    }

    /// `try_to_pay` works for listed application keys; for the others it is ignored.
    fn pay_at_once(&mut self, ids: &[u64], try_to_pay: bool) -> Option<&'static str> {
        if !try_to_pay || !self.config.settings.auto_pay_listed {
            return None;
        }
        if self.config.settings.auto_pay_fails {
            for id in ids {
                self.announce(*id, Event::PaymentFailed, self.now);
            }
            return Some("OrderCreated, autoPay fail:APIPayFail");
        }
        for id in ids {
            self.pay(*id, self.now);
        }
        None
    }

    /// One line of the request, checked against the catalogue.
    fn line(&mut self, item: &Value, country: &str) -> Result<(u64, Line), Refusal> {
        let gone = cannot_be_placed;
        let product_id: u64 = text_of(&item["product_id"]).parse().map_err(|_| gone())?;
        let quantity: u32 = text_of(&item["product_count"])
            .parse()
            .map_err(|_| gone())?;
        let product = self
            .products
            .get(&product_id)
            .filter(|one| one.on_sale)
            .ok_or_else(gone)?;
        if !product.takes_orders {
            let message = "The purchase limit of this product is reached";
            return Err(("BUY_LIMIT_RESOURCE_INSUFFICIENT", message.to_owned()));
        }
        let wanted = attr_ids(&text_of(&item["sku_attr"]));
        let mut skus = product.skus.iter();
        let sku = skus
            .find(|sku| attr_ids(&sku.new.sku_attr) == wanted)
            .ok_or_else(gone)?;
        if quantity == 0 {
            return Err(gone());
        }
        let no_delivery = || {
            (
                "DELIVERY_METHOD_NOT_EXIST",
                "The delivery method does not exist".to_owned(),
            )
        };
        let service = text_of(&item["logistics_service_name"]);
        let mut options = product.delivery.iter();
        let delivery = if service.is_empty() {
            options.min_by_key(|option| option.fee_cents)
        } else {
            options.find(|option| option.code == service)
        };
        let delivery = delivery
            .filter(|_| !product.not_to.iter().any(|one| one == country))
            .ok_or_else(no_delivery)?;
        let price = &sku.new.price;
        let told = price.times(quantity).cents + delivery.fee_cents;
        let line = Line {
            tax_cents: self.terms.tax(price).times(quantity).cents,
            taxed_on_top: self.terms.tax_percent > 0,
            more_cents: part_of(told, self.terms.more_percent),
            product_id,
            title: product.title.clone(),
            sku_id: sku.new.sku_id,
            sku_attr: sku.new.sku_attr.clone(),
            quantity,
            price: price.clone(),
            delivery: delivery.clone(),
        };
        Ok((product.store_id, line))
    }

    /// Takes all lines or none.
    fn take_stock<'a>(&mut self, lines: impl Iterator<Item = &'a Line>) -> Result<(), Refusal> {
        let mut wanted: BTreeMap<(u64, u64), u32> = BTreeMap::new();
        for line in lines {
            let units = wanted.entry((line.product_id, line.sku_id)).or_default();
            *units = units.saturating_add(line.quantity);
        }
        let is_short = |((product_id, sku_id), units): (&(u64, u64), &u32)| {
            self.sku(*product_id, *sku_id)
                .is_none_or(|sku| sku.new.stock < *units)
        };
        let short = wanted.iter().filter(|&entry| is_short(entry)).count();
        if short > 0 {
            self.counters.refused_out_of_stock += u64::try_from(short).unwrap_or(0);
            return Err(("INVENTORY_HOLD_ERROR", "inventory hold error".to_owned()));
        }
        for ((product_id, sku_id), units) in wanted {
            if let Some(sku) = self.sku_mut(product_id, sku_id) {
                sku.new.stock -= units;
                sku.sold += u64::from(units);
            }
            self.counters.units_bought += u64::from(units);
        }
        Ok(())
    }

    fn open(
        &mut self,
        store_id: u64,
        lines: Vec<Line>,
        reference: Option<&str>,
        address: &Value,
    ) -> u64 {
        let order_id = self.new_order_id();
        let order = Order {
            order_id,
            out_order_id: reference.map(str::to_owned),
            purchase: self.purchase_count,
            store_id,
            status: OrderStatus::PlaceOrderSuccess,
            end_reason: None,
            created_at: self.now,
            paid_at: None,
            lines,
            import_cents: self.terms.import_cents,
            address: address.clone(),
            parcels: Vec::new(),
        };
        self.orders.insert(order_id, order);
        self.open.insert(order_id);
        self.counters.orders += 1;
        self.announce(order_id, Event::Created, self.now);
        order_id
    }

    /// 16 digits, and for one order in three 17 of them, which no double holds exactly.
    fn new_order_id(&mut self) -> u64 {
        loop {
            let id = if self.random.one_in(3) {
                30_000_000_000_000_001 + 2 * self.random.below(30_000_000_000_000_000)
            } else {
                8_100_000_000_000_000 + self.random.below(900_000_000_000_000)
            };
            if !self.orders.contains_key(&id) {
                return id;
            }
        }
    }

    fn success(&mut self, ids: &[u64], message: Option<&str>) -> Value {
        let mut result = json!({ "is_success": self.loose_bool(true), "order_list": ids });
        if let Some(message) = message {
            result["error_msg"] = json!(message);
        }
        json!({ "result": result })
    }
}

fn cannot_be_placed() -> Refusal {
    let message = "The product cannot be bought";
    ("A001_ORDER_CANNOT_BE_PLACED", message.to_owned())
}

fn check_currencies(stores: &BTreeMap<u64, Vec<Line>>, wanted: &str) -> Result<(), Refusal> {
    let mut currencies: Vec<&str> = stores
        .values()
        .flatten()
        .map(|line| line.price.currency.as_str())
        .collect();
    currencies.dedup();
    let all_one = currencies.len() == 1 && (wanted.is_empty() || wanted == currencies[0]);
    if all_one {
        Ok(())
    } else {
        let message = "the pay currency of the products is not the same";
        Err(("PRICE_PAY_CURRENCY_ERROR", message.to_owned()))
    }
}

/// The ids of an attribute text without the names behind `#`, which may be left out or changed.
fn attr_ids(text: &str) -> String {
    let ids = text
        .split(';')
        .map(|part| part.split('#').next().unwrap_or_default());
    ids.collect::<Vec<_>>().join(";")
}

/// A list, bare or in its one-key wrapper.
fn list_of(value: &Value) -> Option<&Vec<Value>> {
    match value {
        Value::Array(items) => Some(items),
        Value::Object(fields) => fields.values().next()?.as_array(),
        _ => None,
    }
}

/// The amount object of the order pages.
pub(super) fn amount(money: &Money) -> Value {
    json!({ "amount": money.decimal(), "currency_code": money.currency })
}
