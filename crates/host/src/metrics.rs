//! The server's counters, and their Prometheus text form.
//!
//! Counts only; nothing here says who asked for what. The text is served at `GET /metrics` of the
//! admin listener. Its size does not depend on what clients send: the only labels are statuses and components.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};

use http::StatusCode;

use crate::kv::KvStats;

/// The counters of a server.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    by_status: Statuses,
    in_flight: AtomicI64,
    connections: AtomicUsize,
    memory: BTreeMap<String, Arc<GuestMemory>>,
}

/// Requests by status; every status HTTP allows has a place.
#[derive(Debug)]
struct Statuses(Vec<AtomicU64>);

const STATUS_FIRST: u16 = 100;
const STATUS_END: u16 = 1000;

impl Default for Statuses {
    fn default() -> Self {
        Self((STATUS_FIRST..STATUS_END).map(|_| AtomicU64::new(0)).collect())
    }
}

/// The memory of a component's instances, in bytes.
#[derive(Debug, Default)]
pub(crate) struct GuestMemory {
    /// Of all instances together, now.
    now: AtomicUsize,
    /// The most any instance has had.
    peak: AtomicUsize,
}

impl GuestMemory {
    /// An instance went from `before` to `after`.
    pub(crate) fn grown(&self, before: usize, after: usize) {
        self.now.fetch_add(after.saturating_sub(before), Relaxed);
        self.peak.fetch_max(after, Relaxed);
    }

    /// An instance with this much is gone.
    pub(crate) fn given_back(&self, bytes: usize) {
        self.now.fetch_sub(bytes, Relaxed);
    }
}

/// Counts a request as in progress until dropped.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Metrics>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}

impl Metrics {
    /// Counters for these components.
    pub(crate) fn new<'a>(components: impl IntoIterator<Item = &'a str>) -> Self {
        let memory = components.into_iter().map(|id| (id.to_owned(), Arc::default())).collect();
        Self { memory, ..Self::default() }
    }

    /// The memory of a component; one that nobody reads if the component is unknown.
    pub(crate) fn memory(&self, component: &str) -> Arc<GuestMemory> {
        self.memory.get(component).cloned().unwrap_or_default()
    }

    pub(crate) fn peaks(&self) -> BTreeMap<String, usize> {
        self.memory.iter().map(|(id, memory)| (id.clone(), memory.peak.load(Relaxed))).collect()
    }

    /// The memory of all instances of all components now, in bytes.
    pub(crate) fn guest_memory(&self) -> usize {
        self.memory.values().map(|memory| memory.now.load(Relaxed)).sum()
    }

    pub(crate) fn request(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Relaxed);
        InFlight(Arc::clone(self))
    }

    pub(crate) fn connections(&self, open: usize) {
        self.connections.store(open, Relaxed);
    }

    pub(crate) fn answered(&self, status: StatusCode) {
        if let Some(count) = self.by_status.0.get(usize::from(status.as_u16() - STATUS_FIRST)) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// The text for Prometheus.
    pub(crate) fn prometheus(&self, kv: &KvStats) -> String {
        let mut text = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, values: &[(String, u64)]| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, value) in values {
                let _ = writeln!(text, "{name}{labels} {value}");
            }
        };
        let by_status: Vec<_> = (STATUS_FIRST..STATUS_END)
            .zip(&self.by_status.0)
            .map(|(status, count)| (format!("{{status=\"{status}\"}}"), count.load(Relaxed)))
            .filter(|(_, count)| *count != 0)
            .collect();
        let in_flight = u64::try_from(self.in_flight.load(Relaxed)).unwrap_or(0);
        let connections = u64::try_from(self.connections.load(Relaxed)).unwrap_or(u64::MAX);
        let memory = |bytes: fn(&GuestMemory) -> &AtomicUsize| {
            let line = |(id, memory): (&String, &Arc<GuestMemory>)| {
                (format!("{{component=\"{id}\"}}"), u64::try_from(bytes(memory).load(Relaxed)).unwrap_or(u64::MAX))
            };
            self.memory.iter().map(line).collect::<Vec<_>>()
        };
        let one = |value: u64| [(String::new(), value)];
        metric("gatehouse_http_requests_total", "counter", "Requests answered, by status.", &by_status);
        metric("gatehouse_http_requests_in_flight", "gauge", "Requests in progress.", &one(in_flight));
        metric("gatehouse_http_connections", "gauge", "Connections open.", &one(connections));
        metric("gatehouse_kv_reads_total", "counter", "Key-value keys read.", &one(kv.reads));
        metric("gatehouse_kv_writes_total", "counter", "Key-value keys written.", &one(kv.writes));
        metric("gatehouse_kv_deletes_total", "counter", "Key-value keys deleted.", &one(kv.deletes));
        metric("gatehouse_kv_increments_total", "counter", "Key-value counters incremented.", &one(kv.increments));
        metric("gatehouse_kv_commits_total", "counter", "SQLite transactions that wrote.", &one(kv.commits));
        let (now, peaks) = (memory(|memory| &memory.now), memory(|memory| &memory.peak));
        metric("gatehouse_guest_memory_bytes", "gauge", "Memory of the instances now.", &now);
        metric("gatehouse_guest_memory_peak_bytes", "gauge", "Most memory an instance had.", &peaks);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_shows_what_was_counted() {
        let metrics = Arc::new(Metrics::new(["a"]));
        metrics.answered(StatusCode::OK);
        metrics.answered(StatusCode::OK);
        metrics.answered(StatusCode::NOT_FOUND);
        metrics.memory("a").grown(0, 7);
        metrics.memory("a").grown(2, 5);
        metrics.memory("a").given_back(4);
        let in_flight = metrics.request();
        metrics.connections(3);
        let kv = KvStats { reads: 1, writes: 2, deletes: 3, increments: 4, commits: 5 };
        let text = metrics.prometheus(&kv);
        for line in [
            "gatehouse_http_requests_total{status=\"200\"} 2",
            "gatehouse_http_requests_total{status=\"404\"} 1",
            "gatehouse_http_requests_in_flight 1",
            "gatehouse_http_connections 3",
            "gatehouse_kv_reads_total 1",
            "gatehouse_kv_writes_total 2",
            "gatehouse_kv_deletes_total 3",
            "gatehouse_kv_increments_total 4",
            "gatehouse_kv_commits_total 5",
            "gatehouse_guest_memory_bytes{component=\"a\"} 6",
            "gatehouse_guest_memory_peak_bytes{component=\"a\"} 7",
        ] {
            assert!(text.lines().any(|present| present == line), "{line} in {text}");
        }
        assert_eq!(metrics.guest_memory(), 6);
        drop(in_flight);
        assert!(metrics.prometheus(&kv).contains("gatehouse_http_requests_in_flight 0"));
    }
}
