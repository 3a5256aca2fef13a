//! What AWS asks a month for keeping stock in step, computed from counted calls and list prices.

use crate::memory_shop::Worked;
use serde::Serialize;

/// Where and of when the prices are: DynamoDB's were last changed on 1 November 2024, the others before.
pub const PRICES_OF: &str =
    "us-east-1, on demand, list prices since 2024-11-01, without free tiers";

/// Dollars for a million write units of DynamoDB.
const WRITE_UNITS: f64 = 0.625;
/// Dollars for a million read units of DynamoDB.
const READ_UNITS: f64 = 0.125;
/// Dollars for a gigabyte in DynamoDB a month, 0.25, with its point-in-time recovery, 0.20.
const STORED_GB: f64 = 0.45;
/// Dollars for a million requests of SQS.
const SQS_REQUESTS: f64 = 0.40;
/// Dollars for a million requests of Lambda.
const LAMBDA_REQUESTS: f64 = 0.20;
/// Dollars for a gigabyte of Lambda's memory a second, on x86.
const LAMBDA_GB_S: f64 = 0.000_016_666_7;
/// Dollars for a gigabyte written to CloudWatch Logs.
const LOGS_GB: f64 = 0.50;
/// Dollars a month for what does not grow: 8 metrics, and 2 of them by supplier too, of 0.30 and 26 alarms of 0.10 in
/// CloudWatch, 5 secrets of 0.40, and a key of 1.00, with one supplier. Rules that start a function on a schedule are free.
const FIXED: f64 = (8.0 + 2.0) * 0.30 + 26.0 * 0.10 + 5.0 * 0.40 + 1.00;

/// Memory of the inventory-poller in gigabytes, as the template has it.
const POLLER_GB: f64 = 0.25;
/// Assumed seconds of a call to DynamoDB or SQS.
const STORE_CALL_S: f64 = 0.005;
/// Assumed seconds of a call to a supplier.
const SUPPLIER_CALL_S: f64 = 0.3;
/// Assumed seconds of a call to a channel.
const CHANNEL_CALL_S: f64 = 0.5;
/// Messages that one invocation works on side by side.
const SIDE_BY_SIDE: f64 = 10.0;
/// Calls to a supplier that are made side by side for one message.
const ASKED_AT_ONCE: f64 = 8.0;
/// Calls to a supplier that one write takes from the shared limit: as many as AliExpress's allow.
const ASKED_A_TAKING: f64 = 10.0;
/// Calls a second that AliExpress's documented limit leaves one account.
const SUPPLIER_CALLS_PER_S: f64 = 250.0;
/// Invocations for the queue that run at a time, as the template has it.
const MOST_INVOCATIONS: f64 = 5.0;
/// Bytes that an invocation writes to the log, with Lambda's own lines.
const LOG_OF_INVOCATION: f64 = 1_200.0;
/// Bytes that a look adds to the log, as a measured value.
const LOG_OF_LOOK: f64 = 8.0;
/// Bytes of the line about a published listing, and of its measured value.
const LOG_OF_TOLD: f64 = 260.0;
/// Minutes of a month.
const MINUTES: f64 = 730.0 * 60.0;
/// Requests for messages that find none: Lambda begins with five pollers a queue, of four queues, and each waits for 20 s.
const IDLE_RECEIVES: f64 = MINUTES * 3.0 * 5.0 * 4.0;

/// What one look at an offer costs on average.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct PerLook {
    /// Read units.
    pub read_units: f64,
    /// Write units of the table.
    pub write_units: f64,
    /// Write units of the index.
    pub index_units: f64,
    /// Write units of the shared limits, reckoned from the calls to suppliers and channels.
    pub limit_units: f64,
    /// Calls to the supplier.
    pub asked: f64,
    /// Requests of SQS, with those that Lambda makes.
    pub sqs_requests: f64,
    /// Requests of Lambda.
    pub invocations: f64,
    /// Seconds of the function, reckoned from the calls.
    pub function_s: f64,
    /// Bytes of log.
    pub log_bytes: f64,
}

impl PerLook {
    /// From a counted pass over all offers.
    #[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    pub fn of(worked: &Worked) -> Self {
        let offers = (worked.due as f64).max(1.0);
        let (poll, work) = (&worked.poll, &worked.work);
        let calls =
            |calls: &crate::counting::Calls| (calls.reads() + calls.writes + calls.sends) as f64;
        let invocations = worked.invocations as f64;
        let (asked, pushed) = (worked.asked as f64, worked.pushed as f64);
        let messages = (poll.messages as f64).max(1.0);
        let rounds = messages * (asked / messages / ASKED_AT_ONCE).ceil();
        let abroad = rounds * SUPPLIER_CALL_S + pushed * CHANNEL_CALL_S;
        let function_s =
            calls(poll) * STORE_CALL_S + (calls(work) * STORE_CALL_S + abroad) / SIDE_BY_SIDE;
        // A batch is received and deleted, each with one request.
        let sqs_requests = (poll.sends + work.sends) as f64 + 2.0 * invocations;
        let log_bytes = invocations * LOG_OF_INVOCATION
            + offers * LOG_OF_LOOK
            + worked.told as f64 * LOG_OF_TOLD;
        Self {
            read_units: (poll.read_units + work.read_units) / offers,
            write_units: (poll.write_units + work.write_units) / offers,
            index_units: (poll.index_units + work.index_units) / offers,
            // Channels allow less at once, so each call to them is taken by itself.
            limit_units: (asked / ASKED_A_TAKING + pushed) / offers,
            asked: asked / offers,
            sqs_requests: sqs_requests / offers,
            invocations: invocations / offers,
            function_s: function_s / offers,
            log_bytes: log_bytes / offers,
        }
    }

    /// The average where a share of the looks is like `other`.
    fn mixed(self, other: Self, share: f64) -> Self {
        let mix = |one: f64, other: f64| one * (1.0 - share) + other * share;
        Self {
            read_units: mix(self.read_units, other.read_units),
            write_units: mix(self.write_units, other.write_units),
            index_units: mix(self.index_units, other.index_units),
            limit_units: mix(self.limit_units, other.limit_units),
            asked: mix(self.asked, other.asked),
            sqs_requests: mix(self.sqs_requests, other.sqs_requests),
            invocations: mix(self.invocations, other.invocations),
            function_s: mix(self.function_s, other.function_s),
            log_bytes: mix(self.log_bytes, other.log_bytes),
        }
    }
}

