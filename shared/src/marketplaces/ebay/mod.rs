//! Not written yet.
use super::{Account, Outside};
use crate::{
    domain::{AccountId, Invalid},
    secrets::Secret,
};
/// Not written yet.
#[derive(Debug)]
pub struct Ebay {
    id: AccountId,
}
impl Ebay {
    /// x
    pub fn new(id: AccountId, _s: &Secret, _o: Outside) -> Result<Self, Invalid> {
        Ok(Self { id })
    }
}
impl Account for Ebay {
    fn id(&self) -> &AccountId {
        &self.id
    }
}
