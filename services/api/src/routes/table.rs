//! Tables that are written as JSON rows or as CSV from one list of columns.

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};

/// One value of a table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// Nothing: JSON null, CSV empty.
    Null,
    /// A text; quoted always, so that `01001` stays one.
    Text(String),
    /// A number; NaN is written as nothing.
    Number(f64),
    /// A count or a number of a snapshot.
    Integer(u64),
    /// Yes or no.
    Bool(bool),
}

impl From<Option<f64>> for Cell {
    fn from(value: Option<f64>) -> Self {
        value.map_or(Self::Null, Self::Number)
    }
}

impl From<Option<&str>> for Cell {
    fn from(value: Option<&str>) -> Self {
        value.map_or(Self::Null, |text| Self::Text(text.to_owned()))
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(v) if v.is_finite() => serializer.serialize_f64(*v),
            Self::Integer(n) => serializer.serialize_u64(*n),
            Self::Bool(b) => serializer.serialize_bool(*b),
            Self::Null | Self::Number(_) => serializer.serialize_unit(),
        }
    }
}

/// A named column over rows of `R`.
#[derive(Debug)]
pub(crate) struct Column<R> {
    /// Name in JSON and in the CSV header.
    pub(crate) name: &'static str,
    /// A row's value.
    pub(crate) value: fn(&R) -> Cell,
}

/// Rows seen through columns; serialises as an array of objects.
pub(crate) struct Rows<'a, R> {
    /// Columns, in order.
    pub(crate) columns: &'a [&'a Column<R>],
    /// Rows, in order.
    pub(crate) rows: &'a [R],
}

impl<R> Rows<'_, R> {
    /// The table as CSV with a header.
    pub(crate) fn csv(&self) -> String {
        let mut out = CsvWriter::default();
        out.row(self.columns.iter().map(|c| Cell::from(c.name)));
        for row in self.rows {
            out.row(self.columns.iter().map(|c| (c.value)(row)));
        }
        out.finish()
    }
}

impl<R> Serialize for Rows<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.rows.len()))?;
        for row in self.rows {
            list.serialize_element(&Row { columns: self.columns, row })?;
        }
        list.end()
    }
}

struct Row<'a, R> {
    columns: &'a [&'a Column<R>],
    row: &'a R,
}

impl<R> Serialize for Row<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len()))?;
        for column in self.columns {
            map.serialize_entry(column.name, &(column.value)(self.row))?;
        }
        map.end()
    }
}

/// Writes RFC 4180: commas, CRLF, texts in double quotes.
#[derive(Debug, Default)]
pub(crate) struct CsvWriter {
    text: String,
}

impl CsvWriter {
    /// Adds one line.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        for (i, cell) in cells.into_iter().enumerate() {
            if i > 0 {
                self.text.push(',');
            }
            match cell {
                Cell::Text(text) => {
                    self.text.push('"');
                    self.text.push_str(&text.replace('"', "\"\""));
                    self.text.push('"');
                }
                Cell::Number(v) if v.is_finite() => self.text.push_str(&v.to_string()),
                Cell::Integer(n) => self.text.push_str(&n.to_string()),
                Cell::Bool(b) => self.text.push_str(if b { "true" } else { "false" }),
                Cell::Null | Cell::Number(_) => {}
            }
        }
        self.text.push_str("\r\n");
    }

    /// The lines so far.
    pub(crate) fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_list_of_columns_gives_json_and_csv() {
        let (key, mean) = (
            Column::<(&str, f64)> { name: "key", value: |r| r.0.into() },
            Column::<(&str, f64)> { name: "mean", value: |r| Cell::Number(r.1) },
        );
        let table = Rows { columns: &[&key, &mean], rows: &[("01001", 0.25), ("a\"b,c", f64::NAN)] };
        assert_eq!(table.csv(), "\"key\",\"mean\"\r\n\"01001\",0.25\r\n\"a\"\"b,c\",\r\n");
        let json = serde_json::to_string(&table).unwrap();
        assert_eq!(json, r#"[{"key":"01001","mean":0.25},{"key":"a\"b,c","mean":null}]"#);
    }
}
