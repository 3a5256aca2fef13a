//! How pushes are verified, and requests signed (`requests`). SOAP pushes have a signature of their own (`platform`).
//!
//! Pushes of the Notification API (developer.ebay.com, "Marketplace user account deletion"; eBay's event notification SDKs).
//!
//! `X-EBAY-SIGNATURE` is base64 of `{alg, kid, signature, digest}`; the signature is ECDSA over P-256 with SHA-1 of the
//! body's raw bytes. The key is asked for by its id, which anybody can make up. So an id is only looked up where it
//! looks like one of eBay's, few times a minute, and what came of it is remembered.

pub(super) mod platform;
pub mod requests;

use super::{client::Client, limits, wire};
use crate::marketplaces::{Challenge, Kind, PushRefused, Unverified, Verified};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use p256::{
    ecdsa::{Signature, VerifyingKey, signature::hazmat::PrehashVerifier},
    pkcs8::DecodePublicKey,
};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};
use url::form_urlencoded;

/// The name of the signature's header.
const HEADER: &str = "x-ebay-signature";

/// Keys that sign pushes, as far as this process has met them.
#[derive(Default)]
pub(super) struct Keys(Mutex<Known>);

/// Checks a push's signature over its raw bytes.
///
/// 412: the signature is missing or wrong, as eBay's own SDKs answer. 500 and 503: it cannot be checked now, so eBay
/// shall send again.
pub(super) async fn verify(
    client: &Client,
    keys: &Keys,
    now: Timestamp,
    push: Unverified,
) -> Result<Verified, PushRefused> {
    let header = push.header(HEADER).ok_or(refused("signature missing"))?;
    let (kid, signature) = read_header(header).ok_or(refused("signature malformed"))?;
    let key = keys.get(client, now, &kid).await?;
    push.check(|body| {
        key.verify_prehash(&prehash(body), &signature)
            .map_err(|_| refused("signature wrong"))
    })
}

/// The answer to eBay's question whether the endpoint is ours: a hash that only who knows the token can make.
pub(super) fn challenge(
    query: &str,
    verification_token: &str,
    endpoint: &str,
) -> Result<Challenge, PushRefused> {
    let wrong = PushRefused::new(StatusCode::BAD_REQUEST, "challenge code missing");
    let mut codes = form_urlencoded::parse(query.trim_start_matches('?').as_bytes())
        .filter(|(name, _)| name == "challenge_code");
    let (_, code) = codes.next().ok_or(wrong.clone())?;
    if codes.next().is_some() || code.is_empty() || code.len() > limits::LONGEST_CHALLENGE_CODE {
        return Err(wrong);
    }
    let digest = Sha256::new()
        .chain_update(code.as_bytes())
        .chain_update(verification_token)
        .chain_update(endpoint)
        .finalize();
    let answer = serde_json::json!({ "challengeResponse": hex::encode(digest) });
    Ok(Challenge {
        body: answer.to_string(),
    })
}

/// What is known of keys.
#[derive(Default)]
struct Known {
    /// Keys, each until it must be asked for again.
    keys: HashMap<String, (VerifyingKey, Timestamp)>,
    /// Ids without a usable key, each until it may be asked for again.
    absent: HashMap<String, (PushRefused, Timestamp)>,
    /// When ids were looked up that were not known before.
    new_look_ups: VecDeque<Timestamp>,
}

