//! Which schedules are run: all of them, or the sample that every commit runs.
//!
//! A full pass crosses every moment of a scenario's disturbance with every effect point and every kind of fault. The sample
//! takes one kind of fault for each moment and point, chosen so that every pair of moment and point, of point and fault and
//! of moment and fault is there (a covering array of strength 2), and of plain lists every n-th schedule, where n shares no
//! factor with the number of faults: otherwise some kinds of fault would never be tried. The offset turns the sample on, so
//! that commits with different offsets together try everything.

use crate::explore::Schedule;
use crate::fault::Fault;
use crate::scenario::{Scenario, scenarios};
use anyhow::Result;
use std::collections::BTreeSet;

/// How much of each pass is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breadth {
    /// Everything.
    Full,
    /// The covering sample, turned on by an offset.
    Sample {
        /// Any number; those that differ by less than the number of faults give different samples.
        offset: u64,
    },
}

/// One kind of schedules, with the least number of them that it must come to: fewer means that a list was lost.
#[derive(Debug)]
pub struct Pass {
    /// What is tried.
    pub title: &'static str,
    /// The schedules.
    pub schedules: Vec<Schedule>,
    /// The least number of schedules.
    pub floor: usize,
}

/// A disturbance is crossed with faults up to this effect point; the roads of most scenarios are shorter.
const CROSSED_POINTS_MAX: u64 = 18;
/// Scenarios of many hours or many listings, whose effect points are alike: the sample takes fewer of their single faults.
const LONG: [&str; 7] = [
    "two-channels",
    "bundle",
    "day-of-outage",
    "drop-two-channels",
    "supplier-day-off",
    "budget",
    "stale",
];
/// The scenario on which three guards rest whose removal few schedules show: the sample takes more of its seeds.
const SEEDED: &str = "rush";
const SEEDED_MORE: u64 = 150;
/// The scenarios whose pairs of faults are all tried: one for each way of reconciling an unknown outcome.
const DEEP: [&str; 2] = ["plain", "search-only"];
/// Of the lists of single faults, the sample takes every so-manieth schedule, or one that shares no factor with the faults.
const SAMPLED_EVERY: usize = 3;
/// A scenario without a disturbance whose list is no longer is run whole: it costs little, and there a guard's removal often
/// shows in one schedule alone.
const WHOLE_UP_TO: usize = 1_000;
/// So many single faults of a long scenario are in the sample, or a few less.
const SAMPLED_OF_A_LONG_ONE: usize = 100;
/// Random schedules of a full pass and of the sample.
pub const SEEDS: u64 = 10_000;
const SAMPLED_SEEDS: u64 = 1_500;

/// Every pass, for all scenarios or for one of them.
///
/// # Errors
/// Where a scenario cannot be run even in peace.
pub fn passes(breadth: Breadth, only: Option<&str>) -> Result<Vec<Pass>> {
    let one = one_fault_pass(breadth, only)?;
    let two = two_faults_pass(breadth, only)?;
    let (first, count) = seeds_of(breadth);
    let mut random = match only {
        Some(name) => seeds_of_scenario(name, first, count),
        None => seeds(first, count),
    };
    if breadth != Breadth::Full && only.is_none_or(|name| name == SEEDED) {
        let more = SEEDED_MORE * scenarios().len() as u64;
        random.extend(seeds_of_scenario(SEEDED, first + count, more));
    }
    let random = Pass {
        title: "random schedules",
        floor: if only.is_some() { 1 } else { usize_of(count) },
        schedules: random,
    };
    let all = [one, two, random].into_iter();
    Ok(all.filter(|pass| !pass.schedules.is_empty()).collect())
}

/// Each scenario in peace and with a single fault, crossed with its disturbance.
///
/// # Errors
/// Where a scenario cannot be run even in peace.
pub fn one_fault_pass(breadth: Breadth, only: Option<&str>) -> Result<Pass> {
    let mut schedules = Vec::new();
    for scenario in chosen(only) {
        schedules.push(calm(&scenario));
        schedules.extend(one_fault(&scenario, breadth)?);
    }
    Ok(Pass {
        title: "one fault",
        floor: match (breadth, only) {
            (_, Some(_)) => 1,
            (Breadth::Full, None) => 100_000,
            (Breadth::Sample { .. }, None) => 15_000,
        },
        schedules,
    })
}

