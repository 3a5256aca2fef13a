//! Products, what lies where of them, and how they are sent.

use serde_json::Value;
use serde_json::json;

use super::gateway::Params;
use super::gateway::Refused;
use super::gateway::text;
use super::state::Product;
use super::state::State;

/// Product calls wrap their data once more.
fn result(data: &Value) -> Value {
    json!({ "result": { "result_msg": "request success", "result_code": "200", "result_data": data } })
}

impl State {
    pub(super) fn product_check(&mut self, params: &Params) -> Result<Value, Refused> {
        let query = params.json("query_req")?;
        text(&query, "scene_id")?;
        let number = |name: &str| query[name].as_u64().and_then(|n| usize::try_from(n).ok());
        let (index, size) = (number("index").unwrap_or(0), number("size").unwrap_or(20));
        let online = self.products.values().filter(|product| product.online);
        let ids: Vec<u64> = online.map(|product| product.new.product_id).collect();
        let page: Vec<_> = ids.iter().skip(index * size).take(size).collect();
        let mut answer = result(&json!(page));
        answer["result"]["result_total"] = json!(ids.len().to_string());
        Ok(answer)
    }

    pub(super) fn description(&mut self, params: &Params) -> Result<Value, Refused> {
        let query = params.json("query_req")?;
        let country = text(&query, "country")?;
        if country == "UK" {
            return Err(Refused::invalid("country"));
        }
        let product = self.product(text(&query, "product_id")?)?;
        let skus: Vec<Value> = product
            .new
            .skus
            .iter()
            .map(|sku| {
                let tiers = sku.tiers.iter().map(|(from, price)| {
                    json!({ "min_quantity": from.to_string(), "price": price, "currency": "USD" })
                });
                json!({
                    "sku_id": sku.sku_id.to_string(),
                    "product_id": product.new.product_id.to_string(),
                    "status": "NORMAL",
                    "unit": "Piece",
                    "ladder_price": tiers.collect::<Vec<_>>(),
                })
            })
            .collect();
        Ok(result(&json!({
            "product_id": product.new.product_id.to_string(),
            "title": format!("Product {}", product.new.product_id),
            "eCompanyId": product.new.company,
            "currency": "USD",
            "status": if product.online { "PRODUCT_ONLINE" } else { "PRODUCT_OFFLINE" },
            "skus": skus,
        })))
    }

    pub(super) fn inventory(&mut self, params: &Params) -> Result<Value, Refused> {
        let query = params.json("inv_req")?;
        let product = self.product(text(&query, "product_id")?)?;
        let (only_sku, only_from) = (query["sku_id"].as_str(), query["shipping_from"].as_str());
        let mut places: Vec<&String> = product
            .new
            .skus
            .iter()
            .flat_map(|sku| sku.stock.keys())
            .filter(|place| only_from.is_none_or(|only| only == place.as_str()))
            .collect();
        places.sort();
        places.dedup();
        let shelf = |place: &&String| {
            let skus = product.new.skus.iter();
            let skus =
                skus.filter(|sku| only_sku.is_none_or(|only| only == sku.sku_id.to_string()));
            let lying = skus.filter_map(|sku| {
                let count = sku.stock.get(*place)?;
                Some(json!({
                    "product_id": product.new.product_id.to_string(),
                    "sku_id": sku.sku_id.to_string(),
                    "inventory_count": count.to_string(),
                    "inventory_unit": "Piece",
                }))
            });
            json!({ "shipping_from": place, "inventory_list": lying.collect::<Vec<_>>() })
        };
        Ok(result(&json!(places.iter().map(shelf).collect::<Vec<_>>())))
    }

    /// An estimate for browsing. Its carriers are not those of orders.
    pub(super) fn basic_freight(&mut self, params: &Params) -> Result<Value, Refused> {
        params.required("quantity")?;
        let to = params.required("destination_country")?;
        let from = params.get("dispatch_location").unwrap_or("CN");
        let product = self.product(params.required("product_id")?)?;
        let ways = ways(product, from, to, "BROWSING_");
        Ok(json!({ "value": ways }))
    }

    pub(super) fn freight(&mut self, params: &Params) -> Result<Value, Refused> {
        let company = params.required("e_company_id")?;
        let to = params.required("destination_country")?;
        let from = params.get("dispatch_location").unwrap_or("CN");
        // The page asks for no address; one that is given is of the country.
        if params.get("address").is_some() {
            let address = params.json("address")?;
            if address["country"]["code"].as_str() != Some(to) {
                return Err(Refused::invalid("address"));
            }
        }
        let goods = params.json("logistics_product_list")?;
        let goods = goods.as_array().filter(|goods| !goods.is_empty());
        let goods = goods.ok_or_else(|| Refused::missing("logistics_product_list"))?;
        let mut common: Option<Vec<Value>> = None;
        for line in goods {
            let units = text(line, "quantity")?.parse::<u32>();
            units.map_err(|_| Refused::invalid("quantity"))?;
            let product = self.product(text(line, "product_id")?)?;
            if product.new.company != company {
                return Err(Refused::invalid("e_company_id"));
            }
            let sku = text(line, "sku_id")?;
            if !product
                .new
                .skus
                .iter()
                .any(|known| known.sku_id.to_string() == sku)
            {
                return Err(Refused::new("10005", "SKU not found"));
            }
            if product.new.not_to.iter().any(|country| country == to) {
                return Err(Refused::new("4015", "cannot ship to this country"));
            }
            let here = ways(product, from, to, "");
            common = Some(match common {
                None => here,
                Some(before) => before
                    .into_iter()
                    .filter(|way| here.contains(way))
                    .collect(),
            });
        }
        Ok(json!({ "value": common.unwrap_or_default() }))
    }

    /// A product by its id as text.
    pub(super) fn product(&self, id: &str) -> Result<&Product, Refused> {
        let id: Option<u64> = id.parse().ok();
        let product = id.and_then(|id| self.products.get(&id));
        product.ok_or_else(|| Refused::new("130106", "product invalid"))
    }
}

fn ways(product: &Product, from: &str, to: &str, prefix: &str) -> Vec<Value> {
    if product.new.not_to.iter().any(|country| country == to) {
        return Vec::new();
    }
    let carriers = product
        .new
        .carriers
        .iter()
        .filter(|carrier| carrier.from == from);
    carriers
        .map(|carrier| {
            json!({
                "vendor_code": format!("{prefix}{}", carrier.code),
                "vendor_name": carrier.code,
                "shipping_type": "EXPRESS",
                "trade_term": "DAP",
                "dispatch_country": from,
                "destination_country": to,
                "delivery_time": carrier.days,
                "solution_biz_type": "distributionWaybill",
                "fee": { "amount": carrier.fee, "currency": "USD" },
            })
        })
        .collect()
}
