//! Real 16-day acquisition calendars of WRS-2 path 22, and which days the archive keeps.

use std::ops::RangeInclusive;

use jiff::civil::{Date, date};

use crate::SynthConfig;
use crate::noise;

/// The satellites of the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Platform {
    /// Landsat 5, Thematic Mapper.
    Landsat5,
    /// Landsat 7, Enhanced Thematic Mapper Plus.
    Landsat7,
    /// Landsat 8, Operational Land Imager.
    Landsat8,
    /// Landsat 9, Operational Land Imager 2.
    Landsat9,
}

impl Platform {
    /// Sensor and satellite part of a product id.
    pub fn prefix(self) -> &'static str {
        match self {
            Platform::Landsat5 => "LT05",
            Platform::Landsat7 => "LE07",
            Platform::Landsat8 => "LC08",
            Platform::Landsat9 => "LC09",
        }
    }

    /// True for the sensors with a coastal band, a cirrus band and 16-bit-range detectors.
    pub fn is_oli(self) -> bool {
        matches!(self, Platform::Landsat8 | Platform::Landsat9)
    }

    /// Surface reflectance band numbers (`SR_B{n}`), in file order.
    pub fn sr_bands(self) -> &'static [u8] {
        if self.is_oli() { &[1, 2, 3, 4, 5, 6, 7] } else { &[1, 2, 3, 4, 5, 7] }
    }
}

/// One stretch of a platform's repeat cycle over path 22.
struct Orbit {
    platform: Platform,
    /// Days since 1970-01-01, modulo 16.
    phase: i64,
    first: Date,
    last: Date,
    /// Share of the nominal acquisitions that were received over southern Mexico in a year.
    received: fn(i16) -> f64,
}

const ORBITS: [Orbit; 5] = [
    Orbit {
        platform: Platform::Landsat5,
        phase: 9,
        first: date(1984, 3, 16),
        last: date(2011, 11, 5),
        // No station received Landsat 5 here in most years after 2001.
        received: |year| match year {
            ..=2000 => 1.0,
            2001 => 0.3,
            2008 | 2011 => 0.15,
            _ => 0.0,
        },
    },
    Orbit {
        platform: Platform::Landsat7,
        phase: 1,
        first: date(1999, 7, 1),
        last: date(2022, 4, 5),
        received: |_| 0.75,
    },
    // The extended mission flew lower, off the WRS-2 cycle; its phase here is assumed.
    Orbit {
        platform: Platform::Landsat7,
        phase: 12,
        first: date(2022, 5, 5),
        last: date(2024, 1, 18),
        received: |_| 0.4,
    },
    Orbit {
        platform: Platform::Landsat8,
        phase: 9,
        first: date(2013, 4, 11),
        last: date(2030, 12, 31),
        received: |_| 1.0,
    },
    Orbit {
        platform: Platform::Landsat9,
        phase: 1,
        first: date(2021, 10, 31),
        last: date(2030, 12, 31),
        received: |_| 1.0,
    },
];

/// Last day on which Landsat 7's scan line corrector worked is the day before this one.
const SLC_FAILURE: Date = date(2003, 5, 31);

/// Days since 1970-01-01.
pub(crate) fn epoch_day(day: Date) -> i64 {
    day.duration_since(date(1970, 1, 1)).as_hours() / 24
}

/// True when `platform` passes over path 22 on `day` (whether or not it was recorded).
pub fn passes_on(platform: Platform, day: Date) -> bool {
    ORBITS.iter().any(|orbit| {
        orbit.platform == platform
            && (orbit.first..=orbit.last).contains(&day)
            && epoch_day(day).rem_euclid(16) == orbit.phase
    })
}

/// Collection tier of a scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// Tier 1, accepted by the default product.
    T1,
    /// Tier 2, refused by the default product.
    T2,
}

