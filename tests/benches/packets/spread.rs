//! Several measurements of one thing.

use std::time::Duration;

use serde::Serialize;

/// The median, and how far the others lie from it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
    pub(crate) rounds: usize,
}

impl Spread {
    /// Of at least one measurement.
    pub(crate) fn of(measured: impl IntoIterator<Item = f64>) -> Self {
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
    pub(crate) fn of_ms(measured: impl IntoIterator<Item = Duration>) -> Self {
        Self::of(measured.into_iter().map(|one| one.as_secs_f64() * 1e3))
    }

    /// Of each measurement in relation to that of the floor in the same round.
    pub(crate) fn of_ratios(measured: &[f64], floor: &[f64]) -> Self {
        Self::of(measured.iter().zip(floor).map(|(one, floor)| one / floor))
    }
}
