//! What a document says: the fields of a sku, its listings, its offers and its parts.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use kervan::domain::{Bundle, Part, Sku};
use kervan::flows::catalog::Terms;
use kervan::store::MOST_WRITES;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::cells::{Cell, Cells, Fault};
use super::super::columns::Column;
use crate::command::text::plain;

/// Reads the document that begins on this line: its sku as it is written, and what it brings.
pub(super) fn read(text: &[u8], line: u64) -> (String, Result<Terms, Vec<Fault>>) {
    match serde_json::from_slice::<Document<'_>>(text) {
        Err(error) => (String::new(), Err(vec![unreadable(&error, line)])),
        Ok(document) => {
            let sku = match &document.sku {
                Some(Value(Cell::Text(text))) => plain(text).chars().take(60).collect(),
                _ => String::new(),
            };
            (sku, document.terms())
        }
    }
}

/// What the reader of JSON says, with the line of the file.
fn unreadable(error: &serde_json::Error, line: u64) -> Fault {
    let text = plain(&error.to_string());
    let text = text
        .rsplit_once(" at line ")
        .map_or(&*text, |(text, _)| text);
    let text: String = text.chars().take(300).collect();
    let line = line + (error.line() as u64).saturating_sub(1);
    Fault::of_all(format!("{text} (line {line}, column {})", error.column()))
}

/// A sku as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    #[serde(borrow)]
    sku: Option<Value<'a>>,
    #[serde(borrow, default)]
    listings: Vec<Fields<'a>>,
    #[serde(borrow, default)]
    offers: Vec<Fields<'a>>,
    #[serde(borrow, default)]
    bundle: Vec<Fields<'a>>,
}

impl Document<'_> {
    /// Everything is read before the first fault ends it, so that all are told at once.
    fn terms(self) -> Result<Terms, Vec<Fault>> {
        let mut faults = Vec::new();
        let parts = self.bundle.len();
        // A bundle is an item of its own, and a new offer is two: itself, and whose it is.
        let items = self.listings.len() + 2 * self.offers.len() + parts + usize::from(parts > 0);
        if items > MOST_WRITES {
            let (listings, offers) = (self.listings.len(), self.offers.len());
            faults.push(Fault::of_all(format!(
                "brings {listings} listings, {offers} offers and {parts} parts, and {MOST_WRITES} fit, where an offer counts \
                 twice: spread them over several documents of the same sku"
            )));
        }
        let mut own = Cells::new("");
        if let Some(Value(cell)) = self.sku {
            own.set(Column::Sku, cell);
        }
        let sku = own.sku();
        faults.append(&mut own.faults);
        let (mut listings, mut offers) = (Vec::new(), Vec::new());
        for (place, fields) in self.listings.into_iter().enumerate() {
            let mut cells = fields.cells(format!("listings[{place}]."), is_of_listing);
            listings.extend(cells.listing(sku.as_ref()));
            faults.append(&mut cells.faults);
        }
        for (place, fields) in self.offers.into_iter().enumerate() {
            let mut cells = fields.cells(format!("offers[{place}]."), |column| {
                Column::OF_OFFER.contains(&column)
            });
            offers.extend(cells.offer(sku.as_ref()));
            faults.append(&mut cells.faults);
        }
        let bundle = bundle(self.bundle, sku.as_ref(), &mut faults);
        let mut ids = HashSet::new();
        if let Some(twice) = listings.iter().position(|listing| !ids.insert(&listing.id)) {
            faults.push(Fault::at(
                format!("listings[{twice}]"),
                "stands in the document before",
            ));
        }
        let mut ids = HashSet::new();
        if let Some(twice) = offers.iter().position(|offer| !ids.insert(&offer.id)) {
            faults.push(Fault::at(
                format!("offers[{twice}]"),
                "stands in the document before",
            ));
        }
        if parts > 0 && !offers.is_empty() {
            let problem =
                "must be empty, because a sku with a bundle's parts is bought as its parts";
            faults.push(Fault::at("offers", problem));
        }
        if faults.is_empty() && listings.is_empty() && offers.is_empty() && bundle.is_none() {
            faults.push(Fault::of_all(
                "brings nothing: give listings, offers or bundle",
            ));
        }
        match sku {
            Some(sku) if faults.is_empty() => Ok(Terms {
                sku,
                listings,
                offers,
                bundle,
            }),
            _ => Err(faults),
        }
    }
}

