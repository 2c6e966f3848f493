//! Series, stacks and map tiles of a cube.

use std::path::Path;

use tesela_compute::series::SeriesQuery;
use tesela_compute::{Cube, PixelQuery, Selection};
use tesela_crs::transform_points;
use tesela_grid::{BoundingBox, CrsName, TileCoord, TileMatrixSet};
use tesela_model::{RecipeDef, Resampling, Silent, Style, TimeSelector};
use tesela_render::{Painter, encode_png};
use tesela_store::{ObjectKey, Pixels, Slice, Window};

use crate::figures::{drop_pages, say, say_times, timed};
use crate::scenes::{BANDS, World};
use crate::{Fallible, GRID, PRODUCT};

/// Repeats of what takes milliseconds, and of what is measured cold.
const WARM: usize = 31;
const COLD: usize = 9;
/// Side of the window that a stack is read in.
const STACK: usize = 256;

/// The year that the composite is made of.
const YEAR: i32 = 1986;
const COMPOSITE: &str = r##"
recipe: composite
version: "1"
title: {es: "Compuesto", en: "Composite"}
status: experimental
input: landsat_stack_fmask
period: year
mask: standard
reducer: {geomedian: {bands: [red, green, blue]}}
outputs:
  - {name: red, dtype: uint16, nodata: 0, scale: 1.0e-4, pyramid: mean}
  - {name: green, dtype: uint16, nodata: 0, scale: 1.0e-4, pyramid: mean}
  - {name: blue, dtype: uint16, nodata: 0, scale: 1.0e-4, pyramid: mean}
  - {name: smad, dtype: float32, nodata: nan, pyramid: mean}
  - {name: emad, dtype: float32, nodata: nan, pyramid: mean}
  - {name: bcmad, dtype: float32, nodata: nan, pyramid: mean}
  - {name: count, dtype: uint16, nodata: 65535, unit: "1", pyramid: mean}
styles:
  - {name: true_color, title: {es: "Color", en: "Colour"}, rgb: [red, green, blue], range: [0, 0.3]}
  - name: red
    title: {es: "Rojo", en: "Red"}
    band: red
    ramp: [{value: 0, color: "#000000"}, {value: 0.15, color: "#a9cf6f"}, {value: 0.3, color: "#ffffff"}]
"##;

pub fn measure(dir: &Path, world: World, dates: usize, bounds: &BoundingBox) -> Fallible<()> {
    series(dir, world, dates, bounds)?;
    stack(dir, dates)?;
    tiles(dir, "archive", PRODUCT, bounds)?;
    let cube = Cube::open(dir)?;
    let lock = cube.lock("bench")?;
    let recipe = RecipeDef::from_yaml("bench", COMPOSITE)?;
    let options = tesela_compute::recipe::ComputeOptions { years: Some((YEAR, YEAR)), ..Default::default() };
    let made = cube.compute(&recipe, &options, &Silent)?;
    if made.computed.len() != 1 {
        return Err(format!("{:?} were computed", made.computed).into());
    }
    drop(lock);
    tiles(dir, "derived", "composite", bounds)
}

/// A cube just opened, its catalogue and the rows of one place read, no chunk.
fn fresh(dir: &Path) -> Fallible<Cube> {
    let cube = Cube::open(dir)?;
    cube.catalog()?;
    Ok(cube)
}

/// One pixel, all dates, all bands, nothing hidden: pixels spread over the data, each asked once of a fresh cube, and
/// twice of one.
fn series(dir: &Path, world: World, dates: usize, bounds: &BoundingBox) -> Fallible<()> {
    let places: Vec<(usize, usize)> =
        (0..WARM).map(|i| ((i * 7919) % world.side, (i * 104_729) % world.side)).collect();
    let ask = |cube: &Cube, (row, col): (usize, usize)| -> Fallible<[f64; 2]> {
        let (mut x, mut y) =
            ([bounds.x_min + 30.0 * (col as f64 + 0.5)], [bounds.y_max - 30.0 * (row as f64 + 0.5)]);
        transform_points(&grid_crs()?, &CrsName::lon_lat(), &mut x, &mut y)?;
        let query = SeriesQuery {
            product: PRODUCT.into(),
            lon: x[0],
            lat: y[0],
            selection: Selection::Bands(Vec::new()),
            time: TimeSelector::Latest,
            mask: Some("none".into()),
            keep_masked: true,
            snapshot: None,
        };
        let (times, found) = timed(|| Ok(cube.series(&query)?))?;
        let known = |t: usize| f64::from(world.value(3, t, row, col)) * 1e-4;
        let right = found.observations.len() == dates
            && found.observations.iter().enumerate().all(|(t, o)| {
                o.values.len() == BANDS.len() && o.values[3].is_some_and(|v| (v - known(t)).abs() < 1e-9)
            });
        if right { Ok(times) } else { Err(format!("the series of row {row}, column {col} is wrong").into()) }
    };
    let cube = fresh(dir)?;
    ask(&cube, (world.side - 1, world.side - 1))?;
    let first = places.iter().map(|p| ask(&cube, *p)).collect::<Fallible<_>>()?;
    say_times("series_warm", first);
    let again = places.iter().map(|p| ask(&cube, *p)).collect::<Fallible<_>>()?;
    say_times("series_cached", again);
    let opened = places.iter().map(|p| ask(&fresh(dir)?, *p)).collect::<Fallible<_>>()?;
    say_times("series_fresh", opened);
    let mut cold = Vec::new();
    for place in places.iter().take(COLD) {
        let cube = fresh(dir)?;
        drop_pages(&cube.store_dir())?;
        cold.push(ask(&cube, *place)?);
    }
    say_times("series_cold", cold);
    Ok(())
}

