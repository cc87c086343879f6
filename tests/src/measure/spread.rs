//! Several measurements of one thing.

use std::time::Duration;

use serde::Serialize;

/// The median, and how far the others lie from it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The one in the middle.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The most.
    pub most: f64,
    /// How many there are.
    pub rounds: usize,
}

impl Spread {
    /// Of at least one measurement.
    pub fn of(measured: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = measured.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = match (sorted.first(), sorted.last()) {
            (Some(least), Some(most)) => (*least, *most),
            _ => panic!("nothing was measured"),
        };
        let middle = sorted.len() / 2;
        let median = match sorted.len() % 2 {
            0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
            _ => sorted[middle],
        };
        Self { median, least, most, rounds: sorted.len() }
    }

    /// In milliseconds.
    pub fn of_ms(measured: impl IntoIterator<Item = Duration>) -> Self {
        Self::of(measured.into_iter().map(|one| one.as_secs_f64() * 1e3))
    }

    /// Of each measurement in relation to that of the floor in the same round.
    pub fn of_ratios(measured: &[f64], floor: &[f64]) -> Self {
        Self::of(measured.iter().zip(floor).map(|(one, floor)| one / floor))
    }
}
