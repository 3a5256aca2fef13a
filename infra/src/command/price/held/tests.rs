use super::super::fixture::{listing, now, put, shop, usd};
use super::*;
use crate::command::{Arguments as All, Command};
use clap::Parser;
use kervan::clock::ManualClock;
use kervan::queue::MemoryQueue;
use kervan::store::MemoryStore;
use std::sync::Arc;

/// As a user types it.
async fn accept(
    store: &MemoryStore,
    publisher: &Publisher,
    arguments: &str,
) -> Result<(ExitCode, String)> {
    let words = ["kervan", "price", "accept"].into_iter();
    let all = All::try_parse_from(words.chain(arguments.split(' ')))?;
    let Command::Price(super::super::Arguments {
        action: super::super::Action::Accept(arguments),
    }) = all.command
    else {
        bail!("not the command");
    };
    let mut out = Vec::new();
    let code = decide(store, publisher, &arguments, now(), &mut out).await?;
    Ok((code, String::from_utf8(out)?))
}

async fn price_of(store: &MemoryStore, code: &str) -> Money {
    let entry = catalog::load(store, &Sku::parse(code).unwrap()).await;
    entry.unwrap().listings[0].listing.price
}

#[tokio::test]
async fn the_command_beside_a_held_price_takes_it_and_no_other_does() {
    let store = shop().await;
    put(&store, &listing("LAMP", "15", Some(("31", false))), "20").await;
    let waiting = price::held(&store, now(), 10).await.unwrap();
    let mut out = Vec::new();
    show(&waiting, now(), " --local", false, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let told = "15.00 USD → 31.00 USD  waits 0 s  cargo kervan price accept LAMP --channel ebay:main --listing 81 \
                --price 31.00 --local\n";
    assert!(text.ends_with(told), "{text}");

    let queue = Arc::new(MemoryQueue::new(Arc::new(ManualClock::at(now()))));
    let publisher = Publisher::to(queue.clone());
    for seen in ["30.00", "31.01"] {
        let arguments = format!("LAMP --channel ebay:main --price {seen}");
        let error = accept(&store, &publisher, &arguments).await.unwrap_err();
        assert!(error.to_string().contains("is 31.00 USD by now"), "{error}");
    }
    assert_eq!(price_of(&store, "LAMP").await, usd("15"));
    assert!(queue.bodies().is_empty());
    let command = command(&waiting[0], "");
    let pasted = command.strip_prefix("cargo kervan price accept ").unwrap();
    let (code, text) = accept(&store, &publisher, pasted).await.unwrap();
    assert_eq!(code, ExitCode::SUCCESS);
    assert!(text.ends_with("31.00 USD: taken\n"), "{text}");
    assert_eq!(price_of(&store, "LAMP").await, usd("31"));
    assert_eq!(queue.bodies().len(), 1);
    let again = accept(&store, &publisher, pasted).await.unwrap_err();
    assert!(again.to_string().contains("no price waits any more"));
}

#[tokio::test]
async fn many_prices_are_decided_about_by_how_far_they_jumped() {
    let store = shop().await;
    for (code, from, to) in [
        ("A", "10", "17"),
        ("B", "18", "10"),
        ("C", "10", "18.01"),
        ("D", "100", "15"),
    ] {
        put(&store, &listing(code, from, Some((to, false))), "1").await;
    }
    let publisher = Publisher::silent();
    let all = "--up-to-factor 1.8";
    let dry = format!("{all} --dry-run");
    let (code, text) = accept(&store, &publisher, &dry).await.unwrap();
    assert_eq!(code, ExitCode::SUCCESS);
    assert!(text.ends_with("2 prices; nothing was written, because this is a dry run\n"));
    assert_eq!(price_of(&store, "A").await, usd("10"));
    let elsewhere = format!("{all} --channel ebay:second");
    let (_, text) = accept(&store, &publisher, &elsewhere).await.unwrap();
    assert_eq!(text, "0 prices\n");
    let (_, text) = accept(&store, &publisher, all).await.unwrap();
    assert!(text.ends_with("2 prices\n"), "{text}");
    for (code, price) in [("A", "17"), ("B", "10"), ("C", "10"), ("D", "100")] {
        assert_eq!(price_of(&store, code).await, usd(price), "{code}");
    }
    assert_eq!(price::held(&store, now(), 10).await.unwrap().len(), 2);
    let (_, text) = accept(&store, &publisher, "--up-to-factor 9 --reject")
        .await
        .unwrap();
    assert!(text.ends_with("2 prices\n"), "{text}");
    assert_eq!(price_of(&store, "D").await, usd("100"));
    assert!(price::held(&store, now(), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_price_is_not_taken_without_being_named() {
    let store = shop().await;
    for arguments in [
        "LAMP --channel ebay:main",
        "LAMP --price 31.00",
        "--channel ebay:main",
        "LAMP --channel ebay:main --price 31.00 --up-to-factor 2",
    ] {
        let error = accept(&store, &Publisher::silent(), arguments).await;
        assert!(error.unwrap_err().is::<clap::Error>(), "{arguments}");
    }
}
