//! The command line: its commands, their shared arguments, and the top-level help. Each command's own arguments are in
//! its module.

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::client::Client;
use crate::{
    accept, audit, demo, execution, exemptions, explain, projects, replay, scanners, targets, tokens, up, upload,
};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// The exit codes of every command but `upload`, `execution` and `demo`.
pub(crate) const EXIT_CODES: &str = "Exit codes: 0 done, 2 wrong usage or failure.";

/// A security gate: scanners' reports in, a verdict out
///
/// Scanners' reports become issues, compared with the target's baseline and checked against approved exemptions; the
/// answer to an upload is a verdict that a CI pipeline can act on.
#[derive(Parser)]
#[command(name = "gatehouse", version, styles = STYLES, after_long_help = "\
Examples:
  gatehouse demo
      Shows the gate at work, with nothing to set up.
  gatehouse up
      Serves the application on http://127.0.0.1:3000.
  bandit -r . -f json -o report.json
  gatehouse upload report.json --scanner bandit --project shop \\
      --target web --variant feature/search --fail-on-new-occurrences high
      Uploads a report. The exit code is the verdict: 0 pass, 1 fail, 2 undecided.

Environment: GATEHOUSE_URL, GATEHOUSE_PROJECT and GATEHOUSE_TOKEN set --url, --project and
--token; NO_COLOR turns colour off.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the application on the embedded host
    Up(up::UpArgs),
    /// Upload a scanner's report and exit with the verdict
    Upload(upload::UploadArgs),
    /// Show a pipeline's run, and exit with its verdict
    Execution(execution::ExecutionArgs),
    /// Process a scan's report again and compare the results
    Replay(replay::ReplayArgs),
    /// Accept a scan that failed, so that its issues are not new for the next scans
    Accept(accept::AcceptArgs),
    /// Explain why an occurrence is new, or which earlier one it was matched with
    Explain(explain::ExplainArgs),
    /// Request, review and list exemptions
    Exemptions(exemptions::ExemptionsArgs),
    /// Show who did what in a project, when and why
    Audit(audit::AuditArgs),
    /// List targets and set their baselines
    Targets(targets::TargetsArgs),
    /// Create projects and change their settings
    Projects(projects::ProjectsArgs),
    /// List the supported scanners
    Scanners(scanners::ScannersArgs),
    /// Create, list and revoke tokens
    Tokens(tokens::TokensArgs),
    /// Show the gate at work on a small program, from project to verdict
    Demo(demo::DemoArgs),
}

/// Server, project and token.
#[derive(Args)]
pub(crate) struct Connection {
    /// The server's address
    #[arg(long, env = "GATEHOUSE_URL", value_name = "URL", default_value = "http://127.0.0.1:3000")]
    #[arg(help_heading = "Connection", hide_env_values = true)]
    pub(crate) url: String,
    /// The project
    #[arg(long, env = "GATEHOUSE_PROJECT", value_name = "PROJECT", hide_env_values = true)]
    #[arg(help_heading = "Connection")]
    pub(crate) project: String,
    #[command(flatten)]
    token: TokenArg,
}

/// Server and token, for commands that take the project as an argument.
#[derive(Args)]
pub(crate) struct Server {
    /// The server's address
    #[arg(long, env = "GATEHOUSE_URL", value_name = "URL", default_value = "http://127.0.0.1:3000")]
    #[arg(help_heading = "Connection", hide_env_values = true)]
    url: String,
    #[command(flatten)]
    token: TokenArg,
}

#[derive(Args)]
struct TokenArg {
    /// The token; set by the environment variable, it does not show in the list of processes
    #[arg(long, env = "GATEHOUSE_TOKEN", value_name = "TOKEN", default_value = "")]
    #[arg(help_heading = "Connection", hide_env_values = true, hide_default_value = true)]
    token: String,
}

impl Connection {
    /// A client for this server, project and token.
    ///
    /// # Errors
    /// The address is not an HTTP address, or the token is missing.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::new(&self.url, &self.project, &self.token.token)?)
    }
}

impl Server {
    /// A client for the named project.
    ///
    /// # Errors
    /// The address is not an HTTP address, or the token is missing.
    pub(crate) fn client(&self, project: &str) -> anyhow::Result<Client> {
        Ok(Client::new(&self.url, project, &self.token.token)?)
    }

    /// A client for the account, for calls outside any project.
    ///
    /// # Errors
    /// The address is not an HTTP address, or the token is missing.
    pub(crate) fn account(&self) -> anyhow::Result<Client> {
        Ok(Client::account(&self.url, &self.token.token)?)
    }
}

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// For programs: the server's answer
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    /// Every command and subcommand with its full name.
    fn all(command: &clap::Command, path: &str) -> Vec<(String, clap::Command)> {
        let name = format!("{path} {}", command.get_name());
        let below = command.get_subcommands().flat_map(|child| all(child, &name));
        std::iter::once((name.clone(), command.clone())).chain(below).collect()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_of_every_command_has_an_example_and_its_exit_codes() {
        for (name, mut command) in all(&Cli::command(), "") {
            if command.has_subcommands() {
                continue;
            }
            let help = command.render_long_help().to_string();
            assert!(help.contains("Example"), "{name} has no example");
            assert!(help.contains("Exit codes: "), "{name} does not list its exit codes");
        }
    }

    #[test]
    fn every_example_is_a_legal_command_line() {
        for (name, mut command) in all(&Cli::command(), "") {
            let help = command.render_long_help().to_string().replace("\\\n", " ");
            for line in help.lines().filter_map(|line| line.trim().strip_prefix("gatehouse ")) {
                let line = line.split(" | ").next().unwrap();
                let words = std::iter::once("gatehouse").chain(line.split_whitespace());
                let parsed = Cli::try_parse_from(words.chain(defaults(line).iter().copied()));
                assert!(parsed.is_ok(), "{name}: {line}: {}", parsed.err().unwrap());
            }
        }
    }

    /// The arguments that an example takes from the environment.
    fn defaults(line: &str) -> &'static [&'static str] {
        let own = ["up", "demo", "projects", "scanners"].iter().any(|command| line.starts_with(command));
        if own || line.contains("--project") || line.contains("--account") { &[] } else { &["--project", "shop"] }
    }
}
