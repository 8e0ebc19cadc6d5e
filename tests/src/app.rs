//! The application under test: a process on a free port, with its own data folder.

use crate::client::Client;
use crate::files::{StoreFile, binary, cache, workspace};
use crate::network::Network;
use crate::process::{Process, Usage, scrubbed};
use crate::redis_server::RedisServer;
use crate::wire;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The installation's admin token.
pub const ADMIN: &str = "gate_the-admin-token-of-this-installation-0123456789";
/// Time limit for a start of the application; the first start compiles the components.
const START: Duration = Duration::from_secs(120);
/// Time limit for its stop.
const END: Duration = Duration::from_secs(40);

/// True once an application has started. The first start compiles the components into the cache; tests that start at
/// the same time wait for it instead of compiling them too.
static COMPILED: Mutex<bool> = Mutex::new(false);

/// The store of an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// A file in its data folder.
    Sqlite,
    /// Its own Redis server.
    Redis,
}

/// Options for starting an application.
#[derive(Debug, Clone)]
pub struct Options {
    /// The store.
    pub store: Store,
    /// Further arguments of `gatehouse up`; not for Spin.
    pub flags: Vec<&'static str>,
    /// The network that it runs in, instead of this machine's loopback addresses; not for Spin, and not with Redis.
    pub network: Option<Arc<Network>>,
}

impl Options {
    /// Options with this store and the defaults.
    pub fn on(store: Store) -> Self {
        Self { store, flags: Vec::new(), network: None }
    }
}

/// Runs a check on each store, and prints the store.
pub fn each_store(check: impl Fn(Store)) {
    for store in [Store::Sqlite, Store::Redis] {
        eprintln!("on {store:?}");
        check(store);
    }
}

/// The `spin` binary to test against, if one is named.
pub(crate) fn spin() -> Option<PathBuf> {
    std::env::var_os("GATEHOUSE_SPIN").map(PathBuf::from)
}

/// True unless `GATEHOUSE_SPIN` is set; claims about the embedded host alone are then skipped.
pub fn embedded_only(claim: &str) -> bool {
    let embedded = spin().is_none();
    if !embedded {
        eprintln!("skipped, because GATEHOUSE_SPIN is set and only the embedded host promises it: {claim}");
    }
    embedded
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// A running application. Its processes and folders are gone when it is dropped.
pub struct App {
    process: Process,
    address: SocketAddr,
    options: Options,
    /// The offset of the application's clock.
    ahead: Duration,
    redis: Option<RedisServer>,
    folder: tempfile::TempDir,
}

impl App {
    /// Starts an application with its state in SQLite.
    pub fn new() -> Self {
        Self::start(Options::on(Store::Sqlite))
    }

    /// Starts an application and waits until it serves.
    pub fn start(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let redis = (options.store == Store::Redis).then(|| RedisServer::start(folder.path()));
        if let Some(redis) = &redis {
            let config = format!("[key_value_store.default]\ntype = \"redis\"\nurl = \"{}\"\n", redis.url());
            std::fs::write(folder.path().join("runtime.toml"), config).unwrap();
        }
        let ahead = Duration::ZERO;
        let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
        let (process, address) = if *compiled {
            drop(compiled);
            serve(&options, ahead, redis.is_some(), &folder)
        } else {
            let served = serve(&options, ahead, redis.is_some(), &folder);
            *compiled = true;
            served
        };
        Self { process, address, options, ahead, redis, folder }
    }

    /// Its address, for example `http://127.0.0.1:4711`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its socket's address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its socket's address for a client with this address.
    pub fn address_for(&self, client: IpAddr) -> SocketAddr {
        match &self.options.network {
            Some(_) => (Network::server(client), self.address.port()).into(),
            None => self.address,
        }
    }

    /// Stops the Redis server without ending it: it answers nothing, until [`resume_store`](Self::resume_store).
    pub fn pause_store(&self) {
        self.redis().pause();
    }

    /// Lets a paused Redis server go on.
    pub fn resume_store(&self) {
        self.redis().resume();
    }

    fn redis(&self) -> &RedisServer {
        self.redis.as_ref().unwrap_or_else(|| panic!("only a Redis server can be paused"))
    }

    /// The resources that its process uses now.
    pub fn usage(&self) -> Usage {
        self.process.usage()
    }

    /// The metrics; the embedded host only. Their address is in the log, because standard output has one line.
    pub fn metrics(&self) -> String {
        let log = self.log();
        let address =
            log.lines().find_map(|line| line.split_once("serving health and metrics")?.1.split_once("address="));
        let (_, address) = address.unwrap_or_else(|| panic!("the log names no address of metrics: {log}"));
        let answer = wire::exchange(
            address.trim().parse().unwrap(),
            b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
            false,
        );
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer
    }

    /// A client with the admin's token, for this project.
    pub fn admin(&self, project: &str) -> Client {
        Client::new(&self.url(), project, ADMIN)
    }

    /// Sends raw bytes and returns all bytes of the answer. `end` closes our side after sending.
    pub fn raw(&self, bytes: &[u8], end: bool) -> String {
        wire::exchange(self.address, bytes, end)
    }

    /// Its SQLite file.
    pub fn store_file(&self) -> StoreFile {
        assert_eq!(self.options.store, Store::Sqlite, "only SQLite has a file");
        StoreFile::open(&self.folder.path().join("data").join("sqlite_key_value.db"))
    }

    /// A folder for files of the test.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        self.process.log_text()
    }

    /// Ends it like a power cut: SIGKILL. Its Redis server keeps running.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Restarts it on its state, on another port.
    pub fn restart(&mut self) {
        self.process.kill();
        (self.process, self.address) = serve(&self.options, self.ahead, self.redis.is_some(), &self.folder);
    }

    /// Restarts it with the clock moved forward; the embedded host only.
    pub fn restart_later(&mut self, by: Duration) {
        assert_eq!(spin(), None, "Spin has no clock to step");
        self.ahead += by;
        self.restart();
    }

    /// Stops it cleanly, by SIGTERM.
    pub fn stop(&mut self) {
        let status = self.process.terminate(END);
        if embedded_only("SIGTERM ends it with exit code 0, and it printed only one line") {
            assert_eq!(status.code(), Some(0), "{}", self.process.log_text());
            assert_eq!(self.process.rest(), [] as [String; 0]);
        }
    }
}