/// Two faults on the road to the purchase, in the scenarios that are tried so deeply or in the one that was asked for.
///
/// # Errors
/// Where a scenario cannot be run.
pub fn two_faults_pass(breadth: Breadth, only: Option<&str>) -> Result<Pass> {
    let mut schedules = Vec::new();
    for scenario in chosen(only) {
        if DEEP.contains(&scenario.name) || (breadth == Breadth::Full && only.is_some()) {
            schedules.extend(two_faults(&scenario, breadth)?);
        }
    }
    Ok(Pass {
        title: "two faults on the road to the purchase",
        floor: match (breadth, only) {
            (_, Some(_)) => 0,
            (Breadth::Full, None) => 35_000,
            (Breadth::Sample { .. }, None) => 3_500,
        },
        schedules,
    })
}

fn chosen(only: Option<&str>) -> impl Iterator<Item = Scenario> {
    let all = scenarios().into_iter();
    all.filter(move |scenario| only.is_none_or(|name| name == scenario.name))
}

/// The scenario with nothing done to anybody.
pub fn calm(scenario: &Scenario) -> Schedule {
    Schedule::Faults {
        scenario: scenario.name,
        faults: Vec::new(),
        disturb_at: None,
    }
}

/// Every effect point with every fault. Where the scenario has a disturbance, that at every moment; on the road to the
/// purchase each of its moments with every fault; and behind the road every fault with the disturbance at its end.
///
/// # Errors
/// Where the scenario cannot be run in peace.
pub fn one_fault(scenario: &Scenario, breadth: Breadth) -> Result<Vec<Schedule>> {
    let calm = calm(scenario).run(false)?;
    let schedule = |fault: Option<(u64, Fault)>, disturb_at| Schedule::Faults {
        scenario: scenario.name,
        faults: fault.into_iter().collect(),
        disturb_at,
    };
    let thinned = |faults: Vec<(u64, Fault)>| thin(scenario, faults, breadth);
    if scenario.disturbance.is_none() {
        let faults = thinned(single_faults(0, calm.effects)).into_iter();
        return Ok(faults.map(|fault| schedule(Some(fault), None)).collect());
    }
    let road = calm.road.unwrap_or(calm.effects).min(CROSSED_POINTS_MAX) + 1;
    let alone = (0..=calm.effects).map(|at| schedule(None, Some(at)));
    let crossed: Vec<(u64, u64, Fault)> = match breadth {
        Breadth::Full => (0..=road)
            .flat_map(|moment| {
                let faults = single_faults(0, road).into_iter();
                faults.map(move |(point, fault)| (moment, point, fault))
            })
            .collect(),
        Breadth::Sample { offset } => covering(road + 1, road, offset),
    };
    let crossed = crossed
        .into_iter()
        .map(|(moment, point, fault)| schedule(Some((point, fault)), Some(moment)));
    let behind = thinned(single_faults(road, calm.effects)).into_iter();
    let behind = behind.map(|fault| schedule(Some(fault), Some(road)));
    Ok(alone.chain(crossed).chain(behind).collect())
}

fn single_faults(from: u64, until: u64) -> Vec<(u64, Fault)> {
    let of_point = |at: u64| Fault::ALL.into_iter().map(move |fault| (at, fault));
    (from..until).flat_map(of_point).collect()
}

/// What the sample takes of a list of points, each with every fault.
fn thin(scenario: &Scenario, faults: Vec<(u64, Fault)>, breadth: Breadth) -> Vec<(u64, Fault)> {
    let Breadth::Sample { offset } = breadth else {
        return faults;
    };
    let is_long = LONG.contains(&scenario.name);
    if !is_long && scenario.disturbance.is_none() && faults.len() <= WHOLE_UP_TO {
        return faults;
    }
    let step = if is_long {
        stride(faults.len().div_ceil(SAMPLED_OF_A_LONG_ONE))
    } else {
        stride(SAMPLED_EVERY)
    };
    let first = usize_of(offset % step as u64);
    faults.into_iter().skip(first).step_by(step).collect()
}

