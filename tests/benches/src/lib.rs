//! Figures of the built programs; see `benches/`. They are measured, never asserted.
