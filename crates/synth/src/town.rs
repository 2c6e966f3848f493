//! The fictional town: streets, blocks, when each was built, and its census codes.
//!
//! The street plan is a lattice of jittered nodes, rotated against every raster. A block is a lattice
//! cell shrunk by half a street on each side, so that streets belong to no block.

use crate::noise;

/// Lattice cells along the two axes of the plan.
const CELLS: (usize, usize) = (34, 30);
/// Cells per AGEB along the two axes.
const CELLS_PER_AGEB: (usize, usize) = (6, 5);
/// Distance of street axes, metres.
const PITCH: (f64, f64) = (122.0, 104.0);
/// Largest displacement of a street corner, metres.
const JITTER: f64 = 8.0;
/// Half the width of a street, metres.
const HALF_STREET: f64 = 7.0;
/// Angle of the plan against EPSG:6372, radians.
const ANGLE: f64 = 0.30;
/// Centre of the town in world coordinates, metres.
const CENTRE: (f64, f64) = (-150.0, 250.0);
/// No block nearer than this to the river's axis, metres.
const RIVER_CLEARANCE: f64 = 95.0;

/// Corners of a convex quadrilateral, anticlockwise, world metres.
pub(crate) type Quad = [(f64, f64); 4];

/// One cell of the street plan that belongs to the town.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// Street axes around it.
    pub(crate) outline: Quad,
    /// The block inside the streets.
    pub(crate) block: Quad,
    /// Position in the lattice.
    pub(crate) at: (usize, usize),
    /// First year (1 January) in which the streets exist; 0: never built.
    pub(crate) built: u16,
    /// A park: built, but neither houses nor a census block.
    pub(crate) park: bool,
    /// Hash of the cell.
    pub(crate) id: u64,
}

impl Cell {
    /// First built year of the quarter of the block that holds a point; 0: never.
    pub(crate) fn lot_built(&self, x: f64, y: f64) -> u16 {
        if self.built < 1994 {
            return self.built;
        }
        let centre = quad_centre(&self.block);
        let quarter = u64::from(x > centre.0) + 2 * u64::from(y > centre.1);
        let late = [0, 0, 1, 2][(noise::mix(self.id ^ quarter) % 4) as usize];
        (self.built + late).min(2024)
    }
}

/// A census block with its codes.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// 16-character CVEGEO: state 07, municipality 999, locality 0001, AGEB, block.
    pub(crate) cvegeo: String,
    /// Corners, anticlockwise, EPSG:6372 metres relative to [`crate::place::CORNER`].
    pub(crate) corners: [(f64, f64); 4],
    /// First year in which the block has houses; before 1994 for the old centre, 0 for never.
    pub(crate) built_year: u16,
}

impl Block {
    /// Area, m².
    pub(crate) fn area_m2(&self) -> f64 {
        ring_area(&self.corners)
    }
}

/// An AGEB: a group of lattice cells; it holds its blocks and the streets between them.
#[derive(Clone, Debug)]
pub(crate) struct Ageb {
    /// 13-character CVEGEO.
    pub(crate) cvegeo: String,
    /// Outline, anticlockwise, not closed; coordinates as in [`Block::corners`].
    pub(crate) outline: Vec<(f64, f64)>,
}

/// The town.
#[derive(Clone, Debug)]
pub(crate) struct Town {
    seed: u64,
    cells: Vec<Option<Cell>>,
}

impl Town {
    /// Lays the town out; `river_distance` is the distance of a point to the river's axis, metres.
    pub(crate) fn new(seed: u64, river_distance: impl Fn(f64, f64) -> f64) -> Town {
        let seed = seed ^ 0x746f_776e;
        let mut cells = Vec::with_capacity(CELLS.0 * CELLS.1);
        for j in 0..CELLS.1 {
            for i in 0..CELLS.0 {
                cells.push(cell(seed, i, j, &river_distance));
            }
        }
        Town { seed, cells }
    }

