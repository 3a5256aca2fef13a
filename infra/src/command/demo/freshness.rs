//! How fresh stock was during a demo, from what the functions measured.

use kervan::metrics::{Count, Measure};
use kervan_infra::shop::LogLine;
use serde::Serialize;
use std::collections::BTreeMap;

/// What the functions measured and counted.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Freshness {
    /// Measured times.
    times: Vec<Spread>,
    /// Sums.
    counts: BTreeMap<&'static str, u64>,
}

/// How the values of a measure are spread, in seconds.
#[derive(Debug, PartialEq, Serialize)]
struct Spread {
    measure: &'static str,
    values: usize,
    p50_s: f64,
    p95_s: f64,
    longest_s: f64,
}

impl Freshness {
    pub(super) fn of(lines: &[LogLine]) -> Self {
        let metrics: Vec<BTreeMap<String, Vec<f64>>> =
            lines.iter().filter_map(LogLine::metrics).collect();
        let values = |name: &str| {
            let of_lines = metrics.iter().filter_map(|line| line.get(name));
            of_lines.flatten().copied().collect::<Vec<f64>>()
        };
        let times = Measure::ALL.map(|measure| Spread::of(measure.name(), values(measure.name())));
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a sum of whole numbers that are not negative"
        )]
        let sum = |count: Count| {
            (
                count.name(),
                values(count.name()).iter().sum::<f64>() as u64,
            )
        };
        Self {
            times: times.into_iter().flatten().collect(),
            counts: Count::ALL.map(sum).into(),
        }
    }

    pub(super) fn print(&self) {
        let (p50, p95) = ("p50", "p95");
        println!(
            "\n{:<24} {p50:>9} {p95:>9} {:>9} {:>9}",
            "freshness", "longest", "values"
        );
        for spread in &self.times {
            println!(
                "{:<24} {:>7.1} s {:>7.1} s {:>7.1} s {:>9}",
                words(spread.measure),
                spread.p50_s,
                spread.p95_s,
                spread.longest_s,
                spread.values
            );
        }
        let count = |count: Count| self.counts.get(count.name()).copied().unwrap_or_default();
        println!(
            "{} offers were due by the schedule, {} looked at, {} listings told",
            count(Count::OffersDue),
            count(Count::OffersChecked),
            count(Count::ListingsTold)
        );
    }
}

impl Spread {
    /// `None` where nothing was measured.
    fn of(measure: &'static str, mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        // The least value that so many of a hundred do not exceed.
        let percentile = |of_hundred: usize| {
            let place = (values.len() * of_hundred).div_ceil(100).max(1) - 1;
            values.get(place).copied()
        };
        Some(Self {
            measure,
            values: values.len(),
            p50_s: percentile(50)?,
            p95_s: percentile(95)?,
            longest_s: percentile(100)?,
        })
    }
}

fn words(measure: &str) -> &str {
    match measure {
        "EvidenceAge" => "age of evidence",
        "EvidenceToPublished" => "evidence to channel",
        "OrderToLowered" => "order to other channels",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::{SignedDuration, Timestamp};
    use kervan::metrics::Metrics;

    fn logged(text: String) -> LogLine {
        LogLine {
            function: "inventory-poller",
            text,
        }
    }

    #[test]
    fn what_functions_write_is_read_again() {
        let metrics = Metrics::default();
        for second in 1..=200 {
            metrics.note(Measure::EvidenceAge, SignedDuration::from_secs(second));
        }
        metrics.note(Measure::OrderToLowered, SignedDuration::from_millis(250));
        metrics.count(Count::ListingsTold, 7);
        let lines = metrics.take().lines("kervan", Timestamp::UNIX_EPOCH);
        assert_eq!(lines.len(), 2);
        let mut lines: Vec<LogLine> = lines.into_iter().map(logged).collect();
        lines.push(logged("START RequestId: 1".to_owned()));
        lines.push(logged(
            "{\"message\":\"The invocation ended.\",\"dynamodb\":3}".to_owned(),
        ));
        let spread = |measure, values, p50_s, p95_s, longest_s| Spread {
            measure,
            values,
            p50_s,
            p95_s,
            longest_s,
        };
        let freshness = Freshness::of(&lines);
        let wanted = vec![
            spread("EvidenceAge", 200, 100.0, 190.0, 200.0),
            spread("OrderToLowered", 1, 0.25, 0.25, 0.25),
        ];
        assert_eq!(freshness.times, wanted);
        let wanted = [
            ("ListingsNotTold", 0),
            ("ListingsTold", 7),
            ("LooksFailed", 0),
            ("OffersChecked", 0),
            ("OffersDue", 0),
        ];
        assert_eq!(freshness.counts, BTreeMap::from(wanted));
    }
}
