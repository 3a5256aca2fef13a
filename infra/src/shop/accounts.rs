//! The shop's accounts, set up as a merchant does it once: secrets filled, pushes registered, Amazon subscribed.

use super::Shop;
use anyhow::{Context, Result, bail};
use kervan::Accounts;
use kervan::clock::{Clock, SystemClock};
use kervan::domain::AccountId;
use kervan::http::HttpClient;
use kervan::marketplaces::{SubscribeTo, TokenStore};
use kervan::seal::Kms;
use kervan::secrets::SecretsManager;
use kervan_marketplaces::defaults;
use serde_json::json;
use std::sync::Arc;

/// The accounts of the shop, as the template takes them.
pub(super) const ACCOUNTS: &str = "amazon:main,ebay:main,aliexpress:main,alibaba:main";

impl Shop {
    pub(super) async fn fill_secrets(&self) -> Result<()> {
        let amazon = json!({
            "environment": self.simulators.amazon_url(),
            "marketplace_ids": [defaults::AMAZON_MARKETPLACE_ID],
            "client_id": defaults::AMAZON_CLIENT_ID,
            "client_secret": defaults::AMAZON_CLIENT_SECRET,
            "refresh_token": defaults::AMAZON_REFRESH_TOKEN,
            "seller_id": defaults::AMAZON_SELLER_ID,
        });
        let ebay = json!({
            "environment": self.simulators.ebay_url(),
            "client_id": defaults::EBAY_CLIENT_ID,
            "client_secret": defaults::EBAY_CLIENT_SECRET,
            "refresh_token": defaults::EBAY_REFRESH_TOKEN,
            "endpoint": self.deployment.webhook_url("ebay", "main"),
            "verification_token": defaults::EBAY_VERIFICATION_TOKEN,
        });
        let aliexpress = json!({
            "environment": self.simulators.aliexpress_url(),
            "app_key": defaults::ALIEXPRESS_APP_KEY,
            "app_secret": defaults::ALIEXPRESS_APP_SECRET,
            "refresh_token": defaults::ALIEXPRESS_REFRESH_TOKEN,
        });
        let alibaba = json!({
            "platform": "alibaba.com",
            "environment": self.simulators.icbu_url(),
            "app_key": defaults::ALIBABA_APP_KEY,
            "app_secret": defaults::ALIBABA_APP_SECRET,
            "refresh_token": defaults::ALIBABA_REFRESH_TOKEN,
            "seller_id": defaults::ALIBABA_SELLER_ID,
            "dispatch_from": ["CN"],
            "quote_addresses": { "US": {
                "zip": "10012",
                "province": "New York",
                "province_code": "NY",
                "city": "New York",
                "address": "1 Example Street",
            } },
            "pay": {
                "payment_method": "CREDIT_CARD",
                "user_ip": "203.0.113.7",
                "user_agent": "Kervan",
                "accept_language": "en-US",
                "screen_resolution": "1920*1080",
                "registered_at_ms": 1_767_225_600_000_u64,
            },
        });
        for (name, value) in [
            ("account/amazon/main", amazon),
            ("account/ebay/main", ebay),
            ("account/aliexpress/main", aliexpress),
            ("account/alibaba/main", alibaba),
        ] {
            let name = self.deployment.secret_name(name);
            let put = self.aws.secrets().put_secret_value().secret_id(&name);
            put.secret_string(value.to_string())
                .send()
                .await
                .with_context(|| format!("the secret {name} cannot be filled"))?;
        }
        Ok(())
    }

    /// As a merchant does in the marketplaces' portals and with `kervan subscribe`: eBay asks whether the endpoint is ours,
    /// AliExpress and Alibaba.com do not, and Amazon is told of a queue.
    pub(super) async fn register_pushes(&self) -> Result<()> {
        let endpoint = self.deployment.webhook_url("ebay", "main");
        let registered = self
            .simulators
            .ebay
            .register_endpoint(&endpoint, defaults::EBAY_VERIFICATION_TOKEN);
        registered
            .await
            .context("eBay does not accept the deployed endpoint")?;
        let endpoint = self.deployment.webhook_url("aliexpress", "main");
        self.simulators.aliexpress.set_push_url(Some(endpoint));
        let mut settings = self.simulators.icbu.settings();
        settings.push_url = Some(self.deployment.webhook_url("alibaba", "main"));
        self.simulators.icbu.set_settings(settings);
        self.subscribe_amazon().await
    }

    /// What `kervan subscribe amazon:main` does.
    async fn subscribe_amazon(&self) -> Result<()> {
        let id: AccountId = "amazon:main".parse()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let seal = Kms::new(self.aws.kms(), self.output("SealKeyArn")?);
        let tokens = TokenStore::new(self.store.clone(), Arc::new(seal), clock.clone());
        let secrets = SecretsManager::new(self.aws.secrets(), clock.clone());
        let accounts = Accounts::new(
            vec![id.clone()],
            &self.deployment.secret_name(""),
            Arc::new(secrets),
            Arc::new(HttpClient::new(HttpClient::USUAL_TIMEOUT)?),
            clock,
            Some(Arc::new(tokens)),
        );
        let account = accounts.open(&id).await?;
        let Some(door) = account.subscribe() else {
            bail!("{id} has no calls for subscriptions");
        };
        let to = SubscribeTo {
            queue_arn: Some(self.output("NotificationsQueueArn")?.to_owned()),
            alert_email: None,
        };
        let done = door.subscribe(&to).await;
        done.with_context(|| format!("{id} could not be subscribed"))?;
        Ok(())
    }

    pub(super) fn output(&self, name: &str) -> Result<&str> {
        let value = self.deployment.outputs.get(name);
        value
            .map(String::as_str)
            .with_context(|| format!("The template has no output {name}"))
    }
}