    /// All cells that belong to the town, row by row.
    pub(crate) fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter().flatten()
    }

    /// Number of lattice cells (cells outside the town included).
    pub(crate) fn lattice_len(&self) -> usize {
        self.cells.len()
    }

    /// Index in the lattice of a cell.
    pub(crate) fn index(cell: &Cell) -> usize {
        cell.at.1 * CELLS.0 + cell.at.0
    }

    /// The cell that holds a point.
    pub(crate) fn cell_at(&self, x: f64, y: f64) -> Option<&Cell> {
        let (u, v) = to_plan(x, y);
        let i = (u / PITCH.0 + CELLS.0 as f64 / 2.0).floor() as i64;
        let j = (v / PITCH.1 + CELLS.1 as f64 / 2.0).floor() as i64;
        for (di, dj) in [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1), (1, -1), (-1, 1)] {
            let (Ok(i), Ok(j)) = (usize::try_from(i + di), usize::try_from(j + dj)) else { continue };
            if i >= CELLS.0 || j >= CELLS.1 {
                continue;
            }
            if let Some(cell) = &self.cells[j * CELLS.0 + i]
                && inside(&cell.outline, x, y)
            {
                return Some(cell);
            }
        }
        None
    }

    /// AGEBs wholly inside `inside_area` and the blocks in them, both in key order.
    pub(crate) fn census(&self, inside_area: impl Fn(f64, f64) -> bool) -> (Vec<Ageb>, Vec<Block>) {
        let (mut agebs, mut blocks) = (Vec::new(), Vec::new());
        let mut number = 0_u32;
        for gj in 0..CELLS.1.div_ceil(CELLS_PER_AGEB.1) {
            for gi in 0..CELLS.0.div_ceil(CELLS_PER_AGEB.0) {
                let (i0, j0) = (gi * CELLS_PER_AGEB.0, gj * CELLS_PER_AGEB.1);
                let (i1, j1) = ((i0 + CELLS_PER_AGEB.0).min(CELLS.0), (j0 + CELLS_PER_AGEB.1).min(CELLS.1));
                let members: Vec<&Cell> = (j0..j1)
                    .flat_map(|j| (i0..i1).map(move |i| j * CELLS.0 + i))
                    .filter_map(|k| self.cells[k].as_ref())
                    .filter(|cell| !cell.park)
                    .collect();
                if members.is_empty() {
                    continue;
                }
                number += 1;
                let outline = self.outline((i0, j0), (i1, j1));
                if !outline.iter().all(|&(x, y)| inside_area(x, y)) {
                    continue;
                }
                let key = format!("079990001{}", ageb_code(number * 7));
                for (n, cell) in members.iter().enumerate() {
                    blocks.push(Block {
                        cvegeo: format!("{key}{:03}", n + 1),
                        corners: cell.block,
                        built_year: cell.built,
                    });
                }
                agebs.push(Ageb { cvegeo: key, outline });
            }
        }
        agebs.sort_by(|a, b| a.cvegeo.cmp(&b.cvegeo));
        blocks.sort_by(|a, b| a.cvegeo.cmp(&b.cvegeo));
        (agebs, blocks)
    }

    /// The street axes around lattice nodes `from` to `to`, anticlockwise.
    fn outline(&self, from: (usize, usize), to: (usize, usize)) -> Vec<(f64, f64)> {
        let south = (from.0..to.0).map(|i| (i, from.1));
        let east = (from.1..to.1).map(|j| (to.0, j));
        let north = (from.0 + 1..=to.0).rev().map(|i| (i, to.1));
        let west = (from.1 + 1..=to.1).rev().map(|j| (from.0, j));
        south.chain(east).chain(north).chain(west).map(|(i, j)| node(self.seed, i, j)).collect()
    }
}

/// Three digits and a check character (0–9 or A), as in INEGI's AGEB codes.
fn ageb_code(number: u32) -> String {
    let digits = [number / 100 % 10, number / 10 % 10, number % 10];
    let check = digits.iter().zip([4, 3, 2]).map(|(d, w)| d * w).sum::<u32>() % 11;
    let check = char::from_digit(check, 16).unwrap_or('0').to_ascii_uppercase();
    format!("{:03}{check}", number % 1000)
}

fn to_plan(x: f64, y: f64) -> (f64, f64) {
    let (sin, cos) = ANGLE.sin_cos();
    let (dx, dy) = (x - CENTRE.0, y - CENTRE.1);
    (cos * dx + sin * dy, -sin * dx + cos * dy)
}

/// World position of a street corner.
fn node(seed: u64, i: usize, j: usize) -> (f64, f64) {
    let (ii, jj) = (i as i64, j as i64);
    let u = (i as f64 - CELLS.0 as f64 / 2.0) * PITCH.0 + JITTER * noise::signed(seed, ii, 2 * jj);
    let v = (j as f64 - CELLS.1 as f64 / 2.0) * PITCH.1 + JITTER * noise::signed(seed, ii, 2 * jj + 1);
    let (sin, cos) = ANGLE.sin_cos();
    (CENTRE.0 + cos * u - sin * v, CENTRE.1 + sin * u + cos * v)
}

