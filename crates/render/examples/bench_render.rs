//! Milliseconds and bytes of a 256² tile: `cargo run -p tesela-render --example bench_render` (one figure a line: name,
//! value).

use std::hint::black_box;
use std::time::Instant;

use tesela_model::shipped_product;
use tesela_render::{Painter, Picture, encode_png, encode_webp};

/// The best of several rounds: other processes share the machine.
fn ms(name: &str, mut work: impl FnMut()) {
    let mut best = f64::INFINITY;
    for _ in 0..100 {
        let start = Instant::now();
        work();
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    println!("{name} {best:.3}");
}

/// Hills with fields and noise: neither flat nor random.
fn plane(seed: u32) -> Vec<f32> {
    let mut state = seed;
    (0..256 * 256)
        .map(|i| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (x, y) = ((i % 256) as f32, (i / 256) as f32);
            let field = ((x as u32 / 13 + seed) * 7 + (y as u32 / 9) * 5) % 11;
            let noise = (state >> 16) as f32 / 65536.0 * 0.006;
            0.05 + 0.04 * (x / 40.0 + seed as f32).sin() * (y / 55.0).cos() + 0.012 * field as f32 + noise
        })
        .collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let product = shipped_product("landsat_c2_sr").ok_or("not shipped")??;
    let style = |name: &str| product.styles.iter().find(|style| style.name == name).ok_or("no style");
    let rgb = Painter::new(style("true_color")?)?;
    let mut curved = style("true_color")?.clone();
    curved.gamma = Some(1.6);
    let curved = Painter::new(&curved)?;
    let ramp = Painter::new(style("ndvi")?)?;
    let planes = [plane(1), plane(2), plane(3)];
    let planes: [&[f32]; 3] = [&planes[0], &planes[1], &planes[2]];
    let mut with_gap = planes[0].to_vec();
    with_gap[..9000].fill(f32::NAN);
    let index: Vec<f32> = planes[0].iter().zip(planes[1]).map(|(a, b)| (a - b) / (a + b)).collect();

    let picture = rgb.paint(256, 256, &planes)?;
    let gap = rgb.paint(256, 256, &[&with_gap, planes[1], planes[2]])?;
    let palette = ramp.paint(256, 256, &[&index])?;
    // Patches of eight classes.
    let indices = index.iter().map(|value| ((value * 4.0).sin() * 3.0 + 3.0) as u8).collect();
    let colors: Vec<[u8; 4]> =
        (0..8).map(|i| [i * 30, 255 - i * 30, 9, if i == 0 { 0 } else { 255 }]).collect();
    let classes = Picture::Palette { width: 256, height: 256, indices, palette: colors.into() };
    ms("paint_rgb_ms", || drop(black_box(rgb.paint(256, 256, &planes))));
    ms("paint_rgb_gamma_ms", || drop(black_box(curved.paint(256, 256, &planes))));
    ms("paint_ramp_ms", || drop(black_box(ramp.paint(256, 256, &[&index]))));
    for (name, picture) in [("rgb", &picture), ("rgba", &gap), ("palette", &palette), ("classes", &classes)] {
        ms(&format!("png_{name}_ms"), || drop(black_box(encode_png(picture))));
        println!("png_{name}_bytes {}", encode_png(picture)?.len());
        ms(&format!("webp_{name}_ms"), || drop(black_box(encode_webp(picture))));
        println!("webp_{name}_bytes {}", encode_webp(picture)?.len());
    }
    Ok(())
}
