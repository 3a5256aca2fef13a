//! The store on DynamoDB.
//!
//! The table has the string keys `pk` and `sk`, expires items by `expires_at`, and has an index `due` over `due_lane`
//! and `due_at` that holds whole items.
//!
//! **Invariant:** a write is never applied twice, and `Conflict` is only said of a write that was not applied. A
//! transaction carries a token under which DynamoDB applies it once. A single write that adds or has a condition is
//! cheaper without a token, so it is sent again only after an answer that rules out that it was applied.

mod attributes;
mod expression;
mod retry;

use super::{Item, Key, Page, Scan, Store, StoreError, Write, WriteError, check};
use crate::{aws::Fault, clock::Clock};
use async_trait::async_trait;
use attributes::{DUE_AT, DUE_LANE, PK, SK};
use aws_sdk_dynamodb::{
    Client,
    error::{BuildError, ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        AttributeValue, CancellationReason, ConditionCheck, Delete, KeysAndAttributes, Put,
        TransactWriteItem, Update,
    },
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use expression::Expression;
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    error::Error,
    sync::Arc,
    time::Duration,
};

const DUE_INDEX: &str = "due";
/// The most items that one call reads (DynamoDB's own limit).
const MOST_READ: usize = 100;
/// How often what an answer left out is asked for.
const MOST_READINGS: u32 = 6;
/// Before what was left out is asked for again; longer each time.
const UNREAD_PAUSE: Duration = Duration::from_millis(40);

type Attributes = HashMap<String, AttributeValue>;

/// A table of DynamoDB.
#[derive(Debug, Clone)]
pub struct DynamoDb {
    client: Client,
    table: String,
    clock: Arc<dyn Clock>,
}

impl DynamoDb {
    /// The table named `table`; the clock decides what has expired.
    pub fn new(client: Client, table: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self {
            client,
            table: table.into(),
            clock,
        }
    }

    /// Reads pages until `most` live items are there or nothing is left. Expired items are deleted by DynamoDB within
    /// days, so a page may hold none that counts.
    async fn collect(&self, range: &Range, most: usize) -> Result<Vec<Item>, StoreError> {
        let now = self.clock.now();
        let mut items = Vec::new();
        let mut start = range.start.clone();
        while items.len() < most {
            let wanted = i32::try_from(most - items.len()).unwrap_or(i32::MAX);
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .set_index_name(range.index.map(str::to_owned))
                .consistent_read(range.index.is_none())
                .key_condition_expression(&range.condition)
                .set_expression_attribute_names(Some(range.names.clone()))
                .set_expression_attribute_values(Some(range.values.clone()))
                .set_exclusive_start_key(start)
                .limit(wanted)
                .send()
                .await
                .map_err(|error| failed(&error))?;
            for attributes in answer.items.unwrap_or_default() {
                let item = attributes::to_item(attributes)?;
                if !item.is_expired(now) {
                    items.push(item);
                }
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(items)
    }

    /// Reads up to [`MOST_READ`] items with one call, and what DynamoDB left out of its answer with further ones.
    async fn read_together(
        &self,
        keys: &[&Key],
        found: &mut BTreeMap<Key, Item>,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut wanted: Vec<Attributes> = keys.iter().map(|key| attributes::of_key(key)).collect();
        for attempt in 0..MOST_READINGS {
            if attempt > 0 {
                self.clock.sleep(UNREAD_PAUSE * attempt).await;
            }
            let request = KeysAndAttributes::builder()
                .set_keys(Some(wanted))
                .consistent_read(true)
                .build()
                .map_err(|error| StoreError::Refused(error.to_string()))?;
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.table, request)
                .send()
                .await
                .map_err(|error| failed(&error))?;
            for attributes in answer
                .responses
                .into_iter()
                .flatten()
                .flat_map(|(_, it)| it)
            {
                let item = attributes::to_item(attributes)?;
                if !item.is_expired(now) {
                    found.insert(item.key.clone(), item);
                }
            }
            let left = answer.unprocessed_keys.into_iter().flatten();
            wanted = left.flat_map(|(_, left)| left.keys).collect();
            if wanted.is_empty() {
                return Ok(());
            }
        }
        let problem = "the table is too busy to read many items at once";
        Err(StoreError::Unavailable(problem.to_owned()))
    }

    async fn write_one(&self, write: Write) -> Result<(), WriteError> {
        let now = self.clock.now();
        match write {
            Write::Put { item, only_if } => self.put(item, Expression::put(only_if, now)).await,
            Write::Update {
                key,
                set_body,
                set_due,
                add,
                only_if,
            } => {
                let expression = Expression::update(set_body, set_due, &add, &only_if, now);
                self.update(&key, expression).await
            }
            Write::Delete { key } => {
                let call = self.client.delete_item().table_name(&self.table);
                let sent = call.set_key(Some(attributes::of_key(&key))).send().await;
                sent.map_err(|error| single(&error))?;
                Ok(())
            }
            Write::DeleteIf { key, only_if } => {
                self.delete(&key, Expression::check(&only_if, now)).await
            }
        }
    }

    async fn delete(&self, key: &Key, expression: Expression) -> Result<(), WriteError> {
        let call = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(attributes::of_key(key)))
            .set_condition_expression(expression.condition)
            .set_expression_attribute_names(expression.names)
            .set_expression_attribute_values(expression.values);
        let config = retry::only_after_a_refusal();
        let sent = call.customize().config_override(config).send().await;
        sent.map_err(|error| single(&error))?;
        Ok(())
    }