/// One day and platform: both WRS-2 rows come from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// Satellite.
    pub platform: Platform,
    /// UTC and solar date (they agree here).
    pub day: Date,
    /// Collection tier of its scenes.
    pub tier: Tier,
    /// Which of [`crate::place::WRS_ROWS`] were recorded.
    pub rows: [bool; 2],
}

impl Pass {
    /// True for Landsat 7 after its scan line corrector failed.
    pub fn slc_off(&self) -> bool {
        self.platform == Platform::Landsat7 && self.day >= SLC_FAILURE
    }

    /// Number of scenes.
    pub fn scenes(&self) -> usize {
        self.rows.iter().filter(|&&kept| kept).count()
    }

    /// Seed of everything random in this pass.
    pub(crate) fn seed(&self, seed: u64) -> u64 {
        noise::hash(seed ^ 0x7061_7373, epoch_day(self.day), self.platform as i64)
    }
}

/// The passes of the archive in time order.
///
/// Each year is cut in as many equal parts as days are wanted and one acquisition is drawn in each
/// (missing ones are made up from the rest of the year). Years ending in 3 hold one more day, of tier
/// 2; about one pass in forty lacks its northern row.
pub fn passes(config: &SynthConfig) -> Vec<Pass> {
    let mut all: Vec<Pass> = config.years.clone().flat_map(|year| passes_of_year(config, year)).collect();
    if let Some(max) = config.max_scenes {
        thin(&mut all, max);
    }
    all
}

fn passes_of_year(config: &SynthConfig, year: i32) -> Vec<Pass> {
    let Ok(year) = i16::try_from(year) else { return Vec::new() };
    let mut candidates = candidates(config.seed, year);
    let slc_off_only = !candidates.is_empty() && candidates.iter().all(|c| c.pass.slc_off());
    let wanted = config.days_per_year + usize::from(slc_off_only);
    let mut chosen: Vec<Pass> = Vec::new();
    for part in 0..wanted {
        let days = 1 + 366 * part / wanted..1 + 366 * (part + 1) / wanted;
        take_best(&mut candidates, |pass| days.contains(&day_of_year(pass.day)), &mut chosen);
    }
    while chosen.len() < wanted && take_best(&mut candidates, |_| true, &mut chosen) {}
    if year % 10 == 3
        && take_best(&mut candidates, |_| true, &mut chosen)
        && let Some(extra) = chosen.last_mut()
    {
        extra.tier = Tier::T2;
        extra.rows = [true, true];
    }
    chosen.sort_by_key(|pass| (pass.day, pass.platform));
    chosen
}

/// Day of the year from 1.
pub(crate) fn day_of_year(day: Date) -> usize {
    usize::try_from(day.day_of_year()).unwrap_or(1)
}

struct Candidate {
    pass: Pass,
    rank: f64,
}

fn candidates(seed: u64, year: i16) -> Vec<Candidate> {
    let whole_year: RangeInclusive<Date> = date(year, 1, 1)..=date(year, 12, 31);
    let mut out = Vec::new();
    for orbit in &ORBITS {
        let first = epoch_day(*whole_year.start());
        for offset in 0..366 {
            let Ok(day) = whole_year.start().checked_add(jiff::Span::new().days(offset)) else { break };
            let due = (first + offset).rem_euclid(16) == orbit.phase;
            if !due || !whole_year.contains(&day) || !(orbit.first..=orbit.last).contains(&day) {
                continue;
            }
            let mut pass = Pass { platform: orbit.platform, day, tier: Tier::T1, rows: [true, true] };
            let own = pass.seed(seed);
            if noise::uniform(own, 1, 0) >= (orbit.received)(year) {
                continue;
            }
            pass.rows[0] = noise::uniform(own, 2, 0) >= 0.025;
            out.push(Candidate { pass, rank: noise::uniform(own, 3, 0) });
        }
    }
    out
}

