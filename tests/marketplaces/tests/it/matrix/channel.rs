//! Whether a column of the table of channels is true: each action is done to an order over HTTP, and the order is read
//! through that API before and after.

use axum::Router;
use axum::body::Body;
use http::Request;
use http::StatusCode;
use kervan_marketplaces::OrderAction;
use kervan_marketplaces::Takes;
use serde_json::Value;
use serde_json::json;
use std::time::Duration;

use super::actions;
use super::channels;
use super::table::Cell;
use crate::common::Got;
use crate::common::call;

/// Cells that say —, though the control takes the action: the marketplace's other API shows it.
const SHOWN_BY_THE_OTHER: [(&str, &str, &str); 2] = [
    ("report_fee on_request", "eBay Fulfillment", "eBay Trading"),
    ("report_fee always", "eBay Trading", "eBay Fulfillment"),
];
/// A sku that each order has.
pub(crate) const SKU: &str = "VASE";
/// Until an order that was sold is in lists.
const LISTED_AFTER_MS: u64 = 600_000;
/// Until what happened is in every read.
const SEEN_AFTER_MS: u64 = 180_000;

/// A marketplace where we sell, called through one of its APIs.
pub(crate) trait Shop: Sized {
    /// Its column.
    const COLUMN: &'static str;
    /// Where its orders are among the controls.
    const ORDERS: &'static str;
    /// Fields that differ from answer to answer.
    const OF_THE_ANSWER: &'static [&'static str];
    /// The fields that say when an order last changed.
    const MODIFIED: &'static [&'static str];
    /// How long a refund is under way.
    const REFUND_TAKES_MS: u64;
    /// Whether a refund that is under way is told.
    const TELLS_PENDING_REFUNDS: bool = true;

    async fn open() -> Self;
    fn router(&self) -> Router;
    fn pass_ms(&self, ms: u64);
    /// The sale of two units of one sku and one of another.
    fn sale(is_paid: bool) -> Value;
    /// What has to happen before, so that the action of this row can be seen.
    fn before(row: &str) -> Vec<Value>;
    /// The call that shows of an order what the action of this row does.
    async fn read(&self, order_id: &str, row: &str) -> Got;
    /// The first page of a list of orders.
    async fn page(&self, size: usize) -> Got;

    async fn control(&self, method: &str, path: &str, body: &Value) -> Got {
        let request = Request::builder()
            .method(method)
            .uri(format!("/_control/{path}"))
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        call(self.router(), request).await
    }

    async fn sell(&self, is_paid: bool) -> String {
        let got = self
            .control("POST", Self::ORDERS, &Self::sale(is_paid))
            .await;
        assert_eq!(got.status, StatusCode::OK, "{}", text(&got));
        self.pass_ms(LISTED_AFTER_MS);
        id(&got.json()["order_id"])
    }

    /// Answers the id that the order has from now on.
    async fn act(&self, order_id: &str, action: &Value) -> Result<String, String> {
        let path = format!("{}/{order_id}/act", Self::ORDERS);
        let got = self.control("POST", &path, action).await;
        match got.status {
            StatusCode::OK => Ok(id(&got.json()["order_id"])),
            status => Err(format!("{action} was answered {status}: {}", text(&got))),
        }
    }

    /// The wire without what differs from answer to answer.
    async fn wire(&self, order_id: &str, row: &str) -> String {
        blank(text(&self.read(order_id, row).await), Self::OF_THE_ANSWER)
    }

    /// The same without the time of the last change, which alone shows nothing.
    async fn still(&self, order_id: &str, row: &str) -> String {
        blank(self.wire(order_id, row).await, Self::MODIFIED)
    }

    async fn lists(&self, order_id: &str) -> bool {
        text(&self.page(50).await).contains(order_id)
    }
}

