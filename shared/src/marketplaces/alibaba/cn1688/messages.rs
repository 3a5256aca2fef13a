//! Messages: pushed as a form of the message and its signature, and given again where nobody took them.

use super::wire::Message;
use super::{Cn1688, convert, limits, signature};
use crate::domain::{Signal, SignalKind};
use crate::marketplaces::{
    CallError, Challenge, Notification, PullMissed, PushRefused, Unverified, VerifyPushes,
};
use async_trait::async_trait;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

impl Cn1688 {
    fn signals(&self, message: &Message, seen_at: Timestamp) -> Vec<Signal> {
        // One application has many accounts; each message names its own.
        let ours = self.client.config.member_id.as_ref();
        let of_another =
            matches!((ours, &message.user_info), (Some(ours), Some(theirs)) if ours != theirs);
        if of_another {
            return Vec::new();
        }
        let signal = |kind: SignalKind| Signal {
            account: self.client.id.clone(),
            kind,
            seen_at,
        };
        convert::signals(message).into_iter().map(signal).collect()
    }

    fn check_age(&self, message: &Message) -> Result<Timestamp, PushRefused> {
        let bad = PushRefused::new(StatusCode::BAD_REQUEST, "the message has no time");
        let born = message.gmt_born.ok_or_else(|| bad.clone())?;
        let born = Timestamp::from_millisecond(born).map_err(|_| bad)?;
        let now = self.client.outside.clock.now();
        let limit = |duration| SignedDuration::try_from(duration).unwrap_or_default();
        let age = now.duration_since(born);
        if age > limit(limits::OLDEST_MESSAGE) || age < -limit(limits::MESSAGE_AHEAD) {
            return Err(PushRefused::new(StatusCode::UNAUTHORIZED, "stale"));
        }
        Ok(now)
    }
}

/// The one value of a field of a form; none where it is missing or repeated.
fn field(body: &[u8], name: &str) -> Option<String> {
    let mut values = url::form_urlencoded::parse(body).filter(|(known, _)| known == name);
    let value = values.next()?.1.into_owned();
    values.next().is_none().then_some(value)
}

#[async_trait]
impl VerifyPushes for Cn1688 {
    /// The signature is over the message as it is after the form was decoded, and is checked before anything of it is
    /// parsed. A message can come again and out of order; its signals are the same ones then.
    async fn verify(&self, push: Unverified) -> Result<Vec<Signal>, PushRefused> {
        let secret = &self.client.config.app_secret;
        let push = push.check(|body| {
            let parts = field(body, "message").zip(field(body, "_aop_signature"));
            match parts {
                Some((message, sign))
                    if signature::message_is_authentic(secret, &message, &sign) =>
                {
                    Ok(())
                }
                _ => {
                    let reason = "the signature does not fit the message";
                    Err(PushRefused::new(StatusCode::UNAUTHORIZED, reason))
                }
            }
        })?;
        let bad = PushRefused::new(StatusCode::BAD_REQUEST, "the message cannot be read");
        let message = field(push.body(), "message").ok_or_else(|| bad.clone())?;
        let message: Message = serde_json::from_str(&message).map_err(|_| bad)?;
        let seen_at = self.check_age(&message)?;
        Ok(self.signals(&message, seen_at))
    }

    fn challenge(&self, _query: &str) -> Option<Result<Challenge, PushRefused>> {
        None
    }
}

#[async_trait]
impl PullMissed for Cn1688 {
    async fn missed(&self) -> Result<Vec<Notification>, CallError> {
        let now = self.client.outside.clock.now();
        let messages = self.client.messages().await?;
        let known = messages.into_iter().filter_map(|message| {
            Some(Notification {
                id: message.msg_id.clone()?,
                signals: self.signals(&message, now),
            })
        });
        Ok(known.collect())
    }

    async fn take(&self, ids: &[String]) -> Result<(), CallError> {
        // An id that is no number was not given by this platform.
        let ids: Vec<u64> = ids.iter().filter_map(|id| id.parse().ok()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        self.client.take_messages(&ids).await
    }
}
