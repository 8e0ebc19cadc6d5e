//! A child process with a clean environment. Dropping it ends the process.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// A running process, the leader of its own group.
pub(crate) struct Process {
    child: Child,
    ended: Option<ExitStatus>,
    lines: Receiver<String>,
    log: PathBuf,
}

/// Resources of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// The memory in RAM, in bytes.
    pub memory_bytes: u64,
    /// The number of open files and sockets.
    pub open_files: usize,
}

/// A command with only the needed variables of our environment.
pub(crate) fn scrubbed(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    for name in ["PATH", "HOME", "TMPDIR", "LANG"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command
}

impl Process {
    /// Starts a command; its standard error goes to the end of `log`.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Self {
        let errors = File::options().create(true).append(true).open(log).unwrap();
        let program = command.get_program().to_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot be run: {error}", program.display()));
        let output = child.stdout.take().unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, ended: None, lines, log: log.to_owned() }
    }

    /// The next line of standard output.
    pub(crate) fn line(&self, patience: Duration) -> String {
        self.try_line(patience)
            .unwrap_or_else(|reason| panic!("the process printed no line: {reason};{}", self.log_text()))
    }

    /// The next line of standard output.
    ///
    /// # Errors
    /// The time is over, or the process has closed its output, which it does when it ends.
    pub(crate) fn try_line(&self, patience: Duration) -> Result<String, RecvTimeoutError> {
        self.lines.recv_timeout(patience)
    }

    /// The unread lines of standard output; all of them, if the process has ended.
    pub(crate) fn rest(&self) -> Vec<String> {
        self.lines.iter().collect()
    }

    /// The process's log so far.
    pub(crate) fn log_text(&self) -> String {
        format!(" its log:\n{}", std::fs::read_to_string(&self.log).unwrap_or_default())
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.ended = self.ended.or_else(|| self.child.try_wait().unwrap());
        self.ended.is_some()
    }

    /// Sends a signal to the process itself.
    pub(crate) fn signal(&self, name: &str) {
        signal(name, &self.child.id().to_string());
    }

    /// The resources that the process uses now.
    pub(crate) fn usage(&self) -> Usage {
        let folder = Path::new("/proc").join(self.child.id().to_string());
        let status = std::fs::read_to_string(folder.join("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        let open_files = std::fs::read_dir(folder.join("fd")).unwrap().count();
        Usage { memory_bytes: kib * 1024, open_files }
    }

    /// Sends SIGTERM to the process and waits for its end.
    pub(crate) fn terminate(&mut self, patience: Duration) -> ExitStatus {
        signal("TERM", &self.child.id().to_string());
        let deadline = Instant::now() + patience;
        while !self.has_ended() {
            assert!(Instant::now() < deadline, "the process did not end within {patience:?};{}", self.log_text());
            std::thread::sleep(Duration::from_millis(2));
        }
        // The processes that it had started, as `spin up` does.
        signal("KILL", &format!("-{}", self.child.id()));
        self.ended.unwrap()
    }

    /// Sends SIGKILL to the whole group and waits for the process's end.
    pub(crate) fn kill(&mut self) {
        if self.ended.is_none() {
            signal("KILL", &format!("-{}", self.child.id()));
            self.ended = Some(self.child.wait().unwrap());
        }
    }
}

fn signal(name: &str, process: &str) {
    // The process may just have ended.
    let _ = Command::new("kill").args([&format!("-{name}"), "--", process]).stderr(Stdio::null()).status();
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
