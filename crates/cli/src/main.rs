//! The `gatehouse` command: runs the application on the embedded host, and talks to a running one over its HTTP API.
//!
//! The server decides every verdict; this program shows it and turns it into an exit code.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "an outer crate: it reads files, clocks and the environment"
)]

mod accept;
mod admin_token;
mod application;
mod args;
mod audit;
mod bandit;
mod body;
mod client;
mod comparison;
mod demo;
mod evidence;
mod execution;
mod exemptions;
mod explain;
mod failure;
mod issues;
mod limits_args;
mod null_report;
mod output;
mod progress;
mod projects;
mod random;
mod replay;
mod retry;
mod scanners;
mod source;
mod story;
mod table;
mod targets;
mod terminal;
mod tokens;
mod up;
mod upload;
mod variables;
mod verdict;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;

use crate::args::{Cli, Command};

/// The exit code of wrong usage, of a failure, and of an undecided verdict.
const EXIT_UNDECIDED: u8 = 2;

fn main() -> ExitCode {
    run(Cli::parse().command).unwrap_or_else(|error| {
        failure::print(&error);
        ExitCode::from(EXIT_UNDECIDED)
    })
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Up(args) => up::run(args).map(|()| ExitCode::SUCCESS),
        Command::Upload(args) => upload::run(args),
        Command::Explain(args) => explain::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Execution(args) => execution::run(&args),
        Command::Replay(args) => replay::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Accept(args) => accept::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Exemptions(args) => exemptions::run(args).map(|()| ExitCode::SUCCESS),
        Command::Audit(args) => audit::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Targets(args) => targets::run(args).map(|()| ExitCode::SUCCESS),
        Command::Projects(args) => projects::run(args).map(|()| ExitCode::SUCCESS),
        Command::Scanners(args) => scanners::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Tokens(args) => tokens::run(args).map(|()| ExitCode::SUCCESS),
        Command::Demo(args) => demo::run(args),
    }
}
