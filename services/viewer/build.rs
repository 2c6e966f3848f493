//! Rebuilds the crate when a file is added to or removed from `static/`.

fn main() {
    println!("cargo:rerun-if-changed=static");
}
