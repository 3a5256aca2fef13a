use super::*;
use kervan::domain::{Listing, Money, Offer};
use kervan::flows::catalog::{ListingTerms, OfferTerms, Term};

const ALL: &str = "sku,channel,listing_offer_id,price,currency,pricing,floor,ceiling,map,variation_of,buffer,cap,\
                   supplier,product_id,variant_id,rank,ship_to,shipping,parts";
const GOOD: [&str; 19] = [
    "MUG-1",
    "ebay:main",
    "8123",
    "19.99",
    "USD",
    "",
    "15",
    "30.00",
    "19.99",
    "900",
    "2",
    "20",
    "aliexpress:main",
    "1005",
    "1200",
    "3",
    "DE",
    "3.50 CNY",
    "",
];

fn header() -> Header {
    Header::parse(&record(ALL.split(','))).unwrap()
}

fn record<'a>(cells: impl IntoIterator<Item = &'a str>) -> ByteRecord {
    cells.into_iter().map(str::as_bytes).collect()
}

fn with(changes: &[(Column, &str)]) -> Result<Terms, Vec<Fault>> {
    let mut cells = GOOD;
    for (column, text) in changes {
        cells[*column as usize] = text;
    }
    header().terms(&record(cells))
}

/// The good row without what is of a listing, or of an offer.
fn without(columns: &[Column]) -> Vec<(Column, &'static str)> {
    columns.iter().map(|column| (*column, "")).collect()
}

#[test]
fn a_good_row_is_a_listing_and_an_offer() {
    let terms = with(&[]).unwrap();
    let (listing, offer) = (&terms.listings[0], &terms.offers[0]);
    assert_eq!(listing.id.sku.as_str(), "MUG-1");
    assert_eq!(listing.id.channel.to_string(), "ebay:main");
    assert_eq!(listing.id.offer, "8123");
    assert_eq!(listing.price.to_string(), "19.99 USD");
    let text = |term: &Term<Option<Money>>| term.said().unwrap().unwrap().to_string();
    assert_eq!(listing.by_rules, Term::Set(false));
    assert_eq!(text(&listing.floor), "15.00 USD");
    assert_eq!(text(&listing.ceiling), "30.00 USD");
    assert_eq!(text(&listing.minimum_advertised), "19.99 USD");
    assert_eq!(listing.variation_of, Term::Set(Some("900".to_owned())));
    assert_eq!((listing.buffer, listing.cap), (Term::Set(2), Term::Set(20)));
    assert_eq!(offer.id.to_string(), "aliexpress:main/1005/1200");
    assert_eq!(offer.sku, listing.id.sku);
    let germany = Term::Set("DE".parse().unwrap());
    assert_eq!((offer.rank, &offer.ship_to), (Term::Set(3), &germany));
    assert_eq!(text(&offer.shipping), "3.50 CNY");
    assert_eq!((terms.sku.as_str(), &terms.bundle), ("MUG-1", &None));
}

#[test]
fn what_has_no_column_is_kept_what_is_empty_has_a_default_and_the_order_is_free() {
    let names =
        "Currency,sku,channel,price,supplier,product_id,variant_id,LISTING_OFFER_ID,cap,shipping";
    let header = Header::parse(&record(names.split(','))).unwrap();
    let cells = "USD, MUG-1 ,ebay:main,5,aliexpress:main,1,2,item:3,,0.50";
    let terms = header.terms(&record(cells.split(','))).unwrap();
    let (listing, offer) = (&terms.listings[0], &terms.offers[0]);
    assert_eq!((listing.buffer, listing.cap), (Term::Keep, Term::Set(50)));
    assert_eq!(
        (listing.by_rules, &listing.floor),
        (Term::Keep, &Term::Keep)
    );
    assert_eq!(listing.id.offer, "item:3");
    assert_eq!((offer.rank, &offer.ship_to), (Term::Keep, &Term::Keep));
    let shipping = offer.shipping.said().unwrap().unwrap();
    assert_eq!(shipping.to_string(), "0.50 USD");
    assert_eq!(listing.id.sku.as_str(), "MUG-1");
}

