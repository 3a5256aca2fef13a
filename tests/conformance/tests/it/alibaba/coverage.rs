//! How much of the contract the tests meet.

use crate::alibaba::{cn1688_samples, icbu_samples, requests, tables};

#[test]
fn the_coverage_is_told() {
    let Some((icbu_codes, cn_codes)) = tables::mapped_codes() else {
        return;
    };
    let operations =
        requests::ICBU.len() + requests::CN1688.len() + requests::CN1688_WITHOUT_TABLE.len();
    let samples = icbu_samples::DECODED.len()
        + cn1688_samples::DECODED.len()
        + cn1688_samples::MESSAGES.len();
    let codes = icbu_codes + cn_codes;
    println!(
        "coverage alibaba: {operations} operations, {samples} samples decoded, {codes} codes mapped"
    );
    assert!(operations >= 22 && samples >= 31 && codes >= 57);
}
