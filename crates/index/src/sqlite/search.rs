//! Scene search. A search by place finds the paths and rows whose footprint meets the box, then reads their scenes
//! by time; one that most footprints meet, or that names no place, reads scenes by time and stops at the limit.

use rusqlite::types::Value;
use rusqlite::{Connection, Transaction, params, params_from_iter};
use tesela_grid::BoundingBox;

use super::SqliteIndex;
use super::read::{SCENE, scene};
use crate::error::Context;
use crate::{IndexError, NewScene, SceneDayRow, SceneOrder, SceneQuery, SceneRow};

/// A search by place pays while it touches at most one footprint in this many.
const PLACES_SHARE: u64 = 4;

/// Widens the footprint of a scene's path and row to hold the scene.
pub(super) fn widen_footprint(tx: &Transaction<'_>, product: &str, s: &NewScene) -> Result<(), IndexError> {
    // West above east is a box across the antimeridian; with one that is not, only the whole circle holds both.
    tx.prepare_cached(
        "INSERT INTO footprints VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (product, wrs_path, wrs_row) DO UPDATE SET
           west = iif((west > east) = (excluded.west > excluded.east), min(west, excluded.west), -180.0),
           east = iif((west > east) = (excluded.west > excluded.east), max(east, excluded.east), 180.0),
           south = min(south, excluded.south), north = max(north, excluded.north)",
    )
    .context("widen footprint")?
    .execute(params![product, s.wrs_path, s.wrs_row, s.bbox.x_min, s.bbox.y_min, s.bbox.x_max, s.bbox.y_max])
    .context("widen footprint")?;
    Ok(())
}

impl SqliteIndex {
    pub(super) fn search_scenes(
        &self,
        query: &SceneQuery,
        snapshot: u64,
    ) -> Result<Vec<SceneRow>, IndexError> {
        self.with_reader(|db| {
            let mut found: Vec<SceneRow> = Vec::new();
            let products = products_met(db, query)?;
            for p in &products {
                let mut search = Search::new(query, p, snapshot, "scenes_time");
                search.sql.insert_str(0, &format!("SELECT {SCENE} FROM "));
                let order = match query.order {
                    SceneOrder::OldestFirst => "s.acquired, s.id",
                    SceneOrder::NewestFirst => "s.acquired DESC, s.id DESC",
                };
                let limit = if query.limit == 0 { -1 } else { i64::try_from(query.limit).unwrap_or(-1) };
                let limit = search.bind(Value::Integer(limit));
                search.sql.push_str(&format!(" ORDER BY {order} LIMIT {limit}"));
                let mut statement = db.prepare_cached(&search.sql).context("search scenes")?;
                let rows =
                    statement.query_map(params_from_iter(search.values), scene).context("search scenes")?;
                for row in rows {
                    found.push(row.context("search scenes")?);
                }
            }
            if products.len() > 1 {
                found.sort_by_key(|s| (s.acquired, s.id));
                if query.order == SceneOrder::NewestFirst {
                    found.reverse();
                }
                if query.limit > 0 {
                    found.truncate(query.limit);
                }
            }
            Ok(found)
        })
    }

    pub(super) fn count_scenes_matched(&self, query: &SceneQuery, snapshot: u64) -> Result<u64, IndexError> {
        let query = SceneQuery { after: None, ..query.clone() };
        self.with_reader(|db| {
            let mut matched = 0;
            for p in products_met(db, &query)? {
                let mut search = Search::new(&query, &p, snapshot, "scenes_time");
                search.sql.insert_str(0, "SELECT count(*) FROM ");
                let mut statement = db.prepare_cached(&search.sql).context("count scenes")?;
                let n: i64 = statement
                    .query_row(params_from_iter(search.values), |r| r.get(0))
                    .context("count scenes")?;
                matched += n as u64;
            }
            Ok(matched)
        })
    }

