//! What holds whatever was answered: a success needs a success, and what is said to be there was in the answer.

use crate::accounts::Kind;
use crate::network::Answer;
use http::StatusCode;
use kervan::domain::{Signal, SignalKind, SupplierOrderId, TrackingNumber};
use kervan::marketplaces::{
    CallError, Effect, FetchedOrder, OrderPage, Placed, Quote, Refunded, SupplierOrder,
};

/// Nothing is a success that was answered with an error.
pub(crate) fn only_under_success<T: std::fmt::Debug>(
    answer: &Answer,
    done: &Result<T, CallError>,
) -> bool {
    if let Ok(done) = done {
        strictly_under_success(answer, done);
    }
    done.is_ok()
}

/// Refusals can tell that something is not there.
fn is_telling(answer: &Answer) -> bool {
    answer.status.is_client_error()
}

fn strictly_under_success<T: std::fmt::Debug>(answer: &Answer, done: &T) {
    assert!(
        answer.status.is_success(),
        "{} became {done:?}",
        answer.status
    );
}

/// Text of the answer with what escapes and markup can hide taken away.
fn says(answer: &Answer, text: &str) -> bool {
    let plain = |bytes: &[u8]| -> Vec<u8> {
        let letters = bytes.iter().filter(|byte| byte.is_ascii_alphanumeric());
        letters.map(u8::to_ascii_uppercase).collect()
    };
    let (body, text) = (plain(&answer.body), plain(text.as_bytes()));
    // Escapes can spell any letter another way.
    let is_escaped = answer.body.contains(&b'\\') || answer.body.contains(&b'&');
    text.is_empty() || is_escaped || body.windows(text.len()).any(|part| part == text)
}

/// Whether an id is in the answer; the Trading API makes some of two numbers that stand apart there.
fn names(answer: &Answer, id: &str) -> bool {
    let mut parts = id.split('-');
    let two = (parts.next(), parts.next(), parts.next());
    let apart = |(first, second)| says(answer, first) && says(answer, second);
    says(answer, id) || matches!(two, (Some(first), Some(second), None) if apart((first, second)))
}

/// An order has lines, and they are the channel's.
pub(crate) fn order(answer: &Answer, read: &Result<FetchedOrder, CallError>) -> bool {
    let Ok(order) = read else {
        return false;
    };
    strictly_under_success(answer, order);
    assert!(!order.details.lines.is_empty(), "an order without lines");
    for line in &order.details.lines {
        assert!(line.quantity > 0, "a line of nothing");
        let known = names(answer, line.id.as_str());
        assert!(known, "the line {} is not in the answer", line.id);
    }
    read.is_ok()
}

/// The orders of a page are the channel's.
pub(crate) fn page(answer: &Answer, read: &Result<OrderPage, CallError>) -> bool {
    let Ok(page) = read else {
        return false;
    };
    strictly_under_success(answer, page);
    for (id, _) in &page.orders {
        assert!(says(answer, id.as_str()), "{id} is not in the answer");
    }
    !page.orders.is_empty()
}

/// Every item has an answer of its own.
pub(crate) fn items<T: std::fmt::Debug>(
    answer: &Answer,
    count: usize,
    done: &Result<Vec<Result<T, CallError>>, CallError>,
) -> bool {
    let Ok(items) = done else {
        return false;
    };
    assert_eq!(items.len(), count, "an item has no answer");
    if items.iter().any(Result::is_ok) {
        // A product that is gone is an answer too.
        assert!(
            answer.status.is_success() || is_telling(answer),
            "{}",
            answer.status
        );
    }
    items.iter().any(Result::is_ok)
}

/// A parcel counts as confirmed only where the channel said so, in the one way that it says it.
pub(crate) fn confirmed(kind: Kind, answer: &Answer, done: &Result<(), CallError>) -> bool {
    if done.is_ok() {
        strictly_under_success(answer, done);
        let said = match kind {
            Kind::Amazon => answer.status == StatusCode::NO_CONTENT,
            Kind::Ebay => {
                let is_page = answer.body.trim_ascii_start().starts_with(b"<");
                answer.status == StatusCode::CREATED && !is_page
            }
            Kind::EbayTrading => says(answer, "Ack"),
            _ => says(answer, "result_success"),
        };
        assert!(said, "a parcel was confirmed that nobody confirmed");
    }
    done.is_ok()
}

