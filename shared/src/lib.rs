//! Kervan.
