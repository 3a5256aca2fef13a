//! Texts of a file are read as a listing, an offer and the parts of a bundle, or it is told what is wrong with them.
//!
//! A row of a CSV file and the objects of a JSON document are read by this same code.

use std::borrow::Cow;

use kervan::domain::{
    AccountId, Bundle, Contradiction, CountryCode, Currency, Invalid, ListingId, Marketplace,
    Money, OfferId, Part, Pricing, Sku,
};
use kervan::flows::catalog::{ListingTerms, OfferTerms, Term};

use super::columns::{COLUMNS, Column};

/// The longest id of a listing, in bytes.
const LONGEST_LISTING_ID: usize = 64;

/// What is wrong with a row or a document, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The column, or the field's path as `listings[0].price`; `None` where it is the whole.
    pub(super) column: Option<String>,
    /// What would be right. It goes on from the column's name: `price` `must be above 0`.
    pub(super) problem: String,
}

impl Fault {
    pub(super) fn at(column: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            column: Some(column.into()),
            problem: problem.into(),
        }
    }

    pub(super) fn of_all(problem: impl Into<String>) -> Self {
        Self {
            column: None,
            problem: problem.into(),
        }
    }
}

/// What a cell holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    /// Text; empty where nothing was given.
    Text(Cow<'a, str>),
    /// Something that is no text, with what it must be.
    Wrong(&'static str),
}

impl Cell<'_> {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }
}

/// Cells by their columns, and what was found wrong with them.
pub(super) struct Cells<'a> {
    /// `None` where the file has no such column, or the document no such field.
    cells: [Option<Cell<'a>>; COLUMNS],
    /// Before the names of the columns in faults.
    path: String,
    pub(super) faults: Vec<Fault>,
}

impl<'a> Cells<'a> {
    pub(super) fn new(path: impl Into<String>) -> Self {
        Self {
            cells: [const { None }; COLUMNS],
            path: path.into(),
            faults: Vec::new(),
        }
    }

    pub(super) fn set(&mut self, column: Column, cell: Cell<'a>) {
        self.cells[column as usize] = Some(cell);
    }

    /// The first of these columns that holds something.
    pub(super) fn given(&self, columns: &[Column]) -> Option<Column> {
        let mut columns = columns.iter().copied();
        columns.find(|column| {
            let cell = self.cells[*column as usize].as_ref();
            cell.is_some_and(|cell| !cell.is_empty())
        })
    }

    fn is_there(&self, column: Column) -> bool {
        self.cells[column as usize].is_some()
    }

    pub(super) fn fault(&mut self, column: Column, problem: impl Into<String>) {
        let path = format!("{}{}", self.path, column.name());
        self.faults.push(Fault::at(path, problem));
    }

    pub(super) fn sku(&mut self) -> Option<Sku> {
        self.read(Column::Sku, |text| Sku::parse(text).map_err(why))
    }

    /// Every cell is read before the first missing one ends it, so that all faults are told at once.
    pub(super) fn listing(&mut self, sku: Option<&Sku>) -> Option<ListingTerms> {
        let channel = self.read(Column::Channel, |text| {
            account(text, Role::Channel, "as in ebay:main")
        });
        let id = self.read(Column::ListingOfferId, listing_id);
        let currency = self.read(Column::Currency, currency);
        // Whether an amount is right depends on its currency; without one, cents are a fair guess.
        let unit = currency.or_else(|| "USD".parse().ok());
        let price = self.price(unit);
        let bound = |text: &str| amount(text, unit);
        let floor = self.term_if_given(Column::Floor, bound);
        let ceiling = self.term_if_given(Column::Ceiling, bound);
        let map = self.term_if_given(Column::Map, bound);
        let variation_of = self.term_if_given(Column::VariationOf, listing_id);
        let buffer = self.term(Column::Buffer, whole);
        let cap = self.term(Column::Cap, whole);
        let (price, by_rules) = price?;
        let (floor, ceiling, minimum_advertised) = (floor?, ceiling?, map?);
        let limits = Pricing {
            by_rules: by_rules == Term::Set(true),
            floor: floor.said().copied().flatten(),
            ceiling: ceiling.said().copied().flatten(),
            minimum_advertised: minimum_advertised.said().copied().flatten(),
            held: None,
        };
        self.bounds(price, &limits);
        let id = ListingId {
            channel: channel?,
            sku: sku?.clone(),
            offer: id?,
        };
        currency?;
        Some(ListingTerms {
            id,
            price,
            by_rules,
            floor,
            ceiling,
            minimum_advertised,
            variation_of: variation_of?,
            buffer: buffer?,
            cap: cap?,
        })
    }

