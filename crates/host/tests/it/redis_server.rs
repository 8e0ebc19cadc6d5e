//! A Redis server for one test, on a port of its own.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Time limit for the server's start.
const START: Duration = Duration::from_secs(10);

/// A running server; stops when dropped.
pub(crate) struct RedisServer {
    process: Child,
    port: u16,
    _data: tempfile::TempDir,
}

impl RedisServer {
    pub(crate) fn start() -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        Self::start_on(port)
    }

    fn start_on(port: u16) -> Self {
        let data = tempfile::tempdir().unwrap();
        let process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string(), "--dir"])
            .arg(data.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("redis-server cannot be run ({error}): install the package redis-server"));
        let server = Self { process, port, _data: data };
        let deadline = Instant::now() + START;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(Instant::now() < deadline, "redis-server did not start on port {port}");
            std::thread::sleep(Duration::from_millis(5));
        }
        server
    }

    /// Stops the server and starts an empty one in its place, with `meanwhile` in between.
    pub(crate) fn restart(self, meanwhile: impl FnOnce()) -> Self {
        let port = self.port;
        drop(self);
        meanwhile();
        Self::start_on(port)
    }

    /// Keeps the server from answering while `meanwhile` runs. Its connections stay open.
    #[allow(dead_code, reason = "not every user of this module pauses it")]
    pub(crate) fn pause(&self, meanwhile: impl FnOnce()) {
        let signal = |name: &str| {
            let killed = Command::new("kill").args([name, &self.process.id().to_string()]).status().unwrap();
            assert!(killed.success());
        };
        signal("-STOP");
        meanwhile();
        signal("-CONT");
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