/// The smallest step of at least `wanted` that meets every kind of fault: one that shares no factor with their number.
fn stride(wanted: usize) -> usize {
    let kinds = Fault::ALL.len();
    let meets_all = |step: &usize| gcd(*step, kinds) == 1;
    (wanted.max(1)..).find(meets_all).unwrap_or(1)
}

fn gcd(one: usize, other: usize) -> usize {
    if other == 0 {
        one
    } else {
        gcd(other, one % other)
    }
}

/// One fault for each pair of moment and point, and a few more, so that every pair of moment and fault and every pair of
/// point and fault is there too.
fn covering(moments: u64, points: u64, offset: u64) -> Vec<(u64, u64, Fault)> {
    let kinds = Fault::ALL.len() as u64;
    let (by_moment, by_point) = (stride(3) as u64, stride(7) as u64);
    let kind = |number: u64| Fault::ALL[usize_of(number % kinds)];
    let mut rows = Vec::new();
    for moment in 0..moments {
        for point in 0..points {
            let number = by_moment * moment + by_point * point + offset;
            rows.push((moment, point, kind(number)));
        }
    }
    // Where there are fewer moments or points than faults, one row for each pair leaves some faults out.
    let mut met: BTreeSet<(u64, Fault)> = rows.iter().map(|row| (row.1, row.2)).collect();
    for (point, number) in pairs(points, kinds) {
        if moments > 0 && met.insert((point, kind(number))) {
            rows.push(((point + number + offset) % moments, point, kind(number)));
        }
    }
    let mut met: BTreeSet<(u64, Fault)> = rows.iter().map(|row| (row.0, row.2)).collect();
    for (moment, number) in pairs(moments, kinds) {
        if points > 0 && met.insert((moment, kind(number))) {
            rows.push((moment, (moment + number + offset) % points, kind(number)));
        }
    }
    rows
}

fn pairs(first: u64, second: u64) -> impl Iterator<Item = (u64, u64)> {
    (0..first).flat_map(move |one| (0..second).map(move |other| (one, other)))
}

/// Every pair of faults on the road from the signal to the purchase, the second at any point that the first leaves on the
/// road. The sample has every first fault with every second point, and there one fault of each kind in turn.
///
/// # Errors
/// Where the scenario cannot be run.
pub fn two_faults(scenario: &Scenario, breadth: Breadth) -> Result<Vec<Schedule>> {
    let mut schedules = Vec::new();
    let calm = calm(scenario).run(false)?;
    let road = calm.road.unwrap_or(calm.effects);
    let schedule = |faults: &[(u64, Fault)]| Schedule::Faults {
        scenario: scenario.name,
        faults: faults.to_vec(),
        disturb_at: None,
    };
    let kinds = Fault::ALL.len() as u64;
    let (by_first, by_second) = (stride(3) as u64, stride(7) as u64);
    for (first, number) in pairs(road, kinds) {
        let one = (first, Fault::ALL[usize_of(number)]);
        let after = schedule(&[one]).run(false)?;
        for second in first + 1..after.road.unwrap_or(after.effects) {
            match breadth {
                Breadth::Full => schedules.extend(
                    Fault::ALL
                        .into_iter()
                        .map(|other| schedule(&[one, (second, other)])),
                ),
                Breadth::Sample { offset } => {
                    let number = number + by_first * first + by_second * second + offset;
                    let other = Fault::ALL[usize_of(number % kinds)];
                    schedules.push(schedule(&[one, (second, other)]));
                }
            }
        }
    }
    Ok(schedules)
}

/// The first seed and their number.
fn seeds_of(breadth: Breadth) -> (u64, u64) {
    match breadth {
        Breadth::Full => (0, SEEDS),
        Breadth::Sample { offset } => (offset * SAMPLED_SEEDS, SAMPLED_SEEDS),
    }
}

/// So many seeds of one scenario, among those of all scenarios from a first one on.
pub fn seeds_of_scenario(name: &str, first: u64, count: u64) -> Vec<Schedule> {
    let all = scenarios();
    let Some(place) = all.iter().position(|one| one.name == name) else {
        return Vec::new();
    };
    let is_its = |seed: &u64| *seed % all.len() as u64 == place as u64;
    let seeds = (first..first.saturating_add(count)).filter(is_its);
    seeds.map(Schedule::Seed).collect()
}

