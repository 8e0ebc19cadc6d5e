//! Steps: commands that are shown before they run, and summed up at the end.

use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// The steps done so far.
pub(crate) struct Steps {
    begun: Instant,
    done: Vec<(String, Duration, bool)>,
    left_out: Vec<String>,
}

impl Steps {
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), done: Vec::new(), left_out: Vec::new() }
    }

    /// Shows a command and runs it.
    ///
    /// # Errors
    /// It can't be started, or fails.
    pub(crate) fn run(&mut self, command: &mut Command) -> Result<()> {
        let shown = show(command);
        eprintln!("\n$ {shown}");
        let begun = Instant::now();
        let status = command.status().with_context(|| format!("cannot run `{shown}`; is it installed?"))?;
        self.done.push((shown.clone(), begun.elapsed(), status.success()));
        anyhow::ensure!(status.success(), "`{shown}` failed: {status}");
        Ok(())
    }

    /// Shows and runs a check. Returns what it returns.
    ///
    /// # Errors
    /// The check fails.
    pub(crate) fn check<T>(&mut self, name: &str, check: impl FnOnce() -> Result<T>) -> Result<T> {
        eprintln!("\n$ {name}");
        let begun = Instant::now();
        let result = check();
        self.done.push((name.to_owned(), begun.elapsed(), result.is_ok()));
        result.with_context(|| format!("{name} failed"))
    }

    /// Notes a skipped step for the summary.
    pub(crate) fn left_out(&mut self, what: &str) {
        self.left_out.push(what.to_owned());
    }

    /// Prints all steps with their time; nothing for a single one.
    pub(crate) fn summarise(&self) {
        if self.done.len() < 2 {
            return;
        }
        eprintln!("\nSummary:");
        for (name, time, good) in &self.done {
            let word = if *good { "ok" } else { "FAILED" };
            eprintln!("  {word:<8} {:>6.1} s  {name}", time.as_secs_f32());
        }
        for what in &self.left_out {
            eprintln!("  LEFT OUT           {what}");
        }
        eprintln!("  {:<8} {:>6.1} s", "total", self.begun.elapsed().as_secs_f32());
    }
}

/// A command as it could be typed, without paths before the program's name.
fn show(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let mut shown = program.file_name().unwrap_or(command.get_program()).to_string_lossy().into_owned();
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        // Writing to a string does not fail.
        let _ = if argument.contains([' ', '"', '\'', '[']) {
            write!(shown, " '{argument}'")
        } else {
            write!(shown, " {argument}")
        };
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_typed() {
        assert_eq!(show(Command::new("/x/cargo").args(["test", "-p", "a b"])), "cargo test -p 'a b'");
    }

    #[test]
    fn a_failure_names_its_command() {
        let error = Steps::new().run(&mut Command::new("false")).unwrap_err();
        assert!(error.to_string().starts_with("`false` failed"), "{error}");
        let error = Steps::new().run(&mut Command::new("there-is-no-such-program")).unwrap_err();
        assert!(error.to_string().contains("is it installed?"), "{error}");
    }
}
