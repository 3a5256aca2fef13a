//! Who decides: what goes next, and what becomes of it.

use crate::fault::Fault;
use kervan_marketplaces::Random;

/// A moment at which something can be decided.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Effect points so far: the number of this one, from 0, where it is one.
    pub(crate) effects: u64,
    /// Whether it is an effect point.
    pub(crate) is_effect: bool,
}

/// The plan of one schedule.
#[derive(Debug, Clone)]
pub(crate) enum Choices {
    /// Everything in its order, with faults at given effect points.
    Fixed {
        /// Number of the effect point, and what becomes of it.
        faults: Vec<(u64, Fault)>,
        /// The effect point before which the scenario's disturbance happens.
        disturb_at: Option<u64>,
    },
    /// Everything by the seed.
    Random(Dice),
}

/// A seed's decisions.
#[derive(Debug, Clone)]
pub(crate) struct Dice {
    random: Random,
    /// One call in so many meets a fault.
    one_in: u64,
    /// Faults that are left.
    faults_left: u32,
    /// The moment of the disturbance, if there is one.
    disturb_at: u64,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        // Some seeds break much, some little, and some nothing but the order.
        let one_in = [4, 10, 25, 60, u64::MAX][index(random.below(5))];
        let faults_left = u32::try_from(1 + random.below(8)).unwrap_or(1);
        let disturb_at = random.below(60);
        Self {
            random,
            one_in,
            faults_left,
            disturb_at,
        }
    }
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

impl Choices {
    /// Which of `count` things goes next.
    pub(crate) fn pick(&mut self, count: usize) -> usize {
        match self {
            Self::Fixed { .. } => 0,
            Self::Random(dice) => index(dice.random.below(count as u64)),
        }
    }

    /// How many messages the next batch takes.
    pub(crate) fn batch(&mut self) -> usize {
        match self {
            Self::Fixed { .. } => 10,
            Self::Random(dice) => 1 + index(dice.random.below(10)),
        }
    }

    /// What becomes of a call.
    pub(crate) fn fault(&mut self, moment: Moment) -> Fault {
        match self {
            Self::Fixed { faults, .. } => {
                let planned = faults.iter().find(|(at, _)| *at == moment.effects);
                planned
                    .filter(|_| moment.is_effect)
                    .map_or(Fault::None, |(_, fault)| *fault)
            }
            Self::Random(dice) => {
                if dice.faults_left == 0 || !dice.random.one_in(dice.one_in) {
                    return Fault::None;
                }
                dice.faults_left -= 1;
                let all = Fault::ALL;
                all[index(dice.random.below(all.len() as u64))]
            }
        }
    }

    /// Whether the disturbance happens now. Asked until it has.
    pub(crate) fn disturbs(&self, effects: u64) -> bool {
        match self {
            Self::Fixed { disturb_at, .. } => disturb_at.is_some_and(|at| at <= effects),
            Self::Random(dice) => dice.disturb_at <= effects,
        }
    }

    /// Whether nothing more will be done to anybody.
    pub(crate) fn is_over(&self, effects: u64) -> bool {
        match self {
            Self::Fixed { faults, .. } => faults.iter().all(|(at, _)| *at < effects),
            Self::Random(dice) => dice.faults_left == 0 || dice.one_in == u64::MAX || effects > 400,
        }
    }
}
