//! The daily reference rates of the European Central Bank, `eurofxref-daily.xml`: an envelope with one `Cube` that has a
//! `time`, and in it a `Cube` of `currency` and `rate` for each currency, all in units to one EUR.

use crate::domain::{Currency, Invalid, Rate, RateValue};
use jiff::Timestamp;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// The file has 2 KB; what is far larger is not it.
const LARGEST_BYTES: usize = 64 * 1024;
/// Each day's rates are of about 14:15 CET and are out by 16:00 CET.
const TIME_OF_DAY: &str = "14:00:00Z";
/// As it stands in each rate.
pub(super) const SOURCE: &str = "ECB";

/// Reads the file. Currencies that ISO 4217 does not have are left out; a rate that is none makes the whole file wrong.
pub fn parse(body: &[u8]) -> Result<Vec<Rate>, Invalid> {
    let wrong = |problem: &'static str| Invalid::new("rates file", problem);
    if body.len() > LARGEST_BYTES {
        return Err(wrong("must be at most 64 KB"));
    }
    let text = std::str::from_utf8(body).map_err(|_| wrong("must be UTF-8"))?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let euro: Currency = "EUR".parse()?;
    let (mut at, mut rates) = (None::<Timestamp>, Vec::new());
    loop {
        let event = reader.read_event();
        let start = match event.map_err(|_| wrong("must be XML"))? {
            Event::Start(start) | Event::Empty(start) => start,
            Event::DocType(_) => return Err(wrong("must not have a document type")),
            Event::Eof => break,
            _ => continue,
        };
        if start.local_name().as_ref() != b"Cube" {
            continue;
        }
        if let Some(day) = attribute(&start, b"time") {
            if at.is_some() {
                return Err(wrong("must be of one day"));
            }
            let time = format!("{day}T{TIME_OF_DAY}").parse();
            at = Some(time.map_err(|_| wrong("must have a time as 2026-01-15"))?);
        }
        let (Some(currency), Some(value)) =
            (attribute(&start, b"currency"), attribute(&start, b"rate"))
        else {
            continue;
        };
        let at = at.ok_or_else(|| wrong("must name the day before the rates"))?;
        let value: RateValue = value.parse()?;
        if let Ok(currency) = currency.parse() {
            rates.push(Rate::new(euro, currency, value, SOURCE, at)?);
        }
    }
    if rates.is_empty() {
        return Err(wrong(
            "must have rates as <Cube currency=\"USD\" rate=\"1.0832\"/>",
        ));
    }
    Ok(rates)
}

fn attribute(start: &BytesStart<'_>, name: &[u8]) -> Option<String> {
    let mut all = start.attributes().filter_map(Result::ok);
    let found = all.find(|attribute| attribute.key.as_ref() == name)?;
    String::from_utf8(found.value.into_owned()).ok()
}
