//! One row of a catalogue file: a listing and an offer of one sku, or what is wrong with it.

use anyhow::{Result, bail};
use csv::ByteRecord;
use kervan::domain::{
    AccountId, CountryCode, Currency, Invalid, Listing, ListingId, Marketplace, Money, Offer,
    OfferId, Sku,
};

/// Seconds between the first looks at an offer's stock; later ones follow what is found.
const FIRST_INTERVAL_S: u32 = 600;

/// A column of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Sku,
    Channel,
    ListingOfferId,
    Price,
    Currency,
    Buffer,
    Cap,
    Supplier,
    ProductId,
    VariantId,
    Rank,
    ShipTo,
}

impl Column {
    pub(super) const ALL: [Self; 12] = [
        Self::Sku,
        Self::Channel,
        Self::ListingOfferId,
        Self::Price,
        Self::Currency,
        Self::Buffer,
        Self::Cap,
        Self::Supplier,
        Self::ProductId,
        Self::VariantId,
        Self::Rank,
        Self::ShipTo,
    ];

    /// As the header has it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sku => "sku",
            Self::Channel => "channel",
            Self::ListingOfferId => "listing_offer_id",
            Self::Price => "price",
            Self::Currency => "currency",
            Self::Buffer => "buffer",
            Self::Cap => "cap",
            Self::Supplier => "supplier",
            Self::ProductId => "product_id",
            Self::VariantId => "variant_id",
            Self::Rank => "rank",
            Self::ShipTo => "ship_to",
        }
    }

    /// What counts where the cell is empty or the file has no such column; `None` where it must be given.
    const fn default(self) -> Option<&'static str> {
        match self {
            Self::Buffer => Some("0"),
            Self::Cap => Some("50"),
            Self::Rank => Some("1"),
            Self::ShipTo => Some("US"),
            _ => None,
        }
    }
}

/// What is wrong with a row, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The column; `None` where it is the row as a whole.
    pub(super) column: Option<&'static str>,
    /// What would be right. It goes on from the column's name: `price` `must be above 0`.
    pub(super) problem: String,
}

impl Fault {
    pub(super) fn at(column: Column, problem: impl Into<String>) -> Self {
        Self {
            column: Some(column.name()),
            problem: problem.into(),
        }
    }
}

/// A good row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) listing: Listing,
    pub(super) offer: Offer,
}

/// Where the columns are.
#[derive(Debug, Clone)]
pub(super) struct Header {
    places: [Option<usize>; Column::ALL.len()],
    width: usize,
}

impl Header {
    /// Reads the first line. Names may be in any order, and in capital letters.
    pub(super) fn parse(record: &ByteRecord) -> Result<Self> {
        let mut places = [None; Column::ALL.len()];
        let (mut unknown, mut twice) = (Vec::new(), Vec::new());
        for (place, cell) in record.iter().enumerate() {
            let name = super::text::plain(String::from_utf8_lossy(cell).trim());
            let column = Column::ALL
                .into_iter()
                .find(|column| name.eq_ignore_ascii_case(column.name()));
            match column {
                None if name.is_empty() => unknown.push("one without a name".to_owned()),
                None => unknown.push(name),
                Some(column) if places[column as usize].is_some() => twice.push(name),
                Some(column) => places[column as usize] = Some(place),
            }
        }
        let missing: Vec<_> = Column::ALL
            .into_iter()
            .filter(|column| places[*column as usize].is_none() && column.default().is_none())
            .map(|column| column.name().to_owned())
            .collect();
        let problems: Vec<String> = [
            ("lacks", missing),
            ("does not know", unknown),
            ("has more than once", twice),
        ]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| match what {
            "does not know" => format!("has unknown columns ({})", names.join(", ")),
            _ => format!("{what} the columns {}", names.join(", ")),
        })
        .collect();
        if !problems.is_empty() {
            let all = Column::ALL.map(Column::name).join(", ");
            bail!(
                "The header {}; the columns are {all}, of which buffer, cap, rank and ship_to may be left out",
                problems.join(" and ")
            );
        }
        Ok(Self {
            places,
            width: record.len(),
        })
    }

    /// Reads a row, and names everything that is wrong with it.
    pub(super) fn row(&self, record: &ByteRecord) -> Result<Row, Vec<Fault>> {
        if record.len() != self.width {
            let problem = format!(
                "has {} cells and the header {}; a cell with a comma in it needs quotation marks around it",
                record.len(),
                self.width
            );
            let column = None;
            return Err(vec![Fault { column, problem }]);
        }
        let mut cells = Cells {
            header: self,
            record,
            faults: Vec::new(),
        };
        match cells.row() {
            Some(row) if cells.faults.is_empty() => Ok(row),
            _ => Err(cells.faults),
        }
    }

    /// The sku as it is written, for a verdict on a row that may be bad.
    pub(super) fn sku(&self, record: &ByteRecord) -> String {
        let place = self.places[Column::Sku as usize];
        let cell = place.and_then(|place| record.get(place));
        let text = String::from_utf8_lossy(cell.unwrap_or_default());
        super::text::plain(text.trim()).chars().take(60).collect()
    }
}

