//! Known answers, properties and foreign truth.

mod by_eye;
mod exactextract;
mod known_answers;
mod properties;
mod windows;
