//! Years of uncertain classes made consistent: the likeliest path of a two-state hidden Markov model.
//!
//! Each year brings a probability of state 1 (urban, cropland); a change of state costs. The path of greatest
//! probability (Viterbi) drops single wrong years and dates the change. State 1 of [`URBAN`] is all but
//! absorbing, so built-up land stays built-up; [`CROPLAND`] comes and goes.
//!
//! # Contract
//! * Probabilities are cut to [`LEAST_PROBABILITY`] … 1 − it. NaN is a missing year: it adds no evidence, and
//!   the path runs through it.
//! * Of equally likely paths state 0 wins, at the end and at every step back.
//! * The last year has no later evidence: a change in it is provisional and may go away next year.
//!
//! # Source
//! Viterbi (1967), IEEE Trans. Information Theory 13; parameters science 6.3 and 7.2.

#[cfg(test)]
mod tests;

/// Probabilities are not taken for surer than this.
pub const LEAST_PROBABILITY: f64 = 0.001;

/// Longest fallow that stays cropland, years.
pub const FALLOW_YEARS: usize = 2;

/// A model of two states.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoState {
    /// Probability to go from state 0 to 1 in a year.
    pub enter: f64,
    /// Probability to go from state 1 to 0 in a year.
    pub leave: f64,
    /// Probability of state 1 in the first year: the mapped share of the region serves better than a half.
    pub first: f64,
}

/// Built-up land: a change each fifty years, no way back.
pub const URBAN: TwoState = TwoState { enter: 0.02, leave: 1e-6, first: 0.5 };

/// Cropland: a change each ten years either way.
pub const CROPLAND: TwoState = TwoState { enter: 0.1, leave: 0.1, first: 0.5 };

/// Parameters or sizes that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HmmError {
    /// A parameter is not above 0 and below 1.
    #[error("{parameter} must be a probability above 0 and below 1, not {value}")]
    Parameter {
        /// Which.
        parameter: &'static str,
        /// The value given.
        value: f64,
    },
    /// There is not one state per year.
    #[error("{years} years have {states} states")]
    Length {
        /// Years given.
        years: usize,
        /// Length of the output.
        states: usize,
    },
}

/// When state 1 began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Never in state 1.
    Never,
    /// In state 1 from the first year: it began then or before.
    BeforeFirst,
    /// The position of the first year in state 1.
    At {
        /// Position of the year.
        year: usize,
        /// Whether it is the last year, for which there is no later evidence.
        provisional: bool,
    },
}

impl TwoState {
    /// Writes the likeliest states (0 or 1) of the years to `states` and returns the logarithm of that path's
    /// probability.
    /// # Errors
    /// [`HmmError::Parameter`], [`HmmError::Length`].
    pub fn decode(&self, probabilities: &[f64], states: &mut [u8]) -> Result<f64, HmmError> {
        let parameters = [("enter", self.enter), ("leave", self.leave), ("first", self.first)];
        for (parameter, value) in parameters {
            if !(value > 0.0 && value < 1.0) {
                return Err(HmmError::Parameter { parameter, value });
            }
        }
        if probabilities.len() != states.len() {
            return Err(HmmError::Length { years: probabilities.len(), states: states.len() });
        }
        let (enter, stay_out) = (self.enter.ln(), (-self.enter).ln_1p());
        let (leave, stay_in) = (self.leave.ln(), (-self.leave).ln_1p());
        let mut out = (-self.first).ln_1p();
        let mut within = self.first.ln();
        for (year, (&p, from)) in probabilities.iter().zip(states.iter_mut()).enumerate() {
            if year > 0 {
                let (to_out, to_within) = ([out + stay_out, within + leave], [out + enter, within + stay_in]);
                // Which state the year before had, if this one is 0 (bit 0) or 1 (bit 1).
                *from = u8::from(to_out[1] > to_out[0]) | u8::from(to_within[1] > to_within[0]) << 1;
                out = to_out[0].max(to_out[1]);
                within = to_within[0].max(to_within[1]);
            }
            if !p.is_nan() {
                let p = p.clamp(LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY);
                out += (-p).ln_1p();
                within += p.ln();
            }
        }
        let mut state = u8::from(within > out);
        for from in states.iter_mut().rev() {
            let before = *from >> state & 1;
            *from = state;
            state = before;
        }
        Ok(out.max(within))
    }
}

/// When state 1 began in decoded `states`.
pub fn change(states: &[u8]) -> Change {
    match states.iter().position(|&state| state == 1) {
        None => Change::Never,
        Some(0) => Change::BeforeFirst,
        Some(year) => Change::At { year, provisional: year + 1 == states.len() },
    }
}

/// Turns runs of at most `years` years of state 0 between years of state 1 to state 1: land that lies fallow
/// (usual: [`FALLOW_YEARS`]) is still cropland, however sure the classifier is that nothing grows.
pub fn bridge(states: &mut [u8], years: usize) {
    let mut last_within = None;
    for year in 0..states.len() {
        if states[year] == 1 {
            if let Some(last) = last_within
                && year - last <= years + 1
            {
                states[last..year].fill(1);
            }
            last_within = Some(year);
        }
    }
}
