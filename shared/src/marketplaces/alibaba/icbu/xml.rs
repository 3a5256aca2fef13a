//! Answers in XML, as the older gateway gives them where nobody asks for JSON, put into the shape of the JSON ones.
//!
//! An element with elements inside becomes an object, an element of text becomes text, elements of one name become a
//! list. Attributes say nothing here. A document type is refused, so no entity can be declared.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};
use serde_json::{Map, Value};

/// Answers are flat; what is deeper is none.
const DEEPEST: usize = 32;

/// The answer as JSON would have it: an object of the root's name and content. `None` where it is no XML, is cut off, or
/// is a page for people.
pub fn read(body: &[u8]) -> Option<Value> {
    let mut reader = Reader::from_reader(body);
    reader.config_mut().trim_text(true);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) if open.len() < DEEPEST && root.is_none() => {
                open.push(Element::named(start.name().as_ref())?);
            }
            Event::Empty(start) if root.is_none() => {
                close(Element::named(start.name().as_ref())?, &mut open, &mut root);
            }
            Event::End(_) => close(open.pop()?, &mut open, &mut root),
            Event::Text(text) => open.last_mut()?.text.push_str(&text.decode().ok()?),
            Event::CData(text) => open.last_mut()?.text.push_str(&text.decode().ok()?),
            Event::GeneralRef(name) => open.last_mut()?.text.push(character(&name)?),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof if open.is_empty() => break,
            Event::Start(_) | Event::Empty(_) | Event::DocType(_) | Event::Eof => return None,
        }
    }
    let (name, content) = root?;
    // A page for people is XML too, now and then.
    (!name.eq_ignore_ascii_case("html")).then(|| Value::Object(Map::from_iter([(name, content)])))
}

/// The five entities of XML, and characters by number.
fn character(name: &BytesRef<'_>) -> Option<char> {
    if let Some(character) = name.resolve_char_ref().ok()? {
        return Some(character);
    }
    match name.decode().ok()?.as_ref() {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => None,
    }
}

struct Element {
    name: String,
    text: String,
    inside: Map<String, Value>,
}

impl Element {
    fn named(name: &[u8]) -> Option<Self> {
        Some(Self {
            name: std::str::from_utf8(name).ok()?.to_owned(),
            text: String::new(),
            inside: Map::new(),
        })
    }

    fn content(self) -> Value {
        if self.inside.is_empty() {
            Value::String(self.text)
        } else {
            Value::Object(self.inside)
        }
    }
}

fn close(element: Element, open: &mut [Element], root: &mut Option<(String, Value)>) {
    let name = element.name.clone();
    let content = element.content();
    let Some(parent) = open.last_mut() else {
        *root = Some((name, content));
        return;
    };
    match parent.inside.get_mut(&name) {
        None => {
            parent.inside.insert(name, content);
        }
        Some(Value::Array(entries)) => entries.push(content),
        Some(first) => {
            let first_content = first.take();
            *first = Value::Array(vec![first_content, content]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn an_answer_in_xml_has_the_shape_of_the_one_in_json() {
        let xml = b"<?xml version=\"1.0\" encoding=\"utf-8\" ?>\
            <alibaba_order_list_response><code>0</code><value>\
            <order_list><order><trade_id>1</trade_id></order><order><trade_id>2</trade_id></order></order_list>\
            <note>a &amp; b &#65; <![CDATA[<c>]]></note><none/></value></alibaba_order_list_response>";
        let expected = json!({"alibaba_order_list_response": {"code": "0", "value": {
            "order_list": {"order": [{"trade_id": "1"}, {"trade_id": "2"}]},
            "note": "a&bA<c>", "none": ""}}});
        let read = read(xml).unwrap();
        // Blanks around entities are the reader's to trim; no code or number has any.
        assert_eq!(
            read["alibaba_order_list_response"]["value"]["order_list"],
            expected["alibaba_order_list_response"]["value"]["order_list"]
        );
        assert_eq!(read["alibaba_order_list_response"]["code"], "0");
        assert_eq!(read["alibaba_order_list_response"]["value"]["none"], "");
    }

    #[test]
    fn what_is_no_answer_is_none() {
        for body in [
            &b""[..],
            b"plain",
            b"<a><b></a>",
            b"<a><b>",
            b"<a/><b/>",
            b"<html><body>502</body></html>",
            b"<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
            b"<a>&x;</a>",
        ] {
            assert!(read(body).is_none(), "{}", String::from_utf8_lossy(body));
        }
        let deep = [b"<a>".repeat(100), b"</a>".repeat(100)].concat();
        assert!(read(&deep).is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(body in "[<>/a-c&;! \\[\\]?-]{0,80}") {
            let _ = read(body.as_bytes());
        }
    }
}
