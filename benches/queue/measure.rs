//! Measuring several subjects against each other on a machine that does other things as well.

use std::time::Instant;

/// How many rounds are taken of each, in turns.
const ROUNDS: usize = 1001;
/// About how long a round of one subject takes.
const ROUND_NANOSECONDS: f64 = 30_000.0;

/// Something that does the same work over and over.
pub trait Subject {
    /// Does `rounds` times `batch` chains, and returns how many bytes the device said it wrote in all of them.
    fn run(&mut self, batch: usize, rounds: usize) -> u64;

    /// How often the device wanted to be notified.
    fn notifications(&self) -> u64 {
        0
    }

    /// Whether everything is back.
    fn is_idle(&self) -> bool;
}

/// Nanoseconds for each chain, by subject.
pub struct Times {
    /// One after the other, in each round.
    rounds: Vec<Vec<f64>>,
}

impl Times {
    /// Lets all subjects do the same work in turns, so that whatever else the machine does meets all of them. Each
    /// has a batch of its own.
    pub fn take(subjects: &mut [(&mut dyn Subject, usize)]) -> Self {
        let repeats: Vec<usize> =
            subjects.iter_mut().map(|(subject, batch)| repeats(*subject, *batch)).collect();
        let rounds = (0..ROUNDS)
            .map(|_| {
                let in_turn = subjects.iter_mut().zip(&repeats);
                in_turn.map(|((subject, batch), repeats)| once(*subject, *batch, *repeats)).collect()
            })
            .collect();
        Self { rounds }
    }

    /// What one subject takes while the machine is its own: nine in ten rounds took longer.
    pub fn of(&self, subject: usize) -> f64 {
        let mut all: Vec<f64> = self.rounds.iter().map(|round| round[subject]).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 10]
    }

    /// How many times as long one subject takes as another.
    pub fn ratio(&self, subject: usize, to: usize) -> f64 {
        self.of(subject) / self.of(to)
    }
}

fn once(subject: &mut dyn Subject, batch: usize, repeats: usize) -> f64 {
    let start = Instant::now();
    std::hint::black_box(subject.run(batch, repeats));
    start.elapsed().as_nanos() as f64 / (batch * repeats) as f64
}

/// How often the work is to be repeated for one round. Warms the subject up as well.
fn repeats(subject: &mut dyn Subject, batch: usize) -> usize {
    let mut repeats = 1;
    loop {
        let start = Instant::now();
        subject.run(batch, repeats);
        let nanoseconds = start.elapsed().as_nanos() as f64;
        if nanoseconds > ROUND_NANOSECONDS / 2.0 {
            return ((repeats as f64 * ROUND_NANOSECONDS / nanoseconds) as usize).max(1);
        }
        repeats *= 2;
    }
}