fn take_best(candidates: &mut Vec<Candidate>, fits: impl Fn(&Pass) -> bool, chosen: &mut Vec<Pass>) -> bool {
    let best = candidates
        .iter()
        .enumerate()
        .filter(|(_, c)| fits(&c.pass))
        .max_by(|a, b| a.1.rank.total_cmp(&b.1.rank))
        .map(|(k, _)| k);
    let Some(best) = best else { return false };
    chosen.push(candidates.swap_remove(best).pass);
    true
}

/// Drops whole passes, evenly over time, until at most `max` scenes remain.
fn thin(passes: &mut Vec<Pass>, max: usize) {
    let total: usize = passes.iter().map(Pass::scenes).sum();
    if total <= max {
        return;
    }
    let all = std::mem::take(passes);
    let keep = (all.len() * max / total).max(1);
    let mut left = max;
    for k in 0..keep {
        let mut pass = all[k * all.len() / keep];
        if pass.scenes() > left {
            pass.rows[0] = false;
        }
        if left >= pass.scenes() {
            left -= pass.scenes();
            passes.push(pass);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every date of the real stack must be a day on which our calendar has that platform.
    #[test]
    fn calendars_agree_with_the_real_acquisitions() {
        let data = std::env::var("TESELA_TEST_DATA").map_or_else(
            |_| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
            std::path::PathBuf::from,
        );
        let path = data.join("01-chiapas-l7-sr/p022r049_acquisitions.csv");
        let Ok(text) = std::fs::read_to_string(&path) else {
            println!("SKIPPED: {} is not there", path.display());
            return;
        };
        let mut checked = 0;
        for line in text.lines().skip(1) {
            let mut cells = line.split(',');
            let (when, sensor) = (cells.next().unwrap(), cells.next().unwrap());
            let (year, doy): (i16, i64) = (when[..4].parse().unwrap(), when[4..].parse().unwrap());
            let day = date(year, 1, 1) + jiff::Span::new().days(doy - 1);
            let platform = match sensor {
                "LT5" => Platform::Landsat5,
                "LE7" => Platform::Landsat7,
                "LC8" => Platform::Landsat8,
                other => panic!("unknown sensor {other}"),
            };
            assert!(passes_on(platform, day), "{sensor} {day}");
            checked += 1;
        }
        assert!(checked > 300);
    }

    #[test]
    fn landsat_9_is_eight_days_from_landsat_8() {
        let day = (0..16)
            .map(|k| date(2023, 6, 1) + jiff::Span::new().days(k))
            .find(|&d| passes_on(Platform::Landsat8, d))
            .unwrap();
        assert!(passes_on(Platform::Landsat9, day + jiff::Span::new().days(8)));
    }

    #[test]
    fn the_default_archive_has_the_promised_size() {
        let all = passes(&SynthConfig::default());
        let scenes: usize = all.iter().map(Pass::scenes).sum();
        assert!((420..=460).contains(&scenes), "{scenes}");
        for year in 1994..=2024 {
            let of_year: Vec<_> = all.iter().filter(|p| i32::from(p.day.year()) == year).collect();
            let accepted = of_year.iter().filter(|p| p.tier == Tier::T1).count();
            assert!(accepted >= 7, "{year}: {accepted}");
            if year == 2012 {
                assert!(of_year.iter().all(|p| p.slc_off()));
            }
        }
        let t2: usize = all.iter().filter(|p| p.tier == Tier::T2).map(Pass::scenes).sum();
        assert!((2..=8).contains(&t2));
        assert!(all.iter().any(|p| p.platform == Platform::Landsat5 && p.day.year() > 2005));
    }

    #[test]
    fn thinning_honours_the_bound() {
        for max in [1, 5, 16, 51] {
            let config = SynthConfig { max_scenes: Some(max), ..SynthConfig::default() };
            let scenes: usize = passes(&config).iter().map(Pass::scenes).sum();
            assert!(scenes <= max && scenes + 2 >= max.min(300), "{max}: {scenes}");
        }
    }
}