impl Default for App {
    fn default() -> Self {
        Self::new()
    }
}

fn serve(options: &Options, ahead: Duration, redis: bool, folder: &tempfile::TempDir) -> (Process, SocketAddr) {
    let (data, log) = (folder.path().join("data"), folder.path().join("log"));
    let configured = |command: &mut Command| {
        command.env("SPIN_VARIABLE_ADMIN_TOKEN", ADMIN);
        if redis {
            command.arg("--runtime-config-file").arg(folder.path().join("runtime.toml"));
        }
    };
    match spin() {
        Some(spin) => {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
            let mut command = scrubbed(&spin);
            command
                .args(["up", "--listen", &address.to_string(), "-f"])
                .arg(workspace().join("spin.toml"))
                .arg("--state-dir")
                .arg(data);
            configured(&mut command);
            let mut process = Process::start(&mut command, &log);
            let deadline = Instant::now() + START;
            while !wire::is_healthy(address) {
                let waiting = !process.has_ended() && Instant::now() < deadline;
                assert!(waiting, "spin does not serve;{}", process.log_text());
                std::thread::sleep(Duration::from_millis(20));
            }
            (process, address)
        }
        None => {
            let (mut command, listen) = match &options.network {
                Some(network) => (network.run(&binary(), scrubbed), "[::]:0"),
                None => (scrubbed(&binary()), "127.0.0.1:0"),
            };
            command.args(["up", "--listen", listen, "--admin-listen", "127.0.0.1:0", "--data"]).arg(data);
            command.arg("--cache").arg(cache()).args(&options.flags);
            if !ahead.is_zero() {
                command.arg("--clock-offset").arg(format!("{}ms", ahead.as_millis()));
            }
            configured(&mut command);
            let process = Process::start(&mut command, &log);
            let line = process.line(START);
            let address = line.strip_prefix("Serving http://").and_then(|address| address.parse().ok());
            let mut address: SocketAddr =
                address.unwrap_or_else(|| panic!("`{line}` is not the readiness line;{}", process.log_text()));
            if options.network.is_some() {
                address.set_ip(Network::server(Ipv4Addr::UNSPECIFIED.into()));
            }
            (process, address)
        }
    }
}
