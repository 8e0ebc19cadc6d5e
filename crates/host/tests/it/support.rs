//! Starts a server for one test and talks to it.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use host::{AppSource, Config, Error, Server};
use tokio::runtime::Runtime;

/// Time limit for everything that a test waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The manifest's head, and the probes under the names that tests use. `{probe}` and `{probe_p2}` are replaced.
pub(crate) const HEAD: &str = r#"
spin_manifest_version = 2
[application]
name = "test-app"
version = "1.2.3"
"#;

/// One probe on every path, with the default store.
pub(crate) const PROBE: &str = r#"
[[trigger.http]]
route = "/..."
component = "probe"
[component.probe]
source = "{probe}"
key_value_stores = ["default"]
"#;

/// A running server.
pub(crate) struct TestApp {
    pub(crate) runtime: Runtime,
    pub(crate) server: Server,
    pub(crate) state: Arc<tempfile::TempDir>,
    agent: ureq::Agent,
}

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    /// The last part of the problem's type.
    pub(crate) fn problem(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"));
        let kind = body["type"].as_str().unwrap_or_else(|| panic!("{self:?}"));
        assert_eq!(self.headers["content-type"], "application/problem+json");
        kind.strip_prefix("urn:gatehouse:problem:").unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }

    #[track_caller]
    pub(crate) fn expect(&self, status: u16, body: &str) {
        assert_eq!((self.status, self.body.as_str()), (status, body));
    }
}

/// The file of a guest.
fn guest(name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(target, PathBuf::from);
    let path = target.join("wasm32-wasip2/quick").join(name);
    assert!(path.exists(), "{} is missing: run `cargo xtask build --guests`", path.display());
    path.canonicalize().unwrap()
}

/// A manifest on disk, and the configuration to serve it.
pub(crate) fn config(state: &Path, manifest: &str) -> Config {
    let manifest = format!("{HEAD}{manifest}")
        .replace("{probe}", guest("probe.wasm").to_str().unwrap())
        .replace("{probe_p2}", guest("probe_p2.wasm").to_str().unwrap());
    let path = state.join("spin.toml");
    std::fs::write(&path, manifest).unwrap();
    let mut config = Config::new(AppSource::Manifest(path), state.join("state"));
    config.cache_dir = Some(cache_dir());
    config.admin_listen = Some((Ipv4Addr::LOCALHOST, 0).into());
    // Most tests send no credential, and many at once; the tests of this limit set it.
    config.limits.anonymous_requests = 1000;
    config
}

/// Shared by all tests, so that each guest is compiled once.
fn cache_dir() -> PathBuf {
    static DIR: OnceLock<tempfile::TempDir> = OnceLock::new();
    DIR.get_or_init(|| tempfile::tempdir().unwrap()).path().to_owned()
}

impl TestApp {
    pub(crate) fn start(manifest: &str) -> Self {
        Self::start_with(manifest, |_| {})
    }

    pub(crate) fn start_with(manifest: &str, change: impl FnOnce(&mut Config)) -> Self {
        Self::restart(Arc::new(tempfile::tempdir().unwrap()), manifest, change)
    }

    /// Starts on state that another server left.
    pub(crate) fn restart(state: Arc<tempfile::TempDir>, manifest: &str, change: impl FnOnce(&mut Config)) -> Self {
        Self::try_start(state, manifest, change).unwrap()
    }

    pub(crate) fn try_start(
        state: Arc<tempfile::TempDir>,
        manifest: &str,
        change: impl FnOnce(&mut Config),
    ) -> Result<Self, Error> {
        log();
        let mut config = config(state.path(), manifest);
        change(&mut config);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let server = runtime.block_on(Server::start(config))?;
        Ok(Self { runtime, server, state, agent: agent() })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.local_addr()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.get_with(path, &[])
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request = self.agent.get(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        reply(request.call().unwrap())
    }

    pub(crate) fn post(&self, path: &str, body: &[u8]) -> Reply {
        reply(self.agent.post(self.url(path)).send(body).unwrap())
    }

    /// Sends a body of unknown length, chunked.
    pub(crate) fn post_stream(&self, path: &str, body: impl io::Read) -> Reply {
        let mut body = body;
        reply(self.agent.post(self.url(path)).send(ureq::SendBody::from_reader(&mut body)).unwrap())
    }

    /// An answer of the listener for health and metrics.
    pub(crate) fn admin(&self, path: &str) -> Reply {
        let address = self.server.admin_addr().unwrap();
        reply(self.agent.get(format!("http://{address}{path}")).call().unwrap())
    }

    /// The value of a metric.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let text = self.admin("/metrics").body;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("{name} in {text}")).parse().unwrap()
    }

    /// A connection from one of this machine's many addresses.
    pub(crate) fn connect_from(&self, client: [u8; 4]) -> TcpStream {
        let connecting = async {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.bind(SocketAddr::new(IpAddr::from(client), 0)).unwrap();
            socket.connect(self.address()).await.unwrap().into_std().unwrap()
        };
        let stream = self.runtime.block_on(connecting);
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends bytes as they are and reads until the server closes.
    pub(crate) fn raw(&self, bytes: &str) -> String {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(bytes.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Runs `request` on `clients` threads at once.
    pub(crate) fn concurrently<T: Send>(&self, clients: usize, request: impl Fn(&Self, usize) -> T + Sync) -> Vec<T> {
        std::thread::scope(|scope| {
            let request = &request;
            let threads: Vec<_> = (0..clients).map(|client| scope.spawn(move || request(self, client))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    pub(crate) fn shutdown(self, grace: Duration) -> Result<(), Error> {
        self.runtime.block_on(self.server.shutdown(grace))
    }
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .max_idle_connections_per_host(64)
        .build();
    config.into()
}

fn reply(mut response: ureq::http::Response<ureq::Body>) -> Reply {
    let bytes = response.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap();
    Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: String::from_utf8(bytes).unwrap(),
    }
}

/// Asks until the answer is yes.
#[track_caller]
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Everything any server of this process has logged so far.
pub(crate) fn log() -> String {
    static LOG: OnceLock<Log> = OnceLock::new();
    let log = LOG.get_or_init(|| {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter("host=debug,gatehouse=debug")
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        log
    });
    String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
