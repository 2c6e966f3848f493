//! Does the store hold what the index says?
