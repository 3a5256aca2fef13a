use super::super::case::*;
use super::*;
use crate::decide::{BuyingStep, TooMuch, next_buying_step};
use crate::domain::{Decision, Phase, Reason, Refusal, Rest, Sku};
use crate::domain::{MissingLine, WhyMissing};

fn line(id: &str) -> LineId {
    LineId::parse(id).unwrap()
}

fn lines(ids: &[&str]) -> Vec<LineId> {
    ids.iter().map(|id| line(id)).collect()
}

fn cancel_of(ids: &[&str], gone: &[u8]) -> Decision {
    Decision::CancelLines {
        lines: lines(ids),
        not_at_supplier: gone.to_vec(),
    }
}

fn elsewhere_of(ids: &[&str], gone: &[u8]) -> Decision {
    Decision::LinesElsewhere {
        lines: lines(ids),
        not_at_supplier: gone.to_vec(),
    }
}

fn again_of(ids: &[&str], gone: &[u8]) -> Decision {
    Decision::LinesAgain {
        lines: lines(ids),
        not_at_supplier: gone.to_vec(),
    }
}

/// The places of the lines that no purchase fills.
fn open(order: &Order) -> Vec<usize> {
    open_units(order).iter().map(|open| open.place).collect()
}

/// The skus that a purchase has.
fn skus(order: &Order, purchase: usize) -> Vec<&str> {
    let lines = order.purchases[purchase].lines.iter();
    lines.map(|line| line.sku.as_str()).collect()
}

fn bought() -> Vec<Event> {
    vec![planned(1), lease(1, at(0)), placed(1, &["81"])]
}

/// The supplier made two orders of the purchase and has closed the second.
fn half_closed(contents: &[(&str, &str)]) -> Vec<Event> {
    let part = |(id, sku): &(&str, &str)| PartLine {
        line: line(id),
        sku: Sku::parse(sku).unwrap(),
        quantity: u32::try_from(UNITS).unwrap(),
    };
    let closed = Event::SupplierOrderClosed {
        purchase: 1,
        supplier_order: id("82"),
        lines: contents.iter().map(part).collect(),
    };
    let reason = Reason::PurchaseClosed {
        code: "CLOSED".to_owned(),
        supplier_order: Some(id("82")),
    };
    vec![
        planned(1),
        lease(1, at(0)),
        placed(1, &["81", "82"]),
        closed,
        raised(reason),
    ]
}

#[tokio::test]
async fn a_cancelled_line_is_planned_no_more_and_the_order_ends_without_it() {
    let out = Reason::OutOfStock {
        sku: Sku::parse("VASE").unwrap(),
    };
    let case = Case::of(&[raised(out.clone())]).await;
    let done = case.resolve(cancel_of(&["2"], &[])).await.unwrap();
    assert_eq!((open(&done.after), done.after.attention), (vec![0], None));
    // What was planned of it is given up by the worker, and its units are free again.
    let case = Case::of(&[planned(1), raised(out)]).await;
    let done = case.resolve(cancel_of(&["2"], &[])).await.unwrap();
    let step = next_buying_step(&done.after, case.now());
    assert_eq!(step, BuyingStep::PlanAnew(1));
    // Without any other line, the order is over.
    let case = Case::of(&[]).await;
    case.resolve(cancel_of(&["1"], &[])).await.unwrap();
    let done = case.resolve(cancel_of(&["2"], &[])).await.unwrap();
    let step = next_buying_step(&done.after, case.now());
    assert_eq!(step, BuyingStep::GiveBack);
    assert_eq!(done.after.phase, Phase::Open, "a worker ends it");
}

#[tokio::test]
async fn what_is_bought_of_a_cancelled_line_is_too_much_unless_the_supplier_has_it_no_more() {
    let units = u32::try_from(UNITS).unwrap();
    let case = Case::of(&bought()).await;
    let done = case.resolve(cancel_of(&["2"], &[])).await.unwrap();
    let sku = Sku::parse("VASE").unwrap();
    let step = next_buying_step(&done.after, case.now());
    assert_eq!(step, BuyingStep::ReportTooMuch(TooMuch { sku, units }));

    let case = Case::of(&bought()).await;
    let done = case.resolve(cancel_of(&["2"], &[1])).await.unwrap();
    assert_eq!(skus(&done.after, 0), ["LAMP"]);
    assert_eq!(done.after.purchases[0].supplier_orders(), [id("81")]);
    assert!(open(&done.after).is_empty());
    let step = next_buying_step(&done.after, case.now());
    assert_eq!(step, BuyingStep::Rest);
}

