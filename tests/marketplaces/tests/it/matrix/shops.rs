//! The channels' APIs, as the table has them.

use axum::Router;
use http::Method;
use kervan_marketplaces::Money;
use kervan_marketplaces::amazon::AmazonNewListing;
use kervan_marketplaces::ebay::NewListing;
use serde_json::Value;
use serde_json::json;

use super::channel::SKU;
use super::channel::Shop;
use crate::actions_aliexpress::INFO;
use crate::actions_aliexpress::LIST;
use crate::actions_aliexpress::RECEIPT;
use crate::actions_aliexpress::old;
use crate::actions_aliexpress::shop;
use crate::actions_amazon::ALL;
use crate::actions_amazon::LEDGER;
use crate::amazon::client::Client;
use crate::amazon::client::ORDERS as AMAZON_ORDERS;
use crate::common::AliClient;
use crate::common::EbayClient;
use crate::common::Got;
use crate::common::ORDERS;

fn report_fee(how: &str) -> Value {
    json!({ "action": "report_fee", "how": how })
}

fn lines() -> Value {
    json!([{ "sku": "LAMP", "quantity": 2 }, { "sku": SKU, "quantity": 1 }])
}

/// eBay as both of its APIs are called.
async fn ebay() -> EbayClient {
    let client = EbayClient::new().await;
    for (sku, cents) in [("LAMP", 1_999), (SKU, 500)] {
        let listing = NewListing::new(sku, Money::usd(cents), 50);
        client.ebay.add_listing(listing);
    }
    client
}

fn ebay_sale(is_paid: bool) -> Value {
    let payment = if is_paid { "PAID" } else { "PENDING" };
    json!({ "lines": lines(), "payment": payment })
}

pub(crate) struct EbayFulfillment(EbayClient);

impl Shop for EbayFulfillment {
    const COLUMN: &'static str = "eBay Fulfillment";
    const ORDERS: &'static str = "orders";
    const OF_THE_ANSWER: &'static [&'static str] = &[];
    const MODIFIED: &'static [&'static str] = &["lastModifiedDate"];
    const REFUND_TAKES_MS: u64 = 60_000;

    async fn open() -> Self {
        Self(ebay().await)
    }

    fn router(&self) -> Router {
        self.0.ebay.router()
    }

    fn pass_ms(&self, ms: u64) {
        self.0.advance_ms(ms);
    }

    fn sale(is_paid: bool) -> Value {
        ebay_sale(is_paid)
    }

    fn before(row: &str) -> Vec<Value> {
        let is_told = row.starts_with("report_fee") && row != "report_fee always";
        is_told.then(|| report_fee("always")).into_iter().collect()
    }

    async fn read(&self, order_id: &str, _row: &str) -> Got {
        self.0.get(&format!("{ORDERS}/{order_id}")).await
    }

    async fn page(&self, size: usize) -> Got {
        self.0.get(&format!("{ORDERS}?limit={size}")).await
    }
}

pub(crate) struct EbayTrading(EbayClient);

impl Shop for EbayTrading {
    const COLUMN: &'static str = "eBay Trading";
    const ORDERS: &'static str = "orders";
    const OF_THE_ANSWER: &'static [&'static str] = &["Timestamp"];
    const MODIFIED: &'static [&'static str] = &["LastModifiedTime"];
    const REFUND_TAKES_MS: u64 = 60_000;

    async fn open() -> Self {
        Self(ebay().await)
    }

    fn router(&self) -> Router {
        self.0.ebay.router()
    }

    fn pass_ms(&self, ms: u64) {
        self.0.advance_ms(ms);
    }

    fn sale(is_paid: bool) -> Value {
        ebay_sale(is_paid)
    }

    fn before(row: &str) -> Vec<Value> {
        let is_told = matches!(row, "report_fee never" | "report_fee other_currency");
        let told = is_told.then(|| report_fee("on_request"));
        told.into_iter().collect()
    }

    async fn read(&self, order_id: &str, row: &str) -> Got {
        let asks = row.starts_with("report_fee") && row != "report_fee always";
        let ids = format!("<OrderIDArray><OrderID>{order_id}</OrderID></OrderIDArray>");
        let with_fee = format!("<IncludeFinalValueFee>{asks}</IncludeFinalValueFee>");
        self.0.trading_orders(&(ids + &with_fee), "1451").await
    }

    async fn page(&self, size: usize) -> Got {
        let span = "<ModTimeFrom>2026-11-02T00:00:00Z</ModTimeFrom><ModTimeTo>2026-11-03T00:00:00Z</ModTimeTo>";
        let page = format!(
            "<Pagination><EntriesPerPage>{size}</EntriesPerPage><PageNumber>1</PageNumber></Pagination>"
        );
        self.0
            .trading_orders(&(span.to_owned() + &page), "1451")
            .await
    }
}