struct Cells<'a> {
    header: &'a Header,
    record: &'a ByteRecord,
    faults: Vec<Fault>,
}

impl Cells<'_> {
    /// Every cell is read before the first missing one ends it, so that all faults of a row are told at once.
    fn row(&mut self) -> Option<Row> {
        let sku = self.read(Column::Sku, |text| Sku::parse(text).map_err(why));
        let channel = self.read(Column::Channel, |text| {
            account(text, Role::Channel, "as in ebay:main")
        });
        let listing = self.read(Column::ListingOfferId, |text| id(text, 64));
        let currency = self.read(Column::Currency, |text| {
            text.parse::<Currency>().map_err(why)
        });
        // Whether an amount is right depends on its currency; without one, cents are a fair guess.
        let unit = currency.or_else(|| "USD".parse().ok());
        let price = self.read(Column::Price, |text| price(text, unit));
        let buffer = self.read(Column::Buffer, whole);
        let cap = self.read(Column::Cap, whole);
        let supplier = self.read(Column::Supplier, |text| {
            account(text, Role::Supplier, "as in aliexpress:main")
        });
        let product = self.read(Column::ProductId, |text| id(text, 40));
        let variant = self.read(Column::VariantId, |text| id(text, 40));
        let rank = self.read(Column::Rank, whole);
        let ship_to = self.read(Column::ShipTo, |text| {
            text.parse::<CountryCode>().map_err(why)
        });
        let sku = sku?;
        let offer = OfferId::new(supplier?, &product?, &variant?);
        let offer = offer.map_err(|error| {
            self.faults.push(Fault::at(Column::ProductId, why(error)));
        });
        Some(Row {
            listing: Listing {
                id: ListingId {
                    channel: channel?,
                    sku: sku.clone(),
                    offer: listing?,
                },
                price: price?,
                buffer: buffer?,
                cap: cap?,
                pricing: kervan::domain::Pricing::default(),
                variation_of: None,
                published: None,
                doubt_until: None,
                in_bulk: None,
                revisions: Default::default(),
            },
            offer: Offer {
                id: offer.ok()?,
                sku,
                rank: rank?,
                ship_to: ship_to?,
                shipping: None,
                evidence: None,
                interval_s: FIRST_INTERVAL_S,
            },
        })
    }

    fn read<T>(
        &mut self,
        column: Column,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let place = self.header.places[column as usize];
        let cell = place.and_then(|place| self.record.get(place));
        let parsed = match std::str::from_utf8(cell.unwrap_or_default()).map(str::trim) {
            Err(_) => Err("must be UTF-8 text; save the file as CSV UTF-8".to_owned()),
            Ok("") => match column.default() {
                Some(default) => parse(default),
                None => Err("must be given".to_owned()),
            },
            Ok(text) => parse(text),
        };
        parsed
            .map_err(|problem| self.faults.push(Fault::at(column, problem)))
            .ok()
    }
}