/// What is assumed of a merchant.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Load {
    /// Skus, each with one offer and one listing.
    pub skus: u32,
    /// Minutes between two looks at an offer, on average.
    pub every_minutes: f64,
    /// Looks that find a change, of all.
    pub changed_share: f64,
}

/// Dollars a month.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Month {
    /// Of what.
    pub load: Load,
    /// Calls to the supplier a second.
    pub asked_per_s: f64,
    /// Invocations at a time, reckoned.
    pub at_a_time: f64,
    /// Whether AliExpress's limit for one account and the template's for invocations carry it.
    pub is_carried: bool,
    /// DynamoDB's reads and writes.
    pub table: f64,
    /// DynamoDB's storage.
    pub storage: f64,
    /// SQS.
    pub queue: f64,
    /// Lambda.
    pub functions: f64,
    /// CloudWatch Logs.
    pub logs: f64,
    /// What does not grow.
    pub fixed: f64,
}

impl Month {
    /// The costs of a load, where a look at an unchanged and at a changed offer cost this, and a sku is stored in so many
    /// bytes.
    pub fn of(load: Load, unchanged: PerLook, changed: PerLook, stored_bytes: u64) -> Self {
        let look = unchanged.mixed(changed, load.changed_share);
        let looks = f64::from(load.skus) * MINUTES / load.every_minutes;
        let millions = looks / 1e6;
        let writes = look.write_units + look.index_units + look.limit_units;
        let units = writes * WRITE_UNITS + look.read_units * READ_UNITS;
        let per_s = looks / (MINUTES * 60.0);
        let (asked_per_s, at_a_time) = (per_s * look.asked, per_s * look.function_s);
        #[allow(clippy::cast_precision_loss, reason = "a few kilobytes")]
        let stored = f64::from(load.skus) * stored_bytes as f64;
        let runs = MINUTES + looks * look.invocations;
        Self {
            load,
            asked_per_s,
            at_a_time,
            is_carried: asked_per_s <= SUPPLIER_CALLS_PER_S && at_a_time <= MOST_INVOCATIONS,
            table: millions * units,
            storage: stored / 1e9 * STORED_GB,
            queue: (millions * look.sqs_requests + IDLE_RECEIVES / 1e6) * SQS_REQUESTS,
            functions: runs / 1e6 * LAMBDA_REQUESTS
                + looks * look.function_s * POLLER_GB * LAMBDA_GB_S,
            logs: (looks * look.log_bytes + MINUTES * LOG_OF_INVOCATION) / 1e9 * LOGS_GB,
            fixed: FIXED,
        }
    }

    /// All of it.
    pub fn sum(&self) -> f64 {
        self.table + self.storage + self.queue + self.functions + self.logs + self.fixed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_what_its_parts_come_to() {
        let unchanged = PerLook {
            write_units: 1.0,
            ..PerLook::default()
        };
        let changed = PerLook {
            write_units: 3.0,
            read_units: 4.0,
            ..PerLook::default()
        };
        let load = Load {
            skus: 1_000_000,
            every_minutes: 43.8,
            changed_share: 0.5,
        };
        // 1000 looks at each sku: 1000 million times 2 writes and 2 reads.
        let month = Month::of(load, unchanged, changed, 1000);
        let wanted = 1000.0 * (2.0 * WRITE_UNITS + 2.0 * READ_UNITS);
        assert!((month.table - wanted).abs() < 1e-6, "{}", month.table);
        assert!((month.storage - STORED_GB).abs() < 1e-9);
        let parts = month.table + month.storage + month.queue + month.functions + month.logs;
        assert!((month.sum() - parts - FIXED).abs() < 1e-6);
    }

    #[test]
    fn a_load_beyond_the_limits_is_marked() {
        let look = PerLook {
            asked: 1.0,
            function_s: 0.01,
            ..PerLook::default()
        };
        let carried = |look, skus, every_minutes| {
            let load = Load {
                skus,
                every_minutes,
                changed_share: 0.0,
            };
            Month::of(load, look, look, 1000).is_carried
        };
        // 1,000,000 an hour are 278 a second.
        assert!(carried(look, 100_000, 15.0) && !carried(look, 1_000_000, 60.0));
        let bulk = PerLook {
            asked: 0.05,
            ..look
        };
        assert!(carried(bulk, 1_000_000, 60.0) && !carried(bulk, 1_000_000, 15.0));
    }
}
