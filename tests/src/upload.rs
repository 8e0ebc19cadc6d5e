//! A description of an upload.

use std::io::Write as _;

/// An upload of a Bandit report for a target and variant.
#[derive(Debug, Clone)]
pub struct Upload {
    pub(crate) query: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Upload {
    /// An upload of a report without a threshold.
    pub fn new(target: &str, variant: &str, body: impl Into<Vec<u8>>) -> Self {
        let (target, variant) = (api::path::segment(target), api::path::segment(variant));
        let query = format!("scanner=bandit&target={target}&variant={variant}");
        Self { query, headers: Vec::new(), body: body.into() }
    }

    /// With these parameters instead of the usual ones.
    pub fn with_query(query: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { query: query.to_owned(), headers: Vec::new(), body: body.into() }
    }

    /// With a threshold.
    pub fn fail_on(mut self, level: &str) -> Self {
        self.query += &format!("&fail_on_severity={level}");
        self
    }

    /// In a run of a pipeline.
    pub fn in_run(mut self, pipeline: &str, execution: &str) -> Self {
        let (pipeline, execution) = (api::path::segment(pipeline), api::path::segment(execution));
        self.query += &format!("&pipeline={pipeline}&execution={execution}");
        self
    }

    /// Under an `Idempotency-Key`.
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// With a header.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// With the body cut after this many bytes.
    pub fn cut(mut self, bytes: usize) -> Self {
        self.body.truncate(bytes);
        self
    }

    /// Bytes of the body as sent.
    pub fn size(&self) -> usize {
        self.body.len()
    }

    /// Compressed.
    pub fn gzip(mut self) -> Self {
        self.body = gzip(&self.body);
        self.header("content-encoding", "gzip")
    }
}

/// Bytes compressed.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
