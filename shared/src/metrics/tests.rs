use super::*;
use jiff::SignedDuration;

fn parsed(taken: &Taken) -> Vec<Value> {
    let now = Timestamp::from_millisecond(1_800_000_000_123).unwrap();
    let lines = taken.lines("kervan", now);
    assert!(lines.iter().all(|line| !line.contains('\n')));
    lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_line_is_what_cloudwatch_reads() {
    let metrics = Metrics::default();
    metrics.note(Measure::EvidenceAge, SignedDuration::from_millis(61_234));
    metrics.note(Measure::EvidenceAge, SignedDuration::from_millis(-5));
    metrics.count(Count::OffersChecked, 2);
    metrics.count(Count::OffersChecked, 3);
    let lines = parsed(&metrics.take());
    let wanted = json!({
        "_aws": {
            "Timestamp": 1_800_000_000_123_i64,
            "CloudWatchMetrics": [{
                "Namespace": "Kervan",
                "Dimensions": [["Stack"]],
                "Metrics": [
                    { "Name": "EvidenceAge", "Unit": "Seconds" },
                    { "Name": "OffersChecked", "Unit": "Count" },
                ],
            }],
        },
        "Stack": "kervan",
        "EvidenceAge": [61.2, 0.0],
        "OffersChecked": 5,
    });
    assert_eq!(lines, [wanted]);
    assert_eq!(metrics.take(), Taken::default());
}

#[test]
fn what_is_of_a_supplier_is_in_a_line_of_its_own_and_counts_among_all() {
    let metrics = Metrics::default();
    let (one, other) = ("aliexpress:main", "alibaba:main");
    for (supplier, age_s) in [(one, 60), (other, 7_000), (one, 80)] {
        let supplier = supplier.parse().unwrap();
        let age = SignedDuration::from_secs(age_s);
        metrics.note_of(&supplier, Measure::EvidenceAge, age);
    }
    metrics.count_of(&other.parse().unwrap(), Count::LooksFailed, 1);
    metrics.count(Count::OffersDue, 3);
    let taken = metrics.take();
    assert_eq!(taken.times(Measure::EvidenceAge).len(), 3);
    assert_eq!(taken.counted(Count::LooksFailed), 1);
    let lines = parsed(&taken);
    let of = |supplier: &str| {
        let mut found = lines.iter().filter(|line| line["Supplier"] == supplier);
        let line = found.next().unwrap();
        assert!(found.next().is_none());
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        let wanted = json!([["Stack"], ["Stack", "Supplier"]]);
        assert_eq!(directive["Dimensions"], wanted);
        line
    };
    assert_eq!(of(one)["EvidenceAge"], json!([60.0, 80.0]));
    assert_eq!(of(other)["EvidenceAge"], json!([7000.0]));
    assert_eq!(of(other)["LooksFailed"], 1);
    assert_eq!(lines.len(), 3);
    let of_none = lines.iter().find(|line| line.get("Supplier").is_none());
    assert_eq!(of_none.unwrap()["OffersDue"], 3);
}

#[test]
fn what_was_not_noted_is_not_written() {
    assert!(parsed(&Taken::default()).is_empty());
    let metrics = Metrics::default();
    metrics.count(Count::OffersDue, 0);
    let lines = parsed(&metrics.take());
    assert_eq!(lines[0]["OffersDue"], 0, "a zero says that somebody looked");
}

#[test]
fn more_values_than_a_line_holds_go_into_several_and_counts_into_one() {
    let metrics = Metrics::default();
    for second in 0..250 {
        metrics.note(
            Measure::EvidenceToPublished,
            SignedDuration::from_secs(second),
        );
    }
    metrics.note(Measure::OrderToLowered, SignedDuration::from_secs(1));
    metrics.count(Count::ListingsTold, 251);
    let lines = parsed(&metrics.take());
    let values = |line: &Value| line["EvidenceToPublished"].as_array().unwrap().len();
    assert_eq!(lines.iter().map(values).collect::<Vec<_>>(), [100, 100, 50]);
    let has = |name: &str| {
        let named = |line: &Value| {
            let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array();
            metrics.unwrap().iter().any(|metric| metric["Name"] == name)
        };
        lines.iter().map(named).collect::<Vec<_>>()
    };
    assert_eq!(has("ListingsTold"), [true, false, false]);
    assert_eq!(has("OrderToLowered"), [true, false, false]);
}

#[test]
fn seconds_have_three_digits() {
    let of = |millis| three_digits(Duration::from_millis(millis));
    let rounded = [0, 7, 999, 1004, 61_250, 7_234_999].map(of);
    assert_eq!(rounded, [0.0, 0.007, 0.999, 1.0, 61.3, 7230.0]);
    assert!(three_digits(Duration::MAX).is_finite());
}
