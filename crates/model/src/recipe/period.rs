//! How the time axis is cut into rasters.

use jiff::ToSpan;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::{Instant, Period};

/// Length of one raster's time span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PeriodKind {
    /// Calendar month.
    Month,
    /// Calendar year.
    Year,
    /// Mexico's agricultural year, October to September.
    AgriculturalYear,
    /// Half of an agricultural year: autumn–winter (October to March) or spring–summer (April to September).
    AgriculturalHalf,
    /// Everything there is, as one raster.
    All,
}

impl PeriodKind {
    /// The period that a solar day falls in; `None` for [`Self::All`], whose span is that of its input.
    pub fn of(self, day: Date) -> Option<Period> {
        let first_of = |month: i8| {
            // October to March belongs to the agricultural year that October began.
            let year = if month == 10 && day.month() < 10 { day.year() - 1 } else { day.year() };
            Date::new(year, month, 1).ok()
        };
        let (start, months) = match self {
            Self::Month => (first_of(day.month())?, 1),
            Self::Year => (first_of(1)?, 12),
            Self::AgriculturalYear => (first_of(10)?, 12),
            Self::AgriculturalHalf if (4..10).contains(&day.month()) => (first_of(4)?, 6),
            Self::AgriculturalHalf => (first_of(10)?, 6),
            Self::All => return None,
        };
        let end = start.checked_add(months.months()).ok()?;
        Some(Period { start: Instant::at_midnight(start), end: Instant::at_midnight(end) })
    }

    /// As YAML and JSON write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Year => "year",
            Self::AgriculturalYear => "agricultural_year",
            Self::AgriculturalHalf => "agricultural_half",
            Self::All => "all",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(kind: PeriodKind, day: &str) -> String {
        let p = kind.of(day.parse().unwrap()).unwrap();
        format!("{}..{}", p.start.date(), p.end.date())
    }

    #[test]
    fn days_fall_into_periods() {
        assert_eq!(span(PeriodKind::Month, "2024-02-29"), "2024-02-01..2024-03-01");
        assert_eq!(span(PeriodKind::Year, "2024-12-31"), "2024-01-01..2025-01-01");
        assert_eq!(span(PeriodKind::AgriculturalYear, "2024-09-30"), "2023-10-01..2024-10-01");
        assert_eq!(span(PeriodKind::AgriculturalYear, "2024-10-01"), "2024-10-01..2025-10-01");
        assert_eq!(span(PeriodKind::AgriculturalHalf, "2024-03-31"), "2023-10-01..2024-04-01");
        assert_eq!(span(PeriodKind::AgriculturalHalf, "2024-04-01"), "2024-04-01..2024-10-01");
        assert_eq!(span(PeriodKind::AgriculturalHalf, "2024-12-01"), "2024-10-01..2025-04-01");
        assert_eq!(PeriodKind::All.of("2024-12-01".parse().unwrap()), None);
    }
}
