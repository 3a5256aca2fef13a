//! Token buckets with Amazon's rates (developer-docs.amazon.com/sp-api, "Usage Plans and Rate Limits").

use jiff::Timestamp;

use super::state::State;
use super::types::AmazonBucket;
use super::types::AmazonOperation;

/// A bucket as it stands, in millionths of a token.
#[derive(Clone)]
pub(super) struct Level {
    millionths: u64,
    at: Timestamp,
}

const TOKEN: u64 = 1_000_000;

impl State {
    /// Takes a token of an operation; false where there is none.
    pub(super) fn takes_token(&mut self, operation: AmazonOperation) -> bool {
        let Some(bucket) = self.bucket_of(operation) else {
            return true;
        };
        let full = u64::from(bucket.burst) * TOKEN;
        let now = self.now;
        let level = self.levels.entry(operation).or_insert(Level {
            millionths: full,
            at: now,
        });
        let passed_ms = u64::try_from(now.as_millisecond() - level.at.as_millisecond());
        let flowed_in = bucket
            .calls_per_million_s
            .saturating_mul(passed_ms.unwrap_or(0))
            / 1_000;
        level.millionths = level.millionths.saturating_add(flowed_in).min(full);
        level.at = now;
        if level.millionths < TOKEN {
            let count = self.gate.limited.entry(operation.name().to_owned());
            *count.or_default() += 1;
            return false;
        }
        level.millionths -= TOKEN;
        true
    }

    /// The rate as the header tells it, in calls a second.
    pub(super) fn rate_header(&self, operation: AmazonOperation) -> Option<String> {
        let rate = self.bucket_of(operation)?.calls_per_million_s;
        let text = format!("{}.{:06}", rate / 1_000_000, rate % 1_000_000);
        let trimmed = text.trim_end_matches('0');
        Some(if trimmed.ends_with('.') {
            format!("{trimmed}0")
        } else {
            trimmed.to_owned()
        })
    }

    fn bucket_of(&self, operation: AmazonOperation) -> Option<AmazonBucket> {
        if let Some(own) = self.buckets.get(&operation) {
            return *own;
        }
        self.config
            .settings
            .rate_limits
            .then(|| operation.documented_bucket())
            .flatten()
    }
}
