//! Customers' orders: the list of them, and their shipments.

use serde_json::Value;
use serde_json::json;

use super::SaleStatus;
use super::ShipmentView;
use super::detail::memo;
use super::detail::spoil;
use super::instant;
use super::sale::Order;
use super::sale::issue_status;
use super::wall;
use crate::actions::Spoiled;
use crate::aliexpress::catalogue::text_of;
use crate::aliexpress::envelope::GatewayError;
use crate::aliexpress::gateway::Params;
use crate::aliexpress::state::State;

/// A service of the shop: name, shown name, pattern, and what the pattern says.
type Service = (&'static str, &'static str, &'static str, fn(&str) -> bool);

const SERVICES: [Service; 4] = [
    (
        "CPAM",
        "China Post Registered Air Mail",
        "^[a-zA-Z]{2}[A-Za-z0-9]{9}[a-zA-Z]{2}$",
        |number| {
            let bytes = number.as_bytes();
            let ends = [
                &bytes[..bytes.len().min(2)],
                &bytes[bytes.len().max(2) - 2..],
            ];
            bytes.len() == 13 && ends.concat().iter().all(u8::is_ascii_alphabetic)
        },
    ),
    (
        "CAINIAO_STANDARD",
        "AliExpress Standard Shipping",
        "^[A-Za-z0-9]{4,40}$",
        |number| (4..=40).contains(&number.len()),
    ),
    // Its check knows better than the pattern that is shown.
    ("YANWEN_AM", "Special Line-YW", "^.*$", |number| {
        number.starts_with("UE")
    }),
    ("Other", "Seller's Shipping Method", "", |_| true),
];

/// What `-999` says, in AliExpress's own words ("Order Management Errors").
const ALREADY: &str = "该交易订单已填写发货通知,无需重复操作。";
const NOT_YET: &str = "该交易订单缺少履约信息,请联系客服处理。";
const BAD_NUMBER: &str = "该货运跟踪号未通过物流风控审核,请更换货运跟踪号后重试。";
const NOT_OURS: &str = "您填写的交易订单号有误或不属于当前账号,请修改后重试。";

pub(super) fn services() -> Value {
    let list = SERVICES.iter().enumerate().map(|(place, service)| {
        json!({
            "service_name": service.0,
            "display_name": service.1,
            "logistics_company": service.0,
            "tracking_no_regex": service.2,
            "recommend_order": place + 1,
            "min_process_day": 1,
            "max_process_day": 5,
        })
    });
    json!({
        // Filled although nothing is wrong, as in the samples.
        "error_desc": "System error",
        "result_success": true,
        "result_list": list.collect::<Vec<_>>(),
    })
}

fn bad_parameter() -> GatewayError {
    GatewayError::remote("isv.invalid-parameter", "Invalid parameter.")
}

pub(super) fn number(value: &Value) -> Result<u64, GatewayError> {
    text_of(value).parse().map_err(|_| bad_parameter())
}

impl State {
    pub(super) fn solution_order_get(&mut self, params: &Params) -> Result<Value, GatewayError> {
        let query = params.json("param0")?;
        let (page, size) = (
            number(&query["current_page"])?,
            number(&query["page_size"])?,
        );
        if page == 0 || !(1..=50).contains(&size) {
            return Err(bad_parameter());
        }
        let bound = |name: &str| match &query[name] {
            Value::Null => Ok(None),
            text => match text.as_str().and_then(instant) {
                Some(at) => Ok(Some(at)),
                None => Err(bad_parameter()),
            },
        };
        let modified = (bound("modified_date_start")?, bound("modified_date_end")?);
        let created = (bound("create_date_start")?, bound("create_date_end")?);
        let status = query["order_status"].as_str();
        // Times are compared as they are shown: whole seconds.
        let second = |at: jiff::Timestamp| instant(&wall(at)).unwrap_or(at);
        let within = |at: jiff::Timestamp, (from, until): (Option<jiff::Timestamp>, Option<_>)| {
            let at = second(at);
            from.is_none_or(|from| from <= at) && until.is_none_or(|until| at <= until)
        };
        let mut found: Vec<&Order> = self
            .seller
            .orders
            .values()
            .filter(|order| !order.vanished)
            .filter(|order| {
                within(order.modified_at, modified) && within(order.created_at, created)
            })
            .filter(|order| status.is_none_or(|status| json!(order.status) == status))
            .collect();
        found.sort_by_key(|order| (std::cmp::Reverse(order.created_at), order.order_id));
        let total = found.len() as u64;
        let skipped = usize::try_from((page - 1).saturating_mul(size)).unwrap_or(usize::MAX);
        let shown: Vec<u64> = found
            .into_iter()
            .skip(skipped)
            .take(usize::try_from(size).unwrap_or(50))
            .map(|order| order.order_id)
            .collect();
        let list: Vec<Value> = shown.iter().filter_map(|id| self.stub(*id)).collect();
        if self.seller.lists.moves_while_paged && page.saturating_mul(size) < total {
            self.move_while_paged(&shown, modified.1);
        }
        let mut result = json!({
            "success": self.loose_bool(true),
            "error_code": "1",
            "error_message": "1",
            "time_stamp": "1",
            "total_count": self.loose(total),
            "total_page": self.loose(total.div_ceil(size)),
            "current_page": page,
            "page_size": size,
        });
        if !list.is_empty() {
            result["target_list"] = json!(list);
        }
        Ok(json!({ "result": result }))
    }

    fn stub(&mut self, id: u64) -> Option<Value> {
        let shown_id = self.loose(id);
        let order = self.seller.shown(id)?;
        let products: Vec<Value> = order
            .lines
            .iter()
            .map(|line| {
                let mut product = json!({
                    "child_id": line.child_id,
                    "order_id": id,
                    "product_id": line.product_id,
                    "sku_code": line.sku_code,
                    "product_count": line.quantity,
                    "product_unit_price": money(&line.price),
                    "son_order_status": order.child_status(line),
                });
                if order.by_warehouse {
                    product["send_goods_operator"] = json!("WAREHOUSE_SEND_GOODS");
                }
                if line.refunds.iter().any(|refund| refund.disputed) {
                    product["issue_status"] = json!(issue_status(line.refunds.iter()));
                }
                if order.spoiled.contains(&Spoiled::Character) {
                    product["memo"] = json!(memo());
                }
                product
            })
            .collect();
        let mut stub = json!({
            "order_id": shown_id,
            "order_status": order.status,
            "gmt_create": wall(order.created_at),
            "gmt_update": wall(order.modified_at),
            "pay_amount": money(&order.total()),
            "product_list": products,
        });
        if let Some(reason) = order.listed_end {
            stub["end_reason"] = json!(reason);
        }
        spoil(order, &mut stub);
        Some(stub)
    }

    pub(super) fn solution_fulfill(&mut self, params: &Params) -> Result<Value, GatewayError> {
        let mut given = Vec::new();
        for name in ["service_name", "out_ref", "send_type", "logistics_no"] {
            given.push(params.get(name).ok_or_else(bad_parameter)?.to_owned());
        }
        let [service_name, out_ref, send_type, logistics_no] =
            <[String; 4]>::try_from(given).map_err(|_| bad_parameter())?;
        let long = params
            .get("description")
            .is_some_and(|text| text.len() > 512);
        if long || !["all", "part"].contains(&send_type.as_str()) {
            return Err(bad_parameter());
        }
        let service = SERVICES.iter().find(|service| service.0 == service_name);
        let Some(service) = service else {
            return Err(bad_parameter());
        };
        if service.0 == "Other" && params.get("tracking_website").is_none() {
            return Err(bad_parameter());
        }
        let now = self.now;
        let id = out_ref.parse().unwrap_or(0);
        let order = self.seller.orders.get_mut(&id);
        let Some(order) = order.filter(|order| !order.vanished) else {
            return Ok(refused(NOT_OURS));
        };
        match order.status {
            SaleStatus::WaitSellerSendGoods
            | SaleStatus::SellerPartSendGoods
            | SaleStatus::InCancel => {}
            SaleStatus::WaitBuyerAcceptGoods | SaleStatus::Finish => return Ok(refused(ALREADY)),
            SaleStatus::PlaceOrderSuccess | SaleStatus::RiskControl => return Ok(refused(NOT_YET)),
        }
        if !(service.3)(&logistics_no) {
            return Ok(refused(BAD_NUMBER));
        }
        order.all_sent = send_type == "all";
        order.status = if order.all_sent {
            SaleStatus::WaitBuyerAcceptGoods
        } else {
            SaleStatus::SellerPartSendGoods
        };
        order.modified_at = now;
        let counted = format!("{id}/{logistics_no}");
        order.shipments.push(ShipmentView {
            logistics_no,
            service_name,
            send_type,
            by_hand: false,
            at: now,
        });
        *self.counters.shipments.entry(counted).or_default() += 1;
        Ok(json!({ "result": { "result_success": self.loose_bool(true) } }))
    }

    pub(super) fn merchant_profile(&mut self) -> Value {
        json!({
            "country_code": "ES",
            "product_posting_forbidden": self.loose_bool(false),
            "merchant_login_id": "es_simulated",
            "shop_id": 1_234_321,
            "shop_name": "Simulated shop",
            "shop_type": "official",
            "shop_url": "//www.aliexpress.example.invalid/store/1234321",
        })
    }
}

fn refused(text: &str) -> Value {
    json!({ "result": { "result_success": false, "error_code": "-999", "error_desc": text } })
}

pub(super) fn money(money: &crate::money::Money) -> Value {
    json!({ "amount": money.decimal(), "currency_code": money.currency })
}
