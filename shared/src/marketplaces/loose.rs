//! Readers for fields that come in many shapes: numbers and booleans as text, lists wrapped in an object of one key,
//! bare or missing, `"null"` as text. They never fail: what cannot be read is absent, and `convert.rs` decides what may
//! be absent.

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::Value;

/// Text, or a number or boolean as text. Empty text and `null` are `None`. Whole numbers keep all their digits.
pub(super) fn text<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    Ok(as_text(&Value::deserialize(input)?))
}

/// An id: text, or a whole number as text. A number that is not whole, or too large to be kept exactly, is none: its text
/// (`8.19e+19`) would be another thing's id. A field whose presence alone says something is read as [`text`].
pub(super) fn id<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    Ok(as_id(&Value::deserialize(input)?))
}

/// A whole number, or one as text.
pub(super) fn whole<'de, D: Deserializer<'de>>(input: D) -> Result<Option<i64>, D::Error> {
    Ok(text(input)?.and_then(|text| text.strip_suffix(".0").unwrap_or(&text).parse().ok()))
}

/// A boolean, or one as text.
pub(super) fn flag<'de, D: Deserializer<'de>>(input: D) -> Result<Option<bool>, D::Error> {
    Ok(
        text(input)?.and_then(|text| match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }),
    )
}

/// An object, or one as JSON text.
pub(super) fn object<'de, D, T>(input: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let value = match Value::deserialize(input)? {
        Value::String(text) => serde_json::from_str(&text).unwrap_or_default(),
        value => value,
    };
    Ok(value
        .is_object()
        .then(|| serde_json::from_value(value).ok())
        .flatten())
}

/// A list of objects, wrapped or bare; entries of another kind are left out.
pub(super) fn list<'de, D, T>(input: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let entries = entries(Value::deserialize(input)?).into_iter();
    Ok(entries
        .filter_map(|entry| serde_json::from_value(entry).ok())
        .collect())
}

/// A list of objects of which none may be lost, wrapped or bare: an entry that is no object stays as `None`.
pub(super) fn all<'de, D, T>(input: D) -> Result<Vec<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let entries = entries(Value::deserialize(input)?).into_iter();
    Ok(entries
        .map(|entry| serde_json::from_value(entry).ok())
        .collect())
}

/// A list of ids, wrapped or bare. An entry that is no id stays in the list as `None`, because something is there.
pub(super) fn ids<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<Option<String>>, D::Error> {
    let entries = entries(Value::deserialize(input)?).into_iter();
    Ok(entries.map(|entry| as_id(&entry)).collect())
}

fn as_id(value: &Value) -> Option<String> {
    let is_id = match value {
        Value::String(_) => true,
        Value::Number(number) => number.is_u64(),
        _ => false,
    };
    as_text(value).filter(|_| is_id)
}

fn as_text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty() && text != "null").then_some(text)
}

fn entries(value: Value) -> Vec<Value> {
    match value {
        Value::Array(entries) => entries,
        Value::Object(fields) if fields.len() <= 1 => match fields.into_iter().next() {
            Some((_, Value::Array(entries))) => entries,
            Some((_, Value::Null)) | None => Vec::new(),
            Some((_, entry)) => vec![entry],
        },
        Value::Null => Vec::new(),
        Value::String(text) if text.is_empty() || text == "null" => Vec::new(),
        entry => vec![entry],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Sample {
        #[serde(default, deserialize_with = "text")]
        text: Option<String>,
        #[serde(default, deserialize_with = "whole")]
        whole: Option<i64>,
        #[serde(default, deserialize_with = "flag")]
        flag: Option<bool>,
        #[serde(default, deserialize_with = "ids")]
        ids: Vec<Option<String>>,
        #[serde(default, deserialize_with = "list")]
        list: Vec<Inner>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Inner {
        #[serde(default, deserialize_with = "text")]
        name: Option<String>,
    }

    fn read(value: Value) -> Sample {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn scalars_come_as_themselves_or_as_text() {
        for value in [
            json!({"text": 8198352049851315_u64, "whole": 57, "flag": true}),
            json!({"text": "8198352049851315", "whole": "57", "flag": "true"}),
            json!({"text": " 8198352049851315 ", "whole": 57.0, "flag": 1}),
        ] {
            let sample = read(value);
            assert_eq!(sample.text.as_deref(), Some("8198352049851315"));
            assert_eq!((sample.whole, sample.flag), (Some(57), Some(true)));
        }
        let absent = read(json!({"text": "null", "whole": null, "flag": {}, "ids": ""}));
        assert_eq!(absent, read(json!({})));
    }

    #[test]
    fn numbers_beyond_2_to_the_53_keep_their_digits() {
        let text = r#"{"text": 9007199254740993, "ids": [18446744073709551615]}"#;
        let sample: Sample = serde_json::from_str(text).unwrap();
        assert_eq!(sample.text.as_deref(), Some("9007199254740993"));
        assert_eq!(sample.ids, [Some("18446744073709551615".to_owned())]);
    }

    #[test]
    fn an_id_is_text_or_a_whole_number_and_a_price_any_number() {
        let id = |value: Value| super::id(value).unwrap();
        for value in [json!("8190000000000001"), json!(8_190_000_000_000_001_u64)] {
            assert_eq!(id(value).as_deref(), Some("8190000000000001"));
        }
        let largest = serde_json::from_str(r"81900000000000010000").unwrap();
        for value in [largest, json!(8.19e19), json!(1.5), json!(-1), json!(true)] {
            assert_eq!(id(value.clone()), None, "{value}");
            assert_eq!(read(json!({"ids": [value]})).ids, [None]);
        }
        assert_eq!(read(json!({"text": 7.25})).text.as_deref(), Some("7.25"));
    }

    #[test]
    fn lists_come_wrapped_bare_alone_or_not_at_all() {
        let two = vec![Some("1".to_owned()), Some("2".to_owned())];
        assert_eq!(read(json!({"ids": {"number": [1, "2"]}})).ids, two);
        assert_eq!(read(json!({"ids": ["1", 2]})).ids, two);
        assert_eq!(read(json!({"ids": {"number": 1}})).ids, two[..1]);
        assert_eq!(read(json!({"ids": 1})).ids, two[..1]);
        assert_eq!(read(json!({"ids": [{}]})).ids, [None]);
        let wrapped = read(json!({"list": {"entry": [{"name": "a"}, 3]}})).list;
        assert_eq!(
            wrapped,
            [Inner {
                name: Some("a".to_owned())
            }]
        );
    }
}
