//! The clients of AWS, built once and together.
//!
//! A function takes everything from its environment: reading profiles and asking metadata services costs time that a
//! cold start does not have. All clients share one HTTP client, so they share its TLS configuration, and the trusted
//! certificates are loaded once. Time-outs are short and attempts few, so that the slowest call ends before the
//! shortest function time-out does (5 s), and the message goes back to its queue with a reason.

use super::calls::{DYNAMODB, KMS, SECRETS, SQS};
use super::connector::{OneConnector, Trust};
use aws_credential_types::Credentials;
use aws_sdk_dynamodb::{config::ConfigBag, error::BoxError};
use aws_smithy_runtime_api::client::{
    behavior_version::BehaviorVersion,
    interceptors::{Intercept, context::BeforeTransmitInterceptorContextRef, dyn_dispatch_hint},
    runtime_components::RuntimeComponents,
};
use aws_types::{
    SdkConfig,
    region::Region,
    sdk_config::{RetryConfig, SharedCredentialsProvider, TimeoutConfig},
};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// TCP and TLS of a new connection. On the smallest function a cold one takes about 900 ms.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1_500);
/// One attempt of a call.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(2_000);
/// A call with all its attempts.
const CALL_TIMEOUT: Duration = Duration::from_millis(4_000);
/// Attempts of a call, the first included.
const MOST_ATTEMPTS: u32 = 3;

/// The environment of a function lacks something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} is not set; in a Lambda function AWS sets it")]
pub struct MissingVariable(pub &'static str);

/// What all clients share. A function builds those that it needs; they are cheap to clone and meant to be kept.
#[derive(Debug, Clone)]
pub struct Aws {
    config: SdkConfig,
}

impl Aws {
    /// From what Lambda gives every function: `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
    /// `AWS_SESSION_TOKEN` (where there is one) and, for a local stack, `AWS_ENDPOINT_URL`.
    pub fn from_environment() -> Result<Self, MissingVariable> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// From a configuration that has region and credentials, such as the one that `aws-config` reads from profiles.
    /// HTTP client, time-outs and retries are replaced; the system's certificates are trusted.
    pub fn from_config(config: &SdkConfig) -> Self {
        Self::shared(config.to_builder(), Trust::System)
    }

    /// For a local stack at `endpoint`, which takes any credentials.
    pub fn local(endpoint: &str) -> Self {
        let credentials = Credentials::new("test", "test", None, None, "local");
        let config = SdkConfig::builder()
            .region(Region::from_static("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(endpoint);
        Self::shared(config, Trust::Inside)
    }

    /// What the clients are built from, for clients of services that no port covers.
    pub const fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// A client of DynamoDB.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::config::Builder::from(&self.config);
        let count = CountCalls(&DYNAMODB);
        aws_sdk_dynamodb::Client::from_conf(config.interceptor(count).build())
    }

    /// A client of SQS.
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        let config = aws_sdk_sqs::config::Builder::from(&self.config);
        aws_sdk_sqs::Client::from_conf(config.interceptor(CountCalls(&SQS)).build())
    }

    /// A client of Secrets Manager.
    pub fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        let config = aws_sdk_secretsmanager::config::Builder::from(&self.config);
        let count = CountCalls(&SECRETS);
        aws_sdk_secretsmanager::Client::from_conf(config.interceptor(count).build())
    }

    /// A client of KMS.
    pub fn kms(&self) -> aws_sdk_kms::Client {
        let config = aws_sdk_kms::config::Builder::from(&self.config);
        aws_sdk_kms::Client::from_conf(config.interceptor(CountCalls(&KMS)).build())
    }

    fn from_variables(
        variable: impl Fn(&'static str) -> Option<String>,
    ) -> Result<Self, MissingVariable> {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let required = |name| set(name).ok_or(MissingVariable(name));
        let region = required("AWS_REGION")?;
        let credentials = Credentials::new(
            required("AWS_ACCESS_KEY_ID")?,
            required("AWS_SECRET_ACCESS_KEY")?,
            set("AWS_SESSION_TOKEN"),
            None,
            "environment",
        );
        let mut config = SdkConfig::builder()
            .region(Region::new(region))
            .credentials_provider(SharedCredentialsProvider::new(credentials));
        config.set_endpoint_url(set("AWS_ENDPOINT_URL"));
        Ok(Self::shared(config, Trust::Inside))
    }

    fn shared(config: aws_types::sdk_config::Builder, trust: Trust) -> Self {
        let retries = RetryConfig::standard()
            .with_max_attempts(MOST_ATTEMPTS)
            .with_initial_backoff(Duration::from_millis(50))
            .with_max_backoff(Duration::from_millis(500));
        let config = config
            .behavior_version(BehaviorVersion::latest())
            .http_client(OneConnector::new(trust, CONNECT_TIMEOUT))
            .timeout_config(timeouts(Duration::ZERO))
            .retry_config(retries)
            .build();
        Self { config }
    }
}

/// The usual time-outs, for calls whose answer comes later by `longer`: SQS holds a receive back until it has a message.
pub(crate) fn timeouts(longer: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT + longer)
        .operation_timeout(CALL_TIMEOUT + longer)
        .build()
}

#[derive(Debug)]
struct CountCalls(&'static AtomicU64);

#[dyn_dispatch_hint]
impl Intercept for CountCalls {
    fn name(&self) -> &'static str {
        "CountCalls"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Fault, calls};
    use super::*;

    #[test]
    fn a_missing_variable_is_named() {
        let given = |name: &str| (name != "AWS_SECRET_ACCESS_KEY").then(|| "x".to_owned());
        let error = Aws::from_variables(given).unwrap_err();
        assert_eq!(error, MissingVariable("AWS_SECRET_ACCESS_KEY"));
        assert!(error.to_string().contains("AWS_SECRET_ACCESS_KEY"));
    }

    #[test]
    fn an_empty_variable_counts_as_missing() {
        let error = Aws::from_variables(|_| Some(String::new())).unwrap_err();
        assert_eq!(error, MissingVariable("AWS_REGION"));
    }

    #[test]
    fn the_endpoint_is_optional() {
        let given = |name: &str| (name != "AWS_ENDPOINT_URL").then(|| "x".to_owned());
        assert_eq!(
            Aws::from_variables(given).unwrap().config().endpoint_url(),
            None
        );
        let aws = Aws::from_variables(|_| Some("http://127.0.0.1:1".to_owned())).unwrap();
        assert_eq!(aws.config().endpoint_url(), Some("http://127.0.0.1:1"));
    }

    #[tokio::test]
    async fn a_call_that_nobody_answers_is_a_passing_fault_and_every_attempt_is_counted() {
        let before = calls();
        let client = Aws::local("http://127.0.0.1:1").kms();
        let error = client.list_keys().send().await.unwrap_err();
        assert!(Fault::of(&error).passing);
        assert_eq!(calls().since(before).kms, u64::from(MOST_ATTEMPTS));
    }
}
