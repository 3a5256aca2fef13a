//! Stock and prices of the shop's products: at once, and in jobs.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::Feed;
use super::instant;
use crate::aliexpress::catalogue::text_of;
use crate::aliexpress::envelope::GatewayError;
use crate::aliexpress::gateway::Params;
use crate::aliexpress::state::State;
use crate::clock::later_ms;
use crate::money::Money;

const PRODUCTS: usize = 20;
const SKUS: usize = 200;
const ITEMS: usize = 2_000;
const JOBS_PER_DAY: usize = 300;
const DAY_MS: u64 = 86_400_000;
const OPERATION_TYPES: [&str; 4] = [
    "PRODUCT_CREATE",
    "PRODUCT_FULL_UPDATE",
    "PRODUCT_STOCKS_UPDATE",
    "PRODUCT_PRICES_UPDATE",
];

fn bad_parameter() -> GatewayError {
    GatewayError::remote("isv.invalid-parameter", "Invalid parameter.")
}

/// What one sku is set to.
enum Change {
    Inventory(u32),
    Price(Money),
}

impl State {
    /// `aliexpress.solution.batch.product.inventory.update`, and `.price.update`.
    pub(super) fn batch_update(
        &mut self,
        params: &Params,
        field: &'static str,
    ) -> Result<Value, GatewayError> {
        let list = params.json("mutiple_product_update_list")?;
        let products = list.as_array().ok_or_else(bad_parameter)?;
        if products.is_empty() || products.len() > PRODUCTS {
            return Err(bad_parameter());
        }
        // The whole call is looked at before any of it is done.
        let mut changes = Vec::new();
        for product in products {
            let id = &product["product_id"];
            let id: u64 = text_of(id).parse().map_err(|_| bad_parameter())?;
            changes.push((id, self.changes(product, field)?));
        }
        let (mut failed, mut fine) = (Vec::new(), Vec::new());
        for (id, changes) in changes {
            let shown_id = self.loose(id);
            match self.set_listing(id, changes) {
                Ok(()) => fine.push(json!({ "product_id": shown_id })),
                Err(code) => failed.push(json!({
                    "product_id": shown_id, "error_code": code, "error_message": "not updated",
                })),
            }
        }
        let success = failed.is_empty() || self.config.settings.update_success_lies;
        let mut fields = json!({
            "update_success": self.loose_bool(success),
            "update_error_code": "",
            "update_error_message": "",
        });
        if !failed.is_empty() {
            fields["update_failed_list"] = json!(failed);
        }
        if !fine.is_empty() {
            fields["update_successful_list"] = json!(fine);
        }
        Ok(fields)
    }

    fn changes(&self, product: &Value, field: &str) -> Result<Vec<(String, Change)>, GatewayError> {
        let skus = product["multiple_sku_update_list"].as_array();
        let skus = skus.filter(|skus| (1..=SKUS).contains(&skus.len()));
        let skus = skus.ok_or_else(bad_parameter)?;
        let change = |sku: &Value| {
            let code = sku["sku_code"].as_str().filter(|code| !code.is_empty())?;
            let change = if field == "inventory" {
                Change::Inventory(u32::try_from(sku[field].as_u64()?).ok()?)
            } else {
                let price = Money::parse(sku[field].as_str()?, "USD")?;
                Change::Price(Some(price).filter(|price| price.cents > 0)?)
            };
            Some((code.to_owned(), change))
        };
        let changes: Option<Vec<_>> = skus.iter().map(change).collect();
        changes.ok_or_else(bad_parameter)
    }