fn cell(seed: u64, i: usize, j: usize, river_distance: &impl Fn(f64, f64) -> f64) -> Option<Cell> {
    let outline = [node(seed, i, j), node(seed, i + 1, j), node(seed, i + 1, j + 1), node(seed, i, j + 1)];
    let centre = quad_centre(&outline);
    let du = (i as f64 + 0.5) / (CELLS.0 as f64 / 2.0) - 1.0;
    let dv = (j as f64 + 0.5) / (CELLS.1 as f64 / 2.0) - 1.0;
    // Distance from the centre of the town, 1 at its edge; the edge is ragged.
    let ragged = noise::value_noise(seed ^ 7, centre.0 / 450.0, centre.1 / 450.0);
    let reach = (du * du + dv * dv).sqrt() * (1.0 + 0.10 * ragged);
    if reach > 1.0 || river_distance(centre.0, centre.1) < RIVER_CLEARANCE {
        return None;
    }
    let id = noise::hash(seed ^ 0x6365_6c6c, i as i64, j as i64);
    // The town covers 30 % of its final area in 1993 and grows outwards, some quarters sooner.
    let area = reach * reach + 0.10 * noise::value_noise(seed ^ 9, centre.0 / 900.0, centre.1 / 900.0);
    let growth = 1994.0 + 31.0 * (area - 0.30) / 0.70 + 2.5 * noise::signed(id, 1, 0);
    let built = if noise::uniform(id, 2, 0) < 0.03 && growth > 1994.0 {
        0
    } else if growth < 1994.0 {
        (1993.0 - 110.0 * (0.30 - area).max(0.0)).clamp(1960.0, 1993.0) as u16
    } else {
        growth.min(2024.0) as u16
    };
    let park = built > 0 && noise::uniform(id, 3, 0) < 0.03;
    Some(Cell { block: inset(&outline, HALF_STREET), outline, at: (i, j), built, park, id })
}

fn quad_centre(quad: &Quad) -> (f64, f64) {
    (quad.iter().map(|p| p.0).sum::<f64>() / 4.0, quad.iter().map(|p| p.1).sum::<f64>() / 4.0)
}

/// True when a point lies inside a convex anticlockwise quadrilateral.
pub(crate) fn inside(quad: &Quad, x: f64, y: f64) -> bool {
    (0..4).all(|k| {
        let (a, b) = (quad[k], quad[(k + 1) % 4]);
        (b.0 - a.0) * (y - a.1) - (b.1 - a.1) * (x - a.0) >= 0.0
    })
}

/// Area of a ring, m²; positive when anticlockwise.
pub(crate) fn ring_area(ring: &[(f64, f64)]) -> f64 {
    let next = ring.iter().cycle().skip(1);
    ring.iter().zip(next).map(|(a, b)| a.0 * b.1 - b.0 * a.1).sum::<f64>() / 2.0
}

/// Moves every side of a convex anticlockwise quadrilateral inwards by `distance`.
fn inset(quad: &Quad, distance: f64) -> Quad {
    let line = |k: usize| {
        let (a, b) = (quad[k % 4], quad[(k + 1) % 4]);
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let length = dx.hypot(dy);
        let (nx, ny) = (-dy / length, dx / length);
        (nx, ny, nx * a.0 + ny * a.1 + distance)
    };
    std::array::from_fn(|k| {
        let ((a1, b1, c1), (a2, b2, c2)) = (line(k + 3), line(k));
        let det = a1 * b2 - a2 * b1;
        ((c1 * b2 - c2 * b1) / det, (a1 * c2 - a2 * c1) / det)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inset_moves_sides_inwards() {
        let quad = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)];
        assert_eq!(inset(&quad, 2.0), [(2.0, 2.0), (8.0, 2.0), (8.0, 8.0), (2.0, 8.0)]);
    }

    #[test]
    fn ageb_codes_have_four_characters() {
        for n in 1..=142 {
            let code = ageb_code(n * 7);
            assert_eq!(code.len(), 4);
            assert!(code[..3].bytes().all(|b| b.is_ascii_digit()));
            assert!(code.ends_with(|c: char| c.is_ascii_digit() || c == 'A'));
        }
    }
}
