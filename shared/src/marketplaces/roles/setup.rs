//! What is set up once for an account, and what is checked when something is wrong.

use crate::marketplaces::CallError;
use async_trait::async_trait;

/// Where the marketplace shall tell of changes, as far as the account's secret does not say it.
#[derive(Debug, Clone, Default)]
pub struct SubscribeTo {
    /// The queue that the marketplace sends to (Amazon: the ARN of an SQS queue).
    pub queue_arn: Option<String>,
    /// Where the marketplace writes when the endpoint does not answer (eBay).
    pub alert_email: Option<String>,
}

/// What became of one subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribed {
    /// The marketplace's name of the topic.
    pub topic: String,
    /// What was done.
    pub done: SubscribeStep,
}

/// What was done about a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscribeStep {
    /// It was right already.
    Existed,
    /// It was made.
    Created,
    /// It stood, and was changed to what it should be.
    Changed,
    /// The marketplace does not let this account have it; the documented code.
    NotAllowed(String),
}

/// Sees to it that the marketplace pushes.
#[async_trait]
pub trait Subscribe: Send + Sync {
    /// Makes what is missing and leaves alone what is right, so it can be repeated.
    async fn subscribe(&self, to: &SubscribeTo) -> Result<Vec<Subscribed>, CallError>;
}

/// What was found about one thing of an account's set-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at: credentials, scopes, clock, subscriptions, reachability.
    pub what: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What was seen, in a sentence, without secrets.
    pub says: String,
    /// What to do about it, in a sentence; empty where there is nothing to do.
    pub to_do: String,
}

/// How something of an account's set-up is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// It works, and will not for ever or not for everything.
    Warning,
    /// It does not work.
    Bad,
}

/// Looks at an account's set-up from outside. Nothing is changed.
#[async_trait]
pub trait Examine: Send + Sync {
    /// Looks at everything that can be looked at, even where the first thing is wrong.
    async fn examine(&self) -> Vec<Finding>;
}

impl Finding {
    /// Something is as it should be.
    pub fn good(what: &'static str, says: impl Into<String>) -> Self {
        Self {
            what,
            verdict: Verdict::Good,
            says: says.into(),
            to_do: String::new(),
        }
    }

    /// Something works, and will not for ever or not for everything.
    pub fn warning(what: &'static str, says: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self {
            what,
            verdict: Verdict::Warning,
            says: says.into(),
            to_do: to_do.into(),
        }
    }

    /// Something does not work.
    pub fn bad(what: &'static str, says: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self {
            what,
            verdict: Verdict::Bad,
            says: says.into(),
            to_do: to_do.into(),
        }
    }
}