    async fn put(&self, item: Item, expression: Expression) -> Result<(), WriteError> {
        let guarded = expression.condition.is_some();
        let call = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(attributes::of_item(item)))
            .set_condition_expression(expression.condition)
            .set_expression_attribute_names(expression.names)
            .set_expression_attribute_values(expression.values);
        let sent = if guarded {
            let config = retry::only_after_a_refusal();
            call.customize().config_override(config).send().await
        } else {
            call.send().await
        };
        sent.map_err(|error| single(&error))?;
        Ok(())
    }

    async fn update(&self, key: &Key, expression: Expression) -> Result<(), WriteError> {
        let call = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(attributes::of_key(key)))
            .set_update_expression(expression.update)
            .set_condition_expression(expression.condition)
            .set_expression_attribute_names(expression.names)
            .set_expression_attribute_values(expression.values);
        let config = retry::only_after_a_refusal();
        let sent = call.customize().config_override(config).send().await;
        sent.map_err(|error| single(&error))?;
        Ok(())
    }

    async fn write_together(&self, writes: Vec<Write>) -> Result<(), WriteError> {
        let now = self.clock.now();
        let writes = writes
            .into_iter()
            .map(|write| self.part(write, now))
            .collect::<Result<_, BuildError>>()
            .map_err(|error| StoreError::Refused(error.to_string()))?;
        let sent = self
            .client
            .transact_write_items()
            .client_request_token(hex::encode(rand::random::<[u8; 16]>()))
            .set_transact_items(Some(writes))
            .send()
            .await;
        sent.map_err(|error| together(&error))?;
        Ok(())
    }

    fn part(&self, write: Write, now: Timestamp) -> Result<TransactWriteItem, BuildError> {
        let part = TransactWriteItem::builder();
        let part = match write {
            Write::Put { item, only_if } => {
                let expression = Expression::put(only_if, now);
                let put = Put::builder()
                    .table_name(&self.table)
                    .set_item(Some(attributes::of_item(item)))
                    .set_condition_expression(expression.condition)
                    .set_expression_attribute_names(expression.names)
                    .set_expression_attribute_values(expression.values);
                part.put(put.build()?)
            }
            Write::Update {
                key,
                set_body,
                set_due,
                add,
                only_if,
            } => {
                let expression = Expression::update(set_body, set_due, &add, &only_if, now);
                self.update_part(part, &key, expression)?
            }
            Write::Delete { key } => {
                let delete = Delete::builder().table_name(&self.table);
                let delete = delete.set_key(Some(attributes::of_key(&key)));
                part.delete(delete.build()?)
            }
            Write::DeleteIf { key, only_if } => {
                let expression = Expression::check(&only_if, now);
                let delete = Delete::builder()
                    .table_name(&self.table)
                    .set_key(Some(attributes::of_key(&key)))
                    .set_condition_expression(expression.condition)
                    .set_expression_attribute_names(expression.names)
                    .set_expression_attribute_values(expression.values);
                part.delete(delete.build()?)
            }
        };
        Ok(part.build())
    }

    /// An update that changes nothing is a check: DynamoDB takes no update without an expression in a transaction.
    fn update_part(
        &self,
        part: aws_sdk_dynamodb::types::builders::TransactWriteItemBuilder,
        key: &Key,
        expression: Expression,
    ) -> Result<aws_sdk_dynamodb::types::builders::TransactWriteItemBuilder, BuildError> {
        let key = Some(attributes::of_key(key));
        if expression.update.is_none() {
            let check = ConditionCheck::builder()
                .table_name(&self.table)
                .set_key(key)
                .set_condition_expression(expression.condition)
                .set_expression_attribute_names(expression.names)
                .set_expression_attribute_values(expression.values);
            return Ok(part.condition_check(check.build()?));
        }
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(key)
            .set_update_expression(expression.update)
            .set_condition_expression(expression.condition)
            .set_expression_attribute_names(expression.names)
            .set_expression_attribute_values(expression.values);
        Ok(part.update(update.build()?))
    }
}

