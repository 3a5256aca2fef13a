//! Small clients of Alibaba's two platforms, called in-process and signed by hand.

use std::sync::Arc;

use axum::body::Body;
use http::Request;
use kervan_marketplaces::Clock;
use kervan_marketplaces::Cn1688;
use kervan_marketplaces::Cn1688Config;
use kervan_marketplaces::Icbu;
use kervan_marketplaces::IcbuConfig;
use kervan_marketplaces::ManualClock;
use kervan_marketplaces::alibaba::cn1688::Cn1688Product;
use kervan_marketplaces::alibaba::cn1688::signature::sign as sign_1688;
use kervan_marketplaces::alibaba::icbu::IcbuProduct;
use kervan_marketplaces::aliexpress::signature::SignMethod;
use kervan_marketplaces::aliexpress::signature::sign;
use kervan_marketplaces::defaults;
use serde_json::Value;
use serde_json::json;

use crate::common::Got;
use crate::common::call;
use crate::common::clock;
use crate::common::encode;

pub(crate) const SPEC: &str = "b266e0726506185beaf205cbae88530d";

fn form(params: &[(String, String)]) -> Body {
    let pairs: Vec<String> = params
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    Body::from(pairs.join("&"))
}

pub(crate) fn post(path: &str, params: &[(String, String)]) -> Request<Body> {
    let kind = "application/x-www-form-urlencoded;charset=utf-8";
    let request = Request::post(path).header("content-type", kind);
    request.body(form(params)).expect("a request")
}

pub(crate) fn owned(params: &[(&str, &str)]) -> Vec<(String, String)> {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    params.iter().map(pair).collect()
}

pub(crate) struct IcbuClient {
    pub(crate) icbu: Icbu,
    pub(crate) clock: Arc<ManualClock>,
}

impl IcbuClient {
    pub(crate) fn new() -> Self {
        let clock = clock();
        let icbu = Icbu::new(IcbuConfig::default(), clock.clone(), 7);
        icbu.add_product(IcbuProduct::simple(5, "c8G3==", "3.69", "CN", 4))
            .unwrap();
        Self { icbu, clock }
    }

    pub(crate) async fn send(
        &self,
        path: &str,
        mut params: Vec<(String, String)>,
        secret: &str,
    ) -> Got {
        let now = self.clock.now().as_millisecond().to_string();
        params.extend(owned(&[
            ("app_key", defaults::ALIBABA_APP_KEY),
            ("sign_method", "sha256"),
        ]));
        if !params.iter().any(|(name, _)| name == "timestamp") {
            params.push(("timestamp".to_owned(), now));
        }
        let signature = sign(SignMethod::Sha256, secret, path, &params);
        params.push(("sign".to_owned(), signature));
        call(self.icbu.router(), post(&format!("/rest{path}"), &params)).await
    }

    pub(crate) async fn ask(&self, path: &str, params: &[(&str, &str)]) -> Value {
        let mut params = owned(params);
        params.push((
            "access_token".to_owned(),
            defaults::ALIBABA_ACCESS_TOKEN.to_owned(),
        ));
        self.send(path, params, defaults::ALIBABA_APP_SECRET)
            .await
            .json()
    }

    pub(crate) async fn order(&self, change: impl FnOnce(&mut Value, &mut Value)) -> Value {
        let mut goods = json!([{ "product_id": "5", "sku_id": "51", "quantity": "2" }]);
        let mut logistics = json!({
            "shipment_address": {
                "zip": "10012", "country": "United States of America", "country_code": "US",
                "province": "New York", "city": "New York", "address": "1 Example Street",
                "contact_person": "Alma Ashdown",
            },
            "dispatch_location": "CN", "carrier_code": "EX_ASP_JYC_FEDEX",
        });
        change(&mut goods, &mut logistics);
        let params = [
            ("channel_refer_id", "SO-1"),
            ("product_list", &goods.to_string()),
            ("logistics_detail", &logistics.to_string()),
        ];
        self.ask("/buynow/order/create", &params).await
    }
}

pub(crate) struct CnClient {
    pub(crate) cn1688: Cn1688,
    pub(crate) clock: Arc<ManualClock>,
}

impl CnClient {
    pub(crate) fn new() -> Self {
        let clock = clock();
        let cn1688 = Cn1688::new(Cn1688Config::default(), clock.clone(), 7);
        let product = Cn1688Product::simple(5, "seller-1", SPEC, 1_805, 9);
        cn1688.add_product(product).unwrap();
        Self { cn1688, clock }
    }

    pub(crate) async fn send(
        &self,
        path: &str,
        mut params: Vec<(String, String)>,
        secret: &str,
    ) -> Got {
        let signature = sign_1688(secret, path, &params);
        params.push(("_aop_signature".to_owned(), signature));
        call(
            self.cn1688.router(),
            post(&format!("/openapi/{path}"), &params),
        )
        .await
    }

    pub(crate) async fn ask(&self, api: &str, params: &[(&str, &str)]) -> Value {
        let mut params = owned(params);
        params.push((
            "access_token".to_owned(),
            defaults::CN1688_ACCESS_TOKEN.to_owned(),
        ));
        let path = format!("param2/1/{api}/{}", defaults::CN1688_APP_KEY);
        self.send(&path, params, defaults::CN1688_APP_SECRET)
            .await
            .json()
    }

    pub(crate) async fn order(&self, cargo: Value, params: &[(&str, &str)]) -> Value {
        let address = json!({ "fullName": "张三", "mobile": "13800000000", "provinceText": "浙江省",
            "cityText": "杭州市", "areaText": "滨江区", "address": "网商路699号" });
        let (address, cargo) = (address.to_string(), cargo.to_string());
        let mut all = vec![
            ("flow", "general"),
            ("addressParam", address.as_str()),
            ("cargoParamList", cargo.as_str()),
        ];
        all.extend(params);
        self.ask("com.alibaba.trade/alibaba.trade.createCrossOrder", &all)
            .await
    }
}

pub(crate) fn units(count: u32) -> Value {
    json!([{ "offerId": 5, "specId": SPEC, "quantity": count }])
}