    /// The price, and whether the rules find it. One that they have not found yet begins where it cannot sell at a loss,
    /// or at nothing, which is never published.
    fn price(&mut self, currency: Option<Currency>) -> Option<(Money, Term<bool>)> {
        let pricing = self.read_if_given(Column::Pricing, |text| match text {
            "rules" => Ok(true),
            "fixed" => Ok(false),
            _ => Err("must be fixed or rules".to_owned()),
        });
        let price = self.read_if_given(Column::Price, |text| match text {
            "rules" => Ok(None),
            _ => amount(text, currency).map(Some),
        });
        match (price?, pricing?) {
            (Some(Some(price)), None) if !self.is_there(Column::Pricing) => {
                Some((price, Term::Keep))
            }
            (Some(Some(price)), pricing) => Some((price, Term::Set(pricing == Some(true)))),
            (Some(None), Some(false)) => {
                self.fault(
                    Column::Pricing,
                    "must be rules or empty where the price is rules",
                );
                None
            }
            (Some(None), _) | (None, Some(true)) => Some((Money::zero(currency?), Term::Set(true))),
            (None, _) => {
                self.fault(Column::Price, "must be given, as 19.99, or rules");
                None
            }
        }
    }

    /// Refuses bounds that contradict each other or a price that is fixed. What the file does not have is compared when the
    /// listing is put.
    fn bounds(&mut self, price: Money, limits: &Pricing) {
        let fixed = Some(price).filter(|_| !limits.by_rules);
        for contradiction in limits.contradictions(fixed) {
            let (column, problem) = match contradiction {
                Contradiction::FloorAboveCeiling => {
                    (Column::Floor, "must not be above the ceiling")
                }
                Contradiction::BelowFloor => (Column::Price, "must not be below the floor"),
                Contradiction::AboveCeiling => (Column::Price, "must not be above the ceiling"),
                Contradiction::BelowMinimum => (
                    Column::Price,
                    "must not be below the minimum advertised price (map)",
                ),
            };
            self.fault(column, problem);
        }
    }

    pub(super) fn offer(&mut self, sku: Option<&Sku>) -> Option<OfferTerms> {
        let supplier = self.read(Column::Supplier, |text| {
            account(text, Role::Supplier, "as in aliexpress:main")
        });
        let product = self.read(Column::ProductId, |text| id(text, 40));
        let variant = self.read(Column::VariantId, |text| id(text, 40));
        let rank = self.term(Column::Rank, whole);
        let ship_to = self.term(Column::ShipTo, |text| {
            text.parse::<CountryCode>().map_err(why)
        });
        // A wrong currency is told where it is the price's; here it is only missing.
        let unit = match &self.cells[Column::Currency as usize] {
            Some(Cell::Text(text)) => text.parse::<Currency>().ok(),
            _ => None,
        };
        let shipping = self.term_if_given(Column::Shipping, |text| shipping(text, unit));
        let id = OfferId::new(supplier?, &product?, &variant?);
        let id = id.map_err(|error| self.fault(Column::ProductId, why(error)));
        Some(OfferTerms {
            id: id.ok()?,
            sku: sku?.clone(),
            rank: rank?,
            ship_to: ship_to?,
            shipping: shipping?,
        })
    }

    /// What the sku is made of.
    pub(super) fn parts(&mut self, sku: Option<&Sku>) -> Option<Bundle> {
        let parts = self.read(Column::Parts, parts)?;
        self.bundle(sku, parts)
    }

    pub(super) fn bundle(&mut self, sku: Option<&Sku>, parts: Vec<Part>) -> Option<Bundle> {
        Bundle::new(sku?.clone(), parts)
            .map_err(|error| self.fault(Column::Parts, why(error)))
            .ok()
    }

    /// A cell that must be given, or that has a default.
    fn read<T>(
        &mut self,
        column: Column,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let parsed = match &self.cells[column as usize] {
            Some(Cell::Wrong(right)) => Err((*right).to_owned()),
            Some(Cell::Text(text)) if !text.is_empty() => parse(text),
            _ => match column.default() {
                Some(default) => parse(default),
                None => Err("must be given".to_owned()),
            },
        };
        parsed.map_err(|problem| self.fault(column, problem)).ok()
    }

