use super::*;
use kervan::domain::{Listing, ListingId};

fn listing(number: usize, cents: i64) -> Terms {
    let sku = Sku::parse(&format!("S{number}")).unwrap();
    let id = ListingId {
        channel: "ebay:main".parse().unwrap(),
        sku: sku.clone(),
        offer: number.to_string(),
    };
    let currency = "USD".parse().unwrap();
    let price = Money {
        minor: cents,
        currency,
    };
    Terms {
        sku,
        listings: vec![Listing::new(id, price).into()],
        offers: Vec::new(),
        bundle: None,
    }
}

fn told(seen: &mut Seen, line: u64, terms: &Terms) -> Vec<String> {
    let faults = seen.check(line, terms, |_, _| String::new());
    let text = |fault: Fault| format!("{} {}", fault.column.unwrap_or_default(), fault.problem);
    faults.into_iter().map(text).collect()
}

#[test]
fn rows_that_contradict_each_other_are_found_however_far_apart_they_are() {
    let mut seen = Seen::default();
    for number in 0..300_000 {
        assert!(told(&mut seen, number as u64 + 2, &listing(number, 500)).is_empty());
    }
    let again = told(&mut seen, 300_002, &listing(0, 500));
    assert!(again.is_empty(), "the same twice is no contradiction");
    let other = told(&mut seen, 300_003, &listing(0, 600));
    let right = "price must be as in line 2, which has the same listing";
    assert_eq!((other, seen.full_since()), (vec![right.to_owned()], None));
}

#[test]
fn every_other_value_is_found_and_where_its_tag_is_the_same_the_row_is_named() {
    let mut seen = Seen::default();
    told(&mut seen, 2, &listing(0, 500));
    let mut without_column = 0;
    for cents in 501..3000 {
        let faults = told(&mut seen, 3, &listing(0, cents));
        assert_eq!(faults.len(), 1, "{cents}");
        without_column += usize::from(!faults[0].starts_with("price"));
    }
    assert!(without_column < 100, "{without_column}");
}

#[test]
fn what_one_of_two_rows_does_not_say_contradicts_nothing() {
    let mut seen = Seen::default();
    let mut terms = listing(0, 500);
    told(&mut seen, 2, &terms);
    terms.listings[0].cap = Term::Keep;
    assert!(told(&mut seen, 3, &terms).is_empty());
    terms.listings[0].buffer = Term::Set(9);
    let faults = told(&mut seen, 4, &terms);
    assert_eq!(faults.len(), 1);
    assert!(
        faults[0].starts_with("buffer must be as in line 2"),
        "{faults:?}"
    );
}

#[test]
fn where_memory_is_used_up_it_is_told_from_which_line_on() {
    let mut seen = Seen::with_room_for(10);
    for number in 0..20 {
        told(&mut seen, number as u64 + 2, &listing(number, 500));
    }
    assert_eq!(seen.full_since(), Some(12));
    assert_eq!(told(&mut seen, 30, &listing(9, 600)).len(), 1);
    assert!(told(&mut seen, 31, &listing(10, 600)).is_empty());
}
