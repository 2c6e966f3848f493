//! tesela-benches
