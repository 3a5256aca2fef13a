//! AliExpress's signatures, written from its pages and not from the code under test ("Signature algorithm" for the
//! gateway, "How to use Webhook" for pushes, the TOP manual for the two old methods).

use hmac::KeyInit;
use hmac::Mac;
use md5::Digest;
use md5::Md5;
use sha2::Sha256;

/// How a request is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignMethod {
    /// `sha256`: HMAC-SHA256, the gateway's present method.
    Sha256,
    /// `md5`: MD5 with the secret on both sides, of the old gateway.
    Md5,
    /// `hmac`: HMAC-MD5, of the old gateway.
    HmacMd5,
}

impl SignMethod {
    /// The method that a `sign_method` parameter names.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "sha256" => Some(Self::Sha256),
            "md5" => Some(Self::Md5),
            "hmac" => Some(Self::HmacMd5),
            _ => None,
        }
    }
}

/// The upper-case signature of a request: `path_prefix` (empty for business calls on /sync), then every name and
/// value in the byte order of the names. A parameter called `sign` is left out.
pub fn sign(
    method: SignMethod,
    secret: &str,
    path_prefix: &str,
    params: &[(String, String)],
) -> String {
    let mut sorted: Vec<&(String, String)> =
        params.iter().filter(|(name, _)| name != "sign").collect();
    sorted.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
    let mut text = path_prefix.to_owned();
    for (name, value) in sorted {
        text.push_str(name);
        text.push_str(value);
    }
    match method {
        SignMethod::Sha256 => hex::encode_upper(hmac_sha256(secret, &[text.as_bytes()])),
        SignMethod::Md5 => hex::encode_upper(Md5::digest(format!("{secret}{text}{secret}"))),
        SignMethod::HmacMd5 => hex::encode_upper(hmac_md5(secret, text.as_bytes())),
    }
}

/// The `Authorization` of a push: lower-case hex of HMAC-SHA256 over application key and raw body.
pub fn push_authorization(app_key: &str, secret: &str, raw_body: &[u8]) -> String {
    hex::encode(hmac_sha256(secret, &[app_key.as_bytes(), raw_body]))
}

fn hmac_sha256(secret: &str, parts: &[&[u8]]) -> Vec<u8> {
    let Ok(mut mac) = hmac::Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        // HMAC takes keys of every length.
        return Vec::new();
    };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

fn hmac_md5(secret: &str, text: &[u8]) -> Vec<u8> {
    let Ok(mut mac) = hmac::Hmac::<Md5>::new_from_slice(secret.as_bytes()) else {
        return Vec::new();
    };
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}
