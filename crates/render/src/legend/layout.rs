//! Where everything in a legend stands.

use tesela_grid::Titles;
use tesela_model::{ClassEntry, ColorStop, Style, StyleKind, parse_color};

use super::canvas::Canvas;
use super::font::{CELL_HEIGHT, text_width};
use crate::error::RenderError;
use crate::painter::Painter;
use crate::picture::{Color, Picture};

const MARGIN: i32 = 6;
const GAP: i32 = 4;
const BAR_WIDTH: i32 = 220;
const BAR_HEIGHT: i32 = 14;
const TICK: i32 = 4;
const SWATCH_WIDTH: i32 = 18;
const LINE: i32 = CELL_HEIGHT + GAP;
/// Least room between two tick labels.
const LABEL_GAP: i32 = 6;
const INK: Color = [0x22, 0x22, 0x22, 255];
const GREY: Color = [0x77, 0x77, 0x77, 255];

/// Boxes and texts at scale 1.
pub(crate) struct Layout {
    width: i32,
    height: i32,
    items: Vec<Item>,
}

enum Item {
    Text {
        x: i32,
        y: i32,
        text: String,
    },
    Swatch {
        x: i32,
        y: i32,
        width: i32,
        height: i32,
        color: Color,
    },
    /// Columns of a colour bar.
    Bar {
        x: i32,
        y: i32,
        columns: Vec<Color>,
    },
    Tick {
        x: i32,
        y: i32,
    },
}

impl Layout {
    pub(crate) fn new(style: &Style, title: &str, lang: &str) -> Result<Self, RenderError> {
        let painter = Painter::new(style)?;
        let mut layout = Self { width: 0, height: MARGIN, items: Vec::new() };
        let heading = heading(title, style.unit.as_deref());
        if !heading.is_empty() {
            layout.text(MARGIN, layout.height, &heading);
            layout.height += LINE;
        }
        match style.kind() {
            Some(StyleKind::Ramp { stops, .. }) => layout.ramp(&painter, stops),
            Some(StyleKind::Classes { entries, .. }) => layout.classes(entries, lang),
            Some(StyleKind::Rgb { bands, range, .. }) => layout.bands(bands, range),
            None => {}
        }
        layout.width += MARGIN;
        layout.height += MARGIN - GAP;
        Ok(layout)
    }

    /// Pixels at a scale.
    pub(crate) fn size(&self, scale: u32) -> (u32, u32) {
        let scale = scale.clamp(1, 4);
        (self.width.max(1) as u32 * scale, self.height.max(1) as u32 * scale)
    }

    pub(crate) fn draw(&self, scale: u32) -> Picture {
        let mut canvas = Canvas::new(self.width, self.height);
        for item in &self.items {
            match item {
                Item::Text { x, y, text } => canvas.text(*x, *y, text, INK),
                Item::Swatch { x, y, width, height, color } => {
                    canvas.fill(*x, *y, *width, *height, *color);
                    canvas.frame(*x, *y, *width, *height, GREY);
                }
                Item::Bar { x, y, columns } => {
                    for (col, color) in (*x..).zip(columns) {
                        canvas.fill(col, *y, 1, BAR_HEIGHT, *color);
                    }
                    canvas.frame(*x, *y, BAR_WIDTH, BAR_HEIGHT, GREY);
                }
                Item::Tick { x, y } => canvas.fill(*x, *y, 1, TICK, INK),
            }
        }
        canvas.into_picture(scale.clamp(1, 4))
    }

    fn text(&mut self, x: i32, y: i32, text: &str) {
        self.reach(x + text_width(text));
        self.items.push(Item::Text { x, y, text: text.to_owned() });
    }

    fn reach(&mut self, x: i32) {
        self.width = self.width.max(x);
    }

    /// A bar whose columns are evenly spaced values, with the stops' values below as far as they fit.
    fn ramp(&mut self, painter: &Painter, stops: &[ColorStop]) {
        let (Some(first), Some(last)) = (stops.first(), stops.last()) else { return };
        let (low, high) = (first.value, last.value);
        let labels: Vec<(f64, String)> = stops.iter().map(|stop| (stop.value, number(stop.value))).collect();
        // Half of the outer labels hangs over the bar's ends.
        let overhang = |label: Option<&(f64, String)>| label.map_or(0, |(_, text)| text_width(text) / 2 + 1);
        let x = MARGIN + (overhang(labels.first()) - 1).max(0);
        let y = self.height;
        let columns = (0..BAR_WIDTH)
            .map(|col| {
                let part = f64::from(col) / f64::from(BAR_WIDTH - 1);
                painter.color_at(&[(low + (high - low) * part) as f32])
            })
            .collect();
        self.items.push(Item::Bar { x, y, columns });
        let place = |value: f64| x + ((value - low) / (high - low) * f64::from(BAR_WIDTH - 1)).round() as i32;
        let below = y + BAR_HEIGHT + 1;
        for index in shown_labels(&labels, place) {
            let (value, text) = &labels[index];
            let center = place(*value);
            self.items.push(Item::Tick { x: center, y: below });
            self.text(center - text_width(text) / 2, below + TICK, text);
        }
        self.reach(x + BAR_WIDTH + overhang(labels.last()).max(1));
        self.height = below + TICK + LINE;
    }

