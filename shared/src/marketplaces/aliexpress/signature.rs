//! How requests are signed and pushes verified.
//!
//! All schemes sort the parameters by name in ASCII order and join names and values without separators, as raw UTF-8.
//! Values that are empty are neither sent nor signed, because the marketplace's own SDKs differ on them.

use crate::secrets::Secret;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How a request is signed; each has its own value of `sign_method`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `sha256`: HMAC-SHA256, the only one documented for api-sg.aliexpress.com (page "Signature", docId=1385).
    Sha256,
    /// `md5`: MD5 between two copies of the secret, of the old gateway (TOP manual, articleId=101617).
    Md5,
    /// `hmac`: HMAC-MD5 of the same manual.
    HmacMd5,
}

impl Scheme {
    /// Its value of `sign_method`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Md5 => "md5",
            Self::HmacMd5 => "hmac",
        }
    }
}

/// The signature in capital hex digits. `path` is the API path on `/rest` and empty on `/sync`. `None` only if the
/// secret cannot be a key, which these algorithms do not know.
pub fn sign<'a>(
    scheme: Scheme,
    secret: &Secret,
    path: &str,
    parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Option<String> {
    let text = text_to_sign(path, parameters);
    // The secret is the key of the signature.
    let key = secret.expose().as_bytes();
    let digest = match scheme {
        Scheme::Sha256 => keyed::<Hmac<Sha256>>(key, &[text.as_bytes()])?,
        Scheme::HmacMd5 => keyed::<Hmac<Md5>>(key, &[text.as_bytes()])?,
        Scheme::Md5 => {
            let mut hasher = Md5::new();
            hasher.update(key);
            hasher.update(text.as_bytes());
            hasher.update(key);
            hasher.finalize().to_vec()
        }
    };
    Some(hex::encode_upper(digest))
}

/// The text that is signed: the path, then every parameter but `sign` and the empty ones.
pub fn text_to_sign<'a>(
    path: &str,
    parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut sorted: Vec<_> = parameters
        .into_iter()
        .filter(|(name, value)| *name != "sign" && !value.is_empty())
        .collect();
    sorted.sort_unstable();
    let mut text = path.to_owned();
    for (name, value) in sorted {
        text.push_str(name);
        text.push_str(value);
    }
    text
}

/// Whether a push's `Authorization` is the HMAC-SHA256 of the application key and the raw body, in small hex digits
/// (page "How to use Webhook"). Compared in constant time.
pub fn push_is_authentic(
    app_key: &str,
    app_secret: &Secret,
    body: &[u8],
    authorization: &str,
) -> bool {
    // The secret is the key of the signature.
    let key = app_secret.expose().as_bytes();
    keyed::<Hmac<Sha256>>(key, &[app_key.as_bytes(), body]).is_some_and(|digest| {
        hex::encode(digest)
            .as_bytes()
            .ct_eq(authorization.as_bytes())
            .into()
    })
}

fn keyed<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Option<Vec<u8>> {
    let mut mac = <M as KeyInit>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn parameters_are_sorted_by_byte_and_empty_ones_left_out() {
        let parameters = [
            ("foo", "1"),
            ("bar", "2"),
            ("sign", "X"),
            ("foo_bar", "3"),
            ("none", ""),
            ("foobar", "4"),
        ];
        assert_eq!(
            text_to_sign("/test/api", parameters),
            "/test/apibar2foo1foo_bar3foobar4"
        );
    }

    #[test]
    fn the_schemes_meet_published_digests() {
        let parameters = [("Hi", " There")];
        let sixteen = secret(&"\u{b}".repeat(16));
        let twenty = secret(&"\u{b}".repeat(20));
        assert_eq!(
            sign(Scheme::HmacMd5, &sixteen, "", parameters).unwrap(),
            "9294727A3638BB1C13F48EF8158BFC9D"
        );
        assert_eq!(
            sign(Scheme::Sha256, &twenty, "", parameters).unwrap(),
            "B0344C61D8DB38535CA8AFCEAF0BF12B881DC200C9833DA726E9376C2E32CFF7"
        );
        let sorted = [
            ("foo", "1"),
            ("bar", "2"),
            ("foo_bar", "3"),
            ("foobar", "4"),
        ];
        assert_eq!(
            sign(Scheme::Md5, &secret("testsecret"), "", sorted).unwrap(),
            "54C22189FE38F1B7E6E4D701FB82851E"
        );
    }

    #[test]
    fn a_push_is_authentic_only_with_its_own_digest() {
        let digest = "f3d2ca947f16a50b577c036adecd18bec126ea19cadedd59816e255d3b6104ab";
        let body = br#"{"seller_id":"1234567", "message_type":0, "data":{...}..}"#;
        let key = secret("3412gyo124goi3124");
        assert!(push_is_authentic("123456", &key, body, digest));
        assert!(!push_is_authentic("123457", &key, body, digest));
        assert!(!push_is_authentic("123456", &key, &body[1..], digest));
        assert!(!push_is_authentic("123456", &key, body, &digest[1..]));
        assert!(!push_is_authentic("123456", &key, body, ""));
    }
}
