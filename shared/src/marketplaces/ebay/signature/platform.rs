//! How platform notifications are verified, the SOAP pushes of the Trading API (developer.ebay.com, "Working with
//! platform notifications"; KB 1201).
//!
//! The signature is MD5 of a timestamp and three keys. It covers nothing of the body but the timestamp, so who has seen
//! one message can make others for as long as the timestamp is taken. What comes of a push is therefore never more than
//! a reason to ask for an order.

use super::super::{config::Config, limits, trading::xml};
use crate::marketplaces::{PushRefused, Unverified, Verified};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::StatusCode;
use jiff::Timestamp;
use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

/// Whether a push is SOAP: by what it says of itself, because its signature stands in its body.
pub(in super::super) fn is_platform(push: &Unverified) -> bool {
    let media = push.header("content-type").unwrap_or_default();
    push.header("soapaction").is_some() || media.to_ascii_lowercase().contains("xml")
}

/// Checks a platform notification's signature and its age, and gives its body's element.
///
/// 412: the signature is missing, wrong, or too old. 400: it is no SOAP. 500: no dev id is configured, so it cannot be
/// checked.
pub(in super::super) fn verify(
    config: &Config,
    now: Timestamp,
    push: Unverified,
) -> Result<(Verified, xml::Element), PushRefused> {
    let dev_id = config.dev_id.as_deref().ok_or(PushRefused::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "platform notifications need the dev id in the account's secret",
    ))?;
    let malformed = PushRefused::new(StatusCode::BAD_REQUEST, "push malformed");
    let push = push.check(|body| {
        let envelope = xml::parse(body).map_err(|_| malformed.clone())?;
        let (given, said) = signed_parts(&envelope).ok_or(refused("signature missing"))?;
        let timestamp = said.only("Timestamp").ok_or(malformed.clone())?.text();
        // Compared, and with that at its end.
        let cert_id = config.client_secret.expose();
        if !is_signed(given, timestamp, dev_id, &config.client_id, cert_id) {
            return Err(refused("signature wrong"));
        }
        let sent: Timestamp = timestamp.parse().map_err(|_| malformed.clone())?;
        if now.duration_since(sent).abs() > limits::PLATFORM_PUSH_AGE {
            return Err(refused("push too old or from the future"));
        }
        Ok(())
    })?;
    let envelope = xml::parse(push.body()).map_err(|_| malformed.clone())?;
    let said = body_of(&envelope).ok_or(malformed)?.clone();
    Ok((push, said))
}

/// Whether a signature is that of a timestamp, compared in a time that does not tell where they differ.
fn is_signed(given: &str, timestamp: &str, dev_id: &str, app_id: &str, cert_id: &str) -> bool {
    let expected = Md5::new()
        .chain_update(timestamp)
        .chain_update(dev_id)
        .chain_update(app_id)
        .chain_update(cert_id)
        .finalize();
    let given = STANDARD.decode(given).unwrap_or_default();
    bool::from(given.ct_eq(expected.as_slice()))
}

/// The signature, and the element that the timestamp stands in.
fn signed_parts(envelope: &xml::Element) -> Option<(&str, &xml::Element)> {
    let header = envelope.only("Header")?;
    let given = header
        .only("RequesterCredentials")?
        .only("NotificationSignature")?;
    Some((given.text(), body_of(envelope)?))
}

/// The one element of the SOAP body: an answer of a Trading call.
fn body_of(envelope: &xml::Element) -> Option<&xml::Element> {
    if envelope.name() != "Envelope" {
        return None;
    }
    match envelope.only("Body")?.children() {
        [only] => Some(only),
        _ => None,
    }
}

const fn refused(reason: &'static str) -> PushRefused {
    PushRefused::new(StatusCode::PRECONDITION_FAILED, reason)
}
