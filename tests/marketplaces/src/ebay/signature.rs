//! eBay's two proofs, written from eBay's guides and not from the code under test: the signature of notifications
//! and the answer to the endpoint challenge ("Marketplace User Account Deletion").

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use p256::ecdsa::Signature;
use p256::ecdsa::SigningKey;
use p256::ecdsa::VerifyingKey;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::pkcs8::DecodePublicKey;
use p256::pkcs8::EncodePublicKey;
use serde_json::Value;
use serde_json::json;
use sha1::Digest;
use sha1::Sha1;
use sha2::Sha256;

use crate::answer::Call;

/// Opening and closing line of the key that getPublicKey answers with, here without line breaks around the base64.
const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

/// Lower-case hex of SHA-256 over challenge code, verification token and endpoint, with nothing between them.
pub fn challenge_response(
    challenge_code: &str,
    verification_token: &str,
    endpoint: &str,
) -> String {
    let digest = Sha256::new()
        .chain_update(challenge_code)
        .chain_update(verification_token)
        .chain_update(endpoint)
        .finalize();
    hex::encode(digest)
}

/// Whether an `X-EBAY-SIGNATURE` header signs these bytes under a key as getPublicKey gives it.
pub fn notification_is_signed(header: &str, raw_body: &[u8], public_key: &str) -> bool {
    check(header, raw_body, public_key).unwrap_or(false)
}

/// The key id that an `X-EBAY-SIGNATURE` header names.
pub fn key_id(header: &str) -> Option<String> {
    Some(decode(header)?.get("kid")?.as_str()?.to_owned())
}

fn decode(header: &str) -> Option<Value> {
    serde_json::from_slice(&STANDARD.decode(header).ok()?).ok()
}

fn check(header: &str, raw_body: &[u8], public_key: &str) -> Option<bool> {
    let header = decode(header)?;
    if header.get("alg")? != "ecdsa" || header.get("digest")? != "SHA1" {
        return None;
    }
    let der = STANDARD.decode(header.get("signature")?.as_str()?).ok()?;
    let signature = Signature::from_der(&der).ok()?;
    let inner = public_key.strip_prefix(BEGIN)?.strip_suffix(END)?;
    let key = VerifyingKey::from_public_key_der(&STANDARD.decode(inner.trim()).ok()?).ok()?;
    Some(
        key.verify_prehash(&Sha1::digest(raw_body), &signature)
            .is_ok(),
    )
}

/// The `X-EBAY-SIGNATURE` header for these bytes; `None` only if the key could not sign at all.
pub(super) fn sign(key: &SigningKey, kid: &str, raw_body: &[u8]) -> Option<String> {
    let signature: Signature = key.sign_prehash(&Sha1::digest(raw_body)).ok()?;
    let header = json!({
        "alg": "ecdsa",
        "kid": kid,
        "signature": STANDARD.encode(signature.to_der().as_bytes()),
        "digest": "SHA1",
    });
    Some(STANDARD.encode(header.to_string()))
}

/// The public key as eBay writes it: a PEM on one line.
pub(super) fn public_key(key: &SigningKey) -> Option<String> {
    let der = key.verifying_key().to_public_key_der().ok()?;
    Some(format!("{BEGIN}{}{END}", STANDARD.encode(der.as_bytes())))
}

/// The raw public half of an Ed25519 key, base64 of PKCS #8.
pub(super) fn public_half(private_key: &str) -> Option<Vec<u8>> {
    use ring::signature::KeyPair;
    let der = STANDARD.decode(private_key).ok()?;
    let pair = ring::signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).ok()?;
    Some(pair.public_key().as_ref().to_vec())
}

/// Whether a call carries an HTTP message signature (RFC 9421) of this key, over its digest, key, method, path and host.
pub(super) fn message_is_signed(
    call: &Call,
    method: &str,
    key: &[u8],
    jwe: &str,
    now: Timestamp,
) -> bool {
    check_message(call, method, key, jwe, now).unwrap_or(false)
}

fn check_message(call: &Call, method: &str, key: &[u8], jwe: &str, now: Timestamp) -> Option<bool> {
    let digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(&call.body)));
    if call.header("x-ebay-signature-key")? != jwe || call.header("content-digest")? != digest {
        return None;
    }
    let parameters = call.header("signature-input")?.strip_prefix("sig1=")?;
    let (components, created) = parameters.split_once(";created=")?;
    let age = now.as_second() - created.parse::<i64>().ok()?;
    if age.abs() > 600 {
        return None;
    }
    let inner = components.strip_prefix('(')?.strip_suffix(')')?;
    let mut lines = Vec::new();
    for component in inner.split(' ') {
        let value = match component {
            "\"content-digest\"" => digest.clone(),
            "\"x-ebay-signature-key\"" => jwe.to_owned(),
            "\"@method\"" => method.to_owned(),
            "\"@path\"" => call.uri.path().to_owned(),
            "\"@authority\"" => call.origin().split_once("://")?.1.to_owned(),
            _ => return None,
        };
        lines.push(format!("{component}: {value}"));
    }
    // Less than these five is no signature of the call.
    if lines.len() != 5 {
        return None;
    }
    lines.push(format!("\"@signature-params\": {parameters}"));
    let given = call
        .header("signature")?
        .strip_prefix("sig1=:")?
        .strip_suffix(':')?;
    let given = STANDARD.decode(given).ok()?;
    let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, key);
    Some(key.verify(lines.join("\n").as_bytes(), &given).is_ok())
}

/// The signature of a platform notification: base64 of MD5 over its timestamp and the three keys (KB 1201).
pub fn platform_signature(timestamp: &str, dev_id: &str, app_id: &str, cert_id: &str) -> String {
    let text = [timestamp, dev_id, app_id, cert_id].concat();
    STANDARD.encode(md5::Md5::digest(text))
}
