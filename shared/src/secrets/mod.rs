//! The secrets port.

#[cfg(feature = "aws")]
mod manager;
mod memory;

#[cfg(feature = "aws")]
pub use manager::SecretsManager;
pub use memory::MemorySecrets;

use async_trait::async_trait;
use zeroize::Zeroizing;

/// A secret's text: it prints as `[sealed]` and is wiped from memory when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps the text. A byte order mark, which some editors put before it, is left out.
    pub fn new(text: String) -> Self {
        let text = Zeroizing::new(text);
        match text.strip_prefix('\u{feff}') {
            Some(rest) => Self(Zeroizing::new(rest.to_owned())),
            None => Self(text),
        }
    }

    /// The same, decoded where it is percent-encoded, as a token is that was copied out of an address. Only for texts in
    /// which `%` means nothing else.
    #[must_use]
    pub fn percent_decoded(self) -> Self {
        let decoded = percent_encoding::percent_decode_str(&self.0).decode_utf8();
        match decoded {
            Ok(std::borrow::Cow::Owned(decoded)) => Self::new(decoded),
            Ok(std::borrow::Cow::Borrowed(_)) | Err(_) => self,
        }
    }

    /// The text. Say why at each place that calls this.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[sealed]")
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// A secret could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// There is no secret of this name, or nothing was put into it yet.
    #[error("the secret {0} does not exist or is empty")]
    Missing(String),
    /// Whoever asks may not read it.
    #[error("the secret {0} may not be read by these credentials")]
    Denied(String),
    /// A passing fault.
    #[error("secrets are unavailable: {0}")]
    Unavailable(String),
}

/// Where credentials are kept.
#[async_trait]
pub trait Secrets: Send + Sync + std::fmt::Debug {
    /// Reads the text of the secret `name`; what was read in the last minutes may be taken from memory.
    async fn get(&self, name: &str) -> Result<Secret, SecretsError>;

    /// Reads the current text, for when a marketplace refuses the one that `get` gave: it may have been rotated.
    async fn refresh(&self, name: &str) -> Result<Secret, SecretsError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_secret() {
        assert_eq!(Secret::new("\u{feff}{}".to_owned()).expose(), "{}");
        assert_eq!(Secret::new("{}".to_owned()).expose(), "{}");
    }

    #[test]
    fn a_token_out_of_an_address_is_decoded_and_any_other_stays() {
        let decoded = |text: &str| Secret::new(text.to_owned()).percent_decoded();
        assert_eq!(decoded("v%5E1.1%23i%5E1").expose(), "v^1.1#i^1");
        assert_eq!(decoded("Atzr%7CIwEB").expose(), "Atzr|IwEB");
        for plain in ["v^1.1#i^1+x/y=", "Atzr|IwEB", "50000%", "%zz", "%FF"] {
            assert_eq!(decoded(plain).expose(), plain);
        }
    }
}
