//! Which table and queues a tool works on: the merchant's account, or a local stack.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};
use aws_sdk_sqs::types::QueueAttributeName;
use clap::Args;
use kervan::Accounts;
use kervan::aws::Aws;
use kervan::clock::{Clock, SystemClock};
use kervan::domain::AccountId;
use kervan::http::HttpClient;
use kervan::marketplaces::TokenStore;
use kervan::queue::{Queue, Sqs};
use kervan::seal::Kms;
use kervan::secrets::SecretsManager;
use kervan::store::{DynamoDb, Store};
use kervan_infra::local_stack;

use super::stack;
use super::text::shell_word;

/// The table's name in the template.
const TABLE: &str = "Table";

/// The stack's name where none is given.
const DEFAULT_STACK: &str = "kervan";

#[derive(Debug, Args)]
#[command(next_help_heading = "Where it works")]
pub(super) struct Target {
    /// Work on the stack that `kervan stack up` left running on this machine
    #[arg(long)]
    local: bool,
    /// Work on a local stack at this address
    #[arg(long, value_name = "URL", conflicts_with = "local")]
    endpoint: Option<String>,
    /// The stack's name, as it was deployed
    #[arg(long, value_name = "NAME", default_value = DEFAULT_STACK)]
    stack: String,
    /// The table's name; without it that in KERVAN_TABLE (for an AWS account), or else the stack's table is found
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// Profile of the AWS configuration, also one with single sign-on
    #[arg(long, value_name = "NAME", conflicts_with_all = ["local", "endpoint"])]
    profile: Option<String>,
    /// Region of the AWS account; without it that of the profile or the environment
    #[arg(long, value_name = "NAME", conflicts_with_all = ["local", "endpoint"])]
    region: Option<String>,
}

/// Queues that were found.
#[derive(Debug)]
pub(super) struct OpenedQueues {
    /// The queues, in the order in which they were asked for.
    pub(super) queues: Vec<Arc<dyn Queue>>,
    /// Where they are, for a person.
    pub(super) place: String,
}

/// Accounts that were found.
#[derive(Debug)]
pub(super) struct OpenedAccounts {
    /// The accounts, with their tokens.
    pub(super) accounts: Accounts,
    /// The table.
    pub(super) store: Arc<dyn Store>,
    /// Where they are, for a person.
    pub(super) place: String,
}

/// A table that was found.
#[derive(Debug)]
pub(super) struct Opened {
    /// The table.
    pub(super) store: Arc<dyn Store>,
    /// What it is and where, for a person.
    pub(super) place: String,
}

impl Target {
    /// The flags with which another command works on the same place; each begins with a blank.
    pub(super) fn as_flags(&self) -> String {
        let mut flags = String::new();
        if self.local {
            flags.push_str(" --local");
        }
        let stack = Some(&self.stack).filter(|stack| *stack != DEFAULT_STACK);
        for (name, value) in [
            ("endpoint", self.endpoint.as_ref()),
            ("stack", stack),
            ("table", self.table.as_ref()),
            ("profile", self.profile.as_ref()),
            ("region", self.region.as_ref()),
        ] {
            if let Some(value) = value {
                flags.push_str(&format!(" --{name} {}", shell_word(value)));
            }
        }
        flags
    }

    /// Finds the table. Nothing is read from it yet.
    pub(super) async fn open(&self) -> Result<Opened> {
        let (aws, place) = self.connect().await?;
        let table = match self.named_table() {
            Some(table) => table,
            None => self.find_table(&aws, &place).await?,
        };
        let store = DynamoDb::new(aws.dynamodb(), table.clone(), Arc::new(SystemClock));
        Ok(Opened {
            store: Arc::new(store),
            place: format!("the table {table} at {place}"),
        })
    }

    /// Finds the queues that have these names in the template. Nothing is read from them yet.
    pub(super) async fn open_queues(&self, names: &[&str]) -> Result<OpenedQueues> {
        let (aws, place) = self.connect().await?;
        let client = aws.sqs();
        let prefix = format!("{}-", self.stack);
        let mut urls: Vec<String> = Vec::new();
        let mut all = client
            .list_queues()
            .queue_name_prefix(&prefix)
            .into_paginator()
            .page_size(1000)
            .items()
            .send();
        while let Some(url) = all.next().await {
            urls.push(url.with_context(|| format!("The queues at {place} cannot be listed"))?);
        }
        let find = |name: &&str| -> Result<Arc<dyn Queue>> {
            let url = self.find_queue(name, &urls, &place)?;
            Ok(Arc::new(Sqs::new(client.clone(), url)))
        };
        Ok(OpenedQueues {
            queues: names.iter().map(find).collect::<Result<_>>()?,
            place: format!("the stack {} at {place}", self.stack),
        })
    }

