//! The queue of a function that was not given one.

use super::{Depth, Outgoing, Queue, QueueError, Received};
use async_trait::async_trait;
use std::time::Duration;

/// Stands where a function was given no queue. Each use is an error that names the environment variable.
#[derive(Debug, Clone, Copy)]
pub struct UnsetQueue(pub &'static str);

impl UnsetQueue {
    fn error<T>(self) -> Result<T, QueueError> {
        Err(QueueError(format!(
            "this function was not given {}",
            self.0
        )))
    }
}

#[async_trait]
impl Queue for UnsetQueue {
    async fn send(&self, _: Vec<Outgoing>) -> Result<(), QueueError> {
        self.error()
    }

    async fn receive(
        &self,
        _: usize,
        _: Duration,
        _: Duration,
    ) -> Result<Vec<Received>, QueueError> {
        self.error()
    }

    async fn delete(&self, _: &str) -> Result<(), QueueError> {
        self.error()
    }

    async fn release(&self, _: &str, _: Duration) -> Result<(), QueueError> {
        self.error()
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        self.error()
    }
}
