//! Decisions: pure functions, no I/O, no clock.

mod margin;
mod next;
mod part;
mod price;
mod quantity;
mod route;
mod schedule;
mod urgency;

pub use margin::{Margin, margin, most_loss};
pub use next::{
    BuyingStep, Lane, Open, TooMuch, TrackingStep, bought_too_much, due, is_too_much,
    next_buying_step, next_tracking_step, open_units, sends_the_rest,
};
pub use part::{Sending, part_revenue, rest_of, sending, worst_line};
pub use price::{
    Change, Pricable, Priced, PricedOffer, PricedPart, Step, Steps, WhyNot, first_choice,
    least_bearable, price, price_step,
};
pub use quantity::{Stocked, Supply, published_quantity};
pub use route::{Candidate, Need, Route, Share, Unroutable, landed, route};
pub use schedule::{Pace, attention_retry_is_due, next_stock_interval, next_tracking_check};
pub use urgency::Urgency;
