//! AES-256-GCM under a data key, the same for every key service.

use super::{SealError, Sealed};
use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use zeroize::Zeroizing;

/// Bytes of a data key.
pub(super) const KEY_BYTES: usize = 32;
/// Bytes of a nonce. A random one is safe here: a data key seals one text.
pub(super) const NONCE_BYTES: usize = 12;

/// Seals `plain` under `key`, which the key service wrapped as `wrapped_key`.
pub(super) fn seal(
    key: &[u8],
    wrapped_key: &[u8],
    bound_to: &str,
    plain: &[u8],
) -> Result<Sealed, SealError> {
    let (nonce, text) = encrypt(key, bound_to, plain)?;
    Ok(Sealed {
        wrapped_key: BASE64_STANDARD.encode(wrapped_key),
        nonce: BASE64_STANDARD.encode(nonce),
        text: BASE64_STANDARD.encode(text),
    })
}

/// Opens with the unwrapped key.
pub(super) fn open(
    key: &[u8],
    bound_to: &str,
    sealed: &Sealed,
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    decrypt(
        key,
        &decode(&sealed.nonce)?,
        bound_to,
        &decode(&sealed.text)?,
    )
}

/// Encrypts under a new nonce.
pub(super) fn encrypt(
    key: &[u8],
    bound_to: &str,
    plain: &[u8],
) -> Result<([u8; NONCE_BYTES], Vec<u8>), SealError> {
    let nonce = rand::random::<[u8; NONCE_BYTES]>();
    let payload = Payload {
        msg: plain,
        aad: bound_to.as_bytes(),
    };
    let text = cipher(key)?.encrypt(&nonce.into(), payload);
    let text = text.map_err(|_| refused("the text is too long"))?;
    Ok((nonce, text))
}

/// Decrypts, and checks text and binding.
pub(super) fn decrypt(
    key: &[u8],
    nonce: &[u8],
    bound_to: &str,
    text: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let nonce = <[u8; NONCE_BYTES]>::try_from(nonce);
    let nonce = nonce.map_err(|_| refused("the nonce is not one"))?;
    let payload = Payload {
        msg: text,
        aad: bound_to.as_bytes(),
    };
    let plain = cipher(key)?.decrypt(&nonce.into(), payload);
    let plain = plain.map_err(|_| refused("the binding is another, or the data was changed"))?;
    Ok(Zeroizing::new(plain))
}

/// The bytes of a part of what is sealed.
pub(super) fn decode(part: &str) -> Result<Vec<u8>, SealError> {
    let bytes = BASE64_STANDARD.decode(part);
    bytes.map_err(|_| refused("a part is not base64"))
}

fn cipher(key: &[u8]) -> Result<Aes256Gcm, SealError> {
    Aes256Gcm::new_from_slice(key).map_err(|_| refused("the data key does not have 256 bits"))
}

fn refused(problem: &str) -> SealError {
    SealError::Refused(problem.to_owned())
}
