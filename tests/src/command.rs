//! The command line, run as a pipeline would run it.

use crate::client::Client;
use crate::files::binary;
use crate::process::scrubbed;

/// The result of a command.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Its exit code.
    pub code: Option<i32>,
    /// Its standard output.
    pub output: String,
    /// Its standard error.
    pub log: String,
}

impl Ended {
    /// The last line of standard error.
    pub fn last_line(&self) -> &str {
        self.log.lines().last().unwrap_or_default()
    }

    /// Expects this exit code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", self.output, self.log);
        self
    }
}

/// Runs `gatehouse` with these arguments, with a client's server, project and token in the environment.
pub fn gatehouse(client: &Client, arguments: &[&str]) -> Ended {
    let mut command = scrubbed(&binary());
    command.args(arguments).envs(client.environment());
    let output = command.output().unwrap();
    Ended {
        code: output.status.code(),
        output: String::from_utf8(output.stdout).unwrap(),
        log: String::from_utf8(output.stderr).unwrap(),
    }
}
