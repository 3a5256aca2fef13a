//! When a write that must not be applied twice may be sent again.

use aws_sdk_dynamodb::config::{
    Builder, Config,
    retry::{ClassifyRetry, RetryAction},
};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;

/// Sends again only after an answer below 500, which says that the write was refused: too many requests, for example.
/// Without an answer, or with a fault of the service, the write may have been applied; its caller has to read.
pub(super) fn only_after_a_refusal() -> Builder {
    Config::builder().retry_classifier(OnlyAfterARefusal)
}

#[derive(Debug)]
struct OnlyAfterARefusal;

impl ClassifyRetry for OnlyAfterARefusal {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.response() {
            Some(answer) if answer.status().as_u16() < 500 => RetryAction::NoActionIndicated,
            _ => RetryAction::RetryForbidden,
        }
    }

    fn name(&self) -> &'static str {
        "OnlyAfterARefusal"
    }
}
