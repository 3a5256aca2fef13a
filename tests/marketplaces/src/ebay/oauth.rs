//! The token endpoint and the check of access tokens (developer.ebay.com, "OAuth: refresh token request" and
//! "client credentials grant").

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::json;

use super::error;
use super::state::State;
use super::state::Token;
use super::types::SCOPE_PUBLIC;
use crate::answer::Answer;
use crate::answer::Call;
use crate::clock::later;
use crate::form;

impl State {
    /// POST /identity/v1/oauth2/token
    pub(super) fn token(&mut self, call: &Call) -> Answer {
        if !call.has_content_type("application/x-www-form-urlencoded") {
            return oauth_error(400, "invalid_request", "Content-Type must be a form");
        }
        if !self.is_our_client(call) {
            return oauth_error(401, "invalid_client", "client authentication failed");
        }
        let form: BTreeMap<String, String> = form::parse(&call.body).into_iter().collect();
        let requested: Vec<&str> = form
            .get("scope")
            .map(|scope| scope.split(' ').filter(|one| !one.is_empty()).collect())
            .unwrap_or_default();
        match form.get("grant_type").map(String::as_str) {
            Some("refresh_token") => self.refresh(&form, &requested),
            Some("client_credentials") => self.client_credentials(&requested),
            _ => oauth_error(
                400,
                "unsupported_grant_type",
                "grant type in request is not supported by the authorization server",
            ),
        }
    }

    fn is_our_client(&self, call: &Call) -> bool {
        let wanted = format!("{}:{}", self.config.client_id, self.config.client_secret);
        call.header("authorization")
            .and_then(|value| value.strip_prefix("Basic "))
            .and_then(|encoded| STANDARD.decode(encoded.trim()).ok())
            .is_some_and(|given| given == wanted.as_bytes())
    }

    fn refresh(&mut self, form: &BTreeMap<String, String>, requested: &[&str]) -> Answer {
        let given = form.get("refresh_token").map(String::as_str);
        if self.refresh_revoked || given != Some(self.config.refresh_token.as_str()) {
            return oauth_error(
                400,
                "invalid_grant",
                "the provided authorization refresh token is invalid or was issued to another client",
            );
        }
        let granted = self.config.granted_scopes.clone();
        if requested
            .iter()
            .any(|one| !granted.iter().any(|g| g == one))
        {
            return invalid_scope();
        }
        let scopes = match requested {
            [] => granted,
            some => some.iter().map(|&one| one.to_owned()).collect(),
        };
        self.issue(scopes, true, "User Access Token")
    }

    fn client_credentials(&mut self, requested: &[&str]) -> Answer {
        // What an application may do without a user is public data; anything of a seller needs the seller's consent.
        if requested.iter().any(|&one| one != SCOPE_PUBLIC) {
            return invalid_scope();
        }
        self.issue(
            vec![SCOPE_PUBLIC.to_owned()],
            false,
            "Application Access Token",
        )
    }

    fn issue(&mut self, scopes: Vec<String>, is_user: bool, token_type: &str) -> Answer {
        let access_token = format!("v^1.1#i^1#p^1#t^H4sI{}", self.random.hex(48));
        let life_s = self.config.settings.access_token_s;
        let token = Token {
            expires_at: later(self.now, std::time::Duration::from_secs(life_s)),
            scopes,
            is_user,
        };
        self.tokens.insert(access_token.clone(), token);
        self.counters.tokens_issued += 1;
        Answer::json(
            StatusCode::OK,
            &json!({
                "access_token": access_token,
                "expires_in": life_s,
                "token_type": token_type,
            }),
        )
    }

    /// Whether the call carries a live token. User calls need one of `scopes`; an empty list asks for an
    /// application token.
    pub(super) fn check_token(&mut self, call: &Call, scopes: &[&str]) -> Result<(), Box<Answer>> {
        let given = call
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer "));
        let Some(given) = given else {
            self.counters.unauthorized += 1;
            return Err(Box::new(error::unauthorized(1002, "Missing access token")));
        };
        let live = self
            .tokens
            .get(given.trim())
            .filter(|token| token.expires_at > self.now);
        let Some(token) = live else {
            self.counters.unauthorized += 1;
            return Err(Box::new(error::unauthorized(1001, "Invalid access token")));
        };
        let allowed = if scopes.is_empty() {
            !token.is_user
        } else {
            token.is_user
                && token
                    .scopes
                    .iter()
                    .any(|scope| scopes.contains(&scope.as_str()))
        };
        if allowed {
            Ok(())
        } else {
            Err(Box::new(error::forbidden()))
        }
    }
}

fn invalid_scope() -> Answer {
    oauth_error(
        400,
        "invalid_scope",
        "The requested scope is invalid, unknown, malformed, or exceeds the scope granted to the client",
    )
}

fn oauth_error(status: u16, error: &str, description: &str) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    Answer::json(
        status,
        &json!({ "error": error, "error_description": description }),
    )
}
