//! The date at which an index is greatest.

use super::stack::{Sample, Stack, TemporalError, check};

/// The position that stands for no date.
pub const NO_DATE: u16 = u16::MAX;

/// For every pixel the position of the date with the greatest value, the first of equals; [`NO_DATE`] where
/// every date is missing. With an index such as NDVI this is the "best available pixel" rule.
pub fn best_date<T: Sample>(index: &Stack<'_, T>) -> Vec<u16> {
    let mut best: Vec<Option<T>> = vec![None; index.pixels()];
    let mut dates = vec![NO_DATE; index.pixels()];
    for date in 0..index.dates() {
        for (pixel, (best, at)) in best.iter_mut().zip(&mut dates).enumerate() {
            if let Some(value) = index.get(date, pixel)
                && best.is_none_or(|best| value > best)
            {
                (*best, *at) = (Some(value), date as u16);
            }
        }
    }
    dates
}

/// The values of a band at the `dates` chosen per pixel, by [`best_date`] or [`super::medoid`]; NaN where no
/// date was chosen or the band has no observation then.
/// # Errors
/// [`TemporalError::Length`] unless `dates` holds one position per pixel.
pub fn pick<T: Sample>(band: &Stack<'_, T>, dates: &[u16]) -> Result<Vec<f32>, TemporalError> {
    check("the chosen dates", band.pixels(), dates.len())?;
    let value = |(pixel, &date): (usize, &u16)| {
        band.get(usize::from(date), pixel).map_or(f32::NAN, |value| value.to_f64() as f32)
    };
    Ok(dates.iter().enumerate().map(value).collect())
}
