//! The older Trading API: SOAP-less XML over one URL, with the OAuth token in a header of its own. It alone can change
//! listings that were made through it, and some sellers' orders are read and shipped over it.
//!
//! | file | what |
//! |---|---|
//! | `xml.rs` | XML, read into a bounded tree, and written |
//! | `wire.rs` | requests and the envelope of answers, exactly as sent |
//! | `convert.rs` | wire ⇄ domain, pure |
//! | `client.rs` | the calls |
//! | `error.rs` | the Trading API's error codes, with the three axes |

mod client;
mod convert;
mod error;
mod wire;
pub(super) mod xml;

pub(super) use client::EVENTS;
pub(super) use convert::push_orders;
