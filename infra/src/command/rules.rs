//! `kervan rules`: what the merchant decides about stock and prices.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use kervan::domain::Rules;
use kervan::flows::rules;

use super::target::Target;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print the rules that count now, as JSON that can be set again
    Show(Show),
    /// Replace the rules
    Set(Set),
    /// Check a file of rules; needs no access to AWS
    Check(Check),
}

#[derive(Debug, Args)]
#[command(after_help = "\
What was never set has its default, and is printed too.

Examples:
  cargo kervan rules show > rules.json
  cargo kervan rules show --local")]
struct Show {
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The file replaces all rules; what it leaves out has its default. Functions work by them within a minute. A file that is \
wrong changes nothing.

Of price.rules the first that fits a listing counts, as a whole. This one keeps 20 % of the price after eBay's 13.25 % and \
0.40 USD, ends prices in .99, and holds a price that changes by more than half:

  { \"price\": {
      \"rules\": [
        { \"for\": { \"skus\": [\"MUG-*\"], \"channels\": [\"ebay:main\"] },
          \"margin_percent\": 20, \"min_profit\": \"2.00 USD\",
          \"channel_fee_percent\": 13.25, \"channel_fee\": \"0.40 USD\",
          \"shipping\": \"3.50 USD\", \"rounding\": \".99\", \"jump_factor\": 1.5 } ],
      \"loss\": { \"most\": \"5.00 USD\", \"most_percent\": 10 },
      \"rates\": { \"most_age_hours\": 96 } } }

Where a line of an order cannot be had (no mapping, out of stock, not deliverable, refused by its suppliers, a loss alone), \
orders.unavailable says what becomes of the others: wait (the default), send_the_rest, or ask a person. For after_minutes \
everything waits first:

  { \"orders\": { \"unavailable\": \"send_the_rest\", \"after_minutes\": 240 } }

Examples:
  cargo kervan rules set rules.json
  cargo kervan rules set rules.json --profile shop")]
struct Set {
    /// The file, JSON
    file: PathBuf,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo kervan rules check rules.json")]
struct Check {
    /// The file, JSON
    file: PathBuf,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let out = &mut io::stdout();
    match arguments.action {
        Action::Show(Show { target }) => {
            let opened = target.open().await?;
            let rules = rules::load(&*opened.store).await;
            let rules = rules.with_context(|| format!("{} cannot be read", opened.place))?;
            writeln!(out, "{}", serde_json::to_string_pretty(&rules)?)?;
        }
        Action::Set(Set { file, target }) => {
            // A file that is wrong is told before anybody is asked for credentials.
            let rules = read(&file)?;
            let opened = target.open().await?;
            let set = rules::set(&*opened.store, &rules).await;
            set.with_context(|| format!("{} cannot be written", opened.place))?;
            writeln!(out, "The rules are set in {}.", opened.place)?;
        }
        Action::Check(Check { file }) => {
            let rules = read(&file)?;
            let count = rules.price.rules.len();
            writeln!(out, "The rules are right; {count} of them are for prices.")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> Result<Rules> {
    let name = file.display();
    let text = std::fs::read_to_string(file).with_context(|| format!("{name} cannot be read"))?;
    let rules: Rules =
        serde_json::from_str(&text).with_context(|| format!("{name} holds no rules"))?;
    rules.check().with_context(|| format!("{name} is wrong"))?;
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_wrong_is_told_with_what_would_be_right() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rules.json");
        for (text, told) in [
            (
                r#"{ "price": { "rules": [ {} ] } }"#,
                "rule 1: needs margin_percent",
            ),
            (r#"{ "prices": {} }"#, "unknown field"),
            ("rules", "holds no rules"),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = format!("{:#}", read(&file).unwrap_err());
            assert!(error.contains(told), "{error}");
        }
        std::fs::write(
            &file,
            r#"{ "price": { "rules": [ { "markup_percent": 40 } ] } }"#,
        )
        .unwrap();
        assert_eq!(read(&file).unwrap().price.rules.len(), 1);
    }
}
