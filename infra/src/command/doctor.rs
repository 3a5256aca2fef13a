//! `kervan doctor`: the accounts' set-up is looked at from outside, and what is wrong is said with what to do.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use kervan::domain::AccountId;
use kervan::marketplaces::{Finding, Verdict};
use kervan::{Accounts, OpenError, secrets::SecretsError};
use serde_json::{Value, json};

use super::progress;
use super::target::Target;
use super::text::{aligned, count, plain};

#[derive(Debug, Args)]
#[command(after_help = "\
Looks at each account as the functions would use it: whether its secret can be read and is complete, whether the \
marketplace can be reached, takes the credentials and allows what Kervan needs, whether the clocks agree, and whether \
pushes are subscribed to. Nothing is changed, but an access token may be renewed. The exit code is 1 if anything does not \
work.

Examples:
  cargo kervan doctor
  cargo kervan doctor amazon:main ebay:main --profile shop
  cargo kervan doctor --local --json")]
pub(super) struct Arguments {
    /// Accounts to look at, as in ebay:main; all that have a secret where none is named
    accounts: Vec<AccountId>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

/// What was found about an account.
struct Examined {
    account: AccountId,
    findings: Vec<Finding>,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let opened = arguments.target.open_accounts().await?;
    let accounts = &opened.accounts;
    let ids = match arguments.accounts.as_slice() {
        [] => accounts.ids().to_vec(),
        named => named.to_vec(),
    };
    if ids.is_empty() {
        bail!(
            "No account has a secret in {}; the README says how to fill them",
            opened.place
        );
    }
    let mut all = Vec::new();
    let say = progress();
    for account in ids {
        say(&format!("Looking at {account}"));
        let findings = examine(accounts, &account).await;
        all.push(Examined { account, findings });
    }
    let out = &mut io::stdout();
    if arguments.json {
        let all: Vec<Value> = all.iter().map(as_value).collect();
        writeln!(
            out,
            "{}",
            serde_json::to_string_pretty(&json!({ "accounts": all }))?
        )?;
    } else {
        print(&all, out)?;
    }
    let works = all.iter().all(|one| worst(one) != Verdict::Bad);
    Ok(if works {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What is found about one account; a secret that cannot be used is all that can be.
async fn examine(accounts: &Accounts, id: &AccountId) -> Vec<Finding> {
    let secret = accounts.secret_name(id);
    let account = match accounts.open(id).await {
        Ok(account) => account,
        Err(error) => {
            let to_do = match &error {
                OpenError::Unknown => {
                    format!(
                        "Make the secret {secret}, and add {id} to the stack's parameter Accounts."
                    )
                }
                OpenError::Secret(SecretsError::Missing(_)) => format!(
                    "Fill it: aws secretsmanager put-secret-value --secret-id {secret} --secret-string file://{}.json",
                    id.marketplace()
                ),
                OpenError::Secret(SecretsError::Denied(_)) => format!(
                    "Allow whoever runs this secretsmanager:GetSecretValue on {secret}, and kms:Decrypt on its key."
                ),
                OpenError::Secret(SecretsError::Unavailable(_)) => "Try again.".to_owned(),
                OpenError::Invalid(_) => format!("Correct this field of the secret {secret}."),
            };
            return vec![Finding::bad("secret", error.to_string(), to_do)];
        }
    };
    let mut findings = vec![Finding::good("secret", format!("{secret} is complete"))];
    match account.examine() {
        Some(examiner) => findings.extend(examiner.examine().await),
        None => findings.push(Finding::warning(
            "examination",
            "this marketplace cannot be looked at",
            "Watch its first orders.",
        )),
    }
    findings
}

fn worst(examined: &Examined) -> Verdict {
    let verdicts = examined.findings.iter().map(|finding| finding.verdict);
    verdicts.max().unwrap_or(Verdict::Good)
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Good => "good",
        Verdict::Warning => "warning",
        Verdict::Bad => "bad",
    }
}

fn as_value(examined: &Examined) -> Value {
    let finding = |finding: &Finding| {
        json!({
            "what": finding.what,
            "verdict": word(finding.verdict),
            "says": finding.says,
            "to_do": Some(&finding.to_do).filter(|text| !text.is_empty()),
        })
    };
    json!({
        "account": examined.account,
        "verdict": word(worst(examined)),
        "findings": examined.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

fn print(all: &[Examined], out: &mut impl Write) -> Result<()> {
    for one in all {
        writeln!(out, "{}", one.account)?;
        let row = |finding: &Finding| {
            let verdict = word(finding.verdict).to_owned();
            vec![verdict, finding.what.to_owned(), plain(&finding.says)]
        };
        let rows: Vec<Vec<String>> = one.findings.iter().map(row).collect();
        write!(out, "{}", aligned("  ", &rows))?;
        for finding in one.findings.iter().filter(|one| !one.to_do.is_empty()) {
            writeln!(out, "  to do ({}): {}", finding.what, plain(&finding.to_do))?;
        }
        writeln!(out)?;
    }
    let of = |verdict| {
        let findings = all.iter().flat_map(|one| &one.findings);
        findings.filter(|one| one.verdict == verdict).count() as u64
    };
    let (bad, warnings) = (of(Verdict::Bad), of(Verdict::Warning));
    writeln!(
        out,
        "{}: {} does not work, {}",
        count(all.len() as u64, "account"),
        bad,
        count(warnings, "warning")
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examined() -> Vec<Examined> {
        vec![
            Examined {
                account: "ebay:main".parse().unwrap(),
                findings: vec![Finding::good("token", "is accepted")],
            },
            Examined {
                account: "amazon:main".parse().unwrap(),
                findings: vec![
                    Finding::good("secret", "is complete"),
                    Finding::bad("token", "invalid_grant", "Authorise the application again."),
                    Finding::warning("clock", "is 70 s behind", "Nothing, on AWS."),
                ],
            },
        ]
    }

    #[test]
    fn what_does_not_work_is_said_with_what_to_do() {
        let mut out = Vec::new();
        print(&examined(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("to do (token): Authorise the application again."),
            "{text}"
        );
        assert!(
            text.ends_with("2 accounts: 1 does not work, 1 warning\n"),
            "{text}"
        );
    }

    #[test]
    fn machines_are_told_the_worst_of_each_account() {
        let all: Vec<Value> = examined().iter().map(as_value).collect();
        assert_eq!(all[0]["verdict"], "good");
        assert_eq!(all[0]["findings"][0]["to_do"], Value::Null);
        assert_eq!(all[1]["verdict"], "bad");
        assert_eq!(
            all[1]["findings"][1]["to_do"],
            "Authorise the application again."
        );
    }
}
