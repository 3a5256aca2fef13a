//! All that the world does, each with the name of its row: the action and its variants as the JSON has them.

use kervan_marketplaces::Buyer;
use kervan_marketplaces::FeeReport;
use kervan_marketplaces::Hidden;
use kervan_marketplaces::ListHabits;
use kervan_marketplaces::OrderAction;
use kervan_marketplaces::Party;
use kervan_marketplaces::RefundEnd;
use kervan_marketplaces::RefundOf;
use kervan_marketplaces::Spoiled;
use kervan_marketplaces::SupplierAction;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;

/// The values that stand for each variant of an enum. A variant that has none does not compile.
macro_rules! each {
    ($enum:ident { $($variant:ident => $values:expr,)* }) => {{
        let _ = |value: &$enum| match value {
            $($enum::$variant { .. } => {})*
        };
        let mut all: Vec<$enum> = Vec::new();
        $(all.extend($values);)*
        all
    }};
}

/// What happens to an order, by row. The orders have two units in line 0 and one in line 1.
pub(crate) fn of_orders() -> Vec<(String, OrderAction)> {
    let all = each!(OrderAction {
        ShipByHand => [OrderAction::ShipByHand { line: 0, units: 1 }],
        Refund => refunds(),
        CancelLine => parties().map(|by| OrderAction::CancelLine { line: 0, by }),
        CancelOrder => parties().map(|by| OrderAction::CancelOrder { by }),
        ChangeAddress => [OrderAction::ChangeAddress { buyer: Box::new(buyer()) }],
        ChangeId => [OrderAction::ChangeId],
        MergeInto => [OrderAction::MergeInto { order_id: "1".to_owned() }],
        Hide => each!(Hidden {
            Address => [Hidden::Address],
            Country => [Hidden::Country],
            Masked => [Hidden::Masked],
            Buyer => [Hidden::Buyer],
        }).into_iter().map(|what| OrderAction::Hide { what }),
        NeverPaid => [OrderAction::NeverPaid],
        Review => [OrderAction::Review],
        CollectTax => [None, Some("IM2760000742".to_owned())].map(|reference| {
            OrderAction::CollectTax { cents_a_line: 250, reference }
        }),
        ReportFee => each!(FeeReport {
            Always => [FeeReport::Always],
            OnRequest => [FeeReport::OnRequest],
            Never => [FeeReport::Never],
            OtherCurrency => [FeeReport::OtherCurrency],
        }).into_iter().map(|how| OrderAction::ReportFee { how }),
        FulfilByChannel => [OrderAction::FulfilByChannel],
        Vanish => [OrderAction::Vanish],
        Spoil => each!(Spoiled {
            Entry => [Spoiled::Entry],
            Character => [Spoiled::Character],
        }).into_iter().map(|what| OrderAction::Spoil { what }),
    });
    named(all)
}

/// How orders are listed, by row.
pub(crate) fn of_lists() -> Vec<String> {
    let habits = ListHabits::default();
    // A habit that is not here does not compile.
    let ListHabits {
        moves_while_paged: _,
        page_takes_ms: _,
    } = habits;
    let fields = json!(habits);
    let fields = fields.as_object().expect("an object").keys();
    fields.map(|name| format!("lists {name}")).collect()
}

/// What happens at a supplier, by row.
pub(crate) fn of_suppliers() -> Vec<(String, SupplierAction)> {
    let order_id = || "1".to_owned();
    let all = each!(SupplierAction {
        TaxOnTop => [SupplierAction::TaxOnTop { percent: 19 }],
        ImportCharges => [SupplierAction::ImportCharges { cents: 450 }],
        ChargeMore => [SupplierAction::ChargeMore { percent: 10 }],
        BlockAccount => [SupplierAction::BlockAccount { is_blocked: true }],
        RefuseNextOrder => [SupplierAction::RefuseNextOrder],
        CloseOrder => [SupplierAction::CloseOrder { order_id: order_id() }],
        TrackingEvent => [SupplierAction::TrackingEvent {
            order_id: order_id(),
            text: "Left with a neighbour at number 14".to_owned(),
        }],
        ReturnParcel => [SupplierAction::ReturnParcel { order_id: order_id() }],
        RefuseParcel => [SupplierAction::RefuseParcel { order_id: order_id() }],
        SlowCalls => [SupplierAction::SlowCalls { takes_ms: 700 }],
        EndConsent => [SupplierAction::EndConsent { in_s: 600 }],
    });
    named(all)
}

fn refunds() -> Vec<OrderAction> {
    let of = each!(RefundOf {
        Line => [RefundOf::Line { line: 0 }],
        Part => [RefundOf::Part { line: 0, cents: 300 }],
        Order => [RefundOf::Order],
    });
    let ends = each!(RefundEnd {
        Paid => [RefundEnd::Paid],
        Pending => [RefundEnd::Pending],
        FailsLater => [RefundEnd::FailsLater],
    });
    let each = |of| {
        let refund = move |ends| OrderAction::Refund { of, ends };
        ends.clone().into_iter().map(refund)
    };
    of.into_iter().flat_map(each).collect()
}

fn parties() -> [Party; 3] {
    let all = each!(Party {
        Buyer => [Party::Buyer],
        Seller => [Party::Seller],
        Marketplace => [Party::Marketplace],
    });
    all.try_into().expect("three")
}

fn buyer() -> Buyer {
    let text = str::to_owned;
    Buyer {
        username: text("ines_holt7"),
        full_name: text("Ines Holt"),
        address_line1: text("7 Other Street"),
        address_line2: None,
        city: text("Albany"),
        state_or_province: text("NY"),
        postal_code: text("12203"),
        country_code: text("US"),
        phone: text("2125550107"),
        email: text("x@members.example.invalid"),
    }
}

fn named<A: Serialize>(actions: Vec<A>) -> Vec<(String, A)> {
    let named = actions
        .into_iter()
        .map(|action| (row(&json!(action)), action));
    named.collect()
}

/// The name of the row: the action, and the words by which its variants differ.
fn row(action: &Value) -> String {
    let words = [
        &action["action"],
        &action["of"]["part"],
        &action["ends"],
        &action["by"],
        &action["what"],
        &action["how"],
    ];
    let mut words: Vec<&str> = words.into_iter().filter_map(Value::as_str).collect();
    if action["reference"].is_string() {
        words.push("reference");
    }
    words.join(" ")
}
