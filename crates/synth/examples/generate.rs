//! Writes a synthetic archive and prints how long it took: `generate OUT_DIR [SIZE_PX]`.

use std::path::PathBuf;

use tesela_synth::{Progress, SynthConfig, SynthError, generate};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let Some(out) = arguments.next() else { return Err("usage: generate OUT_DIR [SIZE_PX]".into()) };
    let mut config = SynthConfig::default();
    if let Some(size) = arguments.next() {
        config.size_px = size.parse()?;
    }
    let started = std::time::Instant::now();
    let report = |p: Progress| {
        if p.done.is_multiple_of(50) || p.done == p.total {
            eprintln!("{} of {} scenes, {:.1} s", p.done, p.total, started.elapsed().as_secs_f64());
        }
    };
    let summary = generate(&config, &PathBuf::from(out), &report).map_err(|e: SynthError| e.to_string())?;
    println!("{summary:#?}");
    println!("total {:.1} s, {:.1} MB", started.elapsed().as_secs_f64(), summary.bytes as f64 / 1e6);
    Ok(())
}
