//! The catalogue is written into a file that an import reads: the merchant's terms, and nothing of what Kervan learned.
//!
//! **Invariant:** memory is bounded: a page of the table is held at a time.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::ValueEnum;
use kervan::domain::{Bundle, Listing, Offer, Sku};
use kervan::flows::catalog::{Entry, Walk};
use kervan::store::Store;
use serde_json::{Map, Value, json};

use super::columns::Column;
use super::meter::Meter;
use crate::command::text::count;

/// Listings, and offers, in one document, so that both fit one transaction, in which an offer counts twice.
const IN_A_DOCUMENT: usize = 33;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A row for each listing, each offer or both
    Csv,
    /// A list with a document for each sku
    Json,
    /// One document a line (JSON Lines, also named .ndjson)
    Jsonl,
}

impl Format {
    /// What a file's name says.
    pub(super) fn of(file: &Path) -> Self {
        let ending = file.extension().unwrap_or_default();
        match ending.to_ascii_lowercase().to_str() {
            Some("json") => Self::Json,
            Some("jsonl" | "ndjson") => Self::Jsonl,
            _ => Self::Csv,
        }
    }
}

/// Writes the whole catalogue; returns the number of its skus.
pub(super) async fn export(store: &dyn Store, format: Format, out: &mut dyn Write) -> Result<u64> {
    let mut writer = Writer::new(format, &mut *out)?;
    let (mut walk, mut skus) = (Walk::default(), 0);
    let mut meter = Meter::new(None);
    while let Some(page) = walk.next(store).await? {
        for (sku, entry) in page {
            writer.add(&sku, &entry)?;
            skus += 1;
        }
        meter.show(skus, || count(skus, "sku"));
    }
    meter.clear();
    writer.finish()?;
    out.flush()?;
    Ok(skus)
}

/// As [`export`], into a file that is there only when all of it is.
pub(super) async fn export_to(store: &dyn Store, format: Format, file: &Path) -> Result<u64> {
    let part = PathBuf::from(format!("{}.part", file.display()));
    let made = async {
        let mut out = BufWriter::new(File::create(&part)?);
        let skus = export(store, format, &mut out).await?;
        out.flush()?;
        fs::rename(&part, file)?;
        Ok::<_, anyhow::Error>(skus)
    };
    let made = made.await;
    if made.is_err() {
        // What is there of it would be taken for the whole.
        let _ = fs::remove_file(&part);
    }
    made.with_context(|| format!("{} cannot be written", file.display()))
}

enum Writer<'a> {
    Csv(Box<csv::Writer<&'a mut dyn Write>>),
    Json {
        out: &'a mut dyn Write,
        has_documents: bool,
    },
    Jsonl(&'a mut dyn Write),
}

impl<'a> Writer<'a> {
    fn new(format: Format, out: &'a mut dyn Write) -> Result<Self> {
        Ok(match format {
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                writer.write_record(Column::ALL.map(Column::name))?;
                Self::Csv(Box::new(writer))
            }
            Format::Json => {
                out.write_all(b"[")?;
                Self::Json {
                    out,
                    has_documents: false,
                }
            }
            Format::Jsonl => Self::Jsonl(out),
        })
    }

    fn add(&mut self, sku: &Sku, entry: &Entry) -> Result<()> {
        let listings: Vec<&Listing> = entry.listings.iter().map(|it| &it.listing).collect();
        let offers: Vec<&Offer> = entry.offers.iter().map(|it| &it.offer).collect();
        let mut bundle = entry.bundle.as_ref();
        match self {
            Self::Csv(writer) => {
                let rows = listings.len().max(offers.len()).max(1);
                for row in 0..rows {
                    let cells = row_cells(sku, listings.get(row), offers.get(row), bundle.take());
                    writer.write_record(cells.iter().map(String::as_str))?;
                }
            }
            Self::Json { out, has_documents } => {
                for document in documents(sku, &listings, &offers, bundle) {
                    let comma = if *has_documents { "," } else { "" };
                    *has_documents = true;
                    write!(out, "{comma}\n{document}")?;
                }
            }
            Self::Jsonl(out) => {
                for document in documents(sku, &listings, &offers, bundle) {
                    writeln!(out, "{document}")?;
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<()> {
        match self {
            Self::Csv(mut writer) => writer.flush()?,
            Self::Json { out, .. } => out.write_all(b"\n]\n")?,
            Self::Jsonl(_) => {}
        }
        Ok(())
    }
}

fn row_cells(
    sku: &Sku,
    listing: Option<&&Listing>,
    offer: Option<&&Offer>,
    bundle: Option<&Bundle>,
) -> Vec<String> {
    let mut cells = vec![String::new(); Column::ALL.len()];
    cells[Column::Sku as usize] = sku.to_string();
    let listing = listing.map(|listing| listing_cells(listing));
    let offer = offer.map(|offer| offer_cells(offer));
    for (column, text) in listing
        .into_iter()
        .flatten()
        .chain(offer.into_iter().flatten())
    {
        cells[column as usize] = text;
    }
    if let Some(bundle) = bundle {
        let parts = bundle.parts().iter();
        let words: Vec<_> = parts
            .map(|part| format!("{}*{}", part.sku, part.units))
            .collect();
        cells[Column::Parts as usize] = words.join(" ");
    }
    cells
}

/// All of a sku, in as many documents as each fit one transaction.
fn documents<'a>(
    sku: &'a Sku,
    listings: &'a [&'a Listing],
    offers: &'a [&'a Offer],
    mut bundle: Option<&'a Bundle>,
) -> impl Iterator<Item = Value> + 'a {
    let most = listings.len().max(offers.len()).max(1);
    (0..most).step_by(IN_A_DOCUMENT).map(move |from| {
        document(
            sku,
            listings.iter().skip(from).take(IN_A_DOCUMENT),
            offers.iter().skip(from).take(IN_A_DOCUMENT),
            bundle.take(),
        )
    })
}