#[async_trait]
impl Store for DynamoDb {
    async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(attributes::of_key(key)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| failed(&error))?;
        let item = answer.item.map(attributes::to_item).transpose()?;
        Ok(item.filter(|item| !item.is_expired(self.clock.now())))
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        // A call refuses a key that it has twice.
        let distinct: Vec<&Key> = keys.iter().collect::<BTreeSet<_>>().into_iter().collect();
        let mut found = BTreeMap::new();
        for keys in distinct.chunks(MOST_READ) {
            self.read_together(keys, &mut found).await?;
        }
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    async fn query(
        &self,
        pk: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let Some(range) = Range::of_partition(pk, prefix, after) else {
            return Ok(Page::default());
        };
        let limit = limit.max(1);
        // One more than was asked for tells whether there is more.
        let items = self.collect(&range, limit.saturating_add(1)).await?;
        Ok(Page::of(items, limit))
    }

    async fn scan(
        &self,
        pk_prefix: &str,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Scan, StoreError> {
        let now = self.clock.now();
        let prefix = AttributeValue::S(pk_prefix.to_owned());
        // It refuses an empty prefix.
        let filter = (!pk_prefix.is_empty()).then(|| {
            let names = HashMap::from([("#pk".to_owned(), PK.to_owned())]);
            (names, HashMap::from([(":prefix".to_owned(), prefix)]))
        });
        let (names, values) = filter.unzip();
        let answer = self
            .client
            .scan()
            .table_name(&self.table)
            .consistent_read(true)
            .set_filter_expression(
                names
                    .is_some()
                    .then(|| "begins_with(#pk, :prefix)".to_owned()),
            )
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .set_exclusive_start_key(after.map(attributes::of_key))
            .limit(i32::try_from(limit.max(1)).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| failed(&error))?;
        let mut scan = Scan::default();
        for attributes in answer.items.unwrap_or_default() {
            let item = attributes::to_item(attributes)?;
            if !item.is_expired(now) {
                scan.items.push(item);
            }
        }
        let next = answer.last_evaluated_key;
        scan.next = next.map(attributes::to_key).transpose()?;
        Ok(scan)
    }

    async fn write(&self, mut writes: Vec<Write>) -> Result<(), WriteError> {
        check(&writes)?;
        match writes.pop() {
            Some(write) if writes.is_empty() => self.write_one(write).await,
            Some(last) => {
                writes.push(last);
                self.write_together(writes).await
            }
            None => Ok(()),
        }
    }

    async fn due(
        &self,
        lane: &str,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Item>, StoreError> {
        // DynamoDB refuses a span that ends before it begins.
        if from > until {
            return Ok(Vec::new());
        }
        self.collect(&Range::of_lane(lane, from, until), limit)
            .await
    }
}

/// What a query reads.
#[derive(Debug)]
struct Range {
    index: Option<&'static str>,
    condition: String,
    names: HashMap<String, String>,
    values: Attributes,
    start: Option<Attributes>,
}

impl Range {
    /// None if nothing with this prefix can come after `after`.
    fn of_partition(pk: &str, prefix: &str, after: Option<&str>) -> Option<Self> {
        // DynamoDB refuses a start outside of the prefix.
        let start = match after {
            Some(after) if after.starts_with(prefix) => {
                Some(attributes::of_key(&Key::new(pk, after)))
            }
            Some(after) if after > prefix => return None,
            _ => None,
        };
        let mut names = HashMap::from([("#pk".to_owned(), PK.to_owned())]);
        let mut values = HashMap::from([(":pk".to_owned(), AttributeValue::S(pk.to_owned()))]);
        let mut condition = "#pk = :pk".to_owned();
        // It also refuses an empty prefix.
        if !prefix.is_empty() {
            condition.push_str(" AND begins_with(#sk, :prefix)");
            names.insert("#sk".to_owned(), SK.to_owned());
            values.insert(":prefix".to_owned(), AttributeValue::S(prefix.to_owned()));
        }
        Some(Self {
            index: None,
            condition,
            names,
            values,
            start,
        })
    }

    fn of_lane(lane: &str, from: Timestamp, until: Timestamp) -> Self {
        let number = |at: Timestamp| AttributeValue::N(at.as_millisecond().to_string());
        Self {
            index: Some(DUE_INDEX),
            condition: "#lane = :lane AND #at BETWEEN :from AND :until".to_owned(),
            names: HashMap::from([
                ("#lane".to_owned(), DUE_LANE.to_owned()),
                ("#at".to_owned(), DUE_AT.to_owned()),
            ]),
            values: HashMap::from([
                (":lane".to_owned(), AttributeValue::S(lane.to_owned())),
                (":from".to_owned(), number(from)),
                (":until".to_owned(), number(until)),
            ]),
            start: None,
        }
    }
}

fn failed<E>(error: &SdkError<E, HttpResponse>) -> StoreError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let fault = Fault::of(error);
    if fault.passing {
        StoreError::Unavailable(fault.text)
    } else {
        StoreError::Refused(fault.text)
    }
}

fn single<E>(error: &SdkError<E, HttpResponse>) -> WriteError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error.code() {
        Some("ConditionalCheckFailedException") => WriteError::Conflict(vec![0]),
        Some("TransactionConflictException") => WriteError::Contended,
        _ => failed(error).into(),
    }
}