    pub(super) fn read_scene_days(
        &self,
        product: &str,
        bbox: Option<&BoundingBox>,
        snapshot: u64,
    ) -> Result<Vec<SceneDayRow>, IndexError> {
        let query =
            SceneQuery { product: Some(product.into()), bbox: bbox.copied(), ..SceneQuery::default() };
        self.with_reader(|db| {
            let Some(met) = products_met(db, &query)?.pop() else { return Ok(Vec::new()) };
            let mut search = Search::new(&query, &met, snapshot, "scenes_day");
            // SQLite takes the platform from the row of the least time.
            search.sql.insert_str(
                0,
                "SELECT s.solar_day, s.platform, min(s.acquired), avg(max(0.0, min(100.0, s.cloud_cover))) FROM ",
            );
            search.sql.push_str(" GROUP BY s.solar_day ORDER BY s.solar_day");
            let mut statement = db.prepare_cached(&search.sql).context("read dates")?;
            let rows = statement
                .query_map(params_from_iter(search.values), |r| {
                    Ok(SceneDayRow { solar_day: r.get(0)?, platform: r.get(1)?, cloud_cover: r.get(3)? })
                })
                .context("read dates")?;
            rows.collect::<Result<_, _>>().context("read dates")
        })
    }
}

/// A product with scenes, and how many of its footprints meet a query.
struct ProductMet {
    id: String,
    footprints: u64,
    met: u64,
}

impl ProductMet {
    fn few_places(&self) -> bool {
        self.met * PLACES_SHARE <= self.footprints
    }
}

/// Products with a footprint that meets the query's place.
fn products_met(db: &Connection, query: &SceneQuery) -> Result<Vec<ProductMet>, IndexError> {
    let mut where_ = Where::default();
    where_.footprint(query);
    let meets = if where_.sql.is_empty() { "1".to_owned() } else { where_.sql.clone() };
    let product = where_.bind(query.product.clone().map_or(Value::Null, Value::Text));
    let sql = format!(
        "SELECT f.product, count(*), sum({meets}) AS met FROM footprints f
         WHERE {product} IS NULL OR f.product = {product} GROUP BY f.product HAVING met > 0"
    );
    let mut statement = db.prepare_cached(&sql).context("search footprints")?;
    let rows = statement
        .query_map(params_from_iter(where_.values), |r| {
            Ok(ProductMet {
                id: r.get(0)?,
                footprints: r.get::<_, i64>(1)? as u64,
                met: r.get::<_, i64>(2)? as u64,
            })
        })
        .context("search footprints")?;
    rows.collect::<Result<_, _>>().context("search footprints")
}

/// Conditions joined by AND, with their values.
#[derive(Default)]
struct Where {
    sql: String,
    values: Vec<Value>,
}

impl Where {
    fn bind(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("?{}", self.values.len())
    }

    fn and(&mut self, condition: &str) {
        if !self.sql.is_empty() {
            self.sql.push_str(" AND ");
        }
        self.sql.push_str(condition);
    }

    /// What a query asks of the place, on `f`.
    fn footprint(&mut self, query: &SceneQuery) {
        if let Some(path) = query.wrs_path {
            let path = self.bind(i64::from(path).into());
            self.and(&format!("f.wrs_path = {path}"));
        }
        if let Some(row) = query.wrs_row {
            let row = self.bind(i64::from(row).into());
            self.and(&format!("f.wrs_row = {row}"));
        }
        if let Some(b) = &query.bbox {
            self.meets("f", b);
        }
    }

    fn meets(&mut self, table: &str, b: &BoundingBox) {
        let (west, east) = circle(b);
        let [w, s, e, n] = [west, b.y_min, east, b.y_max].map(|v| self.bind(Value::Real(v)));
        self.and(&meets(table, [&w, &s, &e, &n]));
    }
}

