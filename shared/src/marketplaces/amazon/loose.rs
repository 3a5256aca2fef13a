//! Readers for fields that come in other shapes than documented: numbers as text, text as numbers, `null` and missing
//! lists. What cannot be read is absent, and `convert.rs` decides what may be absent; only an entry of a list that is no
//! object is an error, because a line that is left out would be a wrong order.

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error};
use serde_json::Value;

/// Text, or a number as text, without the blanks around it. Empty text is `None`.
pub(super) fn text<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(input)? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// An id: text, or a whole number as text. The text of another number (`8.19e+19`) would be another thing's id.
pub(super) fn id<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(input)? {
        Value::Number(number) if !number.is_u64() => Ok(None),
        value => text(value).map_err(Error::custom),
    }
}

/// A whole number, or one as text.
pub(super) fn whole<'de, D: Deserializer<'de>>(input: D) -> Result<Option<i64>, D::Error> {
    Ok(text(input)?.and_then(|text| text.strip_suffix(".0").unwrap_or(&text).parse().ok()))
}

/// A boolean, or one as text.
pub(super) fn flag<'de, D: Deserializer<'de>>(input: D) -> Result<Option<bool>, D::Error> {
    Ok(match Value::deserialize(input)? {
        Value::Bool(flag) => Some(flag),
        Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
        _ => None,
    })
}

/// A list; `null` is an empty one.
pub(super) fn list<'de, D, T>(input: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    match Value::deserialize(input)? {
        Value::Null => Ok(Vec::new()),
        value => needed_list(value).map_err(Error::custom),
    }
}

/// A list that must be there: taking nothing for it would be a wrong success.
pub(super) fn needed_list<'de, D, T>(input: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let Value::Array(entries) = Value::deserialize(input)? else {
        return Err(Error::custom("a list is something else"));
    };
    let read = entries.into_iter().map(serde_json::from_value);
    // What serde says repeats values, so it is dropped.
    read.map(|entry| entry.map_err(|_| Error::custom("an entry of a list is something else")))
        .collect()
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
        #[serde(default, deserialize_with = "list")]
        list: Vec<Inner>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Inner {
        #[serde(default, deserialize_with = "text")]
        name: Option<String>,
    }

    #[test]
    fn scalars_come_as_themselves_or_as_text_or_not_at_all() {
        for value in [
            json!({"text": "12", "whole": 57, "flag": true}),
            json!({"text": 12, "whole": "57", "flag": "True"}),
            json!({"text": " 12 ", "whole": 57.0, "flag": " true "}),
        ] {
            let sample: Sample = serde_json::from_value(value).unwrap();
            assert_eq!(sample.text.as_deref(), Some("12"));
            assert_eq!((sample.whole, sample.flag), (Some(57), Some(true)));
        }
        let absent = json!({"text": " ", "whole": {}, "flag": [], "list": null});
        let absent: Sample = serde_json::from_value(absent).unwrap();
        assert_eq!(absent, serde_json::from_value(json!({})).unwrap());
    }

    #[test]
    fn an_id_is_text_or_a_whole_number_and_a_price_any_number() {
        for (value, read) in [
            (json!("01-1"), Some("01-1")),
            (json!(50_001), Some("50001")),
            (json!(8.19e19), None),
            (json!(1.5), None),
            (json!(-1), None),
            (json!(true), None),
        ] {
            assert_eq!(id(&value).unwrap().as_deref(), read, "{value}");
        }
        assert_eq!(text(json!(7.25)).unwrap().as_deref(), Some("7.25"));
    }

    #[test]
    fn a_list_never_loses_an_entry() {
        let read = |value| serde_json::from_value::<Sample>(json!({"list": value}));
        assert_eq!(read(json!([{"name": "a"}, {}])).unwrap().list.len(), 2);
        for wrong in [
            json!([{"name": "a"}, 3]),
            json!({"name": "a"}),
            json!("Jane"),
        ] {
            let error = read(wrong).unwrap_err();
            assert!(error.is_data() && !error.to_string().contains("Jane"));
        }
    }
}
