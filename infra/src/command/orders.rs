//! `kervan orders`: what waits for a person, and what happened to an order. Only the table is asked, and of an order only
//! its state and its history: the buyer's data is sealed in another item, which is never read here.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use kervan::clock::{Clock, SystemClock};
use kervan::domain::{Attention, OrderKey};
use kervan::flows::ledger;
use kervan::store::{Item, Store, keys};
use serde_json::{Value, json};

use super::orders_timeline;
use super::target::Target;
use super::text::{age, time};

/// The most entries of the attention list that are shown.
const MOST_SHOWN: usize = 1000;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the orders and accounts that wait for a person, the longest waiting first
    Attention(List),
    /// Show an order: its state, purchases and parcels, and all that happened to it
    Show(Show),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Each entry has its reason, what to do, and whether Kervan may still spend money on the order while it waits.

Examples:
  cargo kervan orders attention
  cargo kervan orders attention --profile shop --json")]
struct List {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Nothing of the buyer is shown but the country: name and address are sealed, and stay so.

Examples:
  cargo kervan orders show ebay:main/01-12345-67890
  cargo kervan orders show ebay:main/01-12345-67890 --local --json")]
struct Show {
    /// The order: account, slash, the channel's id
    order: OrderKey,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let (now, out) = (SystemClock.now(), &mut io::stdout());
    match arguments.action {
        Action::Attention(List { json, target }) => {
            let opened = target.open().await?;
            attention(&*opened.store, now, json, out)
                .await
                .with_context(|| format!("{} cannot be read", opened.place))?;
        }
        Action::Show(Show {
            order,
            json,
            target,
        }) => {
            let opened = target.open().await?;
            show(&*opened.store, &order, now, json, out)
                .await
                .with_context(|| format!("{order} cannot be shown from {}", opened.place))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Who waits, and why.
struct Waiting {
    /// An order, as `ebay:main/01-1`, or an account, as `ebay:main`.
    who: String,
    is_order: bool,
    attention: Attention,
}

impl Waiting {
    fn of(item: &Item) -> Result<Self> {
        let attention = ledger::read(&item.body)?;
        let order = keys::order_of_partition(&item.key.pk);
        let is_order = order.is_some();
        let who = match (order, item.key.pk.strip_prefix("ACCOUNT#")) {
            (Some(order), _) => order.to_string(),
            (None, Some(account)) => account.to_owned(),
            (None, None) => bail!("The attention list holds an unknown item: {}", item.key.pk),
        };
        Ok(Self {
            who,
            is_order,
            attention,
        })
    }

    fn as_value(&self, now: Timestamp) -> Result<Value> {
        let Attention { reason, since } = &self.attention;
        Ok(json!({
            "waits": if self.is_order { "order" } else { "account" },
            "id": self.who,
            "since": since,
            "waiting_s": now.duration_since(*since).as_secs().max(0),
            "reason": reason.code(),
            "details": orders_timeline::details_of(reason)?,
            "next_action": reason.next_action(),
            "may_spend": reason.passes(),
        }))
    }
}

async fn attention(
    store: &dyn Store,
    now: Timestamp,
    as_json: bool,
    out: &mut dyn Write,
) -> Result<()> {
    let mut items = store.due(keys::ATTENTION_LANE, now, MOST_SHOWN + 1).await?;
    let has_more = items.len() > MOST_SHOWN;
    items.truncate(MOST_SHOWN);
    let waiting: Vec<Waiting> = items.iter().map(Waiting::of).collect::<Result<_>>()?;
    if as_json {
        let entries: Vec<Value> = waiting
            .iter()
            .map(|waiting| waiting.as_value(now))
            .collect::<Result<_>>()?;
        let value = json!({ "attention": entries, "has_more": has_more });
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?);
    }
    if waiting.is_empty() {
        return Ok(writeln!(out, "Nothing waits for a person.")?);
    }
    for Waiting { who, attention, .. } in &waiting {
        let Attention { reason, since } = attention;
        writeln!(out, "{who}")?;
        writeln!(
            out,
            "  since        {} ({})",
            time(*since),
            age(now, *since)
        )?;
        writeln!(out, "  reason       {}", orders_timeline::reason(reason)?)?;
        writeln!(out, "  next action  {}", reason.next_action())?;
        let may_spend = if reason.passes() { "yes" } else { "no" };
        writeln!(out, "  may spend    {may_spend}")?;
    }
    if has_more {
        writeln!(out, "… and more: these {MOST_SHOWN} wait the longest")?;
    }
    Ok(())
}

async fn show(
    store: &dyn Store,
    key: &OrderKey,
    now: Timestamp,
    as_json: bool,
    out: &mut dyn Write,
) -> Result<()> {
    let Some(order) = ledger::load(store, key).await? else {
        bail!("the order is not in the table: it was never recorded, or the id is another");
    };
    let history = ledger::history(store, key).await?;
    if as_json {
        let value = json!({ "order": order, "history": history });
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?);
    }
    orders_timeline::write_order(&order, now, out)?;
    orders_timeline::write_history(&history, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kervan::clock::ManualClock;
    use kervan::domain::{Event, HistoryRecord, Order, Reason};
    use kervan::store::{Condition, Due, Key, MemoryStore, Write as Change};
    use std::sync::Arc;

    const BUYER: &str = "sealed: Jane Doe";

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_770_000_000 + 60 * minutes).unwrap()
    }

