//! Many questions to a server, and what two answers must have in common.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::archive::{DERIVED, ZONES};
use super::server::{Answer, Server};

/// Seeded numbers (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to 1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// An answer without what may differ between equal cubes: snapshot numbers, timestamps, the server's address; pictures
/// as their pixels.
pub fn plain(server: &Server, answer: &Answer) -> String {
    let kind = answer.content_type.split(';').next().unwrap_or_default();
    let body = match kind {
        "image/png" if answer.status == 200 => {
            let (width, height, pixels) = answer.rgba();
            let mut hasher = DefaultHasher::new();
            pixels.hash(&mut hasher);
            format!("{width}x{height} {:016x}", hasher.finish())
        }
        k if k.ends_with("json") => {
            let mut value: Value = serde_json::from_slice(&answer.body).unwrap();
            strip(&mut value);
            value.to_string().replace(server.base(), "BASE/")
        }
        _ => without_sequence(&answer.text().replace(server.base(), "BASE/")),
    };
    format!("{} {kind} {body}", answer.status)
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|k, _| {
                !["snapshot", "tesela_snapshot", "tesela_view", "tesela:snapshot", "created"]
                    .contains(&k.as_str())
            });
            map.values_mut().for_each(strip);
        }
        Value::Array(list) => list.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Capabilities without their `updateSequence`.
fn without_sequence(text: &str) -> String {
    let Some((front, rest)) = text.split_once("updateSequence=\"") else { return text.to_owned() };
    let (_, back) = rest.split_once('"').unwrap();
    format!("{front}{back}")
}

/// Fails with the place where two answers part.
#[track_caller]
pub fn same(about: &str, a: &str, b: &str) {
    if a != b {
        let at = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
        let near = |t: &str| {
            String::from_utf8_lossy(&t.as_bytes()[at.saturating_sub(150)..t.len().min(at + 150)]).into_owned()
        };
        panic!("{about}: answers part at {at}:\n  {}\n  {}", near(a), near(b));
    }
}

/// Lon-lat bounds of the scenes: west, south, east, north.
#[track_caller]
pub fn bounds(server: &Server) -> [f64; 4] {
    let json = server.json("tiles/landsat_c2_sr/WebMercatorQuad/tilejson.json");
    std::array::from_fn(|i| json["bounds"][i].as_f64().unwrap())
}

/// A random pixel's series, every observation.
pub fn series_of(random: &mut Random, [west, south, east, north]: [f64; 4]) -> String {
    let lon = west + (east - west) * random.share();
    let lat = south + (north - south) * random.share();
    format!("v1/series?product=landsat_c2_sr&masked=keep&lon={lon:.7}&lat={lat:.7}")
}

/// Map tiles of a layer around a point.
pub fn tiles(
    layer: &str,
    [west, south, east, north]: [f64; 4],
    zooms: &[u32],
    datetime: &str,
) -> Vec<String> {
    let (lon, lat) = ((west + east) / 2.0, (south + north) / 2.0);
    zooms
        .iter()
        .map(|z| {
            let n = f64::from(1u32 << z);
            let x = ((lon + 180.0) / 360.0 * n).floor();
            let phi = lat.to_radians();
            let y = ((1.0 - (phi.tan() + 1.0 / phi.cos()).ln() / std::f64::consts::PI) / 2.0 * n).floor();
            format!("tiles/{layer}/WebMercatorQuad/{z}/{x}/{y}.png?datetime={datetime}")
        })
        .collect()
}

/// Bands of a derived product, as `products show` names them.
pub fn zone_tables(bands: &[(&str, &str)]) -> Vec<String> {
    let mut all = Vec::new();
    for (product, band) in bands {
        for set in ZONES {
            all.push(format!("v1/zones/{set}/stats?product={product}&band={band}&datetime=all"));
        }
    }
    all
}

/// The dates of every product.
pub fn dates() -> Vec<String> {
    ["landsat_c2_sr"].iter().chain(&DERIVED).map(|p| format!("v1/products/{p}/dates")).collect()
}

/// Capabilities.
pub fn capabilities() -> Vec<String> {
    ["wmts/1.0.0/WMTSCapabilities.xml", "wms?service=WMS&request=GetCapabilities"].map(str::to_owned).to_vec()
}

