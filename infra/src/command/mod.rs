//! The command line: one module a sub-command.

mod bench;
mod catalog;
mod demo;
mod dlq;
mod doctor;
mod fuzz;
mod orders;
mod orders_advice;
mod orders_after_sale;
#[cfg(test)]
mod orders_fixture;
mod orders_resolve;
mod orders_timeline;
mod price;
mod rules;
mod simulate;
mod simulators;
mod stack;
mod subscribe;
mod target;
mod test;
mod text;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use kervan_infra::process::timed as progress;

/// Orders, stock and tracking between the marketplaces where a merchant sells and those where the goods are bought:
/// what runs it on this machine, and the merchant's everyday tools.
#[derive(Debug, Parser)]
#[command(
    name = "kervan",
    bin_name = "cargo kervan",
    version,
    arg_required_else_help = true
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Let customers buy at simulated marketplaces and show each order's way over the deployed stack.
    Demo(demo::Arguments),
    /// Run every check: format, lints, template, dependencies, tests, a sample of the simulation, the end-to-end test.
    Test(test::Arguments),
    /// Deploy the template on a local stack that keeps running.
    Stack(stack::Arguments),
    /// Break the purchase protocol in every way, in one process, and show that nothing is bought twice or lost.
    Simulate(simulate::Arguments),
    /// Measure how fast it decides and publishes, and what that costs a month at AWS.
    Bench(bench::Arguments),
    /// Make up what comes over the wire, and show that no decoder panics or takes for a success what is none.
    Fuzz(fuzz::Arguments),
    /// Run the simulated marketplaces alone.
    Simulators(simulators::Arguments),
    /// Put skus with their listings, offers and bundles into the catalogue, look them up, export and remove them.
    Catalog(catalog::Arguments),
    /// See which orders wait for a person and what happened to an order, and decide about one.
    Orders(orders::Arguments),
    /// See how prices come about, decide about those that jumped, and set the rates of currencies.
    Price(price::Arguments),
    /// Show, check and set the rules of stock and prices.
    Rules(rules::Arguments),
    /// Look at the accounts' set-up from outside, and say what to do about what is wrong.
    Doctor(doctor::Arguments),
    /// Make a marketplace push: destinations, topics and subscriptions of an account.
    Subscribe(subscribe::Arguments),
    /// See the messages that failed too often, and send them back to be worked on again.
    Dlq(dlq::Arguments),
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    match arguments.command {
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Test(arguments) => test::run(arguments).await,
        Command::Stack(arguments) => stack::run(arguments).await,
        Command::Simulate(arguments) => simulate::run(arguments).await,
        Command::Bench(arguments) => bench::run(arguments).await,
        Command::Fuzz(arguments) => fuzz::run(&arguments),
        Command::Simulators(arguments) => simulators::run(arguments).await,
        Command::Catalog(arguments) => catalog::run(arguments).await,
        Command::Orders(arguments) => orders::run(arguments).await,
        Command::Price(arguments) => price::run(arguments).await,
        Command::Rules(arguments) => rules::run(arguments).await,
        Command::Doctor(arguments) => doctor::run(arguments).await,
        Command::Subscribe(arguments) => subscribe::run(arguments).await,
        Command::Dlq(arguments) => dlq::run(arguments).await,
    }
}
