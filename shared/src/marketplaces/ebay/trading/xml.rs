//! XML as the Trading API writes and reads it: small, plain and never trusted.
//!
//! A document becomes a tree of names, texts and attributes with no way to anything outside: document types are refused,
//! and with them every entity but the five of XML itself, so nothing can be expanded; how deep and how large a tree may
//! become is bounded, and it is read without recursion.

use quick_xml::{
    Reader,
    escape::escape,
    events::{BytesStart, Event},
};
use std::borrow::Cow;

/// How deep elements may stand in each other. eBay's stand about twelve deep.
const DEEPEST: usize = 48;
/// How many elements a document may have: a page of 100 orders has some 30,000.
const MOST_ELEMENTS: usize = 250_000;
/// How many attributes an element may have.
const MOST_ATTRIBUTES: usize = 16;

/// What is not XML, or not whole, or more than is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct NotXml;

/// An element. Names are local: prefixes are the sender's choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Element {
    name: String,
    text: String,
    attributes: Vec<(String, String)>,
    children: Vec<Element>,
}

impl Element {
    /// Its name without the prefix.
    pub(in super::super) fn name(&self) -> &str {
        &self.name
    }

    /// Its own text without the white space around it; empty where it has none.
    pub(in super::super) fn text(&self) -> &str {
        self.text.trim()
    }

    /// What it contains.
    pub(in super::super) fn children(&self) -> &[Self] {
        &self.children
    }

    /// The first child of a name.
    pub(in super::super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The child of a name where there is exactly one.
    pub(in super::super) fn only<'a>(&'a self, name: &'a str) -> Option<&'a Self> {
        let mut named = self.all(name);
        let first = named.next()?;
        named.next().is_none().then_some(first)
    }

    /// All children of a name, wherever they stand among others.
    pub(in super::super) fn all<'a>(
        &'a self,
        name: &'a str,
    ) -> impl Iterator<Item = &'a Self> + Clone {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The element at the end of a path of first children.
    pub(in super::super) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter()
            .try_fold(self, |element, name| element.child(name))
    }

    /// The text at the end of a path; `None` where there is none or it is empty.
    pub(in super::super) fn value(&self, path: &[&str]) -> Option<&str> {
        let text = self.at(path)?.text();
        (!text.is_empty()).then_some(text)
    }

    /// An attribute.
    pub(in super::super) fn attribute(&self, name: &str) -> Option<&str> {
        let mut named = self.attributes.iter().filter(|(known, _)| known == name);
        named.next().map(|(_, value)| value.as_str())
    }
}

/// Reads a document.
pub(in super::super) fn parse(bytes: &[u8]) -> Result<Element, NotXml> {
    let text = std::str::from_utf8(bytes).map_err(|_| NotXml)?;
    let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut open: Vec<Element> = Vec::new();
    let mut root: Option<Element> = None;
    let mut elements = 0;
    loop {
        let event = reader.read_event().map_err(|_| NotXml)?;
        match event {
            Event::Start(start) => {
                elements += 1;
                if root.is_some() || open.len() >= DEEPEST || elements > MOST_ELEMENTS {
                    return Err(NotXml);
                }
                open.push(element(&start)?);
            }
            Event::Empty(start) => {
                elements += 1;
                if root.is_some() || open.len() >= DEEPEST || elements > MOST_ELEMENTS {
                    return Err(NotXml);
                }
                close(element(&start)?, &mut open, &mut root);
            }
            Event::End(_) => close(open.pop().ok_or(NotXml)?, &mut open, &mut root),
            Event::Text(text) => add(&mut open, &text.xml10_content().map_err(|_| NotXml)?)?,
            Event::CData(text) => add(&mut open, &text.xml10_content().map_err(|_| NotXml)?)?,
            Event::GeneralRef(reference) => {
                let meant = match reference.resolve_char_ref().map_err(|_| NotXml)? {
                    Some(meant) => meant,
                    None => predefined(&reference.decode().map_err(|_| NotXml)?)?,
                };
                if meant.is_control() && !matches!(meant, '\t' | '\n' | '\r') {
                    return Err(NotXml);
                }
                add(&mut open, meant.encode_utf8(&mut [0; 4]))?;
            }
            Event::DocType(_) => return Err(NotXml),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof if open.is_empty() => return root.ok_or(NotXml),
            Event::Eof => return Err(NotXml),
        }
    }
}

fn element(start: &BytesStart<'_>) -> Result<Element, NotXml> {
    let local = |name: &[u8]| String::from_utf8(name.to_vec()).map_err(|_| NotXml);
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| NotXml)?;
        if attributes.len() == MOST_ATTRIBUTES {
            return Err(NotXml);
        }
        let value = attribute.unescape_value().map_err(|_| NotXml)?.into_owned();
        attributes.push((local(attribute.key.local_name().as_ref())?, value));
    }
    Ok(Element {
        name: local(start.local_name().as_ref())?,
        text: String::new(),
        attributes,
        children: Vec::new(),
    })
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None => *root = Some(element),
    }
}

