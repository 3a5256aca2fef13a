//! AliExpress's gateway: signatures, tokens, shapes.

use crate::common::CUP;
use crate::common::error_code;
use crate::common::is_true;
use crate::common::shop;
use kervan_marketplaces::aliexpress::signature::SignMethod;
use kervan_marketplaces::aliexpress::signature::sign;
use kervan_marketplaces::defaults;

#[tokio::test]
async fn a_wrong_signature_key_token_or_time_is_refused() {
    let client = shop();
    let mut params = client.common();
    params.push(("method".to_owned(), "aliexpress.ds.product.get".to_owned()));
    let forged = client
        .send_signed("/sync", params.clone(), &"0".repeat(64))
        .await
        .json();
    assert_eq!(error_code(&forged), "IncompleteSignature");
    assert_eq!(
        error_code(&client.send("/sync", "", params.clone()).await.json()),
        "IllegalAccessToken"
    );
    let mut old = params.clone();
    old[2].1 = (client.clock_ms() - 7_201_000).to_string();
    assert_eq!(
        error_code(&client.send("/sync", "", old).await.json()),
        "IllegalTimestamp"
    );
    let mut other = params.clone();
    other[0].1 = "1".to_owned();
    assert_eq!(
        error_code(&client.send("/sync", "", other).await.json()),
        "InvalidAppkey"
    );
    let mut xml = params;
    xml.push(("format".to_owned(), "xml".to_owned()));
    assert_eq!(
        error_code(&client.send("/sync", "", xml).await.json()),
        "InvalidFormat"
    );
    assert_eq!(client.aliexpress.counters().bad_signatures, 1);
}

#[tokio::test]
async fn the_old_methods_are_taken_on_sync_with_version_2_only() {
    let client = shop();
    for method in [SignMethod::Md5, SignMethod::HmacMd5] {
        let mut params = client.common();
        params[1].1 = if method == SignMethod::Md5 {
            "md5"
        } else {
            "hmac"
        }
        .to_owned();
        // 12:00 UTC, written as the old gateway wants it.
        params[2].1 = "2026-11-02 20:00:00".to_owned();
        for (name, value) in [
            ("method", "aliexpress.ds.product.get"),
            ("session", defaults::ALIEXPRESS_ACCESS_TOKEN),
            ("product_id", "1005001"),
            ("ship_to_country", "US"),
        ] {
            params.push((name.to_owned(), value.to_owned()));
        }
        let secret = defaults::ALIEXPRESS_APP_SECRET;
        let signature = sign(method, secret, "", &params);
        let refused = client
            .send_signed("/sync", params.clone(), &signature)
            .await
            .json();
        assert_eq!(error_code(&refused), "isv.invalid-parameter");
        params.push(("v".to_owned(), "2.0".to_owned()));
        let signature = sign(method, secret, "", &params);
        let taken = client.send_signed("/sync", params, &signature).await.json();
        assert!(
            taken.get("aliexpress_ds_product_get_response").is_some(),
            "{taken}"
        );
    }
}

#[tokio::test]
async fn lists_are_wrapped_unless_simplified() {
    let client = shop();
    let product = [
        ("product_id", CUP.to_string()),
        ("ship_to_country", "US".to_owned()),
    ];
    let method = "aliexpress.ds.product.get";
    let wrapped = client.business(method, &product).await.json();
    let list = &wrapped["aliexpress_ds_product_get_response"]["result"]["ae_item_sku_info_dtos"];
    assert!(list["ae_item_sku_info_d_t_o"].is_array());
    let mut simple = product.to_vec();
    simple.push(("simplify", "true".to_owned()));
    let bare = client.business(method, &simple).await.json();
    let list = &bare["aliexpress_ds_product_get_response"]["result"]["ae_item_sku_info_dtos"];
    assert_eq!(list[0]["offer_sale_price"], "5.00");
}

#[tokio::test]
async fn a_refresh_replaces_both_tokens_and_a_second_refresher_is_counted() {
    let mut client = shop();
    let old = defaults::ALIEXPRESS_REFRESH_TOKEN;
    let fresh = client.refresh(old).await.json();
    assert_eq!(fresh["code"], "0");
    let race = client.refresh(old).await.json();
    assert_eq!(race["code"], "IllegalRefreshToken");
    assert_eq!(client.aliexpress.counters().refresh_races, 1);
    client.token = fresh["access_token"].as_str().unwrap().to_owned();
    assert!(is_true(
        &client.create("R1", &[CUP], false).await["is_success"]
    ));
    client.advance_s(86_400);
    assert_eq!(
        error_code(&client.create_call("R2", &[CUP], false).await.json()),
        "IllegalAccessToken"
    );
    // The consent ends two days after it was given, however often it was refreshed.
    client.advance_s(86_400);
    let late = client
        .refresh(fresh["refresh_token"].as_str().unwrap())
        .await
        .json();
    assert_eq!(late["code"], "IllegalRefreshToken");
    assert_eq!(client.aliexpress.counters().refresh_races, 1);
}

#[tokio::test]
async fn a_code_of_the_consent_page_works_once() {
    let client = shop();
    client.aliexpress.revoke_consent();
    assert_eq!(
        error_code(&client.create_call("R1", &[CUP], false).await.json()),
        "IllegalAccessToken"
    );
    let mut params = client.common();
    params.push(("code".to_owned(), client.aliexpress.consent()));
    let (path, prefix) = ("/rest/auth/token/create", "/auth/token/create");
    assert_eq!(
        client.send(path, prefix, params.clone()).await.json()["code"],
        "0"
    );
    assert_eq!(
        client.send(path, prefix, params).await.json()["code"],
        "InvalidCode"
    );
}

#[tokio::test]
async fn a_system_call_through_sync_is_signed_with_its_path_and_answers_under_its_path() {
    let client = shop();
    let mut params = client.common();
    params.push(("method".to_owned(), "/auth/token/refresh".to_owned()));
    params.push((
        "refresh_token".to_owned(),
        defaults::ALIEXPRESS_REFRESH_TOKEN.to_owned(),
    ));
    let got = client
        .send("/sync", "/auth/token/refresh", params)
        .await
        .json();
    assert!(
        got["/auth/token/refresh_response"]["access_token"].is_string(),
        "{got}"
    );
}
