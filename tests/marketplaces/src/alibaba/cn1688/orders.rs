//! Orders: placed, split, paid, cancelled.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use super::catalogue::CARRIAGE;
use super::catalogue::check_address;
use super::catalogue::check_flow;
use super::gateway::Params;
use super::gateway::Refused;
use super::reading::check_site;
use super::state::Line;
use super::state::Order;
use super::state::State;
use super::state::goods;
use super::types::Cn1688Status;
use crate::actions::Party;
use crate::clock::later;

/// Nothing can be cancelled before.
const CANCELLED_AFTER: Duration = Duration::from_secs(10);

impl State {
    /// Places an order, or several where products do not go together. A reference that was used before is taken like any
    /// other: nothing documents that it is not. Errors are `code` and `message` here.
    pub(super) fn create_order(&mut self, params: &Params, cross: bool) -> Result<Value, Refused> {
        check_flow(params.required("flow")?)?;
        let address = params.json("addressParam")?;
        if address["addressId"].as_u64() == Some(0) {
            let body = json!({ "success": false, "code": "400", "message": "AddressId invalid:AddressId invalid" });
            return Err(Refused::Service(body));
        }
        check_address(&address)?;
        let modes = &self.config.settings.trade_modes;
        let trade_type = match params.get("tradeType") {
            Some(mode) if cross && !modes.iter().any(|known| known == mode) => {
                return Err(refused(&format!("not support tradeType:【{mode}】")));
            }
            Some(mode) => mode.to_owned(),
            None => modes.first().cloned().unwrap_or_default(),
        };
        let cargo = params.json("cargoParamList")?;
        let (seller, lines) = self.lines(&cargo)?.map_err(refused)?;
        self.check_order(&lines).map_err(refused)?;
        let reference = params.get("outOrderId").map(str::to_owned);
        if let Some(reference) = &reference {
            let made = self
                .counters
                .purchases_by_out_order_id
                .entry(reference.clone());
            *made.or_default() += 1;
        }
        self.purchases += 1;
        let mut parts: BTreeMap<u32, Vec<Line>> = BTreeMap::new();
        for line in lines {
            parts.entry(line.part).or_default().push(line);
        }
        let mut made = Vec::new();
        for lines in parts.into_values() {
            let goods = goods(&lines);
            let order = Order {
                // Beyond 2^53, and odd, so that no double holds it.
                order_id: 2_958_424_554_509_000_001 + 2 * self.random.below(900_000_000_000),
                reference: reference.clone(),
                purchase: self.purchases,
                seller: seller.clone(),
                status: Cn1688Status::WaitBuyerPay,
                created_at: self.now,
                modified_at: self.now,
                lines,
                carriage: CARRIAGE,
                told: goods + CARRIAGE,
                paid: None,
                closed: None,
                refund: None,
                trade_type: trade_type.clone(),
                message: params.get("message").unwrap_or_default().to_owned(),
                address: address.clone(),
                parcels: Vec::new(),
            };
            made.push((order.order_id, order.told));
            self.open(order);
        }
        Ok(self.created(&made))
    }