fn is_of_listing(column: Column) -> bool {
    column == Column::Currency || Column::OF_LISTING.contains(&column)
}

/// The parts of a bundle, each as `{"sku": "MUG-1", "units": 2}`.
fn bundle(all: Vec<Fields<'_>>, sku: Option<&Sku>, faults: &mut Vec<Fault>) -> Option<Bundle> {
    if all.is_empty() {
        return None;
    }
    let before = faults.len();
    let mut parts = Vec::new();
    for (place, fields) in all.into_iter().enumerate() {
        let (mut part, mut units) = (None, None);
        for (name, Value(cell)) in fields.0 {
            let slot = match &*name {
                "sku" => &mut part,
                "units" => &mut units,
                _ => {
                    let path = format!("bundle[{place}].{}", plain(&name));
                    faults.push(Fault::at(path, "is unknown; a part has sku and units"));
                    continue;
                }
            };
            if slot.replace(cell).is_some() {
                faults.push(Fault::at(format!("bundle[{place}].{name}"), "stands twice"));
            }
        }
        let text = |cell: Option<Cell<'_>>| match cell {
            Some(Cell::Text(text)) => text.into_owned(),
            _ => String::new(),
        };
        let part = Sku::parse(&text(part));
        let units = text(units).parse().ok();
        match (part, units) {
            (Ok(sku), Some(units)) => parts.push(Part { sku, units }),
            (Err(error), _) => {
                faults.push(Fault::at(format!("bundle[{place}].sku"), error.problem));
            }
            (_, None) => faults.push(Fault::at(
                format!("bundle[{place}].units"),
                "must be a whole number from 1 to 10000",
            )),
        }
    }
    if faults.len() > before {
        return None;
    }
    Bundle::new(sku?.clone(), parts)
        .map_err(|error| faults.push(Fault::at("bundle", error.problem)))
        .ok()
}

/// An object's fields as they stand there, also those that stand twice.
struct Fields<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

impl<'a> Fields<'a> {
    fn cells(self, path: String, fits: impl Fn(Column) -> bool) -> Cells<'a> {
        let mut cells = Cells::new(path.as_str());
        let mut met = Vec::new();
        for (name, Value(cell)) in self.0 {
            // Names are exact in JSON.
            let column =
                Column::named(&name).filter(|column| column.name() == name && fits(*column));
            let Some(column) = column else {
                let known = Column::ALL.into_iter().filter(|column| fits(*column));
                let known: Vec<_> = known.map(Column::name).collect();
                let problem = format!("is unknown; the fields are {}", known.join(", "));
                let name: String = plain(&name).chars().take(60).collect();
                cells
                    .faults
                    .push(Fault::at(format!("{path}{name}"), problem));
                continue;
            };
            if met.contains(&(column as usize)) {
                cells.fault(column, "stands twice");
            }
            met.push(column as usize);
            cells.set(column, cell);
        }
        cells
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    fields.push((Cow::Owned(name), map.next_value()?));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// A field's value. Text and whole numbers are as a cell of a CSV file would have them; other numbers could have been
/// rounded on their way.
struct Value<'a>(Cell<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        const TEXT: &str = "must be text or a whole number";

        impl<'de> Visitor<'de> for Any {
            type Value = Value<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("text or a whole number")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
                Ok(Value(Cell::Text(Cow::Borrowed(text.trim()))))
            }

            fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
                Ok(Value(Cell::Text(Cow::Owned(text.trim().to_owned()))))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
                Ok(Value(Cell::Text(Cow::Owned(number.to_string()))))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Value<'de>, E> {
                Ok(Value(Cell::Text(Cow::Owned(number.to_string()))))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Value<'de>, E> {
                let right = "must be in quotation marks, as \"19.99\", because other numbers can be rounded";
                Ok(Value(Cell::Wrong(right)))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Value<'de>, E> {
                Ok(Value(Cell::Wrong(TEXT)))
            }

            fn visit_unit<E>(self) -> Result<Value<'de>, E> {
                Ok(Value(Cell::Text(Cow::Borrowed(""))))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value<'de>, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Value(Cell::Wrong(TEXT)))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Value(Cell::Wrong(TEXT)))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