    /// A term with a default, which an empty cell sets. Where the file has no such column, it is left as it is.
    fn term<T>(
        &mut self,
        column: Column,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<Term<T>> {
        if !self.is_there(column) {
            return Some(Term::Keep);
        }
        self.read(column, parse).map(Term::Set)
    }

    /// A term that may be none, which an empty cell says.
    fn term_if_given<T>(
        &mut self,
        column: Column,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<Term<Option<T>>> {
        if !self.is_there(column) {
            return Some(Term::Keep);
        }
        self.read_if_given(column, parse).map(Term::Set)
    }

    /// A cell that may be empty: `Some(None)` then, and `None` where it is wrong.
    #[expect(
        clippy::option_option,
        reason = "the outer one is the fault, the inner one the empty cell"
    )]
    fn read_if_given<T>(
        &mut self,
        column: Column,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<Option<T>> {
        match self.given(&[column]) {
            Some(_) => self.read(column, parse).map(Some),
            None => Some(None),
        }
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

/// A listing of eBay's Trading API is named `item:` and its ItemID.
pub(super) fn listing_id(text: &str) -> Result<String, String> {
    let plain = text.strip_prefix("item:").unwrap_or(text);
    id(plain, LONGEST_LISTING_ID)?;
    Ok(text.to_owned())
}

/// A marketplace's id. Spreadsheets turn long ones into `1.00501E+15` or write zeros for all digits after the fifteenth, and
/// what was there is lost for good. `="12000037001234500"`, as a spreadsheet writes a text, is taken as it stands.
fn id(text: &str, longest: usize) -> Result<String, String> {
    let quoted = text
        .strip_prefix("=\"")
        .and_then(|text| text.strip_suffix('"'));
    if quoted.is_none() && is_rounded(text) {
        return Err(
            "has been rounded by a spreadsheet: set the column to text and enter the number again; if it really is so, write =\"NUMBER\""
                .to_owned(),
        );
    }
    let text = quoted.unwrap_or(text);
    let fits = (1..=longest).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !fits {
        return Err(format!("must be 1 to {longest} letters, digits, - or _"));
    }
    Ok(text.to_owned())
}

/// Whether a spreadsheet has rounded it: `1.2E+16`, `1E15`, or 17 digits and more of which only zeros follow the fifteenth.
/// Of numbers of 16 digits one in ten ends so anyway, so they are taken.
fn is_rounded(text: &str) -> bool {
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if let Some((number, exponent)) = text.split_once(['E', 'e']) {
        let exponent = exponent.trim_start_matches(['+', '-']);
        return all_digits(&number.replace(['.', ','], "")) && all_digits(exponent);
    }
    let rest = text.get(15..).filter(|rest| rest.len() >= 2);
    all_digits(text) && rest.is_some_and(|rest| rest.bytes().all(|b| b == b'0'))
}

fn currency(text: &str) -> Result<Currency, String> {
    text.parse::<Currency>().map_err(why)
}

/// An amount above 0.
fn amount(text: &str, currency: Option<Currency>) -> Result<Money, String> {
    let Some(currency) = currency else {
        return Err("needs a currency".to_owned());
    };
    let money =
        Money::parse(text, currency).map_err(|error| format!("{}, as in 19.99", error.problem))?;
    if money.minor <= 0 {
        return Err("must be above 0".to_owned());
    }
    Ok(money)
}

/// `3.50 USD`, or `3.50` in the currency of the price.
fn shipping(text: &str, currency: Option<Currency>) -> Result<Money, String> {
    let wrong = |problem: String| format!("{problem}, as in 3.50 USD");
    let (decimal, currency) = match text.split_once(' ') {
        Some((decimal, code)) => {
            let code = code.trim().parse::<Currency>();
            (decimal, Some(code.map_err(|error| wrong(error.problem))?))
        }
        None => (text, currency),
    };
    let currency = currency.ok_or_else(|| wrong("needs its currency".to_owned()))?;
    let money = Money::parse(decimal, currency).map_err(|error| wrong(error.problem))?;
    if money.minor < 0 {
        return Err("must not be below 0".to_owned());
    }
    Ok(money)
}

/// `MUG-1*2 PLATE-1*1`.
fn parts(text: &str) -> Result<Vec<Part>, String> {
    let part = |word: &str| {
        let (sku, units) = word.rsplit_once('*')?;
        Some(Part {
            sku: Sku::parse(sku).ok()?,
            units: whole(units).ok()?,
        })
    };
    let parts: Option<Vec<Part>> = text.split_whitespace().map(part).collect();
    parts.ok_or_else(|| {
        "must be skus with their units, with blanks between them, as in MUG-1*2 PLATE-1*1"
            .to_owned()
    })
}

fn whole(text: &str) -> Result<u32, String> {
    let is_digits = text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse().ok().filter(|_| is_digits);
    number.ok_or_else(|| "must be a whole number from 0 on, as in 5".to_owned())
}
