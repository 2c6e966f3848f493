//! Keeps the C libraries inside this executable to itself.
//!
//! A linker exports what shared libraries refer to, so without this GDAL would call the bundled SQLite, zlib, zstd and
//! LZ4 instead of the system's own, whose versions and extensions it was built for, and crash.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo:rustc-link-arg=-Wl,--exclude-libs,ALL");
    }
}
