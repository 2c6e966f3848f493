//! Columns of a statistics table.

use tesela_compute::zones::ZoneStatRow;

use crate::request::text::shorten;
use crate::routes::table::{Cell, Column};
use crate::{ApiError, ApiResult};

/// Statistics that the `stats` parameter may name.
pub(crate) const STATISTICS: [&str; 6] = ["count", "mean", "sd", "min", "max", "median"];

/// Every column, in order; those of [`STATISTICS`] can be left out.
static COLUMNS: [Column<ZoneStatRow>; 18] = [
    Column { name: "key", value: |r| r.key.as_str().into() },
    Column { name: "datetime", value: |r| r.datetime.as_str().into() },
    Column { name: "band", value: |r| r.band.as_str().into() },
    Column { name: "count", value: |r| Cell::Number(r.count) },
    Column { name: "mean", value: |r| r.mean.into() },
    Column { name: "sd", value: |r| r.sd.into() },
    Column { name: "min", value: |r| r.min.into() },
    Column { name: "max", value: |r| r.max.into() },
    Column { name: "median", value: |r| r.median.into() },
    Column { name: "coverage", value: |r| Cell::Number(r.coverage) },
    Column { name: "valid_area_m2", value: |r| Cell::Number(r.valid_area_m2) },
    Column { name: "area_m2", value: |r| Cell::Number(r.area_m2) },
    Column { name: "clear_obs_mean", value: |r| r.clear_obs_mean.into() },
    Column { name: "emad_mean", value: |r| r.emad_mean.into() },
    Column { name: "method", value: |r| r.method.into() },
    Column { name: "status", value: |r| r.status.into() },
    Column { name: "snapshot", value: |r| Cell::Integer(r.snapshot) },
    Column { name: "reason", value: |r| r.reason.into() },
];

/// The columns for a `stats` parameter; all when absent.
///
/// # Errors
/// 400 lists the statistics there are.
pub(super) fn chosen(asked: Option<Vec<String>>) -> ApiResult<Vec<&'static Column<ZoneStatRow>>> {
    let Some(asked) = asked else { return Ok(COLUMNS.iter().collect()) };
    if let Some(odd) = asked.iter().find(|name| !STATISTICS.contains(&name.as_str())) {
        let known = STATISTICS.join(", ");
        return Err(ApiError::parameter(
            "stats",
            format!("unknown statistic {:?}; known: {known}", shorten(odd)),
        ));
    }
    let wanted =
        |c: &&Column<ZoneStatRow>| !STATISTICS.contains(&c.name) || asked.iter().any(|name| name == c.name);
    Ok(COLUMNS.iter().filter(wanted).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_can_be_left_out_and_the_rest_stays() {
        let names = |asked: &str| -> Vec<&str> {
            chosen(Some(asked.split(',').map(str::to_owned).collect()))
                .unwrap()
                .iter()
                .map(|c| c.name)
                .collect()
        };
        let few = names("mean,max");
        assert!(few.starts_with(&["key", "datetime", "band", "mean", "max", "coverage"]), "{few:?}");
        assert!(few.contains(&"valid_area_m2") && few.contains(&"snapshot") && few.contains(&"reason"));
        assert_eq!(chosen(None).unwrap().len(), COLUMNS.len());
        assert_eq!(chosen(Some(vec!["mode".into()])).unwrap_err().parameter, Some("stats"));
    }
}