    /// The accounts that have a secret in the stack, opened as its functions open them.
    pub(super) async fn open_accounts(&self) -> Result<OpenedAccounts> {
        let (aws, place) = self.connect().await?;
        let table = match self.named_table() {
            Some(table) => table,
            None => self.find_table(&aws, &place).await?,
        };
        let prefix = format!("{}/", self.stack);
        let ids = account_ids(&aws, &prefix).await;
        let ids = ids.with_context(|| format!("The secrets at {place} cannot be listed"))?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store: Arc<dyn Store> = Arc::new(DynamoDb::new(aws.dynamodb(), table, clock.clone()));
        // The alias that the template gives to its key.
        let seal = Arc::new(Kms::new(aws.kms(), format!("alias/{}-seal", self.stack)));
        let tokens = Arc::new(TokenStore::new(store.clone(), seal, clock.clone()));
        let secrets = Arc::new(SecretsManager::new(aws.secrets(), clock.clone()));
        let http = Arc::new(HttpClient::new(HttpClient::USUAL_TIMEOUT)?);
        Ok(OpenedAccounts {
            accounts: Accounts::new(ids, &prefix, secrets, http, clock, Some(tokens)),
            store,
            place: format!("the stack {} at {place}", self.stack),
        })
    }

    /// The ARN of the queue that has this name in the template; `None` where the stack has none.
    pub(super) async fn queue_arn(&self, name: &str) -> Result<Option<String>> {
        let (aws, place) = self.connect().await?;
        let client = aws.sqs();
        let listed = client
            .list_queues()
            .queue_name_prefix(format!("{}-{name}-", self.stack));
        let listed = listed.send().await;
        let listed = listed.with_context(|| format!("The queues at {place} cannot be listed"))?;
        let named = |url: &&String| {
            let last = url.rsplit('/').next().unwrap_or_default();
            is_resource_of(&self.stack, name, last)
        };
        let Some(url) = listed.queue_urls().iter().find(named) else {
            return Ok(None);
        };
        let attributes = client.get_queue_attributes().queue_url(url);
        let attributes = attributes
            .attribute_names(QueueAttributeName::QueueArn)
            .send()
            .await;
        let attributes = attributes.with_context(|| format!("The queue {name} cannot be read"))?;
        let arn = attributes
            .attributes
            .unwrap_or_default()
            .remove(&QueueAttributeName::QueueArn);
        Ok(arn)
    }

    fn find_queue(&self, name: &str, urls: &[String], place: &str) -> Result<String> {
        let is_meant = |url: &&String| {
            let named = url.rsplit('/').next().unwrap_or_default();
            is_resource_of(&self.stack, name, named)
        };
        let found: Vec<&String> = urls.iter().filter(is_meant).collect();
        match found.as_slice() {
            [url] => Ok((*url).clone()),
            [] => bail!(
                "There is no queue {name} of the stack {} at {place}; if the stack is there under another name, give it \
                 with --stack",
                self.stack
            ),
            _ => bail!(
                "There are several queues {name} of the stack {} at {place}; a queue that was deleted is listed for a \
                 minute more",
                self.stack
            ),
        }
    }

    async fn connect(&self) -> Result<(Aws, String)> {
        match self.local_endpoint()? {
            Some(endpoint) => Ok((Aws::local(&endpoint), endpoint)),
            None => self.account().await,
        }
    }

    fn local_endpoint(&self) -> Result<Option<String>> {
        if let Some(endpoint) = &self.endpoint {
            return Ok(Some(endpoint.trim_end_matches('/').to_owned()));
        }
        if !self.local {
            return Ok(None);
        }
        let running = local_stack::find_detached(&stack::folder())
            .context("No local stack is running. Start one with: cargo kervan stack up")?;
        Ok(Some(running.endpoint().to_owned()))
    }