/// A parcel is known only where its number is in the answer.
pub(crate) fn is_confirmed(
    answer: &Answer,
    number: &TrackingNumber,
    known: &Result<bool, CallError>,
) -> bool {
    if matches!(known, Ok(true)) {
        strictly_under_success(answer, known);
        assert!(
            says(answer, number.as_str()),
            "{number} is not in the answer"
        );
    }
    matches!(known, Ok(true))
}

/// A refund has the channel's id.
pub(crate) fn refunded(answer: &Answer, done: &Result<Refunded, CallError>) -> bool {
    if let Ok(refunded) = done {
        strictly_under_success(answer, refunded);
        assert!(
            says(answer, &refunded.id),
            "the refund is not in the answer"
        );
    }
    done.is_ok()
}

/// Terms for each wanted line, none of them below zero.
pub(crate) fn quote(answer: &Answer, count: usize, asked: &Result<Quote, CallError>) -> bool {
    let Ok(quote) = asked else {
        return false;
    };
    strictly_under_success(answer, quote);
    assert_eq!(quote.lines.len(), count, "a line has no terms");
    for line in &quote.lines {
        let is_negative = line.unit_cost.minor < 0 || line.shipping.minor < 0;
        assert!(!is_negative, "terms below zero: {line:?}");
    }
    asked.is_ok()
}

/// A purchase counts as placed only where the supplier named it, or said that it had it already; and what may have been
/// placed is never called unplaced.
pub(crate) fn placed(answer: &Answer, was_asked: bool, done: &Result<Placed, CallError>) -> bool {
    match done {
        Ok(placed) => {
            strictly_under_success(answer, placed);
            ids(answer, &placed.supplier_orders);
            let known = !placed.supplier_orders.is_empty() || says(answer, "REPEATED_ORDER");
            assert!(known, "placed without a number");
        }
        Err(error) => {
            // An answer of which nothing is understood proves nothing.
            let is_noise = !answer.body.iter().any(u8::is_ascii_alphabetic);
            if was_asked && answer.status.is_success() && is_noise {
                assert_ne!(error.effect, Effect::None, "{error}");
            }
        }
    }
    done.is_ok()
}

/// What a search found is in the answer.
pub(crate) fn found(answer: &Answer, found: &Result<Option<Placed>, CallError>) -> bool {
    if let Ok(found) = found {
        strictly_under_success(answer, found);
        let placed = found.iter().flat_map(|placed| &placed.supplier_orders);
        ids(answer, placed);
    }
    matches!(found, Ok(Some(_)))
}

/// A supplier's parcels have the supplier's numbers.
pub(crate) fn supplier_order(answer: &Answer, read: &Result<SupplierOrder, CallError>) -> bool {
    let Ok(order) = read else {
        return false;
    };
    strictly_under_success(answer, order);
    for parcel in &order.parcels {
        let number = &parcel.tracking_number;
        assert!(
            says(answer, number.as_str()),
            "{number} is not in the answer"
        );
    }
    read.is_ok()
}

/// A signal is about something that was named.
pub(crate) fn signals(answer: &Answer, signals: &[Signal]) -> bool {
    for signal in signals {
        match &signal.kind {
            SignalKind::OrderChanged(id) | SignalKind::TrackingDue(id) => {
                assert!(names(answer, id.as_str()), "{id} was not named");
            }
            SignalKind::SupplierOrderChanged(id) => {
                assert!(says(answer, id.as_str()), "{id} was not named");
            }
            SignalKind::PersonErased(names) => assert!(!names.is_empty(), "nobody is erased"),
        }
    }
    !signals.is_empty()
}

fn ids<'a>(answer: &Answer, ids: impl IntoIterator<Item = &'a SupplierOrderId>) {
    for id in ids {
        assert!(says(answer, id.as_str()), "{id} is not in the answer");
    }
}
