//! Every target takes mutations of known answers, the same at every run.

use kervan_fuzz::{Kind, mutate, seeds, targets};
use kervan_marketplaces::Random;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Inputs a target; `KERVAN_FUZZ_INPUTS` names another number.
const INPUTS: u64 = 500;
/// The same where `KERVAN_FULL` is set.
const INPUTS_IN_FULL: u64 = 2_000;

/// Targets that no input makes a success.
const NEVER: [&str; 2] = [
    // A buyer's orders cannot be searched at AliExpress: a doubt is settled by the exact repeat.
    "aliexpress-look-up",
    // The old gateway is superseded, and that is always said.
    "top-examine",
];

#[test]
fn no_answer_makes_a_decoder_panic_or_call_a_success_what_is_none() {
    let inputs = std::env::var("KERVAN_FUZZ_INPUTS").ok();
    let usual = if std::env::var_os("KERVAN_FULL").is_some() {
        INPUTS_IN_FULL
    } else {
        INPUTS
    };
    let inputs: u64 = inputs.map_or(usual, |text| text.parse().unwrap());
    let (mut failed, mut unreached) = (Vec::new(), Vec::new());
    let targets = targets();
    for target in &targets {
        let seeds = seeds(target.kind).unwrap();
        assert!(!seeds.is_empty(), "{} has no seeds", target.name());
        let (mut random, mut successes) = (Random::new(1), 0);
        for number in 0..inputs {
            let place = random.below(seeds.len() as u64);
            let known = usize::try_from(number).unwrap();
            // The known answers themselves come first.
            let input = match seeds.get(known) {
                Some(seed) => [&[0, 0], seed.as_slice()].concat(),
                None => mutate(&seeds[usize::try_from(place).unwrap()], &mut random),
            };
            let tried = catch_unwind(AssertUnwindSafe(|| target.run(&input)));
            successes += u64::from(matches!(tried, Ok(true)));
            if tried.is_err() {
                let text = String::from_utf8_lossy(&input[2..]).into_owned();
                println!("{}: status byte {}, {text:.4000}", target.name(), input[0]);
                failed.push(target.name());
                break;
            }
        }
        println!(
            "{}: {successes} of {inputs} taken for a success",
            target.name()
        );
        // Nobody's signature fits, so a forged push that is taken has failed already.
        let is_never = NEVER.contains(&&*target.name()) || target.name().ends_with("-forged-push");
        // Fewer inputs than usual may miss one.
        if is_never == (successes > 0) && (is_never || inputs >= INPUTS) {
            unreached.push(target.name());
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
    // Our own seeds alone reach each: a target without a success would try nothing but refusals.
    assert!(
        unreached.is_empty(),
        "never a success, or one against all expectation: {unreached:?}"
    );
    println!("{} targets took {inputs} inputs each", targets.len());
}

#[test]
fn every_kind_of_account_can_be_opened_and_tried() {
    for kind in Kind::ALL {
        let of = targets().into_iter().filter(|target| target.kind == kind);
        assert!(of.count() >= 5, "{} has too few targets", kind.as_str());
    }
}