    /// Sets all of a product's skus that are there; the error is that of one that is not.
    fn set_listing(&mut self, id: u64, changes: Vec<(String, Change)>) -> Result<(), &'static str> {
        let listing = self
            .seller
            .listings
            .get_mut(&id)
            .ok_or("B_PRODUCT_NOT_FOUND")?;
        let mut missing = false;
        for (code, change) in changes {
            let sku = listing.iter_mut().find(|sku| sku.sku_code == code);
            match (sku, change) {
                (Some(sku), Change::Inventory(units)) => sku.inventory = units,
                (Some(sku), Change::Price(price)) => {
                    sku.price = Money::new(price.cents, &*sku.price.currency);
                }
                (None, _) => missing = true,
            }
        }
        if missing {
            Err("B_PRODUCT_NOT_FOUND")
        } else {
            Ok(())
        }
    }

    pub(super) fn feed_submit(&mut self, params: &Params) -> Result<Value, GatewayError> {
        let kind = params.required("operation_type")?.to_owned();
        if !OPERATION_TYPES.contains(&kind.as_str()) {
            return Err(bad_parameter());
        }
        let list = params.json("item_list")?;
        let items = list
            .as_array()
            .filter(|items| (1..=ITEMS).contains(&items.len()));
        let items: Option<Vec<(String, String)>> = items
            .ok_or_else(bad_parameter)?
            .iter()
            .map(|item| {
                let id = item["item_content_id"].as_str()?;
                // Text, although it holds JSON.
                Some((id.to_owned(), item["item_content"].as_str()?.to_owned()))
            })
            .collect();
        let items = items.ok_or_else(bad_parameter)?;
        let now = self.now;
        let of_today =
            |feed: &&Feed| feed.operation_type == kind && later_ms(feed.submitted_at, DAY_MS) > now;
        if self.seller.feeds.values().filter(of_today).count() >= JOBS_PER_DAY {
            *self.counters.feeds_over_limit.entry(kind).or_default() += 1;
            return Err(GatewayError::call_limit());
        }
        let job_id = 200_000_000_060_000_000 + self.seller.feeds.len() as u64;
        let feed = Feed {
            operation_type: kind,
            submitted_at: now,
            items,
            results: None,
        };
        self.seller.feeds.insert(job_id, feed);
        Ok(json!({ "job_id": self.loose(job_id) }))
    }

    pub(super) fn feed_query(&mut self, params: &Params) -> Result<Value, GatewayError> {
        let id: u64 = params
            .required("job_id")?
            .parse()
            .map_err(|_| bad_parameter())?;
        let feed = self.seller.feeds.get(&id).ok_or_else(bad_parameter)?;
        let (total, results) = (
            feed.items.len() as u64,
            feed.results.clone().unwrap_or_default(),
        );
        let fine = results
            .iter()
            .filter(|(_, result)| result.contains("\"success\":true"))
            .count();
        let mut fields = json!({
            "job_id": self.loose(id),
            "success_item_count": self.loose(fine as u64),
            "total_item_count": self.loose(total),
        });
        if !results.is_empty() {
            let list = results.into_iter().map(
                |(id, result)| json!({ "item_content_id": id, "item_execution_result": result }),
            );
            fields["result_list"] = list.collect();
        }
        Ok(fields)
    }

    pub(super) fn feed_list(&mut self, params: &Params) -> Result<Value, GatewayError> {
        let count = |name, usual: usize| match params.get(name) {
            None => Ok(usual),
            Some(text) => text.parse().map_err(|_| bad_parameter()),
        };
        let (page, size) = (count("current_page", 1)?, count("page_size", 20)?);
        if page == 0 || !(1..=100).contains(&size) {
            return Err(bad_parameter());
        }
        let since = match params.get("submitted_time_start") {
            None => Timestamp::MIN,
            Some(text) => instant(text).ok_or_else(bad_parameter)?,
        };
        let found = self
            .seller
            .feeds
            .iter()
            .filter(|(_, feed)| feed.submitted_at >= since);
        let jobs: Vec<Value> = found
            .map(|(id, feed)| {
                let status = if feed.results.is_some() {
                    "FINISH"
                } else {
                    "PROCESSING"
                };
                json!({ "job_id": id, "operation_type": feed.operation_type, "status": status })
            })
            .collect();
        let total = jobs.len();
        let shown: Vec<Value> = jobs
            .into_iter()
            .skip((page - 1) * size)
            .take(size)
            .collect();
        let mut fields = json!({
            "current_page": page, "page_size": size, "total_count": total,
            "total_page": total.div_ceil(size),
        });
        if !shown.is_empty() {
            fields["job_list"] = json!(shown);
        }
        Ok(fields)
    }

    /// Executes the jobs that are due by now.
    pub(in crate::aliexpress) fn execute_feeds(&mut self) {
        let (now, takes) = (self.now, self.config.settings.feed_takes_ms);
        let is_due =
            |feed: &Feed| feed.results.is_none() && later_ms(feed.submitted_at, takes) <= now;
        let due: Vec<u64> = self
            .seller
            .feeds
            .iter()
            .filter(|(_, feed)| is_due(feed))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            let Some(feed) = self.seller.feeds.get(&id) else {
                continue;
            };
            let (kind, items) = (feed.operation_type.clone(), feed.items.clone());
            let results = items
                .into_iter()
                .map(|(name, content)| (name, self.execute(&kind, &content).to_string()))
                .collect();
            if let Some(feed) = self.seller.feeds.get_mut(&id) {
                feed.results = Some(results);
            }
        }
    }

    fn execute(&mut self, kind: &str, content: &str) -> Value {
        let content: Value = serde_json::from_str(content).unwrap_or_default();
        let id: u64 = text_of(&content["aliexpress_product_id"])
            .parse()
            .unwrap_or(0);
        let field = match kind {
            "PRODUCT_STOCKS_UPDATE" => "inventory",
            "PRODUCT_PRICES_UPDATE" => "price",
            _ => "none",
        };
        let failed = |code: &str| json!({ "success": false, "productId": id, "errorCode": code, "errorMessage": "not updated" });
        match self.changes(&content, field) {
            Err(_) => failed("isv.invalid-parameter"),
            Ok(changes) => match self.set_listing(id, changes) {
                Err(code) => failed(code),
                Ok(()) => json!({ "productId": id, "success": true }),
            },
        }
    }
}
