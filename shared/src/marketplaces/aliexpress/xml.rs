//! Answers in XML, the old gateway's own form, read into the same values as its JSON.
//!
//! There are no namespaces and no attributes: an element with elements is an object, one that comes twice is a list, any
//! other is text. That is the shape of the JSON answers with all their list wrappers, so one set of types reads both.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};
use serde_json::{Map, Value};

/// Answers are six elements deep; what is deeper is not one.
const DEEPEST: usize = 32;

/// An element whose end was not read yet.
struct Open {
    name: String,
    text: String,
    fields: Map<String, Value>,
}

/// The document as an object with its root's name; `None` where it is no whole document of such a shape, or is a page
/// for people.
pub(super) fn value(body: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(body).ok()?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Open> = Vec::new();
    let mut root: Option<Value> = None;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                if open.len() >= DEEPEST || root.is_some() {
                    return None;
                }
                open.push(Open {
                    name: std::str::from_utf8(start.name().into_inner())
                        .ok()?
                        .to_owned(),
                    text: String::new(),
                    fields: Map::new(),
                });
            }
            Event::End(_) => {
                let (name, value) = close(open.pop()?);
                match open.last_mut() {
                    Some(parent) => add(&mut parent.fields, name, value),
                    None => root = Some(Value::Object(Map::from_iter([(name, value)]))),
                }
            }
            Event::Text(part) => push(&mut open, &part.xml10_content().ok()?)?,
            Event::CData(part) => push(&mut open, &part.xml10_content().ok()?)?,
            Event::GeneralRef(entity) => push(&mut open, &character(&entity)?.to_string())?,
            // Only what these names say could be answered: entities of a document's own are nobody's business here.
            Event::DocType(_) => return None,
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::Empty(_) => {}
            Event::Eof => break,
        }
    }
    let is_answer = |root: &Value| {
        let names = root.as_object().into_iter().flat_map(Map::keys);
        names
            .map(String::as_str)
            .all(|name| name.ends_with("_response"))
    };
    root.filter(|root| open.is_empty() && is_answer(root))
}

fn push(open: &mut [Open], text: &str) -> Option<()> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        // Outside of the root there may be blanks alone.
        None if text.trim().is_empty() => {}
        None => return None,
    }
    Some(())
}

fn character(entity: &BytesRef<'_>) -> Option<char> {
    if let Some(found) = entity.resolve_char_ref().ok()? {
        return Some(found);
    }
    match &*entity.decode().ok()? {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

fn close(element: Open) -> (String, Value) {
    let text = element.text.trim();
    let value = match (element.fields.is_empty(), text.is_empty()) {
        (false, _) => Value::Object(element.fields),
        (true, true) => Value::Null,
        (true, false) => Value::String(text.to_owned()),
    };
    (element.name, value)
}

fn add(fields: &mut Map<String, Value>, name: String, value: Value) {
    match fields.get_mut(&name) {
        None => drop(fields.insert(name, value)),
        Some(Value::Array(entries)) => entries.push(value),
        // Elements themselves are never lists, so a list here is of elements that came before.
        Some(first) => *first = Value::Array(vec![first.take(), value]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(text: &str) -> Option<Value> {
        value(text.as_bytes())
    }

    #[test]
    fn elements_become_what_the_json_says() {
        let text = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<a_response><result>\
            <list><entry><id>9007199254740993</id></entry><entry><id>2</id></entry></list>\
            <name>Fish &amp; Chips &#x263A; <![CDATA[<now>]]></name><none/><!-- no --></result></a_response>\n";
        let entries = json!([{"id": "9007199254740993"}, {"id": "2"}]);
        assert_eq!(
            read(text).unwrap(),
            json!({"a_response": {"result": {"list": {"entry": entries},
                "name": "Fish & Chips \u{263A} <now>", "none": null}}})
        );
    }

    #[test]
    fn what_is_no_whole_answer_is_none() {
        for text in [
            "",
            "text",
            "<html><body>502</body></html>",
            "<a_response><b>1</b>",
            "<a_response><b>1</c></a_response>",
            "<a_response/><a_response/>",
            "<a_response/>text",
            "<a_response>&own;</a_response>",
            "<!DOCTYPE a [<!ENTITY own \"x\">]><a_response>&own;</a_response>",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        let deep = format!(
            "{}{}",
            "<a_response>".repeat(40),
            "</a_response>".repeat(40)
        );
        assert_eq!(read(&deep), None);
        assert_eq!(value(b"<a_response>\xff</a_response>"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[<>/a-c_!&;\\[\\]?\"' -]{0,60}") {
            let _ = read(&text);
            let _ = read(&format!("<a_response>{text}</a_response>"));
        }
    }
}
