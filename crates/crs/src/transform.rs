//! Transforms between two CRS, cached by thread.

use std::cell::RefCell;
use std::ffi::c_int;
use std::ptr;
use std::rc::Rc;

use gdal::spatial_ref::CoordTransform;
use tesela_grid::{BoundingBox, CrsName};

use crate::error::{CrsError, shorten};
use crate::srs::{self, Quiet};

/// Pairs kept by each thread; the least recently used goes first.
const CACHED_PAIRS: usize = 32;
/// Points passed to GDAL in one call.
const BATCH: usize = 1024;
/// Points along each edge of a box.
const EDGE_POINTS: usize = 21;

/// From one CRS to another. Belongs to its thread: see [`with_transformer`].
pub struct Transformer {
    /// `None` where the two are the same.
    inner: Option<CoordTransform>,
}

impl std::fmt::Debug for Transformer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transformer").field("is_identity", &self.is_identity()).finish()
    }
}

impl Transformer {
    fn new(from: &CrsName, to: &CrsName) -> Result<Self, CrsError> {
        let (source, target) = (srs::open(from)?, srs::open(to)?);
        if from == to || srs::is_same(&source, &target) {
            return Ok(Self { inner: None });
        }
        let _quiet = Quiet::new();
        let inner = CoordTransform::new(&source, &target).map_err(|error| CrsError::NoTransform {
            from: shorten(from.as_str()),
            to: shorten(to.as_str()),
            reason: error.to_string(),
        })?;
        Ok(Self { inner: Some(inner) })
    }

    /// Whether points stay as they are.
    pub fn is_identity(&self) -> bool {
        self.inner.is_none()
    }

    /// Transforms points in place, `(x, y)` order on both sides.
    ///
    /// A point that cannot be transformed becomes (NaN, NaN). If the slices differ in length, the points past
    /// the shorter one's end are left alone.
    pub fn transform(&self, xs: &mut [f64], ys: &mut [f64]) {
        let count = xs.len().min(ys.len());
        if let Some(inner) = &self.inner {
            let _quiet = Quiet::new();
            let mut done = [0; BATCH];
            for (xs, ys) in xs[..count].chunks_mut(BATCH).zip(ys[..count].chunks_mut(BATCH)) {
                transform_batch(inner, xs, ys, &mut done);
            }
        }
    }
}

fn transform_batch(inner: &CoordTransform, xs: &mut [f64], ys: &mut [f64], done: &mut [c_int]) {
    // SAFETY: x, y and the flags hold at least `xs.len()` entries; z may be null.
    unsafe {
        gdal_sys::OCTTransformEx(
            inner.to_c_hct(),
            xs.len() as c_int,
            xs.as_mut_ptr(),
            ys.as_mut_ptr(),
            ptr::null_mut(),
            done.as_mut_ptr(),
        );
    }
    for ((x, y), done) in xs.iter_mut().zip(ys).zip(done) {
        if *done == 0 || !x.is_finite() || !y.is_finite() {
            (*x, *y) = (f64::NAN, f64::NAN);
        }
    }
}

type Cached = (CrsName, CrsName, Rc<Transformer>);

thread_local! {
    /// Most recently used last.
    static CACHE: RefCell<Vec<Cached>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with this thread's transformer from one CRS to another. Calls may be nested.
///
/// Making one takes up to 12 ms the first time in a process; the 32 pairs used last are kept by each thread.
///
/// # Errors
/// [`CrsError::Unknown`] if a name means nothing; [`CrsError::NoTransform`] if PROJ finds no way between them.
pub fn with_transformer<R>(
    from: &CrsName,
    to: &CrsName,
    f: impl FnOnce(&Transformer) -> R,
) -> Result<R, CrsError> {
    let cached = CACHE.with_borrow_mut(|cache| {
        let place = cache.iter().rposition(|(a, b, _)| a == from && b == to)?;
        let entry = cache.remove(place);
        let transformer = Rc::clone(&entry.2);
        cache.push(entry);
        Some(transformer)
    });
    if let Some(transformer) = cached {
        return Ok(f(&transformer));
    }
    let transformer = Rc::new(Transformer::new(from, to)?);
    CACHE.with_borrow_mut(|cache| {
        if cache.len() >= CACHED_PAIRS {
            cache.remove(0);
        }
        cache.push((from.clone(), to.clone(), Rc::clone(&transformer)));
    });
    Ok(f(&transformer))
}

/// Transforms points in place, `(x, y)` order; a point that cannot be transformed becomes (NaN, NaN).
///
/// # Errors
/// As [`with_transformer`].
pub fn transform_points(
    from: &CrsName,
    to: &CrsName,
    xs: &mut [f64],
    ys: &mut [f64],
) -> Result<(), CrsError> {
    with_transformer(from, to, |transformer| transformer.transform(xs, ys))
}

/// The box around a box's image, from 21 points along each edge, and from a lattice inside if any of those
/// fails. A box across the 180th meridian comes out as wide as the world: see [`crate::lon_lat_bounds`].
///
/// `None` if a CRS is unknown or no point can be transformed.
pub fn transform_bounds(from: &CrsName, to: &CrsName, bounds: &BoundingBox) -> Option<BoundingBox> {
    with_transformer(from, to, |transformer| {
        if transformer.is_identity() {
            return Some(*bounds);
        }
        let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = bounds.edge_points(EDGE_POINTS).into_iter().unzip();
        transformer.transform(&mut xs, &mut ys);
        if xs.iter().any(|x| x.is_nan()) {
            let (mut inner_xs, mut inner_ys) = lattice(bounds);
            transformer.transform(&mut inner_xs, &mut inner_ys);
            xs.append(&mut inner_xs);
            ys.append(&mut inner_ys);
        }
        BoundingBox::of_points(xs.into_iter().zip(ys))
    })
    .ok()
    .flatten()
}

fn lattice(bounds: &BoundingBox) -> (Vec<f64>, Vec<f64>) {
    let last = (EDGE_POINTS - 1) as f64;
    (0..EDGE_POINTS * EDGE_POINTS)
        .map(|i| {
            let (row, col) = ((i / EDGE_POINTS) as f64, (i % EDGE_POINTS) as f64);
            (bounds.x_min + bounds.width() * col / last, bounds.y_min + bounds.height() * row / last)
        })
        .unzip()
}
