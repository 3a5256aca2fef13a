//! How requests are signed and pushes verified: the rules of the gateway family that AliExpress is on too (article 120693
//! of developer.alibaba.com), always with the API's path in front.

pub use crate::marketplaces::aliexpress::signature::push_is_authentic;

use crate::marketplaces::aliexpress::signature::{self, Scheme};
use crate::secrets::Secret;

/// The signature in capital hex digits. `None` only if the secret cannot be a key, which the algorithm does not know.
pub fn sign<'a>(
    secret: &Secret,
    path: &str,
    parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Option<String> {
    signature::sign(Scheme::Sha256, secret, path, parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_is_signed_with_its_path() {
        let parameters = [
            ("app_key", "123456"),
            ("timestamp", "1517820392000"),
            ("access_token", "test"),
            ("sign_method", "sha256"),
            ("order_id", "1234"),
        ];
        let secret = Secret::new("helloworld".to_owned());
        assert_eq!(
            sign(&secret, "/order/get", parameters).unwrap(),
            "4190D32361CFB9581350222F345CB77F3B19F0E31D162316848A2C1FFD5FAB4A"
        );
    }
}
