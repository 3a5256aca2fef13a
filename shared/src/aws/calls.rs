//! How often this process asks AWS.

use std::sync::atomic::{AtomicU64, Ordering};

pub(super) static DYNAMODB: AtomicU64 = AtomicU64::new(0);
pub(super) static SQS: AtomicU64 = AtomicU64::new(0);
pub(super) static SECRETS: AtomicU64 = AtomicU64::new(0);
pub(super) static KMS: AtomicU64 = AtomicU64::new(0);

/// How often this process has asked AWS since it started, every attempt counted.
pub fn calls() -> Calls {
    Calls {
        dynamodb: DYNAMODB.load(Ordering::Relaxed),
        sqs: SQS.load(Ordering::Relaxed),
        secrets: SECRETS.load(Ordering::Relaxed),
        kms: KMS.load(Ordering::Relaxed),
    }
}

/// Requests sent to AWS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// To DynamoDB.
    pub dynamodb: u64,
    /// To SQS.
    pub sqs: u64,
    /// To Secrets Manager.
    pub secrets: u64,
    /// To KMS.
    pub kms: u64,
}

impl Calls {
    /// What was sent since `earlier`.
    pub const fn since(self, earlier: Self) -> Self {
        Self {
            dynamodb: self.dynamodb.saturating_sub(earlier.dynamodb),
            sqs: self.sqs.saturating_sub(earlier.sqs),
            secrets: self.secrets.saturating_sub(earlier.secrets),
            kms: self.kms.saturating_sub(earlier.kms),
        }
    }

    /// All of them.
    pub const fn total(self) -> u64 {
        self.dynamodb + self.sqs + self.secrets + self.kms
    }
}