/// Performs every cell of a column, and tells all that are not as they say.
pub(crate) async fn check<S: Shop>() {
    let table = channels();
    let mut wrong = Vec::new();
    let mut note = |row: &str, done: Result<(), String>| {
        if let Err(why) = done {
            wrong.push(format!("{row} × {}: {why}", S::COLUMN));
        }
    };
    for (row, action) in actions::of_orders() {
        let done = match table.cell(&row, S::COLUMN) {
            Ok(Cell::Done) => perform::<S>(&row, &action).await,
            Ok(Cell::Not) => stays_away::<S>(&row, &action).await,
            Err(why) => Err(why),
        };
        note(&row, done);
    }
    for row in actions::of_lists() {
        let done = match table.cell(&row, S::COLUMN) {
            Ok(Cell::Done) => list::<S>(&row).await,
            Ok(Cell::Not) => Err("every list has every habit".to_owned()),
            Err(why) => Err(why),
        };
        note(&row, done);
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

async fn perform<S: Shop>(row: &str, action: &OrderAction) -> Result<(), String> {
    let shop = S::open().await;
    // An id changes when an order is paid.
    let sold = shop.sell(row != "change_id").await;
    let (mut watched, mut action) = (sold.clone(), json!(action));
    if row == "merge_into" {
        watched = shop.sell(true).await;
        action["order_id"] = json!(watched);
    }
    for first in S::before(row) {
        shop.act(&sold, &first).await?;
    }
    shop.pass_ms(SEEN_AFTER_MS);
    let before = shop.still(&watched, row).await;
    shop.pass_ms(SEEN_AFTER_MS);
    ensure(before == shop.still(&watched, row).await, || {
        format!("time alone changes what is read: {before}")
    })?;
    ensure(shop.lists(&sold).await, || "no list has it".to_owned())?;
    let now = shop.act(&sold, &action).await?;
    if row.starts_with("refund") && !row.ends_with("paid") {
        return refund_ends(&shop, &now, row, &before).await;
    }
    shop.pass_ms(SEEN_AFTER_MS);
    let after = shop.still(&now, row).await;
    ensure(before != after, || {
        format!("what is read stays as it was: {before}")
    })?;
    let is_gone = row == "vanish" || now != sold;
    ensure(shop.lists(&sold).await != is_gone, || {
        format!("a list has {sold}: {}", !is_gone)
    })?;
    let left = shop.still(&sold, row).await;
    ensure(
        !is_gone || before.contains(SKU) && !left.contains(SKU),
        || format!("before, this was read of it: {before}, and now this: {left}"),
    )
}

/// A refund is under way, and then it is not.
async fn refund_ends<S: Shop>(
    shop: &S,
    order_id: &str,
    row: &str,
    before: &str,
) -> Result<(), String> {
    let pending = shop.still(order_id, row).await;
    ensure((pending != before) == S::TELLS_PENDING_REFUNDS, || {
        format!("while it is under way, this is read: {pending}")
    })?;
    shop.pass_ms(S::REFUND_TAKES_MS + SEEN_AFTER_MS);
    let ended = shop.still(order_id, row).await;
    ensure(ended != pending, || {
        format!("once it ended, the same is read: {ended}")
    })
}

/// The control refuses the action and says why, or this API shows nothing of it.
async fn stays_away<S: Shop>(row: &str, action: &OrderAction) -> Result<(), String> {
    let shop = S::open().await;
    let order_id = shop.sell(true).await;
    let mut others = SHOWN_BY_THE_OTHER.into_iter();
    let other = others.find(|(name, column, _)| (*name, *column) == (row, S::COLUMN));
    let Some((_, _, other)) = other else {
        let path = format!("{}/{order_id}/act", S::ORDERS);
        let got = shop.control("POST", &path, &json!(action)).await;
        let reason = got.json()["error"].as_str().unwrap_or_default().to_owned();
        return ensure(
            got.status == StatusCode::CONFLICT && !reason.is_empty(),
            || {
                format!(
                    "the cell says —, and the control answers {} {reason}",
                    got.status
                )
            },
        );
    };
    for first in S::before(row) {
        shop.act(&order_id, &first).await?;
    }
    let before = shop.still(&order_id, row).await;
    shop.act(&order_id, &json!(action)).await?;
    shop.pass_ms(SEEN_AFTER_MS);
    let after = shop.still(&order_id, row).await;
    ensure(before == after, || {
        format!("the cell says —, and what is read changes: {after}")
    })?;
    match channels().cell(row, other)? {
        Cell::Done => Ok(()),
        Cell::Not => Err(format!("{other} does not show it either")),
    }
}

async fn list<S: Shop>(row: &str) -> Result<(), String> {
    let shop = S::open().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(shop.sell(true).await);
    }
    let change = match row {
        "lists moves_while_paged" => json!({ "moves_while_paged": true }),
        "lists page_takes_ms" => json!({ "page_takes_ms": 1_500 }),
        _ => return Err("nobody looks at this habit here".to_owned()),
    };
    let before = reads(&shop, &ids).await;
    let still = shop.page(2).await;
    ensure(
        still.takes.is_none() && before == reads(&shop, &ids).await,
        || "lists have habits from the start".to_owned(),
    )?;
    let got = shop.control("PATCH", "lists", &change).await;
    ensure(got.status == StatusCode::OK, || text(&got))?;
    shop.pass_ms(SEEN_AFTER_MS);
    let page = shop.page(2).await;
    if row == "lists page_takes_ms" {
        let takes = Takes(Duration::from_millis(1_500));
        return ensure(page.takes == Some(takes), || {
            format!("a page takes {:?}", page.takes)
        });
    }
    let after = reads(&shop, &ids).await;
    let moved = before.iter().zip(&after).filter(|(one, two)| one != two);
    let (raw, without): (Vec<_>, Vec<_>) = moved
        .map(|(one, two)| {
            let still = |wire: &String| blank(wire.clone(), S::MODIFIED);
            ((one, two), still(one) == still(two))
        })
        .unzip();
    ensure(without == [true], || {
        format!("not one order has another time of its last change, but {raw:?}")
    })
}

async fn reads<S: Shop>(shop: &S, ids: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    for id in ids {
        all.push(shop.wire(id, "lists").await);
    }
    all
}

pub(crate) fn ensure(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}

/// An id, which some marketplaces write as a number.
pub(crate) fn id(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

pub(crate) fn text(got: &Got) -> String {
    String::from_utf8(got.body.to_vec()).unwrap()
}

/// The wire, JSON or XML, without the texts of these fields. The fields stay.
pub(crate) fn blank(wire: String, names: &[&str]) -> String {
    let without = |wire: String, open: &str, end: char| {
        let mut parts = wire.split(open);
        let mut all = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            all += open;
            all += part.find(end).map_or("", |at| &part[at..]);
        }
        all
    };
    names.iter().fold(wire, |wire, name| {
        let wire = without(wire, &format!("\"{name}\":\""), '"');
        without(wire, &format!("<{name}>"), '<')
    })
}