fn why(error: Invalid) -> String {
    error.problem
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Channel,
    Supplier,
}

fn account(text: &str, role: Role, example: &str) -> Result<AccountId, String> {
    let account: AccountId = text.parse().map_err(why)?;
    let is_one = match account.marketplace() {
        Marketplace::Amazon | Marketplace::Ebay => role == Role::Channel,
        Marketplace::Alibaba => role == Role::Supplier,
        // A merchant can buy there and have a shop there.
        Marketplace::AliExpress => true,
    };
    if is_one {
        return Ok(account);
    }
    let marketplace = account.marketplace();
    Err(match role {
        Role::Channel => {
            format!("must be an account where you sell, {example}, and at {marketplace} you buy")
        }
        Role::Supplier => {
            format!("must be an account where you buy, {example}, and at {marketplace} you sell")
        }
    })
}

/// A marketplace's id. Spreadsheets turn long ones into `1.00501E+15`, with digits lost for good.
fn id(text: &str, longest: usize) -> Result<String, String> {
    let digits = text.replacen("E+", "", 1).replace(['.', ','], "");
    let is_rounded = text.contains("E+") && digits.bytes().all(|b| b.is_ascii_digit());
    if is_rounded {
        return Err(
            "has been rounded by a spreadsheet: set the column to text and enter the number again"
                .to_owned(),
        );
    }
    let fits = (1..=longest).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !fits {
        return Err(format!("must be 1 to {longest} letters, digits, - or _"));
    }
    Ok(text.to_owned())
}

fn price(text: &str, currency: Option<Currency>) -> Result<Money, String> {
    let Some(currency) = currency else {
        return Err("needs a currency".to_owned());
    };
    let price =
        Money::parse(text, currency).map_err(|error| format!("{}, as in 19.99", error.problem))?;
    if price.minor <= 0 {
        return Err("must be above 0".to_owned());
    }
    Ok(price)
}