/// The condition that a row's bounds meet a box, either of which may cross the antimeridian (west above east): of two
/// spans on a circle, each crossing counts as one of the two comparisons that hold when they meet.
pub(super) fn meets(table: &str, [w, s, e, n]: [&str; 4]) -> String {
    format!(
        "({table}.south <= {n} AND {table}.north >= {s} AND
         ({table}.west <= {e}) + ({table}.east >= {w}) + ({table}.west > {table}.east) + ({w} > {e}) >= 2)"
    )
}

/// West and east of a box within ±180, west above east when it crosses the antimeridian.
pub(super) fn circle(b: &BoundingBox) -> (f64, f64) {
    let inside = |x: f64| (-180.0..=180.0).contains(&x);
    let wrap = |x: f64| if inside(x) { x } else { (x + 180.0).rem_euclid(360.0) - 180.0 };
    if b.x_max - b.x_min >= 360.0 { (-180.0, 180.0) } else { (wrap(b.x_min), wrap(b.x_max)) }
}

/// `FROM` and `WHERE` of a search in one product, by the cheapest way.
struct Search {
    sql: String,
    values: Vec<Value>,
}

impl Search {
    /// Reads by `index` when no place narrows the search.
    fn new(query: &SceneQuery, product: &ProductMet, snapshot: u64, index: &str) -> Self {
        let mut w = Where::default();
        let id = w.bind(Value::Text(product.id.clone()));
        let from = if let Some(text) = &query.id {
            let text = w.bind(Value::Text(text.clone()));
            w.and(&format!("s.product = {id} AND s.product_id = {text}"));
            "scenes s INDEXED BY scenes_identifier".to_owned()
        } else if product.few_places() {
            w.and(&format!("f.product = {id}"));
            w.footprint(query);
            w.and(&format!("s.product = {id} AND s.wrs_path = f.wrs_path AND s.wrs_row = f.wrs_row"));
            // CROSS JOIN: footprints outside, scenes inside.
            "footprints f CROSS JOIN scenes s INDEXED BY scenes_place".to_owned()
        } else {
            w.and(&format!("s.product = {id}"));
            format!("scenes s INDEXED BY {index}")
        };
        let (mut start, mut end) = query.time.map_or((i64::MIN, i64::MAX), |t| (t.start.0, t.end.0));
        if let Some(after) = query.after {
            let [time, row] = [after.acquired.0, after.id].map(|v| w.bind(v.into()));
            // The bound on the time is what the index is entered by.
            match query.order {
                SceneOrder::OldestFirst => {
                    start = start.max(after.acquired.0);
                    w.and(&format!("(s.acquired > {time} OR s.id > {row})"));
                }
                SceneOrder::NewestFirst => {
                    end = end.min(after.acquired.0.saturating_add(1));
                    w.and(&format!("(s.acquired < {time} OR s.id < {row})"));
                }
            }
        }
        let [start, end] = [start, end].map(|v| w.bind(v.into()));
        w.and(&format!("s.acquired >= {start} AND s.acquired < {end}"));
        if let Some(b) = &query.bbox {
            w.meets("s", b);
        }
        if let Some(path) = query.wrs_path {
            let path = w.bind(i64::from(path).into());
            w.and(&format!("s.wrs_path = {path}"));
        }
        if let Some(row) = query.wrs_row {
            let row = w.bind(i64::from(row).into());
            w.and(&format!("s.wrs_row = {row}"));
        }
        if let Some(most) = query.cloud_cover_max {
            let most = w.bind(Value::Real(most));
            w.and(&format!("s.cloud_cover <= {most}"));
        }
        if !query.platforms.is_empty() {
            let names: Vec<String> = query.platforms.iter().map(|p| w.bind(Value::Text(p.clone()))).collect();
            w.and(&format!("s.platform IN ({})", names.join(", ")));
        }
        let n = w.bind(Value::Integer(snapshot as i64));
        w.and(&format!("s.added <= {n} AND (s.retired IS NULL OR s.retired > {n})"));
        Self { sql: format!("{from} WHERE {}", w.sql), values: w.values }
    }

    fn bind(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("?{}", self.values.len())
    }
}
