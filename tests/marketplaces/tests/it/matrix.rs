//! The tables of the README that say what the world does at which marketplace: whether they are whole, and whether each
//! of their cells is true.

mod actions;
mod channel;
mod shops;
mod stores;
mod supplier;
mod table;

use shops::AliExpressShop;
use shops::Amazon;
use shops::EbayFulfillment;
use shops::EbayTrading;
use stores::AliExpress;
use stores::Alibaba;
use stores::Cn1688;
use table::Table;

/// The columns of the table of channels.
const CHANNELS: [&str; 5] = [
    "eBay Fulfillment",
    "eBay Trading",
    "Amazon",
    "AliExpress shop /sync",
    "AliExpress shop /router/rest",
];
/// The columns of the table of suppliers.
const SUPPLIERS: [&str; 3] = ["AliExpress", "Alibaba.com", "1688"];

fn channels() -> Table {
    Table::titled("channel action")
}

fn suppliers() -> Table {
    Table::titled("supplier action")
}

#[test]
fn each_action_has_a_row_and_each_api_a_column() {
    let mut rows: Vec<String> = actions::of_orders()
        .into_iter()
        .map(|(row, _)| row)
        .collect();
    rows.extend(actions::of_lists());
    channels().is_whole(&CHANNELS, &rows);
    let rows: Vec<String> = actions::of_suppliers()
        .into_iter()
        .map(|(row, _)| row)
        .collect();
    suppliers().is_whole(&SUPPLIERS, &rows);
}

#[tokio::test]
async fn what_the_fulfillment_api_of_ebay_shows_is_as_its_column_says() {
    channel::check::<EbayFulfillment>().await;
}

#[tokio::test]
async fn what_the_trading_api_of_ebay_shows_is_as_its_column_says() {
    channel::check::<EbayTrading>().await;
}

#[tokio::test]
async fn what_amazon_shows_is_as_its_column_says() {
    channel::check::<Amazon>().await;
}

#[tokio::test]
async fn what_the_new_gateway_of_aliexpress_shows_of_a_shop_is_as_its_column_says() {
    channel::check::<AliExpressShop<false>>().await;
}

#[tokio::test]
async fn what_the_old_gateway_of_aliexpress_shows_of_a_shop_is_as_its_column_says() {
    channel::check::<AliExpressShop<true>>().await;
}

#[tokio::test]
async fn what_aliexpress_shows_a_buyer_is_as_its_column_says() {
    supplier::check::<AliExpress>().await;
}

#[tokio::test]
async fn what_alibaba_com_shows_a_buyer_is_as_its_column_says() {
    supplier::check::<Alibaba>().await;
}

#[tokio::test]
async fn what_1688_shows_a_buyer_is_as_its_column_says() {
    supplier::check::<Cn1688>().await;
}
