//! Products, and what an order of them would be.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::json;

use super::gateway::Params;
use super::gateway::Refused;
use super::state::Line;
use super::state::State;
use super::state::yuan;

/// What the carriage of an order costs, in fen.
pub(super) const CARRIAGE: i64 = 800;
/// Variants in one order.
const MOST_LINES: usize = 50;

/// Lines of an order with their seller, or the service's code for why they are none.
pub(super) type Checked = Result<(String, Vec<Line>), &'static str>;

impl State {
    pub(super) fn product_detail(&mut self, params: &Params) -> Result<Value, Refused> {
        let query = params.json("offerDetailParam")?;
        let offer = query["offerId"].as_u64();
        let offer = offer.ok_or_else(|| Refused::missing("offerDetailParam.offerId"))?;
        if query["country"].as_str().is_none() {
            return Err(Refused::missing("offerDetailParam.country"));
        }
        let Some(product) = self.products.get(&offer) else {
            return Ok(json!({ "result": {
                "success": false, "code": "500_001", "message": "made up for tests",
            }}));
        };
        let skus = product.new.skus.iter().map(|sku| {
            json!({
                "amountOnSale": sku.stock,
                "price": yuan(sku.price_fen),
                "skuId": sku.sku_id,
                "specId": sku.spec_id,
                "skuAttributes": [],
            })
        });
        let stock: u32 = product.new.skus.iter().map(|sku| sku.stock).sum();
        let mut detail = json!({
            "offerId": offer,
            "subject": "示例",
            "productSkuInfos": skus.collect::<Vec<_>>(),
            "productSaleInfo": { "amountOnSale": stock, "priceRangeList": [], "quoteType": 1 },
            "minOrderQuantity": product.new.min_order,
            "status": if product.published { "published" } else { "member expired" },
        });
        if product.new.names_seller {
            detail["sellerOpenId"] = json!(product.new.seller);
        }
        Ok(
            json!({ "result": { "success": true, "code": "200", "message": "成功", "result": detail } }),
        )
    }

    /// Sums are fen, cargo amounts yuan; errors are `errorCode` and `errorMsg` here.
    pub(super) fn preview(&mut self, params: &Params) -> Result<Value, Refused> {
        if let Some(flow) = params.get("flow") {
            check_flow(flow)?;
        }
        check_address(&params.json("addressParam")?)?;
        let cargo = params.json("cargoParamList")?;
        let (_, lines) = match self.lines(&cargo)? {
            Ok(checked) => checked,
            Err(code) => {
                let body = json!({ "success": false, "errorCode": code, "errorMsg": "refused" });
                return Err(Refused::Service(body));
            }
        };
        let modes = &self.config.settings.trade_modes;
        let mut parts: BTreeMap<u32, Vec<&Line>> = BTreeMap::new();
        for line in &lines {
            parts.entry(line.part).or_default().push(line);
        }
        let previews = parts.values().map(|lines| {
            let goods: i64 = lines
                .iter()
                .map(|line| line.price * i64::from(line.units))
                .sum();
            let cargo = lines.iter().map(|line| {
                // As numbers, which is how yuan lose their trailing zeros.
                let number = |fen: i64| yuan(fen).parse::<f64>().unwrap_or(0.0);
                json!({
                    "amount": number(line.price * i64::from(line.units)),
                    "finalUnitPrice": number(line.price),
                    "specId": line.spec_id,
                    "offerId": line.offer_id,
                })
            });
            json!({
                "tradeModeNameList": modes,
                "status": true,
                "sumPayment": goods + CARRIAGE,
                "sumCarriage": CARRIAGE,
                "sumPaymentNoCarriage": goods,
                "flowFlag": params.get("flow").unwrap_or("general"),
                "cargoList": cargo.collect::<Vec<_>>(),
            })
        });
        // The misspelling is the platform's.
        Ok(json!({ "orderPreviewResuslt": previews.collect::<Vec<_>>(), "success": true }))
    }

    /// The lines of an order, checked as the preview's page says.
    pub(super) fn lines(&mut self, cargo: &Value) -> Result<Checked, Refused> {
        let entries = cargo.as_array().filter(|entries| !entries.is_empty());
        let entries = entries.ok_or_else(|| Refused::missing("cargoParamList"))?;
        if entries.len() > MOST_LINES {
            return Ok(Err("500_002"));
        }
        let mut seller: Option<String> = None;
        let mut lines = Vec::new();
        for entry in entries {
            let offer = entry["offerId"].as_u64();
            let offer = offer.ok_or_else(|| Refused::missing("cargoParamList.offerId"))?;
            let units = entry["quantity"]
                .as_u64()
                .and_then(|units| u32::try_from(units).ok());
            let units = units.filter(|units| *units > 0);
            let units = units.ok_or_else(|| Refused::missing("cargoParamList.quantity"))?;
            let item_id = 3_657_499_272_179_000_001 + 2 * self.random.below(900_000_000_000);
            let Some(product) = self
                .products
                .get(&offer)
                .filter(|product| product.published)
            else {
                return Ok(Err("500_001"));
            };
            let Some(spec) = entry["specId"].as_str() else {
                return Ok(Err("500_002"));
            };
            let Some(sku) = product.new.skus.iter().find(|sku| sku.spec_id == spec) else {
                return Ok(Err("500_003"));
            };
            if seller.get_or_insert_with(|| product.new.seller.clone()) != &product.new.seller {
                return Ok(Err("500_002"));
            }
            if units < product.new.min_order {
                return Ok(Err("500_005"));
            }
            if sku.stock < units {
                return Ok(Err("500_004"));
            }
            if sku.price_fen == 0 {
                return Ok(Err("500_008"));
            }
            lines.push(Line {
                item_id,
                offer_id: offer,
                spec_id: spec.to_owned(),
                units,
                price: sku.price_fen,
                part: product.new.part,
            });
        }
        Ok(Ok((seller.unwrap_or_default(), lines)))
    }
}

/// The ways to order that the page lists. It does not say how another is refused.
const FLOWS: [&str; 7] = [
    "general",
    "fenxiao",
    "saleproxy",
    "paired",
    "repurchase",
    "boutiquefenxiao",
    "boutiquepifa",
];

/// A flow is one of the page's.
pub(super) fn check_flow(flow: &str) -> Result<(), Refused> {
    if FLOWS.contains(&flow) {
        Ok(())
    } else {
        Err(Refused::missing("flow"))
    }
}

/// An address is a saved one, one by a district's code, or one in words.
pub(super) fn check_address(address: &Value) -> Result<(), Refused> {
    if address["addressId"].is_u64() {
        return Ok(());
    }
    let words = ["fullName", "mobile", "provinceText", "cityText", "address"];
    for name in words {
        let by_code = address["districtCode"].is_string() && name.ends_with("Text");
        if address[name].as_str().is_none_or(str::is_empty) && !by_code {
            return Err(Refused::missing(name));
        }
    }
    Ok(())
}
