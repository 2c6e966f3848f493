//! Counters of the server, in Prometheus' text form.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the latency buckets, seconds.
const BUCKETS_S: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Latencies of one route.
#[derive(Debug, Default, Clone)]
struct Histogram {
    buckets: [u64; BUCKETS_S.len()],
    count: u64,
    sum_s: f64,
}

/// Route template, method and status of an answer.
type Answered = (Arc<str>, &'static str, u16);

/// What is counted; one per router.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    answers: Mutex<BTreeMap<Answered, u64>>,
    latencies: Mutex<BTreeMap<Arc<str>, Histogram>>,
    in_flight: AtomicU64,
    snapshot: AtomicU64,
}

impl Metrics {
    /// Notes that a request came in; the guard's end notes that it is answered or dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(self))
    }

    /// Notes an answer.
    pub(crate) fn answered(&self, route: &str, method: &'static str, status: u16, took: Duration) {
        let route: Arc<str> = route.into();
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        *answers.entry((Arc::clone(&route), method, status)).or_default() += 1;
        drop(answers);
        let mut latencies = self.latencies.lock().unwrap_or_else(PoisonError::into_inner);
        let histogram = latencies.entry(route).or_default();
        let seconds = took.as_secs_f64();
        for (bucket, bound) in histogram.buckets.iter_mut().zip(BUCKETS_S) {
            *bucket += u64::from(seconds <= bound);
        }
        histogram.count += 1;
        histogram.sum_s += seconds;
    }

    /// The last snapshot that was seen.
    pub(crate) fn snapshot(&self) -> u64 {
        self.snapshot.load(Ordering::Relaxed)
    }

    /// Notes the latest snapshot.
    pub(crate) fn saw_snapshot(&self, snapshot: u64) {
        self.snapshot.store(snapshot, Ordering::Relaxed);
    }

    /// Everything, in Prometheus' text form (version 0.0.4).
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        head(&mut out, "tesela_http_requests_total", "counter", "Answers by route, method and status.");
        for ((route, method, status), n) in self.answers.lock().unwrap_or_else(PoisonError::into_inner).iter()
        {
            let _ = writeln!(
                out,
                "tesela_http_requests_total{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}} {n}"
            );
        }
        let name = "tesela_http_request_duration_seconds";
        head(&mut out, name, "histogram", "Time to the head of the answer.");
        for (route, h) in self.latencies.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            for (bound, n) in BUCKETS_S.iter().zip(h.buckets) {
                let _ = writeln!(out, "{name}_bucket{{route=\"{route}\",le=\"{bound}\"}} {n}");
            }
            let _ = writeln!(out, "{name}_bucket{{route=\"{route}\",le=\"+Inf\"}} {}", h.count);
            let _ = writeln!(out, "{name}_sum{{route=\"{route}\"}} {}", h.sum_s);
            let _ = writeln!(out, "{name}_count{{route=\"{route}\"}} {}", h.count);
        }
        head(&mut out, "tesela_http_in_flight", "gauge", "Requests being answered.");
        let _ = writeln!(out, "tesela_http_in_flight {}", self.in_flight.load(Ordering::Relaxed));
        head(&mut out, "tesela_snapshot", "gauge", "Latest snapshot of the cube.");
        let _ = writeln!(out, "tesela_snapshot {}", self.snapshot());
        out
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// Counts a request as under way until dropped.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Metrics>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_told_by_route() {
        let metrics = Arc::new(Metrics::default());
        let guard = metrics.enter();
        metrics.answered("/v1/series", "GET", 200, Duration::from_millis(3));
        metrics.answered("/v1/series", "GET", 200, Duration::from_millis(300));
        metrics.saw_snapshot(7);
        let text = metrics.text();
        for line in [
            "tesela_http_requests_total{route=\"/v1/series\",method=\"GET\",status=\"200\"} 2",
            "tesela_http_request_duration_seconds_bucket{route=\"/v1/series\",le=\"0.005\"} 1",
            "tesela_http_request_duration_seconds_bucket{route=\"/v1/series\",le=\"+Inf\"} 2",
            "tesela_http_in_flight 1",
            "tesela_snapshot 7",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
        drop(guard);
        assert!(metrics.text().contains("tesela_http_in_flight 0"));
    }
}