    fn key() -> OrderKey {
        "ebay:main/01-12345-67890".parse().unwrap()
    }

    fn events() -> Vec<Event> {
        let usd = |minor: i64| json!({ "minor": minor, "currency": "USD" });
        let lines = json!([{
            "id": "10", "sku": "MUG-1", "quantity": 2, "price": usd(3998), "ship_by": null,
        }]);
        let details = json!({
            "bought_at": at(0), "modified_at": at(0), "payment": "paid", "cancel": "no",
            "fulfilled": false, "total": usd(4500), "fee": usd(530), "country": "US", "lines": lines,
        });
        let planned = json!([{
            "line": "10", "sku": "MUG-1", "quantity": 2, "unit_cost": usd(750), "shipping": usd(0),
            "offer": { "supplier": "aliexpress:main", "product": "1005", "variant": "12" },
            "shipping_option": "CAINIAO", "variant_attributes": "",
        }]);
        let parcel = json!({
            "tracking_number": "LP00123", "carrier": "Cainiao\u{1b}[2J", "purchase": 1,
            "lines": [{ "line": "10", "quantity": 2 }],
            "state": { "state": "seen", "not_before": at(5) }, "delivered_at": null,
        });
        let texts = [
            json!({ "event": "recorded", "details": details }),
            json!({ "event": "planned", "purchase": 1, "lines": planned }),
            json!({ "event": "placing_started", "purchase": 1, "lease_until": at(5) }),
            json!({ "event": "placed", "purchase": 1, "supplier_orders": ["8123456"] }),
            json!({ "event": "parcel_seen", "parcel": parcel }),
            json!({ "event": "attention_raised", "reason": Reason::TrackingRefused { code: "36".into() } }),
        ];
        texts
            .into_iter()
            .map(|text| serde_json::from_value(text).unwrap())
            .collect()
    }

    async fn put(store: &MemoryStore, key: Key, body: String, lane: Option<Timestamp>) {
        let mut item = Item::new(key, 1, body);
        item.due = lane.map(|at| Due {
            lane: keys::ATTENTION_LANE.to_owned(),
            at,
        });
        let only_if = Condition::Absent;
        store
            .write(vec![Change::Put { item, only_if }])
            .await
            .unwrap();
    }