#[tokio::test]
async fn a_line_is_bought_elsewhere_only_once_no_supplier_has_it() {
    let bought_there = |purchase| Unfit::LineBought {
        line: line("2"),
        purchase,
    };
    let case = Case::of(&bought()).await;
    assert_eq!(case.unfit(elsewhere_of(&["2"], &[])).await, bought_there(1));
    let done = case.resolve(elsewhere_of(&["2"], &[1])).await.unwrap();
    assert_eq!(skus(&done.after, 0), ["LAMP"]);
    assert!(
        !done.after.decided.bought_elsewhere,
        "the other line goes on"
    );
    // What may be at a supplier counts as there.
    let case = Case::of(&in_doubt()).await;
    assert_eq!(case.unfit(elsewhere_of(&["2"], &[])).await, bought_there(1));
    let done = case.resolve(elsewhere_of(&["2"], &[1])).await.unwrap();
    assert_eq!(open(&done.after), [0], "the other line is planned anew");
    assert_eq!(done.after.attention, None);
}

#[tokio::test]
async fn a_line_that_was_given_up_is_bought_after_all() {
    let case = Case::of(&[]).await;
    let done = case.resolve(cancel_of(&["2"], &[])).await.unwrap();
    assert_eq!(open(&done.after), [0]);
    assert_eq!(
        case.unfit(cancel_of(&["2"], &[])).await,
        Unfit::LineGivenUp(line("2"))
    );
    let done = case.resolve(again_of(&["2"], &[])).await.unwrap();
    assert_eq!(open(&done.after), [0, 1]);
    // What was elsewhere can be cancelled.
    case.resolve(elsewhere_of(&["2"], &[])).await.unwrap();
    case.resolve(cancel_of(&["2"], &[])).await.unwrap();
    let gone = |details: &mut crate::domain::OrderDetails| details.lines[1].cancelled = 2;
    case.record(changed(gone)).await.unwrap();
    let unfit = case.unfit(again_of(&["2"], &[])).await;
    assert_eq!(unfit, Unfit::LineNotWanted(line("2")));
    let case = Case::of(&bought()).await;
    let unfit = case.unfit(again_of(&["2"], &[])).await;
    let (line, purchase) = (line("2"), 1);
    assert_eq!(unfit, Unfit::LineBought { line, purchase });
}

#[tokio::test]
async fn a_line_that_is_not_there_is_told_with_those_that_are() {
    let case = Case::of(&[]).await;
    for decision in [
        cancel_of(&["1", "3"], &[]),
        elsewhere_of(&["3"], &[]),
        again_of(&["3"], &[]),
    ] {
        let unfit = case.unfit(decision).await;
        assert_eq!(unfit.to_string(), "the order has no line 3: it has 1, 2");
    }
    let unfit = case.unfit(cancel_of(&["1"], &[4])).await;
    assert_eq!(unfit, Unfit::NoSuchPurchase(4));
    let case = Case::of(&[planned(1)]).await;
    let unfit = case.unfit(cancel_of(&["1"], &[1])).await;
    assert!(matches!(unfit, Unfit::WrongState { .. }), "{unfit}");
}

