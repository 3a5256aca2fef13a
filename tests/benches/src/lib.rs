//! What the benches share: ports that count, a shop of any size in memory, and what AWS asks for. The figures themselves are in
//! `benches/`; they are measured, never asserted.

pub mod costs;
pub mod counting;
pub mod memory_shop;
pub mod options;
