//! Whether a column of the table of suppliers is true: each action is done over HTTP, and the next order, a read of an
//! order, its tracking or the answer to a token call shows it.

use axum::Router;
use http::StatusCode;
use kervan_marketplaces::SupplierAction;
use kervan_marketplaces::Takes;
use serde_json::Value;
use serde_json::json;
use std::time::Duration;

use super::actions;
use super::channel::blank;
use super::channel::ensure;
use super::channel::text;
use super::suppliers;
use super::table::Cell;
use crate::actions_alibaba::control;
use crate::common::Got;

/// Fields that differ from answer to answer.
const OF_THE_ANSWER: [&str; 2] = ["request_id", "_trace_id_"];

/// A marketplace where we buy.
pub(crate) trait Store: Sized {
    /// Its column.
    const COLUMN: &'static str;

    fn open() -> Self;
    fn router(&self) -> Router;
    fn pass_s(&self, seconds: u64);
    /// The answer to an order.
    async fn buy(&self) -> Value;
    /// The id of the order in the answer, where it was taken.
    fn bought(answer: &Value) -> Option<String>;
    async fn order(&self, order_id: &str) -> Got;
    async fn tracking(&self, order_id: &str) -> Got;
    /// The answer to the refresh of the first tokens.
    async fn tokens(&self) -> Got;

    async fn control(&self, path: &str, body: &Value) -> Result<(), String> {
        let got = control(self.router(), path, body).await;
        ensure(got.status == StatusCode::OK, || {
            format!("{path} {body} was answered {}: {}", got.status, text(&got))
        })
    }

    async fn act(&self, action: &Value) -> Result<(), String> {
        self.control("/supplier/act", action).await
    }

    /// An order that can be read, paid, and sent where that is asked for.
    async fn paid(&self, is_sent: bool) -> Result<String, String> {
        let answer = self.buy().await;
        let id = Self::bought(&answer).ok_or_else(|| format!("no order: {answer}"))?;
        self.pass_s(1);
        self.control(&format!("/orders/{id}/pay"), &json!({}))
            .await?;
        if is_sent {
            let parcel = json!({ "parcels": 1, "lines": 1 });
            self.control(&format!("/orders/{id}/ship"), &parcel).await?;
        }
        Ok(id)
    }
}

/// Performs every cell of a column, and tells all that are not as they say.
pub(crate) async fn check<S: Store>() {
    let table = suppliers();
    let mut wrong = Vec::new();
    for (row, action) in actions::of_suppliers() {
        let done = match table.cell(&row, S::COLUMN) {
            Ok(Cell::Done) => perform::<S>(&action).await,
            Ok(Cell::Not) => is_refused::<S>(&action).await,
            Err(why) => Err(why),
        };
        if let Err(why) = done {
            wrong.push(format!("{row} × {}: {why}", S::COLUMN));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

async fn is_refused<S: Store>(action: &SupplierAction) -> Result<(), String> {
    let store = S::open();
    let got = control(store.router(), "/supplier/act", &json!(action)).await;
    let reason = got.json()["error"].as_str().unwrap_or_default().to_owned();
    ensure(
        got.status == StatusCode::CONFLICT && !reason.is_empty(),
        || {
            format!(
                "the cell says —, and the control answers {} {reason}",
                got.status
            )
        },
    )
}

async fn perform<S: Store>(action: &SupplierAction) -> Result<(), String> {
    let wanted = json!(action);
    match action {
        SupplierAction::TaxOnTop { .. }
        | SupplierAction::ImportCharges { .. }
        | SupplierAction::ChargeMore { .. } => next_order_costs_more::<S>(&wanted).await,
        SupplierAction::BlockAccount { .. } => next_order_is_refused::<S>(&wanted, false).await,
        SupplierAction::RefuseNextOrder => next_order_is_refused::<S>(&wanted, true).await,
        SupplierAction::CloseOrder { .. } => {
            order_reads_otherwise::<S>(wanted, false, S::order).await
        }
        SupplierAction::TrackingEvent { .. }
        | SupplierAction::ReturnParcel { .. }
        | SupplierAction::RefuseParcel { .. } => {
            order_reads_otherwise::<S>(wanted, true, S::tracking).await
        }
        SupplierAction::SlowCalls { takes_ms } => {
            let store = S::open();
            let id = store.paid(false).await?;
            let before = store.order(&id).await.takes;
            store.act(&wanted).await?;
            let after = store.order(&id).await.takes;
            let takes = Takes(Duration::from_millis(*takes_ms));
            ensure((before, after) == (None, Some(takes)), || {
                format!("a call takes {before:?}, and then {after:?}")
            })
        }
        SupplierAction::EndConsent { in_s } => consent_ends::<S>(&wanted, *in_s).await,
    }
}

/// The same purchase with the action and without. The same calls have the same ids in both.
async fn next_order_costs_more<S: Store>(action: &Value) -> Result<(), String> {
    let read = async |action: Option<&Value>| {
        let store = S::open();
        if let Some(action) = action {
            store.act(action).await?;
        }
        let id = store.paid(false).await?;
        Ok::<_, String>(still(&store.order(&id).await))
    };
    let plain = read(None).await?;
    ensure(plain == read(None).await?, || {
        format!("two purchases differ without the action: {plain}")
    })?;
    let other = read(Some(action)).await?;
    ensure(plain != other, || {
        format!("the next order is read as it would be without: {plain}")
    })
}

async fn next_order_is_refused<S: Store>(action: &Value, once: bool) -> Result<(), String> {
    let store = S::open();
    let before = store.buy().await;
    ensure(S::bought(&before).is_some(), || before.to_string())?;
    let store = S::open();
    store.act(action).await?;
    let refused = store.buy().await;
    ensure(S::bought(&refused).is_none() && refused != before, || {
        format!("an order is taken: {refused}")
    })?;
    let next = store.buy().await;
    ensure(S::bought(&next).is_some() == once, || {
        format!("the order after it: {next}")
    })
}

async fn order_reads_otherwise<S: Store>(
    mut action: Value,
    is_sent: bool,
    read: impl AsyncFn(&S, &str) -> Got,
) -> Result<(), String> {
    let store = S::open();
    let id = store.paid(is_sent).await?;
    action["order_id"] = json!(id);
    // The clock stands still, so that no time of a last change is all that differs.
    let before = still(&read(&store, &id).await);
    ensure(before == still(&read(&store, &id).await), || {
        format!("two reads differ without the action: {before}")
    })?;
    store.act(&action).await?;
    let after = still(&read(&store, &id).await);
    ensure(before != after, || {
        format!("what is read stays as it was: {before}")
    })
}

async fn consent_ends<S: Store>(action: &Value, in_s: u64) -> Result<(), String> {
    let answer = async |action: Option<&Value>| {
        let store = S::open();
        if let Some(action) = action {
            store.act(action).await?;
        }
        store.pass_s(in_s + 1);
        Ok::<_, String>(still(&store.tokens().await))
    };
    let (lasting, ended) = (answer(None).await?, answer(Some(action)).await?);
    let is_token = |answer: &str| answer.contains("\"access_token\"");
    ensure(is_token(&lasting) && !is_token(&ended), || {
        format!("once it ended, a refresh is answered {ended}, and otherwise {lasting}")
    })
}

fn still(got: &Got) -> String {
    blank(text(got), &OF_THE_ANSWER)
}