    fn classes(&mut self, entries: &[ClassEntry], lang: &str) {
        for entry in entries {
            let color = parse_color(&entry.color).unwrap_or_default();
            let title = in_language(&entry.title, lang).map_or_else(|| number(entry.value), str::to_owned);
            self.swatch(color, &title);
        }
    }

    fn bands(&mut self, bands: &[String; 3], range: [f64; 2]) {
        for (band, color) in
            bands.iter().zip([[0xd6, 0x27, 0x28, 255], [0x2c, 0xa0, 0x2c, 255], [0x1f, 0x77, 0xb4, 255]])
        {
            self.swatch(color, band);
        }
        self.text(MARGIN, self.height, &format!("{} … {}", number(range[0]), number(range[1])));
        self.height += LINE;
    }

    fn swatch(&mut self, color: Color, title: &str) {
        let y = self.height;
        self.items.push(Item::Swatch {
            x: MARGIN + 1,
            y: y + 1,
            width: SWATCH_WIDTH - 2,
            height: CELL_HEIGHT - 2,
            color,
        });
        self.reach(MARGIN + SWATCH_WIDTH);
        self.text(MARGIN + SWATCH_WIDTH + GAP + 2, y, title);
        self.height += LINE;
    }
}

/// Title and unit in one line; the unit 1 goes without saying.
fn heading(title: &str, unit: Option<&str>) -> String {
    match (title.trim(), unit.filter(|unit| !matches!(*unit, "" | "1"))) {
        (title, None) => title.to_owned(),
        ("", Some(unit)) => unit.to_owned(),
        (title, Some(unit)) => format!("{title} ({unit})"),
    }
}

/// The first and the last label, and between them those that overlap none already shown.
fn shown_labels(labels: &[(f64, String)], place: impl Fn(f64) -> i32) -> Vec<usize> {
    let edges = |index: usize| {
        let (value, text) = &labels[index];
        let width = text_width(text);
        let left = place(*value) - width / 2;
        (left, left + width)
    };
    let last = labels.len() - 1;
    let end = edges(last).0;
    let mut shown = vec![0];
    let mut right = edges(0).1;
    for index in 1..last {
        let (from, to) = edges(index);
        if from >= right + LABEL_GAP && to + LABEL_GAP <= end {
            shown.push(index);
            right = to;
        }
    }
    shown.push(last);
    shown
}

/// The title in a language, else in Spanish, English or the first there is.
fn in_language<'a>(titles: &'a Titles, lang: &str) -> Option<&'a str> {
    let primary = lang.split('-').next().unwrap_or(lang);
    [lang, primary, "es", "en"]
        .iter()
        .find_map(|lang| titles.get(*lang))
        .or_else(|| titles.values().next())
        .map(String::as_str)
}

/// A number without noise: at most six digits after the point.
fn number(value: f64) -> String {
    let rounded = (value * 1e6).round() / 1e6;
    // No "-0".
    format!("{}", rounded + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_headings() {
        assert_eq!([0.1 + 0.2, -0.0, 1.0, 40.0, -0.2].map(number), ["0.3", "0", "1", "40", "-0.2"]);
        assert_eq!(heading("NDVI", Some("1")), "NDVI");
        assert_eq!(heading("Altura", Some("m")), "Altura (m)");
        assert_eq!(heading(" ", Some("%")), "%");
        assert_eq!(heading("", None), "");
    }

    #[test]
    fn crowded_labels_are_left_out() {
        let labels: Vec<(f64, String)> =
            [0.0, 1.0, 10.0, 100.0, 500.0, 1000.0].map(|v| (v, number(v))).into();
        let shown = shown_labels(&labels, |value| (value * 0.22) as i32);
        assert_eq!(shown, [0, 3, 4, 5]);
    }

    #[test]
    fn languages_fall_back() {
        let titles: Titles = [("es", "Agua"), ("en", "Water")].map(|(k, v)| (k.into(), v.into())).into();
        assert_eq!(
            ["es-MX", "en", "nah"].map(|lang| in_language(&titles, lang)),
            [Some("Agua"), Some("Water"), Some("Agua")]
        );
        assert_eq!(in_language(&Titles::new(), "es"), None);
    }
}