fn document<'a>(
    sku: &Sku,
    listings: impl Iterator<Item = &'a &'a Listing>,
    offers: impl Iterator<Item = &'a &'a Offer>,
    bundle: Option<&Bundle>,
) -> Value {
    let mut document = json!({ "sku": sku });
    let listings: Vec<_> = listings
        .map(|listing| object(listing_cells(listing)))
        .collect();
    let offers: Vec<_> = offers.map(|offer| object(offer_cells(offer))).collect();
    if !listings.is_empty() {
        document["listings"] = listings.into();
    }
    if !offers.is_empty() {
        document["offers"] = offers.into();
    }
    if let Some(bundle) = bundle {
        document["bundle"] = json!(bundle.parts());
    }
    document
}

/// Small numbers are numbers. What is empty is null: what is left out would stay as it is where the file is imported.
fn object(cells: Vec<(Column, String)>) -> Value {
    let fields = cells.into_iter().map(|(column, text)| {
        let value = match column {
            _ if text.is_empty() => Value::Null,
            Column::Buffer | Column::Cap | Column::Rank => {
                let number = text.parse::<u32>().ok();
                number.map_or_else(|| Value::from(text), Value::from)
            }
            _ => Value::from(text),
        };
        (column.name().to_owned(), value)
    });
    Value::Object(fields.collect::<Map<_, _>>())
}

fn listing_cells(listing: &Listing) -> Vec<(Column, String)> {
    let pricing = &listing.pricing;
    let decimal =
        |money: Option<kervan::domain::Money>| money.map(|it| it.decimal()).unwrap_or_default();
    // Rules that have come to no price yet leave none.
    let price = Some(listing.price).filter(|price| price.minor > 0);
    vec![
        (Column::Channel, listing.id.channel.to_string()),
        (Column::ListingOfferId, listing.id.offer.clone()),
        (Column::Price, decimal(price)),
        (Column::Currency, listing.price.currency.to_string()),
        (
            Column::Pricing,
            if pricing.by_rules { "rules" } else { "" }.to_owned(),
        ),
        (Column::Floor, decimal(pricing.floor)),
        (Column::Ceiling, decimal(pricing.ceiling)),
        (Column::Map, decimal(pricing.minimum_advertised)),
        (
            Column::VariationOf,
            listing.variation_of.clone().unwrap_or_default(),
        ),
        (Column::Buffer, listing.buffer.to_string()),
        (Column::Cap, listing.cap.to_string()),
    ]
}

fn offer_cells(offer: &Offer) -> Vec<(Column, String)> {
    vec![
        (Column::Supplier, offer.id.supplier.to_string()),
        (Column::ProductId, offer.id.product.clone()),
        (Column::VariantId, offer.id.variant.clone()),
        (Column::Rank, offer.rank.to_string()),
        (Column::ShipTo, offer.ship_to.as_str().to_owned()),
        (
            Column::Shipping,
            offer.shipping.map(|it| it.to_string()).unwrap_or_default(),
        ),
    ]
}

#[cfg(test)]
mod tests;