#[test]
fn a_row_may_bring_a_listing_or_an_offer_alone() {
    let listing = with(&without(&Column::OF_OFFER)).unwrap();
    assert_eq!((listing.listings.len(), listing.offers.len()), (1, 0));
    let mut nothing_of_it = without(&Column::OF_LISTING);
    let offer = with(&nothing_of_it).unwrap();
    assert_eq!((offer.listings.len(), offer.offers.len()), (0, 1));
    nothing_of_it.extend(without(&Column::OF_OFFER));
    let faults = with(&nothing_of_it).unwrap_err();
    assert!(faults[0].problem.starts_with("brings nothing"));

    // Files of one kind need no columns of the other.
    for (names, cells) in [
        (
            "sku,supplier,product_id,variant_id",
            "A,aliexpress:main,1,2",
        ),
        (
            "sku,channel,listing_offer_id,pricing,currency",
            "A,ebay:main,1,rules,USD",
        ),
        ("sku,parts", "A,B*2"),
    ] {
        let header = Header::parse(&record(names.split(','))).unwrap();
        header.terms(&record(cells.split(','))).unwrap();
    }
    let error = Header::parse(&record("sku,channel,rank".split(','))).unwrap_err();
    let lacks =
        "lacks the columns listing_offer_id, price, currency, supplier, product_id, variant_id";
    assert!(error.to_string().contains(lacks), "{error}");
}

#[test]
fn a_bundle_names_its_parts_and_no_supplier() {
    let mut changes = without(&Column::OF_OFFER);
    changes.push((Column::Parts, "MUG-2*2  PLATE*1*10"));
    let terms = with(&changes).unwrap();
    let bundle = terms.bundle.unwrap();
    let parts = bundle.parts().iter();
    let parts: Vec<_> = parts.map(|part| (part.sku.as_str(), part.units)).collect();
    assert_eq!(parts, [("MUG-2", 2), ("PLATE*1", 10)]);
    assert_eq!((terms.listings.len(), bundle.sku().as_str()), (1, "MUG-1"));
    for (parts, right) in [
        ("MUG-2", "as in MUG-1*2 PLATE-1*1"),
        ("MUG-2*x", "as in MUG-1*2 PLATE-1*1"),
        ("MUG-2*0", "1 to 10000 units"),
        ("MUG-1*1", "part of itself"),
        ("MUG-2*1 MUG-2*1", "each part once"),
    ] {
        changes.pop();
        changes.push((Column::Parts, parts));
        let faults = with(&changes).expect_err(parts);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].column.as_deref(), Some("parts"));
        assert!(faults[0].problem.contains(right), "{:?}", faults[0]);
    }
    let faults = with(&[(Column::Parts, "MUG-2*1")]).unwrap_err();
    assert_eq!(faults[0].column.as_deref(), Some("supplier"));
    assert!(faults[0].problem.contains("must be empty"));
}

#[test]
fn a_price_by_rules_may_have_a_first_one() {
    use Column::{Price, Pricing};
    let price = |changes: &[(Column, &str)]| {
        let terms = with(changes).unwrap();
        let listing = &terms.listings[0];
        (
            listing.by_rules == Term::Set(true),
            listing.price.to_string(),
        )
    };
    let (first, none) = ("19.99 USD".to_owned(), "0.00 USD".to_owned());
    assert_eq!(price(&[(Pricing, "fixed")]), (false, first.clone()));
    assert_eq!(price(&[(Pricing, "rules")]), (true, first));
    assert_eq!(price(&[(Price, "rules")]), (true, none.clone()));
    assert_eq!(
        price(&[(Price, ""), (Pricing, "rules")]),
        (true, none.clone())
    );
    assert_eq!(price(&[(Price, "rules"), (Pricing, "rules")]), (true, none));
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
        (Column::Price, "", "or rules"),
        (Column::Price, "19.98", "minimum advertised"),
        (Column::Price, "30.01", "above the ceiling"),
        (Column::Pricing, "dynamic", "fixed or rules"),
        (Column::Floor, "low", "as in 19.99"),
        (Column::Ceiling, "-5", "above 0"),
        (Column::Map, "0", "above 0"),
        (Column::VariationOf, "9/1", "letters, digits"),
        (Column::Shipping, "free", "as in 3.50 USD"),
        (Column::Shipping, "3.50 dollars", "as in 3.50 USD"),
        (Column::Shipping, "-1 USD", "not be below 0"),
        (Column::Currency, "usd", "as in USD"),
        (Column::Buffer, "-1", "whole number"),
        (Column::Cap, "4294967296", "whole number"),
        (Column::Cap, "+5", "whole number"),
        (Column::Supplier, "ebay:main", "where you buy"),
        (Column::ProductId, "1.00501E+15", "rounded by a spreadsheet"),
        (Column::ProductId, "1E15", "rounded by a spreadsheet"),
        (Column::ProductId, "1,2e+16", "rounded by a spreadsheet"),
        (
            Column::VariantId,
            "12000037001234500",
            "rounded by a spreadsheet",
        ),
        (Column::VariantId, "=\"12 00\"", "letters, digits"),
        (Column::VariantId, "12 00", "letters, digits"),
        (Column::Sku, "MUG\u{200b}-1", "invisible"),
        (Column::Rank, "first", "whole number"),
        (Column::ShipTo, "USA", "as in US"),
    ] {
        let faults = with(&[(column, text)]).expect_err(text);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].column.as_deref(), Some(column.name()));
        assert!(faults[0].problem.contains(right), "{:?}", faults[0]);
    }
}