fn whole(text: &str) -> Result<u32, String> {
    let is_digits = text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse().ok().filter(|_| is_digits);
    number.ok_or_else(|| "must be a whole number from 0 on, as in 5".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &str = "sku,channel,listing_offer_id,price,currency,buffer,cap,supplier,product_id,variant_id,rank,ship_to";
    const GOOD: [&str; 12] = [
        "MUG-1",
        "ebay:main",
        "8123",
        "19.99",
        "USD",
        "2",
        "20",
        "aliexpress:main",
        "1005",
        "1200",
        "3",
        "DE",
    ];

    fn header() -> Header {
        Header::parse(&record(ALL.split(','))).unwrap()
    }

    fn record<'a>(cells: impl IntoIterator<Item = &'a str>) -> ByteRecord {
        cells.into_iter().map(str::as_bytes).collect()
    }

    fn with(column: Column, text: &str) -> Result<Row, Vec<Fault>> {
        let mut cells = GOOD;
        cells[column as usize] = text;
        header().row(&record(cells))
    }

    #[test]
    fn a_good_row_is_a_listing_and_an_offer() {
        let row = header().row(&record(GOOD)).unwrap();
        assert_eq!(row.listing.id.sku.as_str(), "MUG-1");
        assert_eq!(row.listing.id.channel.to_string(), "ebay:main");
        assert_eq!(row.listing.id.offer, "8123");
        assert_eq!(row.listing.price.to_string(), "19.99 USD");
        assert_eq!((row.listing.buffer, row.listing.cap), (2, 20));
        assert_eq!(row.offer.id.to_string(), "aliexpress:main/1005/1200");
        assert_eq!(row.offer.sku, row.listing.id.sku);
        assert_eq!((row.offer.rank, row.offer.ship_to.as_str()), (3, "DE"));
        assert_eq!((row.listing.published, row.offer.evidence), (None, None));
    }

    #[test]
    fn what_is_left_out_has_a_default_and_the_order_of_columns_is_free() {
        let names =
            "Currency,sku,channel,price,supplier,product_id,variant_id,LISTING_OFFER_ID,cap";
        let header = Header::parse(&record(names.split(','))).unwrap();
        let cells = "USD, MUG-1 ,ebay:main,5,aliexpress:main,1,2,3,";
        let row = header.row(&record(cells.split(','))).unwrap();
        assert_eq!((row.listing.buffer, row.listing.cap), (0, 50));
        assert_eq!((row.offer.rank, row.offer.ship_to.as_str()), (1, "US"));
        assert_eq!(row.listing.id.sku.as_str(), "MUG-1");
    }

    #[test]
    fn each_wrong_cell_is_named_with_what_would_be_right() {
        for (column, text, right) in [
            (Column::Sku, "", "must be given"),
            (Column::Sku, "MUG 1", "without blanks"),
            (Column::Channel, "ebay", "as in ebay:main"),
            (Column::Channel, "alibaba:main", "where you sell"),
            (Column::Channel, "etsy:main", "must be one of"),
            (Column::ListingOfferId, "8123/4", "letters, digits"),
            (Column::Price, "19,99", "as in 19.99"),
            (Column::Price, "$19.99", "as in 19.99"),
            (Column::Price, "19.999", "smallest unit"),
            (Column::Price, "0", "above 0"),
            (Column::Price, "-1", "above 0"),
            (Column::Currency, "usd", "as in USD"),
            (Column::Buffer, "-1", "whole number"),
            (Column::Cap, "4294967296", "whole number"),
            (Column::Cap, "+5", "whole number"),
            (Column::Supplier, "ebay:main", "where you buy"),
            (Column::ProductId, "1.00501E+15", "rounded by a spreadsheet"),
            (Column::VariantId, "12 00", "letters, digits"),
            (Column::Rank, "first", "whole number"),
            (Column::ShipTo, "USA", "as in US"),
        ] {
            let faults = with(column, text).expect_err(text);
            assert_eq!(faults.len(), 1, "{faults:?}");
            assert_eq!(faults[0].column, Some(column.name()));
            assert!(faults[0].problem.contains(right), "{:?}", faults[0]);
        }
    }

    #[test]
    fn all_faults_of_a_row_are_told_at_once() {
        let mut cells = GOOD;
        cells[Column::Currency as usize] = "dollars";
        cells[Column::Price as usize] = "free";
        cells[Column::Rank as usize] = "x";
        let faults = header().row(&record(cells)).unwrap_err();
        let columns: Vec<_> = faults.iter().filter_map(|fault| fault.column).collect();
        assert_eq!(columns, ["currency", "price", "rank"]);
    }

    #[test]
    fn a_row_that_is_too_long_or_too_short_is_not_guessed_at() {
        for cells in [&GOOD[..11], &[&GOOD[..], &["extra"]].concat()] {
            let faults = header().row(&record(cells.iter().copied())).unwrap_err();
            assert_eq!(faults[0].column, None);
            assert!(faults[0].problem.contains("the header 12"));
        }
    }

    #[test]
    fn text_that_is_not_utf_8_is_a_fault_of_its_cell() {
        let mut cells: Vec<&[u8]> = GOOD.iter().map(|cell| cell.as_bytes()).collect();
        cells[0] = b"M\xfcG";
        let faults = header().row(&ByteRecord::from(cells)).unwrap_err();
        assert_eq!(faults[0].column, Some("sku"));
        assert!(faults[0].problem.contains("UTF-8"));
    }

    #[test]
    fn the_columns_that_are_unknown_missing_or_doubled_are_named_in_one_sentence() {
        let names =
            "sku,sku,colour,channel,listing_offer_id,currency,supplier,product_id,variant_id";
        let error = Header::parse(&record(names.split(','))).unwrap_err();
        let text = error.to_string();
        for part in [
            "lacks the columns price and",
            "unknown columns (colour)",
            "more than once the columns sku",
            "may be left out",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}
