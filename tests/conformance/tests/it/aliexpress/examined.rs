//! The set-up of accounts, looked at through the simulator.

use crate::aliexpress::common::{offer, shop_with};
use crate::aliexpress::seller_simulator::World;
use crate::aliexpress::simulator::OneClock;
use kervan::{
    http::HttpClient,
    marketplaces::{Examine, ReadStock, Verdict},
};
use kervan_marketplaces::defaults;
use serde_json::json;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

#[tokio::test]
async fn the_set_up_is_looked_at_from_both_sides() {
    // HTTP's own date is the machine's, so the clock that is looked at must be too.
    let now = jiff::Timestamp::now().to_string();
    let world = World::start_at(&now, "sync", None).await;
    let worst = |findings: &[kervan::marketplaces::Finding]| {
        findings
            .iter()
            .map(|finding| finding.verdict)
            .max()
            .unwrap()
    };
    assert_eq!(worst(&world.shop.examine().await), Verdict::Good);
    let old = World::start_at(&now, "top", None).await;
    let findings = old.shop.examine().await;
    let warned: Vec<_> = findings
        .iter()
        .filter(|f| f.verdict != Verdict::Good)
        .collect();
    assert_eq!((warned.len(), warned[0].what), (1, "gateway"));

    let secret = |pay: bool, app_secret: &str| {
        json!({
            "environment": world.simulators.aliexpress_url(),
            "app_key": defaults::ALIEXPRESS_APP_KEY, "app_secret": app_secret,
            "refresh_token": defaults::ALIEXPRESS_REFRESH_TOKEN, "pay": pay,
        })
    };
    let buyer = |pay, app_secret: &str| {
        let http = Arc::new(HttpClient::new(Duration::from_millis(700)).unwrap());
        shop_with(
            &secret(pay, app_secret),
            http,
            Arc::new(OneClock(world.clock.clone())),
        )
    };
    let good = buyer(true, defaults::ALIEXPRESS_APP_SECRET);
    let findings = good.examine().await;
    assert_eq!(worst(&findings), Verdict::Good, "{findings:?}");
    let what: BTreeSet<_> = findings.iter().map(|finding| finding.what).collect();
    assert!(what.is_superset(&BTreeSet::from([
        "reachability",
        "credentials",
        "token",
        "clock",
        "currency",
        "payment"
    ])));
    let offers = [offer("1", "1")];
    let _ = good.stock(&offers, &"US".parse().unwrap()).await;

    let mut settings = world.marketplace().settings();
    settings.auto_pay_benefit = false;
    world.marketplace().set_settings(settings);
    let bad = |findings: &[kervan::marketplaces::Finding]| {
        let bad = findings.iter().find(|f| f.verdict == Verdict::Bad);
        bad.map(|finding| finding.what)
    };
    assert_eq!(bad(&good.examine().await), Some("payment"));
    let forged = buyer(false, "another-secret").examine().await;
    assert_eq!(bad(&forged), Some("credentials"));
    assert!(forged.iter().any(|finding| finding.what == "currency"));
    world.marketplace().revoke_consent();
    world.pass(3 * 86_400);
    let ended = good.examine().await;
    assert_eq!(bad(&ended), Some("token"));
    assert!(!format!("{ended:?}").contains(defaults::ALIEXPRESS_APP_SECRET));
}
