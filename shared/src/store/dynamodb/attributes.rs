//! Items as DynamoDB's attributes and back.

use super::Attributes;
use crate::store::{Due, Item, Key, StoreError};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use std::collections::BTreeMap;

pub(super) const PK: &str = "pk";
pub(super) const SK: &str = "sk";
pub(super) const VERSION: &str = "v";
pub(super) const BODY: &str = "body";
pub(super) const DUE_LANE: &str = "due_lane";
/// Milliseconds since 1970.
pub(super) const DUE_AT: &str = "due_at";
/// Seconds since 1970, as DynamoDB's expiry wants them.
pub(super) const EXPIRES_AT: &str = "expires_at";
/// Counters are attributes of their own, so that an update can add to one and look at its value.
pub(super) const COUNTER: &str = "c_";

pub(super) fn of_key(key: &Key) -> Attributes {
    Attributes::from([
        (PK.to_owned(), AttributeValue::S(key.pk.clone())),
        (SK.to_owned(), AttributeValue::S(key.sk.clone())),
    ])
}

pub(super) fn of_item(item: Item) -> Attributes {
    let mut attributes = of_key(&item.key);
    let mut put = |name: &str, value| attributes.insert(name.to_owned(), value);
    put(VERSION, number(item.version));
    put(BODY, AttributeValue::S(item.body));
    if let Some(due) = item.due {
        put(DUE_LANE, AttributeValue::S(due.lane));
        put(DUE_AT, number(due.at.as_millisecond()));
    }
    if let Some(expires_at) = item.expires_at {
        put(EXPIRES_AT, number(expires_at.as_second()));
    }
    for (name, value) in item.counters {
        put(&format!("{COUNTER}{name}"), number(value));
    }
    attributes
}

pub(super) fn to_item(mut attributes: Attributes) -> Result<Item, StoreError> {
    let key = take_key(&mut attributes)?;
    read(key.clone(), attributes)
        .map_err(|error| StoreError::Refused(format!("item {} {}: {error}", key.pk, key.sk)))
}

pub(super) fn to_key(mut attributes: Attributes) -> Result<Key, StoreError> {
    take_key(&mut attributes)
}

fn take_key(attributes: &mut Attributes) -> Result<Key, StoreError> {
    Ok(Key {
        pk: text(attributes, PK)?,
        sk: text(attributes, SK)?,
    })
}

pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn read(key: Key, mut attributes: Attributes) -> Result<Item, StoreError> {
    let version = integer(&mut attributes, VERSION)?.ok_or_else(|| wrong(VERSION))?;
    let version = u64::try_from(version).map_err(|_| wrong(VERSION))?;
    let mut item = Item::new(key, version, text(&mut attributes, BODY)?);
    if let Some(at) = integer(&mut attributes, DUE_AT)? {
        item.due = Some(Due {
            lane: text(&mut attributes, DUE_LANE)?,
            at: Timestamp::from_millisecond(at).map_err(|_| wrong(DUE_AT))?,
        });
    }
    if let Some(at) = integer(&mut attributes, EXPIRES_AT)? {
        item.expires_at = Some(Timestamp::from_second(at).map_err(|_| wrong(EXPIRES_AT))?);
    }
    item.counters = counters(attributes)?;
    Ok(item)
}

fn counters(attributes: Attributes) -> Result<BTreeMap<String, i64>, StoreError> {
    let mut counters = BTreeMap::new();
    for (attribute, value) in attributes {
        if let Some(name) = attribute.strip_prefix(COUNTER) {
            let value = parse(&value).ok_or_else(|| wrong(&attribute))?;
            counters.insert(name.to_owned(), value);
        }
    }
    Ok(counters)
}

fn text(attributes: &mut Attributes, name: &str) -> Result<String, StoreError> {
    match attributes.remove(name) {
        Some(AttributeValue::S(text)) => Ok(text),
        _ => Err(wrong(name)),
    }
}

fn integer(attributes: &mut Attributes, name: &str) -> Result<Option<i64>, StoreError> {
    match attributes.remove(name) {
        None => Ok(None),
        Some(value) => parse(&value).map(Some).ok_or_else(|| wrong(name)),
    }
}

fn parse(value: &AttributeValue) -> Option<i64> {
    value.as_n().ok()?.parse().ok()
}

fn wrong(attribute: &str) -> StoreError {
    StoreError::Refused(format!(
        "the attribute {attribute} is missing or not of its type"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_survives_the_way_there_and_back() {
        let mut item = Item::new(Key::new("A", "B"), 7, "{\"ü\":1}".to_owned());
        item.due = Some(Due {
            lane: "forward".to_owned(),
            at: Timestamp::from_millisecond(1_700_000_000_123).unwrap(),
        });
        item.expires_at = Some(Timestamp::from_second(1_800_000_000).unwrap());
        item.counters = BTreeMap::from([("free".to_owned(), -3)]);
        assert_eq!(to_item(of_item(item.clone())).unwrap(), item);
    }

    #[test]
    fn an_item_without_a_version_is_refused_by_name() {
        let mut attributes = of_item(Item::new(Key::new("A", "B"), 1, String::new()));
        attributes.remove(VERSION);
        let error = to_item(attributes).unwrap_err().to_string();
        assert!(
            error.contains("A B") && error.contains("attribute v"),
            "{error}"
        );
    }
}