#[test]
fn an_id_that_only_looks_rounded_is_taken() {
    for (text, id) in [
        ("1200003700123450", "1200003700123450"),
        ("12000037001234501", "12000037001234501"),
        ("=\"12000037001234500\"", "12000037001234500"),
        ("100", "100"),
        ("E15", "E15"),
        ("1E15X", "1E15X"),
    ] {
        let terms = with(&[(Column::ProductId, text)]).expect(text);
        assert_eq!(terms.offers[0].id.product, id);
    }
}

#[test]
fn all_faults_of_a_row_are_told_at_once() {
    let mut cells = GOOD;
    cells[Column::Currency as usize] = "dollars";
    cells[Column::Price as usize] = "free";
    cells[Column::Rank as usize] = "x";
    cells[Column::Shipping as usize] = "";
    let faults = header().terms(&record(cells)).unwrap_err();
    let columns: Vec<_> = faults
        .iter()
        .filter_map(|fault| fault.column.as_deref())
        .collect();
    assert_eq!(columns, ["currency", "price", "rank"]);
}

#[test]
fn a_row_that_is_too_long_or_too_short_is_not_guessed_at() {
    for cells in [&GOOD[..18], &[&GOOD[..], &["extra"]].concat()] {
        let faults = header().terms(&record(cells.iter().copied())).unwrap_err();
        assert_eq!(faults[0].column, None);
        assert!(faults[0].problem.contains("the header 19"));
    }
}

#[test]
fn text_that_is_not_utf_8_is_a_fault_of_its_cell() {
    let mut cells: Vec<&[u8]> = GOOD.iter().map(|cell| cell.as_bytes()).collect();
    cells[0] = b"M\xfcG";
    let faults = header().terms(&ByteRecord::from(cells)).unwrap_err();
    assert_eq!(faults[0].column.as_deref(), Some("sku"));
    assert!(faults[0].problem.contains("UTF-8"));
}

#[test]
fn the_columns_that_are_unknown_missing_or_doubled_are_named_in_one_sentence() {
    let names = "sku,sku,colour,channel,listing_offer_id,currency,supplier,product_id,variant_id";
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

#[test]
fn what_an_empty_cell_sets_is_what_something_new_begins_with() {
    let mut changes = vec![(Column::Price, "19.99")];
    for column in Column::OF_LISTING {
        let is_term = !Column::LISTING_NEEDS.contains(&column);
        changes.extend(is_term.then_some((column, "")));
    }
    for column in Column::OF_OFFER {
        let is_term = !Column::OFFER_NEEDS.contains(&column);
        changes.extend(is_term.then_some((column, "")));
    }
    let terms = with(&changes).unwrap();
    let (listing, offer) = (&terms.listings[0], &terms.offers[0]);
    let new: ListingTerms = Listing::new(listing.id.clone(), listing.price).into();
    assert_eq!(*listing, new);
    let new: OfferTerms = Offer::usual(offer.id.clone(), offer.sku.clone()).into();
    assert_eq!(*offer, new);
}