fn together(error: &SdkError<TransactWriteItemsError, HttpResponse>) -> WriteError {
    if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    {
        return cancelled_because(cancelled.cancellation_reasons());
    }
    // A transaction in progress under our own token may yet be applied, so it stays a doubt: Unavailable.
    failed(error).into()
}

fn cancelled_because(reasons: &[CancellationReason]) -> WriteError {
    let places = |code| {
        let found = reasons.iter().enumerate();
        found
            .filter(move |(_, reason)| reason.code() == Some(code))
            .map(|(place, _)| place)
            .collect::<Vec<_>>()
    };
    let conflicts = places("ConditionalCheckFailed");
    if !conflicts.is_empty() {
        return WriteError::Conflict(conflicts);
    }
    if !places("TransactionConflict").is_empty() {
        return WriteError::Contended;
    }
    let text = reasons
        .iter()
        .filter_map(|reason| Some((reason.code()?, reason.message().unwrap_or_default())))
        .filter(|(code, _)| *code != "None")
        .map(|(code, message)| format!("{code}: {message}"))
        .collect::<Vec<_>>()
        .join("; ");
    let throttled = ["ThrottlingError", "ProvisionedThroughputExceeded"];
    if throttled.iter().any(|code| !places(code).is_empty()) {
        return StoreError::Unavailable(text).into();
    }
    StoreError::Refused(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(codes: &[&str]) -> Vec<CancellationReason> {
        let reason = |code: &&str| CancellationReason::builder().code(*code).build();
        codes.iter().map(reason).collect()
    }

    #[test]
    fn failed_conditions_are_told_by_their_places() {
        let cancelled = cancelled_because(&reasons(&[
            "None",
            "ConditionalCheckFailed",
            "TransactionConflict",
            "ConditionalCheckFailed",
        ]));
        assert!(matches!(cancelled, WriteError::Conflict(places) if places == [1, 3]));
    }

    #[test]
    fn a_busy_item_is_contention_and_a_throttled_one_passes() {
        let busy = cancelled_because(&reasons(&["None", "TransactionConflict"]));
        assert!(matches!(busy, WriteError::Contended));
        let throttled = cancelled_because(&reasons(&["ThrottlingError", "None"]));
        assert!(matches!(
            throttled,
            WriteError::Store(StoreError::Unavailable(_))
        ));
        let wrong = cancelled_because(&reasons(&["ValidationError"]));
        assert!(matches!(wrong, WriteError::Store(StoreError::Refused(_))));
    }

    #[test]
    fn a_start_outside_of_the_prefix_is_never_sent() {
        let before = Range::of_partition("A", "OFFER#", Some("LISTING#1")).unwrap();
        assert_eq!(before.start, None);
        assert!(Range::of_partition("A", "OFFER#", Some("STATE")).is_none());
        let inside = Range::of_partition("A", "OFFER#", Some("OFFER#1")).unwrap();
        assert!(inside.start.is_some());
    }
}