    /// The environment is meant for the merchant's account: it must not name the table of a local stack.
    fn named_table(&self) -> Option<String> {
        if self.table.is_some() || self.local || self.endpoint.is_some() {
            return self.table.clone();
        }
        let table = std::env::var("KERVAN_TABLE").ok();
        table.filter(|table| !table.is_empty())
    }

    async fn account(&self) -> Result<(Aws, String)> {
        // The configuration asks for tokens and roles itself, and does so through the same client as everything else.
        let http = Aws::from_config(&SdkConfig::builder().build())
            .config()
            .http_client();
        let mut loader = aws_config::defaults(BehaviorVersion::latest());
        if let Some(http) = http {
            loader = loader.http_client(http);
        }
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        let config = loader.load().await;
        let Some(region) = config.region().map(Region::to_string) else {
            bail!(
                "No AWS region is set: name it with --region, or set it in the profile or in AWS_REGION"
            );
        };
        let advice = "No AWS credentials can be had: sign in (aws sso login), name a profile with --profile, or \
                      work on a local stack with --local";
        let provider = config.credentials_provider().context(advice)?;
        provider.provide_credentials().await.context(advice)?;
        Ok((Aws::from_config(&config), region))
    }

    async fn find_table(&self, aws: &Aws, place: &str) -> Result<String> {
        let how = format!(
            "name the table with --table; it is TableName in: sam list stack-outputs --stack-name {}",
            self.stack
        );
        let mut found = Vec::new();
        let mut names = aws.dynamodb().list_tables().into_paginator().items().send();
        while let Some(name) = names.next().await {
            let name =
                name.with_context(|| format!("The tables at {place} cannot be listed; {how}"))?;
            if is_resource_of(&self.stack, TABLE, &name) {
                found.push(name);
            }
        }
        match found.as_slice() {
            [table] => Ok(table.clone()),
            [] => bail!(
                "There is no table of the stack {} at {place}; if the stack is there under another name, give it with \
                 --stack, or {how}",
                self.stack
            ),
            // The template keeps the table when its stack is deleted, so there can be one of an earlier stack.
            _ => bail!(
                "The stack {} has had several tables at {place}: {}. Which is the right one? {how}",
                self.stack,
                found.join(", ")
            ),
        }
    }
}

/// The accounts whose secrets begin with `prefix`.
async fn account_ids(aws: &Aws, prefix: &str) -> Result<Vec<AccountId>> {
    let prefix = format!("{prefix}account/");
    let filter = Filter::builder()
        .key(FilterNameStringType::Name)
        .values(&prefix)
        .build();
    let client = aws.secrets();
    let mut secrets = client
        .list_secrets()
        .filters(filter)
        .into_paginator()
        .send();
    let mut ids: Vec<AccountId> = Vec::new();
    while let Some(page) = secrets.next().await {
        for secret in page?.secret_list() {
            let name = secret.name().unwrap_or_default();
            let account = name.strip_prefix(&prefix).unwrap_or_default();
            // A secret of another name is none of Kervan's.
            ids.extend(account.replacen('/', ":", 1).parse::<AccountId>());
        }
    }
    ids.sort();
    Ok(ids)
}

/// Whether CloudFormation has given a resource of this stack this name, because the template leaves the name to it: the
/// stack's name, the resource's in the template, and a random suffix, as in `kervan-Table-1A2B3C4D5E6F7`.
fn is_resource_of(stack: &str, resource: &str, name: &str) -> bool {
    let suffix = name
        .strip_prefix(stack)
        .and_then(|rest| rest.strip_prefix('-'))
        .and_then(|rest| rest.strip_prefix(resource))
        .and_then(|rest| rest.strip_prefix('-'));
    suffix.is_some_and(|suffix| {
        !suffix.is_empty() && suffix.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_not_taken_for_another_whose_name_begins_alike() {
        assert!(is_resource_of(
            "kervan",
            "Table",
            "kervan-Table-1A2B3C4D5E6F7"
        ));
        for other in [
            "kervan-Table-",
            "kervan-Table-1-Table-2",
            "kervan-test-Table-1A2B",
            "kervanTable-1",
            "Table-1",
        ] {
            let taken = is_resource_of("kervan", "Table", other);
            assert!(!taken, "{other} was taken");
        }
    }
}