pub(crate) struct Amazon(Client);

impl Amazon {
    async fn get(&self, path: &str) -> Got {
        // Refunds take longer than a token lives.
        let token = self.0.fresh().await;
        self.0.send_as(&token, Method::GET, path, None).await
    }
}

impl Shop for Amazon {
    const COLUMN: &'static str = "Amazon";
    const ORDERS: &'static str = "orders";
    const OF_THE_ANSWER: &'static [&'static str] = &[];
    const MODIFIED: &'static [&'static str] = &["lastUpdatedTime"];
    const REFUND_TAKES_MS: u64 = 7_200_000;
    const TELLS_PENDING_REFUNDS: bool = false;

    async fn open() -> Self {
        let client = Client::new().await;
        let listing = AmazonNewListing::new(SKU, Money::usd(500), 9);
        client.amazon.add_listing(listing);
        Self(client)
    }

    fn router(&self) -> Router {
        self.0.amazon.router()
    }

    fn pass_ms(&self, ms: u64) {
        self.0.pass_s(ms / 1_000);
    }

    fn sale(is_paid: bool) -> Value {
        json!({ "lines": lines(), "paid": is_paid })
    }

    /// What the ledger tells begins with a parcel.
    fn before(row: &str) -> Vec<Value> {
        let parcel = json!({ "action": "ship_by_hand", "line": 1, "units": 1 });
        match row {
            "report_fee on_request" => vec![parcel, report_fee("never")],
            "report_fee never" => vec![parcel],
            _ if row.starts_with("refund") => vec![parcel],
            _ => Vec::new(),
        }
    }

    async fn read(&self, order_id: &str, row: &str) -> Got {
        if row.starts_with("refund") || row.starts_with("report_fee") {
            let of_order =
                format!("relatedIdentifierName=ORDER_ID&relatedIdentifierValue={order_id}");
            return self.get(&format!("{LEDGER}?{of_order}")).await;
        }
        self.get(&format!("{AMAZON_ORDERS}/{order_id}?{ALL}")).await
    }

    async fn page(&self, size: usize) -> Got {
        let since = "lastUpdatedAfter=2026-11-01T00:00:00Z";
        let path = format!("{AMAZON_ORDERS}?{since}&maxResultsPerPage={size}");
        self.get(&path).await
    }
}

/// A shop at AliExpress, behind the old gateway or the new.
pub(crate) struct AliExpressShop<const OLD: bool>(AliClient);

impl<const OLD: bool> AliExpressShop<OLD> {
    async fn ask(&self, method: &str, name: &str, query: &Value) -> Got {
        let query = query.to_string();
        match OLD {
            true => old(&self.0, method, name, &query, "xml").await,
            false => self.0.business(method, &[(name, query)]).await,
        }
    }
}

impl<const OLD: bool> Shop for AliExpressShop<OLD> {
    const COLUMN: &'static str = match OLD {
        true => "AliExpress shop /router/rest",
        false => "AliExpress shop /sync",
    };
    const ORDERS: &'static str = "sales";
    const OF_THE_ANSWER: &'static [&'static str] = &["request_id", "time_stamp"];
    // The time that is left counts from the last change.
    const MODIFIED: &'static [&'static str] = &["gmt_modified", "gmt_update", "over_time_left"];
    const REFUND_TAKES_MS: u64 = 3_600_000;

    async fn open() -> Self {
        Self(shop())
    }

    fn router(&self) -> Router {
        self.0.aliexpress.router()
    }

    fn pass_ms(&self, ms: u64) {
        self.0.advance_s(ms / 1_000);
    }

    fn sale(is_paid: bool) -> Value {
        json!({ "lines": [["MUG", 2], [SKU, 1]], "paid": is_paid })
    }

    fn before(row: &str) -> Vec<Value> {
        let is_told = row == "report_fee always";
        is_told.then(|| report_fee("never")).into_iter().collect()
    }

    async fn read(&self, order_id: &str, row: &str) -> Got {
        let is_address = row == "change_address" || row.starts_with("hide");
        let method = if is_address { RECEIPT } else { INFO };
        let query = json!({ "order_id": order_id });
        self.ask(method, "param1", &query).await
    }

    async fn page(&self, size: usize) -> Got {
        let query = json!({ "current_page": 1, "page_size": size });
        self.ask(LIST, "param0", &query).await
    }
}
