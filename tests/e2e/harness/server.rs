//! A server of its own for each test, and a client.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::TestCube;

/// `tesela serve` on a free port; killed by its own handle when dropped.
pub struct Server {
    child: Child,
    base: String,
    agent: ureq::Agent,
}

/// What the server answered.
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    /// The snapshot it is an answer at, where it says so.
    pub snapshot: Option<u64>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Eight-bit RGBA pixels of a PNG of any kind.
    pub fn rgba(&self) -> (usize, usize, Vec<[u8; 4]>) {
        assert_eq!((self.status, self.content_type.as_str()), (200, "image/png"), "{}", self.text());
        let mut decoder = png::Decoder::new(std::io::Cursor::new(&self.body));
        decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::ALPHA);
        let mut reader = decoder.read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut bytes).unwrap();
        assert_eq!(frame.color_type, png::ColorType::Rgba);
        (frame.width as usize, frame.height as usize, bytes.as_chunks::<4>().0.to_vec())
    }
}

impl Server {
    pub fn start(cube: &TestCube) -> Self {
        let mut child = cube
            .command(&["serve", "--bind", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?}")).to_owned();
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        let server = Self { child, base, agent: config.into() };
        let started = Instant::now();
        while server.get("readyz").status != 200 {
            assert!(started.elapsed() < Duration::from_secs(20), "the server is not ready");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// Its address, with the last slash.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Any answer to a path without its leading slash.
    pub fn get(&self, path: &str) -> Answer {
        let url = format!("{}{path}", self.base);
        let mut response = self.agent.get(&url).call().unwrap_or_else(|e| panic!("{url}: {e}"));
        let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok());
        let content_type = header("content-type").unwrap_or_default().to_owned();
        let snapshot = header("tesela-snapshot").and_then(|v| v.parse().ok());
        Answer {
            status: response.status().as_u16(),
            content_type,
            snapshot,
            body: response.body_mut().read_to_vec().unwrap(),
        }
    }

    #[track_caller]
    pub fn json(&self, path: &str) -> Value {
        self.get(path).json()
    }

    /// The observations of `/v1/series` at a point.
    #[track_caller]
    pub fn series(&self, product: &str, (lon, lat): (f64, f64), more: &str) -> Vec<Value> {
        let path = format!("v1/series?product={product}&lon={lon}&lat={lat}{more}");
        self.json(&path)["observations"].as_array().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
