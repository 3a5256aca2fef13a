//! What a failed call means.

use crate::causes::causes;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use std::error::Error;

/// What a failed call to AWS means to a port.
#[derive(Debug)]
pub(crate) struct Fault {
    /// It may pass: no answer, too many requests, or a fault of the service.
    pub(crate) passing: bool,
    /// Who calls may not.
    pub(crate) denied: bool,
    /// What happened, in one line.
    pub(crate) text: String,
}

impl Fault {
    pub(crate) fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let code = error.code().unwrap_or_default();
        let passing = match error {
            SdkError::ConstructionFailure(_) => false,
            SdkError::ServiceError(answer) => {
                answer.raw().status().as_u16() >= 500 || PASSING_CODES.contains(&code)
            }
            _ => true,
        };
        let text = match (code, error.message()) {
            ("", _) => causes(error),
            (code, Some(message)) => format!("{code}: {message}"),
            (code, None) => code.to_owned(),
        };
        let denied = code.starts_with("AccessDenied");
        Self {
            passing,
            denied,
            text,
        }
    }
}

/// Codes with a status below 500 that ask to come again later.
const PASSING_CODES: [&str; 12] = [
    "KMSInternalException",
    "KmsThrottled",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "ReplicatedWriteConflictException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "ServiceUnavailable",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TransactionInProgressException",
];
