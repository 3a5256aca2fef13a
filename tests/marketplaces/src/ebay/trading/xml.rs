//! XML in and out, written apart from the code under test.

use quick_xml::NsReader;
use quick_xml::events::BytesStart;
use quick_xml::events::Event;
use quick_xml::name::ResolveResult;

pub(super) use quick_xml::escape::escape;

/// An element of a request.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) currency: Option<String>,
    text: String,
    pub(super) children: Vec<Node>,
}

impl Node {
    /// The root of a request; `None` where it is not well-formed.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let mut reader = NsReader::from_str(std::str::from_utf8(body).ok()?);
        let mut open = vec![Self::default()];
        loop {
            let (namespace, event) = reader.read_resolved_event().ok()?;
            let namespace = match namespace {
                ResolveResult::Bound(bound) => String::from_utf8(bound.as_ref().to_vec()).ok()?,
                _ => String::new(),
            };
            match event {
                Event::Start(start) => open.push(Self::of(&start, namespace)?),
                Event::Empty(start) => {
                    let node = Self::of(&start, namespace)?;
                    open.last_mut()?.children.push(node);
                }
                Event::End(_) => {
                    let node = open.pop()?;
                    open.last_mut()?.children.push(node);
                }
                Event::Text(text) => open.last_mut()?.text.push_str(&text.decode().ok()?),
                Event::CData(text) => open.last_mut()?.text.push_str(&text.decode().ok()?),
                Event::GeneralRef(name) => {
                    let name = name.decode().ok()?.into_owned();
                    let text = quick_xml::escape::unescape(&format!("&{name};"))
                        .ok()?
                        .into_owned();
                    open.last_mut()?.text.push_str(&text);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        let document = open.pop().filter(|_| open.is_empty())?;
        document.children.into_iter().next()
    }

    fn of(start: &BytesStart<'_>, namespace: String) -> Option<Self> {
        let currency = start.try_get_attribute("currencyID").ok()?;
        let currency = match currency {
            Some(currency) => Some(currency.unescape_value().ok()?.into_owned()),
            None => None,
        };
        Some(Self {
            name: String::from_utf8(start.local_name().as_ref().to_vec()).ok()?,
            namespace,
            currency,
            ..Self::default()
        })
    }

    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of a child; `None` where it is missing or empty.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        let text = self.child(name)?.text.trim();
        (!text.is_empty()).then_some(text)
    }

    pub(super) fn text(&self) -> &str {
        self.text.trim()
    }
}

/// An element with text.
pub(super) fn leaf(name: &str, text: impl AsRef<str>) -> String {
    format!("<{name}>{}</{name}>", escape(text.as_ref()))
}

/// An amount.
pub(super) fn amount(name: &str, money: &crate::money::Money) -> String {
    let (value, currency) = (money.decimal(), &money.currency);
    format!("<{name} currencyID=\"{currency}\">{value}</{name}>")
}
