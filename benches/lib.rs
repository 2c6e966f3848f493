//! Benchmarks that anyone can rerun: `cargo bench -p tesela-benches --profile dev`. One figure a line, `name value`;
//! speeds are given as ratios against a reference in the same run.
