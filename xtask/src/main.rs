//! `cargo xtask`: building, testing and checking the workspace, the same for people and CI. It is what knows the steps;
//! what is built and tested is found in the workspace and listed nowhere here.

mod build;
mod check;
mod fuzz;
mod imports;
mod rules;
mod setup;
mod step;
mod test;
mod workspace;

use std::env;
use std::process::ExitCode;

use anyhow::Result;

use crate::step::Steps;
use crate::workspace::Workspace;

const USAGE: &str = "\
Usage: cargo xtask <command> [argument]...

Commands:
  build [--guests]       the components, then `target/release/gatehouse` with them built in
  demo [argument]...     build, then `gatehouse demo`
  test [argument]...     set up, build, then every test: native ones, and those of the pure crates inside Wasm;
                         with arguments, only the native tests that `cargo test` picks by them
  test --e2e [argument]...  only the end-to-end suite
  check                  format, dependency rules, lints
  ci                     check, then test
  rules                  only the dependency rules
  bench [argument]...    build, then the benchmarks
  screenshots [folder]   set up, build, then a picture of every page, light and dark, wide and narrow; into
                         `target/screenshots`, unless another folder is named
  fuzz [target [seconds]]  fuzz the parsers, two minutes a target; needs a nightly compiler

GATEHOUSE_SPIN=/path/to/spin makes the end-to-end suite run on that `spin` as well.";

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
        ["build"] => build::application(&workspace, steps),
        ["build", "--guests"] => {
            build::guests(&workspace, steps)?;
            build::application(&workspace, steps)
        }
        ["demo", rest @ ..] => {
            build::application(&workspace, steps)?;
            steps.run(workspace.program("gatehouse").arg("demo").args(rest))
        }
        ["test", "--e2e", rest @ ..] => test::end_to_end(&workspace, steps, rest),
        ["test"] => test::all(&workspace, steps),
        ["test", rest @ ..] => test::picked(&workspace, steps, rest),
        ["rules"] => steps.check("dependency rules", || rules::check(&workspace)),
        ["check"] => check::check(&workspace, steps),
        ["ci"] => {
            check::check(&workspace, steps)?;
            test::all(&workspace, steps)
        }
        ["bench", rest @ ..] => {
            build::application(&workspace, steps)?;
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
        _ => anyhow::bail!("there is no such command\n\n{USAGE}"),
    }
}