#[tokio::test]
async fn of_a_half_that_the_supplier_closed_only_that_half_is_bought_again() {
    let vase = [("2", "VASE")];
    let mut sent: Event = parcel();
    if let Event::ParcelSeen { parcel } = &mut sent {
        parcel.lines.truncate(1);
    }
    for more in [Vec::new(), vec![sent]] {
        let case = Case::of(&[half_closed(&vase), more].concat()).await;
        let done = case.resolve(again(&[1])).await.unwrap();
        assert_eq!(skus(&done.after, 0), ["LAMP"]);
        assert_eq!(done.after.purchases[0].supplier_orders(), [id("81")]);
        assert!(done.after.purchases[0].closed.is_empty());
        assert_eq!((open(&done.after), done.after.attention), (vec![1], None));
    }
    for decision in [
        cancel_of(&["2"], &[]),
        elsewhere_of(&["2"], &[]),
        elsewhere(&[1]),
    ] {
        let case = Case::of(&half_closed(&vase)).await;
        let done = case.resolve(decision).await.unwrap();
        assert_eq!(skus(&done.after, 0), ["LAMP"]);
        assert_eq!(done.after.attention, None);
        let step = next_buying_step(&done.after, case.now());
        assert_eq!(step, BuyingStep::Rest);
    }
}

#[tokio::test]
async fn where_the_supplier_does_not_say_what_it_closed_a_person_names_the_lines() {
    let case = Case::of(&half_closed(&[])).await;
    let unfit = case.unfit(again(&[1])).await;
    let (purchase, all) = (1, lines(&["1", "2"]));
    assert_eq!(
        unfit,
        Unfit::NameLines {
            purchase,
            lines: all
        }
    );
    let done = case.resolve(again_of(&["2"], &[1])).await.unwrap();
    assert_eq!(skus(&done.after, 0), ["LAMP"]);
    assert_eq!(done.after.purchases[0].supplier_orders(), [id("81")]);
    assert_eq!((open(&done.after), done.after.attention), (vec![1], None));
}

#[tokio::test]
async fn what_the_supplier_has_sent_or_closed_whole_is_no_half() {
    let case = Case::of(&[half_closed(&[]), vec![parcel()]].concat()).await;
    let unfit = case.unfit(again_of(&["2"], &[1])).await;
    assert_eq!(unfit, Unfit::OnItsWay(1));
    let mut both = half_closed(&[("2", "VASE")]);
    both.push(Event::SupplierOrderClosed {
        purchase: 1,
        supplier_order: id("81"),
        lines: Vec::new(),
    });
    let case = Case::of(&both).await;
    let done = case.resolve(again(&[1])).await.unwrap();
    assert!(done.after.purchases[0].is_given_up());
    assert_eq!(open(&done.after), [0, 1]);
}

#[tokio::test]
async fn a_person_says_once_that_the_rest_is_sent() {
    let missing = MissingLine {
        line: line("2"),
        sku: "VASE".to_owned(),
        why: WhyMissing::OutOfStock,
    };
    let asked = Reason::LinesMissing {
        lines: vec![missing],
        rest: Rest::Asked,
    };
    let refused = Reason::SupplierRefused {
        code: "X".to_owned(),
    };
    for reason in [asked.clone(), refused] {
        let case = Case::of(&[raised(reason)]).await;
        let done = case.resolve(Decision::SendTheRest).await.unwrap();
        assert!(done.after.decided.send_the_rest && done.after.attention.is_none());
        let step = next_buying_step(&done.after, case.now());
        assert_eq!(step, BuyingStep::Plan);
        let unfit = case.unfit(Decision::SendTheRest).await;
        assert_eq!(unfit, Unfit::RestIsSent);
    }
    let case = Case::of(&[raised(Reason::NoRate)]).await;
    let unfit = case.unfit(Decision::SendTheRest).await;
    assert_eq!(unfit, Unfit::NotTheCause(Some(Reason::NoRate)));
    let case = Case::of(&[vec![raised(asked)], bought()].concat()).await;
    let unfit = case.unfit(Decision::SendTheRest).await;
    assert!(matches!(unfit, Unfit::NotTheCause(_)), "all is bought");
    let refusal = refused_of_all().await;
    assert_eq!(refusal, BuyingStep::Plan, "what refused is asked again");
}

/// The next step after a line was refused, and a person has it bought again.
async fn refused_of_all() -> BuyingStep {
    let events = [planned(1), lease(1, at(0)), refused(1, Refusal::Other)];
    let case = Case::of(&events).await;
    let done = case.resolve(again_of(&["2"], &[])).await.unwrap();
    assert_eq!(done.after.decided.refusals_lifted_to, 1);
    next_buying_step(&done.after, case.now())
}