    /// What stands against an order whose lines are right, as the service's code.
    fn check_order(&mut self, lines: &[Line]) -> Result<(), &'static str> {
        // Which code refuses the order of a frozen account is not documented; this is the one of payments.
        if self.supply.is_blocked {
            return Err("ACCOUNT_FROZEN");
        }
        let mut wanted: BTreeMap<(u64, &str), u32> = BTreeMap::new();
        for line in lines {
            *wanted.entry((line.offer_id, &line.spec_id)).or_default() += line.units;
        }
        let is_short = |((offer, spec), units): (&(u64, &str), &u32)| {
            let product = self.products.get(offer);
            let mut skus = product.into_iter().flat_map(|product| &product.new.skus);
            skus.any(|sku| sku.spec_id == *spec && sku.stock < *units)
        };
        if wanted.iter().any(is_short) {
            return Err("500_004");
        }
        // Fewer than a mixed order has to have, which nothing else here leads to.
        if self.supply.take_refusal() {
            return Err("500_006");
        }
        Ok(())
    }

    /// The answer to an order, with what each one is to cost when it is placed.
    fn created(&self, made: &[(u64, i64)]) -> Value {
        let success = !self.config.settings.odd_success_flag;
        let result = match made {
            [(id, told)] => json!({
                "success": success,
                "orderId": id.to_string(),
                "totalSuccessAmount": told,
                "postFee": CARRIAGE,
            }),
            many => {
                let orders = many.iter().map(|(id, told)| {
                    json!({ "orderId": id.to_string(), "orderAmmount": told, "postFee": CARRIAGE })
                });
                json!({ "success": success, "orderList": orders.collect::<Vec<_>>() })
            }
        };
        json!({ "result": result, "success": success })
    }

    fn open(&mut self, order: Order) {
        for line in &order.lines {
            let product = self.products.get_mut(&line.offer_id);
            let skus = product
                .into_iter()
                .flat_map(|product| product.new.skus.iter_mut());
            for sku in skus.filter(|sku| sku.spec_id == line.spec_id) {
                sku.stock = sku.stock.saturating_sub(line.units);
            }
            self.counters.units_bought += u64::from(line.units);
        }
        self.counters.orders += 1;
        let id = order.order_id;
        self.orders.insert(id, order);
        self.enter(id, Cn1688Status::WaitBuyerPay);
        self.charge_more(id);
    }

    pub(super) fn prepare_pay(&mut self, params: &Params) -> Result<Value, Refused> {
        let request = params.json("tradeWithholdPreparePayParam")?;
        let id = request["orderId"].as_u64();
        let id = id.ok_or_else(|| Refused::missing("tradeWithholdPreparePayParam.orderId"))?;
        let status = self.orders.get(&id).map(|order| order.status);
        let refused = |code: &str| json!({ "result": { "success": false, "code": code, "message": "refused" } });
        match status {
            None => Ok(refused("ORDER_NOT_EXIST")),
            Some(_) if self.supply.is_blocked => Ok(refused("ACCOUNT_FROZEN")),
            Some(Cn1688Status::WaitBuyerPay) if !self.config.settings.pays_pre_signed => {
                Ok(refused("ACCOUNT_NOT_EXIST"))
            }
            Some(Cn1688Status::WaitBuyerPay) => {
                self.counters.payments += 1;
                self.enter(id, Cn1688Status::WaitSellerSend);
                let channel = request["payChannel"].as_str().unwrap_or("alipay");
                Ok(json!({ "result": {
                    "success": true,
                    "result": { "payChannel": channel, "paySuccess": true },
                }}))
            }
            Some(_) => Ok(refused("ORDER_STATUS_ERROR")),
        }
    }

    pub(super) fn pay_url(&mut self, params: &Params) -> Result<Value, Refused> {
        let ids = params.json("orderIdList")?;
        let ids = ids.as_array().filter(|ids| (1..=100).contains(&ids.len()));
        let ids = ids.ok_or_else(|| Refused::missing("orderIdList"))?;
        let ids: Vec<String> = ids.iter().map(Value::to_string).collect();
        let url = format!(
            "https://trade.1688.example.invalid/cashier.htm?orderId={}",
            ids.join(";")
        );
        Ok(json!({ "payUrl": url, "success": true }))
    }

    pub(super) fn cancel(&mut self, params: &Params) -> Result<Value, Refused> {
        check_site(params)?;
        let reason = params.required("cancelReason")?;
        if !["buyerCancel", "sellerGoodsLack", "other"].contains(&reason) {
            return Err(Refused::missing("cancelReason"));
        }
        let id = params.required("tradeID")?.parse().unwrap_or(0);
        let order = self.orders.get(&id);
        let code = match order {
            None => Some("ORDER_NOT_EXIST"),
            Some(order) if order.status != Cn1688Status::WaitBuyerPay => Some("ORDER_STATUS_ERROR"),
            Some(order) if later(order.created_at, CANCELLED_AFTER) > self.now => {
                Some("CLOSE_ORDER_TOO_FAST")
            }
            Some(_) => None,
        };
        if let Some(code) = code {
            let body = json!({ "success": false, "errorCode": code, "errorMessage": "refused" });
            return Err(Refused::Service(body));
        }
        self.close_unpaid(id, Party::Buyer, reason);
        Ok(json!({ "success": true }))
    }
}

/// A service's refusal of an order.
fn refused(code: &str) -> Refused {
    let body = json!({
        "result": { "success": false, "code": code, "message": "refused" },
        "success": false, "code": code, "message": "refused",
    });
    Refused::Service(body)
}
