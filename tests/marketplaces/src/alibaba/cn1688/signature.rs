//! 1688's signatures, written from its page and not from the code under test ("sysSignature").

use hmac::KeyInit;
use hmac::Mac;
use sha1::Sha1;

/// The upper-case signature of a request: the path from `param2/` on, then every name joined with its value, in the byte
/// order of the joined texts. The signature itself is left out.
pub fn sign(secret: &str, path: &str, params: &[(String, String)]) -> String {
    let mut joined: Vec<String> = Vec::new();
    for (name, value) in params {
        if name != "_aop_signature" {
            joined.push(format!("{name}{value}"));
        }
    }
    joined.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
    let Ok(mut mac) = hmac::Hmac::<Sha1>::new_from_slice(secret.as_bytes()) else {
        // HMAC takes keys of every length.
        return String::new();
    };
    mac.update(path.as_bytes());
    for text in joined {
        mac.update(text.as_bytes());
    }
    hex::encode_upper(mac.finalize().into_bytes())
}

/// The signature of a message, over its text before the form was encoded.
pub fn message_signature(secret: &str, message: &str) -> String {
    sign(secret, "", &[("message".to_owned(), message.to_owned())])
}
