//! How requests are signed and messages verified (page "sysSignature" of open.1688.com): HMAC-SHA1 over the path from
//! `param2/` on and all parameters, in capital hex digits.
//!
//! Not the names are sorted but the joined strings of name and value: of `param={` and `paramList=[` the second comes
//! first, because `L` is below `{`.

use crate::secrets::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;

/// The signature. `path` is as in `param2/1/com.alibaba.trade/alibaba.trade.cancel/1000000`, and empty for messages.
/// `None` only if the secret cannot be a key, which the algorithm does not know.
pub fn sign<'a>(
    secret: &Secret,
    path: &str,
    parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Option<String> {
    let mut sorted: Vec<String> = parameters
        .into_iter()
        .filter(|(name, _)| *name != "_aop_signature")
        .map(|(name, value)| format!("{name}{value}"))
        .collect();
    sorted.sort_unstable();
    // The secret is the key of the signature.
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.expose().as_bytes()).ok()?;
    mac.update(path.as_bytes());
    sorted.iter().for_each(|text| mac.update(text.as_bytes()));
    Some(hex::encode_upper(mac.finalize().into_bytes()))
}

/// Whether a message was signed by the platform: over the text as it is after the form was decoded, before anything of it
/// is parsed. Compared in constant time.
pub fn message_is_authentic(secret: &Secret, message: &str, signature: &str) -> bool {
    sign(secret, "", [("message", message)])
        .is_some_and(|expected| expected.as_bytes().ct_eq(signature.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_has_its_digest() {
        let secret = Secret::new("test123".to_owned());
        let path = "param2/1/system/currentTime/1000000";
        let signature = sign(&secret, path, [("b", "2"), ("a", "1")]).unwrap();
        assert_eq!(signature, "33E54F4F7B989E3E0E912D3FBD2F1A03CA7CCE88");
    }

    #[test]
    fn joined_strings_are_sorted_and_not_names() {
        let secret = Secret::new("s".to_owned());
        let of = |parameters: [(&str, &str); 2]| sign(&secret, "", parameters).unwrap();
        let signature = of([("param", "{}"), ("paramList", "[]")]);
        assert_eq!(signature, of([("paramLis", "t[]"), ("para", "m{}")]));
        let mut mac = Hmac::<Sha1>::new_from_slice(b"s").unwrap();
        mac.update(b"paramList[]param{}");
        assert_eq!(signature, hex::encode_upper(mac.finalize().into_bytes()));
    }

    #[test]
    fn a_message_is_authentic_only_with_its_own_digest() {
        let secret = Secret::new("s".to_owned());
        let message = r#"{"msgId":1}"#;
        let signature = sign(&secret, "", [("message", message)]).unwrap();
        assert!(message_is_authentic(&secret, message, &signature));
        assert!(!message_is_authentic(
            &secret,
            r#"{"msgId": 1}"#,
            &signature
        ));
        assert!(!message_is_authentic(
            &secret,
            message,
            &signature.to_lowercase()
        ));
        assert!(!message_is_authentic(&secret, message, ""));
    }
}