    /// A table with an order, its sealed buyer, and an account that waits.
    async fn table() -> MemoryStore {
        let store = MemoryStore::new(Arc::new(ManualClock::at(at(60))));
        let (mut order, mut number) = (None::<Order>, 0);
        for event in events() {
            number += 1;
            match &mut order {
                None => order = Some(Order::begin(key(), at(number), &event).unwrap()),
                Some(order) => order.apply(at(number), &event).unwrap(),
            }
            let record = HistoryRecord {
                number: number.unsigned_abs(),
                at: at(number),
                event,
                previous: HistoryRecord::NONE_BEFORE.to_owned(),
            };
            let place = keys::history(&key(), record.number);
            put(&store, place, ledger::write(&record).unwrap(), None).await;
        }
        let order = order.unwrap();
        let waiting = ledger::write(order.attention.as_ref().unwrap()).unwrap();
        put(
            &store,
            keys::order_state(&key()),
            ledger::write(&order).unwrap(),
            None,
        )
        .await;
        put(&store, keys::buyer(&key()), BUYER.to_owned(), None).await;
        put(&store, keys::attention(&key()), waiting, Some(at(6))).await;
        let account = "ebay:second".parse().unwrap();
        let ended = Attention {
            reason: Reason::ConsentEnded {
                account: "ebay:second".to_owned(),
            },
            since: at(1),
        };
        let place = keys::account_attention(&account);
        put(&store, place, ledger::write(&ended).unwrap(), Some(at(1))).await;
        store
    }

    #[tokio::test]
    async fn orders_and_accounts_that_wait_are_listed_the_longest_waiting_first() {
        let (store, mut out) = (table().await, Vec::new());
        attention(&store, at(60), false, &mut out).await.unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 10, "{text}");
        assert_eq!(lines[0], "ebay:second");
        assert_eq!(
            lines[2],
            "  reason       consent_ended, account ebay:second"
        );
        assert_eq!(lines[4], "  may spend    yes");
        assert_eq!(lines[5], "ebay:main/01-12345-67890");
        assert_eq!(lines[6], "  since        2026-02-02 02:46:00Z (54 min)");
        assert_eq!(lines[7], "  reason       tracking_refused, code 36");
        assert_eq!(lines[9], "  may spend    no");

        let mut out = Vec::new();
        attention(&store, at(60), true, &mut out).await.unwrap();
        let value: Value = serde_json::from_slice(&out).unwrap();
        let entries = value["attention"].as_array().unwrap();
        assert_eq!(entries[0]["waits"], "account");
        assert_eq!(entries[1]["id"], "ebay:main/01-12345-67890");
        assert_eq!(entries[1]["details"]["code"], "36");
        assert_eq!(entries[1]["may_spend"], false);
        assert_eq!(value["has_more"], false);
    }

    #[tokio::test]
    async fn nothing_that_waits_is_said_so() {
        let store = MemoryStore::new(Arc::new(ManualClock::at(at(0))));
        let mut out = Vec::new();
        attention(&store, at(0), false, &mut out).await.unwrap();
        assert_eq!(out, b"Nothing waits for a person.\n");
    }

    #[tokio::test]
    async fn an_order_is_shown_with_what_happened_and_without_its_buyer() {
        let store = table().await;
        for as_json in [false, true] {
            let mut out = Vec::new();
            show(&store, &key(), at(60), as_json, &mut out)
                .await
                .unwrap();
            let text = String::from_utf8(out).unwrap();
            for part in [
                "8123456",
                "LP00123",
                "tracking_refused",
                "aliexpress:main",
                "CAINIAO",
            ] {
                assert!(text.contains(part), "{part} is not in {text}");
            }
            assert!(!text.contains("Jane") && !text.contains('\u{1b}'), "{text}");
        }
        let mut out = Vec::new();
        show(&store, &key(), at(60), false, &mut out).await.unwrap();
        let text = String::from_utf8(out).unwrap();
        for line in [
            "  channel      paid, 45.00 USD, 2 × MUG-1, to US",
            "  2026-02-02 02:41:00Z  recorded          paid, 45.00 USD, 2 × MUG-1, to US",
            "  2026-02-02 02:44:00Z  placed            purchase 1, supplier's order 8123456",
            "  2026-02-02 02:46:00Z  attention_raised  tracking_refused, code 36",
        ] {
            assert!(
                text.contains(&format!("\n{line}\n")),
                "{line} is not in\n{text}"
            );
        }
    }

    #[tokio::test]
    async fn an_order_that_is_not_there_is_an_error() {
        let other: OrderKey = "ebay:main/02-1".parse().unwrap();
        let error = show(&table().await, &other, at(60), false, &mut Vec::new()).await;
        assert!(error.unwrap_err().to_string().contains("not in the table"));
    }
}
