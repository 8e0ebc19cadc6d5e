//! A Redis server for one test, on its own port.

use crate::app::free_port;
use crate::process::{Process, scrubbed};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

/// Time limit for the server's start.
const START: Duration = Duration::from_secs(10);

/// A running server; stops when dropped.
pub(crate) struct RedisServer {
    process: Process,
    port: u16,
}

impl RedisServer {
    /// Starts a server that keeps its data in `folder`.
    pub(crate) fn start(folder: &Path) -> Self {
        let found = std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join("redis-server").is_file()));
        assert!(found, "redis-server is missing: install the package redis-server");
        let port = free_port();
        let mut command = scrubbed(Path::new("redis-server"));
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string(), "--dir"]);
        let mut process = Process::start(command.arg(folder), &folder.join("redis.log"));
        let deadline = Instant::now() + START;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if process.has_ended() || deadline < Instant::now() {
                process.kill();
                panic!("redis-server did not start on port {port}: {:?}", process.rest());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Self { process, port }
    }

    /// Stops the process without ending it.
    pub(crate) fn pause(&self) {
        self.process.signal("STOP");
    }

    /// Lets the paused process go on.
    pub(crate) fn resume(&self) {
        self.process.signal("CONT");
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}
