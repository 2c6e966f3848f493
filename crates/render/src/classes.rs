//! Classes: each stored value has its colour, all others are transparent.

use std::sync::Arc;

use tesela_model::{ClassEntry, parse_color};

use crate::picture::{Color, TRANSPARENT};

/// Values looked up by position; larger and fractional ones by search.
const DIRECT: usize = 4096;

/// Classes as a palette; index 0 is transparent, classes of one colour share an entry.
#[derive(Debug, Clone)]
pub(crate) struct Classes {
    palette: Arc<[Color]>,
    direct: Vec<u8>,
    /// Values that have no place in `direct`, rising.
    others: Vec<(f32, u8)>,
}

impl Classes {
    /// # Errors
    /// Says what is wrong with the classes. A value that stands twice has its first colour.
    pub(crate) fn new(entries: &[ClassEntry]) -> Result<Self, String> {
        let mut palette = vec![TRANSPARENT];
        let mut direct = vec![0; DIRECT];
        let mut others: Vec<(f32, u8)> = Vec::new();
        for entry in entries.iter().rev() {
            let color = parse_color(&entry.color)
                .ok_or_else(|| format!("colour {:?} is not #rrggbb", entry.color))?;
            let index = palette.iter().position(|known| *known == color).unwrap_or_else(|| {
                palette.push(color);
                palette.len() - 1
            });
            let index = u8::try_from(index).map_err(|_| "classes have more than 255 colours".to_owned())?;
            let value = entry.value as f32;
            match direct_place(value) {
                Some(place) => direct[place] = index,
                None => match others.binary_search_by(|(known, _)| known.total_cmp(&value)) {
                    Ok(place) => others[place].1 = index,
                    Err(place) => others.insert(place, (value, index)),
                },
            }
        }
        Ok(Self { palette: palette.into(), direct, others })
    }

    pub(crate) fn palette(&self) -> &Arc<[Color]> {
        &self.palette
    }

    /// Palette index of a stored value; 0 if it is no class.
    #[inline]
    pub(crate) fn index(&self, value: f32) -> u8 {
        if let Some(place) = direct_place(value) {
            return self.direct[place];
        }
        let found = self.others.binary_search_by(|(known, _)| known.total_cmp(&value));
        found.map_or(0, |place| self.others[place].1)
    }
}

/// Place of a whole number from 0 to 4095.
#[inline]
fn direct_place(value: f32) -> Option<usize> {
    let place = value as u32;
    (place as f32 == value && (place as usize) < DIRECT).then_some(place as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_values_listed_are_painted() {
        let entry = |value, color: &str| ClassEntry { value, color: color.into(), title: Default::default() };
        let classes = Classes::new(&[
            entry(1.0, "#112233"),
            entry(2.0, "#112233"),
            entry(0.0, "#00ff0080"),
            entry(-1.0, "#ff0000"),
            entry(0.5, "#0000ff"),
            entry(60_000.0, "#ffffff"),
            entry(1.0, "#999999"),
        ])
        .unwrap();
        let color = |value| classes.palette()[usize::from(classes.index(value))];
        assert_eq!([1.0, 2.0].map(color), [[0x11, 0x22, 0x33, 255]; 2]);
        assert_eq!([0.0, -0.0].map(color), [[0, 255, 0, 128]; 2]);
        assert_eq!(color(-1.0), [255, 0, 0, 255]);
        assert_eq!(color(0.5), [0, 0, 255, 255]);
        assert_eq!(color(60_000.0), [255; 4]);
        for other in [3.0, 1.5, -2.0, 4096.0, 1e20, f32::NAN, f32::INFINITY] {
            assert_eq!(color(other), TRANSPARENT, "{other}");
        }
        let many: Vec<ClassEntry> = (0..256).map(|i| entry(f64::from(i), &format!("#0000{i:02x}"))).collect();
        assert!(Classes::new(&many[1..]).is_ok());
        assert!(Classes::new(&many).is_err());
    }
}
