//! `kervan subscribe`: what a marketplace has to be told once, so that it pushes.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use kervan::domain::{AccountId, Marketplace};
use kervan::marketplaces::{SubscribeStep, SubscribeTo, Subscribed};
use serde_json::{Value, json};

use super::target::Target;
use super::text::{aligned, plain};

/// The queue's name in the template.
const NOTIFICATIONS: &str = "NotificationsQueue";

#[derive(Debug, Args)]
#[command(after_help = "\
Makes what is missing and leaves alone what is right, so it can be run again at any time. Amazon is told of the stack's \
notifications queue; eBay asks the endpoint of the account's secret whether it is ours, so deploy first. AliExpress and \
Alibaba have no such calls: set the address of their pushes on the page of your application.

Examples:
  cargo kervan subscribe amazon:main
  cargo kervan subscribe ebay:main --alert-email shop@example.com --profile shop")]
pub(super) struct Arguments {
    /// The account, as in amazon:main
    account: AccountId,
    /// Where eBay writes when the endpoint does not answer; needed the first time
    #[arg(long, value_name = "ADDRESS")]
    alert_email: Option<String>,
    /// The queue that Amazon sends to; that of the stack where it is left out
    #[arg(long, value_name = "ARN")]
    queue_arn: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let id = &arguments.account;
    let opened = arguments.target.open_accounts().await?;
    let account = opened.accounts.open(id).await;
    let account = account.with_context(|| {
        format!(
            "{id} cannot be opened in {}; see: cargo kervan doctor {id}",
            opened.place
        )
    })?;
    let Some(door) = account.subscribe() else {
        bail!(
            "{} has no calls for subscriptions: set the address of the pushes on the page of your application there",
            id.marketplace()
        );
    };
    let mut queue_arn = arguments.queue_arn;
    if queue_arn.is_none() && id.marketplace() == Marketplace::Amazon {
        queue_arn = arguments.target.queue_arn(NOTIFICATIONS).await?;
    }
    let to = SubscribeTo {
        queue_arn,
        alert_email: arguments.alert_email,
    };
    let done = door.subscribe(&to).await;
    let done = done.with_context(|| {
        format!(
            "{id} could not be subscribed; what was made stands, and see: cargo kervan doctor {id}"
        )
    })?;
    let out = &mut io::stdout();
    if arguments.json {
        let topics: Vec<Value> = done.iter().map(as_value).collect();
        let all = json!({ "account": id, "topics": topics });
        writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?;
    } else {
        let rows: Vec<Vec<String>> = done.iter().map(as_row).collect();
        write!(out, "{}", aligned("", &rows))?;
    }
    let refused = done
        .iter()
        .any(|one| matches!(one.done, SubscribeStep::NotAllowed(_)));
    Ok(if refused {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

const fn word(step: &SubscribeStep) -> &'static str {
    match step {
        SubscribeStep::Existed => "was right",
        SubscribeStep::Created => "made",
        SubscribeStep::Changed => "changed",
        SubscribeStep::NotAllowed(_) => "not allowed",
    }
}

fn as_row(subscribed: &Subscribed) -> Vec<String> {
    let mut row = vec![plain(&subscribed.topic), word(&subscribed.done).to_owned()];
    if let SubscribeStep::NotAllowed(code) = &subscribed.done {
        row.push(plain(code));
    }
    row
}

fn as_value(subscribed: &Subscribed) -> Value {
    let code = match &subscribed.done {
        SubscribeStep::NotAllowed(code) => Some(code),
        _ => None,
    };
    json!({ "topic": subscribed.topic, "done": word(&subscribed.done), "code": code })
}