impl Keys {
    async fn get(
        &self,
        client: &Client,
        now: Timestamp,
        kid: &str,
    ) -> Result<VerifyingKey, PushRefused> {
        if let Some(known) = self.known().find(now, kid) {
            return known;
        }
        let (outcome, kept) = match client.public_key(kid).await {
            Ok(key) => match read_key(&key) {
                Some(key) => (Ok(key), limits::KEY_KEPT),
                None => (Err(later("public key unusable")), limits::KEY_ABSENT_KEPT),
            },
            Err(error) if error.kind == Kind::NotFound => {
                (Err(refused("public key unknown")), limits::KEY_ABSENT_KEPT)
            }
            Err(_) => {
                let refusal = later("public key not readable now");
                (Err(refusal), limits::KEY_FAULT_KEPT)
            }
        };
        self.known().remember(kid, &outcome, plus(now, kept));
        outcome
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// What is known of an id; `None` where it may be looked up now, which is then counted.
    fn find(&mut self, now: Timestamp, kid: &str) -> Option<Result<VerifyingKey, PushRefused>> {
        let known = self.keys.get(kid);
        if let Some((key, _)) = known.filter(|(_, until)| now < *until) {
            return Some(Ok(*key));
        }
        let absent = self.absent.get(kid);
        if let Some((refusal, _)) = absent.filter(|(_, until)| now < *until) {
            return Some(Err(refusal.clone()));
        }
        // A key that was good before is asked for again whatever made-up ids have used up.
        if known.is_some() {
            return None;
        }
        let minute_ago = plus(now, SignedDuration::from_mins(-1));
        while self
            .new_look_ups
            .front()
            .is_some_and(|at| *at <= minute_ago)
        {
            self.new_look_ups.pop_front();
        }
        if self.new_look_ups.len() >= limits::NEW_KEY_LOOK_UPS_PER_MINUTE {
            let busy = StatusCode::SERVICE_UNAVAILABLE;
            return Some(Err(PushRefused::new(busy, "too many unknown keys")));
        }
        self.new_look_ups.push_back(now);
        None
    }

    fn remember(
        &mut self,
        kid: &str,
        outcome: &Result<VerifyingKey, PushRefused>,
        until: Timestamp,
    ) {
        match outcome {
            Ok(key) => {
                self.absent.remove(kid);
                keep(&mut self.keys, limits::KEYS_REMEMBERED, kid, *key, until);
            }
            Err(refusal) => {
                let most = limits::ABSENT_KEYS_REMEMBERED;
                keep(&mut self.absent, most, kid, refusal.clone(), until);
            }
        }
    }
}

/// Keeps a value until a time; what ends first makes room where there are too many.
fn keep<T>(
    map: &mut HashMap<String, (T, Timestamp)>,
    most: usize,
    kid: &str,
    value: T,
    until: Timestamp,
) {
    if map.len() >= most && !map.contains_key(kid) {
        let first = map.iter().min_by_key(|(_, (_, until))| *until);
        if let Some(first) = first.map(|(kid, _)| kid.clone()) {
            map.remove(&first);
        }
    }
    map.insert(kid.to_owned(), (value, until));
}

fn plus(now: Timestamp, span: SignedDuration) -> Timestamp {
    now.checked_add(span).unwrap_or(now)
}

fn read_header(header: &str) -> Option<(String, Signature)> {
    if header.len() > limits::LONGEST_SIGNATURE_HEADER {
        return None;
    }
    let json = STANDARD.decode(header.trim()).ok()?;
    let header: wire::SignatureHeader = serde_json::from_slice(&json).ok()?;
    let der = STANDARD.decode(&header.signature).ok()?;
    is_key_id(&header.kid).then_some(())?;
    Some((header.kid, Signature::from_der(&der).ok()?))
}

/// eBay's key ids are UUIDs; a little more is let pass, but nothing that could mean something in a path.
fn is_key_id(kid: &str) -> bool {
    (16..=64).contains(&kid.len()) && kid.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// The key, where its algorithm and digest are the ones that eBay has announced. What the push's own header says of
/// them does not count: the sender could choose the weaker.
fn read_key(key: &wire::PublicKey) -> Option<VerifyingKey> {
    if key.algorithm != "ECDSA" || key.digest != "SHA1" {
        return None;
    }
    // A PEM on one line, which PEM readers do not take.
    let base64: String = key
        .key
        .trim()
        .strip_prefix("-----BEGIN PUBLIC KEY-----")?
        .strip_suffix("-----END PUBLIC KEY-----")?
        .split_ascii_whitespace()
        .collect();
    VerifyingKey::from_public_key_der(&STANDARD.decode(base64).ok()?).ok()
}

/// The digest as a number of the curve's 32 bytes: SHA-1 has 20, and a shorter digest is the number's low end (FIPS
/// 186-5, 6.4.2).
fn prehash(body: &[u8]) -> [u8; 32] {
    let mut number = [0; 32];
    number[12..].copy_from_slice(&Sha1::digest(body));
    number
}

const fn refused(reason: &'static str) -> PushRefused {
    PushRefused::new(StatusCode::PRECONDITION_FAILED, reason)
}

const fn later(reason: &'static str) -> PushRefused {
    PushRefused::new(StatusCode::INTERNAL_SERVER_ERROR, reason)
}
