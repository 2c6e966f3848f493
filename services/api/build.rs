//! Rebuilds the crate when a language is added to or removed from `i18n/`.

fn main() {
    println!("cargo:rerun-if-changed=i18n");
    println!("cargo:rerun-if-changed=templates");
}
