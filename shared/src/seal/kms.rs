//! The seal under a key of KMS. Each text gets a data key of its own, which only KMS can unwrap, and only with the same
//! encryption context; CloudTrail shows that context with every use, so a binding must not hold a person's data.

use super::{Seal, SealError, Sealed, cipher};
use crate::aws::Fault;
use async_trait::async_trait;
use aws_sdk_kms::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    primitives::Blob,
    types::DataKeySpec,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use std::error::Error;
use zeroize::Zeroizing;

/// Name of the binding in the encryption context, for key policies to ask for.
const CONTEXT: &str = "kervan";

/// A key of KMS.
#[derive(Debug, Clone)]
pub struct Kms {
    client: Client,
    key_id: String,
}

impl Kms {
    /// The key with this id, ARN or alias.
    pub fn new(client: Client, key_id: impl Into<String>) -> Self {
        Self {
            client,
            key_id: key_id.into(),
        }
    }
}

#[async_trait]
impl Seal for Kms {
    async fn seal(&self, bound_to: &str, plain: &[u8]) -> Result<Sealed, SealError> {
        let answer = self
            .client
            .generate_data_key()
            .key_id(&self.key_id)
            .key_spec(DataKeySpec::Aes256)
            .encryption_context(CONTEXT, bound_to)
            .send()
            .await
            .map_err(|error| failed(&error))?;
        let key = secret(answer.plaintext)?;
        let wrapped = answer.ciphertext_blob.ok_or_else(incomplete)?;
        cipher::seal(&key, wrapped.as_ref(), bound_to, plain)
    }

    async fn open(&self, bound_to: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let wrapped = Blob::new(cipher::decode(&sealed.wrapped_key)?);
        let answer = self
            .client
            .decrypt()
            .key_id(&self.key_id)
            .ciphertext_blob(wrapped)
            .encryption_context(CONTEXT, bound_to)
            .send()
            .await
            .map_err(|error| failed(&error))?;
        cipher::open(&secret(answer.plaintext)?, bound_to, sealed)
    }
}

fn secret(plaintext: Option<Blob>) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let plaintext = plaintext.ok_or_else(incomplete)?;
    Ok(Zeroizing::new(plaintext.into_inner()))
}

fn incomplete() -> SealError {
    SealError::Unavailable("the answer had no data key".to_owned())
}

fn failed<E>(error: &SdkError<E, HttpResponse>) -> SealError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let fault = Fault::of(error);
    if fault.passing {
        SealError::Unavailable(fault.text)
    } else {
        SealError::Refused(fault.text)
    }
}