/// So many seeds from a first one on.
pub fn seeds(first: u64, count: u64) -> Vec<Schedule> {
    (first..first.saturating_add(count))
        .map(Schedule::Seed)
        .collect()
}

fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_step_meets_every_kind_of_fault() {
        for wanted in 0..200 {
            let step = stride(wanted);
            assert!(step >= wanted, "{step} for {wanted}");
            let kinds: BTreeSet<usize> = (0..Fault::ALL.len())
                .map(|number| number * step % Fault::ALL.len())
                .collect();
            assert_eq!(kinds.len(), Fault::ALL.len(), "step {step}");
        }
    }

    #[test]
    fn the_crossed_sample_has_every_pair_of_moment_point_and_fault() {
        for (moments, points) in [
            (20, 19),
            (18, 17),
            (12, 3),
            (2, 11),
            (1, 1),
            (10, 10),
            (3, 40),
        ] {
            for offset in [0, 1, 7, 255] {
                let rows = covering(moments, points, offset);
                let cells: BTreeSet<(u64, u64)> = rows.iter().map(|row| (row.0, row.1)).collect();
                let at_points: BTreeSet<(u64, Fault)> =
                    rows.iter().map(|row| (row.1, row.2)).collect();
                let at_moments: BTreeSet<(u64, Fault)> =
                    rows.iter().map(|row| (row.0, row.2)).collect();
                let all = |count: u64, other: usize| usize_of(count) * other;
                let kinds = Fault::ALL.len();
                let shape = format!("{moments} moments, {points} points, offset {offset}");
                assert_eq!(cells.len(), all(moments, usize_of(points)), "{shape}");
                assert_eq!(at_points.len(), all(points, kinds), "{shape}");
                assert_eq!(at_moments.len(), all(moments, kinds), "{shape}");
                assert!(
                    rows.iter().all(|row| row.0 < moments && row.1 < points),
                    "{shape}"
                );
            }
        }
    }

    #[test]
    fn as_many_offsets_as_there_are_faults_try_every_crossed_schedule() {
        let kinds = Fault::ALL.len() as u64;
        let all: BTreeSet<(u64, u64, Fault)> = (0..kinds)
            .flat_map(|offset| covering(20, 19, offset))
            .collect();
        assert_eq!(all.len(), 20 * 19 * Fault::ALL.len());
    }

    #[test]
    fn a_few_offsets_try_every_single_fault_of_a_list() {
        let scenario = crate::scenario::named("cancel").unwrap();
        let list = single_faults(0, 23);
        let step = stride(SAMPLED_EVERY) as u64;
        let tried: BTreeSet<(u64, Fault)> = (0..step)
            .flat_map(|offset| thin(&scenario, list.clone(), Breadth::Sample { offset }))
            .collect();
        assert_eq!(tried.len(), list.len());
        assert_eq!(thin(&scenario, list.clone(), Breadth::Full), list);
    }

    #[test]
    fn the_sample_of_pairs_has_every_first_fault_with_every_second_point() {
        let scenario = crate::scenario::named("plain").unwrap();
        let points = |schedules: &[Schedule]| -> BTreeSet<(u64, Fault, u64)> {
            let of = schedules.iter().filter_map(|schedule| match schedule {
                Schedule::Faults { faults, .. } => Some((faults[0].0, faults[0].1, faults[1].0)),
                Schedule::Seed(_) => None,
            });
            of.collect()
        };
        let full = two_faults(&scenario, Breadth::Full).unwrap();
        let sample = two_faults(&scenario, Breadth::Sample { offset: 4 }).unwrap();
        assert_eq!(points(&sample), points(&full));
        assert_eq!(sample.len() * Fault::ALL.len(), full.len());
    }

    #[test]
    fn the_seeds_of_a_scenario_are_those_of_all_seeds_that_play_it() {
        let every = scenarios().len() as u64;
        let seeds = seeds_of_scenario("two-suppliers", 5, 2 * every);
        assert_eq!(
            seeds,
            [Schedule::Seed(every + 1), Schedule::Seed(2 * every + 1)]
        );
        let all_play_it = |seed: &Schedule| seed.scenario().unwrap().name == "two-suppliers";
        assert!(seeds.iter().all(all_play_it));
    }
}
