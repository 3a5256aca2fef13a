//! Login with Amazon, and the check of access tokens (developer-docs.amazon.com/sp-api, "Connecting to the Selling
//! Partner API").

use std::collections::BTreeMap;
use std::time::Duration;

use http::StatusCode;
use serde_json::json;

use super::error;
use super::state::State;
use super::state::Token;
use crate::answer::Answer;
use crate::answer::Call;
use crate::clock::later;
use crate::form;

const NOTIFICATIONS: &str = "sellingpartnerapi::notifications";
const ROTATION: &str = "sellingpartnerapi::client_credential:rotation";

/// Whose token a call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    Seller,
    Application,
}

impl State {
    /// POST /auth/o2/token
    pub(super) fn token(&mut self, call: &Call) -> Answer {
        if !call.has_content_type("application/x-www-form-urlencoded") {
            return refusal(400, "invalid_request");
        }
        let form: BTreeMap<String, String> = form::parse(&call.body).into_iter().collect();
        let given = |name: &str| form.get(name).map(String::as_str);
        let is_ours = given("client_id") == Some(self.config.client_id.as_str())
            && given("client_secret") == Some(self.config.client_secret.as_str());
        if !is_ours {
            return refusal(401, "invalid_client");
        }
        match (given("grant_type"), given("refresh_token"), given("scope")) {
            (Some("refresh_token"), Some(refresh_token), None) => self.refresh(refresh_token),
            (Some("client_credentials"), None, Some(scope)) => self.client_credentials(scope),
            (Some("refresh_token" | "client_credentials"), _, _) => refusal(400, "invalid_request"),
            _ => refusal(400, "unsupported_grant_type"),
        }
    }

    fn refresh(&mut self, refresh_token: &str) -> Answer {
        if self.refresh_revoked || refresh_token != self.config.refresh_token {
            return refusal(400, "invalid_grant");
        }
        let (access_token, life_s) = self.issue(Caller::Seller);
        let body = json!({
            "access_token": access_token,
            "refresh_token": refresh_token,
            "token_type": "bearer",
            "expires_in": life_s,
        });
        Answer::json(StatusCode::OK, &body)
    }

    fn client_credentials(&mut self, scope: &str) -> Answer {
        if ![NOTIFICATIONS, ROTATION].contains(&scope) {
            return refusal(400, "invalid_scope");
        }
        let (access_token, life_s) = self.issue(Caller::Application);
        let body = json!({
            "access_token": access_token,
            "token_type": "bearer",
            "expires_in": life_s,
            "scope": scope,
        });
        Answer::json(StatusCode::OK, &body)
    }

    fn issue(&mut self, caller: Caller) -> (String, u64) {
        let access_token = format!("Atza|{}", self.random.hex(60));
        let life_s = self.config.settings.access_token_s;
        let token = Token {
            expires_at: later(self.now, Duration::from_secs(life_s)),
            caller,
        };
        self.tokens.insert(access_token.clone(), token);
        self.counters.tokens_issued += 1;
        (access_token, life_s)
    }

    /// Whether the call carries a live token of the right kind.
    pub(super) fn check_token(&mut self, call: &Call, caller: Caller) -> Result<(), Box<Answer>> {
        let details = match call.header("x-amz-access-token") {
            None => "Access token is missing in the request header.",
            Some(given) => match self.tokens.get(given) {
                None => "The access token you provided is revoked, malformed or invalid.",
                Some(token) if token.expires_at <= self.now => {
                    "The access token you provided has expired."
                }
                Some(token) if token.caller != caller => "",
                Some(_) => return Ok(()),
            },
        };
        self.counters.unauthorized += 1;
        Err(Box::new(error::unauthorized(details)))
    }
}

fn refusal(status: u16, error: &str) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let body = json!({ "error": error, "error_description": "The request was not granted." });
    Answer::json(status, &body)
}