fn grid_crs() -> Fallible<CrsName> {
    Ok(tesela_grid::builtin_grid(GRID)?.crs)
}

/// All dates of all bands in one window, by one thread.
fn stack(dir: &Path, dates: usize) -> Fallible<()> {
    let mut times = Vec::new();
    for _ in 0..3 {
        let cube = fresh(dir)?;
        let store = cube.store();
        let tile = format!("{}_{}/", crate::TILE.0, crate::TILE.1);
        let mut groups: Vec<String> = cube.index().groups()?.into_iter().map(|g| g.prefix).collect();
        groups.retain(|g| g.contains(&tile));
        let window = Window { y0: 0, x0: 0, height: STACK, width: STACK };
        let (t, values) = timed(|| {
            let mut values = 0;
            for band in BANDS {
                let arrays = groups
                    .iter()
                    .map(|g| Ok(store.open_array(&ObjectKey::new(g)?, band)?))
                    .collect::<Fallible<Vec<_>>>()?;
                let slices: Vec<Slice> = arrays
                    .iter()
                    .flat_map(|a| (0..a.shape()[0]).map(move |t| Slice { array: a.clone(), t }))
                    .collect();
                let mut out = Pixels::empty(arrays.first().ok_or("no group")?.dtype());
                store.read_stack(&slices, window, &mut out)?;
                values += out.len();
            }
            Ok(values)
        })?;
        if values != dates * BANDS.len() * STACK * STACK {
            return Err(format!("the stack has {values} values").into());
        }
        times.push(t);
    }
    let raw = (dates * (2 * (BANDS.len() - 1) + 1) * STACK * STACK) as f64 / 1e6;
    say("stack_raw_mb", raw);
    let cpu = say_times("stack_fresh", times);
    say("stack_mb_per_cpu_s", raw / (cpu / 1e3));
    Ok(())
}

/// Map tiles of 256 × 256 pixels as PNG: query, read, warp, mask, paint, encode.
pub fn tiles(dir: &Path, name: &str, product: &str, bounds: &BoundingBox) -> Fallible<()> {
    let tms = TileMatrixSet::web_mercator_quad();
    // The finest zoom whose pixels are no finer than the grid's, and a low one, of the whole country in a few tiles.
    for (what, zoom, one_band) in
        [("rgb", 12, false), ("band", 12, true), ("rgb_low", 6, false), ("rgb_z8", 8, false)]
    {
        let tile = tile_at_middle(zoom, bounds)?;
        let target = tms.tile_geobox(tile)?;
        let cube = fresh(dir)?;
        let catalog = cube.catalog()?;
        let asked = catalog.product(product)?;
        let style: &Style = match one_band {
            // An expression's style in scenes, a band's in the composite.
            true => asked.styles.iter().find(|s| s.rgb.is_none()).ok_or("no style of one band")?,
            false => asked.style("true_color")?,
        };
        let painter = Painter::new(style)?;
        let selection = match (&style.rgb, &style.band, &style.expression) {
            (Some(rgb), ..) => Selection::Bands(rgb.to_vec()),
            (_, Some(band), _) => Selection::Bands(vec![band.clone()]),
            (_, _, Some(expression)) => Selection::Expression(expression.clone()),
            _ => return Err("the style shows nothing".into()),
        };
        let query = PixelQuery {
            product: product.into(),
            selection,
            time: TimeSelector::Latest,
            target,
            mask: None,
            resampling: Resampling::Nearest,
            snapshot: None,
        };
        let picture = |cube: &Cube| -> Fallible<[f64; 2]> {
            let (times, filled) = timed(|| {
                let answer = cube.load(&query)?;
                let planes: Vec<&[f32]> = answer.layers.iter().map(Vec::as_slice).collect();
                let picture = painter.paint(answer.width as u32, answer.height as u32, &planes)?;
                std::hint::black_box(encode_png(&picture)?);
                Ok(answer.layers[0].iter().filter(|v| v.is_finite()).count())
            })?;
            if filled == 0 { Err(format!("{name} {what}: the tile is empty").into()) } else { Ok(times) }
        };
        picture(&cube)?;
        let cached = (0..WARM).map(|_| picture(&cube)).collect::<Fallible<_>>()?;
        say_times(&format!("tile_{name}_{what}_cached"), cached);
        let mut opened = Vec::new();
        for _ in 0..COLD {
            let cube = fresh(dir)?;
            // A tile beside the data: rows and days are read, chunks are not.
            let far = TileCoord { x: tile.x + 3, ..tile };
            cube.load(&PixelQuery { target: tms.tile_geobox(far)?, ..query.clone() })?;
            opened.push(picture(&cube)?);
        }
        say_times(&format!("tile_{name}_{what}_file_warm"), opened);
    }
    Ok(())
}

/// The tile that holds the middle of the data.
fn tile_at_middle(z: u32, b: &BoundingBox) -> Fallible<TileCoord> {
    let (mut x, mut y) = ([(b.x_min + b.x_max) / 2.0], [(b.y_min + b.y_max) / 2.0]);
    transform_points(&grid_crs()?, &CrsName::epsg(3857), &mut x, &mut y)?;
    let half = 20_037_508.342_789_244;
    let n = f64::from(1u32 << z) / (2.0 * half);
    Ok(TileCoord { z, x: ((x[0] + half) * n) as u64, y: ((half - y[0]) * n) as u64 })
}
