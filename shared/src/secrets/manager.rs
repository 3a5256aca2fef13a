//! Secrets in AWS Secrets Manager, kept for a while: each read costs money and 10 ms or more.

use super::{Secret, Secrets, SecretsError};
use crate::{aws::Fault, clock::Clock};
use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How long a text is taken from memory. A rotated one is seen after this, or at once by `refresh`.
const KEPT_FOR: SignedDuration = SignedDuration::from_mins(5);

/// Secrets Manager.
#[derive(Debug)]
pub struct SecretsManager {
    client: Client,
    clock: Arc<dyn Clock>,
    kept: Mutex<HashMap<String, (Timestamp, Secret)>>,
}

impl SecretsManager {
    /// Reads with this client.
    pub fn new(client: Client, clock: Arc<dyn Clock>) -> Self {
        Self {
            client,
            clock,
            kept: Mutex::default(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, (Timestamp, Secret)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Secrets for SecretsManager {
    async fn get(&self, name: &str) -> Result<Secret, SecretsError> {
        let now = self.clock.now();
        let kept = self.kept().get(name).cloned();
        match kept {
            Some((read_at, secret)) if now.duration_since(read_at) < KEPT_FOR => Ok(secret),
            _ => self.refresh(name).await,
        }
    }

    async fn refresh(&self, name: &str) -> Result<Secret, SecretsError> {
        let answer = self.client.get_secret_value().secret_id(name).send().await;
        let answer = answer.map_err(|error| {
            let fault = Fault::of(&error);
            if fault.passing {
                SecretsError::Unavailable(fault.text)
            } else if fault.denied {
                SecretsError::Denied(name.to_owned())
            } else {
                SecretsError::Missing(name.to_owned())
            }
        })?;
        let missing = || SecretsError::Missing(name.to_owned());
        let secret = Secret::new(answer.secret_string.ok_or_else(missing)?);
        let read = (self.clock.now(), secret.clone());
        self.kept().insert(name.to_owned(), read);
        Ok(secret)
    }
}
