//! A figure that the project asks of itself, and whether it is met.

use serde::Serialize;

/// A figure and its limit.
#[derive(Clone, Debug, Serialize)]
pub struct Demand {
    /// What is asked.
    pub what: String,
    /// The most that it may be.
    pub at_most: Option<f64>,
    /// The least that it may be.
    pub at_least: Option<f64>,
    /// The worst that was measured.
    pub measured: Option<f64>,
}

impl Demand {
    /// None of the measurements may be above the limit.
    pub fn at_most(what: &str, limit: f64, measured: impl IntoIterator<Item = f64>) -> Self {
        let measured = measured.into_iter().reduce(f64::max);
        Self { what: what.to_owned(), at_most: Some(limit), at_least: None, measured }
    }

    /// None of the measurements may be below the limit.
    pub fn at_least(what: &str, limit: f64, measured: impl IntoIterator<Item = f64>) -> Self {
        let measured = measured.into_iter().reduce(f64::min);
        Self { what: what.to_owned(), at_most: None, at_least: Some(limit), measured }
    }

    /// The limit, for people.
    pub fn limit(&self) -> String {
        match (self.at_most, self.at_least) {
            (Some(most), _) => format!("≤ {most}"),
            (None, Some(least)) => format!("≥ {least}"),
            (None, None) => String::new(),
        }
    }

    /// Whether it is met; nothing where nothing was measured or asked.
    pub fn outcome(&self) -> &'static str {
        let (Some(measured), true) = (self.measured, self.at_most.or(self.at_least).is_some())
        else {
            return "";
        };
        let is_met = self.at_most.is_none_or(|most| measured <= most)
            && self.at_least.is_none_or(|least| measured >= least);
        if is_met { "met" } else { "NOT MET" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worst_measurement_decides() {
        assert_eq!(Demand::at_least("", 1.0, [1.5, 1.0]).outcome(), "met");
        assert_eq!(Demand::at_least("", 1.0, [1.5, 0.9]).outcome(), "NOT MET");
        assert_eq!(Demand::at_most("", 1.0, [0.5, 1.1]).outcome(), "NOT MET");
    }

    #[test]
    fn nothing_measured_is_neither_met_nor_not() {
        assert_eq!(Demand::at_most("", 1.0, []).outcome(), "");
    }
}
