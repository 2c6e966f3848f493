//! tesela-tests
