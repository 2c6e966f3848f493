//! True area of every class in a zone.

use serde::{Deserialize, Serialize};

/// Adds up covered true area by class. Children's accumulators merge into their parent's: areas add, shares do
/// not.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CategoryAccumulator {
    classes: Vec<ClassTotal>, // in order of class
    last: usize,              // where the last cell's class stands: neighbours are mostly alike
    nodata_area_m2: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct ClassTotal {
    category: i64,
    count: f64,
    area_m2: f64,
}

/// One class in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CategoryArea {
    /// The class.
    pub category: i64,
    /// Number of cells, each by its covered fraction.
    pub count: f64,
    /// Covered true area in m².
    pub area_m2: f64,
    /// Share of the zone's valid true area, 0..=1.
    pub fraction: f64,
}

/// All classes of a zone, smallest class first, and what is not classified.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CategoryAreas {
    /// Classes that occur.
    pub categories: Vec<CategoryArea>,
    /// True area with a class, in m².
    pub valid_area_m2: f64,
    /// True area without, in m².
    pub nodata_area_m2: f64,
}

impl CategoryAccumulator {
    /// Adds a cell of which `fraction` lies in the zone; `cell_area_m2` is its whole true area.
    ///
    /// `category` is `None` where the cell is nodata. Cells with a fraction of 0 or less are ignored.
    pub fn add(&mut self, category: Option<i64>, fraction: f32, cell_area_m2: f64) {
        if fraction > 0.0 {
            let covered = f64::from(fraction);
            self.add_total(category, covered, covered * cell_area_m2);
        }
    }

    /// Adds everything `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        self.nodata_area_m2 += other.nodata_area_m2;
        for class in &other.classes {
            self.add_total(Some(class.category), class.count, class.area_m2);
        }
    }

    /// Areas and shares of all classes.
    pub fn areas(&self) -> CategoryAreas {
        let valid_area_m2 = self.classes.iter().map(|class| class.area_m2).sum::<f64>();
        let categories = self.classes.iter().map(|class| CategoryArea {
            category: class.category,
            count: class.count,
            area_m2: class.area_m2,
            fraction: class.area_m2 / valid_area_m2,
        });
        CategoryAreas { categories: categories.collect(), valid_area_m2, nodata_area_m2: self.nodata_area_m2 }
    }

    fn add_total(&mut self, category: Option<i64>, count: f64, area_m2: f64) {
        let Some(category) = category else {
            self.nodata_area_m2 += area_m2;
            return;
        };
        if self.classes.get(self.last).is_none_or(|class| class.category != category) {
            self.last = match self.classes.binary_search_by_key(&category, |class| class.category) {
                Ok(at) => at,
                Err(at) => {
                    self.classes.insert(at, ClassTotal { category, count: 0.0, area_m2: 0.0 });
                    at
                }
            };
        }
        let class = &mut self.classes[self.last];
        class.count += count;
        class.area_m2 += area_m2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_true_areas_and_shares_are_of_the_valid_part() {
        let mut zone = CategoryAccumulator::default();
        zone.add(Some(3), 1.0, 905.0);
        zone.add(Some(-1), 0.5, 900.0);
        zone.add(Some(3), 0.5, 910.0);
        zone.add(None, 0.25, 900.0);
        zone.add(Some(9), 0.0, 900.0);
        let areas = zone.areas();
        let rows: Vec<_> = areas.categories.iter().map(|c| (c.category, c.count, c.area_m2)).collect();
        assert_eq!(rows, [(-1, 0.5, 450.0), (3, 1.5, 1360.0)]);
        assert_eq!((areas.valid_area_m2, areas.nodata_area_m2), (1810.0, 225.0));
        assert_eq!(areas.categories[1].fraction, 1360.0 / 1810.0);
    }

    #[test]
    fn a_parent_is_the_sum_of_its_children_not_the_mean_of_their_shares() {
        let (mut small, mut large) = (CategoryAccumulator::default(), CategoryAccumulator::default());
        small.add(Some(1), 1.0, 100.0);
        large.add(Some(1), 1.0, 100.0);
        large.add(Some(2), 1.0, 800.0);
        let mut parent = small.clone();
        parent.merge(&large);
        assert_eq!(parent.areas().categories[0].fraction, 0.2, "200 of 1000 m2, not (1 + 1/9) / 2");
    }
}
