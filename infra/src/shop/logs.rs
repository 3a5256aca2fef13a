//! What the deployed functions logged, read as a person would: from CloudWatch Logs.

use crate::deployment::{Deployment, FUNCTIONS};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use kervan::http::{Http, HttpClient};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// A line that a function wrote.
#[derive(Debug, Clone)]
pub struct LogLine {
    /// Which function, as in [`FUNCTIONS`].
    pub function: &'static str,
    /// The text as written.
    pub text: String,
}

/// What one invocation cost, as every function logs it.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct Invocation {
    /// Whether the process had worked before.
    pub cold: bool,
    /// Messages of its batch, or pushes.
    pub messages: u64,
    /// Messages that failed.
    pub failed: u64,
    /// Calls to DynamoDB.
    pub dynamodb: u64,
    /// Calls to SQS, without those that Lambda itself makes.
    pub sqs: u64,
    /// Calls to Secrets Manager.
    pub secrets: u64,
    /// Calls to KMS.
    pub kms: u64,
}

impl LogLine {
    /// The cost of an invocation, where the line is about that.
    pub fn invocation(&self) -> Option<Invocation> {
        if !self.text.contains("The invocation ended.") {
            return None;
        }
        let start = self.text.find('{')?;
        serde_json::from_str(&self.text[start..]).ok()
    }

    /// The values of each metric, as CloudWatch would read them, where the line is of its embedded metric format.
    pub fn metrics(&self) -> Option<BTreeMap<String, Vec<f64>>> {
        let start = self
            .text
            .find('{')
            .filter(|_| self.text.contains("\"_aws\""))?;
        let line: MetricLine = serde_json::from_str(&self.text[start..]).ok()?;
        let directives = line.about.cloud_watch_metrics.iter();
        let named = directives.flat_map(|directive| &directive.metrics);
        let values = named.filter_map(|metric| {
            let value = line.fields.get(&metric.name)?;
            let values = match value.as_array() {
                Some(values) => values
                    .iter()
                    .filter_map(serde_json::Value::as_f64)
                    .collect(),
                None => vec![value.as_f64()?],
            };
            Some((metric.name.clone(), values))
        });
        Some(values.collect())
    }
}

/// The part of an embedded metric line that says what in it is a metric.
#[derive(Deserialize)]
struct MetricLine {
    #[serde(rename = "_aws")]
    about: About,
    #[serde(flatten)]
    fields: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct About {
    cloud_watch_metrics: Vec<Directive>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    metrics: Vec<Named>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    events: Vec<Event>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct Event {
    message: String,
}

/// All lines of all functions. A function that never ran has no lines.
pub(super) async fn read(endpoint: &str, deployment: &Deployment) -> Result<Vec<LogLine>> {
    let client = HttpClient::new(Duration::from_secs(20))?;
    let mut lines = Vec::new();
    for function in FUNCTIONS {
        let group = deployment.log_group(function);
        let mut next: Option<String> = None;
        loop {
            let page = page(&client, endpoint, &group, next.as_deref()).await?;
            lines.extend(page.events.into_iter().map(|event| LogLine {
                function,
                text: event.message,
            }));
            match page.next_token {
                Some(token) if next.as_ref() != Some(&token) => next = Some(token),
                _ => break,
            }
        }
    }
    Ok(lines)
}

/// One call to the local stack, which takes any signature: a whole SDK client for one call is not worth its minutes of
/// compiling.
async fn page(
    client: &HttpClient,
    endpoint: &str,
    group: &str,
    next: Option<&str>,
) -> Result<Page> {
    let mut body = serde_json::json!({ "logGroupName": group, "limit": 10_000 });
    if let Some(next) = next {
        body["nextToken"] = next.into();
    }
    let request = http::Request::post(format!("{endpoint}/"))
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "Logs_20140328.FilterLogEvents")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/logs/aws4_request, SignedHeaders=host, Signature=0",
        )
        .body(Bytes::from(body.to_string()))?;
    let answer = client.send(request).await?;
    if answer.status().as_u16() == 400 {
        return Ok(Page {
            events: Vec::new(),
            next_token: None,
        });
    }
    if !answer.status().is_success() {
        bail!(
            "the log group {group} cannot be read: status {}",
            answer.status()
        );
    }
    serde_json::from_slice(answer.body())
        .with_context(|| format!("the log group {group} is in an unknown form"))
}