/// The answers to some questions.
pub fn ask(server: &Server, questions: &[String]) -> BTreeMap<String, String> {
    questions.iter().map(|q| (q.clone(), plain(server, &server.get(q)))).collect()
}

/// The answers to some questions, at a snapshot; each must be there.
#[track_caller]
pub fn ask_at(server: &Server, questions: &[String], snapshot: u64) -> BTreeMap<String, String> {
    let at = |q: &String| {
        let answer = server.get(&pinned(q, snapshot));
        assert!(
            [200, 204].contains(&answer.status),
            "{q} at {snapshot}: {} {}",
            answer.status,
            answer.text()
        );
        assert_eq!(answer.snapshot, Some(snapshot), "{q}");
        (q.clone(), plain(server, &answer))
    };
    questions.iter().map(at).collect()
}

/// A question at a snapshot.
pub fn pinned(question: &str, snapshot: u64) -> String {
    let mark = if question.contains('?') { '&' } else { '?' };
    format!("{question}{mark}snapshot={snapshot}")
}

/// Fails where two sets of answers part.
#[track_caller]
pub fn all_same(about: &str, a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) {
    assert_eq!(a.len(), b.len());
    for (question, answer) in a {
        same(&format!("{about}: {question}"), answer, &b[question]);
    }
}

/// Asks again and again while something else happens: no answer may be an error of the server, and answers that name
/// one snapshot are the same.
pub struct Watch {
    questions: Vec<String>,
    stop: AtomicBool,
    seen: Mutex<Seen>,
}

/// What was seen.
#[derive(Default)]
pub struct Seen {
    /// Answers by question and snapshot.
    pub answers: BTreeMap<(String, u64), String>,
    /// When a server first showed a snapshot.
    pub first: BTreeMap<(usize, u64), Instant>,
    /// How many were asked.
    pub asked: usize,
    /// What must not be.
    pub wrong: Vec<String>,
}

impl Watch {
    pub fn new(questions: Vec<String>) -> Self {
        Self { questions, stop: AtomicBool::new(false), seen: Mutex::default() }
    }

    /// Asks until told to stop; `number` is the server's.
    pub fn run(&self, number: usize, server: &Server) {
        while !self.stop.load(Ordering::Relaxed) {
            for question in &self.questions {
                let answer = server.get(question);
                let told = plain(server, &answer);
                let mut seen = self.seen.lock().unwrap();
                seen.asked += 1;
                if answer.status >= 500 || answer.status == 410 {
                    seen.wrong.push(format!("{question}: {} {}", answer.status, answer.text()));
                }
                let Some(snapshot) = answer.snapshot.filter(|_| answer.status < 300) else { continue };
                seen.first.entry((number, snapshot)).or_insert_with(Instant::now);
                let known = seen.answers.entry((question.clone(), snapshot)).or_insert_with(|| told.clone());
                if *known != told {
                    let at = known.bytes().zip(told.bytes()).take_while(|(a, b)| a == b).count();
                    let near = |t: &str| {
                        String::from_utf8_lossy(&t.as_bytes()[at.saturating_sub(120)..t.len().min(at + 120)])
                            .into_owned()
                    };
                    let words = format!(
                        "{question} at {snapshot}, two answers:\n  {}\n  {}",
                        near(known),
                        near(&told)
                    );
                    seen.wrong.push(words);
                }
            }
        }
    }

    /// Tells the askers to stop, when dropped too: a failed test must not wait for them.
    pub fn stopper(&self) -> Stopper<'_> {
        Stopper(self)
    }

    /// What was seen; fails where something was wrong.
    #[track_caller]
    pub fn ended(self) -> Seen {
        let seen = self.seen.into_inner().unwrap();
        assert!(
            seen.wrong.is_empty(),
            "{} of {}: {:#?}",
            seen.wrong.len(),
            seen.asked,
            &seen.wrong[..seen.wrong.len().min(8)]
        );
        seen
    }

    /// Waits until so many more were asked.
    pub fn wait_for(&self, more: usize) {
        let asked = || self.seen.lock().unwrap().asked;
        let (before, started) = (asked(), Instant::now());
        while asked() < before + more {
            assert!(started.elapsed() < Duration::from_secs(60), "nobody asks");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// How many questions it asks in a round.
    pub fn round(&self) -> usize {
        self.questions.len()
    }
}

/// Stops a watch when dropped.
pub struct Stopper<'a>(&'a Watch);

impl Drop for Stopper<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}
