//! `cargo xtask`: builds, tests and checks the workspace, the same for people and CI. It defines the steps, and finds
//! the packages in the workspace.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "an outer crate: it reads files, clocks and the environment"
)]

mod build;
mod check;
mod features;
mod fuzz;
mod imports;
mod lint;
mod rules;
mod setup;
mod step;
mod test;
mod workspace;

use std::env;
use std::process::ExitCode;

use anyhow::Result;

use crate::step::Steps;
use crate::workspace::{Profile, Workspace};

const USAGE: &str = "\
Usage: cargo xtask <command> [argument]...

Commands:
  build [--guests]       the release components, then `target/release/gatehouse` with them inside; with `--guests`
                         only the components of the host's tests
  demo [argument]...     build quickly, then `gatehouse demo`
  test [argument]...     set up, build, then every test: native ones, those of the pure crates inside Wasm, and, if
                         `../shared` exists, those that read large data; with arguments, only the native tests that
                         `cargo test` selects by them, and only their needs are built
  test --e2e [argument]...  only the end-to-end suites
  test --data            only the tests that read large data, from `../shared`
  test --load [suite]...  the suite `load` with its long tests (an hour), which print figures; a suite is for
                         example `crowds`
  check                  format, rules, lints
  ci                     check, then test; the lints are checked while the tests are compiled
  rules                  only the rules: dependencies, features, sources
  bench [argument]...    build, then the benchmarks
  screenshots [folder]   set up, build, then a picture of every page, light and dark, wide and narrow, in
                         `target/screenshots` or the given folder
  fuzz [target [seconds]]  fuzz the parsers, two minutes a target; needs a nightly compiler

GATEHOUSE_SPIN=/path/to/spin makes the end-to-end suite run on that `spin` instead of the embedded host.";

fn main() -> ExitCode {
    let mut steps = Steps::new();
    match run(&mut steps) {
        Ok(()) => {
            steps.summarise();
            ExitCode::SUCCESS
        }
        Err(error) => {
            steps.summarise();
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(steps: &mut Steps) -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let workspace = Workspace::find()?;
    match arguments.as_slice() {
        ["build"] => build::application(&workspace, steps, Profile::Shipped),
        ["build", "--guests"] => build::components(&workspace, steps, Profile::Quick, &workspace.guests()?),
        ["demo", rest @ ..] => {
            build::application(&workspace, steps, Profile::Quick)?;
            steps.run(workspace.program("gatehouse", Profile::Quick).arg("demo").args(rest))
        }
        ["test", "--data"] => test::large_data(&workspace, steps),
        ["test", "--load", rest @ ..] => test::load(&workspace, steps, rest),
        ["test", "--e2e", rest @ ..] => test::end_to_end(&workspace, steps, rest),
        ["test"] => test::all(&workspace, steps),
        ["test", rest @ ..] => test::picked(&workspace, steps, rest),
        ["rules"] => check::rules(&workspace, steps),
        ["check"] => check::check(&workspace, steps),
        ["ci"] => {
            check::without_lints(&workspace, steps)?;
            let driver = steps.check("warnings of Clippy are errors", || lint::driver(workspace.root()))?;
            test::all(&workspace.with_linter(driver), steps)
        }
        ["bench", rest @ ..] => {
            build::application(&workspace, steps, Profile::Shipped)?;
            let mut matching = test::in_wasm(&workspace, steps, "bench")?;
            steps.run(matching.args(["-p", "domain", "--bench", "matching"]))?;
            steps.run(workspace.cargo().args(["bench", "-p", "tests", "--bench", "upload"]).args(rest))
        }
        ["screenshots", folder @ ..] if folder.len() < 2 => test::screenshots(&workspace, steps, folder),
        ["fuzz", rest @ ..] => fuzz::run(&workspace, steps, rest),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => anyhow::bail!("unknown command `{}`\n\n{USAGE}", arguments.join(" ")),
    }
}
