//! /auth/token/create and /auth/token/refresh.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::envelope::GatewayError;
use super::gateway::Params;
use super::state::State;
use super::state::Tokens;
use crate::clock::later;

impl State {
    /// Trades a code of the consent page for tokens. A code works once, for about three minutes.
    pub(super) fn create_token(&mut self, params: &Params) -> Result<Value, GatewayError> {
        let code = params.required("code")?;
        let sells = self.seller.tokens.codes.contains_key(code);
        let ends_at = self.tokens_of(sells).codes.remove(code);
        if ends_at.is_none_or(|ends_at| ends_at <= self.now) || params.get("uuid").is_some() {
            let message = "The specified authorization code is invalid, expired or used";
            return Err(GatewayError::isv("InvalidCode", message));
        }
        let life = Duration::from_secs(self.config.settings.refresh_token_s);
        let refresh_ends_at = later(self.now, life);
        let tokens = self.tokens_of(sells);
        tokens.refresh_ends_at = refresh_ends_at;
        tokens.consent_ends_at = None;
        Ok(self.issue(sells))
    }

    /// A new pair. The old refresh token dies with it, and the end of the consent does not move.
    pub(super) fn refresh_token(&mut self, params: &Params) -> Result<Value, GatewayError> {
        let given = params.required("refresh_token")?;
        let now = self.now;
        for sells in [false, true] {
            let tokens = self.tokens_of(sells);
            if tokens.refresh.as_deref() == Some(given) && tokens.refresh_ends_at > now {
                self.counters.refreshes += 1;
                return Ok(self.issue(sells));
            }
        }
        let mut replaced = self
            .tokens
            .replaced
            .iter()
            .chain(&self.seller.tokens.replaced);
        if replaced.any(|old| old == given) {
            self.counters.refresh_races += 1;
        }
        let message = "The specified refresh token is invalid or expired";
        Err(GatewayError::isv("IllegalRefreshToken", message))
    }

    /// The tokens of the shop, or of the buying account.
    pub(super) fn tokens_of(&mut self, sells: bool) -> &mut Tokens {
        if sells {
            &mut self.seller.tokens
        } else {
            &mut self.tokens
        }
    }

    fn issue(&mut self, sells: bool) -> Value {
        let access_token = format!("50000{}{}", self.random.digits(3), self.random.hex(40));
        let refresh_token = format!("50001{}{}", self.random.digits(3), self.random.hex(40));
        let life_s = self.config.settings.access_token_s;
        let ends_at = later(self.now, Duration::from_secs(life_s));
        let tokens = self.tokens_of(sells);
        let consent_ends_at = tokens.consent_ends_at.unwrap_or(Timestamp::MAX);
        let ends_at = ends_at.min(consent_ends_at);
        if let Some(old) = tokens.refresh.replace(refresh_token.clone()) {
            tokens.replaced.push(old);
        }
        tokens.access.insert(access_token.clone(), ends_at);
        let refresh_ends_at = tokens.refresh_ends_at;
        let now = self.now;
        let left_s =
            |until: Timestamp| u64::try_from(until.as_second() - now.as_second()).unwrap_or(0);
        let (life_s, left_s) = (life_s.min(left_s(consent_ends_at)), left_s(refresh_ends_at));
        json!({
            "access_token": access_token,
            "refresh_token": refresh_token,
            "expires_in": self.loose(life_s),
            "refresh_expires_in": self.loose(left_s),
            "expire_time": ends_at.as_millisecond(),
            "refresh_token_valid_time": refresh_ends_at.as_millisecond(),
            "seller_id": self.config.seller_id,
            "user_id": self.config.seller_id,
            "havana_id": format!("3{}", self.config.seller_id),
            "user_nick": "simulated_buyer",
            "account": "buyer@example.invalid",
            "account_platform": "buyerApp",
            "locale": "zh_CN",
            "sp": "ae",
            "code": "0",
        })
    }
}
