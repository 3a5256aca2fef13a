//! aliexpress.ds.product.get and aliexpress.ds.freight.query.

use serde_json::Value;
use serde_json::json;

use super::envelope::GatewayError;
use super::gateway::Params;
use super::state::Product;
use super::state::Sku;
use super::state::State;
use crate::money::Money;

impl State {
    pub(super) fn product_get(&mut self, params: &Params) -> Result<Value, GatewayError> {
        let id = params.required("product_id")?;
        let id: u64 = id
            .parse()
            .map_err(|_| GatewayError::invalid("product_id"))?;
        let country = params.required("ship_to_country")?;
        let Some(product) = self.products.remove(&id) else {
            return Ok(json!({ "rsp_code": self.loose(404), "rsp_msg": "ITEM_ID_NOT_FOUND" }));
        };
        let answer = if product.not_to.iter().any(|one| one == country) {
            let message = "Item is not allowed to this country";
            json!({ "rsp_code": self.loose(605), "rsp_msg": message })
        } else {
            json!({
                "result": self.product_json(&product, country),
                "rsp_code": self.loose(200),
                "rsp_msg": "Call succeeds",
            })
        };
        self.products.insert(id, product);
        Ok(answer)
    }

    fn product_json(&mut self, product: &Product, country: &str) -> Value {
        let skus: Vec<Value> = product.skus.iter().map(|sku| self.sku_json(sku)).collect();
        let status = if product.on_sale {
            "onSelling"
        } else {
            "offline"
        };
        json!({
            "ae_item_sku_info_dtos": skus,
            "ae_item_base_info_dto": {
                "product_id": self.loose(product.product_id),
                "subject": product.title,
                "product_status_type": status,
                "currency_code": product.skus.first().map_or("USD", |sku| &sku.new.price.currency),
                "category_id": 33902,
                "evaluation_count": "12",
                "avg_evaluation_rating": "4.8",
                "detail": "<div>Made up for tests</div>",
            },
            "ae_store_info": {
                "store_id": self.loose(product.store_id),
                "store_name": store_name(product.store_id),
                "store_country_code": "CN",
            },
            "logistics_info_dto": { "delivery_time": 7, "ship_to_country": country },
            "ae_multimedia_info_dto": { "image_urls": "https://images.example.invalid/1.jpg" },
            "package_info_dto": {
                "gross_weight": "0.300",
                "package_length": 20,
                "package_width": 15,
                "package_height": 10,
            },
            "ae_item_properties": [{ "attr_name": "Brand Name", "attr_value": "NoBrand" }],
            "has_whole_sale": false,
        })
    }

    fn sku_json(&mut self, sku: &Sku) -> Value {
        let new = &sku.new;
        let mut properties = Vec::new();
        for part in new.sku_attr.split(';').filter(|part| !part.is_empty()) {
            let (ids, text) = part.split_once('#').unwrap_or((part, ""));
            let (name_id, value_id) = ids.split_once(':').unwrap_or((ids, ""));
            properties.push(json!({
                "sku_property_id": name_id,
                "sku_property_name": "Variant",
                "property_value_id": value_id,
                "sku_property_value": text,
                "property_value_definition_name": text,
            }));
        }
        let mut shown = json!({
            "sku_id": new.sku_id.to_string(),
            "id": new.sku_attr,
            "sku_attr": new.sku_attr,
            "sku_price": new.price.decimal(),
            "offer_sale_price": new.price.decimal(),
            "currency_code": new.price.currency,
            "sku_available_stock": self.loose(u64::from(new.stock)),
            "price_include_tax": self.loose_bool(false),
            "sku_bulk_order": 10,
            "ae_sku_property_dtos": properties,
        });
        let (price, terms) = (&new.price, &self.terms);
        if terms.tax_percent > 0 {
            shown["tax_amount"] = json!(terms.tax(price).decimal());
            shown["tax_currency_code"] = json!(price.currency);
        }
        if terms.import_cents > 0 {
            let charges = Money::new(terms.import_cents, &*price.currency);
            shown["estimated_import_charges"] = json!(charges.decimal());
        }
        shown
    }

    pub(super) fn freight_query(&mut self, params: &Params) -> Result<Value, GatewayError> {
        let request = params.json("queryDeliveryReq")?;
        for name in [
            "quantity",
            "shipToCountry",
            "productId",
            "selectedSkuId",
            "language",
            "locale",
            "currency",
        ] {
            if text_of(&request[name]).is_empty() {
                return Err(GatewayError::missing(name));
            }
        }
        let number = |name: &'static str| -> Result<u64, GatewayError> {
            text_of(&request[name])
                .parse()
                .map_err(|_| GatewayError::invalid(name))
        };
        let (product_id, sku_id) = (number("productId")?, number("selectedSkuId")?);
        let quantity = number("quantity")?;
        let country = text_of(&request["shipToCountry"]);
        let Some(product) = self.products.remove(&product_id) else {
            return Ok(no_delivery("DELIVERY_INFO_EMPTY"));
        };
        let answer = match product.skus.iter().find(|sku| sku.new.sku_id == sku_id) {
            None => no_delivery("DELIVERY_INFO_EMPTY"),
            Some(sku)
                if product.not_to.contains(&country) || u64::from(sku.new.stock) < quantity =>
            {
                no_delivery("DELIVERY_NOT_AVAILABLE_TO_YOUR_ADDRESS")
            }
            Some(sku) => self.options_json(&product, sku),
        };
        self.products.insert(product_id, product);
        Ok(answer)
    }

    fn options_json(&mut self, product: &Product, sku: &Sku) -> Value {
        let currency = &sku.new.price.currency;
        let mut options = Vec::new();
        for option in &product.delivery {
            let fee = Money::new(option.fee_cents, &**currency);
            options.push(json!({
                "code": option.code,
                "company": option.company,
                "shipping_fee_cent": fee.decimal(),
                "shipping_fee_currency": currency,
                "shipping_fee_format": format!("{currency} {}", fee.decimal()),
                "free_shipping": self.loose_bool(option.fee_cents == 0),
                "min_delivery_days": self.loose(u64::from(option.min_days)),
                "max_delivery_days": self.loose(u64::from(option.max_days)),
                "guaranteed_delivery_days": option.max_days.saturating_mul(2).to_string(),
                "tracking": self.loose_bool(true),
                "mayHavePFS": false,
                "ddpIncludeVATTax": (self.terms.tax_percent == 0).to_string(),
                "ship_from_country": "CN",
                "available_stock": sku.new.stock.to_string(),
            }));
        }
        json!({ "result": {
            "success": self.loose_bool(true),
            "code": self.loose(200),
            "msg": "Call succeeds",
            "delivery_options": options,
        }})
    }
}

fn no_delivery(message: &str) -> Value {
    json!({ "result": { "success": false, "code": 505, "msg": message } })
}

pub(super) fn store_name(store_id: u64) -> String {
    format!("Example Store {store_id}")
}

/// A string or a number as text; both are sent.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}