/// Outside of the root only white space may stand.
fn add(open: &mut [Element], text: &str) -> Result<(), NotXml> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(NotXml),
    }
    Ok(())
}

fn predefined(name: &str) -> Result<char, NotXml> {
    Ok(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => return Err(NotXml),
    })
}

/// Writes a request.
#[derive(Debug)]
pub(in super::super) struct Writer {
    text: String,
}

impl Writer {
    /// The request of a call, with what `fill` writes into it.
    pub(in super::super) fn request(call: &str, fill: impl FnOnce(&mut Self)) -> String {
        let mut writer = Self {
            text: format!(
                "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<{call}Request xmlns=\"urn:ebay:apis:eBLBaseComponents\">"
            ),
        };
        fill(&mut writer);
        writer.text.push_str(&format!("</{call}Request>"));
        writer.text
    }

    /// An element with text.
    pub(in super::super) fn leaf(&mut self, name: &str, text: &str) {
        let text = escape(plain(text));
        self.text.push_str(&format!("<{name}>{text}</{name}>"));
    }

    /// An element with an attribute and text.
    pub(in super::super) fn leaf_with(&mut self, name: &str, attribute: (&str, &str), text: &str) {
        let ((key, value), text) = (attribute, escape(plain(text)));
        let value = escape(plain(value));
        self.text
            .push_str(&format!("<{name} {key}=\"{value}\">{text}</{name}>"));
    }

    /// An element with others in it.
    pub(in super::super) fn nest(&mut self, name: &str, fill: impl FnOnce(&mut Self)) {
        self.text.push_str(&format!("<{name}>"));
        fill(self);
        self.text.push_str(&format!("</{name}>"));
    }
}

/// Text without the characters that XML cannot hold, however they are written.
fn plain(text: &str) -> Cow<'_, str> {
    let is_bad = |c: char| {
        (c.is_control() && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    if text.contains(is_bad) {
        Cow::Owned(text.replace(is_bad, ""))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_texts_and_attributes_are_read_whatever_their_prefix() {
        let text = "\u{feff}<?xml version=\"1.0\"?>\n<!-- c --><a:R xmlns:a=\"u\">\n<a:X n=\"1 &amp; 2\"> a&#65;&lt;<![CDATA[<&>]]> </a:X><Y/><X/></a:R>\n";
        let root = parse(text.as_bytes()).unwrap();
        assert_eq!((root.name(), root.text()), ("R", ""));
        let first = root.child("X").unwrap();
        assert_eq!(
            (first.text(), first.attribute("n")),
            ("aA<<&>", Some("1 & 2"))
        );
        assert_eq!((root.all("X").count(), root.only("X")), (2, None));
        assert!(root.only("Y").is_some_and(|y| y.text().is_empty()));
        assert_eq!(root.value(&["Y"]), None);
    }

    #[test]
    fn nothing_is_expanded_and_nothing_grows_without_bound() {
        let billion = "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>";
        let outside = "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>";
        let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        let wide = format!("<a>{}</a>", "<b/>".repeat(MOST_ELEMENTS));
        for hostile in [billion, outside, &deep, &wide, "<a>&b;</a>", "<a>&#0;</a>"] {
            assert_eq!(parse(hostile.as_bytes()), Err(NotXml));
        }
        for broken in [
            "",
            " ",
            "text",
            "<a>",
            "<a><b></a>",
            "</a>",
            "<a/><b/>",
            "<a/>text",
            "{\"a\":1}",
            "<a b=\"1\" b=\"2\"/>",
            "<a>& b</a>",
        ] {
            assert_eq!(parse(broken.as_bytes()), Err(NotXml), "{broken}");
        }
        assert_eq!(parse(b"<a>\xff</a>"), Err(NotXml));
    }

    proptest! {
        #[test]
        fn whatever_is_read_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn what_looks_like_xml_never_panics(text in "[<>/&;#a-c \"=!\\[\\]\\-?]{0,60}") {
            let _ = parse(text.as_bytes());
        }

        #[test]
        fn what_is_written_is_read_back(text in any::<String>()) {
            let request = Writer::request("X", |writer| writer.leaf("T", &text));
            let read = parse(request.as_bytes()).unwrap();
            // A carriage return is read as a new line (XML 1.0, 2.11).
            let same = plain(&text).replace("\r\n", "\n").replace('\r', "\n");
            prop_assert_eq!(read.only("T").unwrap().text(), same.trim());
        }
    }
}
